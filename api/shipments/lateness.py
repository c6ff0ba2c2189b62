"""Is a parcel late, will it be, and when to look again. Pure: moments in, judgement out.

Late: not delivered by the end of the promise day in the customer's zone.

At risk: asked at fixed days before the promise (ASK_DAYS), of parcels still under way: of the lane's parcels that were
also still under way at this age, how many took longer than the days left? A parcel counts only when it was handed over
long enough ago for its answer to be known either way; counting early deliveries of fresh parcels would make every lane
look faster than it is. Few parcels on the lane are shrunk to the carrier's, and those to a weak prior.
bench/lateness.py measures this on real orders and has the figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ASK_DAYS = (3, 1)
"""Days before the end of the promise day at which the risk is asked. Fixed days beat "whenever it first looks bad":
that spends the agents' time on weak early alarms (recall 0.57 against 0.76 on real orders)."""
WINDOW = timedelta(days=45)
"""How far back a lane's transit times count; carriers change faster than a year's average."""
SHRINK = 10.0
"""Parcels of prior evidence that the carrier's distribution weighs against the lane's own."""
PRIOR = 0.3
"""Share that takes longer, before a single parcel is known."""
THRESHOLD = 0.5
"""At risk means: more likely late than not."""


class Lateness(StrEnum):
    """What GET /v1/shipments?lateness= filters by."""

    ON_TIME = "on_time"
    AT_RISK = "at_risk"
    LATE = "late"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Transit:
    """One past parcel of a lane. delivered_at is None while nobody has seen it arrive."""

    dispatched_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Comparable:
    """How many parcels were still under way at the same age, and how many of them took longer than the time left."""

    longer: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Risk:
    """The answer to one question. probability: of being late, in [0, 1]. asked: days before the promise."""

    probability: float
    reason: str
    asked: int

    @property
    def at_risk(self) -> bool:
        """True when it deserves a flag."""
        return self.probability >= THRESHOLD


def deadline(promised_by: date, zone: str | None, fallback: str) -> datetime:
    """The first moment after the promise day, in UTC.

    Summer time moves it, and where midnight itself is skipped the day ends at the skip. A zone that is missing or
    unknown is read as `fallback` (an IANA name that must exist).
    """
    midnight = datetime.combine(promised_by + timedelta(days=1), time(), zone_of(zone, fallback))
    return midnight.astimezone(UTC)


def zone_of(zone: str | None, fallback: str) -> ZoneInfo:
    """The customer's zone, or the settings' where it is missing or unknown."""
    if zone:
        try:
            return ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    return ZoneInfo(fallback)


def is_late(due: datetime, delivered_at: datetime | None, now: datetime) -> bool:
    """Not delivered before `due`: already past and nothing came, or it came after."""
    return (delivered_at if delivered_at is not None else now) >= due


def days_late(promised_by: date, zone: str | None, fallback: str, until: datetime) -> int:
    """Calendar days from the promise day to `until` on the customer's calendar; 0 when it is not late."""
    return max(0, (until.astimezone(zone_of(zone, fallback)).date() - promised_by).days)


def question_due(due: datetime, now: datetime, asked: int | None) -> int | None:
    """The day count of the question that is open now, or None. Each is asked once, and an older one is skipped.

    asked: the day count that was asked last for this promise.
    """
    if now >= due:
        return None
    reached = [days for days in ASK_DAYS if now >= due - timedelta(days=days)]
    if not reached or (asked is not None and asked <= min(reached)):
        return None
    return min(reached)


def next_look(due: datetime, now: datetime, delivered_at: datetime | None, asked: int | None) -> datetime | None:
    """When the judgement can change by time alone; None when it cannot any more."""
    if delivered_at is not None or now >= due:
        return None
    if question_due(due, now, asked) is not None:
        return now
    moments = [due - timedelta(days=days) for days in ASK_DAYS] + [due]
    return min(moment for moment in moments if moment > now)


def comparable(past: Iterable[Transit], now: datetime, age: timedelta, left: timedelta) -> Comparable:
    """Count the past parcels that were still under way at `age` and whether they took longer than `age + left`."""
    settled = now - (age + left)
    longer = total = 0
    for parcel in past:
        if not settled - WINDOW < parcel.dispatched_at <= settled:
            continue
        took = None if parcel.delivered_at is None else parcel.delivered_at - parcel.dispatched_at
        if took is not None and took <= age:
            continue
        total += 1
        longer += took is None or took > age + left
    return Comparable(longer, total)


def probability(lane: Comparable, carrier: Comparable) -> float:
    """P(late) in (0, 1): the lane's share, shrunk to the carrier's, shrunk to PRIOR."""
    overall = (carrier.longer + SHRINK * PRIOR) / (carrier.total + SHRINK)
    return (lane.longer + SHRINK * overall) / (lane.total + SHRINK)


def ask(
    *, dispatched_at: datetime, due: datetime, now: datetime, asked: int,
    lane: Iterable[Transit], carrier: Iterable[Transit], lane_name: str, carrier_name: str,
) -> Risk:  # fmt: skip
    """Will a parcel that is still under way miss `due`? The reason is a sentence with the counts behind it."""
    age, left = max(now - dispatched_at, timedelta()), due - now
    here, everywhere = comparable(lane, now, age, left), comparable(carrier, now, age, left)
    chance = probability(here, everywhere)
    days = left / timedelta(days=1)
    span = "day" if round(days) == 1 else "days"
    counts, where = (here, f"to {lane_name}") if here.total else (everywhere, f"with {carrier_name}")
    if counts.total:
        reason = f"{counts.longer} of {counts.total} parcels {where} took longer than the {round(days)} {span} left"
    else:
        reason = f"no past parcel {where} tells how long it takes; {round(days)} {span} left"
    return Risk(chance, reason, asked)
