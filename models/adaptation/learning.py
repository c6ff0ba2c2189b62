"""How much a bench's photos may change the head: cross-validated by group, inside and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.adaptation.logistic import Array, Bools, Space, correct, mean_loss, platt

STRENGTHS = (np.inf, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
"""Of the draw towards the base head. Infinite leaves its ranking as it is; the last one all but forgets it."""
FOLDS, REPEATS = 5, 3
"""Groups are dealt into so many folds, so many times over, to choose the strength."""


class TooFewError(ValueError):
    """Too few photos to learn from or to measure with. str() says how many of what are missing."""


@dataclass(frozen=True, slots=True)
class Linear:
    """logit = features @ weights + scale * base + bias, where `base` is what the base head says.

    weights: (f,).  strength: with which it was drawn to the base head.
    """

    weights: Array
    scale: float
    bias: float
    strength: float

    def __call__(self, features: npt.NDArray[np.floating], base: Array) -> Array:
        """Features (n, f) and base (n,) -> logits (n,)."""
        return np.asarray(features @ self.weights + self.scale * base + self.bias, np.float64)


def deal(groups: Sequence[str], damaged: Bools, folds: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """A fold for each row, (n,). A group is never split; groups with a damaged photo and those without are each spread
    evenly.
    """
    names = np.asarray(groups)
    fold_of: dict[str, int] = {}
    for mine in (damaged, ~damaged):
        new = [name for name in sorted(set(names[mine].tolist())) if name not in fold_of]
        for name in rng.permutation(new).tolist() if new else ():
            fold_of[name] = len(fold_of) % folds
    return np.array([fold_of[name] for name in names.tolist()], np.int64)


def groups_of_each(groups: Sequence[str], damaged: Bools) -> tuple[int, int]:
    """How many groups show damage, and how many an intact parcel."""
    names = np.asarray(groups)
    return len(set(names[damaged].tolist())), len(set(names[~damaged].tolist()))


def learn(features: Array, base: Array, damaged: Bools, groups: Sequence[str], rng: np.random.Generator) -> Linear:
    """The base head, corrected as far as photos of other groups confirm.

    features (n, f); base (n,), the base head's logits; damaged (n,); groups (n,).
    The base head's scale and level are fitted first (they change no ranking), then the correction, at each strength,
    out of fold; the strength whose logits, calibrated, cost least in cross entropy is taken. Raises TooFewError when a
    class has fewer than two groups.
    """
    folds = min(FOLDS, *groups_of_each(groups, damaged))
    if folds < 2:
        raise TooFewError("photos of at least two damaged and two intact parcels are needed to learn from")
    space = Space.of(features)  # no label enters it, and a fit on part of the rows lies in it too
    cost = np.zeros(len(STRENGTHS))
    for _ in range(REPEATS):
        fold = deal(groups, damaged, folds, rng)
        logits = np.zeros((len(STRENGTHS), len(damaged)))
        for held in range(folds):
            rest, out = fold != held, fold == held
            if damaged[rest].all() or not damaged[rest].any():
                continue  # only where groups hold both states; their logits stay 0 for every strength alike
            scale, bias = platt(base[rest], damaged[rest])
            for i, strength in enumerate(STRENGTHS):
                offset = scale * base + bias
                slope, shift = correct(space.rows[rest], offset[rest], damaged[rest], strength)
                logits[i, out] = offset[out] + space.rows[out] @ slope + shift
        for i, told in enumerate(logits):
            a, b = platt(told, damaged)
            cost[i] += mean_loss(a * told + b, damaged)
    strength = STRENGTHS[int(cost.argmin())]
    scale, bias = platt(base, damaged)
    weights, bias_here = space.linear(*correct(space.rows, scale * base + bias, damaged, strength))
    return Linear(weights, scale, bias + bias_here, strength)


def out_of_fold(
    features: Array, base: Array, damaged: Bools, groups: Sequence[str], rng: np.random.Generator
) -> tuple[Array, npt.NDArray[np.int64]]:
    """What `learn` answers to photos of groups it has not seen: (logits (n,), fold (n,)).

    Everything is learnt anew for each fold, the strength too. Raises TooFewError when a class has fewer than three
    groups: two must be left to learn from.
    """
    folds = min(FOLDS, *groups_of_each(groups, damaged))
    if folds < 3:
        raise TooFewError(
            "photos of at least three damaged and three intact parcels are needed to measure what was learnt"
        )
    fold = deal(groups, damaged, folds, rng)
    logits = np.zeros(len(damaged))
    names = np.asarray(groups)
    for held in range(folds):
        rest, out = fold != held, fold == held
        head = learn(features[rest], base[rest], damaged[rest], names[rest].tolist(), rng)
        logits[out] = head(features[out], base[out])
    return logits, fold
