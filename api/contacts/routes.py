"""Addresses of contacts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from sqlalchemy.orm import Session

from api.contacts import service, wording
from api.contacts.schemas import ContactAnswer, CustomerAnswer, ResolveDocument, State, Suggestion
from api.contacts.tables import Contact
from api.context import Given
from api.errors import problems
from api.fields import Identifier
from api.orders.tables import Customer
from api.paging import CursorText, Limit, Page, read_cursor, write_cursor
from api.security import Caller, Scope, require
from api.shipments import lateness
from api.shipments.routes import event_answer
from api.shipments.service import events_of, find
from api.shipments.tables import Shipment
from api.shipments.tracking import latest

router = APIRouter(prefix="/v1/contacts", tags=["contacts"])
ContactId = Annotated[Identifier, Path(description="As GET /v1/contacts gave it.")]
Agent = Annotated[Caller, Depends(require(Scope.SUPPORT, Scope.WAREHOUSE))]


@router.get("", summary="Whom to contact", responses=problems(401, 403, 422))
def list_contacts(
    services: Given,
    _caller: Agent,
    state: State | None = None,
    cursor: CursorText = None,
    limit: Limit = 100,
) -> Page[ContactAnswer]:
    """The longest waiting first. One a late parcel and promise; closed by itself when the parcel arrives."""
    after = read_cursor(cursor) if cursor else None
    with services.database.reading() as session:
        found = service.listed(session, state, after, limit + 1)
        items = _answers(session, found[:limit], services.clock(), services.settings.zone)
    last = found[limit - 1][0] if len(found) > limit else None
    return Page(items=items, next=write_cursor(last.opened_at, last.id) if last else None)


@router.post("/{contact:id}/resolve", summary="Say what came of it", responses=problems(401, 403, 404, 409, 422))
def resolve(contact: ContactId, document: ResolveDocument, services: Given, caller: Agent) -> ContactAnswer:
    """The same outcome again is answered with what is there; another one is refused."""
    with services.database.writing() as session:
        now = services.clock()
        resolved = service.resolve(session, contact, document.outcome, document.note, caller.prefix, now)
        pair = (resolved, find(session, resolved.shipment_id))
        return _answers(session, [pair], now, services.settings.zone)[0]


def _answers(
    session: Session, pairs: Sequence[tuple[Contact, Shipment]], now: datetime, zone: str
) -> list[ContactAnswer]:
    return [_answer(session, contact, shipment, now, zone) for contact, shipment in pairs]


def _answer(session: Session, contact: Contact, shipment: Shipment, now: datetime, zone: str) -> ContactAnswer:
    customer = session.get(Customer, shipment.order_id)
    newest = latest(events_of(session, shipment.id))
    language = wording.language_of(customer.language if customer else None)
    facts = wording.Facts(
        order=shipment.order_id,
        name=customer.name if customer else None,
        promised_by=contact.promised_by,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        newest=newest,
        zone=lateness.zone_of(shipment.zone, zone),
    )
    until = shipment.delivered_at or contact.resolved_at or now
    person = ("name", "email", "phone", "language")
    return ContactAnswer.model_validate(
        {
            **{field: getattr(contact, field) for field in _OF_CONTACT},
            **{field: getattr(shipment, field) for field in _OF_SHIPMENT},
            "shipment": shipment.id,
            "order": shipment.order_id,
            "days_late": lateness.days_late(contact.promised_by, shipment.zone, zone, until),
            "last_event": event_answer(newest) if newest else None,
            "customer": CustomerAnswer(**{field: getattr(customer, field) for field in person}) if customer else None,
            "suggestion": Suggestion.model_validate(
                {"language": language, "text": wording.suggestion(facts, language)}
            ),
        }
    )


_OF_CONTACT = (
    "id", "kind", "state", "outcome", "note", "opened_at", "resolved_at", "resolved_by", "promise_version",
    "promised_by",
)  # fmt: skip
_OF_SHIPMENT = ("carrier", "tracking_number", "status", "delivered_at", "polled_at")
