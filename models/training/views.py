"""What the network is shown: frames and parcels from the training data, varied, dressed and letterboxed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from inspector.detector import crop_around, letterbox
from models.training.data import Floats, Mask, Photo, Pixels, cells, decode, kind_index
from models.training.network import DAMAGE_KINDS, FIRST_MARK, SIDE, STRIDES

MARGIN = 0.12
"""How much is added around a parcel's box for the second look; the card says it to the inspector."""
MAP = SIDE // STRIDES[0]
SMALLEST = 5.0
"""A box with a side shorter than this many input pixels cannot be told apart and is not asked for."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture on its way to becoming a view: pixels and everything that must move with them.

    pixels: BGR uint8 (h, w, 3).  boxes: xyxy (m, 4).  turns: clockwise degrees (m,).
    damage: bool (k, h, w), or None where nobody knows where damage is.  damaged: of the parcel looked at.
    """

    pixels: Pixels
    boxes: Floats
    classes: npt.NDArray[np.int64]
    turns: Floats
    judged: Mask
    damage: Mask | None
    damaged: bool | None


@dataclass(frozen=True, slots=True)
class View:
    """One input of the network and what is true of it.

    canvas: BGR uint8 (320, 320, 3).  boxes in canvas pixels.  damage: float32 (k, 40, 40) or None.
    look: "frame" or "parcel".  source, group: where it comes from, for honest splits.  plain: not varied at all.
    """

    canvas: Pixels
    boxes: Floats
    classes: npt.NDArray[np.int64]
    turns: Floats
    judged: Mask
    damage: Floats | None
    damaged: bool | None
    look: str
    source: str
    group: str
    plain: bool


def shot_of(photo: Photo) -> Shot:
    """The photo as it is."""
    pixels = photo.read()
    height, width = pixels.shape[:2]
    damage: Mask | None = None
    if photo.damage or photo.damaged is False:
        damage = np.zeros((len(DAMAGE_KINDS), height, width), bool)
        for kind, rle in photo.damage:
            damage[kind_index(kind)] |= decode(rle)
    # slivers of rendered FRAGILE tape, which has no turn, teach this network nothing
    asked = (photo.classes < FIRST_MARK) | np.isfinite(photo.turns) | (photo.source != "renders")
    boxes, classes, turns = photo.boxes[asked], photo.classes[asked], photo.turns[asked]
    return Shot(pixels, boxes, classes, turns, photo.judged, damage, photo.damaged)


def look_at_frame(shot: Shot, photo: Photo, *, plain: bool = True) -> View:
    """First look: the whole picture, letterboxed. Whether it shows damage is not asked of a whole frame."""
    view = _letterboxed(shot, photo, "frame", plain=plain)
    return replace(view, damaged=None)


def look_at_parcel(shot: Shot, photo: Photo, box: tuple[float, float, float, float], *, plain: bool = True) -> View:
    """Second look: the surroundings of a parcel's box (x, y, w, h), letterboxed."""
    pixels, left, top = crop_around(shot.pixels, box, MARGIN)
    height, width = pixels.shape[:2]
    return _letterboxed(cut(shot, left, top, width, height), photo, "parcel", plain=plain)


def cut(shot: Shot, left: int, top: int, width: int, height: int) -> Shot:
    """A rectangle of the shot. Boxes are clipped; one of which less than a third is left goes."""
    shift = np.array([left, top, left, top], np.float32)
    moved = shot.boxes - shift
    clipped = np.clip(moved, 0, np.array([width, height, width, height], np.float32))
    left_over = _areas(clipped) / np.maximum(_areas(moved), 1e-6)
    keep = left_over > 1 / 3
    return replace(
        shot,
        pixels=shot.pixels[top : top + height, left : left + width],
        boxes=clipped[keep],
        classes=shot.classes[keep],
        turns=shot.turns[keep],
        damage=None if shot.damage is None else shot.damage[:, top : top + height, left : left + width],
    )


def quarter_turns(shot: Shot, times: int) -> Shot:
    """The shot turned clockwise by 90 degrees, `times` times."""
    for _ in range(times % 4):
        height = shot.pixels.shape[0]
        x1, y1, x2, y2 = shot.boxes.T
        shot = replace(
            shot,
            pixels=np.ascontiguousarray(np.rot90(shot.pixels, -1)),
            boxes=np.stack([height - y2, x1, height - y1, x2], 1).astype(np.float32),
            turns=(shot.turns + 90) % 360,
            damage=None if shot.damage is None else np.rot90(shot.damage, -1, (1, 2)),
        )
    return shot


