"""Putting flat art on a parcel in a picture: where, at what angle, how worn, and in the picture's own light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from models.scenes.art import Art, Pixels

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Pasted:
    """What has been put into a picture. box: xyxy of its visible pixels.  turn: clockwise degrees from upright."""

    name: str
    box: Box
    turn: float


@dataclass(frozen=True, slots=True)
class Spot:
    """Where art is to lie: centre and width in pixels, clockwise turn in degrees, and how the face is foreshortened.

    squeeze: height over width of a square on that face, in (0, 1].  lean: direction of the squeeze in degrees.
    """

    x: float
    y: float
    width: float
    turn: float
    squeeze: float = 1.0
    lean: float = 0.0


def corners(spot: Spot, art: Art) -> Floats:
    """The art's corners in the picture, float32 (4, 2): upper left, upper right, lower right, lower left."""
    height, width = art.bgra.shape[:2]
    half_w, half_h = spot.width / 2, spot.width * height / width / 2
    flat = np.array([[-half_w, -half_h], [half_w, -half_h], [half_w, half_h], [-half_w, half_h]])
    lean = np.deg2rad(spot.lean)
    along = np.array([np.cos(lean), np.sin(lean)])
    squeeze = np.eye(2) - (1 - spot.squeeze) * np.outer(along, along)
    return np.asarray(flat @ _rotation(spot.turn).T @ squeeze.T + (spot.x, spot.y), np.float32)


def find_spot(
    face: Mask, taken: Sequence[Box], art: Art, rng: np.random.Generator, sizes: tuple[float, float] = (0.16, 0.5)
) -> Spot | None:
    """A free place for the art wholly on `face`, bool (h, w); None when twelve tries find none.

    sizes: least and greatest longer side of the art against the square root of the face's area.
    """
    rows, columns = np.nonzero(face)
    if len(rows) < 400:
        return None
    reach = float(np.sqrt(len(rows)))
    height, width = art.bgra.shape[:2]
    for _ in range(12):
        at = int(rng.integers(len(rows)))
        longer = reach * float(np.exp(rng.uniform(*np.log(sizes))))
        turn = (
            float(rng.choice([0, 0, 90, 180, 270]) + rng.normal(0, 12)) if rng.random() < 0.75 else rng.uniform(0, 360)
        )
        spot = Spot(
            x=float(columns[at]),
            y=float(rows[at]),
            width=longer * width / max(width, height),
            turn=turn % 360,
            squeeze=float(rng.uniform(0.45, 1.0)),
            lean=float(rng.uniform(0, 180)),
        )
        quad = corners(spot, art)
        inside = _within(face, quad)
        x1, y1, x2, y2 = _bounds(quad)
        free = all(x2 < a or c < x1 or y2 < b or d < y1 for a, b, c, d in taken)
        if inside and free and min(x2 - x1, y2 - y1) > 5:
            return spot
    return None


def paste(picture: Pixels, art: Art, spot: Spot, rng: np.random.Generator) -> tuple[Pixels, Pasted]:
    """The picture BGR uint8 (h, w, 3) with the art in it, and where it is.

    Paper takes on the light that falls there: the picture's brightness, smoothed, and its colour in part. Ink darkens
    the board and lets its texture through. A little of the picture's own blur is put on both.
    """
    height, width = picture.shape[:2]
    quad = corners(spot, art)
    h, w = art.bgra.shape[:2]
    flat = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    turned = cv2.getPerspectiveTransform(flat, _jitter(quad, rng))
    x1, y1, x2, y2 = _bounds(cv2.perspectiveTransform(flat[None], turned)[0])
    left, top = max(0, int(x1) - 2), max(0, int(y1) - 2)
    right, bottom = min(width, int(x2) + 3), min(height, int(y2) + 3)
    if right - left < 2 or bottom - top < 2:
        raise ValueError(f"the spot {spot} lies outside a picture of {width} x {height}")
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float64)
    size = (right - left, bottom - top)
    shrink = max(1.0, w / max(spot.width, 1.0))
    source = cv2.GaussianBlur(art.bgra, (0, 0), 0.42 * shrink) if shrink > 1.2 else art.bgra
    warped = cv2.warpPerspective(source, shift @ turned, size, flags=cv2.INTER_LINEAR).astype(np.float32)
    solid = np.full((h, w), 255, np.uint8) if not art.ink else art.bgra[..., 3]
    cover = cv2.warpPerspective(solid, shift @ turned, size, flags=cv2.INTER_LINEAR)
    warped = np.asarray(cv2.GaussianBlur(warped, (0, 0), float(rng.uniform(0.3, 0.8))), np.float32)
    alpha = warped[..., 3:] / 255 * float(rng.uniform(0.75, 1.0) if art.ink else rng.uniform(0.92, 1.0))
    ground = picture[top:bottom, left:right].astype(np.float32)
    out = picture.copy()
    if art.ink:
        mixed = ground * (1 - alpha) + ground * (warped[..., :3] / 255) * alpha
    else:
        mixed = ground * (1 - alpha) + _lit(warped[..., :3], ground, rng) * alpha
    out[top:bottom, left:right] = np.clip(mixed, 0, 255)
    rows, columns = np.nonzero(cover > 40)
    if len(rows) == 0:
        raise ValueError(f"nothing of {art.name} is left at {spot}")
    x1, y1 = left + float(columns.min()), top + float(rows.min())
    x2, y2 = left + float(columns.max()) + 1, top + float(rows.max()) + 1
    return out, Pasted(art.name, (x1, y1, x2, y2), spot.turn)


