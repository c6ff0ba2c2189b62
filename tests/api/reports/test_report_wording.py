"""Both languages say everything, and say it with the same values."""

from __future__ import annotations

import re
import string
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports import page
from api.reports.messages import KINDS, MESSAGES, Message
from api.reports.wording import Language, Words
from inspector.spec import Check

EN, ZH = Words(Language.EN, ZoneInfo("Europe/Berlin")), Words(Language.ZH, ZoneInfo("Europe/Berlin"))
EVERYTHING = {**MESSAGES, **{f"kind {kind}": message for kind, message in KINDS.items()}}
SAME = {"brand", "none", "dpmo", "oldest_promised", "week_of"}
"""Names and signs; a dash and a bracket are the same in both."""
FINDINGS = {
    *("crush", "dent", "tear", "hole", "wet", "stain", "open_flap", "tape_fault", "dirty"),
    *("missing_item", "extra_item", "wrong_item", "weight_mismatch"),
    *("missing_mark", "wrong_orientation", "covered_mark", "expired_mark", "contradicting_mark"),
    *("missing_label", "unreadable_label", "wrong_label"),
}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", EVERYTHING)
def test_every_message_exists_in_both_languages_with_the_same_values(key: str) -> None:
    message: Message = EVERYTHING[key]
    assert message.en
    assert message.zh
    assert fields(message.zh) <= fields(message.en) | {"n"}
    assert fields(message.en) - fields(message.zh) <= {"n"}
    if message.one is not None:
        assert fields(message.one) | {"n"} == fields(message.en) | {"n"} or "presented" in fields(message.en)
    if key not in SAME and key != "other_language":
        words = re.sub(r"{\w+}|counter\(\w+\)", "", message.en)
        assert not re.search(r"[\u3400-\u9fff]", message.en)
        assert re.search(r"[\u3400-\u9fff]", message.zh) or not re.search(r"[A-Za-z]{3,}", words)


def test_every_finding_of_the_design_has_a_name_of_its_own() -> None:
    assert set(KINDS) == FINDINGS
    for words in (EN, ZH):
        assert len({words.kind(kind) for kind in FINDINGS}) == len(FINDINGS)


def test_a_kind_of_a_newer_eye_is_told_as_it_came() -> None:
    assert EN.kind("burnt_corner") == ZH.kind("burnt_corner") == "burnt corner"


def test_every_message_is_used_and_every_used_one_exists() -> None:
    room = Path(page.__file__).parent
    sources = chain(room.glob("*.py"), room.glob("templates/*.html"))
    code = "".join(path.read_text(encoding="utf-8") for path in sources if path.name != "messages.py")
    said = set(re.findall(r"(?:say|head|_dated)\((?:w, )?['\"](\w+)['\"]", code))
    assert said <= MESSAGES.keys()
    by_value = {check.value for check in Check}
    assert {key for key in MESSAGES if not re.search(rf"['\"]{key}['\"]", code)} <= by_value


@pytest.mark.parametrize(
    ("rate", "english", "chinese"),
    [
        (None, "–", "–"), (0.0, "0 %", "0%"), (1.0, "100 %", "100%"), (7 / 212, "3.3 %", "3.3%"),
        (0.99999, "99.9 %", "99.9%"), (0.00001, "0.1 %", "0.1%"), (0.5, "50.0 %", "50.0%"),
    ],
)  # fmt: skip
def test_percentages(rate: float | None, english: str, chinese: str) -> None:
    assert (EN.percent(rate), ZH.percent(rate)) == (english, chinese)


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_only_all_and_nothing_are_written_as_such(rate: float) -> None:
    assert EN.percent(rate) not in ("100 %", "0 %", "100.0 %", "0.0 %")


def test_days_and_hours() -> None:
    day, at = date(2026, 11, 21), datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert EN.day(day) == "Saturday, 21 November 2026"
    assert ZH.day(day) == "2026年11月21日 星期六"
    assert EN.clock(at) == "00:30"
    assert EN.moment(at, day) == "22 Nov 00:30"
    assert ZH.moment(at, date(2026, 11, 22)) == "00:30"


def test_one_is_singular_and_thousands_are_separated() -> None:
    assert EN.say("inspections", n=1) == "1 inspection"
    assert EN.say("inspections", n=12345) == "12,345 inspections"
    assert ZH.say("inspections", n=1) == "1 次检验"
