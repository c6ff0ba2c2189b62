"""Late means: not there when the promise day has ended where the customer lives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.shipments import lateness
from api.shipments.lateness import Comparable, Transit

ZONES = sorted(zone for zone in available_timezones() if zone not in ("localtime", "Factory"))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@given(st.dates(date(1980, 1, 1), date(2037, 12, 30)), st.sampled_from(ZONES))
def test_the_promise_ends_when_its_day_ends_there(promised: date, zone: str) -> None:
    end = lateness.deadline(promised, zone, "UTC").astimezone(ZoneInfo(zone))
    before = (end.astimezone(UTC) - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    assert end.date() > promised
    assert before.date() <= promised


@pytest.mark.parametrize(
    ("zone", "promised", "ends"),
    [
        ("Asia/Shanghai", date(2026, 11, 25), "2026-11-25T16:00:00+00:00"),
        ("America/New_York", date(2026, 3, 8), "2026-03-09T04:00:00+00:00"),  # a day of 23 hours
        ("America/New_York", date(2026, 11, 1), "2026-11-02T05:00:00+00:00"),  # a day of 25 hours
        ("America/Sao_Paulo", date(2018, 11, 3), "2018-11-04T03:00:00+00:00"),  # midnight itself was skipped
        (None, date(2026, 11, 25), "2026-11-25T22:00:00+00:00"),  # the settings' zone
        ("Moon/Tranquility", date(2026, 11, 25), "2026-11-25T22:00:00+00:00"),
    ],
)
def test_deadline(zone: str | None, promised: date, ends: str) -> None:
    assert lateness.deadline(promised, zone, "Africa/Johannesburg").isoformat() == ends


def test_late_to_the_second() -> None:
    due = lateness.deadline(date(2026, 11, 25), "Asia/Shanghai", "UTC")
    second = timedelta(seconds=1)
    assert not lateness.is_late(due, None, due - second)
    assert lateness.is_late(due, None, due)
    assert not lateness.is_late(due, due - second, due + 9 * DAY)
    assert lateness.is_late(due, due, due)


moments = st.integers(-40 * 24, 40 * 24).map(lambda hours: NOON + timedelta(hours=hours))


@given(moments, moments, st.sampled_from([None, 3, 1]))
def test_looking_again_when_told_to_misses_no_question_and_ends(
    due: datetime, start: datetime, asked: int | None
) -> None:
    """Follow next_look from any state: every question whose time comes is asked once, and the end is a late parcel."""
    now: datetime | None = start
    questions: list[int] = []
    while now is not None:
        previous, question = now, lateness.question_due(due, now, asked)
        if question is not None:
            questions.append(question)
            asked = question
        now = lateness.next_look(due, previous, None, asked)
        assert now is None or now > previous, "it would look for ever"
        if now is None:
            assert lateness.is_late(due, None, previous)
    assert questions == sorted(set(questions), reverse=True)
    if start < due - 3 * DAY and not questions:
        assert asked is not None
    assert lateness.next_look(due, start, start, asked) is None


def test_a_parcel_sent_after_the_first_question_is_asked_at_once_and_only_the_nearest() -> None:
    due = NOON + timedelta(hours=20)
    assert lateness.question_due(due, NOON, None) == 1
    assert lateness.question_due(due, NOON, 3) == 1
    assert lateness.question_due(due, NOON, 1) is None


def parcels(*days: float | None, sent: float = 20) -> list[Transit]:
    """Parcels sent `sent` days ago that took so many days; None has not arrived."""
    start = NOON - sent * DAY
    return [Transit(start, None if took is None else start + took * DAY) for took in days]


def test_only_parcels_that_were_still_under_way_at_this_age_compare() -> None:
    past = parcels(2, 3, 5, 6, 7, None)
    assert lateness.comparable(past, NOON, 4 * DAY, 2 * DAY) == Comparable(longer=2, total=4)


def test_parcels_too_fresh_to_tell_do_not_count_even_when_they_arrived() -> None:
    assert lateness.comparable(parcels(5, 5, 5, sent=5.5), NOON, 4 * DAY, 2 * DAY) == Comparable()


def test_parcels_older_than_the_window_do_not_count() -> None:
    assert lateness.comparable(parcels(5, 7, sent=60), NOON, 4 * DAY, 2 * DAY) == Comparable()


def test_the_reason_says_what_was_counted() -> None:
    slow = parcels(5, 7, 8, 9, None)
    risk = ask(lane=slow, carrier=slow)
    assert risk.reason == "4 of 5 parcels to BR 21 took longer than the 2 days left"
    assert risk.at_risk
    risk = ask(lane=[], carrier=parcels(5, 5, 5, 7))
    assert risk.reason == "1 of 4 parcels with correios took longer than the 2 days left"
    assert not risk.at_risk
    assert ask(lane=[], carrier=[]).reason.startswith("no past parcel")


counts = st.integers(0, 500).flatmap(lambda total: st.builds(Comparable, st.integers(0, total), st.just(total)))


@given(counts, counts)
def test_the_probability_is_one_and_lies_between_lane_and_carrier(lane: Comparable, carrier: Comparable) -> None:
    p = lateness.probability(lane, carrier)
    assert 0 < p < 1
    if lane.total:
        overall = lateness.probability(Comparable(), carrier)
        share = lane.longer / lane.total
        assert min(share, overall) - 1e-9 <= p <= max(share, overall) + 1e-9


@given(counts, counts)
def test_one_more_slow_parcel_never_lowers_the_risk(lane: Comparable, carrier: Comparable) -> None:
    slower = Comparable(lane.longer + 1, lane.total + 1)
    assert lateness.probability(slower, carrier) >= lateness.probability(lane, carrier)


def test_days_late_are_the_customers_days() -> None:
    # 25 Nov 23:30 in Shanghai is not late, half an hour later is one day late
    evening = datetime(2026, 11, 25, 15, 30, tzinfo=UTC)
    late_by = [lateness.days_late(date(2026, 11, 25), "Asia/Shanghai", "UTC", evening + n * DAY / 48) for n in (0, 1)]
    assert late_by == [0, 1]


def ask(lane: list[Transit], carrier: list[Transit]) -> lateness.Risk:
    return lateness.ask(
        dispatched_at=NOON - 4 * DAY,
        due=NOON + 2 * DAY,
        now=NOON,
        asked=3,
        lane=lane,
        carrier=carrier,
        lane_name="BR 21",
        carrier_name="correios",
    )
