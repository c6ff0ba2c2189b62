"""A tiny embedder and things to show to it: coloured blobs, described by their colours where the mask keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import cv2
import numpy as np

from inspector.acceptance import Floats
from inspector.frame import Pixels
from inspector.item_records import Mask, ReferenceRecord

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass
class ColourEmbedder:
    """Deterministic: 4 x 4 x 4 colours, each description of length 1. embedded: how many crops it was shown."""

    version: str = "0.0.1"
    sha256: str = "0" * 64
    dim: int = 64
    alike: float = 0.8
    embedded: list[int] = field(default_factory=list)

    def embed(self, crops: Sequence[Pixels], masks: Sequence[Mask | None]) -> Floats:
        self.embedded.append(len(crops))
        rows = []
        for crop, mask in zip(crops, masks, strict=True):
            inside = None if mask is None else mask.astype(np.uint8)
            colours = cv2.calcHist([crop], [0, 1, 2], inside, [4, 4, 4], [0, 256] * 3).ravel()
            rows.append(colours / max(float(np.linalg.norm(colours)), 1e-9))
        return np.asarray(rows, np.float32).reshape(len(crops), self.dim)


def thing(colour: tuple[int, int, int], side: int = 120, seed: int = 0) -> tuple[Pixels, Mask]:
    """A speckled ellipse of one colour: (bgr, mask)."""
    rng = np.random.default_rng(seed)
    mask = cv2.ellipse(
        np.zeros((side, side), np.uint8), (side // 2, side // 2), (side // 2 - 4, side // 3), 0, 0, 360, 1, -1
    )
    bgr = np.full((side, side, 3), 235, np.uint8)
    bgr[mask > 0] = np.clip(np.array(colour) + rng.integers(-20, 20, (int(mask.sum()), 3)), 0, 255)
    return bgr, mask.astype(bool)


def photo(*colours: tuple[int, int, int], side: int = 140, seed: int = 0) -> bytes:
    """A PNG file of things side by side on white paper."""
    canvas = np.full((side + 60, (side + 60) * max(1, len(colours)), 3), 235, np.uint8)
    for at, colour in enumerate(colours):
        bgr, mask = thing(colour, side, seed)
        left = at * (side + 60) + 30
        canvas[30 : 30 + side, left : left + side][mask] = bgr[mask]
    return cv2.imencode(".png", canvas)[1].tobytes()


def cut_out(bgr: Pixels) -> list[tuple[Pixels, Mask]]:
    """Whatever is not as bright as the paper, piece by piece."""
    away = (np.abs(bgr.astype(int) - 235).max(axis=2) > 24).astype(np.uint8)
    away = cv2.morphologyEx(away, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(away)
    found = []
    for label in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[label])
        if area >= 40:
            found.append((bgr[y : y + h, x : x + w], labels[y : y + h, x : x + w] == label))
    return found


RED, GREEN, BLUE, GREY = (30, 30, 220), (40, 200, 40), (220, 60, 30), (90, 90, 90)


def reference(
    item: str, colour: tuple[int, int, int] = RED, seed: int = 0, *, counter: bool = False
) -> ReferenceRecord:
    bgr, mask = thing(colour, seed=seed)
    return ReferenceRecord.of(item, bgr, mask, at=NOW, by="li", source=f"photo-{seed}", counter=counter)
