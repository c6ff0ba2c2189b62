"""The record of a shadow: counted by what people ask of it, readable after a crash."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from models.shadows import ShadowRecord


def line(active: str, shadow: str, n: int = 0, beside: str = "parcel/1.0.0") -> dict[str, Any]:
    return {
        "at": f"2026-11-22T08:{n:02}:00+00:00",
        "by": "bench-1",
        "inspection": f"i{n}",
        "order": f"A{n}",
        "beside": beside,
        "active": {"verdict": active},
        "shadow": {"verdict": shadow},
    }


@pytest.fixture
def record(tmp_path: Path) -> ShadowRecord:
    return ShadowRecord.of(tmp_path / "site", "parcel/1.0.0+a")


def test_no_record_is_no_parcel(record: ShadowRecord) -> None:
    assert record.tally().beside == {}


def test_agreement_is_counted_by_what_the_difference_would_have_cost(record: ShadowRecord) -> None:
    verdicts = [
        ("release", "release"),
        ("hold", "hold"),
        ("release", "hold"),
        ("hold", "release"),
        ("hold", "release"),
        ("retake", "hold"),
    ]
    for n, (active, shadow) in enumerate(verdicts):
        record.add(line(active, shadow, n))
    agreement = record.tally().beside["parcel/1.0.0"]
    assert (agreement.judged, agreement.agreed) == (6, 2)
    assert (agreement.stricter, agreement.laxer, agreement.other) == (1, 2, 1)
    assert (agreement.first, agreement.last) == ("2026-11-22T08:00:00+00:00", "2026-11-22T08:05:00+00:00")
    assert [d.inspection for d in agreement.differences] == ["i2", "i3", "i4", "i5"]


def test_the_newest_differences_are_named(record: ShadowRecord) -> None:
    for n in range(30):
        record.add(line("release", "hold", n))
    assert [d.inspection for d in record.tally().beside["parcel/1.0.0"].differences] == [f"i{n}" for n in range(20, 30)]


def test_beside_another_active_model_it_is_another_count(record: ShadowRecord) -> None:
    record.add(line("hold", "hold"))
    record.add(line("hold", "release", beside="parcel/2.0.0"))
    assert {beside: a.agreed for beside, a in record.tally().beside.items()} == {"parcel/1.0.0": 1, "parcel/2.0.0": 0}


def test_a_line_cut_short_by_a_crash_costs_only_itself(record: ShadowRecord) -> None:
    record.add(line("hold", "hold"))
    with record.path.open("ab") as file:
        file.write(json.dumps(line("hold", "release")).encode()[:40])
    record.add(line("release", "release"))
    record.add({"at": "now", "dropped": 3})
    record.add({"at": "now", "failed": "EngineError: no"})
    tally = record.tally()
    assert (tally.beside["parcel/1.0.0"].agreed, tally.unreadable, tally.dropped, tally.failed) == (2, 1, 3, 1)
    assert tally.last_failure == "EngineError: no"


@pytest.mark.parametrize(
    "foreign", ["[]", "7", '{"at": "now"}', '{"active": 1, "shadow": 2}', '{"dropped": "many"}', "\x00"]
)
def test_foreign_lines_are_counted_and_passed_over(record: ShadowRecord, foreign: str) -> None:
    record.add(line("hold", "hold"))
    with record.path.open("a") as file:
        file.write(foreign + "\n")
    tally = record.tally()
    assert (tally.unreadable, tally.beside["parcel/1.0.0"].judged) == (1, 1)


def test_a_line_begun_anew_for_nothing_is_no_bad_line(record: ShadowRecord) -> None:
    record.add(line("hold", "hold"))
    with record.path.open("ab") as file:
        file.write(b"\n")
    record.add(line("hold", "hold"))
    tally = record.tally()
    assert (tally.beside["parcel/1.0.0"].judged, tally.unreadable) == (2, 0)


def _write(path: Path, who: int) -> None:
    for n in range(30):
        ShadowRecord(path).add(line("hold", "hold", n) | {"order": f"{who}" * 4000})


def test_two_processes_may_write_one_record(record: ShadowRecord) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(record.path, who)) for who in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    tally = record.tally()
    assert (tally.beside["parcel/1.0.0"].judged, tally.unreadable) == (60, 0)
