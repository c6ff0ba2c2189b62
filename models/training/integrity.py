"""The damage head: a linear layer on pooled features, tuned with the late blocks, and helped by the damage map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models.evaluation.metrics import auroc, bootstrap, recall_at_false_stops
from models.training.cache import Shelf
from models.training.calibrate import Array, Linear, fit, out_of_fold, platt
from models.training.data import fold_of
from models.training.evaluate import Answer
from models.training.network import EVIDENCE, POOLED

STRENGTH = 0.01
"""L2 of the linear probe on 2,896 features (scikit-learn's C): stronger and weaker by ten gave no better ranking."""


@dataclass(frozen=True, slots=True)
class Looks:
    """All second looks whose state is known, row by row.

    rows: their indices on the shelf.  weights: renders and photos count the same in total, views the same within them.
    """

    rows: npt.NDArray[np.int64]
    damaged: npt.NDArray[np.bool_]
    rendered: npt.NDArray[np.bool_]
    plain: npt.NDArray[np.bool_]
    groups: list[str]
    folds: npt.NDArray[np.int64]
    weights: Array


@dataclass(frozen=True, slots=True)
class DamageHead:
    """The fitted layer, its calibration (probability = sigmoid(a * logit + b)), and its logits out of fold, (n,)."""

    looks: Looks
    layer: Linear
    a: float
    b: float
    logits: Array

    def probabilities(self) -> Array:
        """Calibrated, out of fold."""
        return np.asarray(1 / (1 + np.exp(-(self.a * self.logits + self.b))), np.float64)

    def figures(self) -> dict[str, dict[str, dict[str, float | int | None]]]:
        """AUROC and recall at 5 % false stops, out of fold, on plain renders and on photos with composed damage."""
        looks = self.looks
        parts = {"renders": looks.rendered & looks.plain, "photos_with_composed_damage": ~looks.rendered}
        return {
            name: {
                "auroc": self._figure(auroc, mine),
                "recall_at_5_percent_false_stops": self._figure(recall_at_false_stops, mine),
            }
            for name, mine in parts.items()
        }

    def _figure(
        self, statistic: Callable[[Array, npt.NDArray[np.bool_]], float], mine: npt.NDArray[np.bool_]
    ) -> dict[str, float | int | None]:
        rows = np.flatnonzero(mine)
        scores, damaged = self.logits[rows], self.looks.damaged[rows]
        groups = [self.looks.groups[i] for i in rows]
        return bootstrap(lambda i: statistic(scores[i], damaged[i]), groups, rounds=300).told()

    def worth(self) -> float:
        """Mean AUROC of the two kinds of view, by which heads are compared."""
        looks = self.looks
        parts = (looks.rendered & looks.plain, ~looks.rendered)
        return float(np.mean([auroc(self.logits[m], looks.damaged[m]) for m in parts]))


def looks_of(shelf: Shelf, folds: int, told: Mapping[int, Answer] | None = None) -> Looks:
    """The shelf's second looks that are known to show damage or none; only those that `told` has an answer to."""
    known = [i for i, v in enumerate(shelf.views) if v.look == "parcel" and v.damaged is not None]
    rows = np.array([i for i in known if told is None or i in told])
    views = [shelf.views[i] for i in rows]
    rendered = np.array([v.source == "renders" for v in views])
    return Looks(
        rows=rows,
        damaged=np.array([bool(v.damaged) for v in views]),
        rendered=rendered,
        plain=np.array([v.plain for v in views]),
        groups=[v.group for v in views],
        folds=np.array([fold_of(v.group, folds) for v in views]),
        weights=np.where(rendered, 0.5 / max(rendered.sum(), 1), 0.5 / max((~rendered).sum(), 1)) * len(views),
    )


def start(shelf: Shelf, folds: int, left_out: int | None) -> Linear:
    """Where a run's state layer begins: the linear probe on ImageNet's own features of all looks but a fold's.

    Tuning from a fitted layer distorts the features less than from a random one (Kumar et al. 2022, arXiv:2202.10054).
    """
    looks = looks_of(shelf, folds)
    mine = looks.folds != (-1 if left_out is None else left_out)
    pooled = np.asarray(shelf.pooled[looks.rows[mine]], np.float32)
    return fit(pooled, looks.damaged[mine], looks.weights[mine], STRENGTH)


def frozen(shelf: Shelf, looks: Looks) -> DamageHead:
    """The probe on ImageNet's own features, out of fold: what tuning has to beat."""
    pooled = np.asarray(shelf.pooled[looks.rows], np.float32)
    logits = out_of_fold(pooled, looks.damaged, looks.weights, looks.folds, STRENGTH)
    nothing = Linear(np.zeros(POOLED + EVIDENCE), 0.0)
    return DamageHead(looks, nothing, *platt(logits, looks.damaged), logits)


def tuned(looks: Looks, told: Mapping[int, Answer], layer: Linear) -> DamageHead:
    """The layer that was trained with the late blocks. layer: of the network to be released, on pooled features.

    told: answers by shelf index from networks that had not been trained on those views.
    """
    logits = np.array([told[i].state for i in looks.rows.tolist()], np.float64)
    whole = Linear(np.concatenate([layer.weights, np.zeros(EVIDENCE)]), layer.bias)
    return DamageHead(looks, whole, *platt(logits, looks.damaged), logits)


def helped(head: DamageHead, told: Mapping[int, Answer]) -> DamageHead:
    """The probe and the damage map's evidence in one layer, each calibrated on answers out of fold, then averaged.

    told: answers by shelf index from networks that had not been trained on those views.
    Half and half by design: weights fitted here would all but drop the layer (0.84 against 0.90 AUROC on unseen
    renders), since the map has learnt drawn damage and is judged on drawn damage; the layer's features come from real
    photos, and the average costs less than 0.005.
    """
    looks = head.looks
    seen = np.stack([told[i].evidence for i in looks.rows.tolist()]).astype(np.float64)
    by_map = np.full(len(seen), np.nan)
    for fold in np.unique(looks.folds):
        mine = looks.folds == fold
        slope, bias = _weigh(seen[~mine], looks.damaged[~mine], looks.weights[~mine])
        by_map[mine] = seen[mine] @ slope + bias
    slope, bias = _weigh(seen, looks.damaged, looks.weights)
    by_probe = head.logits
    (a1, b1), (a2, b2) = platt(by_probe, looks.damaged), platt(by_map, looks.damaged)
    logits = 0.5 * (a1 * by_probe + b1) + 0.5 * (a2 * by_map + b2)
    layer = Linear(
        np.concatenate([0.5 * a1 * head.layer.weights[:-EVIDENCE], 0.5 * a2 * slope]),
        0.5 * (a1 * head.layer.bias + b1) + 0.5 * (a2 * bias + b2),
    )
    return DamageHead(looks, layer, *platt(logits, looks.damaged), logits)


def _weigh(seen: Array, damaged: npt.NDArray[np.bool_], weights: Array) -> tuple[Array, float]:
    """Logistic regression on a few features: (slope, bias) in their own units."""
    scaler = StandardScaler().fit(seen)
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000)
    model.fit(scaler.transform(seen), damaged, sample_weight=weights)
    slope = model.coef_[0] / scaler.scale_
    return slope, float(model.intercept_[0] - slope @ scaler.mean_)
