"""Local days, comparison with the day before, and limits."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports.days import LEAST, DayLine, bounds, compare, local_today, with_limits
from api.reports.figures import share

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "starts", "hours"),
    [
        ("UTC", date(2026, 11, 21), datetime(2026, 11, 21, tzinfo=UTC), 24),
        ("Asia/Shanghai", date(2026, 11, 21), datetime(2026, 11, 20, 16, tzinfo=UTC), 24),
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), datetime(2026, 4, 4, 13, tzinfo=UTC), 24.5),
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC), 23),  # midnight itself is skipped
        ("America/Sao_Paulo", date(2019, 2, 16), datetime(2019, 2, 16, 2, tzinfo=UTC), 25),  # midnight came twice
    ],
)
def test_a_local_day_has_the_hours_that_its_clock_had(zone: str, day: date, starts: datetime, hours: float) -> None:
    start, end = bounds(day, ZoneInfo(zone))
    assert start == starts
    assert (end - start) / HOUR == hours


@given(
    st.dates(date(2000, 1, 2), date(2199, 12, 30)),
    st.sampled_from(["UTC", "Europe/Berlin", "Africa/Cairo", "America/Havana", "Asia/Beirut", "Pacific/Apia"]),
)
def test_days_follow_each_other_without_gap_or_overlap(day: date, zone: str) -> None:
    place = ZoneInfo(zone)
    start, end = bounds(day, place)
    assert bounds(day - timedelta(days=1), place)[1] == start <= end == bounds(day + timedelta(days=1), place)[0]
    if start < end:  # Samoa skipped a whole day in 2011
        assert local_today(start, place) == local_today(end - timedelta(microseconds=1), place) == day


def line(ago: int, count: int, of: int) -> DayLine:
    return DayLine(date(2026, 11, 21) - timedelta(days=ago), of, share(count, of))


def steady(n: int, seed: int = 3) -> list[DayLine]:
    """Some days before today at 93 % with the scatter of chance."""
    rng = random.Random(seed)
    return [line(ago, sum(rng.random() < 0.93 for _ in range(200)), 200) for ago in range(n, 0, -1)]


def test_no_limits_before_there_are_enough_days() -> None:
    assert all(day.low is None for day in with_limits([*steady(LEAST - 1), line(0, 100, 200)]))


def test_days_without_parcels_do_not_count_as_days() -> None:
    idle = [line(40 + ago, 0, 0) for ago in range(10)]
    assert all(day.low is None for day in with_limits([*idle, *steady(LEAST - 1), line(0, 190, 200)]))


def test_a_bad_day_is_outside_and_a_usual_one_is_not() -> None:
    bad, usual = with_limits([*steady(27), line(0, 160, 200)])[-1], with_limits([*steady(27), line(0, 187, 200)])[-1]
    assert bad.outside
    assert not usual.outside


def test_fewer_parcels_have_wider_limits() -> None:
    many, few = with_limits([*steady(27), line(0, 186, 200)])[-1], with_limits([*steady(27), line(0, 18, 20)])[-1]
    assert many.low is not None
    assert few.low is not None
    assert few.low < many.low


def test_the_binomial_limits_of_a_steady_line() -> None:
    days = with_limits([*(line(ago, 186, 200) for ago in range(24, 0, -1)), line(0, 186, 200)])
    assert days[-1].low == pytest.approx(0.93 - 3 * (0.93 * 0.07 / 200) ** 0.5)
    assert days[-1].high == pytest.approx(0.93 + 3 * (0.93 * 0.07 / 200) ** 0.5)


def test_days_that_scatter_more_than_chance_widen_the_limits() -> None:
    wild = [line(ago, 198 if ago % 2 else 174, 200) for ago in range(24, 0, -1)]
    assert not with_limits([*wild, line(0, 172, 200)])[-1].outside


def test_a_perfect_month_has_limits_at_one() -> None:
    days = with_limits([*(line(ago, 200, 200) for ago in range(24, 0, -1)), line(0, 199, 200)])
    assert (days[-1].low, days[-1].high, days[-1].outside) == (1, 1, True)
    assert not days[-2].outside


@given(
    st.lists(st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=28)
)
def test_limits_stay_within_zero_and_one(counts: list[tuple[int, int]]) -> None:
    days = with_limits([line(len(counts) - i, count, of) for i, (count, of) in enumerate(counts)])
    for day in days:
        if day.low is not None and day.high is not None:
            assert 0 <= day.low <= day.high <= 1


def test_a_small_change_is_chance_and_a_large_one_is_not() -> None:
    before = line(1, 190, 200)
    assert not compare(share(186, 200), before).clear
    assert compare(share(150, 200), before).clear
    assert compare(share(150, 200), before).points == pytest.approx(-0.2)


def test_an_empty_day_is_not_compared() -> None:
    assert compare(share(0, 0), line(1, 190, 200)).points is None
    assert compare(share(9, 9), line(1, 0, 0)).points is None
