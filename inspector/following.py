"""One gallery follows another: a bench's takes over what changed at the server's, and tells what was taught here."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import IO

from inspector.gallery import Gallery, GalleryError
from inspector.gallery_archive import open_archive
from inspector.item_records import ItemRecord, drop, put, touch


@dataclass(frozen=True, slots=True)
class Followed:
    """What an archive of changes brought. more: there are later ones to ask for."""

    items: int
    removed: int
    more: bool


def cursor(gallery: Gallery) -> str | None:
    """How far it has followed; None from the beginning."""
    with gallery.file.reading() as db:
        (at,) = db.execute("select follows from gallery").fetchone()
    return None if at is None else str(at)


def follow(gallery: Gallery, file: IO[bytes]) -> Followed:
    """Take over an archive of changes: afterwards its items are as they are there, but for what was taught here and
    not told yet. An interruption costs nothing: the same archive again has the same end. Raises GalleryError.

    An archive that begins at the beginning is that of another gallery than before: a new server, or one that lost its
    own. What a former one had told and this one does not know is kept and told to it, since it may be the last copy.
    """
    with open_archive(file) as archive:
        told = archive.manifest
        if told.until is None:
            raise GalleryError("this export tells no changes; import it with `lastlook items import`")
        records = list(archive.records())  # all are checked before one is taken; a page is small
        vectors = archive.vectors(gallery.embedder.version, gallery.embedder.dim)
    with gallery.file.writing() as db:
        if told.since is None:
            for table in ("item", "reference"):
                db.execute(f"update {table} set shared = 2 where shared = 1")  # noqa: S608 -- two constants
        for record in records:
            new = _mirror(db, record)
            gallery.keep_vectors(db, {id_: vectors[id_] for id_ in new if id_ in vectors})
        for item in told.removed:
            _let_go(db, item)
        if not told.more:
            for table in ("item", "reference"):
                db.execute(f"update {table} set shared = 0 where shared = 2")  # noqa: S608 -- two constants
        db.execute("update gallery set follows = ?", (told.until,))
    gallery.reembed()
    gallery.calibrate(record.item for record in records)
    return Followed(len(records), len(told.removed), told.more)


def told(gallery: Gallery, items: Mapping[str, Set[str]]) -> None:
    """The gallery that this one follows has these references now; see `Gallery.untold`."""
    with gallery.file.writing() as db:
        for item, references in items.items():
            db.execute("update item set shared = 1 where item = ?", (item,))
            db.executemany("update reference set shared = 1 where id = ?", [(id_,) for id_ in references])


def _mirror(db: sqlite3.Connection, record: ItemRecord) -> list[str]:
    """Make an item what it is there; what was taught here and not told yet stays beside it. Returns new references."""
    new = put(db, record, shared=True)
    db.execute(
        "update item set name = ?, weight_g = ?, weight_sd_g = ?, shared = 1 where item = ? and shared <> 0",
        (record.name, record.weight_g, record.weight_sd_g, record.item),
    )
    there = {reference.id for reference in record.references}
    for id_, shared in db.execute("select id, shared from reference where item = ?", (record.item,)).fetchall():
        if id_ in there:
            db.execute("update reference set shared = 1 where id = ?", (id_,))
        elif shared:
            db.execute("delete from reference where id = ?", (id_,))
    touch(db, record.item)
    return new


def _let_go(db: sqlite3.Connection, item: str) -> None:
    """It is gone there: forget it here, unless something was taught here that nobody there has seen."""
    db.execute("delete from reference where item = ? and shared", (item,))
    if db.execute("select 1 from reference where item = ?", (item,)).fetchone() is None:
        drop(db, item)
    else:
        touch(db, item)
