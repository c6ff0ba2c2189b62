"""The page: the same figures as its JSON twin, valid, self-contained, safe, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from api.reports import chart, page
from api.reports.messages import MESSAGES
from api.reports.schemas import DailyReport
from api.reports.wording import Language

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Outline(HTMLParser):
    """Reads a page strictly: every element is closed in its turn, every id is there once, every row is as wide."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.widths: list[list[int]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open or tag in VOID, f"<{tag}/> is no void element"
        self._note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open[-1:] != ["style"]:
            self.words.append(" ".join(data.split()))

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag == "table":
            self.widths.append([])
        elif tag == "tr":
            self.widths[-1].append(0)
        elif tag in ("td", "th"):
            self.widths[-1][-1] += 1
            assert tag == "td" or "scope" in names


@pytest.fixture(params=list(Language))
def language(request: pytest.FixtureRequest) -> Language:
    found: Language = request.param
    return found


@pytest.fixture(params=["over", "running", "idle"])
def report(request: pytest.FixtureRequest) -> DailyReport:
    found: DailyReport = request.getfixturevalue(request.param)
    return found


def test_the_page_is_made_from_its_json_twin_alone(report: DailyReport, language: Language) -> None:
    again = DailyReport.model_validate_json(report.model_dump_json())
    assert page.daily(again, language) == page.daily(report, language)


def test_it_is_well_formed_with_every_id_once_and_every_row_as_wide(report: DailyReport, language: Language) -> None:
    outline = Outline(page.daily(report, language))
    assert len(outline.ids) == len(set(outline.ids))
    assert all(len(set(rows)) == 1 for rows in outline.widths)
    assert [outline.tags.count(tag) for tag in ("h1", "main", "head", "body")] == [1, 1, 1, 1]
    assert ("html", "lang", language.tag) in outline.attributes


