"""Where in one picture a taught item may lie, and what speaks for it there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inspector.detector import Floats
from inspector.scene import Keypoints, Scene, corners, hues, summed, within
from inspector.template import Template, View

EVIDENCE = ("likeness", "lead", "parts", "coverage", "colour", "keypoints", "geometry", "shape")
"""What speaks for an item at a place, in this order; see `candidates`."""
COVERAGE = EVIDENCE.index("coverage")
CORRECTIONS = 3
"""Views from boxes that are asked for an item, the newest: each costs a search of its own, 5 ms of two cores."""
SAMPLED = 150
"""Places on which it is worked out how much of a view any picture of boxes covers."""
WINDOWS, WINDOWS_A_PIECE = 16, 20
"""Places looked at closely for each item: so many, and so many more for each further piece. Among fewer, every fourth
piece of things that lie together had no place of its own.
"""
LEAST_SHARED = 12
"""Keypoints of which the agreeing ones are a share, at least: three of four prove nothing."""
MOST_PIECES = 12
RATIO = 0.85
"""Lowe's ratio: a keypoint's best match must be this much nearer than its second best."""
PLACE_TOLERANCE, SIZE_TOLERANCE, TURN_TOLERANCE = 0.1, 0.5, 0.5
"""How far a match may lie from where another's pose puts it: share of the item's size, log of sizes, radians."""
LEAST_INLIERS = 3
ON_POSE = 0.3
"""Intersection over union from which on a place is where a pose says."""
BY_CHANCE = 4
LARGEST_BY_CHANCE = 0.2
"""Share of the picture that a place may have on which no more keypoints agree than by chance: such poses are mostly
large, for what agrees is told in shares of the thing's size.
"""
COPIES = 12
"""Poses sought for one reference: copies of a thing that lie side by side."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Places where one item may lie. boxes: float32 (n, 4), xywh in pixels. evidence: float32 (n, len(EVIDENCE)).

    handicap: float32 (n,), log odds less for having been found by one of several views any of which may err.
    """

    boxes: Floats
    evidence: Floats
    handicap: Floats


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the keypoints say that the item lies. box: float32 (4,), xywh in pixels. inliers: keypoints that agree."""

    box: Floats
    inliers: int
    share: float


def candidates(template: Template, scene: Scene, cohort: Floats, pieces: int = 1) -> Candidates:
    """Places of one item in one picture, more for more pieces, with the evidence for it, none of which decides alone:

    likeness   cosine of the place's description and the item's, in units of how it spreads over the cohort (float32
               (k, dim), descriptions of things that it is not) for this place and for this item: s-norm of speaker
               verification (Shum et al. 2010).
    lead       by how much the place is more like the item than the picture is elsewhere, in standard deviations.
    parts      mean over the place's cells of the best match among the item's parts, less that of the whole picture.
    coverage   mean over the item's parts of their best match in the place.
    colour     Bhattacharyya coefficient of colours, colours that are everywhere in the picture counting less.
    keypoints  log of how many more matches than four agree on one pose; up to four agree by chance.
    geometry   share of the keypoints that agree, of the item's or of those at the place, whichever are fewer.
    shape      how far the proportions differ, |log|, turned either way.

    Views that were cut from pictures of boxes (corrections) are asked each by itself: all of them, and evidence of one
    beside that of another, would say of everything in a box that it may be the item. And such a view is everywhere more
    like a box than a photo is, for its light, its blur and what is left of its surroundings: as much is taken off.
    """
    photos = [i for i, view in enumerate(template.views) if not view.in_box]
    boxed = [i for i, view in enumerate(template.views) if view.in_box][-CORRECTIONS:]
    found = [_candidates(template.only(photos), scene, cohort, pieces)] if photos else []
    usual = max((_everywhere(template.views[i], scene) for i in photos), default=np.inf) if boxed else np.inf
    for i in boxed:
        one = _candidates(template.only([i]), scene, cohort, pieces)
        one.evidence[:, COVERAGE] -= max(0.0, _everywhere(template.views[i], scene) - usual)
        found.append(replace(one, handicap=one.handicap + np.float32(np.log(1 + len(boxed)))))
    return Candidates(
        np.concatenate([one.boxes for one in found]),
        np.concatenate([one.evidence for one in found]),
        np.concatenate([one.handicap for one in found]),
    )


