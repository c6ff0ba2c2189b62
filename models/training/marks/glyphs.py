"""One crop for a reader: a drawing on a piece of board, or a part of a picture, as the reader's look would cut it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np
import numpy.typing as npt

from inspector.frame import Pixels
from inspector.markreader import ROOM, cut, turned
from inspector.spec import MARKS
from models.scenes.art import Art
from models.training.data import Floats
from models.training.marks.bank import Bank
from models.training.marks.camera import taken
from models.training.marks.networks import READER_SIDE, STRIP
from models.training.marks.scenes import COVERED, HALF_SEEN, Ground, Scene

TALL = 3.4
"""How many times as wide as its mark is high a strip is at least: the mark fills nine tenths of its height then."""
OVERTURNED = 0.1
"""How often a strip was taken to stand on its head."""
LOST = 0.06
"""How often the first look took a mark to be turned quite otherwise than it is."""
SEEN = 0.1
"""Share of a crop up to which a known mark may take it up and the crop still shows none."""


class View(Enum):
    """Which look a crop is for: its width and height, and the standard deviation in degrees of how upright marks stand
    in it, infinite for any turn.
    """

    FIRST = (READER_SIDE, READER_SIDE), np.inf
    CLOSER = (READER_SIDE, READER_SIDE), 13.0
    STRIP = STRIP, 5.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the crop."""
        return self.value[0]

    def turn(self, rng: np.random.Generator) -> float:
        """Degrees clockwise by which a mark stands turned in such a crop."""
        if self is View.FIRST or (self is View.CLOSER and rng.random() < LOST):
            return float(rng.uniform(0, 360))
        overturned = self is View.STRIP and rng.random() < OVERTURNED
        return float(rng.normal(180.0 if overturned else 0.0, self.value[1]))


@dataclass(frozen=True, slots=True)
class Glyph:
    """One crop and what is true of it. says: (7,). spans: (4,) as the reader tells them, NaN where nobody knows. turn:
    degrees, NaN where nothing is shown. asked: how much the answer counts.
    """

    pixels: Pixels
    says: Floats
    spans: Floats
    turn: float
    asked: float


def no_marks(scene: Scene, squares: Floats) -> npt.NDArray[np.bool_]:
    """Which squares float32 (n, 3) show no mark, nor a part of one, nor what nobody is asked about: bool (n,)."""
    known = (scene.says.max(axis=1, initial=0.0) > 0) | scene.ignored
    boxes = scene.boxes[known]
    half = squares[:, None, 2:] / 2
    low = np.maximum(squares[:, None, :2] - half, boxes[None, :, :2])
    high = np.minimum(squares[:, None, :2] + half, boxes[None, :, 2:])
    seen = np.clip(high - low, 0, None).prod(axis=2) / squares[:, 2:] ** 2
    return np.asarray((seen < SEEN).all(axis=1))


def laid(board: Pixels, art: Art, rng: np.random.Generator, view: View, *, off: bool = False) -> Glyph | None:
    """The drawing on the board; None when it can hardly be told from it."""
    size = len(board)
    height, width = art.bgra.shape[:2]
    turn = view.turn(rng)
    half = np.array([width, height]) / max(width, height) / 2
    flat = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    quad = np.asarray(turned(flat, np.full(4, turn)), np.float64)
    lean, squeeze = float(rng.uniform(0, np.pi)), 1.0 if rng.random() < 0.35 else float(rng.uniform(0.45, 1.0))
    along = np.array([np.cos(lean), np.sin(lean)])
    quad = quad @ (np.eye(2) - (1 - squeeze) * np.outer(along, along)).T
    across, down = np.ptp(quad, axis=0)
    extent = max(ROOM * across, TALL * down) if view is View.STRIP else ROOM * max(across, down)
    # The second look frames a mark well; the first is cut where the finder guessed.
    quad *= 1 / extent * float(np.exp(rng.normal(0, 0.1 if rng.random() < 0.5 else 0.22)))
    quad += rng.normal(0, 0.015, (4, 2))
    if off:
        far = float(rng.uniform(0.55, 0.85)) * float(rng.choice([-1, 1]))
        aside = np.array([far, rng.normal(0, 0.06 if view is View.STRIP else 0.2)])
        quad = quad * float(rng.uniform(0.9, 1.8)) + (
            aside if view is View.STRIP else aside[:: int(rng.choice([-1, 1]))]
        )
    else:
        quad += rng.normal(0, 0.045 if rng.random() < 0.5 else 0.1, 2) * np.array(
            [1, 0.35 if view is View.STRIP else 1]
        )
    corners = ((quad + 0.5) * size).astype(np.float32)
    shrink = max(width, height) / max(1.0, float(np.ptp(corners, axis=0).max()))
    source = art.bgra
    if shrink > 1.5:
        small = (max(2, round(width / shrink * 1.3)), max(2, round(height / shrink * 1.3)))
        source = np.asarray(cv2.resize(source, small, interpolation=cv2.INTER_AREA), np.uint8)
    h, w = source.shape[:2]
    warp = cv2.getPerspectiveTransform(np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32), corners)
    drawn = cv2.warpPerspective(source, warp, (size, size), flags=cv2.INTER_LINEAR).astype(np.float32)
    alpha = drawn[..., 3:] / 255 * float(rng.uniform(0.7, 1.0) if art.ink else rng.uniform(0.93, 1.0))
    ground = board.astype(np.float32)
    paper = ground * (drawn[..., :3] / 255) if art.ink else drawn[..., :3] * _light(ground, rng)
    mixed = np.clip(ground * (1 - alpha) + paper * alpha, 0, 255)
    if np.percentile(np.abs(mixed - ground).max(axis=2), 90) < 30:
        return None
    pixels = mixed.astype(np.uint8)
    hidden = 0.0
    if rng.random() < 0.12:
        pixels, hidden = _covered(pixels, corners, rng)
    says = np.array([mark in (art.name, *art.also) for mark in MARKS], np.float32)
    asked = float(not HALF_SEEN < hidden < COVERED) if says.any() else 1.0
    if off and says.any():  # what runs out of the crop may still be told
        asked = float(max(hidden, _outside(corners, size)) >= COVERED)
    if off or hidden >= COVERED:
        says = np.zeros_like(says)
    edges = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    own = np.array([edges[0] + edges[2], edges[1] + edges[3]]) / 2
    spans = np.array([*((quad.min(axis=0) + quad.max(axis=0)) / 2), *np.log(np.maximum(own, 0.02))], np.float32)
    return seen(pixels, rng, view, says, spans, turn, asked)


