"""What every endpoint and every job is handed, so that tests can hand in their own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

if TYPE_CHECKING:
    from api.database import Database
    from api.evidence import Evidence
    from api.eye import SharedEye
    from api.gallery import SharedGallery
    from api.metrics import Metrics
    from api.security import KeyRing
    from api.settings import Settings
    from inspector.shadow import Shadows

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock on the wall, in UTC."""
    return datetime.now(UTC)


def new_uuid() -> str:
    """An id of our own making, for what callers did not name."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Services:
    """The world as the domains see it. One per app; thread-safe."""

    settings: Settings
    database: Database
    evidence: Evidence
    eye: SharedEye
    gallery: SharedGallery
    shadows: Shadows
    metrics: Metrics
    keys: KeyRing
    clock: Clock
    new_id: Callable[[], str]


def services_of(request: Request) -> Services:
    """The services of the app that answers this request."""
    return cast("Services", request.app.state.services)


async def _services(request: Request) -> Services:
    # async: a plain function would cost every request a hop to the thread pool
    return services_of(request)


Given = Annotated[Services, Depends(_services)]
"""Type of an endpoint's argument: `def endpoint(services: Given)`."""
