"""The two charts as inline SVG: text stays text, so that the reader's browser sets it, in any language.

Blue bars and an orange line with markers stay apart for colour-blind readers, and by shape and hatching on a
black-and-white printer. Lengths are points: a chart is as wide as the text of an A4 page with our margins, so that 8
points in the chart are 8 points on paper.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from html import escape
from math import ceil, floor, log10

import svg

from api.reports.days import DayLine
from api.reports.figures import ParetoLine

INK, GREY = "#1a1a1a", "#595959"
BAR, LINE = "#1f4e79", "#b3500f"
WIDTH = 511.0
LEFT, RIGHT = 38.0, 473.0
"""Where the axes stand."""
PLOT, STRIP = 115.0, 72.0
"""How tall the bars and the line of weeks can be."""
ROW = 9.5
"""From one line of a label to the next."""
MOST_BARS = 10
"""More kinds than this are drawn as one last bar; the table has them all."""
LABEL_COLUMNS, LABEL_LINES = 13, 3
"""Room under a bar: columns of a Latin letter (a Chinese character takes two), and lines."""
HEADROOM = 1.08
"""The axis reaches this much beyond its last value, so that a number fits above the highest bar."""

Elements = list[svg.Element]


def pareto(
    lines: Sequence[ParetoLine],
    name: Callable[[str], str],
    other: str,
    axes: tuple[str, str],
    percent: str,
    title: str,
    desc: str,
) -> str:
    """Bars of parcels by kind, overruled ones hatched, and the cumulative share as a line. An <svg> element.

    lines: most frequent first, at least one. name: the reader's word for a kind; other: for all beyond the first
    MOST_BARS - 1. axes: labels of the left and right axis. The left axis ends at the total, so that both axes agree.
    percent: the sign, with its space where the language has one.
    """
    bars = _bars(lines, name, other)
    whole = sum(standing + overruled for _, standing, overruled in bars)
    labels = [wrapped(label) for label, _, _ in bars]
    top, bottom = 10.0, 10.0 + PLOT
    slot = (RIGHT - LEFT) / max(len(bars), 5)
    width = 0.68 * slot

    def y(share: float) -> float:
        return bottom - share * PLOT / HEADROOM

    drawn: Elements = [_hatching("pareto-overruled"), _axis(bottom), _dashed([(LEFT, y(0.8)), (RIGHT, y(0.8))], "2 3")]
    for value in _steps(whole):
        drawn.append(_text(LEFT - 5, y(value / whole) + 2.7, str(value), "end", GREY, 7.5))
    for step in range(6):
        drawn.append(_text(RIGHT + 5, y(step / 5) + 2.7, f"{20 * step}{percent}", "start", GREY, 7.5))
    sofar, points = 0, []
    for place, ((_, standing, overruled), label) in enumerate(zip(bars, labels, strict=True)):
        middle = LEFT + slot * (place + 0.5)
        left, low, high = middle - width / 2, y(standing / whole), y((standing + overruled) / whole)
        drawn.append(svg.Rect(x=_n(left), y=_n(low), width=_n(width), height=_n(bottom - low), fill=BAR))
        if overruled:
            drawn.append(
                svg.Rect(
                    x=_n(left), y=_n(high), width=_n(width), height=_n(low - high),
                    fill="url(#pareto-overruled)", stroke=BAR, stroke_width=0.9,
                )
            )  # fmt: skip
        drawn.append(_text(middle, high - 3, str(standing + overruled), "middle", INK, 8))
        drawn += [_text(middle, bottom + 11 + ROW * row, line, "middle", INK, 7.5) for row, line in enumerate(label)]
        sofar += standing + overruled
        # drawn to the right edge of each bar, where Pareto's line belongs and where it stays clear of the numbers
        points.append((left + width, y(sofar / whole)))
    drawn.append(_line(points, LINE, 1.4))
    drawn += [svg.Circle(cx=_n(x), cy=_n(at), r=2, fill="white", stroke=LINE, stroke_width=1.4) for x, at in points]
    drawn += [_upright(9, (top + bottom) / 2, axes[0]), _upright(WIDTH - 3, (top + bottom) / 2, axes[1])]
    height = bottom + 8 + ROW * max(len(label) for label in labels)
    return _chart("pareto", height, drawn, title, desc)


def strip(days: Sequence[DayLine], day_name: Callable[[DayLine], str], percent: str, title: str, desc: str) -> str:
    """First-pass yield of the last weeks as a line, with its limits where there are any. An <svg> element.

    days: oldest first, the reported one last. The line passes over days without parcels. A diamond is the last day with
    parcels, a ring a day outside its limits.
    """
    worked = [(place, line, line.first_pass.rate) for place, line in enumerate(days)]
    told = [(place, line, rate) for place, line, rate in worked if rate is not None]
    heights = [rate for _, _, rate in told] + [line.low for _, line, _ in told if line.low is not None]
    least = max(0.0, floor(min(heights, default=0.9) * 20 - 0.4) / 20)
    bottom = 8.0 + STRIP
    slot = (RIGHT - LEFT) / max(len(days), 1)

    def x(place: float) -> float:
        return LEFT + slot * (place + 0.5)

    def y(rate: float) -> float:
        return bottom - (rate - least) / ((1 - least) * HEADROOM) * STRIP

    drawn: Elements = [_axis(bottom)]
    twentieths = next(step for step in (1, 2, 4) if (1 - least) * 20 <= 5 * step)
    for at in range(20, round(least * 20) - 1, -twentieths):
        drawn.append(_text(LEFT - 5, y(at / 20) + 2.7, f"{5 * at}{percent}", "end", GREY, 7.5))
    for limit in ("low", "high"):
        drawn += _staircase([(place, getattr(line, limit)) for place, line, _ in told], x, y)
    if told:
        drawn.append(_line([(x(place), y(rate)) for place, _, rate in told], BAR, 1.2))
        drawn.append(_diamond(x(told[-1][0]), y(told[-1][2])))
    drawn += [svg.Circle(cx=_n(x(place)), cy=_n(y(rate)), r=1.6, fill=BAR) for place, _, rate in told]
    drawn += [
        svg.Circle(cx=_n(x(place)), cy=_n(y(rate)), r=5.5, fill="none", stroke=LINE, stroke_width=1.4)
        for place, line, rate in told
        if line.outside
    ]
    for place in range(len(days)):
        if (len(days) - 1 - place) % 7 == 0:
            drawn.append(_line([(x(place), bottom), (x(place), bottom + 3)], GREY, 0.8))
            drawn.append(_text(x(place), bottom + 12, day_name(days[place]), "middle", INK, 7.5))
    return _chart("strip", bottom + 16, drawn, title, desc)


def wrapped(label: str) -> tuple[str, ...]:
    """A label in at most LABEL_LINES lines of LABEL_COLUMNS columns; what does not fit ends in an ellipsis."""
    lines = [""]
    for word in re.findall(r"[^\W\d_a-zA-Z]|\S+?(?=[\s\u3400-\u9fff]|$)|\s+", label):
        if word.isspace():
            lines[-1] += " " if lines[-1] else ""
        elif not lines[-1] or _columns(lines[-1] + word) <= LABEL_COLUMNS:
            lines[-1] += word
        else:
            lines.append(word)
    kept = [line.strip() for line in lines[:LABEL_LINES]]
    if len(lines) > LABEL_LINES:
        kept[-1] += "…"
    return tuple(_cut(line) for line in kept)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _cut(line: str) -> str:
    if _columns(line) <= LABEL_COLUMNS + 1:
        return line
    while _columns(line) > LABEL_COLUMNS - 1:
        line = line[:-1]
    return f"{line.rstrip('…')}…"


def _bars(lines: Sequence[ParetoLine], name: Callable[[str], str], other: str) -> list[tuple[str, int, int]]:
    shown = lines if len(lines) <= MOST_BARS else lines[: MOST_BARS - 1]
    rest = lines[len(shown) :]
    bars = [(name(line.kind), line.standing, line.overruled) for line in shown]
    if rest:
        bars.append((other, sum(line.standing for line in rest), sum(line.overruled for line in rest)))
    return bars


def _steps(whole: int) -> range:
    """Round whole numbers from 0 to at most `whole`, about five of them."""
    rough = max(whole / 5, 1)
    scale = 10 ** floor(log10(rough))
    step = next(scale * nice for nice in (1, 2, 5, 10) if scale * nice >= rough)
    return range(0, whole + 1, ceil(step))


def _staircase(
    limits: Iterable[tuple[int, float | None]], x: Callable[[float], float], y: Callable[[float], float]
) -> Elements:
    """A dashed step for each day that has a limit, joined between neighbours that both have one."""
    drawn: Elements = []
    steps: list[tuple[float, float]] = []
    for place, limit in [*limits, (0, None)]:
        if limit is not None:
            steps += [(x(place - 0.5), y(limit)), (x(place + 0.5), y(limit))]
        elif steps:
            drawn.append(_dashed(steps, "4 2"))
            steps = []
    return drawn


def _n(value: float) -> float:
    """Two decimals of a point are more than any printer has, and keep the page small."""
    return round(value, 2)


def _words(text: str) -> str:
    """What a courier or a packer typed, escaped; a control character, which XML cannot hold, is shown as unknown."""
    return escape("".join(c if c.isprintable() else "\ufffd" for c in text), quote=False)


def _text(x: float, y: float, text: str, anchor: str, colour: str, size: float) -> svg.Text:
    return svg.Text(x=_n(x), y=_n(y), text=_words(text), fill=colour, font_size=size, extra={"text-anchor": anchor})


def _upright(x: float, y: float, text: str) -> svg.Text:
    """An axis' name, read from below."""
    turned = f"rotate(-90 {_n(x)} {_n(y)})"
    extra = {"text-anchor": "middle", "transform": turned}
    return svg.Text(x=_n(x), y=_n(y), text=_words(text), fill=GREY, font_size=8, extra=extra)


