"""Pictures of full boxes of patches of photos and drawn things, to practise finding a thing from one other picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from inspector.frame import Pixels
from models.evaluation.lessons import Lesson, Taught
from models.training.embedder import goods

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

SIDE = 240
"""Pixels of a thing's longer side as it is kept."""
DULL = 30.0
"""Standard deviation of levels below which a patch is mostly left out: walls and skies are no products."""
PHOTOS = 120
SOUGHT = 12
"""Absent things sought in each picture, at most."""
LEAST_SEEN = 0.35
"""Share of a thing that must be seen for it to count as there; with less it counts as neither."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing as its reference photo shows it. bgr: uint8 (h, w, 3). mask: bool (h, w)."""

    name: str
    bgr: Pixels
    mask: Mask


@dataclass(frozen=True, slots=True)
class Tote:
    """A composed picture. boxes: xywh of what is seen of each thing in it. hidden: what is in it but hardly seen."""

    bgr: Pixels
    boxes: dict[str, tuple[float, float, float, float]]
    hidden: frozenset[str]


def totes(
    parcels: Path, rng: np.random.Generator, *, things: int, pictures: int, drawn: float = 0.0
) -> tuple[Taught, list[Lesson]]:
    """Composed boxes of patches of licensed photos (`parcels` holds annotations.json and images/), the share `drawn` of
    the things being drawn instead (`goods`).

    Photos of one group may show the same thing, so nothing is called absent of which a relative is in the picture.
    """
    told = json.loads((parcels / "annotations.json").read_text("utf-8"))["images"]
    chosen_photos = [told[i] for i in rng.choice(len(told), PHOTOS, replace=False)]
    photos = [np.asarray(cv2.imread(str(parcels / "images" / image["file_name"])), np.uint8) for image in chosen_photos]
    pool = [patch(photos[i % PHOTOS], f"tote-{i}", rng) for i in range(things)]
    group = {thing.name: str(chosen_photos[i % PHOTOS]["group_id"]) for i, thing in enumerate(pool)}
    for i in range(round(drawn * things)):
        pool[i] = Thing(f"tote-{i}", *goods.drawn(rng))
        group[pool[i].name] = pool[i].name
    taught: Taught = {thing.name: [(relit(thing.bgr, rng, 0.7), thing.mask)] for thing in pool}
    lessons = []
    for number in range(pictures):
        chosen = [pool[i] for i in rng.choice(len(pool), 2 * SOUGHT, replace=False)]
        inside = chosen[: int(rng.integers(7, 12))]
        made = compose(inside, ground(photos[int(rng.integers(PHOTOS))], rng), rng)
        relatives = {group[thing.name] for thing in inside}
        absent = [thing.name for thing in chosen[len(inside) :] if group[thing.name] not in relatives][:SOUGHT]
        truth = {name: [box] for name, box in made.boxes.items()} | {name: [] for name in absent}
        lessons.append(Lesson("drawn" if drawn > 0.5 else "totes", f"tote-{number}", made.bgr, truth))
    return taught, lessons


