"""The one sentence at the top: the rule, and what it says of small numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.reports import figures
from api.reports.deliveries import CarrierLine
from api.reports.figures import Inspection, Override
from api.reports.stave import Stave, Step, shortest
from api.reports.wording import Language, Words
from inspector.spec import Check
from inspector.verdict import Decision, Result

BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 11, 21, tzinfo=BERLIN).astimezone(UTC)


def parcels(
    kind: str | None, count: int, *, hours: Sequence[float] = (9,), stations: Sequence[str] = ("bench-1",),
    overruled: bool = False,
) -> list[Inspection]:  # fmt: skip
    """`count` parcels with this kind of defect (or none), at these hours of the clock and stations in turn."""
    made = []
    for i in range(count):
        at = MIDNIGHT + timedelta(hours=hours[i % len(hours)])
        name = f"{kind}-{i}"
        made.append(
            Inspection(
                name, name, stations[i % len(stations)], at, Decision.HOLD if kind else Decision.RELEASE,
                dict.fromkeys(Check, Result.FAIL if kind else Result.PASS),
                frozenset([kind] if kind else []), Override("fine", "li", "wang", at) if overruled else None,
            )
        )  # fmt: skip
    return made


def carrier(name: str, became_late: int, due: int) -> CarrierLine:
    return CarrierLine(name, 0, 0, 0, due, became_late, became_late, 0, None)


def stave(inspections: list[Inspection], *lines: CarrierLine) -> Stave | None:
    folded = figures.fold(inspections)
    return shortest(folded, figures.pareto(folded), lines, BERLIN)


def sentence(found: Stave | None, language: Language = Language.EN, **state: bool) -> str:
    told = {"presented": 212, "due": 0, "running": False, **state}
    return Words(language, BERLIN).stave(found, **told)  # type: ignore[arg-type]  # a dict of mixed values


def test_the_sentence_of_the_design() -> None:
    torn = parcels("tear", 7, hours=(14.2, 15.9, 14.5, 8), stations=("bench-2", "bench-2", "bench-2", "bench-1"))
    found = stave(torn + parcels(None, 205))
    assert sentence(found) == (
        "Shortest stave: torn packaging, 7 of 212 parcels (3.3 %), most at bench-2 between 14:00 and 16:00."
    )
    assert sentence(found, Language.ZH) == (
        "最短板：包装撕裂，212 个包裹中有 7 个（3.3%），多数在 bench-2，14:00 至 16:00 之间。"
    )


def test_a_parcel_late_weighs_like_a_parcel_torn() -> None:
    found = stave(parcels("tear", 9) + parcels(None, 200), carrier("DHL", 30, 100))
    assert found is not None
    assert (found.step, found.name, found.parcels.count, found.parcels.of) == (Step.LATE, "DHL", 30, 100)
    assert sentence(found) == "Shortest stave: late with DHL, 30 of 100 parcels promised for this day (30.0 %)."


def test_equal_counts_are_decided_by_the_share_of_their_own_parcels() -> None:
    found = stave(parcels("tear", 6) + parcels(None, 200), carrier("DHL", 6, 12))
    assert found is not None
    assert found.name == "DHL"
    assert "Torn packaging (6) is not clearly behind." in sentence(found)


def test_a_defect_that_a_person_overruled_costs_nothing() -> None:
    found = stave(parcels("crush", 9, overruled=True) + parcels("tear", 1) + parcels(None, 90))
    assert found is not None
    assert found.name == "tear"


@pytest.mark.parametrize(("first", "second", "clear"), [(12, 2, True), (7, 5, False), (30, 14, True), (5, 5, False)])
def test_a_runner_up_that_is_not_clearly_behind_is_named(first: int, second: int, clear: bool) -> None:
    found = stave(parcels("tear", first) + parcels("wet", second) + parcels(None, 50))
    assert found is not None
    assert (found.rival is None) is clear


def test_few_parcels_may_be_chance() -> None:
    assert sentence(stave(parcels("tear", 2) + parcels(None, 98))) == (
        "Shortest stave: torn packaging, 2 of 100 parcels (2.0 %). So few may be chance."
    )


def test_where_is_not_told_when_it_says_nothing() -> None:
    spread = stave(parcels("tear", 8, stations=("bench-1", "bench-2")))
    assert spread is not None
    assert spread.place is None
    two = stave(parcels("tear", 2))
    assert two is not None
    assert two.place is None


def test_the_hours_are_not_told_when_it_happened_all_day() -> None:
    found = stave(parcels("tear", 8, hours=(7, 9.5, 12, 14.5, 17, 19.5, 22, 1)))
    assert sentence(found).startswith("Shortest stave: torn packaging, 8 of 8 parcels (100 %), most at bench-1.")


def test_the_last_hours_of_a_day_end_at_24() -> None:
    found = stave(parcels("tear", 8, hours=(22.5, 23.5)))
    assert found is not None
    assert found.place is not None
    assert (found.place.from_hour, found.place.to_hour) == (22, 24)


def test_a_good_day_an_unfinished_good_day_and_an_idle_day_are_told_apart() -> None:
    assert stave(parcels(None, 50), carrier("DHL", 0, 9)) is None
    told = {
        sentence(None),
        sentence(None, running=True),
        sentence(None, presented=False, due=False),
    }
    assert len(told) == 3
    assert "so far" in sentence(None, running=True)
    assert "nothing was presented" in sentence(None, presented=False)


def test_names_that_look_like_placeholders_are_told_as_they_are() -> None:
    found = stave(parcels("{step}", 6, stations=("{x} %s",)), carrier("{0}", 6, 60))
    assert "{step}" in sentence(found)
    assert "{x} %s" in sentence(found)
    assert "Late with {0} (6)" in sentence(found)
