"""The JSON of shipments."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.fields import Moment
from api.shipments.lateness import Lateness
from api.shipments.tracking import Status
from inspector.wire import Zone


class EventAnswer(BaseModel):
    """One scan or message of the courier."""

    at: Moment
    status: Status
    text: str
    place: str
    reason: str | None
    zoned: bool = Field(description="False: the courier named no time zone and the carrier's own was assumed.")


class FlagAnswer(BaseModel):
    """One time that the parcel was late or at risk; cleared_at is null while it holds."""

    kind: Literal["late", "at_risk"]
    promise_version: int
    since: Moment
    raised_at: Moment
    reason: str
    probability: float | None
    cleared_at: Moment | None
    cleared_because: str | None


class ShipmentAnswer(BaseModel):
    """One parcel under way, or arrived."""

    id: str
    order: str
    carrier: str
    tracking_number: str
    dispatched_at: Moment
    promised_by: date | None
    zone: str | None
    due: Moment | None = Field(description="First moment after the promise day in the customer's zone.")
    promise_version: int
    lane: str | None = Field(description="Origin, country, start of the postcode.", examples=["BR 21"])
    status: Status
    reason: str | None
    delivered_at: Moment | None
    lateness: Lateness
    lateness_since: Moment | None
    lateness_reason: str | None
    probability: float | None = Field(description="Of being late, when the parcel was flagged at risk.")
    tracked_at: Moment | None = Field(description="When the courier last knew the parcel; null while it never did.")
    polled_at: Moment | None
    problem: str | None = Field(description="Why the last poll told nothing.")


class ShipmentDetail(ShipmentAnswer):
    """With everything that the courier said, oldest first, and the history of its flags."""

    events: list[EventAnswer]
    flags: list[FlagAnswer]


class PromiseDocument(BaseModel):
    """The day that the customer was told. zone: the customer's; the one known so far if left out."""

    model_config = ConfigDict(extra="forbid")

    promised_by: Annotated[date, Field(examples=["2026-11-28"], ge=date(2000, 1, 1), le=date(9000, 1, 1))]
    zone: Zone | None = None
