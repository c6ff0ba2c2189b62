"""The JSON of orders. What comes in is inspector.wire.OrderDocument."""

from __future__ import annotations

from pydantic import ConfigDict, Field, JsonValue

from api.fields import Identifier, Moment
from inspector.wire import OrderDocument

EXAMPLE: dict[str, JsonValue] = {
    "items": [],
    "marks": ["fragile"],
    "packaging": "carton",
    "tracking_number": "LP00123456789012",
    "promised_by": "2026-11-25",
    "zone": "Asia/Shanghai",
    "destination": {"country": "BR", "postcode": "01310"},
    "customer": {"name": "Ana", "email": "ana@example.com", "language": "pt"},
}


class OrderAnswer(OrderDocument):
    """An order as it is kept. customer: null for callers that have no need of it (scope station)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                EXAMPLE
                | {
                    "id": "A1",
                    "revision": 1,
                    "created_at": "2026-11-22T09:00:00Z",
                    "updated_at": "2026-11-22T09:00:00Z",
                }
            ]
        }
    )

    id: Identifier
    revision: int = Field(description="Grows when items, marks, packaging or tracking number change.")
    created_at: Moment
    updated_at: Moment
