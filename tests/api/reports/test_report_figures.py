"""The arithmetic of the day, and that its sums agree whatever the benches did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports import figures
from api.reports.figures import Inspection, Outcome, Override
from inspector.spec import Check
from inspector.verdict import Decision, Result

MORNING = datetime(2026, 11, 21, 8, tzinfo=UTC)
PASSED = dict.fromkeys(Check, Result.PASS)


def seen(
    order: str, decision: str, minute: int = 0, *, kinds: Sequence[str] = (), overridden: bool = False,
    results: dict[Check, Result] | None = None, station: str = "bench-1", approved_by: str = "wang",
) -> Inspection:  # fmt: skip
    """One inspection; a hold with kinds failed its integrity check."""
    at = MORNING + timedelta(minutes=minute)
    return Inspection(
        id=f"{order}/{minute}",
        order=order,
        station=station,
        captured_at=at,
        decision=Decision(decision),
        results=results or ({**PASSED, Check.INTEGRITY: Result.FAIL} if kinds else PASSED),
        kinds=frozenset(kinds),
        override=Override("fine", "li", approved_by, at) if overridden else None,
    )


def outcome(*inspections: Inspection, held_before: bool = False) -> Outcome:
    parcels = figures.fold(inspections, {"A1"} if held_before else ())
    assert len(parcels) == 1
    return parcels[0].outcome


def test_a_parcel_that_was_released_at_once_passed_the_first_time() -> None:
    assert outcome(seen("A1", "release")) is Outcome.FIRST_PASS


def test_a_new_picture_is_no_rework() -> None:
    assert outcome(seen("A1", "retake"), seen("A1", "release", 1)) is Outcome.FIRST_PASS


def test_a_hold_before_the_release_is_rework_also_when_it_was_on_an_earlier_day() -> None:
    assert outcome(seen("A1", "hold"), seen("A1", "release", 5)) is Outcome.REWORKED
    assert outcome(seen("A1", "release"), held_before=True) is Outcome.REWORKED


def test_a_hold_that_a_person_released_is_no_first_pass() -> None:
    assert outcome(seen("A1", "hold", kinds=["tear"], overridden=True)) is Outcome.OVERRIDDEN
    assert outcome(seen("A1", "hold", overridden=True), seen("A1", "release", 3)) is Outcome.REWORKED


def test_the_last_look_counts() -> None:
    assert outcome(seen("A1", "release"), seen("A1", "hold", 3)) is Outcome.HELD
    assert outcome(seen("A1", "release"), seen("A1", "retake", 3)) is Outcome.RETAKE


def test_of_two_at_the_same_moment_the_doubt_counts() -> None:
    first = seen("A1", "release")
    second = Inspection("0", "A1", "bench-2", MORNING, Decision.HOLD, PASSED)
    assert outcome(first, second) is Outcome.HELD


def test_the_order_of_arrival_does_not_matter_and_the_same_inspection_counts_once() -> None:
    hold, release = seen("A1", "hold", kinds=["tear"]), seen("A1", "release", 9)
    parcels = figures.fold([release, hold, release, hold])
    assert parcels == figures.fold([hold, release])
    assert parcels[0].outcome is Outcome.REWORKED


def test_each_check_counts_once_a_parcel_with_its_worst_answer() -> None:
    unsure = {**PASSED, Check.LABEL: Result.UNSURE, Check.CONTENTS: Result.SKIPPED}
    parcels = figures.fold(
        [
            seen("A1", "hold", kinds=["tear"]),
            seen("A1", "release", 5),
            seen("A2", "hold", results=unsure),
            seen("A3", "retake", results={**PASSED, Check.MARKS: Result.FAIL}),
        ]
    )
    told = {line.check: (line.passed, line.failed, line.unsure, line.not_made) for line in figures.checks(parcels)}
    assert told[Check.INTEGRITY] == (1, 1, 0, 1)
    assert told[Check.LABEL] == (1, 0, 1, 1)
    assert told[Check.CONTENTS] == (1, 0, 0, 2)
    assert told[Check.MARKS] == (2, 0, 0, 1)  # nothing is learnt from a picture that is not good enough


def test_dpmo_counts_failed_checks_among_those_really_made() -> None:
    parcels = figures.fold([seen("A1", "hold", kinds=["tear", "crush"]), seen("A2", "release")])
    quality = figures.quality(figures.checks(parcels))
    assert (quality.made, quality.failed) == (8, 1)
    assert quality.dpmo == pytest.approx(125_000)
    assert figures.quality(figures.checks([])).dpmo is None


def test_a_defect_counts_once_a_parcel_and_is_overruled_by_the_latest_that_showed_it() -> None:
    parcels = figures.fold(
        [
            seen("A1", "hold", kinds=["tear"]),
            seen("A1", "hold", 3, kinds=["tear", "crush"], overridden=True),
            seen("A2", "hold", kinds=["tear"]),
        ]
    )
    told = {line.kind: (line.parcels, line.standing, line.overruled) for line in figures.pareto(parcels)}
    assert told == {"tear": (2, 1, 1), "crush": (1, 0, 1)}


def test_an_override_needs_another_person_to_be_confirmed() -> None:
    parcels = figures.fold(
        [
            seen("A1", "hold", overridden=True),
            seen("A2", "hold", overridden=True, approved_by="li"),
            seen("A3", "hold", overridden=True, approved_by=""),
        ]
    )
    totals = figures.totals(parcels, 3)
    assert (totals.overrides, totals.unconfirmed) == (3, 2)


def test_reasons_are_counted_and_overrides_listed_in_time() -> None:
    late, early = seen("A2", "hold", 9, overridden=True), seen("A1", "hold", 1, overridden=True)
    lines = figures.overrides([late, early, late])
    assert [line.order for line in lines] == ["A1", "A2"]
    assert figures.reasons(lines) == (figures.ReasonLine("fine", 2),)


def test_the_held_are_listed_longest_waiting_first_with_what_was_seen() -> None:
    parcels = figures.fold(
        [seen("A1", "hold", 9, kinds=["tear"]), seen("A2", "hold", 2), seen("A3", "hold", overridden=True)]
    )
    assert [(line.order, line.kinds) for line in figures.still_held(parcels)] == [("A2", ()), ("A1", ("tear",))]


def test_a_parcel_counts_at_the_station_that_saw_it_first() -> None:
    lines = figures.stations(
        figures.fold([seen("A1", "hold", station="bench-2"), seen("A1", "release", 5, station="bench-1")])
    )
    assert [(line.station, line.presented, line.held_once) for line in lines] == [("bench-2", 1, 1)]


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (1, 1, 0.2065, 1.0)],
)
def test_wilson_intervals_are_those_of_the_literature(count: int, of: int, low: float, high: float) -> None:
    share = figures.share(count, of)
    assert [share.low, share.high] == pytest.approx([low, high], abs=5e-4)


KINDS = ("crush", "tear", "missing_mark", "wrong_label", "a kind of next year")


@st.composite
def _inspections(draw: st.DrawFn) -> Inspection:
    order = draw(st.sampled_from(["A1", "A2", "易碎", "<b>", "A5"]))
    minute = draw(st.integers(0, 30))
    decision = draw(st.sampled_from(Decision))
    results = {check: draw(st.sampled_from(Result)) for check in Check}
    kinds = draw(st.frozensets(st.sampled_from(KINDS), max_size=3)) if decision is Decision.HOLD else frozenset()
    at = MORNING + timedelta(minutes=minute)
    override = None
    if decision is not Decision.RELEASE and draw(st.booleans()):
        override = Override(draw(st.sampled_from(["fine", "seen"])), "li", draw(st.sampled_from(["li", "wang"])), at)
    station = draw(st.sampled_from(["bench-1", "bench-2"]))
    # an id belongs to one inspection for ever
    return Inspection(
        f"{order}{minute}{decision}{station}{override}{kinds}{results}",
        order,
        station,
        at,
        decision,
        results,
        kinds,
        override,
    )


@given(st.lists(_inspections(), max_size=40), st.frozensets(st.sampled_from(["A1", "A2"])))
def test_sums_agree_and_rates_are_rates(inspections: list[Inspection], held_before: frozenset[str]) -> None:
    parcels = figures.fold(inspections, held_before)
    n = len({inspection.order for inspection in inspections})
    totals = figures.totals(parcels, len(inspections))
    assert totals.presented == n == len(parcels)
    assert totals.first_pass.count + totals.reworked + totals.overridden + totals.held + totals.retake == n
    assert len(figures.still_held(parcels)) == totals.held
    assert totals.overrides == len(figures.overrides(inspections))
    assert sum(line.count for line in figures.reasons(figures.overrides(inspections))) == totals.overrides
    assert 0 <= totals.unconfirmed <= totals.overrides

    checks = figures.checks(parcels)
    assert all(line.passed + line.failed + line.unsure + line.not_made == n for line in checks)
    quality = figures.quality(checks)
    assert quality.dpmo is None or 0 <= quality.dpmo <= 1e6

    stations = figures.stations(parcels)
    for name in ("presented", "held_once", "retakes", "overrides"):
        assert sum(getattr(line, name) for line in stations) == getattr(totals, name)
    assert sum(line.first_pass.count for line in stations) == totals.first_pass.count
    for share in (totals.first_pass, *(line.first_pass for line in stations)):
        assert (share.rate is None) == (share.of == 0)
        if share.rate is not None and share.low is not None and share.high is not None:
            assert 0 <= share.low <= share.rate <= share.high <= 1

    pareto = figures.pareto(parcels)
    assert all(line.parcels == line.standing + line.overruled <= n for line in pareto)
    assert [line.parcels for line in pareto] == sorted((line.parcels for line in pareto), reverse=True)
    if pareto:
        assert pareto[-1].cumulative == 1
        assert sum(line.share for line in pareto) == pytest.approx(1)
        assert all(a.cumulative < b.cumulative for a, b in pairwise(pareto))


@given(st.lists(_inspections(), max_size=25), st.randoms())
def test_the_report_does_not_depend_on_the_order_in_which_the_spool_was_sent(
    inspections: list[Inspection], rng: object
) -> None:
    shuffled = list(inspections)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types it as object
    assert figures.fold(inspections) == figures.fold(shuffled + shuffled)
