"""Floors and walls of places where parcels are photographed: homes, doorsteps, pavements, stores, studios."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from models.scenes.blender.bench import Top
from models.scenes.blender.paint import Array, Rng, noise

SIDE = 1024


def _flat(colour: Array | tuple[float, float, float]) -> Array:
    return np.ones((SIDE, SIDE, 3), np.float32) * np.array(colour, np.float32)


def _tone(rng: Rng, low: float, high: float) -> Array:
    """A colour as rooms have them: some hue, seldom a loud one."""
    grey = rng.uniform(low, high)
    return np.asarray(
        np.clip(grey + (rng.uniform(low, high, 3) - grey) * rng.choice([0.15, 0.35, 0.9], p=[0.5, 0.35, 0.15]), 0, 1)
    )


def _rough(level: float, rng: Rng, spread: float = 0.04) -> Array:
    return np.asarray(np.clip(level + spread * noise((SIDE, SIDE), 9, rng, 3), 0.05, 1), np.float32)


def _grain(rng: Rng, sigma: float) -> Array:
    made = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), sigma)
    return np.asarray(made / made.std())


def _laid(rng: Rng, rows: int, columns: int, shift: float, joint: float, spread: float) -> tuple[Array, Array]:
    """Stones in courses: each stone's shade (h, w) around 1, and joints 0..1 (h, w); `joint` in shares of a row."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    row = np.floor(y * rows)
    along = x * columns + shift * (row % 2)
    column = np.floor(along)
    shades = 1 + spread * rng.standard_normal((rows + 1, columns + 2))
    shade = shades[row.astype(int) % (rows + 1), column.astype(int) % (columns + 2)]
    wide = joint * columns / rows
    near = np.minimum(
        np.minimum(y * rows - row, 1 - (y * rows - row)) / joint,
        np.minimum(along - column, 1 - (along - column)) / wide,
    )
    return shade.astype(np.float32), np.clip(1.5 - near, 0, 1).astype(np.float32)


