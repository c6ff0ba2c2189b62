"""The JSON of the dispatch gate."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.fields import Identifier, Moment, ShortText
from api.inspections.schemas import OverrideDocument


class GateAnswer(BaseModel):
    """May this order leave? reasons: why not. inspection: the one that decides; null when there is none."""

    order: Identifier
    allowed: bool
    reasons: list[str] = Field(examples=[["torn on the left side"]])
    inspection: Identifier | None
    override: OverrideDocument | None


class DispatchDocument(BaseModel):
    """The order is handed to a carrier. dispatched_at: now, unless given."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"carrier": "demo-post", "tracking_number": "LP00123456789012"}]},
    )

    carrier: Annotated[ShortText, Field(max_length=60)]
    tracking_number: ShortText
    dispatched_at: Moment | None = None


class DispatchAnswer(BaseModel):
    """The shipment that came of it; GET /v1/shipments/{id} tells how it fares."""

    id: str
    order: Identifier
    carrier: str
    tracking_number: str
    dispatched_at: Moment
    inspection: Identifier
