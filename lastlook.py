"""The one command, and what several rooms need of the system. Each room brings its own commands; a room is imported
when one of its commands is called.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import sqlite3
import time
from typing import Any

import click

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
BETWEEN_TRIES = 0.02
"""Seconds."""
COMMANDS = {
    "inspect": ("inspector.cli:inspect", "Judge picture files and print the verdicts."),
    "teach": ("inspector.items_cli:teach", "Teach an item from photos of it."),
    "items": ("inspector.items_cli:items", "List, show, remove, export and import taught items."),
    "station": ("station.cli:station", "Run a packing bench: camera, kiosk, spool."),
    "serve": ("api.cli:serve", "Run the warehouse API with its worker."),
    "worker": ("api.cli:worker", "Run the warehouse's periodic jobs apart from the API."),
    "keys": ("api.cli:keys", "Create, list and revoke API keys."),
    "report": ("api.reports.cli:report", "Print the daily defect report."),
    "models": ("models.cli:commands", "See and choose the models that judge; roll back."),
    "adapt": ("models.adaptation.cli:adapt", "Teach the eye a bench's own photos."),
    "evaluate": ("models.evaluation.cli:evaluate", "Measure a model on labelled pictures."),
    "demo": ("demo.cli:demo", "Walk parcels through every room; needs no camera and no network."),
}
"""Name -> (module:command, one line of help), so that `lastlook --help` imports no room."""


class Rooms(click.Group):
    """A group whose commands are imported on their first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, RUF100 -- click's signature
        """All commands, in the order in which a parcel meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the room that has this command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: Any = getattr(importlib.import_module(module), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from their one-liners."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])


@click.command(cls=Rooms, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lastlook")
def main() -> None:
    """Lastlook takes the last look at a parcel before it leaves, and keeps looking until it arrives."""
    keep_memory()


def keep_memory() -> None:
    """Lets glibc keep what a picture used for the next one: giving it back and faulting it in again is a twentieth of
    the time of a judgement, and two thirds of a training step.
    """
    with contextlib.suppress(OSError, AttributeError):  # another system: slower, and nothing else
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 25)  # the most it takes
        libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)


def write_ahead(db: sqlite3.Connection, seconds: float) -> None:
    """Turns SQLite's write-ahead log on, or finds it on. Waits for others that do the same, up to `seconds`.

    SQLite waits for locks by its own time-out everywhere but here: of several processes that start at once on a new
    file some are told "database is locked" at once. Raises sqlite3.OperationalError when the time is over.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            db.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(BETWEEN_TRIES)
        else:
            return


if __name__ == "__main__":
    main()
