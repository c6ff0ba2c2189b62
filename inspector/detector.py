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


@dataclass(frozen=True, slots=True)
class Detections:
    """What was found in one picture, as arrays of one length n, best score first.

    boxes: float32 (n, 4), x y w h in picture pixels. scores: float32 (n,), 0..1. classes: int64 (n,), index into the
    card's classes. rotations: float32 (n,), degrees clockwise from upright, 0..360 (meaningless for parcels).
    """

    boxes: Floats
    scores: Floats
    classes: npt.NDArray[np.int64]
    rotations: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def of(self, class_index: int, at_least: float) -> Detections:
        """Those of one class with at least this score."""
        return self._where((self.classes == class_index) & (self.scores >= at_least))

    def _where(self, keep: npt.NDArray[np.bool_]) -> Detections:
        return Detections(self.boxes[keep], self.scores[keep], self.classes[keep], self.rotations[keep])


@dataclass(frozen=True, slots=True)
class Look:
    """One run of the network on one picture or one crop of it.

    features: float32 (f,), the network's description of this crop. damage_logit: what the damage head makes of it, the
    raw score that its parcel is damaged. damage_map: float32 (kinds, rows, columns), probabilities over the canvas,
    which is `side` pixels wide. canvas: uint8 (side, side, 3), what the network saw.
    """

    detections: Detections
    features: Floats
    damage_logit: float
    damage_map: Floats
    canvas: Pixels
    placement: Placement


def place(bgr: Pixels, side: int, left: int = 0, top: int = 0) -> tuple[Pixels, Placement]:
    """Letterbox a picture, or a crop of one whose origin in it is (left, top), and remember how."""
    canvas, scale, dx, dy = letterbox(bgr, side)
    return canvas, Placement(scale, dx, dy, left, top)


def decode_boxes(
    boxes: Floats, scores: Floats, rotations: Floats, placement: Placement, *, floor: float, iou: float
) -> Detections:
    """Raw network output of one picture -> detections in the picture.

    boxes: (a, 4) canvas xyxy. scores: (a, classes), 0..1. rotations: (a, 2), sine and cosine. Candidates below `floor`
    are dropped; of those of one class that overlap by more than `iou`, the best stays.
    """
    classes = scores.argmax(axis=1)
    best = scores[np.arange(len(scores)), classes]
    keep = best >= floor
    boxes, best, classes, rotations = boxes[keep], best[keep], classes[keep], rotations[keep]
    xywh = placement.to_picture(boxes)
    chosen = suppress(xywh, best, classes, iou)
    angles = np.degrees(np.arctan2(rotations[chosen, 0], rotations[chosen, 1])) % 360
    return Detections(xywh[chosen], best[chosen], classes[chosen].astype(np.int64), angles.astype(np.float32))


def suppress(boxes: Floats, scores: Floats, classes: npt.NDArray[np.int64], iou: float) -> npt.NDArray[np.int64]:
    """Greedy non-maximum suppression within each class; indices of what stays, best first."""
    if not len(boxes):
        return np.zeros(0, np.int64)
    kept = cv2.dnn.NMSBoxesBatched(boxes.tolist(), scores.tolist(), classes.tolist(), 0.0, iou)
    indices = np.asarray(kept, np.int64).reshape(-1)
    return indices[np.argsort(-scores[indices], kind="stable")]


def merge(first: Detections, second: Detections, iou: float) -> Detections:
    """Two looks at the same picture as one list: where both saw the same thing, the better score stays."""
    both = Detections(
        np.concatenate([first.boxes, second.boxes]),
        np.concatenate([first.scores, second.scores]),
        np.concatenate([first.classes, second.classes]),
        np.concatenate([first.rotations, second.rotations]),
    )
    kept = suppress(both.boxes, both.scores, both.classes, iou)
    return Detections(both.boxes[kept], both.scores[kept], both.classes[kept], both.rotations[kept])
