"""Pictures that nobody has seen: what makers and shops print on boxes is endless, and none of it is a mark."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.scenes.art import Colour, Pen
from models.scenes.pictograms import Points, cross, line_weight, shape

Spot = tuple[float, float, float]
"""Middle and reach of a part of the picture."""
CROSSED = 0.12
"""How often the whole is crossed out, as things are that are forbidden."""
UPRIGHT = 30.0
"""Degrees from upright or from upside down within which no arrow of an emblem points: it would say which way is up."""


def emblem(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """A `Picture` of a few parts: some inside a frame, some repeated around the middle as the arrows of recycling."""
    reach = 46.0
    if rng.random() < 0.45:
        _frame(pen, ink, rng)
        reach = 32.0
    if rng.random() < 0.4:
        _ring(pen, ink, paper, reach, rng)
    else:
        for _ in range(int(rng.integers(1, 5))):
            size = reach * float(rng.uniform(0.3, 0.9))
            free = reach - size
            spot = 50 + float(rng.uniform(-free, free)), 50 + float(rng.uniform(-free, free)), size
            _part(pen, ink, paper, spot, float(rng.uniform(0, 360)), rng)
    if rng.random() < CROSSED:
        cross(pen, ink, rng, (6, 6, 94, 94))


def _frame(pen: Pen, ink: Colour, rng: np.random.Generator) -> None:
    thick = float(rng.uniform(2, 7))
    kind = int(rng.integers(4))
    if kind == 0:
        pen.arc(2, 2, 98, 98, 0, 360, ink, thick)
        if rng.random() < 0.4:
            pen.arc(14, 14, 86, 86, 0, 360, ink, thick / 2)
    elif kind == 1:
        pen.frame(3, 3, 97, 97, ink, thick)
    else:
        corners = int(rng.choice([3, 4, 6, 8]))
        turn = 0.0 if kind == 2 else 180.0 / corners
        shape(pen, _round(50, 50, 48, np.arange(corners) * 360.0 / corners + turn), ink, thick)


def _ring(pen: Pen, ink: Colour, paper: Colour, reach: float, rng: np.random.Generator) -> None:
    """The same part several times around the middle, or arrows that chase each other there."""
    count = int(rng.integers(2, 6))
    start = float(rng.uniform(0, 360))
    if rng.random() < 0.5:
        thick, part = float(rng.uniform(4, 13)), 360.0 / count
        out = reach - thick
        for i in range(count):
            begins = start + i * part
            ends = begins + part * float(rng.uniform(0.5, 0.7))
            pen.arc(50 - out, 50 - out, 50 + out, 50 + out, begins, ends, ink, thick)
            middle = out - thick / 2
            tip = _round(50, 50, middle, np.array([ends + 900 / middle + 90]))[0]
            inner, outer = (
                _round(50, 50, middle + far, np.array([ends + 90]))[0] for far in (-1.3 * thick, 1.3 * thick)
            )
            pen.polygon([inner, tip, outer], ink)
        return
    seed = int(rng.integers(2**31))
    for i in range(count):
        turn = start + i * 360.0 / count
        x, y = _round(50, 50, reach * 0.55, np.array([turn]))[0]
        _part(pen, ink, paper, (x, y, reach * 0.42), turn, np.random.default_rng(seed))


def _part(pen: Pen, ink: Colour, paper: Colour, spot: Spot, turn: float, rng: np.random.Generator) -> None:
    """One blob, disc, arrow, bar or a letter or two."""
    x, y, size = spot
    kind = str(rng.choice(["blob", "leaf", "disc", "arrow", "bars", "letters", "box"]))
    if kind == "blob":
        corners = int(rng.integers(5, 14))
        far = size * rng.uniform(0.35, 1.0, corners)
        angles = np.sort(rng.uniform(0, 360, corners))
        shape(
            pen,
            [_round(x, y, r, np.array([a]))[0] for r, a in zip(far.tolist(), angles, strict=True)],
            ink,
            line_weight(rng),
        )
    elif kind == "leaf":
        slim, bend = float(rng.uniform(0.2, 0.6)), np.linspace(0, np.pi, 9)
        side = np.stack([np.cos(bend), slim * np.sin(bend)], axis=1)
        shape(pen, _turned(np.concatenate([side, -side]) * size, x, y, turn), ink, line_weight(rng))
    elif kind == "disc":
        pen.oval(x - size, y - size, x + size, y + size, ink)
        if rng.random() < 0.6:
            hole = size * float(rng.uniform(0.3, 0.8))
            pen.oval(x - hole, y - hole, x + hole, y + hole, paper)
    elif kind == "arrow":
        way = _aside(turn)
        thin, head = float(rng.uniform(0.12, 0.35)), float(rng.uniform(0.4, 0.8))
        flat = [(1, 0), (0.2, head), (0.2, thin), (-1, thin), (-1, -thin), (0.2, -thin), (0.2, -head)]
        shape(pen, _turned(np.array(flat) * size, x, y, way), ink, line_weight(rng))
    elif kind == "bars":
        for i in range(int(rng.integers(2, 7))):
            bar = np.array([(-1, 0), (1, 0)]) * size * float(rng.uniform(0.4, 1)) + np.array(
                [0, (i - 2.5) * size * 0.3]
            )
            pen.line(_turned(bar, x, y, turn), ink, float(rng.uniform(1.5, 6)))
    elif kind == "letters":
        text = "".join(rng.choice(list("ABCDEFGHIJKLMNOPRSTVWXYZ0123456789%&@"), int(rng.integers(1, 4))))
        pen.text((x - size, y - size * 0.6, x + size, y + size * 0.6), text, ink, rng)
    else:
        wide, high = float(rng.uniform(0.5, 1)), float(rng.uniform(0.4, 1))
        flat = [(-wide, -high), (wide, -high), (wide, high), (-wide, high)]
        shape(pen, _turned(np.array(flat) * size, x, y, turn if rng.random() < 0.3 else 0.0), ink, line_weight(rng))


def _aside(turn: float) -> float:
    """The same direction, or one that is far enough from up and down. Degrees clockwise from the right."""
    off = (turn % 180) - 90
    return turn if abs(off) > UPRIGHT else turn + 2 * UPRIGHT


def _round(x: float, y: float, far: float, angles: npt.NDArray[np.float64]) -> list[tuple[float, float]]:
    """Points around a middle, by degrees clockwise from the top."""
    a = np.deg2rad(angles)
    return list(zip((x + far * np.sin(a)).tolist(), (y - far * np.cos(a)).tolist(), strict=True))


def _turned(flat: npt.NDArray[np.float64], x: float, y: float, degrees: float) -> Points:
    a = np.deg2rad(degrees)
    spin = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return [(float(px) + x, float(py) + y) for px, py in flat @ spin]
