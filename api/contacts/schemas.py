"""The JSON of contacts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.fields import LongText, Moment
from api.shipments.schemas import EventAnswer
from api.shipments.tracking import Status

State = Literal["open", "resolved"]
Outcome = Literal["contacted", "reshipped", "refunded", "not_needed"]
"""What a person can say came of it. A contact that closes itself has `delivered` or `new_promise`."""


class CustomerAnswer(BaseModel):
    """Whom to contact. Null where the shop gave nobody, or the data has expired."""

    name: str | None
    email: str | None
    phone: str | None
    language: str | None


class Suggestion(BaseModel):
    """A message to start from, in the customer's language where we speak it (en, zh), else in English."""

    language: Literal["en", "zh"]
    text: str


class ContactAnswer(BaseModel):
    """A customer to tell that a parcel is late, before they ask."""

    id: str
    kind: Literal["late"]
    state: State
    outcome: Annotated[str | None, Field(examples=["contacted"])]
    note: str | None
    opened_at: Moment
    resolved_at: Moment | None
    resolved_by: str | None = Field(description="Prefix of the key, or `lastlook` when it closed itself.")
    shipment: str
    order: str
    carrier: str
    tracking_number: str
    promise_version: int
    promised_by: date
    days_late: int = Field(description="Days since the promised day on the customer's calendar.")
    status: Status
    delivered_at: Moment | None
    last_event: EventAnswer | None
    polled_at: Moment | None = Field(description="When the courier was last asked: look here before you write.")
    customer: CustomerAnswer | None
    suggestion: Suggestion


class ResolveDocument(BaseModel):
    """What came of it."""

    model_config = ConfigDict(extra="forbid")

    outcome: Outcome
    note: LongText | None = None
