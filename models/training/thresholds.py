"""Operating points, chosen only on answers to views that the answering model had not been trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.evaluation.metrics import Matched, precision_recall
from models.training.evaluate import Answer
from models.training.network import DAMAGE_KINDS
from models.training.views import View


def best_f(matched: Sequence[Matched], beta: float = 1.0) -> float:
    """The threshold with the highest F measure: recall counts `beta` times as much as precision (van Rijsbergen)."""
    scores, precision, recall = precision_recall(matched)
    if not len(scores):
        return 0.5
    f = (1 + beta**2) * precision * recall / np.maximum(beta**2 * precision + recall, 1e-9)
    return round(float(scores[int(f.argmax())]), 3)


def keeps(matched: Sequence[Matched], share: float) -> float:
    """The threshold below which only 1 - `share` of the found true boxes lie."""
    scores = np.concatenate([m.scores[m.right] for m in matched]) if matched else np.zeros(0)
    return round(float(np.quantile(scores, 1 - share)), 3) if len(scores) else 0.05


def damage_map_points(views: Sequence[View], told: Sequence[Answer]) -> tuple[dict[str, float], dict[str, object]]:
    """Per kind the probability with the best F1 over cells, and that F1; a kind never shown keeps 0.5."""
    points: dict[str, float] = {}
    figures: dict[str, object] = {}
    known = [(v.damage, a.damage) for v, a in zip(views, told, strict=True) if v.damage is not None]
    for k, kind in enumerate(DAMAGE_KINDS):
        truth = np.concatenate([t[k].ravel() for t, _ in known]) >= 0.5
        seen = np.concatenate([p[k].ravel() for _, p in known]).astype(np.float32)
        if not truth.any():
            points[kind] = 0.5
            continue
        edges = np.linspace(0, 1, 101)
        hit = np.histogram(seen[truth], edges)[0][::-1].cumsum()[::-1]
        all_ = np.histogram(seen, edges)[0][::-1].cumsum()[::-1]
        f1 = 2 * hit / np.maximum(all_ + truth.sum(), 1)
        best = int(f1[5:95].argmax()) + 5
        points[kind] = round(float(edges[best]), 2)
        figures[kind] = {"cell_f1": round(float(f1[best]), 3), "recall": round(float(hit[best] / truth.sum()), 3)}
    return points, figures
