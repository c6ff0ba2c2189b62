"""Several processes that start at once on a new file all get their database."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any, cast

import pytest

from lastlook import write_ahead


class Busy:
    """A connection that is told `code` so many times before it is let through."""

    def __init__(self, times: int, code: int = sqlite3.SQLITE_BUSY) -> None:
        self.left, self.code, self.tries = times, code, 0

    def execute(self, _statement: str) -> None:
        self.tries += 1
        self.left -= 1
        if self.left >= 0:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self.code
            raise error


def turn_on(db: Busy, seconds: float) -> None:
    write_ahead(cast(Any, db), seconds)


def test_it_waits_for_others() -> None:
    db = Busy(3)
    turn_on(db, 30)
    assert db.tries == 4


def test_it_gives_up_when_the_time_is_over() -> None:
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        turn_on(Busy(10**6), 0)


def test_another_trouble_is_told_at_once() -> None:
    db = Busy(10**6, sqlite3.SQLITE_READONLY)
    with pytest.raises(sqlite3.OperationalError):
        turn_on(db, 30)
    assert db.tries == 1


def test_many_at_once_on_new_files(tmp_path: Path) -> None:
    together = Barrier(8)

    def start(number: int) -> str:
        with closing(sqlite3.connect(tmp_path / f"{number}.sqlite3", timeout=15, isolation_level=None)) as db:
            together.wait()
            write_ahead(db, 15)
            return str(db.execute("pragma journal_mode").fetchone()[0])

    with ThreadPoolExecutor(8) as pool:
        modes = [mode for number in range(25) for mode in pool.map(start, [number] * 8)]
    assert set(modes) == {"wal"}
