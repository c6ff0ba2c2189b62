"""Puts the warehouse together: settings in, one FastAPI app out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool

from api import contract, errors, health, reference
from api.contacts import routes as contacts
from api.context import Clock, Services, new_uuid, utc_now
from api.database import Database, check_integrity
from api.dispatch import routes as dispatch
from api.evidence import Evidence
from api.eye import Eye, SharedEye, active_model, load_inspector, shadows_of
from api.gallery import SharedGallery, open_gallery
from api.inspections import routes as inspections
from api.items import routes as items
from api.items import service as item_jobs
from api.metrics import Metrics, Reading
from api.middleware import BodyLimit, Observe
from api.migrations import migrate
from api.orders import routes as orders
from api.orders import service as order_jobs
from api.paths import ExactPaths
from api.reports import routes as reports
from api.security import Caller, KeyRing, find_caller
from api.settings import Settings
from api.shipments import jobs as shipment_jobs
from api.shipments import routes as shipments
from api.worker import Job, Worker
from inspector.gallery import Gallery

log = logging.getLogger(__name__)

# Each domain adds its router, its jobs and its readings here; nothing else of it is known to the app.
ROUTERS: tuple[APIRouter, ...] = (
    orders.router,
    inspections.router,
    items.router,
    dispatch.router,
    shipments.router,
    contacts.router,
    reports.router,
    health.router,
    reference.router,
)
JOBS: tuple[Job, ...] = (*order_jobs.JOBS, *item_jobs.JOBS, *shipment_jobs.JOBS)
READINGS: tuple[Reading, ...] = shipment_jobs.READINGS

ABOUT = """May this order leave? What was seen in it? Which parcels are late?

Every request needs a key (`Authorization: Bearer ll_...`; `lastlook keys create` makes one). Writes are idempotent:
the caller names the id, and sending the same again is safe. Errors are problem details (RFC 9457) that say what to do.
"""


def open_services(
    settings: Settings,
    eye: Eye | None = None,
    clock: Clock = utc_now,
    new_id: Callable[[], str] = new_uuid,
    gallery: Gallery | None = None,
) -> Services:
    """Database migrated and checked, stores opened. Close with `services.database.close()`."""
    if "data" in settings.model_fields_set and not settings.data.is_dir():
        log.warning(
            "the folder %s (LASTLOOK_DATA) was not there and is made; a disk that is not mounted looks the same",
            settings.data.absolute(),
        )
    database = Database(settings.database)
    try:
        check_integrity(database.engine)
        migrate(settings.database)
    except BaseException:
        database.close()
        raise

    def find(token: str) -> Caller | None:
        with database.reading() as session:
            return find_caller(session, token)

    shared = SharedGallery(
        lambda: gallery or open_gallery(settings.gallery_file, settings.threads, active_model(settings))
    )
    return Services(
        settings=settings,
        database=database,
        evidence=Evidence.of(settings),
        eye=SharedEye(lambda: eye or load_inspector(settings, shared.get())),
        gallery=shared,
        shadows=shadows_of(settings, shared.get, clock),
        metrics=Metrics(database, clock, READINGS),
        keys=KeyRing(find),
        clock=clock,
        new_id=new_id,
    )


def create_app(
    settings: Settings,
    eye: Eye | None = None,
    clock: Clock = utc_now,
    *,
    new_id: Callable[[], str] = new_uuid,
    worker: bool = False,
    gallery: Gallery | None = None,
) -> FastAPI:
    """The whole API on the database and stores that `settings` name.

    eye: what judges pictures sent to POST /v1/inspect; the packaged inspector, loaded when first needed, unless given.
    gallery: the taught items; those that `settings` name unless given.
    clock, new_id: time and identity. worker: run the periodic jobs in this process, while the app is up.
    Raises UnusableDatabaseError when the database cannot be used.
    """
    services = open_services(settings, eye, clock, new_id, gallery)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        jobs = Worker(JOBS if worker else (), services)
        jobs.start()
        yield
        await run_in_threadpool(jobs.stop)
        await run_in_threadpool(services.shadows.close)
        await run_in_threadpool(services.gallery.close)
        services.database.close()

    app = FastAPI(
        title="Lastlook",
        version=_version(),
        description=ABOUT,
        lifespan=life,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        separate_input_output_schemas=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(ExactPaths)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(Observe, metrics=services.metrics)
    contract.install(app)
    return app


def _version() -> str:
    try:
        return version("lastlook")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
