"""The damage logit: a linear layer on pooled frozen features, its calibration and its thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Linear:
    """logit = weights . pooled + bias, on features as the network gives them (standardisation folded in)."""

    weights: Array
    bias: float

    def __call__(self, pooled: npt.NDArray[np.floating]) -> Array:
        """Pooled (n, 2896) -> logits (n,)."""
        return np.asarray(pooled @ self.weights + self.bias, np.float64)

    @classmethod
    def of(cls, layer: nn.Linear) -> Linear:
        """A network's layer of one output."""
        return cls(layer.weight.detach().double().numpy()[0], float(layer.bias.detach()))

    def into(self, layer: nn.Linear) -> None:
        """Writes the layer into a network."""
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(self.weights)[None])
            layer.bias.fill_(self.bias)

    def save(self, path: Path) -> None:
        """Writes the layer as the inspector reads it: arrays `weights` float32 (f,) and `bias` float32 ()."""
        np.savez(path, weights=self.weights.astype(np.float32), bias=np.float32(self.bias))


def fit(pooled: npt.NDArray[np.floating], damaged: npt.NDArray[np.bool_], weights: Array, strength: float) -> Linear:
    """Logistic regression with strong L2 (small `strength`, scikit-learn's C) on standardised features.

    weights: (n,) how much each view counts; within them both classes are balanced.
    """
    scaler = StandardScaler().fit(pooled, sample_weight=weights)
    x = scaler.transform(pooled)
    share = weights / weights.sum()
    balance = np.where(damaged, 0.5 / share[damaged].sum(), 0.5 / share[~damaged].sum())
    model = LogisticRegression(C=strength, max_iter=2000)
    model.fit(x, damaged, sample_weight=share * balance * len(damaged))
    slope = model.coef_[0] / scaler.scale_
    return Linear(slope, float(model.intercept_[0] - slope @ scaler.mean_))


def out_of_fold(
    pooled: npt.NDArray[np.floating],
    damaged: npt.NDArray[np.bool_],
    weights: Array,
    folds: npt.NDArray[np.int64],
    strength: float,
) -> Array:
    """Each view's logit from a model that saw nothing of its fold: (n,)."""
    logits = np.full(len(damaged), np.nan)
    for fold in np.unique(folds):
        mine = folds == fold
        logits[mine] = fit(pooled[~mine], damaged[~mine], weights[~mine], strength)(pooled[mine])
    return logits


def platt(logits: Array, damaged: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """(a, b) such that sigmoid(a * logit + b) is the probability of damage at even odds (Platt 1999)."""
    model = LogisticRegression(C=1e3, class_weight="balanced").fit(logits[:, None], damaged)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
