"""What became of the parcels under way, carrier by carrier, as it stood at one moment. Pure: records in, figures out.

A promise is kept when the parcel was delivered before `due`, the first moment after the promise day in the customer's
zone. Late follows from the moments alone, whether or not a worker was there to raise the flag; at risk is a judgement,
so it is taken from the flag that stood at the moment. Both are told by the promise that holds now: a new promise moves
its parcel to the new day, and a parcel that was returned or given up is not under way on any day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shipment:
    """One dispatched parcel. due: None without a promise. open: it may still be delivered. at_risk: flagged then."""

    id: str
    order: str
    carrier: str
    tracking_number: str
    dispatched_at: datetime
    promised_by: date | None
    due: datetime | None
    delivered_at: datetime | None
    open: bool
    at_risk: bool


@dataclass(frozen=True, slots=True)
class OpenLate:
    """A late parcel that is still under way. days: whole days since its promise ended."""

    order: str
    tracking_number: str
    promised_by: date
    days: int


@dataclass(frozen=True, slots=True)
class CarrierLine:
    """One carrier's day.

    dispatched: handed over that day. delivered_on_time, delivered_late: arrived that day (without a promise: on time).
    due: the promise ended that day. became_late: of these, not delivered by then. open_late: late and still under way
    at the end of the day (or now). at_risk: under way and flagged then. oldest: of the open late ones.
    """

    carrier: str
    dispatched: int
    delivered_on_time: int
    delivered_late: int
    due: int
    became_late: int
    open_late: int
    at_risk: int
    oldest: OpenLate | None


def carriers(shipments: Iterable[Shipment], start: datetime, end: datetime, as_of: datetime) -> tuple[CarrierLine, ...]:
    """One line a carrier that had anything to do, by name. as_of: the end of the day, or now while it still runs."""
    by_carrier: dict[str, list[Shipment]] = defaultdict(list)
    for shipment in shipments:
        by_carrier[shipment.carrier].append(shipment)
    lines = (_line(carrier, seen, start, end, as_of) for carrier, seen in sorted(by_carrier.items()))
    return tuple(line for line in lines if _busy(line))


def total(lines: Sequence[CarrierLine]) -> CarrierLine:
    """All carriers together; its carrier is the empty text."""
    return CarrierLine(
        carrier="",
        dispatched=sum(line.dispatched for line in lines),
        delivered_on_time=sum(line.delivered_on_time for line in lines),
        delivered_late=sum(line.delivered_late for line in lines),
        due=sum(line.due for line in lines),
        became_late=sum(line.became_late for line in lines),
        open_late=sum(line.open_late for line in lines),
        at_risk=sum(line.at_risk for line in lines),
        oldest=max(
            (line.oldest for line in lines if line.oldest), key=lambda late: (late.days, late.order), default=None
        ),
    )


def _line(carrier: str, shipments: Sequence[Shipment], start: datetime, end: datetime, as_of: datetime) -> CarrierLine:
    arrived = [s for s in shipments if s.delivered_at is not None and start <= s.delivered_at < end]
    due = [s for s in shipments if s.due is not None and start < s.due <= min(end, as_of)]
    late = [s for s in shipments if _open_late(s, as_of)]
    kept = sum(s.due is None or s.delivered_at < s.due for s in arrived if s.delivered_at is not None)
    return CarrierLine(
        carrier=carrier,
        dispatched=sum(start <= s.dispatched_at < end for s in shipments),
        delivered_on_time=kept,
        delivered_late=len(arrived) - kept,
        due=len(due),
        became_late=sum(_missed(s) for s in due),
        open_late=len(late),
        at_risk=sum(s.at_risk and _under_way(s, as_of) for s in shipments),
        oldest=_oldest(late, as_of),
    )


def _missed(shipment: Shipment) -> bool:
    due, delivered = shipment.due, shipment.delivered_at
    return due is not None and (delivered is None or delivered >= due)


def _under_way(shipment: Shipment, as_of: datetime) -> bool:
    delivered = shipment.delivered_at
    arrives = shipment.open if delivered is None else delivered >= as_of
    return arrives and shipment.dispatched_at < as_of


def _open_late(shipment: Shipment, as_of: datetime) -> bool:
    return shipment.due is not None and shipment.due <= as_of and _under_way(shipment, as_of)


def _oldest(late: Iterable[Shipment], as_of: datetime) -> OpenLate | None:
    first = min(late, key=lambda s: (s.due or EPOCH, s.order), default=None)
    if first is None or first.due is None or first.promised_by is None:
        return None
    return OpenLate(first.order, first.tracking_number, first.promised_by, (as_of - first.due).days)


def _busy(line: CarrierLine) -> bool:
    arrived = line.delivered_on_time + line.delivered_late
    return any((line.dispatched, arrived, line.due, line.open_late, line.at_risk))
