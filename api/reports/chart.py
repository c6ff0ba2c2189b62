"""The two charts as inline SVG: text stays text, so that the reader's browser sets it, in any language.

matplotlib never sees a word: it lays out placeholders, which are replaced in the finished SVG. So its fonts need no
Chinese, no label is read as a formula, and what a courier or a packer typed arrives escaped. Blue bars and an orange
line with markers stay apart for colour-blind readers, and by shape and hatching on a black-and-white printer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from io import StringIO
from math import floor
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from api.reports.days import DayLine
from api.reports.figures import ParetoLine

INK, GREY, FAINT = "#1a1a1a", "#595959", "#d4d4d4"
BAR, LINE = "#1f4e79", "#b3500f"
WIDTH = 7.1
"""Inches: the text width of A4 with our margins, so that 8 points in the chart are 8 points on paper."""
PLOT, ROW = 1.6, 9.5
"""Inches of the bars' height, and points from one line of a label to the next."""
MOST_BARS = 10
"""More kinds than this are drawn as one last bar; the table has them all."""
LABEL_COLUMNS, LABEL_LINES = 13, 3
"""Room under a bar: columns of a Latin letter (a Chinese character takes two), and lines."""

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_HREF = f"{{{_XLINK}}}href"
_URL = re.compile(r"url\(#([\w-]+)\)")
_PLACEHOLDER = re.compile(r"@(\d+)@")

# Read by matplotlib when it writes, and by nothing else in this process. The salt makes ids the same in every run.
mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "lastlook", "hatch.linewidth": 0.9})
ET.register_namespace("", _SVG)
ET.register_namespace("xlink", _XLINK)


