"""`lastlook serve`, `lastlook worker` and `lastlook keys`: the warehouse from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import socket

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


@click.command()
@_data
@click.option("--host", help="Address to listen on; 0.0.0.0 for all. [LASTLOOK_HOST, 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="0: any free one. [LASTLOOK_PORT, 8321]")
@click.option("--no-worker", is_flag=True, help="Run the periodic jobs elsewhere: lastlook worker.")
def serve(data: Path | None, host: str | None, port: int | None, no_worker: bool) -> None:  # noqa: FBT001 - click's way
    """Run the warehouse: the API, its eye and its worker. The first start prints the admin key, once."""
    import threading

    import uvicorn

    from api import logs
    from api.app import create_app
    from api.database import UnusableDatabaseError
    from api.shipments.carriers import CarrierSettingsError, close_all, load_carriers

    settings = _settings(data, host=host, port=port)
    try:
        close_all(load_carriers(settings.carriers))  # a mistake is told now, not by a job's log hours later
    except CarrierSettingsError as error:
        raise click.ClickException(str(error)) from error
    listener = _listen(settings.host, settings.port)
    logs.set_up()
    try:
        app = create_app(settings, worker=not no_worker)
    except UnusableDatabaseError as error:
        raise click.ClickException(str(error)) from error
    services: Services = app.state.services
    _first_key(services)
    # Loaded beside, so that the address answers at once; /readyz tells when the eye is there, or why not.
    loading = threading.Thread(target=_load_eye, args=(services,), name="load the eye", daemon=True)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=10,
        ws="none",
    )
    loading.start()
    try:
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{name}:{listener.getsockname()[1]}"
        click.echo(f"Lastlook listens on {address} (try /docs); data: {_place(settings)}")
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        click.echo("Stopped; everything that was acknowledged is stored.")
    finally:
        loading.join()  # a thread that the end of Python meets inside a runtime's C++ aborts the process


@click.command()
@_data
def worker(data: Path | None) -> None:
    """Run the periodic jobs alone, beside servers that were started with --no-worker."""
    import signal
    import threading

    from api import logs
    from api.app import JOBS
    from api.worker import Worker

    logs.set_up()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with _open(_settings(data)) as services:
        jobs = Worker(JOBS, services)
        jobs.start()
        click.echo(f"Lastlook's worker runs: {', '.join(job.name for job in JOBS)}.")
        stop.wait()
        jobs.stop()


def _listen(host: str, port: int) -> socket.socket:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only where it is: without, an answer's body
    # waits 40 ms for the acknowledgement of its header.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)  # from the line that tells the address on, a client waits and is not refused
    except OSError as error:
        listener.close()
        raise click.ClickException(
            f"Cannot listen on {host} port {port}: {error.strerror}. Nothing was started; stop what uses the port, or "
            "give another with --port."
        ) from error
    return listener


def _first_key(services: Services) -> None:
    """Make the admin key if there is no key yet, and print it."""
    from api.audit import KeyCreated, record
    from api.database import one_at_a_time
    from api.security import Scope, create_key, list_keys

    with services.database.writing() as session:
        one_at_a_time(session, "first key")
        if list_keys(session):
            return
        token = create_key(session, "first start", [Scope.ADMIN], services.clock())
        record(session, KeyCreated("cli", token.split("_", 2)[1], "first start", ("admin",)), services.clock())
    click.echo(f"Admin key, shown this once: {token}")


def _place(settings: Settings) -> str:
    from sqlalchemy import make_url

    pictures = settings.evidence_url or str(settings.data.resolve() / "pictures")
    return f"{make_url(settings.database).render_as_string(hide_password=True)}, pictures: {pictures}"


def _load_eye(services: Services) -> None:
    import contextlib

    from api.errors import Problem

    with contextlib.suppress(Problem):  # logged where it arose; /readyz tells it
        services.eye.get()


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
