"""Fits the damage head on the shelf: which views it learns from, how they count, what it is worth out of fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.training.cache import Shelf
from models.training.calibrate import Array, Linear, fit, out_of_fold, platt
from models.training.data import fold_of
from models.training.measure import auroc, bootstrap, recall_at_false_stops

STRENGTH = 0.01
FOLDS = 5


@dataclass(frozen=True, slots=True)
class DamageHead:
    """The fitted layer, its calibration and the out-of-fold answers on which everything is chosen.

    rows: indices of the shelf's views it learnt from.  logits: out of fold.  weights: how much each view counts.
    """

    layer: Linear
    a: float
    b: float
    rows: npt.NDArray[np.int64]
    logits: Array
    damaged: npt.NDArray[np.bool_]
    weights: Array
    plain: npt.NDArray[np.bool_]
    rendered: npt.NDArray[np.bool_]
    groups: list[str]

    def probabilities(self) -> Array:
        """Calibrated, out of fold."""
        return np.asarray(1 / (1 + np.exp(-(self.a * self.logits + self.b))), np.float64)

    def figures(self) -> dict[str, object]:
        """AUROC and recall at 5 % false stops, out of fold, on plain renders and on photos with composed damage."""
        out: dict[str, object] = {}
        for name, mine in (("renders", self.rendered & self.plain), ("photos_with_composed_damage", ~self.rendered)):
            rows = np.flatnonzero(mine)
            scores, damaged = self.logits[rows], self.damaged[rows]
            groups = [self.groups[i] for i in rows]
            out[name] = {
                "auroc": bootstrap(lambda i, s=scores, d=damaged: auroc(s[i], d[i]), groups, rounds=500).told(),
                "recall_at_5_percent_false_stops": bootstrap(
                    lambda i, s=scores, d=damaged: recall_at_false_stops(s[i], d[i]), groups, rounds=500
                ).told(),
            }
        return out


def learn(shelf: Shelf) -> DamageHead:
    """Fits the head on all second looks whose state is known. Renders and photos count the same in total, and each
    parcel the same within them, however many views were made of it.
    """
    rows = np.array([i for i, v in enumerate(shelf.views) if v.look == "parcel" and v.damaged is not None])
    views = [shelf.views[i] for i in rows]
    damaged = np.array([bool(v.damaged) for v in views])
    rendered = np.array([v.source == "renders" for v in views])
    weights = np.where(rendered, 1 / rendered.sum(), 1 / (~rendered).sum()) * len(views) / 2
    pooled = np.asarray(shelf.pooled)[rows].astype(np.float64)
    folds = np.array([fold_of(v.group, FOLDS) for v in views])
    logits = out_of_fold(pooled, damaged, weights, folds, STRENGTH)
    a, b = platt(logits, damaged)
    return DamageHead(
        layer=fit(pooled, damaged, weights, STRENGTH),
        a=a,
        b=b,
        rows=rows,
        logits=logits,
        damaged=damaged,
        weights=weights,
        plain=np.array([v.plain for v in views]),
        rendered=rendered,
        groups=[v.group for v in views],
    )
