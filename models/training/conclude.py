"""From trained networks to operating points and figures: everything is chosen and measured on unseen views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.evaluation.metrics import Matched, counts_at
from models.training.cache import Shelf
from models.training.calibrate import Linear
from models.training.data import Photo, fold_of
from models.training.evaluate import (
    Answer,
    answers,
    box_figure,
    false_alarms,
    mark_figures,
    mark_names,
    marks_of,
    matched,
    presence,
)
from models.training.integrity import DamageHead, frozen, helped, looks_of, tuned
from models.training.network import CLASSES, FIRST_MARK
from models.training.plan import Job
from models.training.release import Findings
from models.training.thresholds import (
    FALSE_STOPS_FAIL,
    FALSE_STOPS_UNSURE,
    FEWEST,
    LEAST_PRECISION,
    best_f1,
    damage_map_points,
    false_stop_point,
    keeps,
    precise,
)
from models.training.train import trained

Told = Mapping[int, Answer]
NOT_CHOSEN = (
    f"{{marks}}: fewer than {FEWEST} examples, or no threshold with {LEAST_PRECISION:.0%} precision on unseen views; "
    "the inspector asks a person to look for these"
)


@dataclass(frozen=True, slots=True)
class Procedure:
    """How the answers came about. how: in words, for the card.  mark_folds: on which of the folds marks are judged."""

    how: str
    mark_folds: set[int]
    folds: int


def unseen_answers(shelf: Shelf, runs: Sequence[Path], count: int, seed: int) -> dict[int, Answer]:
    """Each view's answer from the network of the fold that left its group out. runs: one folder a fold, in order.
    count: how many of the shelf's views, from the first, are asked about.

    A fold that has not been trained is passed over, and its views then count nowhere: fewer pictures, wider intervals.
    """
    told: dict[int, Answer] = {}
    for fold, run in enumerate(runs):
        if not (run / "checkpoint.pt").exists():
            print(f"fold {fold} has not been trained; its views are left out of all figures", flush=True)
            continue
        mine = [i for i, v in enumerate(shelf.views[:count]) if fold_of(v.group, len(runs)) == fold]
        print(f"fold {fold}: {len(mine)} unseen views", flush=True)
        told |= answers(trained(run, seed), shelf, mine)
    return told


def damage_head(shelf: Shelf, told: Told, layer: Linear, folds: int) -> tuple[DamageHead, dict[str, Any]]:
    """The better, on unseen views, of the tuned layer and the one helped by the damage map; and the figures of both.

    layer: that of the network to be released. The probe on ImageNet's own features is told for comparison.
    """
    looks = looks_of(shelf, folds, told)
    plain = tuned(looks, told, layer)
    with_map = helped(plain, told)
    chosen = with_map if with_map.worth() > plain.worth() else plain
    return chosen, {
        "chosen": "pooled features and damage map" if chosen is with_map else "pooled features",
        "probe_on_frozen_features": frozen(shelf, looks).figures(),
        "pooled_features": plain.figures(),
        "pooled_features_and_damage_map": with_map.figures(),
    }


def conclude(
    shelf: Shelf, jobs: Sequence[Job], told: Told, head: DamageHead, compared: dict[str, Any], procedure: Procedure
) -> Findings:
    """Thresholds with the data they were chosen on, and all figures that need no photo from outside."""
    views = shelf.views
    frames = [i for i, v in enumerate(views) if i in told and v.plain and v.look == "frame"]
    photos = [i for i in frames if views[i].source == "photos"]
    dressed = [i for i, job in enumerate(jobs) if i in told and job.dress in ("prints", "damage")]
    plain_looks = [i for i, v in enumerate(views) if i in told and v.plain and v.source != "signs"]
    on_photos = [i for i in plain_looks if views[i].source == "photos"]
    parcels = _rows(shelf, told, frames, "parcel")
    labels = _rows(shelf, told, [*frames, *dressed], "shipping_label")
    for_marks = {i for i, v in enumerate(views) if fold_of(v.group, procedure.folds) in procedure.mark_folds}
    dressed = [i for i in dressed if i in for_marks]
    on_photos = [i for i in on_photos if i in for_marks]
    marks, unknown = _mark_points(shelf, told, [*dressed, *(i for i in plain_looks if i in for_marks)])
    points, cell_figures = damage_map_points(*_of(shelf, told, head.looks.rows.tolist()))
    p, looks = head.probabilities(), head.looks
    unseen = "of groups that the answering network had not seen (folds by group)"
    thresholds = {
        "parcel": {
            "found": best_f1(parcels),
            "doubtful": min(keeps(parcels, 0.98), 0.5 * best_f1(parcels)),
            "chosen_on": f"whole frames, {unseen}: best F1; 98 % of the found keep doubtful",
        },
        "shipping_label": {"found": best_f1(labels), "chosen_on": f"frames and composites, {unseen}: best F1"},
        "marks": {
            **marks,
            "chosen_on": f"looks at composites, renders and photos, {unseen}: present from 95 % precision on, or where "
            "that is never reached from the best precision that still finds a tenth; "
            "doubtful keeps 95 % of the found",
            **({"not_chosen": NOT_CHOSEN.format(marks=", ".join(unknown))} if unknown else {}),
        },
        "integrity": {
            "fail": false_stop_point(p, looks.damaged, looks.weights, FALSE_STOPS_FAIL),
            "unsure": false_stop_point(p, looks.damaged, looks.weights, FALSE_STOPS_UNSURE),
            "chosen_on": f"second looks at renders and at photos with composed damage, {unseen}: 5 % of the intact "
            "reach fail, 15 % reach unsure",
        },
        "damage_map": {**points, "chosen_on": f"cells of second looks, {unseen}: best F1 per kind"},
    }
    present = marks_of(marks)
    measured = present | {name: best_f1(presence(*_of(shelf, told, dressed), name)) for name in unknown}
    checked = _checked(jobs, [i for i in photos if i in for_marks])
    metrics = {
        "how": procedure.how,
        "integrity_unseen_training_views": compared,
        "damage_map_unseen_cells": cell_figures,
        "parcel_ap50_photos": box_figure(*_of(shelf, told, photos), "parcel").told(),
        "parcel_ap50_renders": box_figure(
            *_of(shelf, told, [i for i in frames if views[i].source != "photos"]), "parcel"
        ).told(),
        "shipping_label_ap50_photos": box_figure(*_of(shelf, told, photos), "shipping_label").told(),
        "marks_held_out_composites": mark_figures(
            *_of(shelf, told, [i for i in dressed if views[i].source == "photos" and views[i].look == "parcel"]),
            measured,
        ),
        "marks_held_out_composites_whole_frame": mark_figures(
            *_of(shelf, told, [i for i in dressed if views[i].source == "photos" and views[i].look == "frame"]),
            measured,
        ),
        "this_way_up_real_photos": mark_figures(
            *_of(shelf, told, on_photos),
            {"this_way_up": present["this_way_up"]},
        )
        if "this_way_up" in present
        else {},
        "marks_false_alarms_checked_photos": false_alarms(
            [photo for photo, _ in checked], [[told[i] for i in looks_at] for _, looks_at in checked], present
        ).told(),
    }
    calibration = {
        "kind": "platt",
        "a": round(head.a, 6),
        "b": round(head.b, 6),
        "chosen_on": f"second looks, {unseen}, at even odds of damaged and intact",
    }
    return Findings(calibration, thresholds, metrics)


def _of(shelf: Shelf, told: Told, indices: Sequence[int]) -> tuple[list[Any], list[Answer]]:
    return [shelf.views[i] for i in indices], [told[i] for i in indices]


def _rows(shelf: Shelf, told: Told, indices: Sequence[int], name: str) -> list[Matched]:
    return matched(*_of(shelf, told, indices), name)


def _mark_points(shelf: Shelf, told: Told, indices: Sequence[int]) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Thresholds of each mark, and the marks for which there is none that could be trusted."""
    points, unknown = {}, []
    for name in mark_names():
        rows = presence(*_of(shelf, told, indices), name)
        if sum(m.truth for m in rows) < FEWEST:
            unknown.append(name)
            continue
        present = precise(rows)
        right, wrong, _ = counts_at(rows, present)
        if right < LEAST_PRECISION * (right + wrong):
            unknown.append(name)
            continue
        points[name] = {"present": present, "doubtful": round(min(keeps(rows, 0.95), 0.6 * present), 3)}
    return points, unknown


def _checked(jobs: Sequence[Job], photos: Sequence[int]) -> list[tuple[Photo, list[int]]]:
    """Photos whose marks a person checked, each with the indices of all plain looks at it."""
    looks: dict[int, list[int]] = {}
    for i, job in enumerate(jobs):
        if job.dress == "plain":
            looks.setdefault(id(job.photo), []).append(i)
    mark = np.arange(len(CLASSES)) >= FIRST_MARK
    return [(jobs[i].photo, looks[id(jobs[i].photo)]) for i in photos if jobs[i].photo.judged[mark].all()]
