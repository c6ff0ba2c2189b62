"""What a trained network answers to views it has not seen, and what that is worth: boxes, marks, damage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from inspector import Frame, Inspector, decode
from inspector.detector import Detections, Placement, decode_boxes
from inspector.spec import Check
from models.evaluation.metrics import (
    Figure,
    Matched,
    auroc,
    average_precision,
    bootstrap,
    box_ap,
    counts_at,
    match,
    recall_at_false_stops,
)
from models.training.cache import Shelf
from models.training.data import Photo, read_photos
from models.training.network import CLASSES, FIRST_MARK, ParcelNet, Raw, boxes_of, evidence
from models.training.views import View

FLOOR = 0.02
NMS_IOU = 0.5
AS_IS = Placement(1.0, 0, 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the network said of one view. detections: boxes x, y, w, h on the canvas. damage: float16 (k, 40, 40).

    evidence: float32 (2k,), what the damage head is told of the map.  state: the tuned layer's logit of damage.
    """

    detections: Detections
    damage: npt.NDArray[np.float16]
    evidence: npt.NDArray[np.float32]
    state: float


@torch.inference_mode()
def answers(net: ParcelNet, shelf: Shelf, indices: Sequence[int], batch: int = 32) -> dict[int, Answer]:
    """The network's answers to some views of the shelf, from their cached features, by index."""
    net.eval()
    out: dict[int, Answer] = {}
    for start in range(0, len(indices), batch):
        part = list(indices[start : start + batch])
        p3, p4, _ = shelf.batch(part)
        out.update(zip(part, _told(net, net.heads(net.deepened(p3, p4))), strict=True))
    return out


def matched(
    views: Sequence[View], told: Sequence[Answer], name: str, *, at_least: float = 0.5, judged_only: bool = True
) -> list[Matched]:
    """Detections of one class against the truth, one entry a view. Views nobody judged for that class are left out."""
    index = CLASSES.index(name)
    out = []
    for view, answer in zip(views, told, strict=True):
        if judged_only and not view.judged[index]:
            continue
        found = answer.detections.of(index, FLOOR)
        boxes = np.concatenate([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], 1)
        mine = view.classes == index
        out.append(match(boxes, found.scores, found.rotations, view.boxes[mine], view.turns[mine], at_least))
    return out


def presence(views: Sequence[View], told: Sequence[Answer], name: str) -> list[Matched]:
    """Whether a look shows a class at all, which is what the marks check asks: one detection a view, its best score.

    turn_errors are those of the boxes that match.
    """
    index = CLASSES.index(name)
    judged = [(v, a) for v, a in zip(views, told, strict=True) if v.judged[index]]
    out = []
    for (view, answer), boxes in zip(judged, matched(views, told, name), strict=True):
        best = answer.detections.of(index, FLOOR).scores[:1].astype(np.float64)
        there = bool((view.classes == index).any())
        out.append(Matched(best, np.full(len(best), there), int(there), boxes.turn_errors))
    return out


def box_figure(views: Sequence[View], told: Sequence[Answer], name: str) -> Figure:
    """AP50 of a class with its interval over groups."""
    index = CLASSES.index(name)
    pairs = [(v, a) for v, a in zip(views, told, strict=True) if v.judged[index]]
    rows = matched([v for v, _ in pairs], [a for _, a in pairs], name)
    return bootstrap(lambda i: box_ap([rows[j] for j in i]), [v.group for v, _ in pairs], rounds=400)


def mark_figures(
    views: Sequence[View], told: Sequence[Answer], thresholds: dict[str, float]
) -> dict[str, dict[str, object]]:
    """Per mark, over looks: how many that show it are told to (recall), how many told to show it do (precision).

    At the mark's threshold, with intervals; also the median error of the turn of its boxes.
    """
    out: dict[str, dict[str, object]] = {}
    for name, threshold in thresholds.items():
        index = CLASSES.index(name)
        pairs = [(v, a) for v, a in zip(views, told, strict=True) if v.judged[index]]
        rows = presence([v for v, _ in pairs], [a for _, a in pairs], name)
        groups = [v.group for v, _ in pairs]

        def rate(i: npt.NDArray[np.int64], *, recall: bool, rows: list[Matched] = rows, at: float = threshold) -> float:
            right, wrong, truth = counts_at([rows[j] for j in i], at)
            return right / max(truth if recall else right + wrong, 1)

        errors = np.concatenate([m.turn_errors for m in rows]) if rows else np.zeros(0)
        out[name] = {
            "looks_that_show_it": sum(m.truth for m in rows),
            "recall": bootstrap(lambda i: rate(i, recall=True), groups, rounds=200).told(),
            "precision": bootstrap(lambda i: rate(i, recall=False), groups, rounds=200).told(),
            "median_turn_error_deg": round(float(np.nanmedian(errors)), 1) if np.isfinite(errors).any() else None,
        }
    return out