def patch(photo: Pixels, name: str, rng: np.random.Generator) -> Thing:
    """A piece of a photo, as if it were the print on a thing: rectangles mostly, some round, some with cut corners."""
    height, width = photo.shape[:2]
    proportion = float(np.exp(rng.uniform(-1.1, 1.1)))
    long_side = rng.uniform(0.3, 0.8) * min(height, width)
    w, h = (long_side, long_side / proportion) if proportion > 1 else (long_side * proportion, long_side)
    w, h = max(24, int(w)), max(24, int(h))
    x, y = int(rng.integers(0, max(1, width - w))), int(rng.integers(0, max(1, height - h)))
    piece = photo[y : y + h, x : x + w]
    if piece.std() < DULL and rng.random() < 0.8:
        return patch(photo, name, rng)
    scale = SIDE / max(piece.shape[:2])
    size = (max(16, round(piece.shape[1] * scale)), max(16, round(piece.shape[0] * scale)))
    piece = np.asarray(
        cv2.resize(piece, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )
    return Thing(name, piece, _shape(piece.shape[:2], rng))


def _shape(shape: tuple[int, ...], rng: np.random.Generator) -> Mask:
    height, width = shape[:2]
    mask = np.zeros((height, width), np.uint8)
    kind = rng.random()
    if kind < 0.6:
        mask[:] = 1
    elif kind < 0.75:
        cv2.ellipse(mask, (width // 2, height // 2), (width // 2 - 1, height // 2 - 1), 0, 0, 360, 1, cv2.FILLED)
    else:
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
        bent = corners + (0.5 - corners) * rng.uniform(0, 0.5, (4, 2))
        cv2.fillConvexPoly(mask, np.asarray(bent * [width - 1, height - 1], np.int32), 1)
    return mask.astype(np.bool_)


def relit(bgr: Pixels, rng: np.random.Generator, strength: float = 1.0) -> Pixels:
    """Under another light and through another camera: exposure, white balance, contrast, saturation, blur, noise."""
    cast = 1 + strength * rng.normal(0, 0.07, 3)
    gain, gamma = np.exp(strength * rng.normal(0, 0.22)), np.exp(strength * rng.normal(0, 0.15))
    levels = 255 * np.clip(bgr / 255.0, 0, 1) ** gamma * gain * cast
    grey = levels.mean(2, keepdims=True)
    levels = grey + (levels - grey) * np.exp(strength * rng.normal(0, 0.2))
    if rng.random() < 0.5:
        levels = cv2.GaussianBlur(levels, (0, 0), float(rng.uniform(0.3, 0.3 + 1.1 * strength)))
    levels = levels + rng.normal(0, rng.uniform(0, 5 * strength), levels.shape)
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


def compose(things: Sequence[Thing], ground: Pixels, rng: np.random.Generator) -> Tote:
    """Things laid over each other on a ground uint8 (h, w, 3): turned, tilted, lit unlike their reference photos."""
    height, width = ground.shape[:2]
    canvas = ground.copy()
    owner = np.full((height, width), -1, np.int32)
    whole = np.zeros(len(things))
    for index, thing in enumerate(things):
        matrix, cover = _pose(thing, (width, height), rng)
        shown = cv2.warpPerspective(relit(_shaded(thing.bgr, rng), rng), matrix, (width, height), flags=cv2.INTER_AREA)
        mask = cv2.warpPerspective(thing.mask.astype(np.float32), matrix, (width, height), flags=cv2.INTER_LINEAR)
        shadow = cv2.GaussianBlur(mask, (0, 0), 5)[..., None] * 0.45
        dark = canvas * (1 - np.roll(shadow, (4, 3), (0, 1)))
        canvas = np.asarray(mask[..., None] * shown + (1 - mask[..., None]) * dark, np.uint8)
        owner[mask > 0.5] = index
        whole[index] = max(1.0, cover)
    boxes, hidden = {}, set()
    for index, thing in enumerate(things):
        seen = owner == index
        if seen.sum() < LEAST_SEEN * whole[index]:
            hidden.add(thing.name)
            continue
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        x, y = float(columns[0]), float(rows[0])
        boxes[thing.name] = (x, y, float(columns[-1]) + 1 - x, float(rows[-1]) + 1 - y)
    return Tote(relit(canvas, rng, 0.4), boxes, frozenset(hidden))


def _pose(thing: Thing, size: tuple[int, int], rng: np.random.Generator) -> tuple[Floats, float]:
    """A perspective (3, 3) from the thing's pixels into the picture, and the pixels that the thing covers there."""
    height, width = thing.bgr.shape[:2]
    target = rng.uniform(0.12, 0.42) * max(size)
    half = np.array([(-width, -height), (width, -height), (width, height), (-width, height)]) / 2 / max(width, height)
    turn = rng.uniform(0, 2 * np.pi)
    tilt = np.array([[1, 0], [0, rng.uniform(0.7, 1.0)]])
    spin = rng.uniform(0, 2 * np.pi)
    back = _turned(spin) @ tilt @ _turned(-spin) @ _turned(turn)
    corners = half @ back.T * target + rng.normal(0, 0.02 * target, (4, 2))
    centre = rng.uniform(0.12, 0.88, 2) * size
    placed = np.asarray(corners + centre, np.float32)
    source = np.asarray([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    share = float(thing.mask.mean())
    return np.asarray(cv2.getPerspectiveTransform(source, placed), np.float32), share * cv2.contourArea(placed)


def _turned(angle: float) -> npt.NDArray[np.float64]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _shaded(bgr: Pixels, rng: np.random.Generator) -> Pixels:
    """A slope of light over the thing, and sometimes a glint on it."""
    height, width = bgr.shape[:2]
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    slope = 1 + rng.normal(0, 0.15) * x + rng.normal(0, 0.15) * y
    levels = bgr * slope[..., None]
    if rng.random() < 0.35:
        far = ((x - rng.uniform(-1, 1)) / rng.uniform(0.1, 0.6)) ** 2 + (
            (y - rng.uniform(-1, 1)) / rng.uniform(0.1, 0.6)
        ) ** 2
        glint = np.exp(-far)[..., None] * rng.uniform(0.3, 0.9)
        levels = levels * (1 - glint) + 255 * glint
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


def ground(photo: Pixels, rng: np.random.Generator, size: tuple[int, int] = (640, 480)) -> Pixels:
    """What things lie on: one colour with a slope of light, or a photo out of focus."""
    width, height = size
    if rng.random() < 0.5:
        colour = rng.uniform(20, 235, 3) * np.ones((height, width, 3))
        plain = _shaded(np.asarray(colour, np.uint8), rng)
        return relit(plain, rng, 0.5)
    blurred = cv2.GaussianBlur(cv2.resize(photo, size), (0, 0), float(rng.uniform(1, 12)))
    return np.asarray(blurred, np.uint8)