class _Texts:
    """Words on their way past matplotlib: each gets a placeholder, and comes back by `fill`."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def hold(self, text: str) -> str:
        # a control character, which XML cannot hold, is shown as what it is: unknown
        self._texts.append("".join(c if c.isprintable() else "\ufffd" for c in text))
        return f"@{len(self._texts) - 1}@"

    def fill(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: self._texts[int(match[1])], text)


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
    texts = _Texts()
    bars = _bars(lines, name, other)
    whole = sum(standing + overruled for _, standing, overruled in bars)
    labels = [wrapped(label) for label, _, _ in bars]
    below = 0.1 + ROW / 72 * max(len(label) for label in labels)
    figure, left = _figure(PLOT + below + 0.03, 0.075, 0.85, below, PLOT)
    places = range(len(bars))
    width = 0.68
    standing = [float(bar[1]) for bar in bars]
    overruled = [float(bar[2]) for bar in bars]
    left.bar(places, standing, width, color=BAR, zorder=2)
    left.bar(places, overruled, width, standing, color="white", edgecolor=BAR, hatch="/////", linewidth=0.9, zorder=2)
    for place, (_, a, b) in zip(places, bars, strict=True):
        left.annotate(
            str(a + b), (place, a + b), (0, 2.5), textcoords="offset points", ha="center", fontsize=8, color=INK
        )  # fmt: skip
    _frame(left, whole)
    left.set_xlim(-0.6, max(len(bars), 5) - 0.4)
    left.set_xticks([])
    for place, label in zip(places, labels, strict=True):
        # line by line: only a single line is anchored at its middle, whatever font the reader's browser takes
        for row, line in enumerate(label):
            left.annotate(
                texts.hold(line), (place, 0), (0, -11 - ROW * row), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", fontsize=7.5, color=INK,
            )  # fmt: skip
    left.set_ylabel(texts.hold(axes[0]), fontsize=8, color=GREY)
    left.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))

    right = left.twinx()
    sofar, points = 0, []
    for _, a, b in bars:
        sofar += a + b
        points.append(sofar / whole)
    # drawn to the right edge of each bar, where Pareto's line belongs and where it stays clear of the numbers
    edges = [place + width / 2 for place in places]
    right.plot(edges, points, color=LINE, marker="o", markersize=4, markerfacecolor="white", linewidth=1.4, zorder=3)
    right.axhline(0.8, color=GREY, linewidth=0.6, linestyle=(0, (2, 3)), zorder=1)
    _frame(right, 1.0)
    right.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=percent))
    right.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    right.set_ylabel(texts.hold(axes[1]), fontsize=8, color=GREY)
    return _svg(figure, texts, "pareto", title, desc)


def strip(days: Sequence[DayLine], day_name: Callable[[DayLine], str], percent: str, title: str, desc: str) -> str:
    """First-pass yield of the last weeks as a line, with its limits where there are any. An <svg> element.

    days: oldest first, the reported one last. The line passes over days without parcels. A diamond is the last day with
    parcels, a ring a day outside its limits.
    """
    texts = _Texts()
    figure, axes = _figure(1.3, 0.075, 0.905, 0.22, 1.0)
    worked = [(place, line) for place, line in enumerate(days) if line.first_pass.rate is not None]
    places = [place for place, _ in worked]
    rates = [line.first_pass.rate or 0.0 for _, line in worked]
    axes.plot(places, rates, color=BAR, marker="o", markersize=3.2, linewidth=1.2, zorder=3)
    axes.plot(places[-1:], rates[-1:], color=BAR, marker="D", markersize=6, zorder=4)
    for limits in ([line.low for _, line in worked], [line.high for _, line in worked]):
        heights = [float("nan") if limit is None else limit for limit in limits]
        if limits == [None] * len(limits):
            continue  # a line of nothing would be a <path> without its data
        axes.step(places, heights, where="mid", color=GREY, linewidth=0.8, linestyle=(0, (4, 2)), zorder=2)
    outside = [(place, line.first_pass.rate or 0.0) for place, line in worked if line.outside]
    if outside:
        axes.plot(
            [place for place, _ in outside], [rate for _, rate in outside], linestyle="none", marker="o", markersize=11,
            markerfacecolor="none", markeredgecolor=LINE, markeredgewidth=1.4, zorder=5,
        )  # fmt: skip
    told = [*rates, *(line.low for _, line in worked if line.low is not None)]
    bottom = max(0.0, floor(min(told, default=0.9) * 20 - 0.4) / 20)
    _frame(axes, 1.0, bottom)
    axes.set_ylim(bottom, 1.0 + (1.0 - bottom) * 0.08)
    axes.set_xlim(-0.6, len(days) - 0.4)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=percent, decimals=0))
    axes.set_ylim(bottom, 1.0 + (1.0 - bottom) * 0.08)
    ticks = [place for place in range(len(days)) if (len(days) - 1 - place) % 7 == 0]
    axes.set_xticks(ticks, [texts.hold(day_name(days[place])) for place in ticks], fontsize=7.5, color=INK)
    axes.tick_params(axis="x", length=3, pad=3, color=GREY)
    return _svg(figure, texts, "strip", title, desc)


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


def _figure(height: float, left: float, width: float, bottom: float, tall: float) -> tuple[Figure, Axes]:
    """A figure with one pair of axes. left, width: shares of WIDTH; height, bottom, tall: inches."""
    figure = Figure(figsize=(WIDTH, height), facecolor="none")
    FigureCanvasSVG(figure)
    return figure, figure.add_axes((left, bottom / height, width, tall / height), facecolor="none")


def _frame(axes: Axes, top: float, bottom: float = 0.0) -> None:
    axes.set_ylim(bottom, bottom + (top - bottom) * 1.08)
    axes.tick_params(axis="y", labelsize=7.5, labelcolor=GREY, length=0)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.spines["bottom"].set_linewidth(0.8)
    axes.grid(visible=False)


def _svg(figure: Figure, texts: _Texts, name: str, title: str, desc: str) -> str:
    """The figure as one element that may stand in a page: scales with it, is named, and owns its ids."""
    written = StringIO()
    figure.savefig(written, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    root = ET.fromstring(written.getvalue())  # noqa: S314 - written by matplotlib a line above
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}metadata" or child.find(f"{{{_SVG}}}style") is not None:
                parent.remove(child)
    _own_ids(root, name)
    for element in root.iter(f"{{{_SVG}}}text"):
        element.text = texts.fill(element.text or "")
        element.set("style", re.sub(r"font-family:[^;]*;?\s*", "", element.get("style", "")))
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("class", f"chart {name}")
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for tag, text in (("desc", desc), ("title", title)):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(0, element)
    return ET.tostring(root, encoding="unicode")


def _own_ids(root: ET.Element, name: str) -> None:
    """Drop the ids that nothing refers to and begin the others with the chart's name: two charts share one page."""
    used = {ref for element in root.iter() for value in element.attrib.values() for ref in _URL.findall(value)}
    used |= {element.attrib[_HREF].removeprefix("#") for element in root.iter() if _HREF in element.attrib}
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        for key, value in element.attrib.items():
            if key == "id":
                element.set(key, f"{name}-{value}")
            elif key == _HREF:
                element.set(key, f"#{name}-{value.removeprefix('#')}")
            else:
                element.set(key, _URL.sub(f"url(#{name}-\\1)", value))