def mirrored(shot: Shot) -> Shot:
    """The shot mirrored left to right; only for shots without marks, since a mirrored word is no mark."""
    width = shot.pixels.shape[1]
    x1, y1, x2, y2 = shot.boxes.T
    return replace(
        shot,
        pixels=np.ascontiguousarray(shot.pixels[:, ::-1]),
        boxes=np.stack([width - x2, y1, width - x1, y2], 1).astype(np.float32),
        turns=(-shot.turns) % 360,
        damage=None if shot.damage is None else shot.damage[:, :, ::-1],
    )


def zoomed(shot: Shot, photo: Photo, rng: np.random.Generator) -> Shot:
    """A random part of the shot that still holds most of the main parcel, or the shot on a larger grey ground."""
    height, width = shot.pixels.shape[:2]
    x, y, w, h = photo.main_box() if photo.main is not None else (width * 0.3, height * 0.3, width * 0.4, height * 0.4)
    left, top = int(rng.uniform(0, max(1.0, x + 0.05 * w))), int(rng.uniform(0, max(1.0, y + 0.05 * h)))
    right = int(rng.uniform(min(width - 1.0, x + 0.95 * w), width))
    bottom = int(rng.uniform(min(height - 1.0, y + 0.95 * h), height))
    return cut(shot, left, top, max(16, right - left), max(16, bottom - top))


def parted(shot: Shot, rng: np.random.Generator, least: float = 0.25) -> Shot:
    """A rectangle of the shot anywhere, with or without a parcel, each side about the share `least` of its own or more.

    Half a parcel would be neither one nor none; where nine tries cut one so, the shot stays whole.
    """
    height, width = shot.pixels.shape[:2]
    areas = np.maximum(_areas(shot.boxes), 1e-6)
    for _ in range(9):
        share = float(rng.uniform(least, 1))
        w, h = (max(16, round(min(1.0, share * float(rng.uniform(0.8, 1.25))) * side)) for side in (width, height))
        left, top = int(rng.integers(max(1, width - w + 1))), int(rng.integers(max(1, height - h + 1)))
        inside = np.clip(shot.boxes, (left, top, left, top), (left + w, top + h, left + w, top + h))
        left_over = (_areas(inside) / areas)[shot.classes < FIRST_MARK]
        if not ((left_over > 0.03) & (left_over < 0.5)).any():
            return cut(shot, left, top, w, h)
    return shot


def filled(shot: Shot, box: tuple[float, float, float, float], rng: np.random.Generator) -> Shot:
    """The shot cut around a parcel (x, y, w, h) on each side by itself: from a sixth of it lost to half of it added."""
    height, width = shot.pixels.shape[:2]
    x, y, w, h = box
    left, top, right, bottom = rng.uniform(-1 / 6, 0.5, 4)
    x1, y1 = max(0, int(x - left * w)), max(0, int(y - top * h))
    x2, y2 = min(width, int(x + w + right * w)), min(height, int(y + h + bottom * h))
    return cut(shot, x1, y1, max(16, x2 - x1), max(16, y2 - y1))


