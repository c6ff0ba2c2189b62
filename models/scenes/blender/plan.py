"""Draws training scenes: which parcel, what happened to it, where it lies, who looks at it from where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from models.scenes.blender.bench import TOPS
from models.scenes.blender.board import BOARDS, Board
from models.scenes.blender.camera_light import ENVIRONMENTS, Lamp, Light
from models.scenes.blender.carton import Carton
from models.scenes.blender.cloth import inflated
from models.scenes.blender.damage import Damage
from models.scenes.blender.damage.flap import OpenFlap
from models.scenes.blender.damage.fold import Dent, crushed_corner, crushed_edge
from models.scenes.blender.damage.stain import Dirt, Wet
from models.scenes.blender.damage.tear import Tear
from models.scenes.blender.faces import FACES
from models.scenes.blender.label import shipping_label
from models.scenes.blender.mailer import Mailer
from models.scenes.blender.marks import KINDS, Mark, printed, sticker
from models.scenes.blender.paint import Array, Rng
from models.scenes.blender.parcel import Parcel
from models.scenes.blender.props import TOOLS
from models.scenes.blender.scene import Film, Placed, Scene, View

TEXELS = 2600
BAGS = 6
"""Mailers share some inflated bags: one takes ten seconds and more."""

Maker = Callable[[Rng, Array, float], Damage]


def _corner(rng: Rng, half: Array, severity: float) -> Damage:
    signs = (int(rng.choice([-1, 1])), int(rng.choice([-1, 1])), 1)
    return crushed_corner(rng, half, severity, signs)


def _edge(rng: Rng, half: Array, severity: float) -> Damage:
    signs = (int(rng.choice([-1, 1])), int(rng.choice([-1, 1])), 1)
    return crushed_edge(rng, half, severity, int(rng.integers(3)), signs)


def _spot(rng: Rng, half: Array, face: str, margin: float) -> tuple[tuple[float, float], Array]:
    frame = FACES[face]
    room = [max(0.0, float(abs(way @ half)) - margin) for way in (frame.right, frame.up)]
    at = (float(rng.uniform(-room[0], room[0])), float(rng.uniform(-room[1], room[1])))
    centre = frame.normal * half + np.array([0, 0, half[2]]) + at[0] * frame.right + at[1] * frame.up
    return at, centre


def _face(rng: Rng) -> str:
    return str(rng.choice(list(FACES), p=[0.56, 0.11, 0.11, 0.11, 0.11]))


def _dent(rng: Rng, half: Array, severity: float) -> Damage:
    face = _face(rng)
    radius = float(rng.uniform(0.3, 0.65) * 2 * half.min())
    _, centre = _spot(rng, half, face, radius)
    return Dent.of(rng, centre, FACES[face].normal, severity, radius)


def _tear(rng: Rng, half: Array, severity: float) -> Damage:
    face = _face(rng)
    low = min(float(abs(way @ half)) for way in (FACES[face].right, FACES[face].up))
    radius = float(np.clip((0.12 + 0.38 * severity) * low, 0.01, 0.05))
    at, _ = _spot(rng, half, face, 1.5 * radius)
    return Tear.of(rng, face, at, radius, severity, half, flaps=int(rng.integers(2, 5)))


def _wet(rng: Rng, half: Array, severity: float) -> Damage:
    _, centre = _spot(rng, half, _face(rng), 0.0)
    return Wet.of(rng, centre, float((0.35 + 0.75 * severity) * half[:2].mean()), severity, half)


def _dirt(rng: Rng, half: Array, severity: float) -> Damage:
    _, centre = _spot(rng, half, _face(rng), 0.02)
    return Dirt.of(rng, centre, float((0.35 + 0.5 * severity) * half[:2].mean()), severity)


DAMAGES: tuple[Maker, ...] = (_corner, _edge, _dent, _tear, _wet, _dirt)


@dataclass(frozen=True)
class Group:
    """One parcel to be seen in several views: its name, the parcel and the sRGB colour of its board's back."""

    name: str
    parcel: Parcel
    inside: tuple[float, float, float]
    neighbours: tuple[Placed, ...] = ()


