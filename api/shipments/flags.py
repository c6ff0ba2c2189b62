"""Keeps a parcel's lateness true: raises flags, clears them, and opens and closes the contact they call for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.contacts.service import close_contacts, open_contact
from api.shipments import lateness
from api.shipments.lateness import Lateness, Transit
from api.shipments.tables import LatenessFlag, Shipment

PAST_PARCELS = 2000
"""Newest parcels of a lane or carrier that one question looks at; more would change no answer."""


def assess(session: Session, shipment: Shipment, now: datetime, zone: str, new_id: Callable[[], str]) -> None:
    """Make the flags say what is true at `now`. Safe to call at any time and any number of times.

    zone: the settings', for an order that names none. The caller holds the row's lock (or the only writer's).
    """
    delivered = shipment.delivered_at
    if shipment.promised_by is None:
        shipment.lateness, shipment.look_at = (Lateness.DELIVERED if delivered else Lateness.ON_TIME), None
        return
    due = shipment.due = lateness.deadline(shipment.promised_by, shipment.zone, zone)
    flag = _standing(session, shipment)
    if lateness.is_late(due, delivered, now):
        flag = _became_late(session, shipment, flag, due, now)
    elif delivered is None:
        flag = _ask(session, shipment, flag, due, now)
    if delivered is not None:
        if flag is not None:
            _clear(flag, "delivered" if delivered >= due else "delivered_in_time", now)
        close_contacts(session, shipment.id, "delivered", now)
        _show(shipment, Lateness.DELIVERED, None)
    elif flag is not None:
        if flag.kind == Lateness.LATE:
            open_contact(session, shipment, now, new_id)
        _show(shipment, Lateness(flag.kind), flag)
    else:
        _show(shipment, Lateness.ON_TIME, None)
    shipment.look_at = lateness.next_look(due, now, delivered, shipment.asked_days)


def promise_changed(session: Session, shipment: Shipment, now: datetime) -> None:
    """What was said about the old promise no longer holds. The contact closes: whoever made the promise told it."""
    flag = _standing(session, shipment)
    if flag is not None:
        _clear(flag, "new_promise", now)
    close_contacts(session, shipment.id, "new_promise", now)
    shipment.asked_days = None
    session.flush()  # the cleared flag must not be found standing again


def _standing(session: Session, shipment: Shipment) -> LatenessFlag | None:
    return session.scalars(
        select(LatenessFlag).where(LatenessFlag.shipment_id == shipment.id, LatenessFlag.cleared_at.is_(None))
    ).one_or_none()


def _became_late(
    session: Session, shipment: Shipment, flag: LatenessFlag | None, due: datetime, now: datetime
) -> LatenessFlag | None:
    if flag is not None and flag.kind == Lateness.LATE:
        return flag
    if flag is not None:
        _clear(flag, "late", now)
    known = session.scalars(
        select(LatenessFlag.id).where(
            LatenessFlag.shipment_id == shipment.id,
            LatenessFlag.kind == Lateness.LATE,
            LatenessFlag.promise_version == shipment.promise_version,
        )
    ).first()
    if known is not None:  # it was late, arrived, and is looked at again
        return None
    return _raise(session, shipment, Lateness.LATE, due, now, _why_late(shipment), None)


def _why_late(shipment: Shipment) -> str:
    if shipment.tracked_at is None:
        return f"not delivered by the end of {shipment.promised_by}, and the courier has not said a word about it"
    return f"not delivered by the end of {shipment.promised_by}; last known: {shipment.status.replace('_', ' ')}"


def _ask(
    session: Session, shipment: Shipment, flag: LatenessFlag | None, due: datetime, now: datetime
) -> LatenessFlag | None:
    asked = lateness.question_due(due, now, shipment.asked_days)
    if asked is None:
        return flag
    age, left = max(now - shipment.dispatched_at, timedelta()), due - now
    risk = lateness.ask(
        dispatched_at=shipment.dispatched_at,
        due=due,
        now=now,
        asked=asked,
        lane=_past(session, shipment, now, age + left, same_lane=True),
        carrier=_past(session, shipment, now, age + left, same_lane=False),
        lane_name=shipment.lane or "there",
        carrier_name=shipment.carrier,
    )
    shipment.asked_days = asked
    if not risk.at_risk:
        if flag is not None:
            _clear(flag, "looks_better", now)
        return None
    if flag is not None:
        flag.probability, flag.reason = risk.probability, risk.reason
        return flag
    return _raise(session, shipment, Lateness.AT_RISK, now, now, risk.reason, risk.probability)


def _past(
    session: Session, shipment: Shipment, now: datetime, horizon: timedelta, *, same_lane: bool
) -> Sequence[Transit]:
    """Parcels old enough to tell, newest first. One that its courier never answered about tells nothing."""
    if same_lane and shipment.lane is None:
        return []
    settled = now - horizon
    query = select(Shipment.dispatched_at, Shipment.delivered_at).where(
        Shipment.carrier_key == shipment.carrier_key,
        Shipment.dispatched_at > settled - lateness.WINDOW,
        Shipment.dispatched_at <= settled,
        Shipment.tracked_at.is_not(None),
        Shipment.id != shipment.id,
    )
    if same_lane:
        query = query.where(Shipment.lane == shipment.lane)
    rows = session.execute(query.order_by(Shipment.dispatched_at.desc()).limit(PAST_PARCELS)).all()
    return [Transit(row[0], row[1]) for row in rows]


def _raise(
    session: Session, shipment: Shipment, kind: Lateness, since: datetime, now: datetime, reason: str,
    probability: float | None,
) -> LatenessFlag:  # fmt: skip
    flag = LatenessFlag(
        shipment_id=shipment.id,
        promise_version=shipment.promise_version,
        kind=kind,
        since=since,
        raised_at=now,
        reason=reason,
        probability=probability,
    )
    session.add(flag)
    session.flush()
    return flag


def _clear(flag: LatenessFlag, because: str, now: datetime) -> None:
    flag.cleared_at, flag.cleared_because = now, because


def _show(shipment: Shipment, state: Lateness, flag: LatenessFlag | None) -> None:
    shipment.lateness = state
    shipment.lateness_since = flag.since if flag else None
    shipment.lateness_reason = flag.reason if flag else None
    shipment.probability = flag.probability if flag else None
