"""What the parcel network sees: the picture brought to its input, and its raw arrays brought back to the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from inspector.frame import Pixels
from inspector.verdict import Box

Floats = npt.NDArray[np.float32]
PAD = 114
"""Grey level beside a letterboxed picture; the network was trained with it."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How a piece of the picture came to lie on the network's canvas: canvas = (picture - origin) * scale + offset."""

    scale: float
    dx: float
    dy: float
    left: float = 0.0
    top: float = 0.0

    def to_picture(self, boxes: Floats) -> Floats:
        """Canvas xyxy float32 (n, 4) -> picture xywh float32 (n, 4)."""
        x1, y1, x2, y2 = boxes.T
        x1, x2 = ((x - self.dx) / self.scale + self.left for x in (x1, x2))
        y1, y2 = ((y - self.dy) / self.scale + self.top for y in (y1, y2))
        return np.stack([x1, y1, x2 - x1, y2 - y1], axis=1).astype(np.float32)


def letterbox(bgr: Pixels, side: int) -> tuple[Pixels, float, int, int]:
    """Picture uint8 (h, w, 3) -> square canvas uint8 (side, side, 3) with the picture centred on grey.

    Returns (canvas, scale, dx, dy) with canvas_x = picture_x * scale + dx. Aspect is kept.
    """
    height, width = bgr.shape[:2]
    scale = side / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(bgr, (new_width, new_height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    dx, dy = (side - new_width) // 2, (side - new_height) // 2
    canvas = np.full((side, side, 3), PAD, np.uint8)
    canvas[dy : dy + new_height, dx : dx + new_width] = small
    return canvas, scale, dx, dy


def crop_around(bgr: Pixels, box: Box, margin: float) -> tuple[Pixels, int, int]:
    """The part of the picture around a box (x, y, w, h), enlarged by `margin` of its sides and cut at the borders.

    Returns (a view of the picture, left, top) with left and top the crop's origin in picture pixels.
    """
    height, width = bgr.shape[:2]
    x, y, w, h = box
    left, top = max(0, int(np.floor(x - w * margin))), max(0, int(np.floor(y - h * margin)))
    right, bottom = min(width, int(np.ceil(x + w * (1 + margin)))), min(height, int(np.ceil(y + h * (1 + margin))))
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    return bgr[top:bottom, left:right], left, top


def to_input(canvas: Pixels) -> Floats:
    """Canvas uint8 (s, s, 3) BGR -> network input float32 (1, 3, s, s) RGB in [-1, 1]."""
    return np.asarray(cv2.dnn.blobFromImage(canvas, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True), np.float32)
