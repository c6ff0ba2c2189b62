"""What a courier's answer does to a parcel: events, status, flags, contact and the next poll, all or nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.shipments import flags, pace
from api.shipments.carriers import Failed, NotFound, Outcome, Rejected, RetryAfter, Tracked
from api.shipments.tables import Poll, Shipment, TrackingEventRow
from api.shipments.tracking import FINAL, Status, TrackingEvent, digest, latest

USED_BEFORE = timedelta(days=3)
"""Couriers use numbers again: what happened so long before the dispatch happened to another parcel. Not shorter: a
label is made, and now and then picked up, before the warehouse's system hears of the dispatch."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What settling needs of the world. zone: the settings' zone, for promises whose customer named none."""

    now: datetime
    zone: str
    rng: random.Random
    new_id: Callable[[], str]


def settle(session: Session, poll: Poll, shipment: Shipment, outcome: Outcome, world: Circumstances) -> None:
    """Record `outcome` and plan the next poll. The caller holds both rows; the lease is given back."""
    now = world.now
    poll.lease = poll.lease_until = None
    shipment.polled_at = now
    if isinstance(outcome, Tracked):
        outcome = _of_this_parcel(outcome, shipment)
    match outcome:
        case Tracked():
            poll.fails, shipment.problem = 0, None
            _learn(session, poll, shipment, outcome, now)
        case NotFound():
            poll.fails, shipment.problem = 0, None
        case RetryAfter():
            pass  # no fault of this parcel, and nothing learnt about it
        case Rejected(reason) | Failed(reason):
            poll.fails, shipment.problem = poll.fails + 1, reason[:500]
    _give_up(shipment, now)
    flags.assess(session, shipment, now, world.zone, world.new_id)
    poll.next_poll_at = _next(poll, shipment, outcome, world)


def _of_this_parcel(outcome: Tracked, shipment: Shipment) -> Tracked | Failed:
    first = shipment.dispatched_at - USED_BEFORE
    events = tuple(one for one in outcome.events if one.at >= first)
    if len(events) == len(outcome.events):
        return outcome
    if not events:
        return Failed("the courier only knows what happened before the dispatch; the number may have been used before")
    return Tracked(events, outcome.summary, outcome.reason)


def _learn(session: Session, poll: Poll, shipment: Shipment, outcome: Tracked, now: datetime) -> None:
    shipment.tracked_at = now
    said = digest(outcome.summary, outcome.events)
    if said == poll.last_hash:
        return
    poll.last_hash = said
    _keep(session, shipment.id, outcome.events, now)
    newest = latest(outcome.events)
    shipment.status = outcome.status or shipment.status
    told = newest is not None and newest.status == shipment.status
    shipment.reason = outcome.reason or (newest.reason if newest is not None and told else None)
    shipment.delivered_at = _arrival(shipment, outcome.events, now)


def _keep(session: Session, shipment_id: str, events: tuple[TrackingEvent, ...], now: datetime) -> None:
    known = set(
        session.scalars(select(TrackingEventRow.content_hash).where(TrackingEventRow.shipment_id == shipment_id))
    )
    session.add_all(
        TrackingEventRow(
            shipment_id=shipment_id,
            content_hash=one.content_hash,
            at=one.at,
            status=one.status,
            text=one.text,
            place=one.place,
            reason=one.reason,
            zoned=one.zoned,
            seen_at=now,
        )
        for one in events
        if one.content_hash not in known
    )
    session.flush()


def _arrival(shipment: Shipment, events: tuple[TrackingEvent, ...], now: datetime) -> datetime | None:
    """The first delivery scan; a courier that calls it delivered without one said so at `now` at the latest."""
    if shipment.status != Status.DELIVERED:
        return None
    scans = [one.at for one in events if one.status is Status.DELIVERED]
    return min([*scans, now]) if scans else shipment.delivered_at or now


def _give_up(shipment: Shipment, now: datetime) -> None:
    waited_from = max(shipment.due or shipment.dispatched_at, shipment.dispatched_at)
    if shipment.status not in FINAL and now >= waited_from + pace.GIVE_UP:
        shipment.status, shipment.reason = Status.EXPIRED, f"no delivery {pace.GIVE_UP.days} days after the promise"


def _next(poll: Poll, shipment: Shipment, outcome: Outcome, world: Circumstances) -> datetime | None:
    if shipment.status in FINAL:
        return None
    match outcome:
        case RetryAfter(seconds):
            return world.now + timedelta(seconds=seconds)
        case Rejected():
            return world.now + pace.REFUSED
        case Failed():
            return world.now + pace.backoff(poll.fails, world.rng)
        case _:
            return world.now + pace.interval(Status(shipment.status), shipment.due, world.now, world.rng)
