"""From trained networks to operating points and figures: everything is chosen and measured on unseen views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models.evaluation.promise import Asked, Costs, Points, choose, expected_cost, promised, stop_from
from models.training.cache import Shelf
from models.training.calibrate import Linear
from models.training.data import fold_of
from models.training.evaluate import Answer, answers, box_figure, found_figure, matched
from models.training.integrity import DamageHead, frozen, helped, looks_of, tuned
from models.training.network import CLASSES
from models.training.release import FarFindings, Findings, stricter
from models.training.thresholds import best_f, damage_map_points, keeps
from models.training.train import trained

Told = Mapping[int, Answer]
UNSEEN = "of groups that the answering network had not seen (folds by group)"
COSTS = Costs(escape=20, look=0.5)
"""Dearer looks and cheaper escapes than the defaults: half of the damage that this is chosen on is slight, and at the
defaults a person would be asked to look at two in five intact parcels and would soon stop looking."""
MISSES, FALSE_STOPS = 0.1, 0.05
"""The rates of which the card says whether they are promised."""


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


def conclude_far(shelf: Shelf, told: Told, how: str) -> FarFindings:
    """Where a parcel or label counts as found, and how good the boxes are, on whole frames as they are.

    how: in words, for the card: how the far look's answers came about.
    """
    frames = [i for i, v in enumerate(shelf.views) if i in told and v.plain]
    photos = _of(shelf, told, [i for i in frames if shelf.views[i].source == "photos"])
    rendered = _of(shelf, told, [i for i in frames if shelf.views[i].source in ("renders", "open_renders")])
    parcels, labels = (matched(*_of(shelf, told, frames), name) for name in ("parcel", "shipping_label"))
    found = best_f(parcels, 2)
    signs = [told[i] for i in frames if shelf.views[i].source == "signs"]
    parcel = CLASSES.index("parcel")
    thresholds = {
        "parcel": {
            "found": found,
            "doubtful": min(keeps(parcels, 0.98), 0.5 * found),
            "chosen_on": f"whole frames, {UNSEEN}: best F2, since a parcel that is not found costs another picture and "
            "a box too many seldom does; 98 % of the found keep doubtful",
        },
        "shipping_label": {"found": best_f(labels), "chosen_on": f"whole frames, {UNSEEN}: best F1"},
    }
    metrics = {
        "how_the_far_look": how,
        "parcel_ap50_photos": box_figure(*photos, "parcel").told(),
        "parcel_ap50_renders": box_figure(*rendered, "parcel").told(),
        "parcel_found_renders": found_figure(*rendered, found).told(),
        "pictures_without_a_parcel": {
            "pictures": len(signs),
            "with_a_parcel_found": sum(len(answer.detections.of(parcel, found)) > 0 for answer in signs),
        },
        "shipping_label_ap50_photos": box_figure(*photos, "shipping_label").told(),
        "shipping_label_ap50_renders": box_figure(*rendered, "shipping_label").told(),
    }
    return FarFindings(thresholds, metrics)


def conclude(
    shelf: Shelf, told: Told, head: DamageHead, compared: dict[str, Any], far: FarFindings, how: str
) -> Findings:
    """Thresholds with the data they were chosen on, and all figures that need no photo from outside.

    how: in words, for the card: how the close look's answers came about.
    """
    points, cell_figures = damage_map_points(*_of(shelf, told, head.looks.rows.tolist()))
    closer = [i for i, v in enumerate(shelf.views) if i in told and v.look == "parcel"]
    labels = {
        "found": best_f(matched(*_of(shelf, told, closer), "shipping_label")),
        "chosen_on": f"second looks, {UNSEEN}: best F1",
    }
    thresholds = {
        "parcel": far.thresholds["parcel"],
        "shipping_label": stricter(labels, far.thresholds["shipping_label"]),
        "marks": {},
        "integrity": operating_points(head, UNSEEN).told(),
        "damage_map": {**points, "chosen_on": f"cells of second looks, {UNSEEN}: best F1 per kind"},
    }
    metrics = {
        "how": how,
        "integrity_unseen_training_views": compared,
        "damage_map_unseen_cells": cell_figures,
        **far.metrics,
    }
    calibration = {
        "kind": "platt",
        "a": round(head.a, 6),
        "b": round(head.b, 6),
        "chosen_on": f"second looks, {UNSEEN}, at even odds of damaged and intact",
    }
    return Findings(calibration, thresholds, metrics)


def operating_points(head: DamageHead, unseen: str) -> Points:
    """From where a person looks, and from where the check fails.

    Chosen on views as a bench would take them: plain looks at renders and photos, and the composed damage, since there
    are no photos of real damage to choose on. `unsure` is the cheapest point for COSTS. `fail` is the lowest from which
    on at most FALSE_STOPS of the intact lie, with confidence: both hold the parcel, so by cost alone nothing but a
    certain wreck would fail. What is promised of misses is told and moves nothing: most of what is missed is slight.
    """
    looks = head.looks
    mine = looks.plain | (~looks.rendered & looks.damaged)
    p, damaged = head.probabilities()[mine], looks.damaged[mine]
    groups = np.array(looks.groups)[mine]
    points = choose(
        p,
        damaged,
        groups.tolist(),
        COSTS,
        Asked(miss_rate=None),
        weights=looks.weights[mine],
        chosen_on=f"second looks at renders, at real photos as they are and with composed damage, {unseen}",
    )
    fail = max(stop_from(p[~damaged], groups[~damaged], FALSE_STOPS) or points.fail, points.unsure)
    between = (p >= points.unsure) & (p < fail)
    return replace(
        points,
        fail=fail,
        misses=promised(p[damaged], groups[damaged], points.unsure, MISSES, Asked(), below=True),
        false_stops=promised(p[~damaged], groups[~damaged], fail, FALSE_STOPS, Asked(), below=False),
        expected_cost=expected_cost(p, damaged, looks.weights[mine], COSTS, points.unsure, fail),
        unsure_share={
            name: float(np.average(between[rows], weights=looks.weights[mine][rows]))
            for name, rows in (("damaged", damaged), ("intact", ~damaged))
        },
    )


def _of(shelf: Shelf, told: Told, indices: Sequence[int]) -> tuple[list[Any], list[Answer]]:
    return [shelf.views[i] for i in indices], [told[i] for i in indices]
