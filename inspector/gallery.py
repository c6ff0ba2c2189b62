"""The taught items: what each looks like, what it weighs, and from which likeness on it is taken for itself."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from inspector.acceptance import Floats, acceptance
from inspector.frame import Pixels
from inspector.gallery_file import GalleryError, GalleryFile
from inspector.item_records import (
    ItemRecord,
    Mask,
    ReferenceRecord,
    check_weight,
    drop,
    item_id,
    put,
    text_of,
    touch,
)

__all__ = ["Embedder", "Gallery", "GalleryError", "Item", "ItemRecord", "Likeness", "Reference", "ReferenceRecord"]

CHUNK = 32
"""References embedded between two commits: what an interruption costs."""


class Embedder(Protocol):
    """Pictures -> vectors that lie close together when the pictures show the same item."""

    @property
    def version(self) -> str:
        """Vectors of two versions cannot be compared."""

    @property
    def sha256(self) -> str:
        """Of its weights, hexadecimal."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def alike(self) -> float:
        """The cosine from which on two things are hard to tell apart."""

    def embed(self, crops: Sequence[Pixels], masks: Sequence[Mask | None]) -> Floats:
        """float32 (n, dim), each row of length 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A cut-out photo. bgr: uint8 (h, w, 3). mask: bool (h, w), True on the thing. counter: this is NOT the item.

    in_box: cut from a picture of a box, where the thing lay among others (a correction), not from a photo of it alone.
    """

    id: str
    item: str
    bgr: Pixels
    mask: Mask
    counter: bool = False
    in_box: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A taught item. weight_g, weight_sd_g: of one piece, and how much pieces differ. embeddings: float32 (n, d), one
    row a reference (counter-examples too). accept: its own threshold on the cosine; None: the embedder's.
    """

    item: str
    name: str | None
    weight_g: float | None
    weight_sd_g: float | None
    references: tuple[Reference, ...]
    embeddings: Floats
    accept: float | None


@dataclass(frozen=True, slots=True)
class Likeness:
    """The taught item that looks most like a picture. cosine: -1..1."""

    item: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed between two cursors. since: None where it begins at the beginning. more: later ones follow."""

    since: str | None
    until: str
    items: tuple[str, ...]
    removed: tuple[str, ...]
    more: bool


