"""The pictures on handling marks, in the manner of ISO 780, each in the many hands that draw it on real cartons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.scenes.art import Colour, Pen

Picture = Callable[[Pen, Colour, Colour, np.random.Generator], None]
"""Draws on a square sheet of 0..100: pen, ink, paper, and the chance that makes no two makers alike."""
Points = Sequence[tuple[float, float]]


def shape(pen: Pen, points: Points, ink: Colour, weight: float | None) -> None:
    """A polygon: filled, or as an outline of that weight."""
    if weight is None:
        pen.polygon(points, ink)
    else:
        pen.line([*points, points[0], points[1]], ink, weight)


def line_weight(rng: np.random.Generator, outlined: float = 0.35) -> float | None:
    """None for a filled drawing, else the weight of its line."""
    return float(rng.uniform(2.5, 6)) if rng.random() < outlined else None


def cross(pen: Pen, ink: Colour, rng: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    """Crosses a box x1, y1, x2, y2 out."""
    x1, y1, x2, y2 = box
    weight = float(rng.uniform(4, 9))
    pen.line([(x1, y1), (x2, y2)], ink, weight)
    pen.line([(x2, y1), (x1, y2)], ink, weight)


def fragile(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """A wine glass, mostly with a crack from the rim."""
    weight = line_weight(rng)
    half, rim, deep = float(rng.uniform(18, 30)), float(rng.uniform(5, 12)), float(rng.uniform(46, 62))
    left, right = 50 - half, 50 + half
    kind = rng.choice(["round", "cone", "tulip", "cup"], p=[0.4, 0.15, 0.3, 0.15])
    if kind == "round":
        t = np.linspace(0, np.pi, 15)
        bowl = [
            (left, rim),
            (right, rim),
            *((50 + half * np.cos(a), rim + 8 + (deep - rim - 8) * np.sin(a)) for a in t),
        ]
    elif kind == "cone":
        bowl = [(left, rim), (right, rim), (52, deep), (48, deep)]
    elif kind == "tulip":
        bulge = half * float(rng.uniform(1.05, 1.25))
        bowl = [
            (left, rim),
            (right, rim),
            (50 + bulge, rim + 20),
            (50 + half * 0.75, deep - 8),
            (53, deep),
            (47, deep),
            (50 - half * 0.75, deep - 8),
            (50 - bulge, rim + 20),
        ]
    else:
        bowl = [
            (left, rim),
            (right, rim),
            (right - 3, deep - 12),
            (50 + half / 2, deep),
            (50 - half / 2, deep),
            (left + 3, deep - 12),
        ]
    shape(pen, bowl, ink, weight)
    stem = float(rng.uniform(1.5, 5))
    foot = float(rng.uniform(86, 95))
    pen.oblong(50 - stem, deep - 1, 50 + stem, foot, ink)
    base = half * float(rng.uniform(0.7, 1.05))
    if rng.random() < 0.5:
        pen.oblong(50 - base, foot - float(rng.uniform(2, 5)), 50 + base, foot + 2, ink)
    else:
        pen.polygon([(50 - stem, foot - 9), (50 + stem, foot - 9), (50 + base, foot + 3), (50 - base, foot + 3)], ink)
    if rng.random() < 0.85:
        x = 50 + float(rng.uniform(-0.5, 0.5)) * half
        down = (deep - rim) * float(rng.uniform(0.45, 0.85))
        step = float(rng.uniform(4, 10)) * float(rng.choice([-1, 1]))
        path = [(x, rim - 3), (x + step, rim + down * 0.3), (x - step * 0.6, rim + down * 0.5), (x + step, rim + down)]
        if weight is None and rng.random() < 0.6:
            wide = float(rng.uniform(3, 8))
            pen.polygon([*path, (x - step * 0.6 + wide, rim + down * 0.5), (x + wide * 1.6, rim - 3)], paper)
        else:
            pen.line(path, paper if weight is None else ink, float(rng.uniform(2, 4.5)))


def this_way_up(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """Arrows pointing up, mostly two on a bar."""
    count = int(rng.choice([1, 2, 3], p=[0.05, 0.87, 0.08]))
    bar = rng.random() < (0.8 if count > 1 else 0.5)
    foot = float(rng.uniform(76, 84)) if bar else float(rng.uniform(88, 97))
    tip = float(rng.uniform(2, 10))
    pitch = 92 / max(count, 1.6) * float(rng.uniform(0.7, 1.0))
    head_half = pitch * float(rng.uniform(0.26, 0.49))
    head_long = float(rng.uniform(0.22, 0.5)) * (foot - tip)
    shaft = head_half * float(rng.uniform(0.16, 0.55))
    weight = line_weight(rng, 0.1)
    barbed = rng.random() < 0.12
    for i in range(count):
        x = 50 + (i - (count - 1) / 2) * pitch
        if barbed:
            line = max(4.0, shaft)
            pen.line([(x, foot), (x, tip + 2)], ink, line)
            pen.line([(x - head_half, tip + head_long), (x, tip + 1), (x + head_half, tip + head_long)], ink, line)
            continue
        nick = head_long * float(rng.choice([0, 0, 0, 0.2]))
        neck = tip + head_long
        points = [
            (x, tip),
            (x + head_half, neck),
            (x + shaft, neck - nick),
            (x + shaft, foot),
            (x - shaft, foot),
            (x - shaft, neck - nick),
            (x - head_half, neck),
        ]
        shape(pen, points, ink, weight)
    if bar:
        reach = min(48.0, pitch * count / 2 * float(rng.uniform(0.95, 1.2)))
        top = foot + float(rng.uniform(0, 12))
        pen.oblong(50 - reach, top, 50 + reach, min(99.0, top + float(rng.uniform(3, 9))), ink)


def keep_dry(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """An open umbrella, mostly in the rain."""
    weight = line_weight(rng)
    top, rim = float(rng.uniform(18, 34)), float(rng.uniform(52, 66))
    half = float(rng.uniform(34, 46))
    flat = 2 * (rim - top)
    if weight is None:
        pen.slice(50 - half, top, 50 + half, top + flat, 180, 360, ink)
    else:
        pen.arc(50 - half, top, 50 + half, top + flat, 180, 360, ink, weight)
        for share in (0.35, 0.7) if rng.random() < 0.6 else ():
            pen.arc(50 - half * share, top, 50 + half * share, top + flat, 180, 360, ink, weight * 0.6)
    if rng.random() < 0.75:
        count = int(rng.integers(3, 6))
        wide, high = 2 * half / count, float(rng.uniform(4, 8))
        for i in range(count):
            x = 50 - half + wide * i
            if weight is None:
                pen.oval(x, rim - high, x + wide, rim + high, paper)
            else:
                pen.arc(x, rim - high, x + wide, rim + high, 180, 360, ink, weight)
    elif weight is not None:
        pen.line([(50 - half, rim), (50 + half, rim)], ink, weight)
    stick = float(rng.uniform(3, 6))
    foot = float(rng.uniform(86, 92))
    pen.line([(50, top - float(rng.uniform(0, 7))), (50, foot)], ink, stick)
    hook = float(rng.uniform(10, 18)) * float(rng.choice([-1, 1]))
    pen.arc(min(50, 50 + hook), foot - 8, max(50, 50 + hook), foot + 8, 0, 180, ink, stick)
    if rng.random() < 0.8:
        slope, long = float(rng.uniform(-6, 6)), float(rng.uniform(8, 15))
        round_drops = rng.random() < 0.4
        for x in np.linspace(8, 92, int(rng.integers(4, 9))):
            y = float(rng.uniform(1, 8)) + (abs(x - 50) / 42) ** 2 * float(rng.uniform(0, top * 0.6))
            if round_drops:
                pen.polygon([(x, y), (x + 3.5, y + long * 0.65), (x - 3.5, y + long * 0.65)], ink)
                pen.oval(x - 3.5, y + long * 0.45, x + 3.5, y + long, ink)
            else:
                pen.line([(x, y), (x + slope, y + long)], ink, float(rng.uniform(2, 4)))


def handle_with_care(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """Two hands that hold or carry a box."""
    weight = line_weight(rng, 0.3)
    below = rng.random() < 0.45
    top, foot = (6.0, float(rng.uniform(42, 56))) if below else (float(rng.uniform(6, 20)), float(rng.uniform(56, 72)))
    half = float(rng.uniform(16, 28))
    line = float(rng.uniform(3, 7))
    if rng.random() < 0.3:
        pen.oblong(50 - half, top, 50 + half, foot, ink)
    else:
        pen.frame(50 - half, top, 50 + half, foot, ink, line)
    if rng.random() < 0.4:
        pen.oblong(46, top, 54, top + (foot - top) * float(rng.uniform(0.2, 0.5)), ink)
    if below:
        near, lift = float(rng.uniform(3, 8)), float(rng.uniform(-6, 6))
        hand = [
            (4, 58 + lift),
            (12, 52 + lift),
            (28, 68),
            (47, 64),
            (48, 71),
            (34, 78),
            (40, 84),
            (26, 92),
            (near, 76),
        ]
    else:
        edge = 50 - half - float(rng.uniform(0, 3))
        hand = [
            (4, 34),
            (edge - 5, 26),
            (edge, 34),
            (edge - 1, foot),
            (46, foot + 2),
            (47, foot + 9),
            (30, foot + 12),
            (42, foot + 20),
            (24, foot + 23),
            (6, foot + 4),
        ]
    for mirror in (False, True):
        shape(pen, [(100 - x, y) if mirror else (x, y) for x, y in hand], ink, weight)
        if rng.random() < 0.6:
            cuff = [(8, 80), (30, 92), (26, 99), (2, 88)] if below else [(6, 84), (26, 88), (26, 97), (4, 95)]
            shape(pen, [(100 - x, y) if mirror else (x, y) for x, y in cuff], ink, weight)


def do_not_stack(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """Boxes on a box, crossed out."""
    line = float(rng.uniform(3, 7))
    half, split = float(rng.uniform(18, 36)), float(rng.uniform(42, 54))
    upper = half * float(rng.uniform(0.6, 1.0))
    boxes = [(50 - half, split + float(rng.uniform(1, 6)), 50 + half, 95.0)]
    if rng.random() < 0.25:
        boxes += [(50 - half, 6.0, 49.0, split), (51.0, 6.0, 50 + half, split)]
    else:
        boxes.append((50 - upper, float(rng.uniform(3, 14)), 50 + upper, split))
    solid = rng.random() < 0.35
    for x1, y1, x2, y2 in boxes:
        if solid and (y1 > 40 or rng.random() < 0.5):
            pen.oblong(x1, y1, x2, y2, ink)
        else:
            pen.frame(x1, y1, x2, y2, ink, line)
        if rng.random() < 0.4:
            middle = (x1 + x2) / 2
            pen.oblong(middle - 4, y1, middle + 4, y1 + (y2 - y1) * 0.35, ink if not solid else paper)
    struck = (6.0, 2.0, 94.0, split + 4) if rng.random() < 0.65 else (4.0, 2.0, 96.0, 98.0)
    if solid:
        cross(pen, paper, rng, (struck[0] + 3, struck[1], struck[2] + 3, struck[3]))
    if rng.random() < 0.2:
        pen.arc(3, 3, 97, 97, 0, 360, ink, line + 2)
        pen.line([(18, 18), (82, 82)], ink, line + 2)
    else:
        cross(pen, ink, rng, struck)


def keep_away_from_sun(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """The sun above a roof, and what the roof shelters."""
    weight = line_weight(rng, 0.4)
    cx = 50.0 if rng.random() < 0.6 else float(rng.choice([24, 76]))
    cy, radius = float(rng.uniform(18, 24)), float(rng.uniform(8, 13))
    if weight is None:
        pen.oval(cx - radius, cy - radius, cx + radius, cy + radius, ink)
    else:
        pen.arc(cx - radius, cy - radius, cx + radius, cy + radius, 0, 360, ink, weight)
    near, far = radius + float(rng.uniform(2, 4)), radius + float(rng.uniform(8, 13))
    wedge = rng.random() < 0.25
    for angle in np.linspace(0, 2 * np.pi, int(rng.integers(8, 15)), endpoint=False):
        c, s = float(np.cos(angle)), float(np.sin(angle))
        if wedge:
            pen.polygon(
                [
                    (cx + near * c - 2.5 * s, cy + near * s + 2.5 * c),
                    (cx + far * c, cy + far * s),
                    (cx + near * c + 2.5 * s, cy + near * s - 2.5 * c),
                ],
                ink,
            )
        else:
            pen.line([(cx + near * c, cy + near * s), (cx + far * c, cy + far * s)], ink, float(rng.uniform(2, 4)))
    ridge, eaves = float(rng.uniform(38, 48)), float(rng.uniform(58, 68))
    beam = float(rng.uniform(4, 9))
    kind = rng.choice(["roof", "roof", "slash", "box"])
    if kind == "roof":
        for low in (0.0, beam + 4) if rng.random() < 0.3 else (0.0,):
            pen.line([(8, eaves + low), (50, ridge + low), (92, eaves + low)], ink, beam)
    elif kind == "slash":
        pen.line([(8, 70), (92, 4)], ink, beam)
    top, half = float(rng.uniform(66, 74)) if kind == "roof" else float(rng.uniform(50, 60)), float(rng.uniform(16, 28))
    if rng.random() < 0.3:
        pen.oblong(50 - half, top, 50 + half, 96, ink)
    else:
        pen.frame(50 - half, top, 50 + half, 96, ink, float(rng.uniform(3, 6)))
    if rng.random() < 0.3:
        pen.oblong(46, top, 54, top + 9, ink)


def _stack_limit(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    pen.oblong(18, 4, 82, 9, ink)
    pen.oblong(46, 9, 54, 24, ink)
    pen.polygon([(36, 22), (64, 22), (50, 36)], ink)
    for top in (42, 66):
        pen.frame(28, top, 72, top + 22, ink, float(rng.uniform(3, 6)))
    pen.oblong(18, 92, 82, 97, ink)
    if rng.random() < 0.5:
        pen.text((74, 44, 98, 70), str(int(rng.integers(2, 12))), ink, rng)


def _temperature(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    pen.oblong(44, 8, 56, 70, ink)
    pen.oval(36, 64, 64, 92, ink)
    for y in (16, 30, 44, 58):
        pen.line([(62, y), (74, y)], ink, 4)
    pen.line([(10, 30), (38, 30)], ink, 4)
    pen.line([(10, 58), (38, 58)], ink, 4)


def _centre_of_gravity(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    pen.oval(20, 20, 80, 80, ink)
    pen.oval(25, 25, 75, 75, paper)
    pen.slice(25, 25, 75, 75, 0, 90, ink)
    pen.slice(25, 25, 75, 75, 180, 270, ink)
    pen.line([(50, 4), (50, 96)], ink, 4)
    pen.line([(4, 50), (96, 50)], ink, 4)


def _no_hooks(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    pen.line([(50, 6), (50, 44)], ink, 8)
    pen.oblong(34, 4, 66, 12, ink)
    pen.arc(32, 36, 72, 88, 270, 150, ink, 8)
    cross(pen, ink, rng, (10, 10, 90, 92))


def _clamp_here(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    for mirror in (False, True):
        points = [(4, 40), (26, 40), (26, 28), (44, 50), (26, 72), (26, 60), (4, 60)]
        pen.polygon([(100 - x, y) if mirror else (x, y) for x, y in points], ink)
    if rng.random() < 0.5:
        cross(pen, ink, rng, (8, 8, 92, 92))


def _recycling(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    gap = float(rng.uniform(8, 16))
    for turn in (0, 120, 240):
        a = np.deg2rad(turn)
        c, s = float(np.cos(a)), float(np.sin(a))
        bent = [(-34, 24), (34 - gap, 24), (34 - gap, 16), (46 - gap, 30), (34 - gap, 44), (34 - gap, 36), (-40, 36)]
        pen.polygon([(50 + c * x - s * y, 52 + s * x + c * y) for x, y in bent], ink)


def _no_fork(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    pen.oblong(12, 30, 46, 66, ink)
    pen.oval(14, 66, 30, 82, ink)
    pen.oval(32, 66, 48, 82, ink)
    pen.line([(52, 16), (52, 78), (88, 78)], ink, 6)
    cross(pen, ink, rng, (6, 6, 94, 94))


def _open_here(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """A lone arrow that points sideways: where to open, where to tear."""
    pen.polygon([(96, 50), (60, 22), (60, 40), (6, 40), (6, 60), (60, 60), (60, 78)], ink)


def _static(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    shape(pen, [(50, 6), (96, 90), (4, 90)], ink, float(rng.uniform(4, 8)))
    pen.polygon([(46, 34), (58, 34), (52, 54), (62, 54), (44, 82), (48, 62), (40, 62)], ink)


def _hazard(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """A diamond: of dangerous goods, or of the chemical's own label."""
    shape(pen, [(50, 2), (98, 50), (50, 98), (2, 50)], ink, float(rng.uniform(3, 7)))
    kind = int(rng.integers(4))
    if kind == 0:
        pen.oblong(46, 26, 54, 60, ink)
        pen.oval(45, 66, 55, 76, ink)
    elif kind == 1:
        pen.polygon([(36, 66), (34, 48), (42, 52), (46, 26), (56, 44), (62, 38), (66, 56), (60, 68)], ink)
    elif kind == 2:
        for x in (28, 37, 46, 55, 64):
            pen.oblong(x, 50 - (min(x, 96 - x) - 4) + 8, x + 4, 50, ink)
        pen.text((38, 60, 62, 82), "9", ink, rng)
    else:
        pen.oval(36, 28, 64, 54, ink)
        pen.oblong(42, 52, 58, 64, ink)
        pen.oval(40, 38, 47, 46, paper)
        pen.oval(53, 38, 60, 46, paper)


