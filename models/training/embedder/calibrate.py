"""From what speaks for an item at its best place to the log odds that it is there: logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inspector.detector import Floats
from inspector.matching import EVIDENCE

Array = npt.NDArray[np.float64]
START = {
    "likeness": 0.2,
    "lead": 0.4,
    "parts": 1.0,
    "coverage": 20.0,
    "colour": 1.5,
    "keypoints": 1.6,
    "geometry": 15.0,
}
START_BIAS = -11.7
ROUNDS = 3
"""The weights choose the best place, and the best places give the weights: so it is done over a few times."""
ON_IT, OFF_IT = 0.3, 0.1
"""Overlap with a true box from which a place shows the item, and up to which it does not."""
ELSEWHERE = 0.3
"""Weight of the best wrong place of an item that is there, beside 1 for those of absent items."""
SHRINK = 1e-3


@dataclass(frozen=True, slots=True)
class Sought:
    """One item in one picture.

    evidence: float32 (n, len(EVIDENCE)), as `matching.candidates` gives it. overlaps: float32 (n,), of each place with
    the item's true boxes. present: whether it is there. weight: of this lesson. kind: where it is from. picture: which
    one of all.
    """

    evidence: Floats
    overlaps: Floats
    present: bool
    weight: float = 1.0
    kind: str = ""
    picture: int = 0


def fit(sought: Sequence[Sought]) -> tuple[dict[str, float], float]:
    """Weights by name and bias that tell an item's best place where it is from its best place where it is not."""
    weights = np.array([*(START.get(name, 0.0) for name in EVIDENCE), START_BIAS])
    for _ in range(ROUNDS):
        rows, labels, importance = [], [], []
        for one in sought:
            score = one.evidence @ weights[:-1]
            on = one.overlaps > ON_IT
            off = ~on & (one.overlaps < OFF_IT) if one.present else np.ones(len(score), np.bool_)
            if one.present and on.any():
                rows.append(one.evidence[on][score[on].argmax()])
                labels.append(1.0)
                importance.append(one.weight)
            if off.any():
                rows.append(one.evidence[off][score[off].argmax()])
                labels.append(0.0)
                importance.append(one.weight * (ELSEWHERE if one.present else 1.0))
        weights = _logistic(np.asarray(rows, np.float64), np.asarray(labels), np.asarray(importance))
    return dict(zip(EVIDENCE, (round(float(w), 4) for w in weights[:-1]), strict=True)), round(float(weights[-1]), 4)


def points(
    sought: Sequence[Sought], weights: dict[str, float], bias: float, *, invented: float, lost: float
) -> tuple[float, float, float]:
    """The probabilities `present`, `missing` and `extra` of a card, on lessons whose group taught none of it.

    On average over the kinds of lessons, from the first on at most the share `invented` of absent items is found, up to
    the second something that is there is missed in at most the share `lost` of the pictures, and from the third on at
    most the share `invented` of those that are there is found once more where it is not. Pictures, because one item
    called missing for nothing stops the whole box.
    """
    plain = np.array([weights[name] for name in EVIDENCE])
    levels = np.round(np.arange(0.01, 1.0, 0.01), 2)

    def reached(best: Sequence[tuple[str, float]]) -> Array:
        """Share of (kind, odds) at each level or above, on average over kinds."""
        kinds = [
            [1 / (1 + np.exp(-odds)) for name, odds in best if name == kind] for kind in sorted({k for k, _ in best})
        ]
        return np.asarray(np.mean([(np.array(c)[None] >= levels[:, None]).mean(1) for c in kinds], axis=0), np.float64)

    absent: list[tuple[str, float]] = []
    weakest: dict[int, tuple[str, float]] = {}
    twice: list[tuple[str, float]] = []
    for one in sought:
        odds = one.evidence @ plain + bias
        best = float(odds.max())
        if one.present:
            weakest[one.picture] = one.kind, min(best, weakest.get(one.picture, (one.kind, best))[1])
        else:
            absent.append((one.kind, best))
        off = one.overlaps < OFF_IT
        if one.present and off.any():
            twice.append((one.kind, float(odds[off].max())))
    found = levels[reached(absent) <= invented]
    gone = levels[reached(list(weakest.values())) >= 1 - lost]
    more = levels[reached(twice) <= invented] if twice else found
    present = float(found[0]) if len(found) else float(levels[-1])
    missing = min(float(gone[-1]), present - 0.01) if len(gone) else 0.0
    extra = float(more[0]) if len(more) else float(levels[-1])
    return present, missing, max(extra, present)


def _logistic(rows: Array, labels: Array, importance: Array, steps: int = 30) -> Array:
    """Ridge logistic regression by Newton's method on standardised columns: weights and bias as for the plain ones."""
    centre, spread = rows.mean(0), rows.std(0) + 1e-6
    design = np.c_[(rows - centre) / spread, np.ones(len(rows))]
    ridge = SHRINK * importance.sum() * np.r_[np.ones(rows.shape[1]), 0.0]
    weights = np.zeros(design.shape[1])
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (importance * (chance - labels)) + ridge * weights
        bend = (design * (importance * chance * (1 - chance))[:, None]).T @ design + np.diag(ridge)
        weights = weights - np.linalg.solve(bend, slope)
    plain = weights[:-1] / spread
    return np.asarray(np.r_[plain, weights[-1] - plain @ centre], np.float64)
