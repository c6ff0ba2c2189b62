"""The gallery's SQLite file: its tables, how it is opened, and SQLite's errors in our words."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from lastlook import write_ahead

APPLICATION = 0x4C4C4741
"""SQLite's application_id of a gallery: "LLGA"."""
SCHEMA = 1
BUSY_SECONDS = 15.0
TABLES = """
create table gallery (id text not null, change integer not null, follows text);
create table item (
    item text primary key,
    name text,
    weight_g real,
    weight_sd_g real,
    taught_at text not null,
    taught_by text,
    shared integer not null,
    change integer not null
);
-- shared: 0 not told to the gallery that this one follows, 1 it has it, 2 a former one had it (see inspector.following)
create index item_change on item (change);
create table reference (
    id text primary key,
    item text not null references item (item) on delete cascade,
    counter integer not null,
    picture blob not null,
    mask blob not null,
    source text,
    added_at text not null,
    added_by text,
    shared integer not null
);
create index reference_item on reference (item);
create index reference_source on reference (item, source);
create index reference_unshared on reference (item) where not shared;
create table embedding (
    version text not null,
    reference text not null references reference (id) on delete cascade,
    vector blob not null,
    primary key (version, reference)
) without rowid;
create table acceptance (
    version text not null,
    item text not null references item (item) on delete cascade,
    accept real not null,
    primary key (version, item)
) without rowid;
create table removed (item text primary key, change integer not null);
create table correction (
    id text primary key,
    item text not null,
    kind text not null check (kind in ('there', 'wrong')),
    picture blob not null,
    mask blob not null,
    inspection text,
    operator text not null,
    at text not null,
    proposed_with text,
    confirmed_by text,
    confirmed_at text,
    reference text
);
create index correction_item on correction (item, at);
"""


def default_gallery(environment: Mapping[str, str]) -> Path:
    """LASTLOOK_GALLERY, else gallery.sqlite in LASTLOOK_DATA, else in lastlook-data here."""
    named = environment.get("LASTLOOK_GALLERY")
    return Path(named) if named else Path(environment.get("LASTLOOK_DATA") or "lastlook-data") / "gallery.sqlite"


class GalleryError(Exception):
    """The gallery cannot do it. str() says what happened, what was kept, what to do."""


class GalleryFile:
    """One connection to a gallery's file, for all threads of a process; other processes may have their own."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        if not path.exists():
            if not create:
                raise GalleryError(f"{path}: there is no gallery; teach a first item with `lastlook teach`")
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        with _named(path):
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> GalleryFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file free."""
        with self._lock:
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Everything read in the block is of one moment."""
        with self._lock, _named(self.path):
            if self._db.in_transaction:  # read within a write of the same thread
                yield self._db
                return
            self._db.execute("begin")
            try:
                yield self._db
            finally:
                self._db.execute("rollback")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: on the disk when the block ends, or nothing of it."""
        with self._lock, _named(self.path):
            self._db.execute("begin immediate")
            try:
                yield self._db
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def _prepare(self) -> None:
        self._db.execute("pragma foreign_keys = on")
        application, schema = self._stamps()
        if application == 0 and schema == 0:
            if not self._has_tables():
                self._make()
            application, schema = self._stamps()  # of tables that came in between, another process made them just now
        if application != APPLICATION:
            raise GalleryError(f"{self.path} is a database, but no gallery of Lastlook; nothing was changed")
        if schema > SCHEMA:
            raise GalleryError(
                f"{self.path} was written by a newer Lastlook (schema {schema}; this one knows {SCHEMA}); nothing was "
                "changed. Update this Lastlook, or give another gallery"
            )
        write_ahead(self._db, BUSY_SECONDS)
        self._db.execute("pragma synchronous = full")  # with WAL, NORMAL may lose the last commits in a power cut

    def _make(self) -> None:
        write_ahead(self._db, BUSY_SECONDS)
        self._db.execute("begin immediate")
        if not self._has_tables():  # another process may have been quicker
            for statement in TABLES.split(";\n"):
                self._db.execute(statement)
            self._db.execute("insert into gallery values (?, 0, null)", (uuid.uuid4().hex,))
            self._db.execute(f"pragma application_id = {APPLICATION}")
            self._db.execute(f"pragma user_version = {SCHEMA}")
        self._db.execute("commit")

    def _stamps(self) -> tuple[int, int]:
        (application,) = self._db.execute("pragma application_id").fetchone()
        (schema,) = self._db.execute("pragma user_version").fetchone()
        return application, schema

    def _has_tables(self) -> bool:
        return self._db.execute("select 1 from sqlite_schema limit 1").fetchone() is not None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        reason = str(error)
        if "full" in reason:
            raise GalleryError(f"{path}: the disk is full; nothing was stored. Free some space, do it again") from error
        if "locked" in reason:
            raise GalleryError(f"{path}: another program is writing; nothing was stored. Do it again") from error
        if "malformed" in reason or "not a database" in reason:
            text = f"{path}: the file is damaged or no gallery. Keep a copy and give the last export, or another file"
            raise GalleryError(text) from error
        raise GalleryError(f"{path}: the gallery cannot be used ({reason}); nothing was stored") from error