def floorboards(rng: Rng) -> Top:
    """Parquet or laminate with staggered boards."""
    colour = np.array(((0.62, 0.44, 0.27), (0.44, 0.29, 0.18), (0.74, 0.60, 0.43), (0.52, 0.48, 0.44))[rng.integers(4)])
    shade, joints = _laid(rng, int(rng.integers(7, 14)), int(rng.integers(1, 3)), 0.45, 0.012, 0.10)
    grain = cv2.resize(rng.standard_normal((SIDE, 24)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    rgb = _flat(colour) * (shade * (1 + 0.05 * grain + 0.04 * noise((SIDE, SIDE), 30, rng, 3)))[..., None]
    return Top("floorboards", rgb * (1 - 0.6 * joints)[..., None], _rough(float(rng.uniform(0.2, 0.55)), rng), 1.3)


def tiles(rng: Rng) -> Top:
    """Floor tiles with grout."""
    colour = rng.uniform(0.35, 0.9) * np.array([1.0, rng.uniform(0.93, 1.0), rng.uniform(0.82, 1.02)])
    count = int(rng.integers(2, 6))
    shade, joints = _laid(rng, count, count, 0.0, 0.015, 0.025)
    cloud = 1 + rng.uniform(0.01, 0.08) * noise((SIDE, SIDE), 6, rng, 6, 0.65)
    rgb = _flat(colour) * (shade * cloud)[..., None]
    grout = rng.uniform(0.25, 0.75)
    rgb += joints[..., None] * (grout - rgb)
    return Top("tiles", rgb, _rough(float(rng.uniform(0.12, 0.5)), rng), 1.2)


def paving(rng: Rng) -> Top:
    """Concrete pavers or bricks outside."""
    brick = rng.random() < 0.45
    colour = (0.50, 0.26, 0.19) if brick else (0.52, 0.51, 0.49)
    rows = int(rng.integers(9, 15)) if brick else int(rng.integers(3, 7))
    shade, joints = _laid(rng, rows, max(2, rows // 2), 0.5, 0.05 if brick else 0.03, 0.12 if brick else 0.05)
    rgb = (
        _flat(colour) * (shade * (1 + 0.08 * noise((SIDE, SIDE), 12, rng, 6, 0.7) + 0.06 * _grain(rng, 0.8)))[..., None]
    )
    rgb += joints[..., None] * (np.array((0.30, 0.29, 0.26)) - rgb) * 0.8
    return Top("paving", rgb, _rough(0.85, rng), 1.4)


def asphalt(rng: Rng) -> Top:
    """Tarmac with stones, cracks and wet darker clouds."""
    tone = rng.uniform(0.16, 0.40)
    rgb = (
        _flat((tone, tone, tone * 1.02)) * (1 + 0.30 * _grain(rng, 1.0) + 0.08 * noise((SIDE, SIDE), 4, rng))[..., None]
    )
    for _ in range(int(rng.integers(0, 4))):
        path = np.cumsum(rng.normal(0, 28, (40, 2)) + rng.normal(0, 14, 2), 0) + rng.uniform(0, SIDE, 2)
        cv2.polylines(rgb, [path.astype(np.int32)], False, (tone * 0.4,) * 3, 2, cv2.LINE_AA)
    return Top("asphalt", rgb, _rough(0.85, rng), 1.3)


def carpet(rng: Rng) -> Top:
    """Carpet tiles or a rug."""
    colour = rng.uniform(0.12, 0.6, 3) * 0.5 + rng.uniform(0.1, 0.4)
    tone = 1 + 0.22 * _grain(rng, 1.4) + 0.06 * noise((SIDE, SIDE), 5, rng)
    rgb = _flat(colour) * tone[..., None]
    if rng.random() < 0.5:
        stripe = cv2.resize(rng.standard_normal((SIDE // 16, SIDE // 128)).astype(np.float32), (SIDE, SIDE))
        rgb *= (1 + 0.12 * stripe)[..., None]
    return Top("carpet", rgb, np.full((SIDE, SIDE), 0.95, np.float32), 1.2)


def grass(rng: Rng) -> Top:
    """Lawn or a bed of leaves, seen from above."""
    rgb = _flat((0.16, 0.20, 0.07)) * (1 + 0.2 * noise((SIDE, SIDE), 5, rng))[..., None]
    dry = rng.random() < 0.3
    for _ in range(9000):
        x, y = rng.integers(0, SIDE, 2)
        turn, long = rng.uniform(0, 2 * np.pi), rng.uniform(8, 24)
        base = np.array((0.45, 0.36, 0.18)) if dry or rng.random() < 0.08 else np.array((0.26, 0.40, 0.12))
        colour = tuple(float(v) for v in base * rng.uniform(0.45, 1.3))
        end = (int(x + long * np.cos(turn)), int(y + long * np.sin(turn)))
        cv2.line(rgb, (int(x), int(y)), end, colour, int(rng.integers(1, 3)), cv2.LINE_AA)
    return Top("grass", rgb, np.full((SIDE, SIDE), 0.9, np.float32), 0.9)


def slab(rng: Rng) -> Top:
    """A concrete doorstep or a hall's floor with joints, stains and tyre marks."""
    tone = rng.uniform(0.42, 0.72)
    warm = rng.uniform(0.90, 1.0)
    rgb = (
        _flat((tone, tone * (1 + warm) / 2, tone * warm)) * (1 + 0.10 * noise((SIDE, SIDE), 5, rng, 6, 0.65))[..., None]
    )
    rgb *= (1 + 0.05 * _grain(rng, 0.9))[..., None]
    for _ in range(int(rng.integers(0, 5))):
        centre, size = rng.uniform(0, SIDE, 2), rng.uniform(30, 160)
        y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
        far = np.hypot(x - centre[0], y - centre[1]) / size + 0.3 * noise((SIDE, SIDE), 8, rng, 3)
        rgb *= (1 - rng.uniform(0.1, 0.35) * np.clip(3 * (1 - far), 0, 1))[..., None]
    if rng.random() < 0.6:
        at = int(rng.uniform(0.1, 0.9) * SIDE)
        rgb[at : at + 5] *= 0.55
    return Top("slab", rgb, _rough(float(rng.uniform(0.45, 0.9)), rng), 1.8)


def studio(rng: Rng) -> Top:
    """Paper or a table of one bright colour."""
    tone = rng.uniform(0.75, 0.96)
    colour = np.array((tone, tone, tone)) if rng.random() < 0.75 else _tone(rng, 0.3, 0.95)
    return Top("studio", _flat(colour), np.full((SIDE, SIDE), 0.75, np.float32), 2.0)


def cloth(rng: Rng) -> Top:
    """A sofa, a bed, a table cloth."""
    colour = _tone(rng, 0.15, 0.8)
    folds = np.abs(noise((SIDE, SIDE), 4, rng, 3, 0.5))
    weave = np.sin(np.arange(SIDE) * 1.9)[None] * np.sin(np.arange(SIDE) * 1.9)[:, None]
    rgb = _flat(colour) * (1 - 0.16 * folds + 0.05 * weave + 0.04 * _grain(rng, 1.0))[..., None]
    return Top("cloth", rgb, np.full((SIDE, SIDE), 0.95, np.float32), 1.0)


GROUNDS: dict[str, Callable[[Rng], Top]] = {
    f.__name__: f for f in (floorboards, tiles, paving, asphalt, carpet, grass, slab, studio, cloth)
}


# -- what stands behind


def plaster(rng: Rng) -> Top:
    """A painted wall with a skirting board."""
    colour = np.array((0.85, 0.84, 0.81)) if rng.random() < 0.6 else _tone(rng, 0.3, 0.9)
    rgb = _flat(colour) * (1 + 0.015 * noise((SIDE, SIDE), 4, rng))[..., None]
    if rng.random() < 0.6:
        rgb[-round(0.04 * SIDE) :] = rng.choice([0.9, 0.12, 0.45])
    return Top("plaster", rgb, np.full((SIDE, SIDE), 0.8, np.float32), 2.4)


def brickwork(rng: Rng) -> Top:
    """A brick or block wall."""
    colour = ((0.52, 0.27, 0.20), (0.66, 0.62, 0.55), (0.40, 0.36, 0.34))[int(rng.integers(3))]
    shade, joints = _laid(rng, 30, 9, 0.5, 0.08, 0.12)
    rgb = _flat(colour) * (shade * (1 + 0.10 * noise((SIDE, SIDE), 40, rng, 3)))[..., None]
    rgb += joints[..., None] * (0.62 - rgb)
    return Top("brickwork", rgb, np.full((SIDE, SIDE), 0.9, np.float32), 2.4)


def door(rng: Rng) -> Top:
    """A door with panels, or boards of a fence."""
    colour = _tone(rng, 0.06, 0.75) if rng.random() < 0.6 else np.array((0.36, 0.22, 0.13)) * rng.uniform(0.6, 1.6)
    grain = cv2.resize(rng.standard_normal((16, SIDE)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    rgb = _flat(colour) * (1 + 0.05 * grain)[..., None]
    wide = int(SIDE / rng.integers(2, 9))
    for x in range(0, SIDE, wide):
        rgb[:, x : x + 4] *= 0.45
        if wide > 200:
            cv2.rectangle(rgb, (x + 60, 560), (x + wide - 60, 940), tuple(float(v) * 0.6 for v in colour), 8)
            cv2.rectangle(rgb, (x + 60, 80), (x + wide - 60, 480), tuple(float(v) * 0.6 for v in colour), 8)
    return Top("door", rgb, np.full((SIDE, SIDE), 0.5, np.float32), 2.4)


def hedge(rng: Rng) -> Top:
    """Leaves."""
    made = grass(rng)
    return Top("hedge", made.rgb * float(rng.uniform(0.5, 1.2)), made.rough, 1.2)


def racking(rng: Rng) -> Top:
    """Shelves full of things out of focus: blocks of colour between dark uprights."""
    rgb = _flat((0.10, 0.10, 0.11))
    for row in range(6):
        x = 0
        while x < SIDE:
            wide, high = int(rng.integers(40, 190)), int(rng.uniform(0.35, 0.9) * SIDE / 6)
            foot = (row + 1) * SIDE // 6 - 12
            tone = (
                np.array((0.62, 0.47, 0.31)) * rng.uniform(0.6, 1.2) if rng.random() < 0.65 else rng.uniform(0, 0.9, 3)
            )
            cv2.rectangle(rgb, (x, foot - high), (x + wide - 6, foot), tuple(float(v) for v in tone), -1)
            x += wide
        rgb[(row + 1) * SIDE // 6 - 12 : (row + 1) * SIDE // 6] = ((0.75, 0.35, 0.08), (0.2, 0.3, 0.55))[row % 2]
    rgb = cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(1, 6)))
    return Top("racking", np.asarray(rgb), np.full((SIDE, SIDE), 0.7, np.float32), 2.4)


WALLS: dict[str, Callable[[Rng], Top]] = {f.__name__: f for f in (plaster, brickwork, door, hedge, racking)}
