"""What the bench has decided, on this disk before the light turns green, until the API has it."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)

SCHEMA = """
create table if not exists entry (
    seq integer primary key autoincrement,
    inspection text not null,
    kind text not null check (kind in ('inspection', 'override')),
    body text not null,
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'parked')),
    created_at text not null,
    done_at text,
    note text,
    unique (inspection, kind)
);
create index if not exists entry_waiting on entry (seq) where state <> 'sent';
create table if not exists picture (
    inspection text not null,
    name text not null,
    data blob not null,
    primary key (inspection, name)
);
create table if not exists remembered_order (id text primary key, document text not null, seen_at text not null);
"""
NETWORK_DISKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs"})
"""File systems on which SQLite's locks and WAL are not safe."""


class SpoolError(Exception):
    """The spool could not keep it. code: full, damaged, in_use, network_disk or failed. str() says what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Kind(StrEnum):
    """What an entry tells the API."""

    INSPECTION = "inspection"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Entry:
    """One message for the API. body: JSON text, sent as it is however often."""

    seq: int
    inspection: str
    kind: Kind
    body: str
    created_at: datetime
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits and what was parked.

    oldest: when the oldest waiting entry was made. parked: how many; parked_latest: the newest of them, with notes.
    """

    waiting: int = 0
    oldest: datetime | None = None
    parked: int = 0
    parked_latest: tuple[Entry, ...] = ()


