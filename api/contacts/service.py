"""Opens a contact when a parcel is late, closes it when nobody needs to be told any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from api.contacts.tables import Contact
from api.errors import conflict, not_found
from api.shipments.tables import Shipment

LATE = "late"
OPEN, RESOLVED = "open", "resolved"
ITSELF = "lastlook"
"""resolved_by of a contact that closed itself."""


def open_contact(session: Session, shipment: Shipment, now: datetime, new_id: Callable[[], str]) -> None:
    """One contact for this late parcel and promise. There already is one: nothing happens, whatever became of it."""
    if shipment.promised_by is None:
        raise ValueError("a parcel without a promise cannot be late")
    row = {
        "id": new_id(),
        "shipment_id": shipment.id,
        "kind": LATE,
        "promise_version": shipment.promise_version,
        "promised_by": shipment.promised_by,
        "state": OPEN,
        "opened_at": now,
    }
    # two workers may get here at once: the database decides, not a look beforehand
    if session.get_bind().dialect.name == "postgresql":
        session.execute(postgresql.insert(Contact).on_conflict_do_nothing(), row)
    else:
        session.execute(sqlite.insert(Contact).on_conflict_do_nothing(), row)


def close_contacts(session: Session, shipment_id: str, outcome: str, now: datetime) -> None:
    """Nobody needs to be told about this parcel any more, and why: "delivered" or "new_promise"."""
    session.execute(
        update(Contact)
        .where(Contact.shipment_id == shipment_id, Contact.state == OPEN)
        .values(state=RESOLVED, outcome=outcome, resolved_at=now, resolved_by=ITSELF)
    )


def resolve(session: Session, contact_id: str, outcome: str, note: str | None, by: str, now: datetime) -> Contact:
    """A person says what came of it. The same outcome again changes nothing. Raises Problem 404, 409."""
    contact = session.get(Contact, contact_id, with_for_update=True)
    if contact is None:
        raise not_found("contact", contact_id)
    if contact.state == RESOLVED:
        if contact.outcome == outcome:
            return contact
        raise conflict(
            f"This contact was already resolved as {contact.outcome!r}, which was kept. Nothing was changed.",
            outcome=contact.outcome,
            resolved_by=contact.resolved_by,
        )
    contact.state, contact.outcome, contact.note = RESOLVED, outcome, note
    contact.resolved_at, contact.resolved_by = now, by
    return contact


def listed(
    session: Session, state: str | None, after: tuple[datetime, str] | None, limit: int
) -> Sequence[tuple[Contact, Shipment]]:
    """Contacts with their parcels, the longest waiting first."""
    query = select(Contact, Shipment).join(Shipment, Shipment.id == Contact.shipment_id)
    if state is not None:
        query = query.where(Contact.state == state)
    if after is not None:
        moment, identity = after
        query = query.where(or_(Contact.opened_at > moment, and_(Contact.opened_at == moment, Contact.id > identity)))
    rows = session.execute(query.order_by(Contact.opened_at, Contact.id).limit(limit)).all()
    return [(row[0], row[1]) for row in rows]
