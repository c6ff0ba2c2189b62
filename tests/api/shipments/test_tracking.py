"""Events add up to one status, whatever order and however often couriers send them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.shipments.tracking import MAX_EVENTS, Status, TrackingEvent, digest, event, in_order, latest

START = datetime(2026, 11, 20, 9, tzinfo=UTC)


def at(hours: float, status: Status, text: str = "") -> TrackingEvent:
    return event(START + timedelta(hours=hours), status, text)


events = st.lists(
    st.builds(at, st.integers(0, 200), st.sampled_from(list(Status)), st.sampled_from(["", "hub", "到达"])), max_size=20
)


@given(events, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(journey: list[TrackingEvent], rng: random.Random) -> None:
    jumbled = journey * 2
    rng.shuffle(jumbled)
    assert in_order(jumbled) == in_order(journey)
    assert latest(jumbled) == latest(journey)
    assert digest(None, set(jumbled)) == digest(None, set(journey))


@given(st.text(max_size=2000), st.text(max_size=50))
def test_whatever_a_courier_writes_is_one_storable_line(text: str, place: str) -> None:
    one = event(START, Status.IN_TRANSIT, text, place)
    assert len(one.text) <= 500
    assert not any(character in one.text + one.place for character in "\x00\n\r\t")
    assert len(one.content_hash) == 64  # it can be encoded: no lone surrogates are left


def test_the_same_moment_in_two_zones_is_one_event() -> None:
    shanghai = datetime(2026, 11, 20, 17, tzinfo=timezone(timedelta(hours=8)))
    assert event(shanghai, Status.PICKED_UP).content_hash == event(START, Status.PICKED_UP).content_hash


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        event(datetime(2026, 11, 20), Status.PICKED_UP)  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("later", "status"),
    [
        (Status.IN_TRANSIT, Status.DELIVERED),  # a late hub scan
        (Status.EXCEPTION, Status.DELIVERED),
        (Status.RETURNING, Status.RETURNING),
        (Status.RETURNED, Status.RETURNED),
    ],
)
def test_only_a_return_takes_a_delivery_back(later: Status, status: Status) -> None:
    newest = latest([at(5, later), at(1, Status.PICKED_UP), at(4, Status.DELIVERED)])
    assert newest is not None
    assert newest.status is status


def test_a_flood_of_events_keeps_the_newest() -> None:
    flood = [at(hour, Status.IN_TRANSIT) for hour in range(MAX_EVENTS + 100)]
    kept = in_order(flood)
    assert len(kept) == MAX_EVENTS
    assert kept[-1] == flood[-1]
