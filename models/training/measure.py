"""Figures with intervals: ranking, matching of boxes, and the bootstrap over groups that says how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with its 95 % interval and the number of pictures behind it."""

    value: float
    low: float
    high: float
    n: int

    def told(self) -> dict[str, float | int]:
        """For the card, to three digits."""
        return {"value": round(self.value, 3), "low": round(self.low, 3), "high": round(self.high, 3), "n": self.n}

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}, n = {self.n})"


def bootstrap(
    statistic: Callable[[npt.NDArray[np.int64]], float], groups: Sequence[str], rounds: int = 2000, seed: int = 0
) -> Figure:
    """The statistic of all rows, and the 2.5 and 97.5 percentiles when whole groups are drawn with replacement.

    statistic: gets row indices (with repeats) and answers a number, or NaN when it has no meaning for that draw.
    """
    names = np.asarray(groups)
    members = [np.flatnonzero(names == name) for name in dict.fromkeys(groups)]
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(rounds):
        rows = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
        draws.append(statistic(rows))
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return Figure(statistic(np.arange(len(names))), float(low), float(high), len(names))


def auroc(scores: Array, damaged: Bools) -> float:
    """Area under the ROC curve; NaN when only one class is there."""
    return float(roc_auc_score(damaged, scores)) if 0 < damaged.sum() < len(damaged) else float("nan")


def average_precision(scores: Array, damaged: Bools) -> float:
    """Average precision of `damaged`; NaN when only one class is there."""
    return float(average_precision_score(damaged, scores)) if 0 < damaged.sum() < len(damaged) else float("nan")


def recall_at_false_stops(scores: Array, damaged: Bools, share: float = 0.05) -> float:
    """Share of the damaged that is caught when at most `share` of the intact is stopped."""
    if not 0 < damaged.sum() < len(damaged):
        return float("nan")
    intact = np.sort(scores[~damaged])[::-1]
    limit = intact[min(int(np.floor(share * len(intact))), len(intact) - 1)]
    return float((scores[damaged] > limit).mean())


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
    boxes: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
    turns: npt.NDArray[np.float32],
    true_boxes: npt.NDArray[np.float32],
    true_turns: npt.NDArray[np.float32],
    at_least: float = 0.5,
) -> Matched:
    """Greedy matching by score. All boxes xyxy; turns in degrees; at_least: intersection over union."""
    order = np.argsort(-scores, kind="stable")
    free = np.ones(len(true_boxes), bool)
    right = np.zeros(len(order), bool)
    errors = []
    for place, i in enumerate(order):
        ious = _overlaps(boxes[i], true_boxes) * free
        if len(ious) and ious.max() >= at_least:
            j = int(ious.argmax())
            free[j], right[place] = False, True
            gap = abs(float(turns[i]) - float(true_turns[j])) % 360
            errors.append(min(gap, 360 - gap))
    return Matched(scores[order].astype(np.float64), right, len(true_boxes), np.array(errors, np.float64))


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


def _overlaps(box: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> Array:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    both = np.clip(high - low, 0, None).prod(1)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - both
    return np.asarray(both / np.maximum(union, 1e-9), np.float64)
