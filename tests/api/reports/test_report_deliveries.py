"""Late, at risk and on time, as they stood at the moment of the report."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from api.reports.deliveries import CarrierLine, Shipment, carriers, total

START = datetime(2026, 11, 21, tzinfo=UTC)
END = START + timedelta(days=1)


def parcel(
    name: str, *, sent: float = -3, due: float | None = 1, arrived: float | None = None, carrier: str = "DHL",
    still_open: bool = True, at_risk: bool = False,
) -> Shipment:  # fmt: skip
    """Moments in days from the start of the reported day; due=1 is the end of it."""

    def at(days: float | None) -> datetime | None:
        return None if days is None else START + timedelta(days=days)

    promise = at(due)
    promised = None if promise is None else (promise - timedelta(seconds=1)).date()
    return Shipment(
        name,
        name,
        carrier,
        f"T{name}",
        START + timedelta(days=sent),
        promised,
        promise,
        at(arrived),
        still_open,
        at_risk,
    )


def the_line(*parcels: Shipment, as_of: datetime = END) -> CarrierLine:
    lines = carriers(parcels, START, END, as_of)
    assert len(lines) == 1
    return lines[0]


def test_a_promise_that_ends_with_the_day_is_missed_at_its_end_and_not_before() -> None:
    over, running = the_line(parcel("A")), the_line(parcel("A", sent=0), as_of=START + timedelta(hours=23))
    assert (over.due, over.became_late, over.open_late) == (1, 1, 1)
    assert (running.due, running.became_late, running.open_late) == (0, 0, 0)


def test_a_parcel_becomes_late_once_and_stays_open_late_until_it_arrives() -> None:
    long_late, arrived_today = parcel("A", due=-5), parcel("B", due=-2, arrived=0.5)
    line = the_line(long_late, arrived_today)
    assert (line.became_late, line.open_late) == (0, 1)
    assert (line.delivered_on_time, line.delivered_late) == (0, 1)


def test_a_delivery_at_the_very_deadline_is_late_and_a_moment_before_is_not() -> None:
    assert the_line(parcel("A", due=0.5, arrived=0.5)).delivered_late == 1
    assert the_line(parcel("A", due=0.5, arrived=0.4999)).delivered_on_time == 1


def test_without_a_promise_nothing_is_late() -> None:
    line = the_line(parcel("A", due=None, arrived=0.5), parcel("B", due=None, sent=0.2))
    assert (line.delivered_on_time, line.delivered_late, line.due, line.open_late) == (1, 0, 0, 0)


def test_a_delivery_after_the_day_does_not_brighten_the_day() -> None:
    line = the_line(parcel("A", due=0.5, arrived=2))
    assert (line.became_late, line.open_late) == (1, 1)


def test_a_returned_parcel_missed_its_promise_but_is_not_under_way() -> None:
    line = the_line(parcel("A", still_open=False))
    assert (line.became_late, line.open_late) == (1, 0)


def test_the_oldest_late_parcel_is_named() -> None:
    line = the_line(parcel("A", due=-2), parcel("B", due=-9), parcel("C", due=0))
    assert line.oldest is not None
    assert (line.oldest.order, line.oldest.days, line.oldest.promised_by) == ("B", 10, date(2026, 11, 11))


def test_at_risk_counts_what_is_still_under_way() -> None:
    line = the_line(parcel("A", due=3, at_risk=True), parcel("B", due=3, at_risk=True, arrived=0.3))
    assert line.at_risk == 1


def test_a_carrier_with_nothing_to_do_is_left_out() -> None:
    assert carriers([parcel("A", sent=-9, due=-3, arrived=-4)], START, END, END) == ()


_days = st.floats(-10, 3, allow_nan=False).map(lambda value: round(value, 2))


@st.composite
def _shipments(draw: st.DrawFn) -> Shipment:
    return parcel(
        str(draw(st.integers(0, 999))), sent=draw(_days), due=draw(st.none() | _days), arrived=draw(st.none() | _days),
        carrier=draw(st.sampled_from(["DHL", "顺丰"])), still_open=draw(st.booleans()), at_risk=draw(st.booleans()),
    )  # fmt: skip


@given(st.lists(_shipments(), max_size=30), st.floats(0, 1))
def test_the_total_is_the_sum_and_no_part_exceeds_its_whole(shipments: list[Shipment], when: float) -> None:
    lines = carriers(shipments, START, END, START + when * timedelta(days=1))
    whole = total(lines)
    for name in ("dispatched", "delivered_on_time", "delivered_late", "due", "became_late", "open_late", "at_risk"):
        assert getattr(whole, name) == sum(getattr(line, name) for line in lines)
    for line in (*lines, whole):
        assert 0 <= line.became_late <= line.due <= len(shipments)
        assert (line.oldest is None) == (line.open_late == 0)
    if whole.oldest is not None:
        assert whole.oldest.days == max(line.oldest.days for line in lines if line.oldest)
