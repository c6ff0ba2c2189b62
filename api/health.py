"""Is it up, is it ready, how is it doing: for load balancers, containers and Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.context import Given
from api.errors import Problem, problems
from api.migrations import is_current

log = logging.getLogger(__name__)
router = APIRouter(tags=["health"])


@router.get("/healthz", summary="The process is up")
async def healthz() -> dict[str, str]:
    """Answers as long as the process can answer at all. Does not look at anything else."""
    return {"status": "up"}


@router.get("/readyz", summary="It can do its work", responses=problems(503))
def readyz(services: Given) -> dict[str, str | list[str]]:
    """Asks the database, compares its schema, and has the eye judge its golden frames; says which models judge."""
    wrong = [
        f"{name}: {trouble}"
        for name, look in {
            "database": lambda: _database(services),
            "eye": lambda: services.eye.get().golden(),
        }.items()
        if (trouble := _trouble(look)) is not None
    ]
    if wrong:
        raise Problem(
            503, "not-ready", "Not ready", "; ".join(wrong), reasons=wrong, headers={"Retry-After": "10"}
        )  # fmt: skip
    return {"status": "ready", "models": [f"{m.name}/{m.version}" for m in services.eye.get().models]}


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
def metrics(services: Given) -> Response:
    """Requests, verdicts, inspection seconds, job runs and ages of queues. Holds no ids and no names."""
    return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _database(services: Given) -> None:
    services.database.ping()
    if not is_current(services.database.engine):
        raise RuntimeError("the schema is not this program's; restart the server to migrate it")


def _trouble(look: Callable[[], None]) -> str | None:
    try:
        look()
    except Problem as problem:
        return problem.detail
    except Exception as error:  # a probe's answer is what is wrong, whatever it is
        log.warning("readiness check failed", exc_info=True)
        return str(error) or type(error).__name__
    return None
