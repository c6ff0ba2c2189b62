"""Addresses of the daily report: pages for people, each with its JSON twin."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import HTMLResponse

from api.context import Given
from api.errors import invalid, problems
from api.reports import page, service
from api.reports.days import FIRST, LAST
from api.reports.schemas import DailyReport
from api.reports.wording import Language
from api.security import Caller, Scope, require

router = APIRouter(prefix="/reports", tags=["reports"])

HEADERS = {
    # a report holds order ids and names of operators, and whatever text those hold: it may not be kept, nor run
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_reader = Depends(require(Scope.WAREHOUSE, Scope.SUPPORT, browser=True))
Reader = Annotated[Caller, _reader]
Day = Annotated[date, Path(description="The local day, in the zone of the settings.", examples=["2026-11-21"])]
Lang = Annotated[Language, Query(description="English or Simplified Chinese.")]


@router.get("/", summary="The last days", response_class=HTMLResponse, responses=problems(401, 403, 422))
def index(services: Given, _reader: Reader, lang: Lang = Language.EN) -> HTMLResponse:
    """The last four weeks, today first, each with a link to its report."""
    zone = services.settings.local_zone
    with services.database.reading() as session:
        lines = service.latest(session, zone, services.clock())
    return HTMLResponse(page.index(lines, zone, lang), headers=HEADERS)


@router.get("/daily/{day}.json", summary="A day's report as JSON", responses=problems(401, 403, 422))
def daily_json(day: Day, services: Given, _reader: Reader, response: Response) -> DailyReport:
    """Every figure of the page, and its sentences in every language."""
    response.headers.update(HEADERS)
    return _report(services, day)


@router.get(
    "/daily/{day}", summary="A day's report to read", response_class=HTMLResponse, responses=problems(401, 403, 422)
)
def daily(day: Day, services: Given, _reader: Reader, lang: Lang = Language.EN) -> HTMLResponse:
    """Prints on A4. A browser may pass the key as the password of HTTP basic authentication."""
    return HTMLResponse(page.daily(_report(services, day), lang), headers=HEADERS)


def _report(services: Given, day: date) -> DailyReport:
    if not FIRST <= day <= LAST:
        raise invalid(f"Reports reach from {FIRST} to {LAST}; {day} lies outside.", pointer="/path/day")
    with services.database.reading() as session:
        return service.daily(session, day, services.settings.local_zone, services.clock())
