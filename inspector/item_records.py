"""Items and references as they are kept in a gallery's file and travel in its exports: bytes, not pixels."""

from __future__ import annotations

import hashlib
import math
import sqlite3
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from inspector.frame import Pixels
from inspector.gallery_file import GalleryError

Mask = npt.NDArray[np.bool_]

LONGEST_SIDE = 512
"""Pixels of a kept reference: more than any item has in a picture of an open box."""
QUALITY = 95
HEAVIEST = 1e6
"""Grams."""


@dataclass(frozen=True, slots=True)
class ReferenceRecord:
    """A reference as it is kept: a JPEG, a PNG of the mask (white on the thing), and where it came from.

    id: see `reference_id`. source: sha256 of the photo it was cut from.
    """

    id: str
    item: str
    picture: bytes
    mask: bytes
    counter: bool
    added_at: str
    added_by: str | None = None
    source: str | None = None

    @classmethod
    def of(
        cls, item: str, bgr: Pixels, mask: Mask, *, at: datetime, by: str | None, source: str | None, counter: bool
    ) -> ReferenceRecord:
        """From pixels, made smaller where they are more than is ever used."""
        scale = LONGEST_SIDE / max(bgr.shape[:2])
        if scale < 1:
            size = max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale))
            bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
            mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
        picture = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        drawn = cv2.imencode(".png", mask.astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes()
        return cls(
            reference_id(item, picture, drawn, counter=counter), item, picture, drawn, counter, text_of(at), by, source
        )

    def pixels(self) -> tuple[Pixels, Mask]:
        """Picture and mask. Raises GalleryError when they are damaged."""
        try:
            return _pixels(self.picture, self.mask)
        except (ValueError, cv2.error) as error:
            raise GalleryError(
                f"the reference {self.id} of {self.item!r} is damaged ({error}); remove it with `lastlook items remove "
                f"{self.item} --reference {self.id}` and teach another view"
            ) from error


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """An item as it is kept, with its references; see `Item`. change: grows with every change in the gallery."""

    item: str
    name: str | None
    weight_g: float | None
    weight_sd_g: float | None
    taught_at: str
    taught_by: str | None
    references: tuple[ReferenceRecord, ...] = ()
    change: int = 0
    accept: float | None = None


def reference_id(item: str, picture: bytes, mask: bytes, *, counter: bool) -> str:
    """32 hexadecimal digits that follow from the content, so that a reference is the same one on every computer."""
    digest = hashlib.sha256(f"{item}\0{'not ' if counter else ''}this\0".encode())
    for part in (picture, mask):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:32]


def item_id(text: str) -> str:
    """An item's id in Unicode's normal form C, so that an id typed on two systems is one. Raises GalleryError."""
    text = unicodedata.normalize("NFC", text)
    if not 1 <= len(text) <= 200 or any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
        raise GalleryError(f"{text[:40]!r} cannot be an item's id: 1 to 200 characters, no control characters")
    return text


def check_weight(weight_g: float | None, weight_sd_g: float | None) -> None:
    """Raises GalleryError for what no item weighs."""
    if weight_g is not None and not (math.isfinite(weight_g) and 0 < weight_g <= HEAVIEST):
        raise GalleryError(f"{weight_g} g is no weight of an item; give grams above 0, up to {HEAVIEST:,.0f}")
    if weight_sd_g is not None and not (math.isfinite(weight_sd_g) and 0 <= weight_sd_g <= HEAVIEST):
        raise GalleryError(f"{weight_sd_g} g is no spread of an item's weight; give grams from 0 up")


def put(db: sqlite3.Connection, record: ItemRecord, *, shared: bool) -> list[str]:
    """Write an item with its references, beside what is there; what is None stays. Returns ids of new references."""
    before = db.execute("select name, weight_g, weight_sd_g from item where item = ?", (record.item,)).fetchone()
    told = (record.name, record.weight_g, record.weight_sd_g)
    changes = before is None or any(new is not None and new != old for new, old in zip(told, before, strict=True))
    db.execute(
        "insert into item values (?, ?, ?, ?, ?, ?, ?, 0) on conflict (item) do update set"
        " name = coalesce(excluded.name, name), weight_g = coalesce(excluded.weight_g, weight_g),"
        " weight_sd_g = coalesce(excluded.weight_sd_g, weight_sd_g), shared = case when ? then excluded.shared else"
        " shared end",
        (record.item, *told, record.taught_at, record.taught_by, shared, changes),
    )
    new = []
    for reference in record.references:
        stored = db.execute(
            "insert or ignore into reference values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                reference.id,
                reference.item,
                reference.counter,
                reference.picture,
                reference.mask,
                reference.source,
                reference.added_at,
                reference.added_by,
                shared,
            ),
        )
        new += [reference.id] * stored.rowcount
    if new or changes:
        touch(db, record.item)
    return new


def drop(db: sqlite3.Connection, item: str) -> bool:
    """Remove an item and remember that it was; False when there is none."""
    if db.execute("delete from item where item = ?", (item,)).rowcount == 0:
        return False
    db.execute("insert or replace into removed values (?, 0)", (item,))
    db.execute("update removed set change = ? where item = ?", (_next_change(db), item))
    return True


def touch(db: sqlite3.Connection, item: str) -> None:
    """The item has changed; one that was removed is there again."""
    db.execute("update item set change = ? where item = ?", (_next_change(db), item))
    db.execute("delete from removed where item = ?", (item,))


def _next_change(db: sqlite3.Connection) -> int:
    (change,) = db.execute("update gallery set change = change + 1 returning change").fetchone()
    return int(change)


@lru_cache(maxsize=64)
def _pixels(picture: bytes, mask: bytes) -> tuple[Pixels, Mask]:
    """Decoded; the same orders come again and again, so a few are remembered (each at most 1 MB)."""
    bgr = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    drawn = cv2.imdecode(np.frombuffer(mask, np.uint8), cv2.IMREAD_GRAYSCALE)
    if bgr is None or drawn is None or bgr.shape[:2] != drawn.shape:
        raise ValueError("picture and mask cannot be read, or differ in size")
    inside = drawn > 127
    bgr.flags.writeable = inside.flags.writeable = False
    return np.asarray(bgr, np.uint8), inside


def text_of(moment: datetime) -> str:
    """UTC with fixed width, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
