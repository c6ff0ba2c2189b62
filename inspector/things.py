"""Where in a picture of an open box surely one thing lies, whatever it is: no void fill, hand, flap or floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inspector.detector import Floats
from inspector.embedder import unit
from inspector.matching import overlap
from inspector.scene import Scene, normalised, within
from inspector.verdict import Box

WEIGHTS = {
    "around": -6.047,
    "colours": -1.646,
    "size": 0.494,
    "size_squared": -0.117,
    "rim": -1.003,
    "off_centre": -2.87,
    "points": 0.954,
    "taught": 11.565,
    "usual": -5.49,
}
BIAS = 4.013
FITTED = "0.6.0"
"""The embedder whose cosines these are; for another one, or keypoints of another size (`inspector.scene`),
`python -m models.training.things` fits them anew."""
RING = 1.5
"""Cells around a place that are its surroundings."""
RIM = 0.03
"""Share of the picture's shorter side in which a place touches its rim: flaps, floor and arms come from there."""
SPREAD = 256
"""Taught views that tell what things look like; more make everything look like something."""
SAME = 0.4
"""Intersection over the smaller one from which on two places are one thing."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A place where one thing seems to lie. odds: log odds of it. box: xywh in pixels. look: float32 (dim,)."""

    odds: float
    box: Box
    look: Floats


def things(scene: Scene, taught: Floats, least: float) -> list[Thing]:
    """Places with log odds of at least `least`, surest first, none of which shares much with a surer one.

    taught: float32 (n, dim), what the shop's things look like. What tells a thing from what it lies on:

    around, usual  cosine of its description to that of its surroundings, and of the whole picture
    colours        Bhattacharyya coefficient of its colours and those of its surroundings
    size           log of its share of the picture, and that squared: things have the size of things
    rim, off_centre  whether it touches the picture's rim; how far it lies from the middle, as a share of the side
    points         log of how densely keypoints lie in it, beside the whole picture
    taught         cosine to the nearest taught view: a shop's things look more like each other than paper does

    A logistic regression; how often it is right is in docs/contents.md.
    """
    windows = scene.windows[: scene.proposed]
    if not len(windows) or not len(taught):
        return []
    boxes, looks = scene.to_pixels(windows), scene.looks[: scene.proposed]
    odds = evidence(scene, taught) @ np.asarray(list(WEIGHTS.values()), np.float32) + BIAS
    kept: list[int] = []
    for i in np.argsort(-odds, kind="stable"):
        if odds[i] < least:
            break
        if not kept or shared(boxes[kept], boxes[i]).max() <= SAME:
            kept.append(int(i))
    return [Thing(float(odds[i]), _box(boxes[i]), looks[i]) for i in kept]


def evidence(scene: Scene, taught: Floats) -> Floats:
    """Of each proposed place, float32 (proposed, len(WEIGHTS)), in the order of WEIGHTS; see `things`."""
    windows, looks = scene.windows[: scene.proposed], scene.looks[: scene.proposed]
    boxes = scene.to_pixels(windows)
    wide = np.concatenate([windows[:, :2] - RING, windows[:, 2:] + 2 * RING], 1)
    ring = unit(within(scene.cell_sums, wide) - within(scene.cell_sums, windows))
    colours, all_colours = (np.maximum(within(scene.colour_sums, w), 0) for w in (windows, wide))
    beside = normalised(np.maximum(all_colours - colours, 0))
    size = np.asarray(scene.size, np.float32)
    share = boxes[:, 2:].prod(1) / size.prod()
    rim = RIM * size.min()
    points = scene.keypoints.places
    inside = (points >= boxes[:, None, :2]) & (points <= boxes[:, None, :2] + boxes[:, None, 2:])
    dense = inside.all(2).sum(1) / np.maximum(share, 1e-4) / max(1, len(points))
    usual = unit(scene.cells.reshape(-1, scene.cells.shape[-1]).mean(0))
    return np.stack(
        [
            (looks * ring).sum(1),
            (np.sqrt(normalised(colours)) * np.sqrt(beside)).sum(1),
            np.log(share),
            np.log(share) ** 2,
            (boxes[:, :2] < rim).any(1) | (boxes[:, :2] + boxes[:, 2:] > size - rim).any(1),
            np.abs((boxes[:, :2] + boxes[:, 2:] / 2) / size - 0.5).max(1),
            np.log1p(dense),
            (looks @ _spread(taught).T).max(1),
            looks @ usual,
        ],
        axis=1,
    ).astype(np.float32)


def _spread(taught: Floats) -> Floats:
    return taught if len(taught) <= SPREAD else taught[np.linspace(0, len(taught) - 1, SPREAD).astype(np.intp)]


def shared(boxes: Floats, box: npt.ArrayLike) -> Floats:
    """Intersection over the smaller one of boxes xywh (n, 4) and one: float32 (n,)."""
    one = np.asarray(box, np.float32)
    near, far = np.maximum(boxes[:, :2], one[:2]), np.minimum(boxes[:, :2] + boxes[:, 2:], one[:2] + one[2:])
    common = np.clip(far - near, 0, None).prod(1)
    return np.asarray(common / np.maximum(np.minimum(boxes[:, 2:].prod(1), one[2:].prod()), 1e-6), np.float32)


def same_place(box: Box, other: Box, iou: float) -> bool:
    """Whether two boxes overlap by at least `iou`."""
    return bool(overlap(np.asarray([box], np.float32), np.asarray(other, np.float32))[0] >= iou)


def _box(box: Floats) -> Box:
    x, y, w, h = (float(v) for v in box)
    return x, y, w, h
