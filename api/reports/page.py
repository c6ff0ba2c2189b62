"""The report as a page: one DailyReport in, HTML out. It looks nothing up, so the JSON twin holds all that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from api.reports import chart
from api.reports.days import LEAST, DayLine
from api.reports.wording import Language, Words

if TYPE_CHECKING:
    from api.reports.schemas import DailyReport

MOST_ROWS = 20
"""Rows of a list of single parcels on paper; the JSON twin has them all."""


def daily(report: DailyReport, language: Language, *, links: bool = True) -> str:
    """The page of one day. links: to other days, languages and the JSON; none in a file that is sent around."""
    words = Words(language, ZoneInfo(report.zone))
    return _environment().get_template("daily.html").render(
        r=report,
        w=words,
        links=links,
        charts=_charts(report, words),
        carriers=[*report.carriers, report.carriers_total] if len(report.carriers) > 1 else report.carriers,
        rows=MOST_ROWS,
        least=LEAST,
        earlier=sum(line.presented > 0 for line in report.weeks[:-1]),
        weeks=[report.weeks[i : i + 7] for i in range(0, len(report.weeks), 7)],
        languages=Language,
        one_day=timedelta(days=1),
    )  # fmt: skip


def index(lines: Sequence[DayLine], zone: ZoneInfo, language: Language) -> str:
    """The list of days, newest first, each with its link."""
    return _environment().get_template("index.html").render(
        lines=lines, w=Words(language, zone), zone=zone.key, languages=Language
    )  # fmt: skip


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("api.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _charts(report: DailyReport, words: Words) -> dict[str, Any]:
    """The charts that this day has something for."""
    charts = {}
    if report.defects:
        charts["pareto"] = Markup(  # noqa: S704 - every text in it was escaped by the chart
            chart.pareto(
                report.defects, words.kind, words.say("other"), (words.say("parcels"), words.say("cumulative_share")),
                words.say("percent_sign"), words.say("pareto_title"), words.say("pareto_desc"),
            )
        )  # fmt: skip
    if sum(line.presented > 0 for line in report.weeks) > 1:
        charts["strip"] = Markup(  # noqa: S704 - same
            chart.strip(
                report.weeks,
                lambda line: words.short_day(line.day),
                words.say("percent_sign"),
                words.say("strip_title"),
                words.say("strip_desc"),
            )
        )
    return charts
