"""What the eye got wrong about an item, told by one person and confirmed by another: then it becomes a reference."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from inspector.frame import Pixels
from inspector.gallery import Gallery, GalleryError
from inspector.item_records import Mask, ReferenceRecord, item_id, reference_id, text_of

_COLUMNS = "id, item, kind, picture, mask, inspection, operator, at, confirmed_by, confirmed_at, reference"


class Kind(StrEnum):
    """there: "it is there", what the box shows is the item. wrong: "that is the wrong one", it is not the item."""

    THERE = "there"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction. confirmed_by: None while it waits. reference: what it became."""

    id: str
    item: str
    kind: Kind
    inspection: str | None
    operator: str
    at: str
    confirmed_by: str | None = None
    confirmed_at: str | None = None
    reference: str | None = None


class NoCorrectionError(GalleryError):
    """There is no correction of this id."""


class SamePersonError(GalleryError):
    """The one who tells it cannot be the one who confirms it."""


def propose(
    gallery: Gallery,
    id_: str,
    item: str,
    kind: Kind,
    shown: tuple[Pixels, Mask],
    *,
    operator: str,
    at: datetime,
    inspection: str | None = None,
    proposed_with: str | None = None,
) -> Correction:
    """Keep a correction until somebody confirms it; the same id again changes nothing.

    shown: what lies in the box, from `inspector.teaching.from_box`. Raises GalleryError for an item that is not taught.
    """
    item = item_id(item)
    record = ReferenceRecord.of(item, *shown, at=at, by=operator, source=None, counter=kind is Kind.WRONG)
    with gallery.file.writing() as db:
        if db.execute("select 1 from item where item = ?", (item,)).fetchone() is None:
            raise GalleryError(f"{item!r} is not taught; nothing was stored")
        db.execute(
            "insert or ignore into correction (id, item, kind, picture, mask, inspection, operator, at, proposed_with)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (id_, item, kind, record.picture, record.mask, inspection, operator, text_of(at), proposed_with),
        )
        return _found(db, item, id_)[0]


def confirm(gallery: Gallery, item: str, id_: str, *, by: str, at: datetime) -> Correction:
    """A second person agrees: it becomes a reference or a counter-example, and the thresholds are worked out again.

    Confirming again changes nothing. Raises NoCorrectionError, and SamePersonError when `by` told it.
    """
    item = item_id(item)
    with gallery.file.reading() as db:
        correction, picture, mask = _found(db, item, id_)
    if correction.confirmed_by is not None:
        return correction
    if by.strip().casefold() == correction.operator.strip().casefold():
        raise SamePersonError(f"{by} told this correction; a second person confirms it. It still waits")
    if not gallery.items([item]):
        raise NoCorrectionError(f"{item} was removed since {correction.operator} told this; teach it anew")
    counter = correction.kind is Kind.WRONG
    who = f"{correction.operator}, confirmed by {by}"
    reference = ReferenceRecord(
        reference_id(item, picture, mask, counter=counter), item, picture, mask, counter, correction.at, who[:200]
    )
    gallery.teach(item, [reference], by=who[:200], at=at)  # first: a power cut here only means to confirm again
    with gallery.file.writing() as db:
        db.execute(
            "update correction set confirmed_by = ?, confirmed_at = ?, reference = ? where id = ?",
            (by, text_of(at), reference.id, id_),
        )
        return _found(db, item, id_)[0]


def dismiss(gallery: Gallery, item: str, id_: str) -> bool:
    """Forget a correction that nobody confirmed. False when there is none."""
    with gallery.file.writing() as db:
        return (
            db.execute(
                "delete from correction where item = ? and id = ? and confirmed_by is null", (item_id(item), id_)
            ).rowcount
            > 0
        )


def of_item(gallery: Gallery, item: str) -> list[Correction]:
    """All corrections of an item, newest first."""
    with gallery.file.reading() as db:
        rows = db.execute(
            f"select {_COLUMNS} from correction where item = ? order by at desc, id limit 500",  # noqa: S608 -- a constant
            (item_id(item),),
        ).fetchall()
    return [_correction(row)[0] for row in rows]


def picture_of(gallery: Gallery, item: str, id_: str) -> bytes:
    """The JPEG of what is to be confirmed. Raises NoCorrectionError."""
    with gallery.file.reading() as db:
        return _found(db, item_id(item), id_)[1]


def _found(db: sqlite3.Connection, item: str, id_: str) -> tuple[Correction, bytes, bytes]:
    row = db.execute(
        f"select {_COLUMNS} from correction where item = ? and id = ?",  # noqa: S608 -- a constant
        (item, id_),
    ).fetchone()
    if row is None:
        raise NoCorrectionError(f"there is no correction {id_!r} of {item!r}")
    return _correction(row)


def _correction(row: tuple[str, ...]) -> tuple[Correction, bytes, bytes]:
    id_, item, kind, picture, mask, *rest = row
    return Correction(id_, item, Kind(kind), *rest), picture, mask  # type: ignore[return-value]  # blobs are bytes
