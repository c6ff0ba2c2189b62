"""The charts: the same every time, readable by every reader, safe with any word."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.reports import chart
from api.reports.days import DayLine
from api.reports.figures import ParetoLine, share

NAMES = {"tear": "包装撕裂", "evil": '<script>alert(1)</script> & "$x$" {n} @0@', "long": "x" * 300}


def lines(*counts: tuple[str, int, int]) -> list[ParetoLine]:
    whole, sofar, made = sum(a + b for _, a, b in counts), 0, []
    for kind, standing, overruled in counts:
        parcels = standing + overruled
        sofar += parcels
        made.append(ParetoLine(kind, parcels, standing, overruled, parcels / whole, sofar / whole))
    return made


def pareto(*counts: tuple[str, int, int]) -> ET.Element:
    return ET.fromstring(drawn(*counts))


def drawn(*counts: tuple[str, int, int]) -> str:
    axes = ("Parcels", "Cumulative")
    return chart.pareto(
        lines(*counts), lambda kind: NAMES.get(kind, kind), "others", axes, " %", "A title", "What it shows"
    )


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def days(*counts: int) -> list[DayLine]:
    return [
        DayLine(date(2026, 11, 1) + timedelta(days=i), n, share(n // 2, n), 0.2, 0.8, outside=i == 1)
        for i, n in enumerate(counts)
    ]


def test_text_stays_text_in_any_language() -> None:
    told = texts(pareto(("tear", 7, 1), ("crush", 2, 0)))
    assert {"包装撕裂", "crush", "8", "2", "Parcels", "Cumulative", "100 %"} <= set(told)


def test_hostile_words_arrive_as_words() -> None:
    svg = drawn(("evil", 3, 0), ("long", 1, 0))
    assert "<script" not in svg
    shown = "".join(texts(ET.fromstring(svg)))
    assert "<script>" in shown
    assert "…" in shown
    assert "@0@" in shown or "…" in shown


def test_it_is_named_for_those_who_do_not_see_it() -> None:
    root = pareto(("tear", 7, 1))
    title, desc = root[0], root[1]
    assert (title.text, desc.text) == ("A title", "What it shows")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"


def test_the_same_day_is_drawn_the_same_also_by_threads_at_once() -> None:
    expected, found = drawn(("tear", 7, 1), ("crush", 2, 1)), []
    threads = [threading.Thread(target=lambda: found.append(drawn(("tear", 7, 1), ("crush", 2, 1)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_two_charts_may_share_a_page() -> None:
    both = drawn(("tear", 7, 1)) + chart.strip(days(20, 30, 40), lambda line: f"{line.day:%d}", " %", "T", "D")
    ids = re.findall(r'\bid="([^"]+)"', both)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(#|href="#)([\w-]+)', both)) <= set(ids)
    assert "<style" not in both
    assert "<metadata" not in both


def test_many_kinds_end_in_one_last_bar_that_holds_the_rest() -> None:
    told = texts(pareto(*((f"kind{i}", 20 - i, 0) for i in range(15))))
    assert "others" in told
    assert "kind8" in told
    assert "kind9" not in told
    assert str(sum(20 - i for i in range(9, 15))) in told


def test_days_without_parcels_are_passed_over() -> None:
    svg = chart.strip(days(0, 30, 0, 40), lambda line: f"{line.day:%d}", "%", "T", "D")
    young = [replace(line, low=None, high=None, outside=False) for line in days(0, 30, 0, 40)]
    without_limits = chart.strip(young, lambda line: f"{line.day:%d}", "%", "T", "D")
    assert "nan" not in svg.lower()
    assert all(path.get("d") for path in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}path"))
    assert all(path.get("d") for path in ET.fromstring(without_limits).iter("{http://www.w3.org/2000/svg}path"))
    assert "04" in texts(ET.fromstring(svg))


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("missing label", ("missing label",)),
        ("contradicting marks", ("contradicting", "marks")),
        ("面单无法识别", ("面单无法识别",)),
        ("标签无法识别而且很长", ("标签无法识别", "而且很长")),
        ("", ("",)),
    ],
)
def test_labels_are_wrapped_where_their_language_breaks(label: str, expected: tuple[str, ...]) -> None:
    assert chart.wrapped(label) == expected


@given(st.text(max_size=80))
def test_any_label_fits_under_its_bar(label: str) -> None:
    wrapped = chart.wrapped(label)
    assert 1 <= len(wrapped) <= chart.LABEL_LINES
    assert all(len(line) <= chart.LABEL_COLUMNS + 2 for line in wrapped)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.integers(0, 10_000), st.integers(1, 50)), min_size=1, max_size=14))
def test_any_day_can_be_drawn(counts: list[tuple[str, int, int]]) -> None:
    ET.fromstring(drawn(*sorted(counts, key=lambda c: -c[1] - c[2])))