class Gallery:
    """All taught items in one SQLite file. Thread-safe; several processes may have the same file open.

    A reference that has no vector of the embedder's version yet gets one when its item is asked for; `reembed` does
    them all. Without an embedder the gallery can be listed, changed, exported and imported, but not compared.
    """

    def __init__(self, file: GalleryFile, embedder: Embedder | None) -> None:
        self._file = file
        self._embedder = embedder
        self._known: tuple[tuple[int, int], list[str], Floats] | None = None
        self._named: tuple[list[str], npt.NDArray[np.str_]] | None = None

    @classmethod
    def open(cls, path: Path, embedder: Embedder | None = None, *, create: bool = True) -> Gallery:
        """Reads only the head of the file. Raises GalleryError: no gallery, damaged, or of a newer Lastlook."""
        return cls(GalleryFile(path, create=create), embedder)

    def __enter__(self) -> Gallery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file free."""
        self._file.close()

    @property
    def file(self) -> GalleryFile:
        """What it is kept in, for those who keep more there."""
        return self._file

    @property
    def embedder(self) -> Embedder:
        """Raises GalleryError where there is none."""
        if self._embedder is None:
            raise GalleryError("no embedder is installed, so that pictures of items cannot be compared")
        return self._embedder

    @property
    def can_compare(self) -> bool:
        """True where there is an embedder."""
        return self._embedder is not None

    # what the eye asks

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Those of `ids` that are taught, under the ids as they were given; one indexed query, never a scan.

        An item whose references have all been removed is not taught. Raises GalleryError.
        """
        asked = {given: item_id(given) for given in ids}
        records, vectors = self._read(asked.values())
        pending = [r for record in records.values() for r in record.references if r.id not in vectors]
        vectors |= self._embed(pending)
        return {given: _item(records[key], vectors, given) for given, key in asked.items() if _seen(records.get(key))}

    def records(self, ids: Iterable[str]) -> dict[str, ItemRecord]:
        """Items as they are kept, by their id. Those that are not there are left out."""
        return self._read(ids)[0]

    def vectors(self, ids: Iterable[str]) -> dict[str, Floats]:
        """Reference id -> vector, of the references of these items that have one already."""
        return self._read(ids)[1]

    def _read(self, ids: Iterable[str]) -> tuple[dict[str, ItemRecord], dict[str, Floats]]:
        """Items as they are kept, and the vectors of their references as far as there are any yet."""
        listed = json.dumps(sorted(set(ids)))
        version = self._embedder.version if self._embedder else ""
        with self._file.reading() as db:
            rows = db.execute(  # two constants, no input in the text
                "select i.item, i.name, i.weight_g, i.weight_sd_g, i.taught_at, i.taught_by, i.change, a.accept,"  # noqa: S608
                f" {_REFERENCE}, e.vector from item i left join reference r on r.item = i.item"
                " left join acceptance a on a.item = i.item and a.version = ?"
                " left join embedding e on e.reference = r.id and e.version = ?"
                " where i.item in (select value from json_each(?)) order by i.item, r.rowid",
                (version, version, listed),
            ).fetchall()
        vectors = {row[8]: _vector(row[-1]) for row in rows if row[-1] is not None}
        return _records(rows), vectors

    def ids(self) -> list[str]:
        """Of all taught items, sorted."""
        with self._file.reading() as db:
            return [item for (item,) in db.execute("select item from item order by item")]

    def listing(self, after: str = "", limit: int = 500) -> list[tuple[ItemRecord, int, int]]:
        """Items in order of their id behind `after`, without their references: (item, references, counter-examples)."""
        version = self._embedder.version if self._embedder else ""
        with self._file.reading() as db:
            rows = db.execute(
                "select i.item, i.name, i.weight_g, i.weight_sd_g, i.taught_at, i.taught_by, i.change,"
                " (select accept from acceptance a where a.item = i.item and a.version = ?),"
                " (select count(*) from reference r where r.item = i.item and not counter),"
                " (select count(*) from reference r where r.item = i.item and counter)"
                " from item i where i.item > ? order by i.item limit ?",
                (version, after, limit),
            ).fetchall()
        return [(_record(row), row[8], row[9]) for row in rows]

    def reference(self, item: str, reference: str) -> ReferenceRecord | None:
        """One reference as it is kept."""
        found = self.records([item_id(item)]).get(item_id(item))
        return next((r for r in found.references if r.id == reference), None) if found else None

    def cut_from(self, item: str, source: str) -> list[str]:
        """Ids of the references of an item that were cut from the photo with this sha256."""
        with self._file.reading() as db:
            rows = db.execute("select id from reference where item = ? and source = ?", (item_id(item), source))
            return [found for (found,) in rows]

    def nearest(self, vectors: Floats, *, but: Iterable[str] = ()) -> list[Likeness | None]:
        """For each row of `vectors` (n, d) the taught item that looks most like it, those of `but` left out."""
        names, matrix = self._all()
        others = np.array([name not in set(but) for name in names], bool)
        if not others.any():
            return [None] * len(vectors)
        cosines = np.where(others, vectors @ matrix.T, -2.0)
        best = cosines.argmax(axis=1)
        return [Likeness(names[at], float(cosines[row, at])) for row, at in enumerate(best)]

    def looks(self) -> tuple[npt.NDArray[np.str_], Floats]:
        """Item of each reference (n,), sorted, counter-examples left out, and what it looks like (n, d). Remembered
        until the gallery changes, so that the whole of it can be compared at once; nothing to be written to.
        """
        names, matrix = self._all()
        named = self._named
        if named is None or named[0] is not names:
            named = self._named = names, np.asarray(names, np.str_)
        return named[1], matrix

    # what people change

    def teach(
        self,
        item: str,
        references: Sequence[ReferenceRecord] = (),
        *,
        name: str | None = None,
        weight_g: float | None = None,
        weight_sd_g: float | None = None,
        by: str | None = None,
        at: datetime,
        shared: bool = False,
    ) -> list[str]:
        """Add references to an item, new or known; what is None stays as it is. Returns the ids of those that are new.

        All of it or nothing; its threshold, and those of items that look like it, are worked out again.
        shared: where this gallery follows another one (a bench the server's), that one has it already.
        Raises GalleryError.
        """
        item = item_id(item)
        check_weight(weight_g, weight_sd_g)
        record = ItemRecord(item, name, weight_g, weight_sd_g, text_of(at), by, tuple(references))
        with self._file.writing() as db:
            new = put(db, record, shared=shared)
        if self._embedder is not None and new:
            records, vectors = self._read([item])
            self._embed([reference for reference in records[item].references if reference.id not in vectors])
            self.calibrate([item])
        return new

    def describe(
        self,
        item: str,
        *,
        name: str | None,
        weight_g: float | None,
        weight_sd_g: float | None,
        by: str | None,
        at: datetime,
    ) -> bool:
        """Set name and weights of an item exactly so, None too; True when the item is new. Raises GalleryError."""
        item = item_id(item)
        check_weight(weight_g, weight_sd_g)
        with self._file.writing() as db:
            known = db.execute("select name, weight_g, weight_sd_g from item where item = ?", (item,)).fetchone()
            if known is None:
                put(db, ItemRecord(item, name, weight_g, weight_sd_g, text_of(at), by), shared=False)
            elif known != (name, weight_g, weight_sd_g):
                db.execute(
                    "update item set name = ?, weight_g = ?, weight_sd_g = ?, shared = 0 where item = ?",
                    (name, weight_g, weight_sd_g, item),
                )
                touch(db, item)
        return known is None

    def changes(self, since: str | None, limit: int) -> Changes:
        """What has changed behind the cursor `since`, at most `limit` items, those changed first first."""
        with self._file.reading() as db:
            own, _ = db.execute("select id, change from gallery").fetchone()
            before = _change_of(since, own)
            rows = db.execute(
                "select item, change, 0 from item where change > ? union all"
                " select item, change, 1 from removed where change > ? order by 2 limit ?",
                (before or 0, before or 0, limit + 1),
            ).fetchall()
        more, rows = len(rows) > limit, rows[:limit]
        return Changes(
            since=since if before is not None else None,
            until=f"{own}.{rows[-1][1] if rows else before or 0}",
            items=tuple(item for item, _, gone in rows if not gone),
            removed=tuple(item for item, _, gone in rows if gone),
            more=more,
        )

    def untold(self) -> dict[str, set[str]]:
        """What the gallery that this one follows has not been told yet: ids of references, by item."""
        with self._file.reading() as db:
            told = {item: set[str]() for (item,) in db.execute("select item from item where shared = 0")}
            for item, reference in db.execute("select item, id from reference where not shared"):
                told.setdefault(item, set()).add(reference)
        return told

    def add(self, records: Sequence[ItemRecord], vectors: Mapping[str, Floats], *, shared: bool) -> int:
        """Add items as another gallery keeps them, with what vectors of this embedder's version came along.

        All of it or nothing. Returns how many references are new; `reembed` embeds those without a vector.
        """
        with self._file.writing() as db:
            new = [id_ for record in records for id_ in put(db, record, shared=shared)]
            if self._embedder is not None:
                self.keep_vectors(db, {id_: vectors[id_] for id_ in new if id_ in vectors})
        if self._embedder is not None and new:
            self.calibrate(record.item for record in records)
        return len(new)

    def remove(self, item: str, reference: str | None = None) -> bool:
        """Forget an item, or one of its references. False when there is none."""
        item = item_id(item)
        with self._file.writing() as db:
            if reference is not None:
                gone = db.execute("delete from reference where item = ? and id = ?", (item, reference)).rowcount > 0
                if gone:
                    touch(db, item)
            else:
                gone = drop(db, item)
        if gone and reference is not None and self._embedder is not None:
            self.calibrate([item])
        return gone

    # what follows from the embedder

    def pending(self) -> int:
        """How many references have no vector of this embedder's version yet."""
        with self._file.reading() as db:
            row = db.execute(f"select count(*) {_PENDING}", (self.embedder.version,)).fetchone()
        return int(row[0])

    def reembed(self, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
        """Embed every reference that has no vector of this version, then work out the thresholds. Returns how many.

        Every few are committed, so that an interruption costs little and the next call goes on; two processes may do
        it at once. progress: told how many of how many are done.
        """
        done, total, touched = 0, self.pending(), set[str]()
        while done <= total:  # what is added meanwhile is embedded by whoever adds it
            with self._file.reading() as db:
                rows = db.execute(
                    f"select {_REFERENCE} {_PENDING} limit {CHUNK}",
                    (self.embedder.version,),
                ).fetchall()
            if not rows:
                break
            records = [_reference_of(row) for row in rows]
            self._embed(records)
            touched |= {record.item for record in records}
            done += len(records)
            progress(done, max(done, total))
        self.calibrate(touched)
        return done

    def calibrate(self, items: Iterable[str]) -> None:
        """Work out the thresholds of `items` anew, and of the items that look like them."""
        names, matrix = self._all()
        if not names:
            return
        starts = [at for at, name in enumerate(names) if at == 0 or names[at - 1] != name]
        distinct = [names[at] for at in starts]
        where = {name: slice(a, b) for name, a, b in zip(distinct, starts, [*starts[1:], len(names)], strict=True)}
        todo, near = [item for item in items if item in where], dict[str, Floats]()
        for item in todo:
            near[item] = _by_item(matrix, starts, matrix[where[item]])
        alike = {
            other
            for cosines in near.values()
            for other, cosine in zip(distinct, cosines, strict=True)
            if cosine >= self.embedder.alike
        }
        for item in alike - near.keys():
            near[item] = _by_item(matrix, starts, matrix[where[item]])
        accepts = []
        for item, cosines in near.items():
            own = matrix[where[item]]
            others = np.delete(cosines, distinct.index(item))
            wrong = self._counters(item)
            accept = acceptance(_left_out(own), others, _nearest(wrong, own), usual=self.embedder.alike)
            accepts.append((self.embedder.version, item, accept))
        with self._file.writing() as db:
            db.executemany(
                "insert or replace into acceptance select ?, ?, ? where exists (select 1 from item where item = ?)",
                [(*row, row[1]) for row in accepts],
            )

    def _embed(self, records: Sequence[ReferenceRecord]) -> dict[str, Floats]:
        made: dict[str, Floats] = {}
        for at in range(0, len(records), CHUNK):
            some = records[at : at + CHUNK]
            pixels = [record.pixels() for record in some]
            vectors = self.embedder.embed([bgr for bgr, _ in pixels], [mask for _, mask in pixels])
            with self._file.writing() as db:
                made |= self.keep_vectors(db, {record.id: v for record, v in zip(some, vectors, strict=True)})
        return made

    def keep_vectors(self, db: sqlite3.Connection, vectors: Mapping[str, Floats]) -> dict[str, Floats]:
        """Write them in a transaction of `file`, and give them back as they are kept: float16."""
        kept = {id_: vector.astype(np.float16) for id_, vector in vectors.items()}
        db.executemany(
            "insert or replace into embedding select ?, ?, ? where exists (select 1 from reference where id = ?)",
            [(self.embedder.version, id_, vector.tobytes(), id_) for id_, vector in kept.items()],
        )
        return {id_: vector.astype(np.float32) for id_, vector in kept.items()}

    def _all(self) -> tuple[list[str], Floats]:
        """Item of each embedded reference (no counter-examples), in order of item; their vectors (n, d). Remembered."""
        with self._file.reading() as db:
            state = db.execute("select change, (select count(*) from embedding) from gallery").fetchone()
            known = self._known
            if known is None or known[0] != state:
                rows = db.execute(
                    "select r.item, e.vector from embedding e join reference r on r.id = e.reference"
                    " where e.version = ? and not r.counter order by r.item",
                    (self.embedder.version,),
                ).fetchall()
                known = state, [item for item, _ in rows], self._stacked([vector for _, vector in rows])
                self._known = known
        return known[1], known[2]

    def _counters(self, item: str) -> Floats:
        with self._file.reading() as db:
            rows = db.execute(
                "select e.vector from reference r join embedding e on e.reference = r.id and e.version = ?"
                " where r.item = ? and r.counter",
                (self.embedder.version, item),
            ).fetchall()
        return self._stacked([vector for (vector,) in rows])

    def _stacked(self, vectors: Sequence[bytes]) -> Floats:
        matrix = np.frombuffer(b"".join(vectors), np.float16).reshape(len(vectors), self.embedder.dim)
        return matrix.astype(np.float32)


_REFERENCE = "r.id, r.item, r.picture, r.mask, r.counter, r.added_at, r.added_by, r.source"
_PENDING = (
    "from reference r where not exists (select 1 from embedding e where e.version = ? and e.reference = r.id)"
    " order by r.rowid"
)


def _change_of(cursor: str | None, gallery: str) -> int | None:
    """The change that a cursor of this gallery names; None for another gallery's and for none at all."""
    own, _, change = (cursor or "").partition(".")
    return int(change) if own == gallery and change.isascii() and change.isdigit() and len(change) < 18 else None


def _reference_of(row: Sequence[Any]) -> ReferenceRecord:
    """From the columns _REFERENCE."""
    return ReferenceRecord(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6], row[7])


