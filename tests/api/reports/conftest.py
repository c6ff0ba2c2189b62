"""The realistic day, written once a session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.database import Database
from api.reports import service
from api.reports.schemas import DailyReport
from tests.api.reports.realistic_day import DAY, ZONE, warehouse

MORNING_AFTER = datetime(2026, 11, 22, 7, 5, tzinfo=UTC)


@pytest.fixture(scope="session")
def month(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Database]:
    """A warehouse with four weeks behind it."""
    path = tmp_path_factory.mktemp("month") / "lastlook.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    with database.writing() as session:
        warehouse().write(session)
    yield database
    database.close()


def _report(database: Database, day: date, now: datetime) -> DailyReport:
    with database.reading() as session:
        return service.daily(session, day, ZONE, now)


@pytest.fixture(scope="session")
def over(month: Database) -> DailyReport:
    """A day that is over."""
    return _report(month, DAY, MORNING_AFTER)


@pytest.fixture(scope="session")
def running(month: Database) -> DailyReport:
    """The same day, seen at five past one in the afternoon."""
    return _report(month, DAY, datetime(2026, 11, 21, 12, 5, tzinfo=UTC))


@pytest.fixture(scope="session")
def idle(month: Database) -> DailyReport:
    """A day long before anything happened."""
    return _report(month, date(2020, 1, 1), MORNING_AFTER)
