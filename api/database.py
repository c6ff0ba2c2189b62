"""One engine for SQLite and PostgreSQL, and what both must promise: nothing acknowledged is lost."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, DateTime, Dialect, Engine, MetaData, create_engine, event, make_url, text
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

from lastlook import write_ahead

BUSY_SECONDS = 15.0
"""How long a writer waits for another one before it gives up (SQLite has one writer at a time)."""

NETWORK_FILE_SYSTEMS = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs",
        "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "ocfs2", "gfs2", "davfs", "ncpfs",
        "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone",
        "fuse.ceph", "fuse.ceph-fuse", "fuse.davfs2", "fuse.juicefs",
    }
)  # fmt: skip
"""Where SQLite's locks or its shared memory do not hold: databases there end up locked or malformed."""


_TRANSIENT_STATES = frozenset({"08", "40", "53", "55", "57"})
"""Classes of SQLSTATE (PostgreSQL, appendix A): connection, rollback, resources, object state, operator."""


class UnusableDatabaseError(RuntimeError):
    """The database cannot be used as it is; the message says why and what to do."""


class Base(DeclarativeBase):
    """The one metadata of all domains. Names are derived, so that migrations can name what they change."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC and given back with its zone. Without a zone it is refused: nobody knows when it is."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone; give one, for example UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From UTC. SQLite keeps no zone, PostgreSQL gives the session's."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """Sessions to read and to write with. Thread-safe; close it when done."""

    def __init__(self, url: str) -> None:
        self.engine = connect(url)
        self._write_engine = self.engine.execution_options(writes=True)
        # SQLite's own wait for the writer's lock is a poll that sleeps up to 100 ms; threads of one process
        # queue here instead and only other processes are waited for by polling.
        self._writer = threading.Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """True for the default database, a file in the data folder."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the database and changes nothing."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are durable when the block ends, or gone when it raises. Do not nest it."""
        if self._writer is not None and not self._writer.acquire(timeout=BUSY_SECONDS):
            raise TimeoutError(f"another writer held the database for more than {BUSY_SECONDS:.0f} s; try again")
        try:
            with Session(self._write_engine, expire_on_commit=False) as session, session.begin():
                yield session
        finally:
            if self._writer is not None:
                self._writer.release()

    def ping(self) -> None:
        """Raise when the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


def one_at_a_time(session: Session, *name: str) -> None:
    """Wait until no other transaction that writes holds `name`; hold it until this one ends.

    Makes "look, then insert" safe on PostgreSQL. SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.sha256("\0".join(name).encode("utf-8")).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def connect(url: str, *, foreign_keys: bool = True, pooled: bool = True) -> Engine:
    """An engine for `url`. Raises UnusableDatabaseError when a SQLite file lies where it would be damaged."""
    parsed = _with_driver(make_url(url))
    if parsed.get_backend_name() != "sqlite":
        if not pooled:
            return create_engine(parsed, poolclass=NullPool, hide_parameters=True)
        return create_engine(
            parsed,
            pool_size=10,
            max_overflow=30,
            pool_pre_ping=True,
            pool_timeout=BUSY_SECONDS,
            hide_parameters=True,  # errors are logged, and the parameters may be a customer's
        )
    if not parsed.database or parsed.database == ":memory:":
        raise UnusableDatabaseError("an in-memory database would lose every inspection; name a file")
    path = Path(parsed.database).resolve()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # it will hold customers and key hashes
    refuse_network_file_system(path)
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    if pooled:
        engine = create_engine(parsed, connect_args=arguments, pool_size=10, max_overflow=30, hide_parameters=True)
    else:
        engine = create_engine(parsed, connect_args=arguments, poolclass=NullPool, hide_parameters=True)
    _prepare_sqlite(engine, foreign_keys)
    return engine


def is_transient(error: DBAPIError) -> bool:
    """True when the database is away, starting, stopping, full or busy: the same request may succeed later."""
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return True
    told = error.orig.args[0] if error.orig is not None and error.orig.args else None
    state = str(told.get("C", "")) if isinstance(told, dict) else ""  # pg8000 hands PostgreSQL's fields over as a dict
    return state[:2] in _TRANSIENT_STATES


def _with_driver(url: URL) -> URL:
    """pg8000 for PostgreSQL (psycopg is LGPL), and the usual `?host=/socket/folder` in pg8000's terms."""
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise UnusableDatabaseError(f"{url.get_backend_name()} is not supported; use SQLite or PostgreSQL")
    if url.get_backend_name() == "sqlite":
        return url
    query = dict(url.query)
    folder = query.pop("host", None)
    if isinstance(folder, str) and folder.startswith("/"):
        query["unix_sock"] = f"{folder}/.s.PGSQL.{url.port or query.pop('port', 5432)}"
        url = url.set(port=None)
    return url.set(drivername="postgresql+pg8000", query=query)


def _prepare_sqlite(engine: Engine, foreign_keys: bool) -> None:  # noqa: FBT001 - private, one caller
    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver would begin on its own, and too late for BEGIN IMMEDIATE
        write_ahead(connection, BUSY_SECONDS)
        connection.execute("PRAGMA synchronous = FULL")  # with WAL, NORMAL may lose the last commits in a power cut
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A reader that turns writer half-way cannot wait for the lock (SQLITE_BUSY at once): writers say so first.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def refuse_network_file_system(path: Path, mounts: str | None = None) -> None:
    """Raise UnusableDatabaseError when `path` lies on a network file system.

    mounts: text of /proc/self/mountinfo; read from there unless given. Where there is none (not Linux) nothing is
    refused.
    """
    if mounts is None:
        source = Path("/proc/self/mountinfo")
        mounts = source.read_text(encoding="utf-8", errors="surrogateescape") if source.exists() else ""
    kind = file_system_of(path, mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise UnusableDatabaseError(
            f"{path} lies on a network file system ({kind}), where SQLite gets locked or damaged. Nothing was "
            "written. Set LASTLOOK_DATA to a folder on a local disk, or LASTLOOK_DATABASE_URL to a PostgreSQL."
        )


def file_system_of(path: Path, mounts: str) -> str | None:
    """The type of the file system that holds `path`: that of the deepest, latest mount above it. None if unknown."""
    best, kind = -1, None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if " - " not in line or len(fields) < 6:
            continue
        point = Path(fields[4].encode("utf-8", "surrogateescape").decode("unicode_escape"))
        depth = len(point.parts)
        if depth >= best and path.is_relative_to(point):
            best, kind = depth, line.split(" - ", 1)[1].split(" ", 1)[0]
    return kind


def check_integrity(engine: Engine) -> None:
    """Raise UnusableDatabaseError when a SQLite file is damaged. PostgreSQL looks after itself."""
    if engine.dialect.name != "sqlite":
        return
    try:
        with engine.connect() as connection:
            answer = cast("str", connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    except (DatabaseError, sqlite3.DatabaseError) as error:  # the driver's own from the first PRAGMA of a connection
        answer = str(getattr(error, "orig", error))
        if "locked" in answer:
            raise
    if answer != "ok":
        raise UnusableDatabaseError(
            f"{engine.url.database} is damaged ({' '.join(answer.split())}). Nothing was changed. Keep a copy of the "
            "file, restore your last backup, or save what is readable with: sqlite3 FILE .recover | sqlite3 NEW_FILE"
        )
