"""Couriers are asked as often as they allow, oftener near the promise, and less after failures."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from api.shipments import pace
from api.shipments.pace import Bucket
from api.shipments.tracking import FINAL, Status

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@given(st.floats(0.05, 100), st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_a_courier_never_sees_more_than_its_pace_and_one_second_of_burst(rate: float, gaps: list[float]) -> None:
    bucket, now, taken = Bucket.full(rate, NOW), NOW, 0
    for gap in gaps:
        now += timedelta(seconds=gap)
        after = bucket.take(rate, now)
        if after is not None:
            bucket, taken = after, taken + 1
    assert taken <= rate * (now - NOW).total_seconds() + max(1, rate) + 1e-6
    assert taken >= 1


@given(st.floats(0.05, 100))
def test_an_empty_bucket_fills_again(rate: float) -> None:
    bucket = Bucket(0, NOW)
    assert bucket.take(rate, NOW) is None
    assert bucket.take(rate, NOW + timedelta(seconds=1.001 / rate)) is not None


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    empty = Bucket(0, NOW)
    assert empty.take(10, NOW - HOUR) is None


@given(st.integers(1, 10_000), st.randoms(use_true_random=False))
def test_failures_are_spaced_out_and_never_given_up(fails: int, rng: random.Random) -> None:
    wait = pace.backoff(fails, rng)
    assert timedelta(seconds=30) <= wait <= pace.LONGEST_RETRY
    assert wait >= min(pace.FIRST_RETRY * 2 ** min(fails - 1, 20), pace.LONGEST_RETRY) / 2


@given(
    st.sampled_from([status for status in Status if status not in FINAL]),
    st.none() | st.integers(-24 * 60, 24 * 60).map(lambda hours: NOW + hours * HOUR),
    st.randoms(use_true_random=False),
)
def test_a_parcel_under_way_is_asked_at_least_twice_a_day(
    status: Status, due: datetime | None, rng: random.Random
) -> None:
    assert HOUR * 0.9 <= pace.interval(status, due, NOW, rng) <= HOUR * 13.2


def test_near_the_promise_it_is_asked_oftener() -> None:
    def hours(left: float, status: Status = Status.IN_TRANSIT) -> float:
        return pace.interval(status, NOW + timedelta(days=left), NOW, random.Random(1)) / HOUR

    assert hours(10) > hours(2) > hours(0.5)
    assert hours(10, Status.OUT_FOR_DELIVERY) == hours(0.5)
    assert hours(-20) > hours(10)
