"""What the two networks are asked about a scene, and what they should have answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from inspector.detector import letterbox, to_input
from inspector.frame import Pixels
from inspector.markreader import ROOM, cut, to_batch
from inspector.spec import MARKS
from models.training.data import Floats
from models.training.marks.networks import FINDER_SIDE, READER_SIDE, STRIDE, Reader
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


@dataclass(frozen=True, slots=True)
class Crops:
    """Crops for the reader. pixels: uint8 (n, 64, 64, 3). says: (n, 7), turns: (n,), NaN where unknown.

    spans: (n, 4) as the reader tells them. asked: (n,), 0 where the crop shows a part of a mark and either answer is
    right, 1 elsewhere.
    """

    pixels: Pixels
    says: Floats
    spans: Floats
    turns: Floats
    asked: Floats


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


def crops(scene: Scene, rng: np.random.Generator, proposed: Floats | None = None, most: int = 14) -> Crops:
    """Squares of a scene and what they show: around marks, badly around marks, around other prints, anywhere.

    proposed: squares float32 (n, 3) that the finder asks about; they are what the reader will see.
    """
    height, width = scene.pixels.shape[:2]
    squares: list[Floats] = []
    middles = (scene.boxes[:, :2] + scene.boxes[:, 2:]) / 2
    sides = (scene.boxes[:, 2:] - scene.boxes[:, :2]).max(axis=1, initial=0.0) * ROOM
    for middle, side, is_mark in zip(middles, sides, scene.positive, strict=True):
        for spread in (0.05, 0.12, 0.3) if is_mark else (0.12,):
            shifted = middle + rng.normal(0, spread * side, 2)
            squares.append(np.array([*shifted, side * np.exp(rng.normal(0, spread * 1.6))], np.float32))
    for _ in range(2):
        side = float(np.exp(rng.uniform(np.log(14), np.log(0.6 * min(height, width)))))
        squares.append(np.array([rng.uniform(0, width), rng.uniform(0, height), side], np.float32))
    if proposed is not None:
        squares.extend(proposed[:4])
    chosen = np.stack([squares[i] for i in rng.permutation(len(squares))[:most]])
    return _answers(scene, chosen)


def _answers(scene: Scene, squares: Floats) -> Crops:
    """For each square the mark that it frames, if any."""
    count = len(squares)
    says, spans = np.zeros((count, len(MARKS)), np.float32), np.zeros((count, 4), np.float32)
    turns, asked = np.full(count, np.nan, np.float32), np.ones(count, np.float32)
    known = (scene.says.max(axis=1, initial=0.0) > 0) | scene.ignored
    for i, (x, y, side) in enumerate(squares):
        best = None
        for j in np.flatnonzero(known):
            x1, y1, x2, y2 = scene.boxes[j]
            w, h = x2 - x1, y2 - y1
            off = max(abs((x1 + x2) / 2 - x), abs((y1 + y2) / 2 - y)) / side
            large = max(w, h) * ROOM / side
            framed = off < 0.28 and 0.5 < large < 1.5
            clear = off > 0.6 or large < 0.25 or large > 2.6
            if framed and (best is None or off < best[0]):
                best = (off, j, np.array([((x1 + x2) / 2 - x) / side, ((y1 + y2) / 2 - y) / side]), w, h)
            elif not framed and not clear and best is None:
                asked[i] = 0
        if best is None:
            continue
        _, j, shift, w, h = best
        asked[i] = 0 if scene.ignored[j] else 1
        says[i], turns[i] = scene.says[j], scene.turns[j]
        spans[i] = [*shift, np.log(max(w, 2) / side), np.log(max(h, 2) / side)]
    pixels = np.stack([cut(scene.pixels, square, READER_SIDE) for square in squares])
    return Crops(pixels, says, spans, turns, asked)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A scene's crops as the taught part of the reader is asked about them. seen: float16 (n, 24, 16, 16)."""

    seen: Tensor
    says: Tensor
    spans: Tensor
    turns: Tensor
    asked: Tensor


def lesson(crops: Crops, reader: Reader) -> Lesson:
    """The crops after the part of the reader that is not taught; turns as sine and cosine, NaN where unknown."""
    turns = np.deg2rad(crops.turns)
    with torch.no_grad():
        seen = reader.early(torch.from_numpy(to_batch(crops.pixels)).to(memory_format=torch.channels_last))
    arrays = (crops.says, crops.spans, np.stack([np.sin(turns), np.cos(turns)], axis=1), crops.asked[:, None])
    return Lesson(seen.half(), *(torch.from_numpy(np.asarray(a, np.float32)) for a in arrays))


def together(many: Sequence[Lesson]) -> Lesson:
    """Several lessons as one; what was seen in float32."""
    seen = torch.cat([one.seen for one in many]).float().contiguous(memory_format=torch.channels_last)
    rest = (torch.cat([getattr(one, name) for one in many]) for name in ("says", "spans", "turns", "asked"))
    return Lesson(seen, *rest)
