"""What earlier looks took for marks in scenes, kept as they found it: the lessons of the looks that come after them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.frame import Pixels
from inspector.markreader import DIAGONAL, Look, cut
from models.evaluation.metrics import overlaps
from models.training.data import Floats
from models.training.marks.glyphs import Glyph, View, bare, framed, no_marks
from models.training.marks.scenes import Scene

REACH = 1.15
"""How much more of the picture than the next look would see is kept, so that it may look a little beside it."""
ABOUT = 0.15
"""Overlap of a mark with what was taken for it, from which on the next look is shown that mark."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A place of a scene that a look took for a mark, and the truth about it.

    pixels: the picture around it. square: (3,), middle and side in these pixels of what the next look would cut; turn:
    degrees clockwise by which what is in it was thought to be turned. says: (7,), all 0 where there is no mark. box:
    (4,) xyxy of the mark, stands: how it is turned, NaN for unknown; of no meaning where there is none.
    """

    pixels: Pixels
    square: Floats
    turn: float
    says: Floats
    box: Floats
    stands: float

    def glyph(self, rng: np.random.Generator, view: View) -> Glyph:
        """As the next look sees it, or a little beside it."""
        side = float(self.square[2])
        moved = np.array([*(rng.normal(0, 0.03, 2) * side), side * (np.exp(rng.normal(0, 0.06)) - 1)])
        square, turn = np.asarray(self.square + moved, np.float32), self.turn + float(rng.normal(0, 4))
        if self.says.any():
            return framed(self.pixels, square, turn, self.box, self.says, self.stands, view)
        return bare(cut(self.pixels, square, turn, *view.size))


def glimpses(scene: Scene, look: Look, squares: Floats) -> list[Glimpse]:
    """Of a look at a scene, every place of which somebody knows what it shows.

    squares: (n, 3), what the next look would cut.
    """
    boxes = look.readings().boxes
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    free = no_marks(scene, squares)
    told = []
    for row, square in enumerate(squares):
        mark = _mark_of(scene, corners[row])
        if mark is None and not free[row]:
            continue
        says = np.zeros(scene.says.shape[1], np.float32) if mark is None else scene.says[mark]
        box = np.zeros(4, np.float32) if mark is None else scene.boxes[mark]
        stands = np.nan if mark is None else float(scene.turns[mark])
        pixels, left, top = _around(scene.pixels, square)
        off = np.array([left, top], np.float32)
        moved = np.array([*(square[:2] - off), square[2]], np.float32)
        told.append(Glimpse(pixels, moved, float(look.rotations[row]), says, box - np.tile(off, 2), stands))
    return told


def _mark_of(scene: Scene, box: Floats) -> int | None:
    """Which mark that must be found was taken for something there."""
    if not len(scene.boxes):
        return None
    shared = np.where(scene.positive, overlaps(box, scene.boxes), 0)
    best = int(shared.argmax())
    return best if shared[best] >= ABOUT else None


def _around(pixels: Pixels, square: Floats) -> tuple[Pixels, int, int]:
    """A part of the picture that holds the square however it is turned, and where it begins. At its own edges a cut
    goes on with what lies there, so the part ends where the picture does.
    """
    height, width = pixels.shape[:2]
    x, y, side = (float(v) for v in square)
    reach = side * DIAGONAL / 2 * REACH + 4
    left, top = int(np.clip(x - reach, 0, width - 1)), int(np.clip(y - reach, 0, height - 1))
    right, bottom = int(np.clip(x + reach + 1, left + 1, width)), int(np.clip(y + reach + 1, top + 1, height))
    return pixels[top:bottom, left:right].copy(), left, top