class Spool:
    """A SQLite file (WAL, synchronous FULL) owned by one process. Every method is safe to call from any thread."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        refuse_network_disk(folder)
        self._lock = threading.RLock()
        with ExitStack() as opened:
            owner = opened.enter_context(_own(folder / "spool.lock"))
            with _named():
                self._db = sqlite3.connect(folder / "spool.sqlite3", check_same_thread=False, isolation_level=None)
                opened.callback(self._db.close)
                self._db.execute("pragma journal_mode = wal")
                self._db.execute("pragma synchronous = full")
                self._refuse_damage()
                self._db.executescript(SCHEMA)
            opened.pop_all()
        self._owner = owner

    def _refuse_damage(self) -> None:
        if self._db.execute("pragma quick_check").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check failed")

    def close(self) -> None:
        """Give the file free."""
        with self._lock:
            self._db.close()
            self._owner.close()

    def add(self, inspection: str, body: str, pictures: Sequence[tuple[str, bytes]], at: datetime) -> None:
        """Keep an inspection with its pictures, durably; raises SpoolError and keeps nothing of it otherwise."""
        with self._write() as db:
            _enqueue(db, inspection, Kind.INSPECTION, body, at)
            db.executemany(
                "insert into picture (inspection, name, data) values (?, ?, ?)",
                [(inspection, name, data) for name, data in pictures],
            )

    def add_override(self, inspection: str, body: str, at: datetime) -> None:
        """Keep a person's decision on an inspection that was kept before, durably; raises SpoolError otherwise."""
        with self._write() as db:
            _enqueue(db, inspection, Kind.OVERRIDE, body, at)

    def waiting(self, limit: int = 50, after: int = 0) -> list[Entry]:
        """What is to be sent, oldest first, beginning behind the seq `after`."""
        with self._lock, _named():
            rows = self._db.execute(
                "select seq, inspection, kind, body, created_at, note from entry where state = 'waiting'"
                " and seq > ? order by seq limit ?",
                (after, limit),
            ).fetchall()
        return [_entry(row) for row in rows]

    def pictures(self, inspection: str) -> list[tuple[str, bytes]]:
        """(name, JPEG) of an inspection, in the order in which they were added."""
        with self._lock, _named():
            return self._db.execute(
                "select name, data from picture where inspection = ? order by rowid", (inspection,)
            ).fetchall()

    def sent(self, seq: int, at: datetime) -> None:
        """The API has it."""
        with self._write() as db:
            db.execute("update entry set state = 'sent', done_at = ?, note = null where seq = ?", (_text(at), seq))

    def park(self, seq: int, note: str, at: datetime) -> None:
        """The API will never take it as it is: put it aside, visibly, with all that belongs to the same inspection."""
        with self._write() as db:
            db.execute(
                "update entry set state = 'parked', done_at = ?, note = ? where state = 'waiting' and (seq = ? or"
                " (seq > ? and inspection = (select inspection from entry where seq = ?)))",
                (_text(at), note, seq, seq, seq),
            )

    def retry_parked(self) -> int:
        """Try everything that was parked once more; returns how many."""
        with self._write() as db:
            return db.execute("update entry set state = 'waiting', done_at = null where state = 'parked'").rowcount

    def queue(self) -> Queue:
        """Length and age of the queue, and what was parked."""
        with self._lock, _named():
            waiting, oldest = self._db.execute(
                "select count(*), min(created_at) from entry where state = 'waiting'"
            ).fetchone()
            parked = self._db.execute("select count(*) from entry where state = 'parked'").fetchone()[0]
            rows = self._db.execute(
                "select seq, inspection, kind, body, created_at, note from entry where state = 'parked'"
                " order by seq desc limit 10"
            ).fetchall()
        since = datetime.fromisoformat(oldest) if oldest else None
        return Queue(waiting, since, parked, tuple(_entry(row) for row in rows))

    def prune(self, now: datetime, keep: timedelta) -> int:
        """Forget what the API has had for `keep`; what still waits is never touched. Returns inspections forgotten."""
        before = _text(now - keep)
        settled = (
            "select inspection from entry group by inspection"
            " having sum(state <> 'sent') = 0 and max(coalesce(done_at, created_at)) < ?"
        )
        with self._write() as db:
            db.execute(f"delete from picture where inspection in ({settled})", (before,))  # noqa: S608  # a constant
            return db.execute(f"delete from entry where inspection in ({settled})", (before,)).rowcount  # noqa: S608

    def remember(self, order: str, document: str, at: datetime) -> None:
        """Keep the newest packing list of an order. A full disk only costs the memory."""
        try:
            with self._write() as db:
                db.execute("insert or replace into remembered_order values (?, ?, ?)", (order, document, _text(at)))
        except SpoolError as error:
            log.warning("cannot remember order %s: %s", order, error)

    def recall(self, order: str) -> tuple[str, datetime] | None:
        """The packing list of an order as it was last seen."""
        with self._lock, _named():
            row = self._db.execute("select document, seen_at from remembered_order where id = ?", (order,)).fetchone()
        return None if row is None else (row[0], datetime.fromisoformat(row[1]))

    def forget(self, order: str) -> None:
        """There is no such order any more."""
        with self._write() as db:
            db.execute("delete from remembered_order where id = ?", (order,))

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: on the disk when the block ends, or nothing of it."""
        with self._lock, _named():
            self._db.execute("begin immediate")
            try:
                yield self._db
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise


@contextmanager
def _named() -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        reason = str(error)
        if "full" in reason:
            raise SpoolError("full", "The disk of this station is full. Free some space; nothing was lost.") from error
        if "malformed" in reason or "not a database" in reason or "quick_check" in reason:
            text = "The spool file is damaged. Keep it, move it aside, and start the station again."
            raise SpoolError("damaged", text) from error
        raise SpoolError("failed", f"The spool cannot be written ({reason}).") from error


def _enqueue(db: sqlite3.Connection, inspection: str, kind: Kind, body: str, at: datetime) -> None:
    db.execute(
        "insert into entry (inspection, kind, body, created_at) values (?, ?, ?, ?)",
        (inspection, kind, body, _text(at)),
    )


def _entry(row: tuple[int, str, str, str, str, str | None]) -> Entry:
    seq, inspection, kind, body, created_at, note = row
    return Entry(seq, inspection, Kind(kind), body, datetime.fromisoformat(created_at), note)


def _text(moment: datetime) -> str:
    """UTC with fixed width, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _own(path: Path) -> IO[str]:
    """One process per spool: two would send everything twice and fight for the file."""
    handle = path.open("w", encoding="ascii")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise SpoolError(
            "in_use", f"Another station already uses {path.parent}; stop it or give another --data."
        ) from None
    return handle


def refuse_network_disk(folder: Path, mounts: Path = Path("/proc/mounts")) -> None:
    """Raises SpoolError when `folder` lies on a network file system."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return  # not Linux: nothing to ask
    here = os.path.realpath(folder)
    points = [(fields[1].replace("\\040", " "), fields[2]) for line in lines if len(fields := line.split()) > 2]
    holding = [(p, kind) for p, kind in points if here == p or here.startswith(p.rstrip("/") + "/")]
    if holding and max(holding, key=lambda point: len(point[0]))[1] in NETWORK_DISKS:
        raise SpoolError("network_disk", f"{folder} is on a network disk; choose a folder on this computer (--data).")
