"""Logistic regression for few photos: it corrects a head that already knows something, as little as it can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BIAS_STRENGTH = 1e-3
"""The constant is all but free: a bench's own level is the first thing to learn."""
STEPS, ENOUGH = 50, 1e-8
"""Newton needs 5 to 10 steps here; it stops when the next one would gain less than this share of the loss."""


@dataclass(frozen=True, slots=True)
class Space:
    """The span of some rows, as few numbers a row: every L2-penalised fit on them lies in it, whatever the penalty.

    mean (f,) and scale (): of centring.  axes: (r, f), orthonormal.  rows: (n, r), the centred rows in it; their
    squared length is 1 on average, so that a strength means the same for any network.  r < n, however large f is.
    """

    mean: Array
    scale: float
    axes: Array
    rows: Array

    @classmethod
    def of(cls, features: npt.NDArray[np.floating]) -> Space:
        """Features (n, f), as the network gives them.

        One scale for all: they come out of one network in comparable units, and of few photos some hardly vary, so that
        dividing each by its own spread lets those speak loudest (on unlike training data it never ranked better).
        """
        x = np.asarray(features, np.float64)
        mean = x.mean(0)
        x = x - mean
        scale = float(np.sqrt((x**2).sum(1).mean())) or 1.0
        x /= scale
        # The n x n side: eigenvectors of the Gram matrix give the same axes as an SVD of (n, f), much sooner for n < f.
        values, vectors = np.linalg.eigh(x @ x.T)
        keep = values > 1e-9 * max(float(values[-1]), 1e-12)
        axes = (vectors[:, keep] / np.sqrt(values[keep])).T @ x
        return cls(mean, scale, axes, x @ axes.T)

    def linear(self, slope: Array, shift: float) -> tuple[Array, float]:
        """A slope (r,) and shift in this space as (weights (f,), bias) on features as the network gives them."""
        weights = (slope @ self.axes) / self.scale
        return weights, shift - float(weights @ self.mean)


def correct(rows: Array, offset: Array, damaged: Bools, strength: float) -> tuple[Array, float]:
    """(slope (r,), shift): what to add to `offset` so that sigmoid(offset + rows @ slope + shift) tells `damaged`.

    rows (n, r).  offset (n,): the logits to start from and be drawn to.  Both classes count the same in total.
    strength: of the L2 penalty a row, so that twice the photos may move it twice as far; np.inf moves the shift only.
    Newton's method on a convex loss, each step halved until the loss falls; solved exactly to rounding.
    """
    n, r = rows.shape
    if not np.isfinite(strength):
        return np.zeros(r), correct(rows[:, :0], offset, damaged, 1.0)[1]
    x = np.concatenate([rows, np.ones((n, 1))], 1)
    count = balance(damaged)
    penalty = np.full(r + 1, strength * n)
    penalty[-1] = BIAS_STRENGTH
    sign = np.where(damaged, 1.0, -1.0)

    def loss(at: Array) -> float:
        return float(count @ np.logaddexp(0, -sign * (offset + x @ at)) + 0.5 * penalty @ at**2)

    at = np.zeros(r + 1)
    now = loss(at)
    for _ in range(STEPS):
        p = sigmoid(offset + x @ at)
        gradient = x.T @ (count * (p - damaged)) + penalty * at
        curvature = (x.T * (count * p * (1 - p))) @ x + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        promised = float(gradient @ step)
        if promised <= ENOUGH * (1 + now):
            break
        length = 1.0
        while loss(at - length * step) > now - 1e-4 * length * promised and length > 1e-6:
            length /= 2
        at = at - length * step
        now = loss(at)
    return at[:-1], float(at[-1])


def balance(damaged: Bools) -> Array:
    """Weights (n,) with the same total for damaged and intact rows, together as many as there are rows."""
    out = np.ones(len(damaged))
    for mine in (damaged, ~damaged):
        if mine.any():
            out[mine] = len(out) / (2 * mine.sum())
    return out


def mean_loss(logits: Array, damaged: Bools) -> float:
    """Cross entropy in nats at even odds of damaged and intact; ln 2 is what knowing nothing costs."""
    return float(balance(damaged) @ np.logaddexp(0, np.where(damaged, -logits, logits)) / len(logits))


def platt(logits: Array, damaged: Bools) -> tuple[float, float]:
    """(a, b): sigmoid(a * logit + b) is the probability of damage at even odds of damaged and intact.

    Platt, Probabilistic Outputs for Support Vector Machines (1999), with his targets (n + 1) / (n + 2) and 1 / (n + 2)
    in place of 1 and 0, which keep few and well separated photos from being called certain. a is never below a
    twentieth of what brings the logits to unit spread: a calibration must not turn the ranking round.
    """
    target = np.where(damaged, (damaged.sum() + 1) / (damaged.sum() + 2), 1 / ((~damaged).sum() + 2))
    count = balance(damaged)
    mean, spread = float(logits.mean()), float(logits.std()) or 1.0
    x = np.stack([(logits - mean) / spread, np.ones(len(logits))], 1)
    at = np.zeros(2)
    for _ in range(STEPS):
        p = sigmoid(x @ at)
        gradient = x.T @ (count * (p - target))
        curvature = (x.T * (count * p * (1 - p))) @ x + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        at = at - step / max(1.0, float(np.abs(step).max()))
        if float(gradient @ step) < ENOUGH:
            break
    a = max(float(at[0]), 0.05) / spread
    return a, float(at[1]) - a * mean


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0, -z)), np.float64)
