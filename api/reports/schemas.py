"""The daily report as JSON. The HTML page is made from this document alone, so it shows no figure that is not here."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.reports.days import Comparison, DayLine
from api.reports.deliveries import CarrierLine
from api.reports.figures import (
    CheckLine,
    HeldLine,
    OverrideLine,
    ParetoLine,
    Quality,
    ReasonLine,
    StationLine,
    Totals,
)
from api.reports.stave import Stave
from api.reports.wording import Language


class State(StrEnum):
    """Whether the day's figures may still grow by the clock alone."""

    NOT_BEGUN = "not_begun"
    RUNNING = "running"
    OVER = "over"


class Contacts(BaseModel):
    """Customers to contact about late parcels. open: at the end of the day, or now while it still runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    open: int
    opened: int
    resolved: int


class DailyReport(BaseModel):
    """One local day. Rates are in [0, 1], moments in UTC; what each figure means is said in docs/report.md.

    starts_at, ends_at: the local day, ends_at excluded; hours: 23, 24 or 25. as_of: the moment at which everything
    under way was counted: the end of the day, or made_at while it still runs. sentences: the shortest stave in words,
    by language.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", title="DailyReport")

    day: Annotated[date, Field(examples=["2026-11-21"])]
    zone: Annotated[str, Field(examples=["Europe/Berlin"])]
    starts_at: datetime
    ends_at: datetime
    hours: float
    state: State
    as_of: datetime
    made_at: datetime
    sentences: dict[Language, str]
    totals: Totals
    quality: Quality
    checks: tuple[CheckLine, ...]
    defects: tuple[ParetoLine, ...]
    stations: tuple[StationLine, ...]
    carriers: tuple[CarrierLine, ...]
    carriers_total: CarrierLine
    contacts: Contacts
    stave: Stave | None
    before: Comparison
    weeks: tuple[DayLine, ...]
    override_reasons: tuple[ReasonLine, ...]
    overrides: tuple[OverrideLine, ...]
    still_held: tuple[HeldLine, ...]
