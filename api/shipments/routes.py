"""Addresses of shipments."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.context import Given
from api.errors import problems
from api.fields import Identifier
from api.paging import CursorText, Limit, Page, read_cursor, write_cursor
from api.security import Caller, Scope, require
from api.shipments import service
from api.shipments.lateness import Lateness
from api.shipments.schemas import EventAnswer, FlagAnswer, PromiseDocument, ShipmentAnswer, ShipmentDetail
from api.shipments.tables import LatenessFlag, Shipment
from api.shipments.tracking import TrackingEvent

router = APIRouter(prefix="/v1/shipments", tags=["shipments"])
ShipmentId = Annotated[Identifier, Path(description="As POST /v1/orders/{order}/dispatch gave it.")]
Reader = Annotated[Caller, Depends(require(Scope.WAREHOUSE, Scope.SUPPORT))]


@router.get("", summary="Which parcels are late?", responses=problems(401, 403, 422))
def list_shipments(
    services: Given,
    _caller: Reader,
    lateness: Annotated[Lateness | None, Query(description="Only these.")] = None,
    carrier: Annotated[str | None, Query(max_length=200)] = None,
    cursor: CursorText = None,
    limit: Limit = 100,
) -> Page[ShipmentAnswer]:
    """Newest dispatch first."""
    after = read_cursor(cursor) if cursor else None
    with services.database.reading() as session:
        found = service.listed(session, lateness, carrier, after, limit + 1)
    more = len(found) > limit
    last = found[limit - 1] if more else None
    return Page(
        items=[ShipmentAnswer.model_validate(_fields(shipment)) for shipment in found[:limit]],
        next=write_cursor(last.dispatched_at, last.id) if last else None,
    )


@router.get("/{shipment:id}", summary="A parcel and its journey", responses=problems(401, 403, 404))
def get_shipment(shipment: ShipmentId, services: Given, _caller: Reader) -> ShipmentDetail:
    """With the courier's events and the history of its flags."""
    with services.database.reading() as session:
        found = service.find(session, shipment)
        return _detail(found, service.events_of(session, shipment), list(service.flags_of(session, shipment)))


@router.put("/{shipment:id}/promise", summary="Promise a new day", responses=problems(401, 403, 404, 409, 422))
def put_promise(shipment: ShipmentId, document: PromiseDocument, services: Given, _caller: Reader) -> ShipmentDetail:
    """The customer was told another day: the flag and the contact about the old one end. The same day is no change."""
    with services.database.writing() as session:
        found = service.set_promise(
            session,
            shipment,
            document.promised_by,
            document.zone,
            services.clock(),
            settings_zone=services.settings.zone,
            new_id=services.new_id,
        )
        return _detail(found, service.events_of(session, shipment), list(service.flags_of(session, shipment)))


def event_answer(one: TrackingEvent) -> EventAnswer:
    """An event as JSON."""
    return EventAnswer(at=one.at, status=one.status, text=one.text, place=one.place, reason=one.reason, zoned=one.zoned)


def _fields(shipment: Shipment) -> dict[str, object]:
    return {
        name: shipment.order_id if name == "order" else getattr(shipment, name) for name in ShipmentAnswer.model_fields
    }


def _detail(shipment: Shipment, events: list[TrackingEvent], flags: list[LatenessFlag]) -> ShipmentDetail:
    return ShipmentDetail.model_validate(
        {
            **_fields(shipment),
            "events": [event_answer(one) for one in events],
            "flags": [{name: getattr(flag, name) for name in FlagAnswer.model_fields} for flag in flags],
        }
    )
