"""Which views are made of which photo: the training set as a list of small jobs, each with its own seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import cv2
import numpy as np

from inspector.detector import crop_around
from models.scenes.outline import outline
from models.training.data import Mask, Photo, decode, fold_of
from models.training.dress import with_damage, with_harmless, with_prints
from models.training.piles import cutout, piled
from models.training.views import (
    MARGIN,
    Shot,
    View,
    cut,
    filled,
    look_at_frame,
    look_at_parcel,
    parted,
    shaken,
    shot_of,
    shrunk,
    tiled,
    varied,
    zoomed,
)

LEAST_PARCEL = 70.0
"""A parcel with a shorter side, in pixels of its photo, is not looked at a second time in training."""
PILES = 4.425
"""Piles of parcels for each picture."""


@dataclass(frozen=True, slots=True)
class Job:
    """One view to make. dress: "plain" (unchanged), "varied", "prints", "damage", "crowd", "mosaic", "shaken", "part"
    (cut anywhere), "pile", "close-up".

    box: for the second look.  others: the other three pictures of a mosaic, or those whose parcels are piled up.
    """

    photo: Photo
    look: str
    dress: str
    box: tuple[float, float, float, float] | None
    seed: tuple[int, ...]
    others: tuple[Photo, ...] = ()


def plan(photos: Sequence[Photo], seed: int) -> list[Job]:
    """All jobs, in the order of the photos; plain ones of every picture and several changed ones of each."""
    jobs: list[Job] = []
    for number, photo in enumerate(photos):
        for look, dress, box in _wanted(photo, np.random.default_rng([seed, number])):
            jobs.append(Job(photo, look, dress, box, (seed, number, len(jobs))))
    return jobs


def crowd(photos: Sequence[Photo], seed: int) -> list[Job]:
    """More second looks, each with many marks: what a mark looks like takes more examples than what a parcel does."""
    jobs: list[Job] = []
    for number, photo in enumerate(photos):
        boxes = [job.box for job in plan([photo], seed) if job.look == "parcel" and job.dress == "plain"]
        for box in boxes:
            for _ in range(7 if photo.source == "photos" else 3):
                jobs.append(Job(photo, "parcel", "crowd", box, (seed, number, len(jobs))))
    return jobs


def mosaics(photos: Sequence[Photo], seed: int, folds: int, each: int = 8) -> list[Job]:
    """First looks at four pictures at once, `each` per photo of parcels; all four are of the same fold."""
    jobs: list[Job] = []
    by_fold = [[p for p in photos if fold_of(p.group, folds) == fold] for fold in range(folds)]
    for number, photo in enumerate(photos):
        if photo.source != "photos":
            continue
        rng = np.random.default_rng([seed, number])
        fold = by_fold[fold_of(photo.group, folds)]
        real, drawn = ([p for p in fold if p.source == kind] for kind in ("photos", "renders"))
        signs = [p for p in fold if p.source == "signs"]
        for _ in range(each):
            others = tuple(kind[int(rng.integers(len(kind)))] for kind in (real, drawn or real, signs or real))
            jobs.append(Job(photo, "frame", "mosaic", None, (seed, number, len(jobs)), others))
    return jobs


def far_looks(photos: Sequence[Photo], seed: int, folds: int) -> list[Job]:
    """First looks that teach nothing but where parcels and labels are: each picture as it is, first and in order, then
    parts of it, and grounds with parcels of other pictures on them; a pile and its ground are of one fold.
    """
    jobs = [Job(photo, "frame", "plain", None, (seed, number)) for number, photo in enumerate(photos)]
    for number, photo in enumerate(photos):
        times = {"photos": (4, 8, 8), "signs": (0, 0, 3)}.get(photo.source, (1, 2, 1))
        for dress, count in zip(("prints", "varied", "part"), times, strict=True):
            jobs += [Job(photo, "frame", dress, None, (seed, number, len(jobs) + i)) for i in range(count)]
    jobs += mosaics(photos, seed + 1, folds, each=12)
    by_fold = [_Fold.of([p for p in photos if fold_of(p.group, folds) == fold]) for fold in range(folds)]
    for number in range(round(PILES * len(photos))):
        rng = np.random.default_rng([seed, number])
        fold = by_fold[number % folds]
        grounds = fold.grounds[str(rng.choice(["photos", "signs", "renders"], p=[0.5, 0.35, 0.15]))]
        if not fold.real and not fold.drawn:
            continue
        count = int(rng.integers(2, 7))
        pools = (fold.real if rng.random() < 0.4 else fold.drawn for _ in range(count))
        others = tuple(pool[int(rng.integers(len(pool)))] for pool in pools)
        ground = grounds[int(rng.integers(len(grounds)))]
        jobs.append(Job(ground, "frame", "pile", None, (seed, number, len(jobs)), others))
    return jobs


@dataclass(frozen=True, slots=True)
class _Fold:
    """What piles of one fold are made of. grounds: by source.  real, drawn: photos and renders of a parcel that can be
    cut out; where there is nothing of a kind, what there is of the others.
    """

    grounds: dict[str, list[Photo]]
    real: list[Photo]
    drawn: list[Photo]

    @classmethod
    def of(cls, photos: list[Photo]) -> _Fold:
        by_source = {kind: [p for p in photos if p.source == kind] for kind in ("photos", "signs", "renders")}
        real, drawn = ([p for p in by_source[kind] if _alone(p)] for kind in ("photos", "renders"))
        return cls({kind: some or photos for kind, some in by_source.items()}, real or drawn, drawn or real)


def close_ups(photos: Sequence[Photo], seed: int) -> list[Job]:
    """First looks that a parcel fills, or more than fills: piles and grounds teach that parcels are small."""
    jobs: list[Job] = []
    for number, photo in enumerate(photos):
        if photo.source not in ("photos", "renders") or not photo.judged[0]:
            continue
        for x1, y1, x2, y2 in photo.boxes[photo.classes == 0].tolist():
            if min(x2 - x1, y2 - y1) >= LEAST_PARCEL:
                for _ in range(8 if photo.source == "photos" else 2):
                    jobs.append(Job(photo, "frame", "close-up", (x1, y1, x2 - x1, y2 - y1), (seed, number, len(jobs))))
    return jobs


def _alone(photo: Photo) -> bool:
    """Whether the main parcel can be cut out: no other overlaps it."""
    if photo.main is None or min(photo.main_box()[2:]) < LEAST_PARCEL:
        return False
    x1, y1, x2, y2 = photo.boxes[photo.main]
    others = np.delete(photo.boxes, photo.main, 0)[np.delete(photo.classes, photo.main) == 0]
    return not any(a < x2 and c > x1 and b < y2 and d > y1 for a, b, c, d in others)


def shaken_looks(photos: Sequence[Photo], seed: int) -> list[Job]:
    """More second looks at what is known to show damage or none, each with another crop, turn and light.

    The judgement must not hang on a pixel of the crop; and a network that sees the same few crops of a parcel again and
    again learns them by heart. A pile of intact parcels, looked at as one, is not damage either.
    """
    jobs: list[Job] = []
    for number, photo in enumerate(photos):
        for dress, box in _shaken(photo):
            jobs.append(Job(photo, "parcel", dress, box, (seed, number, len(jobs))))
    return jobs


def _shaken(photo: Photo) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    if photo.source == "renders" and photo.main is not None:
        yield from [("shaken", photo.main_box())] * 3
    if photo.source != "photos" or photo.damaged is None:
        return
    corners = photo.boxes[photo.classes == 0]
    for x1, y1, x2, y2 in corners.tolist():
        box = (x1, y1, x2 - x1, y2 - y1)
        if min(box[2:]) >= LEAST_PARCEL:
            yield from [("shaken", box)] * 4
            if photo.damaged is False:
                yield from [("damage", box)] * 4
    if len(corners) > 1 and photo.damaged is False:
        (left, top), (right, bottom) = corners[:, :2].min(0).tolist(), corners[:, 2:].max(0).tolist()
        yield from [("shaken", (left, top, right - left, bottom - top))] * 6


def make(jobs: Sequence[Job]) -> Iterator[View]:
    """The views of the jobs, one after another; what is costly is done once per photo."""
    photo: Photo | None = None
    for job in jobs:
        if photo is not job.photo:
            photo, base, outlines = job.photo, shot_of(job.photo), {}
        rng = np.random.default_rng(job.seed)
        if job.dress == "mosaic":
            yield _mosaic(job, base, rng)
            continue
        if job.dress in ("part", "pile", "close-up"):
            shot = _cut_otherwise(job, base, rng)
            yield look_at_frame(varied(shot, rng), photo, plain=False)
            continue
        box = job.box if job.box is not None else photo.main_box() if photo.main is not None else None
        if job.dress == "plain" or box is None:
            shot = base if job.dress == "plain" else varied(zoomed(base, photo, rng), rng)
            yield (
                look_at_frame(shot, photo, plain=job.dress == "plain")
                if job.look == "frame"
                else look_at_parcel(shot, photo, _given(box), plain=True)
            )
            continue
        if job.dress == "shaken":  # nothing is drawn on it, so nobody asks for its outline
            yield _changed(job, base, box, np.zeros(base.pixels.shape[:2], bool), rng)
            continue
        if box not in outlines:
            outlines[box] = _outline(photo, base, box)
        yield _changed(job, base, box, outlines[box], rng)


def _mosaic(job: Job, base: Shot, rng: np.random.Generator) -> View:
    shots = [base, *(shot_of(photo) for photo in job.others)]
    pictures = (job.photo, *job.others)
    changed = [varied(zoomed(s, p, rng), rng) for s, p in zip(shots, pictures, strict=True)]
    order = rng.permutation(len(changed))
    return look_at_frame(tiled([changed[i] for i in order], rng), job.photo, plain=False)


def _cut_otherwise(job: Job, base: Shot, rng: np.random.Generator) -> Shot:
    if job.dress == "close-up":
        return filled(base, _given(job.box), rng)
    return parted(base, rng) if job.dress == "part" else _pile(job, base, rng)


def _pile(job: Job, base: Shot, rng: np.random.Generator) -> Shot:
    parcels = []
    for photo in job.others:
        pixels = photo.read()
        x, y, w, h = photo.main_box()
        mask = decode(photo.outline) if photo.outline is not None else outline(pixels, (x, y, x + w, y + h))
        parcels.append(cutout(pixels, mask))
    ground = parted(base, rng, least=0.6) if rng.random() < 0.5 else base
    return piled(shrunk(ground), [p for p in parcels if p is not None], rng)


def _wanted(
    photo: Photo, rng: np.random.Generator
) -> Iterator[tuple[str, str, tuple[float, float, float, float] | None]]:
    if photo.source == "signs":
        if rng.random() < 0.5:
            yield "frame", "plain", None
        return
    yield "frame", "plain", None
    if photo.source == "photos":
        yield from [("frame", "prints", None)] * 4 + [("frame", "varied", None)] * 2
        for x1, y1, x2, y2 in photo.boxes[photo.classes == 0].tolist():
            box = (x1, y1, x2 - x1, y2 - y1)
            if min(box[2:]) < LEAST_PARCEL or photo.damaged is None:
                continue
            yield "parcel", "plain", box
            yield from [("parcel", "prints", box)] * 3
            if photo.damaged is False:
                yield from [("parcel", "damage", box)] * 3
        return
    yield from [("frame", "prints", None), ("frame", "varied", None)]
    if photo.source == "renders" and photo.main is not None:
        yield "parcel", "plain", None
        yield from [("parcel", "prints", None)] * 2 + [("parcel", "varied", None)]


def _changed(
    job: Job, base: Shot, box: tuple[float, float, float, float], parcel: Mask, rng: np.random.Generator
) -> View:
    """A view that is not plain: dressed in the parcel's own surroundings, then turned, recoloured and looked at."""
    shot, mask = base, parcel
    if job.look == "parcel":
        box = shaken(box, rng)
        pixels, left, top = crop_around(base.pixels, box, MARGIN)
        height, width = pixels.shape[:2]
        shot = cut(base, left, top, width, height)
        mask = parcel[top : top + height, left : left + width]
        # Small parcels are enlarged first, so that what is drawn on them is not drawn in three pixels.
        shot, mask = _enlarged(shot, mask)
    if mask.any():
        if job.dress == "damage" and rng.random() < 0.5:
            shot = with_prints(shot, mask, rng, most=2)
        if job.dress == "prints":
            shot = with_prints(shot, mask, rng)
        if job.dress == "damage":
            shot = with_damage(shot, mask, rng)
        if job.dress == "crowd":
            shot = with_prints(shot, mask, rng, most=9)
        if job.dress in ("prints", "damage"):
            shot = with_harmless(shot, mask, rng)
    if job.look == "frame":
        shot = varied(zoomed(shot, job.photo, rng), rng)
        return look_at_frame(shot, job.photo, plain=False)
    height, width = shot.pixels.shape[:2]
    shot = varied(shot, rng)
    if job.dress == "crowd":  # says nothing new about damage
        shot = replace(shot, damaged=None)
    height, width = shot.pixels.shape[:2]
    return look_at_parcel(shot, job.photo, (0.0, 0.0, float(width), float(height)), plain=False)


