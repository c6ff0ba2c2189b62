"""The schema that migrations make is the one the program maps, and starting twice at once is safe."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import api.app
import api.dispatch.tables
import api.inspections.tables
import api.orders.tables  # noqa: F401
from api import migrations
from api.database import Base, UnusableDatabaseError, connect


def test_migrations_make_what_the_tables_say(database_url: str) -> None:
    engine = connect(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_the_chain_is_linear() -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert script.get_heads() == [migrations.head()]
    assert all(len(revision.nextrev) <= 1 for revision in script.walk_revisions())


def test_many_processes_may_start_at_once_on_one_new_database(empty_database_url: str) -> None:
    together = Barrier(4)

    def start() -> None:
        together.wait()
        migrations.migrate(empty_database_url)

    with ThreadPoolExecutor(4) as pool:
        for outcome in [pool.submit(start) for _ in range(4)]:
            outcome.result()
    engine = connect(empty_database_url)
    assert migrations.is_current(engine)
    engine.dispose()


def test_data_of_a_newer_program_is_refused_and_left_alone(database_url: str) -> None:
    engine = connect(database_url)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnusableDatabaseError, match="Install the newest version"):
        migrations.migrate(database_url)
    with engine.connect() as connection:
        assert migrations.current(connection) == "9999"
    engine.dispose()


def test_a_database_that_is_at_head_is_not_written_to(sqlite_template: Path) -> None:
    writer = sqlite3.connect(sqlite_template, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")  # somebody is busy writing; a start must not have to wait for that
    migrations.migrate(f"sqlite:///{sqlite_template}")
    writer.execute("ROLLBACK")
    writer.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.sqlite3'}"
        return
    with request.getfixturevalue("new_postgres_database")(template="template0") as url:
        yield url