def worn(art: Art, rng: np.random.Generator, amount: float) -> Art:
    """The art after a journey. amount: 0 as new, 1 hardly to be recognised. Ink is worn when it is drawn."""
    if art.ink or amount <= 0.05:
        return art
    bgra = art.bgra.astype(np.float32)
    height, width = bgra.shape[:2]
    fade = float(rng.uniform(0.1, 0.4)) * amount
    grey = bgra[..., :3].mean(2, keepdims=True)
    bgra[..., :3] = (bgra[..., :3] * (1 - fade) + grey * fade) * (1 - fade / 2) + 200 * fade / 2
    for _ in range(int(rng.integers(0, 2 + int(4 * amount)))):  # creases: a bright and a dark line side by side
        a, b = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0, 1, 2) * (width, height)
        line = np.zeros((height, width), np.float32)
        cv2.line(line, _pixel(a), _pixel(b), 1.0, int(rng.integers(1, 4)), cv2.LINE_AA)
        bgra[..., :3] += (line * 60 - np.roll(line, 2, axis=0) * 40)[..., None]
    if rng.random() < 0.5 * amount:  # a corner torn off
        reach = float(rng.uniform(0.15, 0.45)) * min(width, height)
        x, y = rng.choice([0, width]), rng.choice([0, height])
        triangle = np.array([[x, y], [x + (reach if x == 0 else -reach), y], [x, y + (reach if y == 0 else -reach)]])
        cv2.fillPoly(bgra, [triangle.astype(np.int32)], (230.0, 232.0, 235.0, 0.0))
    return replace(art, bgra=np.clip(bgra, 0, 255).astype(np.uint8))


def _lit(paper: Floats, ground: Floats, rng: np.random.Generator) -> Floats:
    """Paper in the light of the ground: its shading, smoothed and evened out, and a part of its tint."""
    luminance = ground.mean(2)
    blur = max(2.0, 0.12 * max(luminance.shape))
    smooth = cv2.GaussianBlur(luminance, (0, 0), blur)
    level = float(np.median(luminance))
    # Board reflects about half of the light, so a white sheet on a board of grey 120 shows at about 215.
    light = np.clip(smooth / max(level, 1.0), 0.6, 1.5) * np.clip(level / 150, 0.25, 1.15) ** 0.7
    tint = ground.reshape(-1, 3).mean(0) / max(float(ground.mean()), 1.0)
    return np.asarray(paper * light[..., None] * (1 + 0.25 * (tint - 1)) * float(rng.uniform(0.9, 1.1)), np.float32)


def _rotation(degrees: float) -> npt.NDArray[np.float64]:
    """Clockwise in the picture, whose y points down."""
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def _jitter(quad: Floats, rng: np.random.Generator) -> Floats:
    """A touch of perspective."""
    size = float(np.ptp(quad, axis=0).max())
    return np.asarray(quad + rng.normal(0, 0.012 * size, quad.shape), np.float32)


def _bounds(points: npt.NDArray[np.floating]) -> Box:
    (x1, y1), (x2, y2) = points.min(0), points.max(0)
    return float(x1), float(y1), float(x2), float(y2)


def _within(face: Mask, quad: Floats) -> bool:
    """True when the corners and the middles of the sides lie on the face."""
    samples = np.concatenate([quad, (quad + np.roll(quad, 1, axis=0)) / 2]).round().astype(int)
    height, width = face.shape
    on = (samples[:, 0] >= 0) & (samples[:, 0] < width) & (samples[:, 1] >= 0) & (samples[:, 1] < height)
    return bool(on.all()) and bool(face[samples[:, 1], samples[:, 0]].all())


def _pixel(point: npt.NDArray[np.float64]) -> tuple[int, int]:
    return int(point[0]), int(point[1])
