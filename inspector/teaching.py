"""From a photo to a reference of an item: cut out, looked at critically, kept only when it helps to know the item."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf, log

import cv2
import numpy as np

from inspector.cutout import cut_from_box
from inspector.embedder import Embedder
from inspector.frame import FrameError, Limits, Pixels, decode
from inspector.gallery import Gallery, GalleryError, Likeness
from inspector.item_records import LONGEST_SIDE, Mask, ReferenceRecord, item_id
from inspector.lookalikes import taken_for
from inspector.quality import sharpness
from inspector.verdict import Box

CutOut = Callable[[Pixels], Sequence[tuple[Pixels, Mask]]]
"""`inspector.cutout.cut_out`: a photo -> the things on it, each (bgr crop, mask)."""

SMALLEST = 80
"""Pixels of the longer side of a thing on a photo to teach from."""
SMALLEST_IN_BOX = 24
"""Pixels of the longer side of a thing in a picture of an open box."""
SHARPEST_ENOUGH = 0.03
"""See `inspector.quality.sharpness`; the same limit as for parcels."""
TAUGHT_TWICE = 0.05
"""How often a person teaches what was taught before under another name: assumed, for want of benches to measure it."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture file to teach from. name: what messages call it."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the content, hexadecimal: the same photo again teaches nothing new."""
        return hashlib.sha256(self.content).hexdigest()


class ViewError(Exception):
    """A photo that would not help. code: unreadable, nothing, several, too_small, blurred or alike.

    str() says what is wrong and what to do. like: the item it looks like, where the code is alike.
    """

    def __init__(self, code: str, text: str, like: Likeness | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.like = like


@dataclass(frozen=True, slots=True)
class Refused:
    """A photo of which another view is asked for, and why."""

    photo: str
    error: ViewError


@dataclass(frozen=True, slots=True)
class Lesson:
    """What came of teaching. kept: photo name -> id of its reference. known: photos that were taught before.

    like: of kept photos, the other item that they look like, though not so much that they were refused.
    """

    item: str
    kept: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    like: dict[str, Likeness] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()


def teach(
    gallery: Gallery,
    item: str,
    photos: Sequence[Photo],
    cut_out: CutOut,
    *,
    name: str | None = None,
    weight_g: float | None = None,
    weight_sd_g: float | None = None,
    by: str | None = None,
    at: datetime,
    though_alike: bool = False,
    limits: Limits = Limits(),
) -> Lesson:
    """Keep what is good of these photos as references of `item`; of the others say what another view should show.

    An item of which no photo was good is not there afterwards either, unless it was before. though_alike: keep also
    what looks like another item, because a person knows that they are two. Raises GalleryError; nothing is kept then.
    """
    item = item_id(item)
    known, kept, refused, records = dict[str, str](), list[str](), list[Refused](), list[ReferenceRecord]()
    like = dict[str, Likeness]()
    for photo in photos:
        before = gallery.cut_from(item, photo.sha256)
        if before:
            known[photo.name] = before[0]
            continue
        try:
            bgr, mask = only_thing(photo, cut_out, limits)
            record = ReferenceRecord.of(item, bgr, mask, at=at, by=by, source=photo.sha256, counter=False)
            if not though_alike and (other := _like_another(gallery, record)) is not None:
                like[photo.name] = other
        except ViewError as error:
            refused.append(Refused(photo.name, error))
            continue
        kept.append(photo.name)
        records.append(record)
    if records or known or (not photos and gallery.records([item])):
        gallery.teach(item, records, name=name, weight_g=weight_g, weight_sd_g=weight_sd_g, by=by, at=at)
    elif not photos:
        raise GalleryError(f"{item!r} is not taught yet: give at least one photo of it; nothing was stored")
    ids = {photo: record.id for photo, record in zip(kept, records, strict=True)}
    return Lesson(item, ids, known, like, tuple(refused))


def only_thing(photo: Photo, cut_out: CutOut, limits: Limits = Limits()) -> tuple[Pixels, Mask]:
    """The one thing on a photo, cut out and good enough to teach from. Raises ViewError."""
    try:
        frame = decode(photo.content, name=photo.name, limits=limits)
    except FrameError as error:
        raise ViewError("unreadable", error.reason) from error
    things = cut_out(frame.bgr)
    if not things:
        raise ViewError("nothing", "nothing stands out: lay the item alone on a plain ground of another colour")
    if len(things) > 1:
        raise ViewError("several", f"{len(things)} things are in the photo: show this item alone")
    bgr, mask = things[0]
    check_view(bgr, mask)
    return bgr, mask


def check_view(bgr: Pixels, mask: Mask, smallest: int = SMALLEST) -> None:
    """Raises ViewError where a cut-out thing is too small or blurred."""
    long_side = max(_extent(mask))
    if long_side < smallest:
        raise ViewError("too_small", f"it is only {long_side} pixels long, at least {smallest} are needed: go closer")
    scale = min(1.0, LONGEST_SIDE / max(bgr.shape[:2]))
    grey = cv2.cvtColor(cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    if sharpness(np.asarray(grey, np.uint8)) < SHARPEST_ENOUGH:
        raise ViewError("blurred", "it is blurred: hold still, clean the lens, give it more light")


def from_box(bgr: Pixels, box: Box) -> tuple[Pixels, Mask]:
    """What lies in a box of a picture: cut out from what lies around it.

    Raises ViewError when the box lies outside the picture or is too small to learn from.
    """
    x, y, w, h = box
    height, width = bgr.shape[:2]
    left, top, right, bottom = max(0.0, x), max(0.0, y), min(float(width), x + w), min(float(height), y + h)
    if right - left < 1 or bottom - top < 1 or max(right - left, bottom - top) < SMALLEST_IN_BOX:
        raise ViewError("too_small", f"the box shows less than {SMALLEST_IN_BOX} pixels of the picture: draw it larger")
    return cut_from_box(bgr, (left, top, right - left, bottom - top))


def _like_another(gallery: Gallery, record: ReferenceRecord) -> Likeness | None:
    """Another taught item that looks more like this view than the item itself does, where the check of an open box may
    take this view for it. Raises ViewError where that is likely even though a person says that it is another item.

    The more items are taught, the likelier one of them looks like this view by chance: evidence must outweigh that.
    """
    bgr, mask = record.pixels()  # compared as it would be kept, so that the answer is the same when it is
    vector = gallery.embedder.embed([bgr], [mask])
    (other,) = gallery.nearest(vector, but=[record.item])
    if other is None:
        return None
    known = gallery.items([record.item, other.item])
    accept = known[other.item].accept or gallery.embedder.alike
    own = known.get(record.item)
    nearest = -1.0 if own is None else float((own.embeddings @ vector[0]).max())
    if other.cosine < accept or other.cosine <= nearest:
        return None
    embedder = gallery.embedder
    odds = taken_for(bgr, mask, known[other.item], embedder) if isinstance(embedder, Embedder) else inf
    of_all = odds - log(len(gallery.ids()))
    if of_all > -log(TAUGHT_TWICE):
        raise ViewError(
            "alike", f"it looks like {other.item!r} ({other.cosine:.2f} of 1): show the side that differs", other
        )
    return other if of_all > 0 else None


def _extent(mask: Mask) -> tuple[int, int]:
    """Width and height of what the mask keeps."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return 0, 0
    return int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)
