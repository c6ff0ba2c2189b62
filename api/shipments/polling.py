"""Asks couriers about parcels that are due, from any number of workers, each parcel once at a time.

A worker claims a batch by writing a lease, asks the courier without holding any lock, and takes the answer in one
transaction if its lease still stands. Killed in between, it leaves a lease that runs out, and the batch is asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from api.shipments.carriers import Failed, Outcome, RetryAfter
from api.shipments.pace import Bucket
from api.shipments.settling import Circumstances, settle
from api.shipments.tables import CarrierPace, Poll, Shipment

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""How long a claimed parcel is left to its worker: well over the longest time that one request may take."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Parcels that only this worker may ask about now. numbers: tracking number by shipment id."""

    carrier_key: str
    lease: str
    numbers: Mapping[str, str]

    def slices(self, size: int) -> list[Claim]:
        """The same claim in parts, to be answered in transactions that keep nobody waiting for long."""
        items = list(self.numbers.items())
        parts = [dict(items[start : start + size]) for start in range(0, len(items), size)]
        return [Claim(self.carrier_key, self.lease, part) for part in parts]

    @property
    def batch(self) -> list[str]:
        """What to ask the courier; two parcels may share a number."""
        return list(dict.fromkeys(self.numbers.values()))


def is_due(now: datetime) -> ColumnElement[bool]:
    """The polls that anybody may claim at `now`."""
    return (Poll.next_poll_at <= now) & or_(Poll.lease_until.is_(None), Poll.lease_until <= now)


def due_carriers(session: Session, now: datetime) -> set[str]:
    """Couriers with something to ask."""
    return set(session.scalars(select(Poll.carrier_key).where(is_due(now)).distinct()))


def claim_due(
    session: Session, carrier_key: str, now: datetime, lease: str, *, batch_size: int, per_second: float
) -> Claim | None:
    """Lease at most `batch_size` parcels, the longest overdue first; None when nothing is due or the courier's pace
    forbids a request now. One request's worth of pace is taken with the claim.
    """
    paced = _pace(session, carrier_key, per_second, now)
    bucket = Bucket(paced.tokens, paced.refilled_at).take(per_second, now)
    if bucket is None or (paced.paused_until is not None and paced.paused_until > now):
        return None
    # SKIP LOCKED is for PostgreSQL; SQLite has one writer and leaves it out. A CTE, because PostgreSQL may run a
    # plain sub-select with LIMIT more than once and would then lock more rows than it returns.
    due = (
        select(Poll.shipment_id)
        .where(Poll.carrier_key == carrier_key, is_due(now))
        .order_by(Poll.next_poll_at)
        .limit(batch_size)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    claimed = session.scalars(
        update(Poll)
        .where(Poll.shipment_id.in_(select(due.c.shipment_id)))
        .values(lease=lease, lease_until=now + LEASE)
        .returning(Poll.shipment_id)
        .execution_options(synchronize_session=False)
    ).all()
    if not claimed:
        return None
    paced.tokens, paced.refilled_at = bucket.tokens, bucket.at
    numbers = session.execute(select(Shipment.id, Shipment.tracking_number).where(Shipment.id.in_(claimed))).all()
    return Claim(carrier_key, lease, {row[0]: row[1] for row in numbers})


def take_answers(session: Session, claim: Claim, outcomes: Mapping[str, Outcome], world: Circumstances) -> int:
    """Record the outcome of every parcel whose lease still stands. Returns how many."""
    patience = [outcome.seconds for outcome in outcomes.values() if isinstance(outcome, RetryAfter)]
    if patience:
        session.execute(
            update(CarrierPace)
            .where(CarrierPace.carrier_key == claim.carrier_key)
            .values(paused_until=world.now + timedelta(seconds=max(patience)))
        )
    # a parcel whose lease is gone was claimed by another worker since, and that one's answer is newer
    mine = Poll.shipment_id.in_(claim.numbers) & (Poll.lease == claim.lease)
    polls = session.scalars(select(Poll).where(mine).order_by(Poll.shipment_id).with_for_update()).all()
    held = Shipment.id.in_([poll.shipment_id for poll in polls])
    locked = session.scalars(select(Shipment).where(held).order_by(Shipment.id).with_for_update()).all()
    shipments = {shipment.id: shipment for shipment in locked}
    for poll in polls:
        shipment, number = shipments[poll.shipment_id], claim.numbers[poll.shipment_id]
        try:
            with session.begin_nested():
                settle(session, poll, shipment, outcomes[number], world)
        except (DataError, IntegrityError, ValueError, ArithmeticError):
            # an answer that we let through and cannot keep is our fault: it must cost no other parcel its answer
            log.exception("a courier's answer could not be kept", extra={"shipment": shipment.id})
            session.refresh(poll)
            session.refresh(shipment)
            settle(session, poll, shipment, Failed("the courier's answer could not be kept; see the log"), world)
    return len(polls)


def oldest_due_seconds(session: Session, now: datetime) -> float:
    """How long the longest overdue poll has waited; 0 when none is due."""
    oldest = session.scalar(select(func.min(Poll.next_poll_at)).where(is_due(now)))
    return 0.0 if oldest is None else (now - oldest).total_seconds()


def promises_overdue(session: Session, now: datetime) -> bool:
    """True when a flag may have changed by time alone."""
    return session.scalar(select(Shipment.id).where(Shipment.look_at <= now).limit(1)) is not None


def overdue_promises(session: Session, now: datetime, limit: int) -> Sequence[Shipment]:
    """Parcels whose flag may have changed by time alone, locked for this worker."""
    return session.scalars(
        select(Shipment)
        .where(Shipment.look_at <= now)
        .order_by(Shipment.look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def _pace(session: Session, carrier_key: str, per_second: float, now: datetime) -> CarrierPace:
    """The courier's pace, locked until the transaction ends, so that workers claim one after the other."""
    bucket = Bucket.full(per_second, now)
    row = {"carrier_key": carrier_key, "tokens": bucket.tokens, "refilled_at": bucket.at}
    if session.get_bind().dialect.name == "postgresql":
        session.execute(postgresql.insert(CarrierPace).on_conflict_do_nothing(), row)
    else:
        session.execute(sqlite.insert(CarrierPace).on_conflict_do_nothing(), row)
    return session.get_one(CarrierPace, carrier_key, with_for_update=True, populate_existing=True)