def _record(row: Sequence[Any], references: tuple[ReferenceRecord, ...] = ()) -> ItemRecord:
    """From the columns item, name, weights, taught when and by whom, change, accept."""
    return ItemRecord(row[0], row[1], row[2], row[3], row[4], row[5], references, row[6], row[7])


def _records(rows: Iterable[tuple[Any, ...]]) -> dict[str, ItemRecord]:
    found: dict[str, ItemRecord] = {}
    for _, group in groupby(rows, key=itemgetter(0)):
        references = list(group)
        kept = tuple(_reference_of(row[8:16]) for row in references if row[9] is not None)
        record = _record(references[0], kept)
        found[record.item] = record
    return found


def _vector(kept: bytes) -> Floats:
    return np.frombuffer(kept, np.float16).astype(np.float32)


def _seen(record: ItemRecord | None) -> bool:
    return record is not None and any(not reference.counter for reference in record.references)


def _item(record: ItemRecord, vectors: Mapping[str, Floats], given: str) -> Item:
    references = tuple(
        Reference(r.id, given, *r.pixels(), r.counter, in_box=r.source is None) for r in record.references
    )
    return Item(
        item=given,
        name=record.name,
        weight_g=record.weight_g,
        weight_sd_g=record.weight_sd_g,
        references=references,
        embeddings=np.stack([vectors[reference.id] for reference in references]),
        accept=record.accept,
    )


def _by_item(matrix: Floats, starts: Sequence[int], own: Floats) -> Floats:
    """(items,) the highest cosine of any reference of each item to any of `own`."""
    return np.asarray(np.maximum.reduceat((matrix @ own.T).max(axis=1), starts), np.float32)


def _left_out(own: Floats) -> Floats:
    """(r,) each reference's cosine to the nearest other one; empty for one alone."""
    if len(own) < 2:
        return np.zeros(0, np.float32)
    cosines = own @ own.T
    np.fill_diagonal(cosines, -2.0)
    return np.asarray(cosines.max(axis=1), np.float32)


def _nearest(rows: Floats, own: Floats) -> Floats:
    if not len(rows) or not len(own):
        return np.zeros(0, np.float32)
    return np.asarray((rows @ own.T).max(axis=1), np.float32)
