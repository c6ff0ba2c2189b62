"""Damage composed onto a whole parcel, and harmless things that look a little like damage.

Everything stays on the parcel's outline, or bends it. Earlier tries failed where warps spilled onto the background and
where facets shone like glass; so light changes softly across a facet and sharply only along creases.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from models.scenes.art import Pixels

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Harm = Callable[[Pixels, Mask, np.random.Generator], tuple[Pixels, Mask]]


def crush(picture: Pixels, parcel: Mask, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """A corner or an edge pushed in: the outline gives way, the board folds into facets with sharp creases."""
    size = _size(parcel)
    centre = _on_rim(parcel, rng)
    inward = _towards_middle(parcel, centre)
    reach = size * float(rng.uniform(0.16, 0.34))
    push = reach * float(rng.uniform(0.25, 0.5))
    grid_y, grid_x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    away = np.hypot(grid_x - centre[0], grid_y - centre[1]) / reach
    weight = np.clip(1 - away**2, 0, 1) ** 1.5
    fold, crease = _facets(picture.shape[:2], centre, reach, int(rng.integers(7, 16)), rng)
    # Pull the picture along `inward`: what lies outside the parcel moves over its crushed rim.
    step = push * weight * (1 + 0.5 * fold)
    map_x = (grid_x - inward[0] * step).astype(np.float32)
    map_y = (grid_y - inward[1] * step).astype(np.float32)
    bent = cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    still = cv2.remap(parcel.astype(np.uint8), map_x, map_y, cv2.INTER_LINEAR) > 0
    where = np.clip(weight * 2.2, 0, 1) * _soft(still, 1.2)
    lit = bent * (1 + (0.34 * fold - 0.08) * where)[..., None]
    lit = lit * (1 - 0.55 * (crease * where))[..., None]
    rim = np.clip(_soft(still, 1.0) * (1 - _soft(still, 5.0)) * 3, 0, 1) * np.clip(weight * 2, 0, 1)
    lit = lit * (1 - 0.35 * rim)[..., None]
    changed = (weight > 0.12) & (still | parcel)
    return _clipped(lit), changed


def dent(picture: Pixels, parcel: Mask, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """A dent inside a face: lit on one side, dark on the other, with a crease or two where the board gave way."""
    size = _size(parcel)
    centre = _inside(parcel, rng)
    a, b = size * rng.uniform(0.1, 0.22), size * rng.uniform(0.06, 0.16)
    turn, light = float(rng.uniform(0, np.pi)), float(rng.uniform(0, 2 * np.pi))
    grid_y, grid_x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    x, y = grid_x - centre[0], grid_y - centre[1]
    u, v = (x * np.cos(turn) + y * np.sin(turn)) / a, (-x * np.sin(turn) + y * np.cos(turn)) / b
    r2 = u**2 + v**2
    bowl = np.exp(-(r2**1.5))
    depth_x, depth_y = np.gradient(bowl, axis=1), np.gradient(bowl, axis=0)
    shade = (depth_x * np.cos(light) + depth_y * np.sin(light)) * (a + b) / 2
    map_x, map_y = grid_x + depth_x * a * 2.2, grid_y + depth_y * a * 2.2
    bent = cv2.remap(picture, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR)
    fold, crease = _facets(picture.shape[:2], centre, float(max(a, b)) * 1.2, int(rng.integers(5, 9)), rng)
    on = _soft(parcel, 1.0)
    lit = bent * (1 + (0.26 * shade + 0.16 * fold * bowl) * on)[..., None]
    lit = lit * (1 - 0.4 * crease * np.clip(bowl * 1.6, 0, 1) * on)[..., None]
    return _clipped(lit), (bowl > 0.25) & parcel


def tear(picture: Pixels, parcel: Mask, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """A tear or a hole: ragged, dark inside, with a pale rim of torn paper and a flap that throws a shadow."""
    size = _size(parcel)
    centre = _inside(parcel, rng)
    length, opening = size * rng.uniform(0.1, 0.24), size * rng.uniform(0.025, 0.09)
    turn = float(rng.uniform(0, 2 * np.pi))
    count = int(rng.integers(9, 16))
    along = np.linspace(-1, 1, count)
    bulge = np.sqrt(np.clip(1 - along**2, 0, 1))
    upper = -bulge * opening * rng.uniform(0.5, 1.4, count)
    lower = bulge * opening * rng.uniform(0.5, 1.4, count)
    wander = np.cumsum(rng.normal(0, 0.06 * length / np.sqrt(count), count))
    hole = np.concatenate(
        [np.stack([along * length, upper + wander], 1), np.stack([along * length, lower + wander], 1)[::-1]]
    )
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    inner = _polygon(picture.shape[:2], hole @ spin.T + centre) * _soft(parcel, 0.8)
    border = max(1.2, size * float(rng.uniform(0.008, 0.02)))
    ragged = cv2.resize(rng.random((24, 24)).astype(np.float32), inner.shape[::-1], interpolation=cv2.INTER_CUBIC)
    rim = (
        np.clip(cv2.GaussianBlur(inner, (0, 0), border) * (1.6 + 1.6 * ragged), 0, 1)
        * (inner < 0.5)
        * _soft(parcel, 0.8)
    )
    board = np.median(picture[parcel], axis=0)
    pale = np.clip(board * 0.45 + np.array([150, 170, 190]) * 0.6, 0, 250)
    level = float(board.mean()) / 255
    deep = cv2.GaussianBlur(inner, (0, 0), max(1.0, opening * 0.35))[..., None]
    dark = board * (0.66 - float(rng.uniform(0.2, 0.5)) * deep) * np.array([0.92, 0.96, 1.0])
    out = picture.astype(np.float32)
    out = out * (1 - rim[..., None] * 0.85) + pale * (0.5 + 0.6 * level) * rim[..., None] * 0.85
    out = out * (1 - inner[..., None]) + dark * inner[..., None]
    flap = np.concatenate(
        [np.stack([along * length * 0.8, upper + wander], 1), [[0.2 * length, -opening * rng.uniform(1.5, 3)]]]
    )
    shape = _polygon(picture.shape[:2], flap @ spin.T + centre) * _soft(parcel, 0.8)
    shadow = cv2.GaussianBlur(np.roll(shape, (3, 2), (0, 1)), (0, 0), max(1.0, opening * 0.3)) * (1 - shape)
    out = out * (1 - 0.35 * shadow[..., None])
    tone = board * float(rng.uniform(0.8, 1.3)) + rng.normal(0, 4, picture.shape)
    out = out * (1 - shape[..., None]) + tone * shape[..., None]
    return _clipped(out), ((inner + rim + shape) > 0.3) & parcel


def wet(picture: Pixels, parcel: Mask, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """Water or oil in the board: darker and browner, most of all along its edge."""
    field = _blob(picture.shape[:2], _anywhere(parcel, rng), _size(parcel) * float(rng.uniform(0.16, 0.38)), rng)
    cover = np.clip(field * 6, 0, 1) * _soft(parcel, 0.8)
    edge = np.exp(-((field * 9) ** 2)) * _soft(parcel, 0.8) * (field > -0.1)
    deep = float(rng.uniform(0.18, 0.45))
    stain = np.array([1 - deep * 1.15, 1 - deep, 1 - deep * 0.9])
    out = picture * (1 - cover[..., None] * (1 - stain))
    out = out * (1 - float(rng.uniform(0.05, 0.3)) * edge[..., None])
    return _clipped(out), (cover > 0.5) & parcel


def dirty(picture: Pixels, parcel: Mask, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """Scuffs and smears of dirt: many short strokes in one direction, thick in the middle."""
    centre = _anywhere(parcel, rng)
    reach = _size(parcel) * float(rng.uniform(0.12, 0.28))
    field = np.clip(_blob(picture.shape[:2], centre, reach, rng) * 3, 0, 1)
    strokes = np.zeros(picture.shape[:2], np.float32)
    turn = float(rng.uniform(0, np.pi))
    for _ in range(int(rng.integers(40, 120))):
        at = centre + rng.normal(0, 0.6 * reach, 2)
        half = reach * float(rng.uniform(0.03, 0.3)) * np.array([np.cos(turn), np.sin(turn)]) + rng.normal(0, 1, 2)
        cv2.line(
            strokes,
            _pixel(at - half),
            _pixel(at + half),
            float(rng.uniform(0.2, 1)),
            int(rng.integers(1, 3)),
            cv2.LINE_AA,
        )
    cover = np.clip(0.7 * cv2.GaussianBlur(strokes, (0, 0), 0.8) + 0.5 * field * rng.random(field.shape), 0, 1)
    cover = (cover * np.clip(field * 1.5, 0, 1) * _soft(parcel, 0.8) * rng.uniform(0.5, 0.9)).astype(np.float32)
    dirt = np.array(rng.choice([[30, 38, 46], [22, 22, 24], [60, 74, 86]]), np.float32)
    out = picture * (1 - cover[..., None]) + dirt * cover[..., None]
    return _clipped(out), (cv2.GaussianBlur(cover, (0, 0), 2.0) > 0.12) & parcel


HARMS: dict[str, Harm] = {"crush": crush, "dent": dent, "tear": tear, "wet": wet, "dirty": dirty}


def shadow(picture: Pixels, parcel: Mask, rng: np.random.Generator) -> Pixels:
    """Harmless: the shadow of something above the bench, across parcel and ground alike."""
    height, width = picture.shape[:2]
    points = rng.uniform(-0.2, 1.2, (int(rng.integers(3, 6)), 2)) * (width, height)
    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    cover = cv2.GaussianBlur(_polygon((height, width), np.asarray(hull, np.float32)), (0, 0), float(rng.uniform(1, 14)))
    return _clipped(picture * (1 - float(rng.uniform(0.2, 0.55)) * cover[..., None]))


def tape(picture: Pixels, parcel: Mask, rng: np.random.Generator) -> Pixels:
    """Harmless: a strip of clear, brown or white tape across the parcel, with a highlight along it."""
    size = _size(parcel)
    centre, turn = _inside(parcel, rng), float(rng.uniform(0, np.pi))
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    half, thick = size * rng.uniform(0.3, 0.9), size * rng.uniform(0.035, 0.09)
    strip = np.array([centre + s * half * along + t * thick * across for s, t in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    cover = _polygon(picture.shape[:2], strip) * _soft(parcel, 0.8)
    colour = np.array([[70, 110, 150], [215, 222, 225], [150, 180, 200]][int(rng.integers(3))], np.float32)
    strength = float(rng.choice([0.2, 0.75, 0.9]))
    light = np.clip(cv2.GaussianBlur(picture.mean(2), (0, 0), 0.1 * size) / 140, 0.3, 1.3)
    shine = np.exp(-((np.linspace(-2, 2, picture.shape[1]) - rng.uniform(-2, 2)) ** 2))[None, :] * 25
    tone = colour * light[..., None] + shine[..., None]
    return _clipped(picture * (1 - strength * cover[..., None]) + tone * strength * cover[..., None])


def wrinkle(picture: Pixels, parcel: Mask, rng: np.random.Generator) -> Pixels:
    """Harmless: the fine lines that board and film have from folding, with no depth to them."""
    size = _size(parcel)
    lines = np.zeros(picture.shape[:2], np.float32)
    for _ in range(int(rng.integers(2, 6))):
        at, turn = _inside(parcel, rng), float(rng.uniform(0, np.pi))
        half = size * float(rng.uniform(0.05, 0.3)) * np.array([np.cos(turn), np.sin(turn)])
        cv2.line(lines, _pixel(at - half), _pixel(at + half), 1.0, 1, cv2.LINE_AA)
    lines = cv2.GaussianBlur(lines, (0, 0), 0.8) * _soft(parcel, 0.8)
    return _clipped(picture * (1 + float(rng.choice([-0.16, 0.14])) * lines[..., None]))


HARMLESS = (shadow, tape, wrinkle)


def _facets(
    shape: tuple[int, ...], centre: npt.NDArray[np.float64], reach: float, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """A crumpled sheet: how each point is tilted to the light, about -1..1, and how much it lies in a crease, 0..1.

    Vertices of a Delaunay mesh get random heights; a facet is lit by its slope plus a gentle gradient of its own.
    """
    height, width = shape[:2]
    left, top = max(0, int(centre[0] - reach * 1.3)), max(0, int(centre[1] - reach * 1.3))
    right, bottom = min(width, int(centre[0] + reach * 1.3) + 2), min(height, int(centre[1] + reach * 1.3) + 2)
    fold, crease = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    if right - left < 6 or bottom - top < 6:
        return fold, crease
    mesh = cv2.Subdiv2D((left, top, right - left, bottom - top))
    angle, radius = rng.uniform(0, 2 * np.pi, count), reach * np.sqrt(rng.uniform(0, 1, count))
    points = np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], 1)
    for x, y in points:
        mesh.insert((float(np.clip(x, left, right - 1.01)), float(np.clip(y, top, bottom - 1.01))))
    light = rng.uniform(0, 2 * np.pi)
    part_f, part_c = fold[top:bottom, left:right], crease[top:bottom, left:right]
    rows, columns = np.mgrid[: part_f.shape[0], : part_f.shape[1]].astype(np.float32) / reach
    for x1, y1, x2, y2, x3, y3 in mesh.getTriangleList():
        corners = np.array([[x1 - left, y1 - top], [x2 - left, y2 - top], [x3 - left, y3 - top]])
        inside = np.zeros(part_f.shape, np.uint8)
        cv2.fillConvexPoly(inside, corners.round().astype(np.int32), 1)
        tilt = rng.normal(0, 0.5)
        slope = rng.normal(0, 0.5) * (columns * np.cos(light) + rows * np.sin(light))
        part_f[inside > 0] = (tilt + slope - slope[inside > 0].mean() if inside.any() else slope)[inside > 0]
        if rng.random() < 0.55:
            a, b = corners[0], corners[1]
            cv2.line(part_c, _pixel(a), _pixel(b), float(rng.uniform(0.4, 1)), max(1, round(reach / 45)), cv2.LINE_AA)
    soft_fold = np.clip(cv2.GaussianBlur(fold, (0, 0), max(0.8, reach / 40)), -1, 1)
    soft_crease = np.clip(cv2.GaussianBlur(crease, (0, 0), max(0.5, reach / 90)), 0, 1)
    return np.asarray(soft_fold, np.float32), np.asarray(soft_crease, np.float32)


def _blob(shape: tuple[int, ...], centre: npt.NDArray[np.float64], reach: float, rng: np.random.Generator) -> Floats:
    """A random shape around a point: positive inside, zero on its edge, negative outside."""
    height, width = shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    away = np.hypot(columns - centre[0], rows - centre[1]) / reach
    noise = sum(
        cv2.resize(rng.normal(0, 1, (n, n)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC) / n**0.7
        for n in (5, 10, 22)
    )
    return np.asarray(1 - away + 0.45 * noise, np.float32)


def _polygon(shape: tuple[int, ...], points: npt.NDArray[np.floating]) -> Floats:
    """Coverage 0..1 of a polygon, its edge smooth."""
    out = np.zeros(shape[:2], np.float32)
    cv2.fillPoly(out, [(points * 16).round().astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return np.clip(out, 0, 1)


def _soft(mask: Mask, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma), np.float32)


def _size(parcel: Mask) -> float:
    return float(np.sqrt(max(parcel.sum(), 1)))


def _inside(parcel: Mask, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A point well inside the parcel (x, y)."""
    depth = cv2.distanceTransform(parcel.astype(np.uint8), cv2.DIST_L2, 3)
    rows, columns = np.nonzero(depth >= 0.35 * depth.max())
    at = int(rng.integers(len(rows)))
    return np.array([columns[at], rows[at]], np.float64)


def _anywhere(parcel: Mask, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    rows, columns = np.nonzero(parcel)
    at = int(rng.integers(len(rows)))
    return np.array([columns[at], rows[at]], np.float64)


def _on_rim(parcel: Mask, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A point of the outline; half of the time one of the corners of its polygon."""
    contours, _ = cv2.findContours(parcel.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rim = max(contours, key=cv2.contourArea)
    if rng.random() < 0.6:
        rim = cv2.approxPolyDP(rim, 0.03 * cv2.arcLength(rim, True), True)  # OpenCV: closed
    return np.asarray(rim[int(rng.integers(len(rim))), 0], np.float64)


def _towards_middle(parcel: Mask, point: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    rows, columns = np.nonzero(parcel)
    way = np.array([columns.mean(), rows.mean()]) - point
    return np.asarray(way / max(float(np.hypot(*way)), 1e-6), np.float64)


def _clipped(x: npt.NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(x, 0, 255), np.uint8)


def _pixel(point: npt.NDArray[np.float64]) -> tuple[int, int]:
    return int(point[0]), int(point[1])
