"""Starts a bench and its kiosk page, says where it is, and stops both in order."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys

import click
import uvicorn
from fastapi import FastAPI

from inspector import EngineError, GoldenError, Inspector, InspectorSettings
from inspector.embedder import Embedder
from inspector.gallery import Gallery, GalleryError
from inspector.shadow import Shadows
from models import ModelError
from models.registry import Registry, site_folder, site_in
from station.camera import now_utc
from station.kiosk.app import kiosk_app
from station.running import Station
from station.settings import StationSettings
from station.spool import SpoolError, refuse_network_disk

FAILED = 2


def serve(settings: StationSettings) -> int:
    """Run until stopped. Returns the exit code: 0 stopped, 2 could not start (said on stderr)."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings.read_key()
        registry = _registry(settings)
        gallery = _gallery(settings, registry)
        eye = Inspector.load(
            InspectorSettings(
                engine=settings.engine,
                threads=settings.threads,
                providers=settings.providers,
                side_view=settings.side_view,
            ),
            active=registry.active,
            gallery=gallery,
        )
        listener = _listen(settings)
    except (OSError, ModelError, EngineError, GoldenError, GalleryError, SpoolError) as error:
        click.echo(f"The station cannot start: {error}", err=True)
        return FAILED
    with listener:
        try:
            station = Station(settings, eye, shadows=_shadows(settings, registry, gallery), gallery=gallery)
        except (SpoolError, OSError) as error:
            click.echo(f"The station cannot start: {error}", err=True)
            return FAILED
        click.echo(f"Judges with {', '.join(f'{model.name}/{model.version}' for model in eye.models)}")
        signal.signal(signal.SIGTERM, _stop)
        with contextlib.suppress(KeyboardInterrupt), station:
            run_kiosk(station, listener)
    return 0


def _registry(settings: StationSettings) -> Registry:
    """The models of this site. Raises ModelError when its folder was named and is not there."""
    return Registry(site_folder(settings.models, settings.data) if settings.models else site_in(os.environ))


def _gallery(settings: StationSettings, registry: Registry) -> Gallery:
    """The taught items, on a disk of this computer. Raises GalleryError, ModelError, EngineError, SpoolError."""
    path = settings.gallery or settings.data / "gallery.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    refuse_network_disk(path.parent)
    return Gallery.open(path, Embedder.load(threads=settings.threads, active=registry.active))


def _shadows(settings: StationSettings, registry: Registry, gallery: Gallery) -> Shadows:
    """One thread: what a shadow computes must not take the processor from the next parcel."""
    alone = InspectorSettings(
        engine=settings.engine, threads=1, providers=settings.providers, side_view=settings.side_view
    )
    return Shadows(
        registry, lambda ref: Inspector.load(alone, active=registry.standing_in(ref), gallery=gallery), now_utc
    )


def _stop(*_: object) -> None:
    """SIGTERM ends the station as Ctrl-C does: uvicorn hands the signal on once the page is closed."""
    raise KeyboardInterrupt


def run_kiosk(station: Station, listener: socket.socket) -> None:
    """Serve the kiosk page of a started station on a bound socket until a signal ends it."""
    host, port = listener.getsockname()[:2]
    waiting = station.spool.queue().waiting
    click.echo(f"Kiosk: http://{f'[{host}]' if ':' in host else host}:{port}/")
    click.echo(f"Spool: {station.settings.data} ({waiting} waiting to be sent to {station.settings.api})")
    sys.stdout.flush()
    kiosk_server(kiosk_app(station)).run(sockets=[listener])


def kiosk_server(app: FastAPI) -> uvicorn.Server:
    """The server of the kiosk page: small messages only, no log of requests."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            ws="websockets-sansio",
            ws_max_size=4096,
            timeout_graceful_shutdown=2,
            server_header=False,
        )
    )


def _listen(settings: StationSettings) -> socket.socket:
    family = socket.AF_INET6 if settings.host == "::1" else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(64)  # from now on a browser waits instead of being refused
    except OSError as error:
        listener.close()
        text = f"port {settings.port} is taken; stop the other program or give another --port ({error.strerror})"
        raise OSError(text) from None
    return listener
