"""What the two networks are asked about a scene, and what they should have answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from inspector.detector import letterbox, to_input
from inspector.frame import Pixels
from inspector.markreader import to_batch
from models.training.data import Floats
from models.training.marks.glyphs import Glyph
from models.training.marks.networks import FINDER_SIDE, STRIDE
from models.training.marks.scenes import Scene

GRID = FINDER_SIDE // STRIDE


@dataclass(frozen=True, slots=True)
class Search:
    """A scene as the finder sees it, kept small: the canvas, its truth in cells and what must not count.

    boxes: float32 (m, 4) xyxy in cells, of marks to be found. ignored: the same of what nobody is asked about.
    """

    canvas: Pixels
    boxes: Floats
    ignored: Floats


def search(scene: Scene) -> Search:
    """The finder's view of a scene."""
    canvas, scale, dx, dy = letterbox(scene.pixels, FINDER_SIDE)
    boxes = (scene.boxes * scale + np.array([dx, dy, dx, dy], np.float32)) / STRIDE
    return Search(canvas, boxes[scene.positive].astype(np.float32), boxes[scene.ignored].astype(np.float32))


def finder_batch(searches: Sequence[Search]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Images (n, 3, 320, 320), target heat (n, 1, h, w), its weight (n, 1, h, w), spans (n, 4, h, w), their weight.

    The heat is a hill over each mark, as wide as the mark (Objects as Points, Zhou 2019); spans are taught in the cells
    around its top.
    """
    count = len(searches)
    heat, weight = np.zeros((count, 1, GRID, GRID), np.float32), np.ones((count, 1, GRID, GRID), np.float32)
    spans, taught = np.zeros((count, 4, GRID, GRID), np.float32), np.zeros((count, 1, GRID, GRID), np.float32)
    rows, columns = np.mgrid[:GRID, :GRID].astype(np.float32)
    for i, one in enumerate(searches):
        for x1, y1, x2, y2 in one.ignored:
            weight[i, 0, max(0, int(y1)) : int(y2) + 1, max(0, int(x1)) : int(x2) + 1] = 0
        for x1, y1, x2, y2 in one.boxes:
            x, y, w, h = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
            column, row = int(np.clip(x, 0, GRID - 1)), int(np.clip(y, 0, GRID - 1))
            sx, sy = max(0.45, 0.12 * w), max(0.45, 0.12 * h)
            hill = np.exp(-(((columns - column) / sx) ** 2 + ((rows - row) / sy) ** 2) / 2)
            heat[i, 0] = np.maximum(heat[i, 0], hill)
            weight[i, 0, row, column] = 1
            near = hill > 0.35
            spans[i, 0][near], spans[i, 1][near] = (x - columns - 0.5)[near], (y - rows - 0.5)[near]
            spans[i, 2][near], spans[i, 3][near] = np.log(max(w, 0.3)), np.log(max(h, 0.3))
            taught[i, 0][near] = 1
    images = np.concatenate([to_input(one.canvas) for one in searches])
    return (*(torch.from_numpy(a) for a in (images, heat, weight, spans, taught)),)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Crops as the reader is asked about them. images: (n, 3, s, s). turns: (n, 2), sine and cosine, NaN where there
    is nothing to turn. asked: (n, 1), how much each answer counts. says, spans: see `networks.Read`.
    """

    images: Tensor
    says: Tensor
    spans: Tensor
    turns: Tensor
    asked: Tensor


def lesson(glyphs: Sequence[Glyph]) -> Lesson:
    """Crops as one batch."""
    turns = np.deg2rad(np.array([one.turn for one in glyphs]))
    arrays = (
        to_batch(np.stack([one.pixels for one in glyphs])),
        np.stack([one.says for one in glyphs]),
        np.stack([one.spans for one in glyphs]),
        np.stack([np.sin(turns), np.cos(turns)], axis=1),
        np.array([[one.asked] for one in glyphs]),
    )
    return Lesson(*(torch.from_numpy(np.asarray(a, np.float32)) for a in arrays))
