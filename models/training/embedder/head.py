"""Two projections that bring a thing in a full box and the same thing cut out of its photo to one description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inspector.detector import Floats
from models.training.embedder.network import WIDTH

TEMPERATURE = 0.07
ON_IT, OFF_IT = 0.45, 0.2
"""Overlap from which on a window shows the item, and up to which it does not."""
PULL = 3e-4
"""How strongly the projections are held near where they began (the main directions of the frozen description)."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One picture's windows and the items sought in it.

    windows: float32 (w, dim), sums of cells. items: float32 (i, dim). overlaps: float32 (i, w), intersection over union
    of each window and the item's nearest true box; zero for items that are absent.
    """

    windows: Floats
    items: Floats
    overlaps: Floats


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

    def pull(self) -> Tensor:
        """Squared distance from the start."""
        start = self.get_buffer("start")
        return ((self.scene - start) ** 2).sum() + ((self.item - start) ** 2).sum()


def main_directions(vectors: Floats, width: int = WIDTH) -> Floats:
    """The `width` directions (dim, width) in which vectors (n, dim) spread most, orthonormal."""
    _, _, rows = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)
    return np.ascontiguousarray(rows[:width].T, np.float32)


def train(lessons: Sequence[Lesson], start: Floats, *, steps: int, rate: float, rng: np.random.Generator) -> Heads:
    """InfoNCE both ways: an item must prefer its own window to all others of the picture, and that window its own item
    to all others that are sought. Windows that overlap the item a little count neither way.
    """
    heads = Heads(start)
    optimiser = torch.optim.Adam(heads.parameters(), lr=rate)
    for step in range(steps):
        lesson = lessons[int(rng.integers(len(lessons)))]
        cosines = heads(torch.from_numpy(lesson.windows), torch.from_numpy(lesson.items)) / TEMPERATURE
        overlaps = torch.from_numpy(lesson.overlaps)
        loss = torch.zeros(())
        present = torch.nonzero(overlaps.max(1).values > ON_IT)[:, 0]
        for row in present.tolist():
            best = torch.nonzero(overlaps[row] > ON_IT)[:, 0]
            window = int(best[int(rng.integers(len(best)))])
            apart = overlaps[row] < OFF_IT
            among_windows = torch.cat([cosines[row, window : window + 1], cosines[row, apart]])
            among_items = torch.cat(
                [cosines[row : row + 1, window], cosines[torch.arange(len(cosines)) != row, window]]
            )
            loss = loss - F.log_softmax(among_windows, 0)[0] - F.log_softmax(among_items, 0)[0]
        # an absent item must like no window as well as a true pair is liked: a margin on its best one
        absent = overlaps.max(1).values == 0
        if bool(absent.any()):
            loss = loss + F.softplus(cosines[absent].max(1).values - 0.55 / TEMPERATURE).sum() * 0.3
        if not len(present):
            continue
        loss = loss / len(present) + PULL * heads.pull()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        for group in optimiser.param_groups:
            group["lr"] = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
    return heads.eval()
