"""What more rendered parcels are worth: the damage probe taught with a part of them, tested on unseen groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.evaluation.metrics import Figure, auroc, bootstrap
from models.training.cache import Shelf
from models.training.calibrate import fit
from models.training.integrity import STRENGTH, Looks, looks_of

SHARES = (0.125, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Point:
    """share: of the rendered parcels that were taught.  parcels: how many a fold's probe learnt from, on average."""

    share: float
    parcels: int
    renders: Figure
    photos: Figure


def learning_curve(shelf: Shelf, folds: int, shares: Sequence[float] = SHARES, seed: int = 0) -> list[Point]:
    """AUROC of the linear probe on ImageNet's features, out of fold, on plain renders and on composed photos.

    The probe stands for the network, which cannot be trained a dozen times on a CPU. Photos are always all taught;
    rendered parcels are drawn whole, never views of one.
    """
    looks = looks_of(shelf, folds)
    pooled = np.asarray(shelf.pooled[looks.rows], np.float32)
    names = np.array(looks.groups)
    parcels = np.unique(names[looks.rendered])
    order = np.random.default_rng(seed).permutation(parcels)
    points = []
    for share in shares:
        kept = set(order[: max(1, round(share * len(order)))].tolist())
        taught = ~looks.rendered | np.array([name in kept for name in looks.groups])
        logits = np.full(len(names), np.nan)
        for fold in range(folds):
            mine = looks.folds == fold
            use = taught & ~mine
            logits[mine] = fit(pooled[use], looks.damaged[use], looks.weights[use], STRENGTH)(pooled[mine])
        points.append(
            Point(
                share,
                round(len(kept) * (folds - 1) / folds),
                _figure(logits, looks, looks.rendered & looks.plain),
                _figure(logits, looks, ~looks.rendered),
            )
        )
    return points


def _figure(logits: npt.NDArray[np.float64], looks: Looks, where: npt.NDArray[np.bool_]) -> Figure:
    rows = np.flatnonzero(where)
    scores, damaged = logits[rows], looks.damaged[rows]
    return bootstrap(lambda i: auroc(scores[i], damaged[i]), [looks.groups[i] for i in rows], rounds=300)
