"""Things drawn at random: plain, glossy, striped, knitted, thin or round, which patches of photos are not."""

from __future__ import annotations

import string
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from inspector.frame import Pixels

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Rng = np.random.Generator

SIDE = 240
"""Pixels of the square that a thing is drawn on; it is cropped to its outline."""
FACES = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def drawn(rng: Rng) -> tuple[Pixels, Mask]:
    """A thing as its reference photo shows it: uint8 (h, w, 3) BGR and its mask bool (h, w)."""
    mask = OUTLINES[int(rng.integers(len(OUTLINES)))](rng)
    look = _surface(rng)
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.35, 0.35, 0.2, 0.1]))):
        look = np.where(_part(rng)[..., None], _surface(rng), look)
    if rng.random() < 0.5:
        look = _printed(look, rng)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    y, x = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    inside = mask[y, x].astype(np.bool_)
    return np.asarray(np.clip(_rounded(look, mask, rng), 0, 255)[y, x], np.uint8), inside


def _colour(rng: Rng) -> Floats:
    """Packaging is white, black and grey about as often as it is of one strong colour."""
    if rng.random() < 0.4:
        return np.asarray(rng.choice([20, 60, 128, 200, 240]) + rng.normal(0, 12, 3) + np.zeros(3), np.float32)
    hsv = np.array([[[rng.integers(180), rng.integers(90, 256), rng.integers(60, 256)]]], np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0], np.float32)


def _surface(rng: Rng) -> Floats:
    """What something is made of: float32 (SIDE, SIDE, 3)."""
    base = np.ones((SIDE, SIDE, 3), np.float32) * _colour(rng)
    kind = rng.random()
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    pitch = float(np.exp(rng.uniform(np.log(5), np.log(50))))
    if kind < 0.30:
        return base
    if kind < 0.50:  # grain, felt, crumpled film: noise of one size
        coarse = rng.normal(0, 1, (max(2, round(SIDE / pitch * 2)),) * 2).astype(np.float32)
        return base + cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)[..., None] * rng.uniform(8, 45)
    other = _colour(rng)
    if kind < 0.65:
        on = np.sin(2 * np.pi * along / pitch) > rng.uniform(-0.6, 0.6)
    elif kind < 0.78:
        on = (np.sin(2 * np.pi * along / pitch) > 0.2) | (np.sin(2 * np.pi * across / pitch) > 0.2)
    elif kind < 0.90:
        on = np.sin(2 * np.pi * along / pitch) * np.sin(2 * np.pi * across / pitch) > rng.uniform(0.2, 0.8)
    else:  # marbled
        coarse = rng.normal(0, 1, (max(3, round(SIDE / pitch)),) * 2).astype(np.float32)
        on = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) > 0
    return np.asarray(np.where(on[..., None], other, base), np.float32)