def group(number: int, seed: int) -> Group:
    """Group `number` of a set: half of the parcels are damaged, damage takes turns, a sixth are mailers."""
    rng = np.random.default_rng([seed, number])
    name = f"b{seed:03d}-{number:05d}"
    damaged = number % 2 == 0
    kind = (number // 2) % (len(DAMAGES) + 1)
    if number % 6 == 3 or (damaged and kind == len(DAMAGES) - 1 and rng.random() < 0.4):
        return Group(name, _mailer(rng, damaged=damaged), (0.6, 0.6, 0.6))
    parcel, board = _carton(rng, kind if damaged else None, first_code=1)
    others: list[Placed] = []
    if rng.random() < 0.25:
        turn = rng.uniform(0, 2 * np.pi)
        other, other_board = _carton(rng, None, first_code=100)
        reach = float(np.hypot(*parcel.half[:2]) + np.hypot(*other.half[:2])) * rng.uniform(1.0, 1.15)
        place = (reach * np.cos(turn), reach * np.sin(turn))
        others.append(Placed(other, float(place[0]), float(place[1]), float(rng.uniform(0, 6.28)), other_board.inside))
    return Group(name, parcel, board.inside, tuple(others))


def _carton(rng: Rng, kind: int | None, *, first_code: int) -> tuple[Carton, Board]:
    length = float(rng.uniform(0.19, 0.42))
    size = (length, length * float(rng.uniform(0.55, 0.95)), length * float(rng.uniform(0.25, 0.75)))
    half = np.array(size) / 2
    base = BOARDS[int(rng.choice(len(BOARDS), p=[0.38, 0.24, 0.22, 0.16]))]
    tone = np.clip(np.array(base.colour) * rng.uniform(0.88, 1.08) * rng.uniform(0.97, 1.03, 3), 0, 0.93)
    board = Board((float(tone[0]), float(tone[1]), float(tone[2])), base.inside, base.fibre)
    damages: list[Damage] = []
    flaps, minor = (0.0, 0.0), (0.0, 0.0)
    severity = float(0.25 + 0.75 * rng.random())
    if kind is not None and kind < len(DAMAGES):
        damages.append(DAMAGES[kind](rng, half, severity))
        if rng.random() < 0.3:
            extra = DAMAGES[int(rng.choice([2, 4, 5]))]
            damages.append(extra(rng, half, float(0.25 + 0.6 * rng.random())))
    elif kind is not None:
        side = int(rng.choice([-1, 1]))
        angle = 0.15 + 1.5 * severity
        flaps = (angle, float(rng.uniform(0, 0.1))) if side < 0 else (float(rng.uniform(0, 0.1)), angle)
        minor = (float(rng.uniform(-0.25, -0.05)), float(rng.uniform(-0.25, -0.05)))
        damages.append(OpenFlap(severity, side=side))
    made = Carton(
        size,
        rng,
        board=board,
        damages=damages,
        flaps=flaps,
        minor=minor,
        texels=TEXELS,
        step=0.003,
        first_code=first_code,
    )
    tapes = ((0.50, 0.33, 0.16), (0.66, 0.50, 0.30), (0.80, 0.74, 0.62), (0.86, 0.86, 0.85))
    colour = tapes[int(rng.integers(len(tapes)))]
    if not any(flaps):
        made.tape(colour, width=float(rng.choice([0.048, 0.06])), clear=colour == tapes[2])
    _dress(made, rng, board)
    return made, board


def _dress(made: Carton, rng: Rng, board: Board) -> None:
    """A label and up to three marks, each on a quarter of the top or on a wall, so that none covers another."""
    width, depth = made.extent("top")
    label = shipping_label(
        f"LL{rng.integers(10**9):09d}", rng, chinese=bool(rng.random() < 0.4), module_mm=float(rng.uniform(0.45, 0.8))
    )
    flat_open = any(made.flaps)
    room = (width / 2 - label.size[0] / 2 - 0.008, depth / 2 - label.size[1] / 2 - 0.008)
    placed = min(room) > 0 and not flat_open
    left = -max(room[0], 0.0) * float(rng.uniform(0.6, 1))
    if placed:
        made.label(
            label,
            "top",
            (left, float(rng.uniform(-room[1], room[1]))),
            float(rng.choice([0, np.pi])) + float(rng.normal(0, 0.03)),
        )
    ink = np.array((0.12, 0.10, 0.08)) * rng.uniform(0.5, 1.8)
    edge = left + label.size[0] / 2 if placed else -width / 2
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.3, 0.35, 0.2, 0.15]))):
        kind = str(rng.choice(KINDS, p=[0.26, 0.2, 0.16, 0.14, 0.06, 0.06, 0.12]))
        face = str(rng.choice(["top", "front", "back", "left", "right"], p=[0.4, 0.15, 0.15, 0.15, 0.15]))
        across, up = made.extent(face)
        low = edge + 0.006 if face == "top" else -across / 2 + 0.006
        side = min(float(rng.uniform(0.045, 0.1)), across / 2 - 0.006 - low, 0.8 * up)
        if side < 0.03 or (face == "top" and flat_open):
            continue
        mark = _mark(kind, rng, ink, side)
        tall = min(1.0, 0.9 * up / mark.size[1])
        if tall < 1.0:
            mark = _mark(kind, rng, ink, side * tall)
        free = up / 2 - mark.size[1] / 2 - 0.004
        x = float(
            rng.uniform(low + mark.size[0] / 2, max(low + mark.size[0] / 2, across / 2 - mark.size[0] / 2 - 0.004))
        )
        turn = float(rng.normal(0, 0.04)) + (
            float(rng.choice([0, np.pi / 2, np.pi, -np.pi / 2])) if rng.random() < 0.12 else 0.0
        )
        made.mark(mark, face, (x, float(rng.uniform(-free, free)) if free > 0 else 0.0), turn)
        if face == "top":
            edge = x + mark.size[0] / 2


