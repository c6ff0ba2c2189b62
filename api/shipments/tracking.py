"""What a parcel's journey is made of: statuses in our words, events, and the one status they add up to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

MAX_TEXT = 500
"""Characters kept of a courier's sentence or place; a longer one is cut, never refused."""
MAX_EVENTS = 500
"""Events kept of one answer for one parcel, newest first: a real journey has tens."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\s]+")


class Status(StrEnum):
    """Where a parcel is. The words are those couriers and shops share; `exception` carries a reason."""

    LABEL_CREATED = "label_created"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    CUSTOMS = "customs"
    OUT_FOR_DELIVERY = "out_for_delivery"
    READY_FOR_PICKUP = "ready_for_pickup"
    ATTEMPT_FAILED = "attempt_failed"
    DELAYED = "delayed"
    EXCEPTION = "exception"
    RETURNING = "returning"
    RETURNED = "returned"
    DELIVERED = "delivered"
    EXPIRED = "expired"


FINAL = frozenset({Status.DELIVERED, Status.RETURNED, Status.EXPIRED})
"""Nothing more will come: polling stops."""

_RANK = {status: rank for rank, status in enumerate(Status)}


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """One scan or message of the courier. Make it with `event`, which cleans what couriers send.

    at: when, in UTC. zoned: False when the courier named no zone and the carrier's own was assumed.
    reason: for `exception`, `attempt_failed`, `delayed` and `customs`, what lies behind it, for example "damaged".
    """

    at: datetime
    status: Status
    text: str = ""
    place: str = ""
    reason: str | None = None
    zoned: bool = True

    @property
    def content_hash(self) -> str:
        """Identity of an event by what it says (SHA-256, hex): the same scan sent twice is one event."""
        said = "\x1f".join((self.at.isoformat(timespec="seconds"), self.status, self.text, self.place))
        return hashlib.sha256(said.encode()).hexdigest()


def event(
    at: datetime, status: Status, text: str = "", place: str = "", reason: str | None = None, *, zoned: bool = True
) -> TrackingEvent:
    """A clean event: UTC to the second, one line of text without control characters, at most MAX_TEXT long.

    Raises ValueError when `at` has no zone (the caller knows which one to assume, this module does not).
    """
    if at.tzinfo is None:
        raise ValueError(f"the event of {at.isoformat()} has no time zone")
    moment = at.astimezone(UTC).replace(microsecond=0)
    return TrackingEvent(moment, status, one_line(text), one_line(place), reason, zoned)


def one_line(text: str, limit: int = MAX_TEXT) -> str:
    """`text` on one line, without what a database or a screen chokes on."""
    return _CONTROL.sub(" ", text).strip()[:limit]


def in_order(events: Iterable[TrackingEvent]) -> tuple[TrackingEvent, ...]:
    """Oldest first and each once, whatever order and however often they came; at most the newest MAX_EVENTS."""
    once = {one.content_hash: one for one in events}
    ordered = sorted(once.values(), key=lambda one: (one.at, _RANK[one.status], one.content_hash))
    return tuple(ordered[-MAX_EVENTS:])


def latest(events: Iterable[TrackingEvent]) -> TrackingEvent | None:
    """The event that says where the parcel is now: the newest, except that a delivery stays a delivery.

    Couriers post scans after the delivery (a photo, a late hub scan); only a return takes a delivery back.
    """
    current: TrackingEvent | None = None
    for one in in_order(events):
        undone = one.status in (Status.RETURNING, Status.RETURNED, Status.DELIVERED)
        if current is None or current.status is not Status.DELIVERED or undone:
            current = one
    return current


def digest(status: Status | None, events: Iterable[TrackingEvent]) -> str:
    """One hash of everything a poll said; equal means that nothing has changed since."""
    said = [status or "", *sorted(one.content_hash for one in events)]
    return hashlib.sha256("\x1f".join(said).encode()).hexdigest()