def test_it_loads_nothing_and_runs_nothing(report: DailyReport, language: Language) -> None:
    text = page.daily(report, language)
    outline = Outline(text)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(outline.tags)
    assert not [name for _, name, _ in outline.attributes if name.startswith("on") or name in ("src", "srcset")]
    assert not re.search(r"@import|url\((?!#)", text)
    assert set(re.findall(r"https?://[^\"' <]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_a_file_that_is_sent_around_has_no_links(over: DailyReport) -> None:
    assert "a" not in Outline(page.daily(over, Language.EN, links=False)).tags
    assert "a" in Outline(page.daily(over, Language.EN)).tags


def test_every_figure_of_the_headline_is_to_be_seen(over: DailyReport, language: Language) -> None:
    words = Outline(page.daily(over, language)).words
    totals = over.totals
    for figure in (totals.presented, totals.held_once, totals.retakes, totals.overrides, over.quality.failed):
        assert any(re.search(rf"\b{figure}\b", word) for word in words)
    assert over.sentences[language] in words
    for line in over.stations:
        assert line.station in words
    for carrier in over.carriers:
        assert carrier.carrier in words


def test_the_chinese_page_speaks_chinese(over: DailyReport) -> None:
    told = " ".join(Outline(page.daily(over, Language.ZH)).words)
    english = [message.en for key, message in MESSAGES.items() if " " in message.en and key != "other_language"]
    assert [text for text in english if "{" not in text and text.strip() in told and len(text) > 5] == []
    assert all(MESSAGES[key].zh in told for key in ("yield", "outcomes", "carriers", "override_list", "reading_stave"))


HOSTILE = "</style></title><script>alert('易碎')</script>\"' onload=x {{7*7}} &amp; \u202e"


def test_hostile_ids_and_names_stay_text(over: DailyReport, language: Language) -> None:
    def evil(line: object, **fields: str) -> object:
        return replace(line, **fields)  # type: ignore[type-var]  # any of the frozen lines

    report = over.model_copy(
        update={
            "stations": tuple(evil(line, station=HOSTILE) for line in over.stations),
            "carriers": tuple(evil(line, carrier=HOSTILE) for line in over.carriers),
            "overrides": tuple(
                evil(line, order=HOSTILE, station=HOSTILE, reason=HOSTILE, operator=HOSTILE, approved_by=HOSTILE)
                for line in over.overrides
            ),
            "override_reasons": tuple(evil(line, reason=HOSTILE) for line in over.override_reasons),
            "still_held": tuple(evil(line, order=HOSTILE, station=HOSTILE) for line in over.still_held),
            "defects": tuple(evil(line, kind=HOSTILE) for line in over.defects),
        }
    )
    text = page.daily(report, language)
    outline = Outline(text)
    assert "script" not in outline.tags
    assert text.count("</style>") == 1
    assert "49" not in "".join(word for word in outline.words if "onload" in word)
    shown = " ".join(HOSTILE.split())
    assert outline.words.count(shown) > 10


def test_an_unfinished_day_says_so(running: DailyReport, over: DailyReport) -> None:
    assert "This day is still running. Figures up to 13:05." in Outline(page.daily(running, Language.EN)).words
    assert "当天尚未结束，数据截至 13:05。" in Outline(page.daily(running, Language.ZH)).words
    assert "still running" not in page.daily(over, Language.EN)


def test_an_empty_day_reads_as_an_empty_day(idle: DailyReport) -> None:
    outline = Outline(page.daily(idle, Language.EN))
    assert "No parcel was presented on this day." in outline.words
    assert "No stave to measure: nothing was presented, and no promise ended on this day." in outline.words
    assert "svg" not in outline.tags
    assert not any("%" in word for word in outline.words)


def test_overrides_without_a_second_person_are_told_and_marked(over: DailyReport) -> None:
    assert over.totals.unconfirmed == 1
    words = Outline(page.daily(over, Language.EN)).words
    assert "1 override has no second person behind it. It is marked in the list below." in words
    assert any("nobody else" in word for word in words)


def test_a_day_whose_clock_was_changed_says_how_long_it_was(over: DailyReport) -> None:
    words = Outline(page.daily(over.model_copy(update={"hours": 25.0}), Language.EN)).words
    assert "The clock was changed: this day has 25 hours." in words
    assert not any("clock was changed" in word for word in Outline(page.daily(over, Language.EN)).words)


def test_a_long_list_ends_and_says_where_the_rest_is(over: DailyReport) -> None:
    many = over.model_copy(update={"still_held": over.still_held * 20})
    words = Outline(page.daily(many, Language.EN)).words
    assert f"and {len(many.still_held) - page.MOST_ROWS} more, in the JSON" in words


def test_limits_are_only_told_where_there_are_enough_days(over: DailyReport) -> None:
    assert "Limits for this day" in page.daily(over, Language.EN)
    young = over.model_copy(update={"weeks": tuple(replace(line, low=None, high=None) for line in over.weeks[-7:])})
    assert "No limits yet: 5 earlier days have parcels, limits need 20." in page.daily(young, Language.EN)


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_colour_of_a_text_has_the_contrast_that_wcag_asks_for(over: DailyReport) -> None:
    text = page.daily(over, Language.EN)
    style = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", text))
    assert set(re.findall(r"color: var\(--(\w+)\)", text)) - {"border"} <= {"ink", "grey", "blue"}
    for name in ("ink", "grey", "blue", "orange"):
        assert _contrast(style[name], "#ffffff") >= 4.5
        assert _contrast(style[name], style["faint"]) >= 4.5
    for colour in (chart.INK, chart.GREY, chart.BAR, chart.LINE):
        assert _contrast(colour, "#ffffff") >= 4.5
    assert abs(_contrast(chart.BAR, "#ffffff") - _contrast(chart.LINE, "#ffffff")) > 2  # apart in black and white


def test_the_index_links_every_day(over: DailyReport, language: Language) -> None:
    outline = Outline(page.index(tuple(reversed(over.weeks)), ZoneInfo(over.zone), language))
    links = [value for tag, name, value in outline.attributes if (tag, name) == ("a", "href")]
    assert links[1] == f"daily/2026-11-21?lang={language.value}"
    assert len(links) == 29
    assert str(date(2026, 10, 25)) in links[-1]