def _mark(kind: str, rng: Rng, ink: Array, side: float) -> Mark:
    if kind != "lithium_battery" and rng.random() < 0.4:
        return printed(kind, rng, ink, width=side)
    return sticker(kind, rng, chinese=bool(rng.random() < 0.4), width=side)


@cache
def _bag(number: int) -> tuple[tuple[float, float], Array]:
    rng = np.random.default_rng([number, 4242])
    size = (float(rng.uniform(0.26, 0.38)), float(rng.uniform(0.19, 0.27)))
    return size, inflated(size, rng, pressure=float(rng.uniform(2.6, 3.6)))


def _mailer(rng: Rng, *, damaged: bool) -> Mailer:
    size, bag = _bag(int(rng.integers(BAGS)))
    colour = ((0.87, 0.87, 0.86), (0.14, 0.14, 0.15), (0.55, 0.56, 0.58), (0.20, 0.32, 0.55), (0.80, 0.52, 0.60))[
        int(rng.integers(5))
    ]
    severity = float(0.3 + 0.7 * rng.random())
    half = np.array([*size, 0.05]) / 2
    damages: list[Damage] = []
    if damaged:
        at, centre = _spot(rng, half, "top", 0.05)
        if rng.random() < 0.6:
            damages.append(Tear.of(rng, "top", at, 0.012 + 0.03 * severity, severity, half, flaps=0))
        else:
            damages.append(Dirt.of(rng, centre, 0.05 + 0.08 * severity, severity))
    made = Mailer(bag, size, float(rng.uniform(0.03, 0.06)), rng, colour=colour, damages=damages, texels=TEXELS)
    label = shipping_label(
        f"LL{rng.integers(10**9):09d}", rng, chinese=bool(rng.random() < 0.5), module_mm=float(rng.uniform(0.45, 0.7))
    )
    made.label(
        label, "top", (float(rng.uniform(-0.05, 0.03)), float(rng.uniform(-0.03, 0.03))), float(rng.normal(0, 0.06))
    )
    return made


def seen(group: Group, view: int, seed: int) -> Scene:
    """View number `view` of a group: its own bench, light, camera and clutter."""
    rng = np.random.default_rng([seed, view, *group.name.encode()])
    top = TOPS[str(rng.choice(list(TOPS)))](rng)
    parcels = [Placed(group.parcel, turn=float(rng.uniform(0, 2 * np.pi)), inside=group.inside), *group.neighbours]
    return Scene(
        parcels, top, _light(rng), _view(rng, straight=view == 0), _film(rng),
        tools=_tools(rng, float(np.hypot(*group.parcel.half[:2]))) if not group.neighbours else (),
        top_turn=float(rng.uniform(0, 2 * np.pi)),
    )  # fmt: skip


def _light(rng: Rng) -> Light:
    lamps = []
    for _ in range(int(rng.integers(1, 4))):
        place = (float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1)), float(rng.uniform(0.9, 1.7)))
        warm = float(rng.uniform(-1, 1))
        colour = (1.0, 0.97, 1 - 0.18 * warm) if warm > 0 else (1 + 0.12 * warm, 0.97, 1.0)
        side = float(rng.choice([0.12, 0.3, 0.8]))
        lamps.append(Lamp(float(rng.uniform(5, 13)), place, (float(rng.uniform(0.3, 1.3)), side), colour))
    return Light(
        tuple(lamps),
        str(rng.choice(list(ENVIRONMENTS))),
        float(rng.uniform(0.2, 0.7)),
        float(rng.uniform(0, 6.28)),
        float(rng.uniform(-0.5, 0.5)),
    )


def _view(rng: Rng, *, straight: bool) -> View:
    elevation = float(rng.uniform(78, 90) if straight or rng.random() < 0.4 else rng.uniform(38, 78))
    return View(
        elevation, float(rng.uniform(0, 360)), float(rng.uniform(0.45, 0.92)), float(rng.uniform(30, 58)),
        float(rng.normal(0, 4)), (float(rng.normal(0, 0.03)), float(rng.normal(0, 0.03))),
    )  # fmt: skip


def _film(rng: Rng) -> Film:
    motion = float(rng.uniform(2, 4)) if rng.random() < 0.15 else 0.0
    balance = (float(rng.uniform(0.93, 1.07)), float(rng.uniform(0.92, 1.08)))
    return Film(
        noise=float(rng.uniform(0.002, 0.014)),
        vignette=float(rng.uniform(0, 0.25)),
        balance=balance,
        saturation=float(rng.uniform(0.7, 1.0)),
        motion=motion,
        motion_turn=float(rng.uniform(0, 180)),
    )


def _tools(rng: Rng, reach: float) -> tuple[tuple[str, float, float, float], ...]:
    out = []
    for name in rng.permutation(list(TOOLS))[: int(rng.choice([0, 1, 2, 3], p=[0.4, 0.3, 0.2, 0.1]))]:
        turn, far = rng.uniform(0, 2 * np.pi), reach + rng.uniform(0.05, 0.14)
        out.append((str(name), float(far * np.cos(turn)), float(far * np.sin(turn)), float(rng.uniform(0, 6.28))))
    return tuple(out)
