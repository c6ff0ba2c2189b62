"""What the rest of the warehouse asks of shipments: open one, give it a new promise, find them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from api.errors import Problem, not_found
from api.orders.tables import Order
from api.shipments import flags, lateness
from api.shipments.lateness import Lateness
from api.shipments.tables import LatenessFlag, Poll, Shipment, TrackingEventRow
from api.shipments.tracking import Status, TrackingEvent


def open_shipment(
    session: Session,
    order: Order,
    carrier: str,
    tracking_number: str,
    dispatched_at: datetime,
    *,
    shipment_id: str,
    now: datetime,
    origin: str = "",
) -> Shipment:
    """A parcel left: follow it. Call it once, in the transaction that records the dispatch.

    The first poll is due at once, and so is the first look at its promise (which knows the settings' zone).
    origin: the warehouse, where a shop has several; lanes from two warehouses are two lanes.
    """
    prefix = postcode_prefix(order.postcode)
    key = carrier_key(carrier)
    shipment = Shipment(
        id=shipment_id,
        order_id=order.id,
        carrier=carrier,
        carrier_key=key,
        tracking_number=tracking_number,
        dispatched_at=dispatched_at,
        promised_by=order.promised_by,
        zone=order.zone,
        promise_version=1,
        origin=origin,
        country=order.country,
        postcode_prefix=prefix,
        lane=lane_of(origin, order.country, prefix),
        status=Status.LABEL_CREATED,
        lateness=Lateness.ON_TIME,
        look_at=None if order.promised_by is None else now,
        created_at=now,
    )
    if order.promised_by is not None and order.zone is not None:
        shipment.due = lateness.deadline(order.promised_by, order.zone, "UTC")
    session.add(shipment)
    session.flush()  # the poll refers to it
    session.add(Poll(shipment_id=shipment_id, carrier_key=key, next_poll_at=now, fails=0))
    return shipment


def carrier_key(carrier: str) -> str:
    """The name by which the couriers' file knows a carrier, however the warehouse spells it."""
    return carrier.strip().casefold()


def postcode_prefix(postcode: str | None) -> str | None:
    """Its first two letters or digits: a region, nobody's address."""
    kept = "".join(character for character in postcode or "" if character.isalnum()).upper()[:2]
    return kept or None


def lane_of(origin: str, country: str | None, prefix: str | None) -> str | None:
    """A lane's name as people read it: "BR 21", or "Curitiba to BR 21". None where the country is unknown."""
    if country is None:
        return None
    destination = f"{country} {prefix}" if prefix else country
    return f"{origin} to {destination}" if origin else destination


def set_promise(
    session: Session, shipment_id: str, promised_by: date, zone: str | None, now: datetime, *,
    settings_zone: str, new_id: Callable[[], str],
) -> Shipment:  # fmt: skip
    """The customer was told a new day. The same day again changes nothing. Raises Problem 404, 409 (delivered)."""
    shipment = session.get(Shipment, shipment_id, with_for_update=True)
    if shipment is None:
        raise not_found("shipment", shipment_id)
    zone = zone or shipment.zone
    if (shipment.promised_by, shipment.zone) == (promised_by, zone):
        return shipment
    if shipment.delivered_at is not None:
        raise Problem(
            409, "delivered", "The parcel has arrived",
            f"It was delivered at {shipment.delivered_at.isoformat()}; its promise was left as it was.",
            delivered_at=shipment.delivered_at.isoformat(),
        )  # fmt: skip
    flags.promise_changed(session, shipment, now)
    shipment.promised_by, shipment.zone = promised_by, zone
    shipment.promise_version += 1
    flags.assess(session, shipment, now, settings_zone, new_id)
    return shipment


def promise_again(
    session: Session, order: Order, now: datetime, *, settings_zone: str, new_id: Callable[[], str]
) -> None:
    """The order got a new promise: its parcels that have not arrived follow. An order without one changes nothing."""
    if order.promised_by is None:
        return
    under_way = select(Shipment.id).where(Shipment.order_id == order.id, Shipment.delivered_at.is_(None))
    for shipment_id in session.scalars(under_way).all():
        set_promise(
            session, shipment_id, order.promised_by, order.zone, now, settings_zone=settings_zone, new_id=new_id
        )


def find(session: Session, shipment_id: str) -> Shipment:
    """Raises Problem 404."""
    shipment = session.get(Shipment, shipment_id)
    if shipment is None:
        raise not_found("shipment", shipment_id)
    return shipment


def events_of(session: Session, shipment_id: str) -> list[TrackingEvent]:
    """Everything its courier ever said, oldest first."""
    rows = session.scalars(
        select(TrackingEventRow)
        .where(TrackingEventRow.shipment_id == shipment_id)
        .order_by(TrackingEventRow.at, TrackingEventRow.content_hash)
    )
    return [TrackingEvent(r.at, Status(r.status), r.text, r.place, r.reason, r.zoned) for r in rows]


def flags_of(session: Session, shipment_id: str) -> Sequence[LatenessFlag]:
    """Its history of lateness, oldest first."""
    query = select(LatenessFlag).where(LatenessFlag.shipment_id == shipment_id).order_by(LatenessFlag.id)
    return session.scalars(query).all()


def listed(
    session: Session, state: Lateness | None, carrier: str | None, after: tuple[datetime, str] | None, limit: int
) -> Sequence[Shipment]:
    """Newest dispatch first."""
    query = select(Shipment)
    if state is not None:
        query = query.where(Shipment.lateness == state)
    if carrier is not None:
        query = query.where(Shipment.carrier_key == carrier_key(carrier))
    if after is not None:
        moment, identity = after
        query = query.where(
            or_(Shipment.dispatched_at < moment, and_(Shipment.dispatched_at == moment, Shipment.id < identity))
        )
    return session.scalars(query.order_by(Shipment.dispatched_at.desc(), Shipment.id.desc()).limit(limit)).all()