def _candidates(template: Template, scene: Scene, cohort: Floats, pieces: int) -> Candidates:
    """See `candidates`; all views together."""
    looks, windows = scene.looks, scene.windows
    cosine = (looks @ template.prototypes.T).max(1)
    if len(template.against):
        cosine = np.minimum(cosine, cosine - 0.5 * np.clip((looks @ template.against.T).max(1) - cosine, 0, None))
    parts = [scene.cells @ view.tokens.T for view in template.views]
    explained = np.max([part.max(-1) for part in parts], axis=0).astype(np.float32)
    explained -= explained.mean()
    table = summed(explained[..., None])
    cells = np.maximum(1, np.round(windows[:, 2]) * np.round(windows[:, 3]))
    inside = within(table, windows)[:, 0] / cells
    own_hues = hues(np.stack([view.palette for view in template.views]), scene.rarity).T
    colour = (scene.hues @ own_hues).max(1)
    first = cosine + 0.5 * inside + 0.3 * colour
    chosen = _best_apart(first, windows, WINDOWS + WINDOWS_A_PIECE * (min(pieces, MOST_PIECES) - 1))
    poses = [pose for view in template.views for pose in _poses(view, scene)]
    posed = scene.to_cells(np.stack([pose.box for pose in poses])) if poses else np.zeros((0, 4), np.float32)
    places = np.concatenate([windows[chosen], posed])
    look = np.concatenate([looks[chosen], scene.look_at(posed)])
    colours = np.concatenate([scene.hues[chosen], scene.hues_at(posed)])
    at = (look @ template.prototypes.T).max(1)
    area = np.maximum(1, np.round(places[:, 2]) * np.round(places[:, 3]))
    points, share, exact = _geometry(places, posed, poses)
    evidence = np.stack(
        [
            _normed(look, at, template, cohort),
            (at - cosine.mean()) / max(float(cosine.std()), 1e-6),
            within(table, places)[:, 0] / area,
            _coverage(parts, places),
            (colours @ own_hues).max(1),
            points,
            share,
            np.min([_shape(view, scene.to_pixels(places)) for view in template.views], axis=0),
        ],
        axis=1,
    )
    return Candidates(scene.to_pixels(exact), np.asarray(evidence, np.float32), np.zeros(len(exact), np.float32))


def _normed(look: Floats, cosine: Floats, template: Template, cohort: Floats) -> Floats:
    """S-norm of the cosine between places and the item."""
    to_place, to_item = look @ cohort.T, (template.prototypes @ cohort.T).max(0)
    by_place = (cosine - to_place.mean(1)) / np.maximum(to_place.std(1), 1e-6)
    by_item = (cosine - to_item.mean()) / max(float(to_item.std()), 1e-6)
    return np.asarray(0.5 * (by_place + by_item), np.float32)


def _coverage(parts: list[Floats], places: Floats) -> Floats:
    """Mean over an item's parts of their best match in each place; the best view counts."""
    rows, columns = parts[0].shape[:2]
    found = np.zeros(len(places), np.float32)
    for i, (x0, y0, x1, y1) in enumerate(zip(*corners(places, rows, columns), strict=True)):
        found[i] = max(float(part[y0:y1, x0:x1].max((0, 1)).mean()) for part in parts)
    return found


