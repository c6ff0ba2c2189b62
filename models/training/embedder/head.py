"""Two projections that bring a thing in a full box and the same thing cut out of its photo to one description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inspector.detector import Floats
from models.training.embedder.network import WIDTH

TEMPERATURE, PARTS_TEMPERATURE = 0.07, 0.05
ON_IT, OFF_IT = 0.45, 0.2
"""Overlap from which on a window shows the item, and up to which it does not."""
ELSEWHERE = 24
"""Windows drawn at each step, beside those on items, in which an item's parts are sought."""
PULL = 3e-4
"""How strongly the projections are held near where they began (the main directions of the frozen description)."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One picture's windows and the items sought in it.

    windows: float32 (w, dim), sums of cells. items: float32 (i, dim). overlaps: float32 (i, w), intersection over union
    of each window and the item's nearest true box; zero for items that are absent. cells: float32 (rows, columns, dim),
    the picture's, length 1. corners: int (w, 4), each window's left, top, right, bottom in cells. tokens: float32
    (i, t, dim), parts of each item.
    """

    windows: Floats
    items: Floats
    overlaps: Floats
    cells: Floats
    corners: npt.NDArray[np.intp]
    tokens: Floats


class Heads(nn.Module):
    """scene: (dim, width), for cells of a picture. item: (dim, width), for cells of a cut-out photo."""

    def __init__(self, start: Floats) -> None:
        super().__init__()
        self.register_buffer("start", torch.from_numpy(start))
        self.scene = nn.Parameter(torch.from_numpy(start.copy()))
        self.item = nn.Parameter(torch.from_numpy(start.copy()))

    def forward(self, windows: Tensor, items: Tensor) -> Tensor:
        """Cosines (items, windows)."""
        return F.normalize(items @ self.item, dim=1) @ F.normalize(windows @ self.scene, dim=1).T

    def parts(self, tokens: Tensor, cells: Tensor, corners: npt.NDArray[np.intp]) -> Tensor:
        """Mean over each item's parts of their best match in each window, (items, windows): `coverage` of the check,
        the late interaction of ColBERT (Khattab and Zaharia 2020).
        """
        items, count, _ = tokens.shape
        rows, columns, _ = cells.shape
        similar = (
            F.normalize(tokens.flatten(0, 1) @ self.item, dim=1)
            @ F.normalize(cells.flatten(0, 1) @ self.scene, dim=1).T
        )
        similar = similar.reshape(items * count, rows, columns)
        best = [similar[:, y0:y1, x0:x1].amax((1, 2)) for x0, y0, x1, y1 in corners.tolist()]
        return torch.stack(best, 1).reshape(items, count, len(best)).mean(1)

    def pull(self) -> Tensor:
        """Squared distance from the start."""
        start = self.get_buffer("start")
        return ((self.scene - start) ** 2).sum() + ((self.item - start) ** 2).sum()


def main_directions(vectors: Floats, width: int = WIDTH) -> Floats:
    """The `width` directions (dim, width) in which vectors (n, dim) spread most, orthonormal."""
    _, _, rows = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)
    return np.ascontiguousarray(rows[:width].T, np.float32)


def train(lessons: Sequence[Lesson], start: Floats, *, steps: int, rate: float, rng: np.random.Generator) -> Heads:
    """InfoNCE both ways, of whole windows and of parts: an item must prefer its own window to all others of the
    picture, and that window its own item to all others that are sought. Windows that overlap the item a little count
    neither way.
    """
    heads = Heads(start)
    optimiser = torch.optim.Adam(heads.parameters(), lr=rate)
    for step in range(steps):
        lesson = lessons[int(rng.integers(len(lessons)))]
        present = np.flatnonzero(lesson.overlaps.max(1) > ON_IT)
        if not len(present):
            continue
        picked = np.array([rng.choice(np.flatnonzero(lesson.overlaps[row] > ON_IT)) for row in present])
        overlaps = torch.from_numpy(lesson.overlaps)
        cosines = heads(torch.from_numpy(lesson.windows), torch.from_numpy(lesson.items)) / TEMPERATURE
        loss = _contrast(cosines, overlaps, present, picked)
        # an absent item must like no window as well as a true pair is liked: a margin on its best one
        absent = overlaps.max(1).values == 0
        if bool(absent.any()):
            loss = loss + F.softplus(cosines[absent].max(1).values - 0.55 / TEMPERATURE).sum() * 0.3
        shown = np.r_[picked, rng.integers(len(lesson.windows), size=ELSEWHERE)]
        parts = heads.parts(torch.from_numpy(lesson.tokens), torch.from_numpy(lesson.cells), lesson.corners[shown])
        loss = loss + _contrast(parts / PARTS_TEMPERATURE, overlaps[:, shown], present, np.arange(len(present)))
        loss = loss / len(present) + PULL * heads.pull()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        for group in optimiser.param_groups:
            group["lr"] = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
    return heads.eval()


def _contrast(scores: Tensor, overlaps: Tensor, present: npt.NDArray[np.intp], picked: npt.NDArray[np.intp]) -> Tensor:
    """Sum over present items of both losses. scores, overlaps: (items, windows). picked: the window of each item."""
    loss = torch.zeros(())
    others = torch.arange(len(scores))
    for row, window in zip(present.tolist(), picked.tolist(), strict=True):
        among_windows = torch.cat([scores[row, window : window + 1], scores[row, overlaps[row] < OFF_IT]])
        among_items = torch.cat([scores[row : row + 1, window], scores[others != row, window]])
        loss = loss - F.log_softmax(among_windows, 0)[0] - F.log_softmax(among_items, 0)[0]
    return loss
