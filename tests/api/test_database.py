"""The database: where it may lie, what it promises, and what it says when it cannot keep it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.dialects import sqlite

from api.cli import keys
from api.database import (
    Database,
    UnusableDatabaseError,
    UtcDateTime,
    check_integrity,
    connect,
    file_system_of,
    refuse_network_file_system,
)

MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:25 / /mnt/share rw,relatime shared:5 - nfs4 server:/export rw,vers=4.2
31 30 254:1 / /mnt/share/local rw,relatime - xfs /dev/vdb rw
32 22 0:26 / /mnt/with\\040blank rw,relatime - cifs //server/x rw
33 22 254:2 / /over rw,relatime - ext4 /dev/vdc rw
34 22 0:27 / /over rw,relatime - fuse.sshfs host:/ rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/data", "ext4"),
        ("/mnt/share/data", "nfs4"),
        ("/mnt/share/local/data", "xfs"),
        ("/mnt/shared/data", "ext4"),
        ("/mnt/with blank/data", "cifs"),
        ("/over/data", "fuse.sshfs"),
    ],
)
def test_the_deepest_and_latest_mount_counts(path: str, kind: str) -> None:
    assert file_system_of(Path(path), MOUNTS) == kind


def test_network_disks_are_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(UnusableDatabaseError, match=r"nfs4.*LASTLOOK_DATA.*LASTLOOK_DATABASE_URL"):
        refuse_network_file_system(Path("/mnt/share/data/lastlook.sqlite3"), MOUNTS)
    refuse_network_file_system(Path("/home/data"), MOUNTS)
    refuse_network_file_system(Path("/anything"), "")  # not Linux: nothing is known, nothing is refused


@pytest.mark.parametrize(
    ("url", "reason"),
    [("sqlite://", "in-memory"), ("sqlite:///:memory:", "in-memory"), ("mysql://u:p@h/d", "mysql is not supported")],
)
def test_databases_that_would_lose_data_are_refused(url: str, reason: str) -> None:
    with pytest.raises(UnusableDatabaseError, match=reason):
        connect(url)


def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite3"
    engine = connect(f"sqlite:///{path}", pooled=False)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a TEXT)"))
        for number in range(200):
            connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": f"{number:01000}"})
    check_integrity(engine)
    engine.dispose()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * 20_000)
    broken = path.read_bytes()
    engine = connect(f"sqlite:///{path}", pooled=False)
    with pytest.raises(UnusableDatabaseError, match=r"damaged.*backup"):
        check_integrity(engine)
    engine.dispose()
    assert path.read_bytes() == broken


def test_a_file_that_is_no_database_is_refused_by_the_command_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "lastlook.sqlite3").write_bytes(b"these are last year's photos" * 100)
    answer = CliRunner().invoke(keys, ["list", "--data", str(tmp_path)])
    assert answer.exit_code == 1
    assert "lastlook.sqlite3 is damaged (file is not a database)" in answer.stderr
    assert (tmp_path / "lastlook.sqlite3").read_bytes().startswith(b"these are")


def test_sqlite_promises_what_it_must(sqlite_engine: Engine) -> None:
    def pragma(name: str) -> object:
        with sqlite_engine.connect() as connection:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)


def test_writers_take_turns_and_readers_do_not_wait(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'd.sqlite3'}")
    with database.writing() as session:
        session.execute(text("CREATE TABLE t (n INTEGER)"))
        session.execute(text("INSERT INTO t VALUES (0)"))

    def count_up(_: int) -> None:
        with database.writing() as session:
            seen = session.execute(text("SELECT n FROM t")).scalar_one()
            with database.reading() as reader:  # while the writer holds the lock
                assert reader.execute(text("SELECT n FROM t")).scalar_one() == seen
            session.execute(text("UPDATE t SET n = :n"), {"n": seen + 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(40)))
    with database.reading() as session:
        assert session.execute(text("SELECT n FROM t")).scalar_one() == 40
    database.close()


def test_what_raises_is_undone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'd.sqlite3'}")
    with database.writing() as session:
        session.execute(text("CREATE TABLE t (n INTEGER)"))

    def half_way() -> None:
        with database.writing() as session:
            session.execute(text("INSERT INTO t VALUES (1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_way()
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM t")).scalar_one() == 0
    database.close()


@given(st.datetimes(datetime(1900, 1, 2), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_a_moment_comes_back_as_the_same_moment_in_utc(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    kind, dialect = UtcDateTime(), sqlite.dialect()
    bound = kind.process_bind_param(moment, dialect)
    assert bound is not None
    back = kind.process_result_value(bound.replace(tzinfo=None), dialect)  # SQLite forgets the zone
    assert back == moment
    assert back is not None
    assert back.tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 11, 22), sqlite.dialect())  # noqa: DTZ001 - the point


def test_postgresql_is_spoken_to_by_pg8000_also_through_a_socket() -> None:
    engine = connect("postgresql://u:p@/name?host=/run/pg", pooled=False)
    assert engine.url.drivername == "postgresql+pg8000"
    assert engine.url.query["unix_sock"] == "/run/pg/.s.PGSQL.5432"
    engine.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'd.sqlite3'}")
    yield engine
    engine.dispose()