def _everywhere(view: View, scene: Scene) -> float:
    """The mean coverage of one view over places all over the picture."""
    windows = scene.windows[:: max(1, len(scene.windows) // SAMPLED)]
    return float(_coverage([scene.cells @ view.tokens.T], windows).mean())


def _shape(view: View, boxes: Floats) -> Floats:
    """|log| of how the proportions of boxes differ from the view's; a quarter turn is no difference."""
    mine, theirs = np.log(view.size[0] / view.size[1]), np.log(boxes[:, 2] / np.maximum(boxes[:, 3], 1e-6))
    return np.asarray(np.minimum(np.abs(theirs - mine), np.abs(theirs + mine)), np.float32)


def _geometry(places: Floats, posed: Floats, poses: list[Pose]) -> tuple[Floats, Floats, Floats]:
    """For each place, log(inliers / 4), the share of inliers of the best pose that lies there, and the place itself: a
    pose knows better than a window where the item ends.
    """
    points, share, exact = np.zeros(len(places), np.float32), np.zeros(len(places), np.float32), places.copy()
    for pose, box in zip(poses, posed, strict=True):
        more = float(np.log(max(pose.inliers, BY_CHANCE) / BY_CHANCE))
        there = (overlap(places, box) > ON_POSE) & (more > points)
        points[there], share[there], exact[there] = more, pose.share, box
    return points, share, exact


def _best_apart(score: Floats, windows: Floats, most: int, apart: float = 0.55) -> np.ndarray:
    """Indices of the best windows, none of which overlaps a better one by more than `apart`."""
    order = np.argsort(-score, kind="stable")[: 40 * most]
    boxes, free = windows[order], np.ones(len(order), np.bool_)
    kept: list[int] = []
    while len(kept) < most and free.any():
        best = int(free.argmax())
        kept.append(best)
        free &= overlap(boxes, boxes[best]) <= apart
        free[best] = False
    return order[kept]


def overlap(boxes: Floats, box: Floats) -> Floats:
    """Intersection over union of boxes xywh (n, 4) with one: float32 (n,)."""
    near, far = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
    common = np.clip(far - near, 0, None).prod(1)
    union = boxes[:, 2] * boxes[:, 3] + box[2] * box[3] - common
    return np.asarray(common / np.maximum(union, 1e-9), np.float32)


def _poses(view: View, scene: Scene) -> list[Pose]:
    """Poses on which keypoint matches agree, best first, for as many copies as there are.

    One match alone tells a whole similarity pose, from place, size and angle of its two keypoints (Lowe 2004, 7.3).
    Each match's pose is asked how many others it explains; the best is taken with its matches, then the next. Unlike
    RANSAC it draws no lots, and a match must agree in size and angle too, so that few chance agreements remain.
    """
    mine, theirs = view.keypoints, scene.keypoints
    if len(mine) < LEAST_INLIERS or len(theirs) < LEAST_INLIERS:
        return []
    pairs = _matches(mine, theirs)
    if len(pairs) < LEAST_INLIERS:
        return []
    agree = _agreement(mine, theirs, pairs, max(view.size))
    left = np.ones(len(pairs), np.bool_)
    found = []
    for _ in range(COPIES):
        support = (agree & left).sum(1) * left
        best = int(support.argmax())
        members = np.flatnonzero(agree[best] & left)
        inliers = min(len(np.unique(pairs[members, 0])), len(np.unique(pairs[members, 1])))
        if inliers < LEAST_INLIERS:
            break
        source, target = mine.places[pairs[members, 0]], theirs.places[pairs[members, 1]]
        box = _placed(view.outline, _fitted(source, target), scene.size)
        if box is not None and (inliers > BY_CHANCE or box[2] * box[3] < LARGEST_BY_CHANCE * np.prod(scene.size)):
            inside = ((theirs.places >= box[:2]) & (theirs.places <= box[:2] + box[2:])).all(1).sum()
            found.append(Pose(box, inliers, inliers / max(LEAST_SHARED, min(len(mine), int(inside)))))
        left[members] = False
    return found


def _agreement(mine: Keypoints, theirs: Keypoints, pairs: np.ndarray, size: float) -> np.ndarray:
    """Whether the pose of match i explains match j, bool (n, n). size: of the item, in its photo's pixels."""
    one, two = pairs[:, 0], pairs[:, 1]
    scale = theirs.sizes[two] / np.maximum(mine.sizes[one], 1e-6)
    turn = np.deg2rad(theirs.angles[two] - mine.angles[one])
    across = (scale * np.exp(1j * turn)).astype(np.complex64)
    source = (mine.places[one] @ np.array([1, 1j], np.complex64)).astype(np.complex64)
    target = (theirs.places[two] @ np.array([1, 1j], np.complex64)).astype(np.complex64)
    off = np.abs(target[:, None] + across[:, None] * (source[None] - source[:, None]) - target[None])
    near = off < PLACE_TOLERANCE * scale[:, None] * size
    ratio = across[None] / across[:, None]
    return np.asarray(
        near & (np.abs(np.log(np.abs(ratio))) < SIZE_TOLERANCE) & (np.abs(np.angle(ratio)) < TURN_TOLERANCE)
    )


def _matches(mine: Keypoints, theirs: Keypoints) -> np.ndarray:
    """Pairs (n, 2) of indices: every keypoint of the picture with the nearest of the item's, if clearly nearest.

    In this direction several copies of the item may match.
    """
    similar = theirs.descriptors @ mine.descriptors.T
    best = similar.argmax(1)
    rows = np.arange(len(best))
    top = similar[rows, best]
    similar[rows, best] = -1
    second = similar.max(1)
    near = np.sqrt(np.clip(2 - 2 * top, 0, None)) < RATIO * np.sqrt(np.clip(2 - 2 * second, 1e-9, None))
    return np.stack([best[near], rows[near]], 1)


def _fitted(source: Floats, target: Floats) -> Floats:
    """The similarity (2, 3) that takes points (n, 2) nearest to others, in the least squares (Umeyama 1991, in complex
    numbers).
    """
    one, two = source @ np.array([1, 1j]), target @ np.array([1, 1j])
    centred = one - one.mean()
    across = (np.conj(centred) * (two - two.mean())).sum() / max(float((np.abs(centred) ** 2).sum()), 1e-9)
    shift = two.mean() - across * one.mean()
    return np.asarray([[across.real, -across.imag, shift.real], [across.imag, across.real, shift.imag]], np.float32)


def _placed(outline: Floats, pose: Floats, size: tuple[int, int]) -> Floats | None:
    """The item's box in the picture under a pose; None where that is no place for a thing."""
    placed = outline @ pose[:, :2].T + pose[:, 2]
    low, high = placed.min(0), placed.max(0)
    low, high = np.maximum(low, 0), np.minimum(high, np.asarray(size, np.float32))
    w, h = high - low
    if min(w, h) < 0.01 * max(size) or w * h > 0.8 * size[0] * size[1]:
        return None
    return np.asarray([low[0], low[1], w, h], np.float32)
