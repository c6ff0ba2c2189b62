"""Draws parcels: cartons of all proportions and mailers, closed, printed and labelled, and what happened to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from models.scenes.blender.artwork import decorate, pattern
from models.scenes.blender.board import BOARDS, Board
from models.scenes.blender.carton import Carton
from models.scenes.blender.closing import Tape, more_tape, peel, seal, strap, strip
from models.scenes.blender.cloth import inflated
from models.scenes.blender.damage import Damage
from models.scenes.blender.damage.split import LooseTape, Rip
from models.scenes.blender.damage.stain import Dirt, Wet
from models.scenes.blender.damage.tear import Tear
from models.scenes.blender.label import shipping_label
from models.scenes.blender.mailer import Mailer
from models.scenes.blender.marks import KINDS, Mark, printed, sticker
from models.scenes.blender.mishap import Mishap, mishap, spot
from models.scenes.blender.paint import Array, Rng, Surface, noise
from models.scenes.blender.sheet import Sheet, grid_faces
from models.scenes.blender.stuck import hand_hole, stick

TEXELS = 1700
BAGS = 8
"""Mailers share some inflated bags: one takes ten seconds and more."""


@dataclass(frozen=True)
class Goods:
    """A parcel, the sRGB colour of its board's back, and what is special about its looks."""

    parcel: Carton | Mailer
    inside: tuple[float, float, float]
    looks: tuple[str, ...] = ()


def proportions(rng: Rng) -> tuple[float, float, float]:
    """Length, width and height in metres of a flat, usual, tall, long or cubic carton."""
    length = float(rng.uniform(0.19, 0.45))
    kind = str(rng.choice(["usual", "flat", "tall", "long", "cube"], p=[0.46, 0.16, 0.12, 0.12, 0.14]))
    if kind == "flat":
        return length, length * float(rng.uniform(0.6, 0.95)), float(rng.uniform(0.045, 0.09))
    if kind == "tall":
        return length * 0.7, length * float(rng.uniform(0.4, 0.65)), length * float(rng.uniform(0.8, 1.2))
    if kind == "long":
        return 0.35 + 0.4 * length, length * float(rng.uniform(0.35, 0.5)), length * float(rng.uniform(0.25, 0.5))
    if kind == "cube":
        side = 0.8 * length
        return side, side * float(rng.uniform(0.85, 1)), side * float(rng.uniform(0.75, 1.0))
    return length, length * float(rng.uniform(0.55, 0.95)), length * float(rng.uniform(0.3, 0.75))


def carton(rng: Rng, *, damaged: bool, first_code: int = 1, scale: float = 1.0) -> Goods:
    """A carton, closed and dressed, and damaged if told so."""
    long, wide, high = (side * scale for side in proportions(rng))
    size = (long, wide, high)
    half = np.array(size) / 2
    base = BOARDS[int(rng.choice(len(BOARDS), p=[0.40, 0.22, 0.20, 0.18]))]
    tone = np.clip(np.array(base.colour) * rng.uniform(0.85, 1.08) * rng.uniform(0.96, 1.04, 3), 0, 0.93)
    board = Board((float(tone[0]), float(tone[1]), float(tone[2])), base.inside, base.fibre)
    fate = mishap(rng, half) if damaged else Mishap()
    tape = Tape.drawn(rng)
    sense = int(rng.choice([-1, 1]))
    start = float(rng.uniform(-0.2, 0.75)) * float(half[0]) * sense
    if fate.tape == "peeled":
        fate.damages.append(LooseTape(0.5, start=start, sense=sense, width=tape.width))
    texels = TEXELS * float(np.clip(0.32 / max(size), 0.6, 1.0))
    made = Carton(
        size, rng, board=board, damages=fate.damages, flaps=fate.flaps, minor=fate.minor, texels=texels, step=0.003,
        first_code=first_code,
    )  # fmt: skip
    looks = [decorate(made, rng), *stick(made, rng)]
    if rng.random() < 0.3:
        made.bow["top"] = float(rng.uniform(0.002, 0.010))
        looks.append("bulged")
    if rng.random() < 0.12 and high > 0.12:
        hand_hole(made, rng)
        looks.append("hand_holes")
    if fate.tape == "whole":
        seal(made, tape, rng)
        looks.append("tape_" + more_tape(made, tape, rng))
        if rng.random() < 0.14:
            strap(made, rng)
            looks.append("strap")
    elif fate.tape == "torn":
        side = int(rng.choice([-1, 1]))
        strip(made, tape, "top", (0, 0), 2 * float(half[0]), rng, hold=side, torn=True, turn=0.0 if side < 0 else np.pi)
    elif fate.tape == "peeled":
        curl = peel(start, sense, float(rng.uniform(0.012, 0.035)), float(rng.uniform(0.5, 2.6)))
        side = -1 if fate.flaps[0] < fate.flaps[1] else 1
        strip(made, tape, "top", (0, 0), 2 * float(half[0]), rng, hold=side, curl=curl)
    if max(fate.flaps) > 0.5:
        made.extra.append(filling(made, rng))
    dress(made, rng)
    return Goods(made, board.inside, tuple(looks))