def _bin(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    shape(pen, [(26, 24), (74, 24), (66, 88), (34, 88)], ink, float(rng.uniform(3, 6)))
    pen.oblong(20, 16, 80, 22, ink)
    if rng.random() < 0.7:
        cross(pen, ink, rng, (6, 6, 94, 94))


def _seal(pen: Pen, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """The round certificate of the box maker."""
    pen.arc(3, 3, 97, 97, 0, 360, ink, float(rng.uniform(2, 5)))
    pen.arc(18, 18, 82, 82, 0, 360, ink, 2)
    for y in (34, 46, 58):
        pen.text((26, y, 74, y + 9), "".join(rng.choice(list("ABCDEHKLMNPRSTUV 0123"), 9)), ink, rng)


PICTURES: dict[str, Picture] = {
    "fragile": fragile,
    "this_way_up": this_way_up,
    "keep_dry": keep_dry,
    "handle_with_care": handle_with_care,
    "do_not_stack": do_not_stack,
    "keep_away_from_sun": keep_away_from_sun,
}
OTHERS: tuple[Picture, ...] = (_stack_limit, _temperature, _centre_of_gravity, _no_hooks, _clamp_here, _no_fork)
"""Handling marks that no order asks for."""
STRANGERS: tuple[Picture, ...] = (_recycling, _open_here, _static, _hazard, _bin, _seal)
"""What is printed beside handling marks and is none."""
