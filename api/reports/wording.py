"""The report's words in English and Simplified Chinese, and how numbers, days and hours are written in each.

Every message stands here once in every language; `say` fills it in. A test holds that none is missing and that both
languages use the same values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from api.reports.messages import KINDS, MESSAGES, MONTHS, SHORT_MONTHS, SHORT_WEEKDAYS, WEEKDAYS
from api.reports.stave import Stave, Step


class Language(StrEnum):
    """The languages of the report."""

    EN = "en"
    ZH = "zh"

    @property
    def tag(self) -> str:
        """For the `lang` attribute: it chooses the shapes of Chinese characters."""
        return "zh-Hans" if self is Language.ZH else "en"


@dataclass(frozen=True, slots=True)
class Words:
    """One language, with the zone in which hours are told."""

    language: Language
    zone: ZoneInfo

    def say(self, key: str, /, **values: object) -> str:
        """The message of this name. `n` chooses the English singular; numbers are written with separators."""
        message = MESSAGES[key]
        text = message.zh if self.language is Language.ZH else message.en
        if self.language is Language.EN and message.one is not None and values.get("n") == 1:
            text = message.one
        return text.format(**{name: self._written(value) for name, value in values.items()})

    def kind(self, kind: str) -> str:
        """A kind of defect. One that a newer eye knows and we do not is shown as it came."""
        message = KINDS.get(kind)
        if message is None:
            return kind.replace("_", " ")
        return message.zh if self.language is Language.ZH else message.en

    def step(self, step: Step, name: str) -> str:
        """A step that the shortest stave may name."""
        return self.say("late_with", carrier=name) if step is Step.LATE else self.kind(name)

    def percent(self, rate: float | None, digits: int = 1) -> str:
        """A rate in [0, 1]; a dash where there is none. Only what is all or nothing is written as 100 or 0 %."""
        if rate is None:
            return self.say("none")
        shown = 100 * rate
        edge = 10.0**-digits
        if 0 < rate < 1:
            shown = min(max(shown, edge), 100 - edge)
        whole = "100" if rate == 1 else "0" if rate == 0 else f"{shown:.{digits}f}"
        return whole + self.say("percent_sign")

    def number(self, number: int) -> str:
        """A count, with separators."""
        return f"{number:,}"

    def hours(self, hours: float) -> str:
        """The length of a day: a few zones move their clocks by half an hour."""
        return f"{hours:g}"

    def points(self, points: float) -> str:
        """A difference of two rates, in percentage points, with its sign."""
        return self.say("points", points=f"{100 * points:+.1f}".replace("-", "−"))

    def day(self, day: date) -> str:
        """A day with its weekday."""
        return self._dated("day_long", day, MONTHS)

    def short_day(self, day: date) -> str:
        """A day without weekday and year, for lists and charts."""
        return self._dated("day_short", day, SHORT_MONTHS)

    def short_weekday(self, day: date) -> str:
        """The head of a column of days."""
        return SHORT_WEEKDAYS[day.weekday()][self._column]

    def clock(self, moment: datetime) -> str:
        """Hours and minutes on the clock of the report's zone."""
        return f"{moment.astimezone(self.zone):%H:%M}"

    def moment(self, moment: datetime, day: date) -> str:
        """The clock, with the day before it when that is another one than the reported."""
        local = moment.astimezone(self.zone)
        return self.clock(moment) if local.date() == day else f"{self.short_day(local.date())} {self.clock(moment)}"

    def stave(self, stave: Stave | None, *, presented: int, due: int, running: bool) -> str:
        """The shortest stave in one sentence, with what must be said of small numbers."""
        if stave is None:
            nothing = "stave_unknown" if presented == due == 0 else "stave_none_yet" if running else "stave_none"
            return self.say(nothing)
        told = self.say(
            "stave_late" if stave.step is Step.LATE else "stave_defect",
            step=self.step(stave.step, stave.name),
            count=stave.parcels.count, of=stave.parcels.of, rate=self.percent(stave.parcels.rate),
            place=self._place(stave), n=stave.parcels.of,
        )  # fmt: skip
        if stave.rival is not None:
            rival = self.step(stave.rival.step, stave.rival.name)
            told += self.say("stave_rival", rival=_capital(rival), count=stave.rival.parcels)
        return told + self.say("stave_few") if stave.few else told

    def _place(self, stave: Stave) -> str:
        place = stave.place
        if place is None:
            return ""
        if place.from_hour is None or place.to_hour is None:
            return self.say("stave_at", station=place.station)
        hours = {"start": f"{place.from_hour:02}:00", "end": f"{place.to_hour:02}:00"}
        return self.say("stave_at_between", station=place.station, **hours)

    def _dated(self, key: str, day: date, months: Sequence[tuple[str, str]]) -> str:
        return self.say(
            key, day=str(day.day), month=months[day.month - 1][self._column], year=str(day.year),
            weekday=WEEKDAYS[day.weekday()][self._column],
        )  # fmt: skip

    @property
    def _column(self) -> int:
        return 1 if self.language is Language.ZH else 0

    def _written(self, value: object) -> str:
        return self.number(value) if isinstance(value, int) else str(value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