def shrunk(shot: Shot, side: int = 2 * SIDE) -> Shot:
    """The shot with its longer side at most `side` pixels; damage is not asked of it any more."""
    height, width = shot.pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = np.asarray(cv2.resize(shot.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return replace(shot, pixels=pixels, boxes=(shot.boxes * scale).astype(np.float32), damage=None, damaged=None)


def tiled(shots: Sequence[Shot], rng: np.random.Generator, side: int = 2 * SIDE) -> Shot:
    """Four shots as the four quarters of one, each enlarged to fill its quarter and cut (mosaic, arXiv:2004.10934).

    It shows parcels smaller, several at once, and on grounds they never stood on. Damage is not asked of it.
    """
    x, y = (int(v) for v in rng.uniform(0.35, 0.65, 2) * side)
    pixels = np.zeros((side, side, 3), np.uint8)
    cells = ((0, 0, x, y), (x, 0, side - x, y), (0, y, x, side - y), (x, y, side - x, side - y))
    boxes, classes, turns = [], [], []
    for shot, (left, top, width, height) in zip(shots, cells, strict=True):
        part = _filling(replace(shot, damage=None), width, height, rng)
        pixels[top : top + height, left : left + width] = part.pixels
        boxes.append(part.boxes + np.array([left, top, left, top], np.float32))
        classes.append(part.classes)
        turns.append(part.turns)
    return Shot(
        pixels=pixels,
        boxes=np.concatenate(boxes).astype(np.float32),
        classes=np.concatenate(classes),
        turns=np.concatenate(turns),
        judged=np.logical_and.reduce([shot.judged for shot in shots]),
        damage=None,
        damaged=None,
    )


def _filling(shot: Shot, width: int, height: int, rng: np.random.Generator) -> Shot:
    """The shot resized until it covers width x height, and a random part of that size."""
    tall, wide = shot.pixels.shape[:2]
    scale = max(width / wide, height / tall)
    size = (max(width, round(wide * scale)), max(height, round(tall * scale)))
    larger = replace(
        shot,
        pixels=np.asarray(cv2.resize(shot.pixels, size, interpolation=cv2.INTER_AREA), np.uint8),
        boxes=(shot.boxes * (size[0] / wide, size[1] / tall, size[0] / wide, size[1] / tall)).astype(np.float32),
    )
    left, top = int(rng.integers(size[0] - width + 1)), int(rng.integers(size[1] - height + 1))
    return cut(larger, left, top, width, height)


def recoloured(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Another light, another camera: gain, gamma, colour cast, saturation, blur, noise, JPEG."""
    x = pixels.astype(np.float32) / 255
    x = x ** np.float32(np.exp(rng.normal(0, 0.22)))
    x = x * np.exp(rng.normal(0, 0.06, 3)).astype(np.float32) * np.float32(np.exp(rng.normal(0, 0.15)))
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * np.float32(rng.uniform(0.5, 1.35))
    if rng.random() < 0.3:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.4, 1.6)))
    if rng.random() < 0.4:
        x = x + rng.normal(0, rng.uniform(0.005, 0.035), x.shape).astype(np.float32)
    out = np.asarray(np.clip(x * 255, 0, 255), np.uint8)
    if rng.random() < 0.5:
        _, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 92))])
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return out


def shaken(box: tuple[float, float, float, float], rng: np.random.Generator) -> tuple[float, float, float, float]:
    """The box as a detector might have found it: each side off by a few percent."""
    x, y, w, h = box
    left, top, right, bottom = rng.normal(0, 0.035, 4)
    return x + left * w, y + top * h, w * (1 - left + right), h * (1 - top + bottom)


def varied(shot: Shot, rng: np.random.Generator) -> Shot:
    """Turned, mirrored where that is allowed, and recoloured."""
    if rng.random() < 0.4:
        shot = quarter_turns(shot, int(rng.integers(1, 4)))
    if rng.random() < 0.5 and not (shot.classes >= FIRST_MARK).any():
        shot = mirrored(shot)
    return replace(shot, pixels=recoloured(shot.pixels, rng))


def _letterboxed(shot: Shot, photo: Photo, look: str, *, plain: bool) -> View:
    canvas, scale, dx, dy = letterbox(shot.pixels, SIDE)
    boxes = shot.boxes * scale + np.array([dx, dy, dx, dy], np.float32)
    sides = boxes[:, 2:] - boxes[:, :2]
    keep = sides.min(1, initial=np.inf) >= SMALLEST
    damage = None
    if shot.damage is not None:
        damage = np.zeros((len(DAMAGE_KINDS), MAP, MAP), np.float32)
        height, width = shot.pixels.shape[:2]
        for k in np.flatnonzero(shot.damage.any((1, 2))):
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            whole = np.zeros((SIDE, SIDE), np.float32)
            small = cv2.resize(shot.damage[k].astype(np.float32), size, interpolation=cv2.INTER_AREA)
            whole[dy : dy + size[1], dx : dx + size[0]] = small
            damage[k] = cells(whole, MAP)
    return View(
        canvas=canvas,
        boxes=boxes[keep].astype(np.float32),
        classes=shot.classes[keep],
        turns=shot.turns[keep].astype(np.float32),
        judged=shot.judged,
        damage=damage,
        damaged=shot.damaged,
        look=look,
        source=photo.source,
        group=photo.group,
        plain=plain,
    )


def _areas(boxes: Floats) -> Floats:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)
