"""Brings a database to this program's schema, at start, also when several processes start at once.

A domain that changes its tables adds one file to versions/, NNNN_what.py: revision = "NNNN", one more than the head so
far, down_revision, upgrade(). There is no downgrade: go back by restoring the backup made before the upgrade.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from api.database import UnusableDatabaseError, connect

_FOLDER = Path(__file__).parent
_LOCK = 0x6C61_7374_6C6F_6F6B  # "lastlook" in ASCII: the number of our advisory lock in PostgreSQL


def migrate(url: str) -> None:
    """Bring the database at `url` to head, in one transaction, under a lock that other starting processes wait for.

    Raises UnusableDatabaseError when the data was written by a newer program.
    """
    # an engine of its own: SQLite can only rebuild a table that others refer to while foreign keys are off
    engine = connect(url, foreign_keys=False, pooled=False)
    try:
        with engine.connect() as connection:
            if current(connection) == head():
                return
        with engine.execution_options(writes=True).begin() as connection:  # SQLite: BEGIN IMMEDIATE is the lock
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            _upgrade(connection)
    finally:
        engine.dispose()


def is_current(engine: Engine) -> bool:
    """True when the schema is this program's."""
    with engine.connect() as connection:
        return current(connection) == head()


def current(connection: Connection) -> str | None:
    """The revision the database is at; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def head() -> str:
    """The revision this program needs, by the names of the files: most starts then need not import Alembic."""
    return max(path.name for path in (_FOLDER / "versions").glob("[0-9]*.py"))[:4]


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a third of a second, at the first start after an update only
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise UnusableDatabaseError(
            f"This database was written by another version of Lastlook ({error}). Nothing was changed. Install the "
            "newest version, or restore the backup that fits this one."
        ) from error
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise UnusableDatabaseError(
                f"The migration would leave rows of {broken[0]} without what they refer to; undone."
            )
