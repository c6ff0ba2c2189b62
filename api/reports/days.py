"""Local days and what four weeks of them say. Pure.

Limits follow the p chart with each day's own n: pbar +- 3 sigma sqrt(pbar (1 - pbar) / n), within [0, 1], where sigma
is Laney's mean moving range of z / 1.128, never below 1 (Laney 2002). The centre and sigma come from the days before
the reported one, and there are no limits before LEAST such days: a limit from a week of data only cries wolf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from math import sqrt
from zoneinfo import ZoneInfo

from api.reports.figures import Z95, Share

LEAST = 20
STRIP = 28
"""Days in the strip: four weeks, the reported day last."""


FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)
"""Days that a report can be asked for: a mistyped year is told, and no zone runs off the calendar."""


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day of the strip. low, high: the limits for this day's own n; None while there are too few days."""

    day: date
    presented: int
    first_pass: Share
    low: float | None = None
    high: float | None = None
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Against the day before. points: difference of the two first-pass yields in [-1, 1]; None when a day was empty.

    clear: more than chance would do at 5 % (two-proportion z test).
    """

    day: date
    presented: int
    first_pass: Share
    points: float | None
    clear: bool


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """First moment of a local day and first moment after it, in UTC: 23, 24 or 25 hours.

    Where midnight itself is skipped the day begins at the skip; where it happens twice, at its first time.
    """
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def local_today(now: datetime, zone: ZoneInfo) -> date:
    """The calendar's day in `zone`."""
    return now.astimezone(zone).date()


def with_limits(lines: Sequence[DayLine]) -> tuple[DayLine, ...]:
    """The same days, with limits once there are enough days before the last one. lines: oldest first."""
    known = [line.first_pass for line in lines[:-1] if line.presented]
    if len(known) < LEAST:
        return tuple(lines)
    centre = sum(share.count for share in known) / sum(share.of for share in known)
    spread = sqrt(centre * (1 - centre))
    z = [(share.count / share.of - centre) / (spread / sqrt(share.of)) if spread else 0.0 for share in known]
    moving = [abs(b - a) for a, b in pairwise(z)]
    sigma = max(1.0, sum(moving) / len(moving) / 1.128)
    return tuple(_limited(line, centre, 3 * sigma * spread) if line.presented else line for line in lines)


def compare(today: Share, before: DayLine) -> Comparison:
    """Today's first-pass yield against the day before."""
    a, b = today, before.first_pass
    if not a.of or not b.of:
        return Comparison(before.day, before.presented, b, None, clear=False)
    points = a.count / a.of - b.count / b.of
    pooled = (a.count + b.count) / (a.of + b.of)
    error = sqrt(pooled * (1 - pooled) * (1 / a.of + 1 / b.of))
    return Comparison(before.day, before.presented, b, points, clear=abs(points) > Z95 * error)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _limited(line: DayLine, centre: float, three_sigma: float) -> DayLine:
    half = three_sigma / sqrt(line.presented)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    rate = line.first_pass.count / line.first_pass.of
    return replace(line, low=low, high=high, outside=not low <= rate <= high)
