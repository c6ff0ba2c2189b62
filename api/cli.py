"""`lastlook serve`, `lastlook worker` and `lastlook keys`: the warehouse from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from api.context import Services
    from api.settings import Settings

_SCOPES = ("station", "warehouse", "support", "admin")

_data = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Folder that holds everything. [LASTLOOK_DATA]"
)


def _settings(data: Path | None, **others: object) -> Settings:
    from pydantic import ValidationError

    from api.settings import Settings

    given = {name: value for name, value in {"data": data, **others}.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        wrong = "; ".join(f"LASTLOOK_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise click.ClickException(f"A setting cannot be used. {wrong}") from error


@contextmanager
def _open(settings: Settings) -> Iterator[Services]:
    from api.app import open_services
    from api.database import UnusableDatabaseError

    try:
        services = open_services(settings)
    except UnusableDatabaseError as error:
        raise click.ClickException(str(error)) from error
    try:
        yield services
    finally:
        services.database.close()


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(_SCOPES), help="May be repeated.")
@_data
def create(name: str, scopes: tuple[str, ...], data: Path | None) -> None:
    """Make a key for NAME (a person, a bench, a system) and print it, this once."""
    from api.audit import KeyCreated, record
    from api.security import Scope, create_key

    with _open(_settings(data)) as services, services.database.writing() as session:
        token = create_key(session, name, [Scope(scope) for scope in scopes], services.clock())
        record(session, KeyCreated("cli", token.split("_", 2)[1], name, scopes), services.clock())
    click.echo(token)
    click.echo("Keep it now: only its hash is stored, it cannot be shown again.", err=True)


@keys.command("list")
@_data
def list_all(data: Path | None) -> None:
    """One line a key: prefix, state, scopes, name."""
    from api.security import list_keys

    with _open(_settings(data)) as services, services.database.reading() as session:
        for key in list_keys(session):
            state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else f"since {key.created_at:%Y-%m-%d}"
            click.echo(f"{key.prefix}  {state:<18}  {','.join(key.scopes):<18}  {key.name}")


@keys.command("revoke")
@click.argument("prefix")
@_data
def revoke(prefix: str, data: Path | None) -> None:
    """Make the key with PREFIX useless, within seconds also on servers that run."""
    from api.audit import KeyRevoked, record
    from api.security import revoke_key

    with _open(_settings(data)) as services, services.database.writing() as session:
        if not revoke_key(session, prefix, services.clock()):
            raise click.ClickException(f"There is no working key with the prefix {prefix!r}. See: lastlook keys list")
        record(session, KeyRevoked("cli", prefix), services.clock())
    click.echo(f"revoked {prefix}")