def false_alarms(photos: Sequence[Photo], told: Sequence[Sequence[Answer]], thresholds: dict[str, float]) -> Figure:
    """Share of the photos on which a mark is seen that is not there, in any of the looks at it.

    photos: those whose marks were checked by a person. A mark that the photo does carry counts as no false alarm.
    """
    alarms = []
    for photo, looks in zip(photos, told, strict=True):
        seen = {
            name
            for answer in looks
            for name, at in thresholds.items()
            if len(answer.detections.of(CLASSES.index(name), at))
        }
        alarms.append(bool(seen - {CLASSES[c] for c in photo.classes}))
    values = np.array(alarms, np.float64)
    return bootstrap(lambda i: float(values[i].mean()), [p.group for p in photos])


@dataclass(frozen=True, slots=True)
class Judged:
    """The inspector's answers to a labelled set of photos: probability of damage, truth, group, parcel found or not.

    marks: for photos whose marks were checked, the marks that are there and those that were seen; None for the others.
    """

    scores: npt.NDArray[np.float64]
    damaged: npt.NDArray[np.bool_]
    groups: list[str]
    found: npt.NDArray[np.bool_]
    results: list[str]
    marks: list[tuple[frozenset[str], frozenset[str]] | None]

    def figures(self) -> dict[str, object]:
        """AUROC, average precision and recall at 5 % false stops with intervals by group."""

        def of(
            statistic: Callable[[npt.NDArray[np.float64], npt.NDArray[np.bool_]], float],
        ) -> dict[str, float | int | None]:
            return bootstrap(lambda i: statistic(self.scores[i], self.damaged[i]), self.groups).told()

        stopped = np.array([r != "pass" for r in self.results])
        return {
            "photos": len(self.scores),
            "damaged": int(self.damaged.sum()),
            "parcel_found": int(self.found.sum()),
            "auroc": of(auroc),
            "average_precision": of(average_precision),
            "recall_at_5_percent_false_stops": of(recall_at_false_stops),
            "at_the_card's_thresholds": {
                "damaged_stopped": round(float(stopped[self.damaged].mean()), 3),
                "intact_stopped": round(float(stopped[~self.damaged].mean()), 3),
            },
            "marks": self._mark_figures(),
        }

    def _mark_figures(self) -> dict[str, object]:
        """Marks there and found, counted once a photo and kind, and photos with a mark that is not there."""
        checked = [(pair, group) for pair, group in zip(self.marks, self.groups, strict=True) if pair is not None]
        if not checked:
            return {}
        wrong = np.array([bool(seen - there) for (there, seen), _ in checked], np.float64)
        return {
            "photos_checked": len(checked),
            "marks_there": sum(len(there) for (there, _), _ in checked),
            "marks_found": sum(len(there & seen) for (there, seen), _ in checked),
            "photos_with_a_false_mark": bootstrap(lambda i: float(wrong[i].mean()), [g for _, g in checked]).told(),
        }


def judge_photos(inspector: Inspector, folder: Path) -> Judged:
    """The whole way of the bench, from JPEG to calibrated probability, on every photo judged intact or damaged.

    A photo in which no parcel is found scores 0 and counts as not stopped for damage (the bench would ask for another
    picture); `found` says which.
    """
    scores, damaged, groups, found, results = [], [], [], [], []
    marks: list[tuple[frozenset[str], frozenset[str]] | None] = []
    for photo in read_photos(folder):
        if photo.damaged is None:
            continue
        frame: Frame = decode(photo.path.read_bytes(), name=photo.path.name)
        checks = inspector.inspect([frame]).checks
        integrity = checks[Check.INTEGRITY]
        there = frozenset(CLASSES[c] for c in photo.classes if c >= FIRST_MARK)
        seen = frozenset(mark.mark for mark in checks[Check.MARKS].marks)
        marks.append((there, seen) if photo.judged[FIRST_MARK:].all() else None)
        scores.append(integrity.score or 0.0)
        damaged.append(photo.damaged)
        groups.append(photo.group)
        found.append(integrity.score is not None)
        results.append("pass" if integrity.score is None else str(integrity.result))
    return Judged(np.array(scores), np.array(damaged), groups, np.array(found), results, marks)


def marks_of(name_thresholds: dict[str, dict[str, float]]) -> dict[str, float]:
    """The thresholds from which each mark is present."""
    return {name: told["present"] for name, told in name_thresholds.items()}


def mark_names() -> tuple[str, ...]:
    """All classes that are handling marks."""
    return CLASSES[FIRST_MARK:]


def _told(net: ParcelNet, raw: Raw) -> Iterator[Answer]:
    boxes = boxes_of(raw.sides, net.points).numpy()
    scores, turns = raw.classes.sigmoid().numpy(), raw.turns.numpy()
    damage, told = raw.damage.sigmoid().half().numpy(), evidence(raw.damage).numpy()
    for b, s, t, d, e, state in zip(boxes, scores, turns, damage, told, raw.state.tolist(), strict=True):
        yield Answer(decode_boxes(b, s, t, AS_IS, floor=FLOOR, iou=NMS_IOU), d, e, state)
