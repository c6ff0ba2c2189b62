"""Figures with intervals: ranking, calibration, matching of boxes, and the bootstrap over groups that says how sure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Boxes = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with its 95 % interval and the number of pictures behind it; NaN where it has no meaning."""

    value: float
    low: float
    high: float
    n: int

    def told(self) -> dict[str, float | int | None]:
        """For cards and JSON, to three digits; None where the data could not tell."""
        return {"value": _digits(self.value), "low": _digits(self.low), "high": _digits(self.high), "n": self.n}

    def __str__(self) -> str:
        if np.isnan(self.value):
            return f"not known (n = {self.n})"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}, n = {self.n})"


def bootstrap(statistic: Callable[[Rows], float], groups: Sequence[str], rounds: int = 2000, seed: int = 0) -> Figure:
    """The statistic of all rows, and the 2.5 and 97.5 percentiles when whole groups are drawn with replacement.

    statistic: gets row indices (with repeats) and answers a number, or NaN when it has no meaning for that draw.
    Such draws are left out of the percentiles. One group alone says nothing about others: the interval is then NaN.
    """
    n, names = len(groups), list(dict.fromkeys(groups))
    value = float(statistic(np.arange(n))) if n else float("nan")
    if len(names) < 2 or np.isnan(value):
        return Figure(value, float("nan"), float("nan"), n)
    place = {name: i for i, name in enumerate(names)}
    of_row = np.array([place[name] for name in groups])
    rows, sizes = np.argsort(of_row, kind="stable"), np.bincount(of_row)
    starts = np.cumsum(sizes) - sizes
    rng = np.random.default_rng(seed)
    draws = np.empty(rounds)
    for i in range(rounds):
        drawn = rng.integers(0, len(names), len(names))
        many = sizes[drawn]
        # row by row the place in its group: 0, 1, 2, 0, 1, ... for groups of three and two
        within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        draws[i] = statistic(rows[np.repeat(starts[drawn], many) + within])
    known = draws[~np.isnan(draws)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return Figure(value, float(low), float(high), n)


def auroc(scores: Array, damaged: Bools) -> float:
    """Area under the ROC curve, ties counted half (Mann-Whitney U over n1 n0); NaN when only one class is there."""
    positive = int(damaged.sum())
    negative = len(damaged) - positive
    if not positive or not negative:
        return float("nan")
    intact = np.sort(scores[~damaged])
    mine = scores[damaged]
    below, up_to = np.searchsorted(intact, mine, "left"), np.searchsorted(intact, mine, "right")
    return float((below + up_to).sum() / (2 * positive * negative))


def average_precision(scores: Array, damaged: Bools) -> float:
    """Sum of precision times the step in recall over falling thresholds, ties taken together; NaN with one class.

    The definition of scikit-learn's `average_precision_score`: no interpolation.
    """
    positive = int(damaged.sum())
    if not 0 < positive < len(damaged):
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # of each run of equal scores
    hits = np.cumsum(damaged[order])[last]
    return float((hits / (last + 1) * np.diff(hits, prepend=0)).sum() / positive)


def recall_at_false_stops(scores: Array, damaged: Bools, share: float = 0.05) -> float:
    """Share of the damaged that is caught when at most `share` of the intact is stopped; NaN with one class."""
    if not 0 < damaged.sum() < len(damaged):
        return float("nan")
    intact = np.sort(scores[~damaged])[::-1]
    limit = intact[min(int(np.floor(share * len(intact) + 1e-9)), len(intact) - 1)]
    return float((scores[damaged] > limit).mean())


def even_odds(damaged: Bools) -> Array:
    """Weights (n,) that sum to 1 and give both classes half; all the same where only one class is there."""
    positive, n = int(damaged.sum()), len(damaged)
    if not 0 < positive < n:
        return np.full(n, 1 / max(n, 1))
    return np.where(damaged, 0.5 / positive, 0.5 / (n - positive))


def brier(probabilities: Array, damaged: Bools, weights: Array | None = None) -> float:
    """Mean squared error of the probabilities (Brier 1950); always saying one half gets 0.25. NaN if empty."""
    if not len(damaged):
        return float("nan")
    return float(np.average((probabilities - damaged) ** 2, weights=weights))


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram. said: mean probability. was: share that is damaged. weight: of all, 0..1."""

    said: float
    was: float
    weight: float
    n: int


def reliability(probabilities: Array, damaged: Bools, weights: Array | None = None, bins: int = 10) -> list[Bin]:
    """What was said against what was, in bins of equal mass (by number of pictures); equal probabilities stay together.

    Fewer bins where there are fewer than ten pictures for each.
    """
    n = len(damaged)
    if not n:
        return []
    weights = np.full(n, 1 / n) if weights is None else weights / weights.sum()
    order = np.argsort(probabilities, kind="stable")
    ranked = probabilities[order]
    count = max(1, min(bins, n // 10))
    cuts = np.unique(np.searchsorted(ranked, ranked[[n * i // count for i in range(1, count)]], "left"))
    told = []
    for rows in np.split(order, cuts):
        mass = float(weights[rows].sum())
        if len(rows) and mass:
            said = float(np.average(probabilities[rows], weights=weights[rows]))
            was = float(np.average(damaged[rows], weights=weights[rows]))
            told.append(Bin(said, was, mass, len(rows)))
    return told


def calibration_error(probabilities: Array, damaged: Bools, weights: Array | None = None, bins: int = 10) -> float:
    """Expected calibration error over bins of equal mass (Naeini 2015; equal mass as in Nixon 2019); NaN if empty."""
    told = reliability(probabilities, damaged, weights, bins)
    return float(sum(b.weight * abs(b.said - b.was) for b in told)) if told else float("nan")


@dataclass(frozen=True, slots=True)
class Matched:
    """Detections of one class in one picture against its true boxes.

    scores: (n,) best first.  right: (n,) bool, the first that overlaps a true box not yet taken.  truth: how many true
    boxes there are.  turn_errors: (right.sum(),) degrees in 0..180, NaN where the truth is unknown.
    """

    scores: Array
    right: Bools
    truth: int
    turn_errors: Array


def match(
    boxes: Boxes,
    scores: npt.NDArray[np.floating],
    turns: npt.NDArray[np.floating],
    true_boxes: Boxes,
    true_turns: npt.NDArray[np.floating],
    at_least: float = 0.5,
    ignored: Boxes | None = None,
    neither: npt.NDArray[np.bool_] | None = None,
) -> Matched:
    """Greedy matching by score. All boxes xyxy; turns in degrees; at_least: intersection over union.

    ignored: (k, 4) areas where nobody can say what is right. A detection that matches no true box and overlaps one of
    these so much, or lies in it with more than half of its area, counts neither way (as COCO treats crowds).
    neither: bool (n,), detections that count neither way where they match no true box.
    """
    order = np.argsort(-scores, kind="stable")
    free = np.ones(len(true_boxes), bool)
    kept, right, errors = [], [], []
    for i in order:
        ious = overlaps(boxes[i], true_boxes) * free
        if len(ious) and ious.max() >= at_least:
            j = int(ious.argmax())
            free[j] = False
            kept.append(i)
            right.append(True)
            gap = abs(float(turns[i]) - float(true_turns[j])) % 360
            errors.append(min(gap, 360 - gap))
        elif (ignored is None or not forgiven(boxes[i], ignored, at_least)) and (neither is None or not neither[i]):
            kept.append(i)
            right.append(False)
    return Matched(
        scores[np.array(kept, np.int64)].astype(np.float64),
        np.array(right, bool),
        len(true_boxes),
        np.array(errors, np.float64),
    )


def precision_recall(matched: Sequence[Matched]) -> tuple[Array, Array, Array]:
    """All pictures together: thresholds (falling), precision and recall at each, (n,) each."""
    scores = np.concatenate([m.scores for m in matched]) if matched else np.zeros(0)
    right = np.concatenate([m.right for m in matched]) if matched else np.zeros(0, bool)
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    truth = max(sum(m.truth for m in matched), 1)
    return scores[order], hits / np.arange(1, len(order) + 1), hits / truth


def box_ap(matched: Sequence[Matched]) -> float:
    """Average precision of boxes, area under the precision envelope (PASCAL VOC 2010 and later); NaN without truth."""
    if sum(m.truth for m in matched) == 0:
        return float("nan")
    _, precision, recall = precision_recall(matched)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(np.concatenate([[0.0], recall]))
    return float((envelope * steps).sum())


def counts_at(matched: Sequence[Matched], threshold: float) -> tuple[int, int, int]:
    """(right, wrong, true boxes) at a threshold."""
    right = sum(int((m.right & (m.scores >= threshold)).sum()) for m in matched)
    wrong = sum(int((~m.right & (m.scores >= threshold)).sum()) for m in matched)
    return right, wrong, sum(m.truth for m in matched)


def overlaps(box: Boxes, others: Boxes) -> Array:
    """Intersection over union of one xyxy box (4,) with others (n, 4): (n,)."""
    both = _shared(box, others)
    union = _area(box[None]) + _area(others) - both
    return np.asarray(both / np.maximum(union, 1e-9), np.float64)


def forgiven(box: Boxes, areas: Boxes, at_least: float) -> bool:
    """Whether a box xyxy (4,) overlaps one of the areas (k, 4) so much, or lies in one with more than half of it."""
    if not len(areas):
        return False
    inside = _shared(box, areas) / np.maximum(_area(box[None]), 1e-9)
    return bool((inside > 0.5).any() or (overlaps(box, areas) >= at_least).any())


def _shared(box: Boxes, others: Boxes) -> Array:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(1), np.float64)


def _area(boxes: Boxes) -> Array:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(1), np.float64)


def _digits(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 3)
