"""How often to ask: per parcel, per courier, and after failures. Pure: the random source comes in."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.shipments.tracking import Status

FAR = timedelta(hours=6)
"""Four times a day: couriers and 17TRACK themselves look about that often."""
NEAR = timedelta(hours=2)
CLOSE = timedelta(hours=1)
LONG_LATE = timedelta(hours=12)
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=6)
REFUSED = timedelta(hours=24)
"""A number that the courier refuses is asked once a day: some learn of it late."""
GIVE_UP = timedelta(days=60)
"""So long after the promise (or the dispatch) nobody waits for the courier any more."""


def interval(status: Status, due: datetime | None, now: datetime, rng: random.Random) -> timedelta:
    """Until the next poll of a parcel under way: shorter near the promise and on the last mile, spread by 10 %."""
    left = None if due is None else due - now
    if status in (Status.OUT_FOR_DELIVERY, Status.ATTEMPT_FAILED) or (left is not None and _within(left, 1, 1)):
        base = CLOSE
    elif left is not None and _within(left, 3, 3):
        base = NEAR
    elif left is not None and left < timedelta(days=-14):
        base = LONG_LATE
    else:
        base = FAR
    return timedelta(seconds=base.total_seconds() * rng.uniform(0.9, 1.1))


def _within(left: timedelta, before: int, after: int) -> bool:
    return timedelta(days=-after) <= left <= timedelta(days=before)


def backoff(fails: int, rng: random.Random) -> timedelta:
    """Until the next try after `fails` failures in a row (>= 1): doubling, capped, between half of it and all of it."""
    whole = min(FIRST_RETRY * 2 ** min(fails - 1, 20), LONGEST_RETRY)
    return timedelta(seconds=whole.total_seconds() * rng.uniform(0.5, 1.0))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: `tokens` left at `at`. It holds one second's worth of requests, and at least one."""

    tokens: float
    at: datetime

    @classmethod
    def full(cls, per_second: float, now: datetime) -> Bucket:
        """As after a long rest."""
        return cls(_capacity(per_second), now)

    def take(self, per_second: float, now: datetime) -> Bucket | None:
        """The bucket after one request at `now`; None when the request has to wait."""
        passed = max(0.0, (now - self.at).total_seconds())
        tokens = min(_capacity(per_second), self.tokens + passed * per_second)
        return Bucket(tokens - 1, max(now, self.at)) if tokens >= 1 - 1e-9 else None


def _capacity(per_second: float) -> float:
    return float(max(1, math.floor(per_second)))