def _outside(corners: Floats, size: int) -> float:
    """Share of a quadrilateral that lies outside a crop of this size."""
    crop = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
    inside, _ = cv2.intersectConvexConvex(crop, corners)
    return 1 - inside / max(float(cv2.contourArea(corners)), 1e-6)


def crops(rng: np.random.Generator, scene: Scene, view: View) -> list[Glyph]:
    """A crop of each print on a composed scene, mark or not, that somebody may be asked about."""
    asked = np.flatnonzero(~scene.ignored)
    return [_around(rng, scene.pixels, scene.boxes[i], scene.says[i], float(scene.turns[i]), view) for i in asked]


def real(rng: np.random.Generator, ground: Ground, view: View) -> Glyph:
    """A mark that was on the parcel when it was photographed or rendered, seen by one more camera."""
    known = np.flatnonzero(ground.told)
    i = int(known[int(rng.integers(len(known)))])
    made = _around(rng, ground.pixels, ground.boxes[i], ground.says[i], float(ground.turns[i]), view)
    return replace(made, pixels=taken(made.pixels, rng))


def _around(rng: np.random.Generator, pixels: Pixels, box: Floats, says: Floats, stands: float, view: View) -> Glyph:
    """A crop around a box xyxy of the picture. stands: degrees by which what is in it is turned, NaN for unknown."""
    x1, y1, x2, y2 = box
    turn = view.turn(rng)
    back = stands - turn if np.isfinite(stands) else turn
    sizes = _own(x2 - x1, y2 - y1, stands)
    longer = max(x2 - x1, y2 - y1) if sizes is None else sizes.max()
    side = float(longer) * ROOM * float(np.exp(rng.normal(0, 0.15)))
    middle = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
    aside = rng.normal(0, 0.045 * side if rng.random() < 0.5 else 0.1 * side, 2)
    return framed(pixels, np.array([*(middle + aside), side], np.float32), back, box, says, stands, view)


def framed(pixels: Pixels, square: Floats, back: float, box: Floats, says: Floats, stands: float, view: View) -> Glyph:
    """A square of the picture, turned back by so many degrees, and where in it a box xyxy lies."""
    x1, y1, x2, y2 = box
    side = float(square[2])
    sizes = _own(x2 - x1, y2 - y1, stands)
    away = (np.array([[(x1 + x2) / 2, (y1 + y2) / 2]]) - square[:2]) / side
    across, down = turned(away.astype(np.float32), np.array([-back], np.float32))[0]
    logs = (np.nan, np.nan) if sizes is None else np.log(np.maximum(sizes / side, 0.02))
    spans = np.array([across, down, *logs], np.float32)
    crop = cut(pixels, square, back, *view.size)
    return Glyph(crop, says.astype(np.float32), spans, stands - back if says.any() else np.nan, 1.0)


def bare(pixels: Pixels) -> Glyph:
    """A crop that shows no mark."""
    return Glyph(pixels, np.zeros(len(MARKS), np.float32), np.zeros(4, np.float32), np.nan, 1.0)


def _own(width: float, height: float, turn: float) -> npt.NDArray[np.float64] | None:
    """Width and height along a mark's own axes, from the upright box around it; None where the box does not tell."""
    if not np.isfinite(turn):
        return None
    across, down = abs(np.cos(np.deg2rad(turn))), abs(np.sin(np.deg2rad(turn)))
    level = across**2 - down**2
    if abs(level) < 0.5:
        return None
    own = np.array([width * across - height * down, height * across - width * down]) / level
    return np.asarray(np.maximum(own, 0.2 * min(width, height)))