def _enlarged(shot: Shot, mask: Mask, side: int = 320) -> tuple[Shot, Mask]:
    height, width = mask.shape
    scale = side / max(height, width)
    if scale <= 1:
        return shot, mask
    size = (round(width * scale), round(height * scale))
    damage = shot.damage
    if damage is not None:
        damage = np.stack([cv2.resize(k.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR) > 0 for k in damage])
    larger = replace(
        shot,
        pixels=np.asarray(cv2.resize(shot.pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8),
        boxes=(shot.boxes * (size[0] / width, size[1] / height, size[0] / width, size[1] / height)).astype(np.float32),
        damage=damage,
    )
    return larger, np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR) > 0)


def _outline(photo: Photo, base: Shot, box: tuple[float, float, float, float]) -> Mask:
    """The parcel's pixels: known of renders, found on photos."""
    if photo.outline is not None:
        return decode(photo.outline)
    x, y, w, h = box
    return outline(base.pixels, (x, y, x + w, y + h))


def _given(box: tuple[float, float, float, float] | None) -> tuple[float, float, float, float]:
    if box is None:
        raise ValueError("a second look needs a parcel to look at")
    return box


def make_ahead(jobs: Sequence[Job]) -> Iterator[View]:
    """`make` in a process of its own, so that views are drawn while the network looks at earlier ones."""
    starts = [i for i, job in enumerate(jobs) if i == 0 or job.photo is not jobs[i - 1].photo]
    pieces = [list(jobs[a:b]) for a, b in zip(starts, [*starts[1:], len(jobs)], strict=True)]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for views in pool.map(_make_all, pieces):
            yield from views


def _make_all(jobs: list[Job]) -> list[View]:
    cv2.setNumThreads(1)
    return list(make(jobs))
