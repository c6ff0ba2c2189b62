"""The page as a real browser shows and prints it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from api.reports import page
from api.reports.schemas import DailyReport
from api.reports.wording import Language
from tests.api.reports import pdf_text
from tests.browser import chromium, flags

pytestmark = pytest.mark.browser

PRINTED_WIDTH = round((210 - 2 * 14) / 25.4 * 96)
"""Pixels between the margins of A4."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=flags())
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A tab that must not ask the network for anything, nor complain of anything."""
    tab = browser.new_page(viewport={"width": PRINTED_WIDTH, "height": 900})
    wanted: list[str] = []
    tab.on("request", lambda request: wanted.append(request.url))
    tab.on("console", lambda message: wanted.append(message.text))
    tab.on("pageerror", lambda error: wanted.append(str(error)))
    yield tab
    tab.close()
    assert wanted == []


def masked(printed: str, told: list[str]) -> str:
    """Fonts draw some Chinese characters with one picture and the PDF names another of them (a radical, an old form):
    a character that the page does not have is masked, and stands for any.
    """
    known = set("".join(told))
    return "".join(c if c in known else "□" for c in printed)


def missing(told: list[str], printed: str) -> list[str]:
    """What of `told` is not in `printed`, blanks aside."""
    plain = ("".join(text.replace("\ufe0e", "").split()) for text in told)
    return [text for text in plain if not re.search("".join(f"[{re.escape(c)}□]" for c in text), printed)]


@pytest.mark.parametrize("language", Language)
def test_a_days_report_prints_on_two_sheets_of_a4_and_nothing_is_lost(
    language: Language, over: DailyReport, tab: Page
) -> None:
    tab.set_content(page.daily(over, language))
    pdf = tab.pdf(prefer_css_page_size=True)
    assert b"/MediaBox [0 0 594.95996 841.91998]" in pdf
    sheets = pdf_text.pages(pdf)
    assert len(sheets) == 2
    tab.emulate_media(media="print")
    told: list[str] = tab.eval_on_selector_all(
        "h1, h2, p, dt, dd, th, td, figcaption span, svg text", "all => all.map(e => e.textContent)"
    )
    assert len(told) > 300
    numbering = "Page {} of 2" if language is Language.EN else "第 {} 页，共 2 页"
    first, second = (masked(sheet, [*told, numbering, "12"]) for sheet in sheets)
    assert missing(told, first + second) == []
    assert missing([numbering.format(1)], first) == missing([numbering.format(2)], second) == []
    assert missing(["The same figures as JSON", "同样的数据"], first + second) != []  # links are of no use on paper


@pytest.mark.parametrize("media", ["print", "screen"])
@pytest.mark.parametrize("language", Language)
def test_nothing_is_cut_off_at_the_side(
    language: Language, media: Literal["print", "screen"], over: DailyReport, tab: Page
) -> None:
    tab.set_content(page.daily(over, language))
    tab.emulate_media(media=media)
    assert _too_wide(tab) == []


def test_long_words_without_a_blank_are_broken_and_not_cut_off(over: DailyReport, tab: Page) -> None:
    text = page.daily(over, Language.EN)
    held, carrier, station, given = over.still_held[0], over.carriers[0], over.stations[0], over.overrides[0]
    for name in (held.order, carrier.carrier, station.station, given.reason):
        text = text.replace(f">{name}<", f">{'W' * 200}<")
    tab.set_content(text)
    tab.emulate_media(media="print")
    assert _too_wide(tab) == []


@pytest.mark.parametrize("language", Language)
def test_a_telephone_shows_it_without_a_scroll_bar_across_the_page(
    language: Language, over: DailyReport, tab: Page
) -> None:
    tab.set_viewport_size({"width": 360, "height": 740})
    tab.set_content(page.daily(over, language))
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("language", Language)
def test_an_empty_day_is_one_sheet(language: Language, idle: DailyReport, tab: Page) -> None:
    tab.set_content(page.daily(idle, language))
    assert len(pdf_text.pages(tab.pdf(prefer_css_page_size=True))) == 1


def test_the_paper_is_white(over: DailyReport, tab: Page) -> None:
    tab.set_content(page.daily(over, Language.EN))
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"


def test_labels_of_the_chart_do_not_run_into_each_other(over: DailyReport, tab: Page) -> None:
    for language in Language:
        tab.set_content(page.daily(over, language))
        overlaps = tab.evaluate(
            """() => {
                const texts = [...document.querySelectorAll("svg.chart text")];
                const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 &&
                    b.top < a.bottom - 2;
                const hit = (a, b) => meet(a.getBoundingClientRect(), b.getBoundingClientRect());
                return texts.flatMap((a, i) => texts.slice(i + 1).filter(b => hit(a, b))
                    .map(b => `${a.textContent} | ${b.textContent}`));
            }"""
        )
        assert overlaps == []


def _too_wide(tab: Page) -> list[str]:
    """What reaches over the right edge of the page, or over that of its own box."""
    found: list[str] = tab.evaluate(
        """() => [...document.querySelectorAll("body *")].filter(e => !e.closest("svg")).filter(e =>
            e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 ||
            (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")
        ).map(e => `${e.tagName}: ${e.textContent.slice(0, 60)}`)"""
    )
    return found