def filling(made: Carton, rng: Rng) -> Sheet:
    """What an open carton shows: crumpled paper or goods under it, some way below its rim."""
    x, y = np.meshgrid(np.linspace(-1, 1, 50), np.linspace(-1, 1, 50))
    high = 2 * made.half[2] * float(rng.uniform(0.15, 0.75))
    lumps = np.abs(noise(x.shape, 4, rng, 3)) * 0.25 * made.half.min()
    points = np.stack([x * (made.half[0] - 0.005), y * (made.half[1] - 0.005), np.clip(high - lumps, 0.006, None)], -1)
    colour = ((0.64, 0.50, 0.35), (0.85, 0.85, 0.84), (0.25, 0.25, 0.27), (0.55, 0.60, 0.68))[int(rng.integers(4))]
    rgb = (
        np.ones((120, 120, 3), np.float32)
        * np.array(colour, np.float32)
        * (1 + 0.08 * noise((120, 120), 8, rng))[..., None]
    )
    rest = made.texel_rest("top", 120, 120, made.extent("top"), (0, 0), 0)
    inner = np.array([0.0, 0.0, -1.0])  # no damage of the lid is painted on it
    surface = Surface.blank("fill", rgb, rest, inner, rough=0.8, instance=made.first_code, finish="paper")
    uv = np.stack([x / 2 + 0.5, y / 2 + 0.5], -1).reshape(-1, 2)
    return Sheet("fill", points.reshape(-1, 3), grid_faces(50, 50), uv, surface)


def dress(made: Carton, rng: Rng) -> None:
    """Labels and up to three marks, each on its part of the top or on a wall, so that few cover another."""
    ink = np.array((0.12, 0.10, 0.08)) * rng.uniform(0.5, 1.8)
    edge = _labels(made, rng)
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.34, 0.33, 0.19, 0.14]))):
        kind = str(rng.choice(KINDS, p=[0.26, 0.2, 0.16, 0.14, 0.06, 0.06, 0.12]))
        face = str(rng.choice(["top", "front", "back", "left", "right"], p=[0.3, 0.2, 0.2, 0.15, 0.15]))
        across, up = made.extent(face)
        low = edge + 0.006 if face == "top" else -across / 2 + 0.006
        side = min(float(rng.uniform(0.045, 0.1)), across / 2 - 0.006 - low, 0.8 * up)
        if side < 0.03 or (face == "top" and any(made.flaps)):
            continue
        mark = handling_mark(kind, rng, ink, side)
        tall = min(1.0, 0.9 * up / mark.size[1])
        if tall < 1.0:
            mark = handling_mark(kind, rng, ink, side * tall)
        free = up / 2 - mark.size[1] / 2 - 0.004
        x = float(
            rng.uniform(low + mark.size[0] / 2, max(low + mark.size[0] / 2, across / 2 - mark.size[0] / 2 - 0.004))
        )
        turn = float(rng.normal(0, 0.04))
        if rng.random() < 0.12:
            turn += float(rng.choice([0, np.pi / 2, np.pi, -np.pi / 2]))
        made.mark(mark, face, (x, float(rng.uniform(-free, free)) if free > 0 else 0.0), turn)
        if face == "top":
            edge = x + mark.size[0] / 2