def seen(
    pixels: Pixels,
    rng: np.random.Generator,
    view: View,
    says: Floats | None = None,
    spans: Floats | None = None,
    turn: float = np.nan,
    asked: float = 1.0,
) -> Glyph:
    """A square piece of board as a camera takes it, of the size that a look has: of a strip, the middle."""
    width, height = view.size
    how = cv2.INTER_AREA if len(pixels) > width else cv2.INTER_LINEAR
    rows = round(len(pixels) * height / width)
    above = (len(pixels) - rows) // 2
    part = taken(np.ascontiguousarray(pixels[above : above + rows]), rng)
    made = bare(np.asarray(cv2.resize(part, (width, height), interpolation=how), np.uint8))
    return made if says is None or spans is None else replace(made, says=says, spans=spans, turn=turn, asked=asked)


def piece(rng: np.random.Generator, ground: Ground, size: int) -> Pixels:
    """A square piece of a parcel, away from the marks it has, turned anyhow."""
    height, width = ground.pixels.shape[:2]
    least = min(height, width)
    for _ in range(4):
        side = int(np.clip(least * np.exp(rng.uniform(np.log(0.08), np.log(0.6))), 8, least))
        left, top = int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - side + 1))
        boxes = ground.boxes[ground.says.max(axis=1, initial=0.0) > 0]
        apart = (boxes[:, 0] > left + side) | (boxes[:, 2] < left) | (boxes[:, 1] > top + side) | (boxes[:, 3] < top)
        if apart.all():
            part = ground.pixels[top : top + side, left : left + side]
            how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
            small = np.asarray(cv2.resize(part, (size, size), interpolation=how), np.uint8)
            return np.ascontiguousarray(np.rot90(small, int(rng.integers(4))))
    colour = rng.uniform(60, 220) * np.array([0.72, 0.88, 1.0]) * rng.uniform(0.8, 1.2, 3)
    return np.full((size, size, 3), np.clip(colour, 0, 255), np.uint8)


def neighbour(board: Pixels, bank: Bank, rng: np.random.Generator) -> Pixels:
    """A part of something else at the edge of the crop."""
    size = len(board)
    art = bank.take(str(rng.choice([*MARKS, "no_mark", "shipping_label"])), rng)[0]
    h, w = art.bgra.shape[:2]
    scale = size * float(rng.uniform(0.6, 1.2)) / max(h, w)
    small = cv2.resize(art.bgra, (max(4, int(w * scale)), max(4, int(h * scale))), interpolation=cv2.INTER_AREA)
    small = np.rot90(small, int(rng.integers(4)))
    h, w = small.shape[:2]
    side = float(rng.choice([-1, 1])) * size * float(rng.uniform(0.85, 1.0))
    along = float(rng.normal(0, 0.2)) * size
    x, y = (side, along) if rng.random() < 0.5 else (along, side)
    left, top = int(size / 2 + x - w / 2), int(size / 2 + y - h / 2)
    x1, y1, x2, y2 = max(0, left), max(0, top), min(size, left + w), min(size, top + h)
    if x2 <= x1 or y2 <= y1:
        return board
    piece = small[y1 - top : y2 - top, x1 - left : x2 - left].astype(np.float32)
    alpha = piece[..., 3:] / 255
    out = board.astype(np.float32)
    below = out[y1:y2, x1:x2]
    out[y1:y2, x1:x2] = below * (1 - alpha) + (below * piece[..., :3] / 255 if art.ink else piece[..., :3]) * alpha
    return out.astype(np.uint8)


def _light(ground: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """The light on the board, as it falls on paper that is laid there."""
    level = float(np.clip(np.median(ground) / 150, 0.3, 1.15)) ** 0.7 * float(rng.uniform(0.8, 1.1))
    grey = ground.mean(axis=2)
    smooth = cv2.GaussianBlur(grey, (0, 0), max(2.0, 0.15 * len(grey)))
    share = np.clip(smooth / max(float(np.median(grey)), 1.0), 0.7, 1.3)
    return np.asarray(level * share[..., None], np.float32)


def _covered(pixels: Pixels, corners: Floats, rng: np.random.Generator) -> tuple[Pixels, float]:
    """Something over a part of the mark, and how much of it is hidden."""
    size = len(pixels)
    mark, over = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(mark, corners.astype(np.int32), 1)
    a, reach = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(-0.25, 0.45))
    normal = np.array([np.cos(a), np.sin(a)])
    along = np.array([-normal[1], normal[0]])
    depth = float(rng.uniform(0.15, 1.2))
    edge = np.array([0.5, 0.5]) + normal * reach
    band = np.array([edge + 2 * along, edge - 2 * along, edge - 2 * along + normal * depth])
    band = np.concatenate([band, [edge + 2 * along + normal * depth]]) * size
    cv2.fillConvexPoly(over, band.astype(np.int32), 1)
    colour = np.array([(90, 140, 175), (225, 228, 230), (120, 150, 200), (40, 40, 44)][int(rng.integers(4))])
    out = pixels.copy()
    out[over > 0] = np.clip(colour * rng.uniform(0.6, 1.1), 0, 255).astype(np.uint8)
    return out, float(((mark > 0) & (over > 0)).sum() / max(1, int((mark > 0).sum())))
