"""`lastlook report`: a day's report from the command line, from the same database that `lastlook serve` fills."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from api.reports.schemas import DailyReport
    from api.settings import Settings


@click.command()
@click.option("--date", "day", default="today", show_default=True, help="YYYY-MM-DD, today or yesterday; a local day.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the page.")
@click.option("--format", "form", type=click.Choice(["html", "json"]), default="html", show_default=True)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; standard output if not given."
)
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Folder that holds everything. [LASTLOOK_DATA]"
)
def report(day: str, lang: str, form: str, out: Path | None, data: Path | None) -> None:
    """Write the report of one local day: what was presented, stopped and why, what is late, and what to mend first."""
    from api.context import utc_now
    from api.reports import page
    from api.reports.wording import Language

    settings, now = _settings(data), utc_now()
    made = _read(settings, _day(day, settings, now), now)
    as_json = form == "json"
    text = f"{made.model_dump_json(indent=2)}\n" if as_json else page.daily(made, Language(lang), links=False)
    if out is None:
        click.echo(text.encode(), nl=False)  # bytes: the page is UTF-8, whatever the terminal's locale
        return
    _write(out, text)
    click.echo(made.sentences[Language(lang)], err=True)
    click.echo(f"The report is in {out}", err=True)


def _settings(data: Path | None) -> Settings:
    from pydantic import ValidationError

    from api.settings import Settings

    try:
        return Settings() if data is None else Settings(data=data)
    except ValidationError as error:
        wrong = "; ".join(f"LASTLOOK_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise click.ClickException(f"A setting cannot be used. {wrong}") from error


def _day(text: str, settings: Settings, now: datetime) -> date:
    from api.reports.days import FIRST, LAST, local_today

    if text in ("today", "yesterday"):
        return local_today(now, settings.local_zone) - timedelta(days=text == "yesterday")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no day. Give it as YYYY-MM-DD, for example {now:%Y-%m-%d}, or today or yesterday.",
            param_hint="--date",
        ) from error
    if not FIRST <= day <= LAST:
        raise click.BadParameter(f"Reports reach from {FIRST} to {LAST}.", param_hint="--date")
    return day


def _read(settings: Settings, day: date, now: datetime) -> DailyReport:
    """The report. Reads only: a database that is not there, or not of this program, is told and left as it is."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import DBAPIError

    from api.database import Database, UnusableDatabaseError
    from api.migrations import is_current
    from api.reports import service

    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise click.ClickException(
            f"There is no database at {url.database}. `lastlook serve` makes it; or name its folder with --data."
        )
    try:
        database = Database(settings.database)
    except UnusableDatabaseError as error:
        raise click.ClickException(str(error)) from error
    try:
        if not is_current(database.engine):
            raise click.ClickException(
                "The database has another version's tables. Nothing was changed. Start `lastlook serve` of this "
                "version once: it brings them up to date."
            )
        with database.reading() as session:
            return service.daily(session, day, settings.local_zone, now)
    except DBAPIError as error:
        raise click.ClickException(
            f"The database cannot be read: {error.orig}. Nothing was written. Check LASTLOOK_DATABASE_URL "
            "and try again."
        ) from error
    finally:
        database.close()


def _write(out: Path, text: str) -> None:
    """All of it or nothing: whoever prints the file at this moment never gets half a report."""
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.unfinished")
    try:
        try:
            unfinished.write_text(text, encoding="utf-8", newline="")
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise click.ClickException(
            f"{out} cannot be written: {error.strerror}. What was there before is unchanged. Name another with --out."
        ) from error
