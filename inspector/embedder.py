"""What a thing looks like, as numbers: descriptions of crops, and of every cell of a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

import models
from inspector.detector import Floats
from inspector.frame import Pixels
from inspector.runtime import Engine, OnnxEngine
from models.cards import EmbedderCard

Mask = npt.NDArray[np.bool_]
"""bool (height, width): True where the thing is."""

TURNS = 4
"""Quarter turns whose descriptions are averaged: a thing lies in the box as it falls."""
BATCH = 16
COHORT = "cohort.npy"
"""Beside the network: float16 (k, dim), descriptions of many different things, to measure likeness against."""


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """The cells of one picture. cells: float32 (rows, columns, dim). stride: pixels of the original picture a cell."""

    cells: Floats
    stride: float

    def pooled(self, weights: Floats) -> Floats:
        """The description of a region: float32 (dim,), length 1. weights: (rows, columns), >= 0, what share counts."""
        return unit(np.tensordot(weights, self.cells, axes=2).astype(np.float32))


class Embedder:
    """Describes crops and pictures with one network. Thread-safe; the same picture gives the same numbers."""

    def __init__(self, model: models.Model[EmbedderCard], engine: Engine) -> None:
        self._engine = engine
        self.card = model.card
        self.sha256 = model.sha256
        self.cohort = np.asarray(np.load(model.folder / COHORT), np.float32)

    @classmethod
    def load(cls, *, threads: int = 2, active: Callable[[str], models.Model[models.Card]] = models.load) -> Embedder:
        """The embedder in use, verified. active: see `Inspector.load`. Raises models.ModelError or EngineError."""
        model = models.of_kind(active("embedder"), EmbedderCard)
        return cls(model, OnnxEngine(model.onnx, side=model.card.crop_side, threads=threads))

    @property
    def version(self) -> str:
        """Which network describes; descriptions of two versions cannot be compared."""
        return self.card.version

    @property
    def alike(self) -> float:
        """The cosine from which on two things are hard to tell apart, by the card."""
        return self.card.thresholds.alike

    @property
    def dim(self) -> int:
        """Length of a description."""
        return self.card.dim

    def embed(self, crops: Sequence[Pixels], masks: Sequence[Mask | None]) -> Floats:
        """Descriptions float32 (n, dim), each of length 1, of crops uint8 (h, w, 3) BGR.

        masks: the thing's pixels, None for all. What a mask leaves out is painted grey and does not count. Each
        description is the mean over four quarter turns.
        """
        side = self.card.crop_side
        prepared = [letterbox(crop, mask, side) for crop, mask in zip(crops, masks, strict=True)]
        turned = [(np.rot90(p, k), np.rot90(m, k)) for p, m in prepared for k in range(TURNS)]
        found = np.zeros((len(turned), self.dim), np.float32)
        for start in range(0, len(turned), BATCH):
            part = turned[start : start + BATCH]
            cells = self._cells(np.stack([p for p, _ in part]), "item")
            for i, (_, mask) in enumerate(part):
                weights = cover(np.ascontiguousarray(mask), cells.shape[1:3])
                found[start + i] = unit(np.tensordot(weights, cells[i], axes=2))
        return unit(found.reshape(len(prepared), TURNS, self.dim).mean(1))

    def cells(self, crops: Sequence[tuple[Pixels, Mask]]) -> list[tuple[Floats, Floats]]:
        """Of letterboxed crops of one size: cells float32 (rows, columns, dim) and each cell's share of the mask."""
        if not crops:
            return []
        maps = self._cells(np.stack([pixels for pixels, _ in crops]), "item")
        return [(m, cover(mask, m.shape[:2])) for m, (_, mask) in zip(maps, crops, strict=True)]

    def map(self, bgr: Pixels, long_side: int) -> FeatureMap:
        """The cells of a whole picture, shown to the network with `long_side` pixels on its longer side.

        The picture is stretched by less than 3 % to sides that are multiples of 32.
        """
        height, width = bgr.shape[:2]
        scale = long_side / max(height, width)
        size = tuple(max(32, 32 * round(side * scale / 32)) for side in (width, height))
        shown = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        cells = self._cells(np.asarray(shown, np.uint8)[None], "scene")[0]
        return FeatureMap(cells, max(height, width) / max(cells.shape[:2]))

    def _cells(self, pixels: Pixels, output: str) -> Floats:
        """Pictures uint8 (n, h, w, 3) -> cells float32 (n, h / 16, w / 16, dim)."""
        blob = cv2.dnn.blobFromImages(list(pixels), 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
        return np.asarray(self._engine.infer(np.asarray(blob, np.float32))[output]).transpose(0, 2, 3, 1)


def letterbox(bgr: Pixels, mask: Mask | None, side: int) -> tuple[Pixels, Mask]:
    """The crop, scaled to fit, in the middle of a grey square: uint8 (side, side, 3) and the mask (side, side)."""
    height, width = bgr.shape[:2]
    scale = side / max(height, width)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(bgr, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if mask is None:
        kept = np.ones((h, w), np.bool_)
    else:
        kept = np.asarray(cv2.resize(mask.astype(np.uint8), (w, h), interpolation=cv2.INTER_LINEAR), np.bool_)
        if not kept.any():
            kept[:] = True
    square = np.full((side, side, 3), GREY, np.uint8)
    inside = np.zeros((side, side), np.bool_)
    y, x = (side - h) // 2, (side - w) // 2
    square[y : y + h, x : x + w] = np.where(kept[..., None], small, GREY)
    inside[y : y + h, x : x + w] = kept
    return square, inside


GREY = np.uint8(128)
"""Zero to the network, nearly: what it has nothing to say about."""


def cover(mask: Mask, shape: tuple[int, int]) -> Floats:
    """Share of each cell of a grid (rows, columns) that the mask covers, 0..1."""
    rows, columns = shape
    return np.asarray(cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA), np.float32)


def unit(vectors: Floats) -> Floats:
    """Scaled to length 1 along the last axis; zero stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