def _line(points: Sequence[tuple[float, float]], colour: str, width: float) -> svg.Polyline:
    return svg.Polyline(points=_points(points), fill="none", stroke=colour, stroke_width=width, stroke_linejoin="round")


def _dashed(points: Sequence[tuple[float, float]], dashes: str) -> svg.Polyline:
    extra = {"stroke-dasharray": dashes}
    return svg.Polyline(points=_points(points), fill="none", stroke=GREY, stroke_width=0.7, extra=extra)


def _points(points: Sequence[tuple[float, float]]) -> list[svg.Point]:
    return [svg.Point(_n(x), _n(y)) for x, y in points]


def _axis(y: float) -> svg.Polyline:
    return _line([(LEFT, y), (RIGHT, y)], GREY, 0.8)


def _diamond(x: float, y: float) -> svg.Polygon:
    return svg.Polygon(points=_points([(x, y - 4), (x + 4, y), (x, y + 4), (x - 4, y)]), fill=BAR)


def _hatching(name: str) -> svg.Element:
    stripe = svg.Rect(width=1.1, height=4, fill=BAR)
    ground = svg.Rect(width=4, height=4, fill="white")
    return svg.Pattern(
        id=name, width=4, height=4, patternUnits="userSpaceOnUse", patternTransform=[svg.Rotate(45)],
        elements=[ground, stripe],
    )  # fmt: skip


def _chart(name: str, height: float, drawn: Elements, title: str, desc: str) -> str:
    """One element that may stand in a page: scales with it, is named for those who do not see it, and owns its ids."""
    named: Elements = [
        svg.Title(id=f"{name}-title", text=_words(title)),
        svg.Desc(id=f"{name}-desc", text=_words(desc)),
    ]
    whole = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, WIDTH, _n(height)),
        class_=["chart", name],
        elements=[*named, *drawn],
        extra={"role": "img", "aria-labelledby": f"{name}-title {name}-desc"},
    )
    return str(whole)