def _labels(made: Carton, rng: Rng) -> float:
    """A label on the top, else on a wall, sometimes two; answers x in metres up to which the top is covered."""
    edge = -made.extent("top")[0] / 2
    for number in range(int(rng.choice([0, 1, 2], p=[0.1, 0.75, 0.15]))):
        label = shipping_label(
            f"LL{rng.integers(10**9):09d}",
            rng,
            chinese=bool(rng.random() < 0.3),
            module_mm=float(rng.uniform(0.45, 0.8)),
        )
        turn = float(rng.choice([0, np.pi])) + float(rng.normal(0, 0.04))
        face = "top" if number == 0 and rng.random() < 0.7 else str(rng.choice(["front", "back", "left", "right"]))
        across, up = made.extent(face)
        flap = face == "top" and any(made.flaps)
        room = (across / 2 - label.size[0] / 2 - 0.008, (up / 2 if flap else up) / 2 - label.size[1] / 2 - 0.008)
        if min(room) <= 0:
            continue
        if face == "top" and not flap:
            x = -room[0] * float(rng.uniform(0.6, 1))
            edge = x + label.size[0] / 2
        else:
            x = float(rng.uniform(-room[0], room[0]))
        y = float(rng.uniform(-room[1], room[1])) + (float(rng.choice([-1, 1])) * up / 4 if flap else 0.0)
        made.label(label, face, (x, y), turn)
    return edge


def handling_mark(kind: str, rng: Rng, ink: Array, side: float) -> Mark:
    """A printed mark or a sticker `side` metres wide."""
    if kind != "lithium_battery" and rng.random() < 0.4:
        return printed(kind, rng, ink, width=side)
    return sticker(kind, rng, chinese=bool(rng.random() < 0.3), width=side)


@cache
def _bag(number: int) -> tuple[tuple[float, float], Array]:
    rng = np.random.default_rng([number, 4242])
    size = (float(rng.uniform(0.26, 0.38)), float(rng.uniform(0.19, 0.27)))
    return size, inflated(size, rng, pressure=float(rng.uniform(2.6, 3.6)))


def mailer(rng: Rng, *, damaged: bool, first_code: int = 1) -> Goods:
    """A mailer of film or paper with a label; torn, soaked or dirty if told so."""
    size, bag = _bag(int(rng.integers(BAGS)))
    colours = (
        (0.87, 0.87, 0.86), (0.14, 0.14, 0.15), (0.55, 0.56, 0.58), (0.20, 0.32, 0.55), (0.80, 0.52, 0.60),
        (0.66, 0.50, 0.33), (0.88, 0.68, 0.16), (0.75, 0.74, 0.70), (0.35, 0.62, 0.60),
    )  # fmt: skip
    colour = colours[int(rng.choice(len(colours), p=[0.22, 0.12, 0.12, 0.07, 0.07, 0.14, 0.1, 0.1, 0.06]))]
    severity = float(0.3 + 0.7 * rng.random())
    half = np.array([*size, 0.05]) / 2
    damages: list[Damage] = []
    for _ in range(int(rng.choice([1, 2], p=[0.7, 0.3])) if damaged else 0):
        at, centre = spot(rng, half, "top", 0.05)
        kind = rng.random()
        if kind < 0.36:
            radius = 0.012 + 0.035 * severity
            damages.append(Tear.of(rng, "top", at, radius, severity, half, flaps=int(rng.integers(0, 4))))
        elif kind < 0.64:
            damages.append(Rip.of(rng, "top", severity, half, film=True))
        elif kind < 0.82:
            damages.append(Dirt.of(rng, centre, 0.05 + 0.08 * severity, severity))
        else:
            damages.append(Wet.of(rng, centre, 0.05 + 0.09 * severity, severity, half))
    content = ((0.10, 0.10, 0.12), (0.70, 0.68, 0.64), (0.55, 0.12, 0.12), (0.62, 0.48, 0.33), (0.20, 0.30, 0.50))
    made = Mailer(
        bag, size, float(rng.uniform(0.025, 0.07)), rng, colour=colour, damages=damages, texels=2000,
        rough=float(rng.uniform(0.15, 0.6)), content=content[int(rng.integers(len(content)))], first_code=first_code,
    )  # fmt: skip
    looks = ["mailer"]
    if rng.random() < 0.25:
        pattern(made.face, [(0.95, 0.95, 0.93), (0.08, 0.08, 0.09), (0.7, 0.15, 0.2), (0.1, 0.3, 0.5)], rng)
        looks.append("pattern")
    for _ in range(int(rng.choice([0, 1, 2], p=[0.1, 0.75, 0.15]))):
        label = shipping_label(
            f"LL{rng.integers(10**9):09d}",
            rng,
            chinese=bool(rng.random() < 0.3),
            module_mm=float(rng.uniform(0.45, 0.7)),
        )
        at = (float(rng.uniform(-0.05, 0.04)), float(rng.uniform(-0.03, 0.03)))
        made.label(label, "top", at, float(rng.normal(0, 0.1)))
    return Goods(made, (0.6, 0.6, 0.6), tuple(looks))