def _part(rng: Rng) -> Mask:
    """A cap, a band, a label: where another surface begins."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    low, high = np.sort(rng.uniform(0.1, 0.9, 2)) * SIDE
    kind = rng.random()
    if kind < 0.35:
        mask[int(low) : int(high)] = 1
    elif kind < 0.6:
        mask[: int(low)] = 1
    elif kind < 0.85:
        left, right = np.sort(rng.uniform(0.05, 0.95, 2)) * SIDE
        mask[int(low) : int(high), int(left) : int(right)] = 1
    else:
        centre = (int(rng.uniform(0.2, 0.8) * SIDE), int(rng.uniform(0.2, 0.8) * SIDE))
        cv2.circle(mask, centre, int(rng.uniform(0.1, 0.35) * SIDE), 1, cv2.FILLED)
    return mask.astype(np.bool_)


def _printed(look: Floats, rng: Rng) -> Floats:
    """With words and small shapes on it."""
    made = np.ascontiguousarray(np.clip(look, 0, 255), np.uint8)
    for _ in range(int(rng.integers(1, 7))):
        ink = tuple(float(v) for v in _colour(rng))
        x, y = (int(v) for v in rng.uniform(0.05, 0.85, 2) * SIDE)
        if rng.random() < 0.75:
            word = "".join(rng.choice(list(string.ascii_letters + string.digits), int(rng.integers(2, 10))))
            size = float(np.exp(rng.uniform(np.log(0.3), np.log(2.2))))
            face = FACES[int(rng.integers(len(FACES)))]
            cv2.putText(made, word, (x // 2, y), face, size, ink, max(1, round(1.6 * size)), cv2.LINE_AA)
        else:
            cv2.rectangle(made, (x, y), (x + int(rng.uniform(5, 60)), y + int(rng.uniform(3, 60))), ink, cv2.FILLED)
    return made.astype(np.float32)


def _rounded(look: Floats, mask: Mask, rng: Rng) -> Floats:
    """Darker towards the rim, as round things are, or not at all."""
    if rng.random() < 0.4:
        return look
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    reach = float(rng.uniform(0.2, 1.0)) * max(1.0, float(depth.max()))
    shade = 1 - float(rng.uniform(0.1, 0.5)) * (1 - np.clip(depth / reach, 0, 1)) ** 2
    return np.asarray(look * shade[..., None], np.float32)


def _box(rng: Rng) -> Mask:
    proportion = float(np.exp(rng.uniform(0, 1.6)))
    mask = np.zeros((SIDE, SIDE), np.uint8)
    half = SIDE / 2 - 4
    short = half / proportion
    mask[int(SIDE / 2 - short) : int(SIDE / 2 + short), 4 : SIDE - 4] = 1
    return mask.astype(np.bool_)


def _blob(rng: Rng) -> Mask:
    turns = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    radius = np.ones(90)
    for wave in range(1, 6):
        radius += rng.normal(0, 0.25 / wave) * np.sin(wave * turns + rng.uniform(0, 6.28))
    radius = np.clip(radius, 0.3, None)
    proportion = np.array([1.0, float(np.exp(-rng.uniform(0, 1.2)))])
    points = np.stack([np.cos(turns), np.sin(turns)], 1) * radius[:, None] * proportion
    points = SIDE / 2 + points / np.abs(points).max() * (SIDE / 2 - 4)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.asarray(points, np.int32)], 1)
    return mask.astype(np.bool_)


def _turned_body(rng: Rng) -> Mask:
    """Bottles, brushes, tools: a profile around an axis."""
    knots = rng.uniform(0.1, 1.0, int(rng.integers(3, 8)))
    height = np.linspace(0, 1, SIDE - 8)
    if rng.random() < 0.5:
        profile = np.interp(height, np.linspace(0, 1, len(knots)), knots)
    else:
        profile = knots[np.minimum((height * len(knots)).astype(int), len(knots) - 1)]
    reach = profile * rng.uniform(0.12, 0.45) * SIDE
    columns = np.abs(np.arange(SIDE) - SIDE / 2)
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[4:-4] = columns[None] < np.maximum(reach, 4)[:, None]
    return mask


def _strands(rng: Rng) -> Mask:
    """Cables, scissors, spoons: thick curves."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    along = np.linspace(0, 1, 40)
    for _ in range(int(rng.integers(1, 5))):
        knots = rng.uniform(0.12, 0.88, (4, 2)) * SIDE
        curve = sum(
            np.outer(weight, knot)
            for weight, knot in zip(
                ((1 - along) ** 3, 3 * along * (1 - along) ** 2, 3 * along**2 * (1 - along), along**3),
                knots,
                strict=True,
            )
        )
        cv2.polylines(mask, [np.asarray(curve, np.int32)], False, 1, int(rng.integers(6, 34)))
    return mask.astype(np.bool_)


def _ring(rng: Rng) -> Mask:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    outer = SIDE // 2 - 4
    flat = float(rng.uniform(0.6, 1))
    cv2.ellipse(mask, (SIDE // 2, SIDE // 2), (outer, int(outer * flat)), 0, 0, 360, 1, cv2.FILLED)
    inner = float(rng.uniform(0.2, 0.8))
    cv2.ellipse(mask, (SIDE // 2, SIDE // 2), (int(outer * inner), int(outer * flat * inner)), 0, 0, 360, 0, cv2.FILLED)
    return mask.astype(np.bool_)


OUTLINES: tuple[Callable[[Rng], Mask], ...] = (_box, _box, _blob, _turned_body, _turned_body, _strands, _ring)
