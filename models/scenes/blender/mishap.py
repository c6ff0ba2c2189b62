"""What happened to a parcel: draws damages, how far its flaps stand open and what became of its tape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from models.scenes.blender.damage import Damage
from models.scenes.blender.damage.collapse import collapsed_top
from models.scenes.blender.damage.flap import OpenFlap
from models.scenes.blender.damage.fold import Dent, crushed_corner, crushed_edge, crushed_end
from models.scenes.blender.damage.split import Rip, Split, TornCorner
from models.scenes.blender.damage.stain import Dirt, Wet
from models.scenes.blender.damage.tear import Tear
from models.scenes.blender.faces import FACES
from models.scenes.blender.paint import Array, Rng

GOLDEN = (5**0.5 - 1) / 2


@dataclass
class Mishap:
    """Damages of a carton, angles of its outer and inner flaps in radians, and `tape`: whole, none, torn or peeled."""

    damages: list[Damage] = field(default_factory=list)
    flaps: tuple[float, float] = (0.0, 0.0)
    minor: tuple[float, float] = (0.0, 0.0)
    tape: str = "whole"


def damaged(number: int) -> bool:
    """Half of the parcels, in every shard too: a golden rotation is even along any stride, as no pattern of bits is."""
    return number * GOLDEN % 1 < 0.5


def spot(rng: Rng, half: Array, face: str, margin: float) -> tuple[tuple[float, float], Array]:
    """A place on a face at least `margin` metres from its edges: from the face's middle, and in space."""
    frame = FACES[face]
    room = [max(0.0, float(abs(way @ half)) - margin) for way in (frame.right, frame.up)]
    at = (float(rng.uniform(-room[0], room[0])), float(rng.uniform(-room[1], room[1])))
    centre = frame.normal * half + np.array([0, 0, half[2]]) + at[0] * frame.right + at[1] * frame.up
    return at, centre


def any_face(rng: Rng) -> str:
    """The top as often as two walls and a half."""
    return str(rng.choice(list(FACES), p=[0.40, 0.15, 0.15, 0.15, 0.15]))


def _corner(rng: Rng, half: Array, severity: float) -> Damage:
    signs = (int(rng.choice([-1, 1])), int(rng.choice([-1, 1])), 1 if rng.random() < 0.75 else -1)
    return crushed_corner(rng, half, severity, signs)


def _edge(rng: Rng, half: Array, severity: float) -> Damage:
    signs = (int(rng.choice([-1, 1])), int(rng.choice([-1, 1])), 1)
    return crushed_edge(rng, half, severity, int(rng.integers(3)), signs)


def _dent(rng: Rng, half: Array, severity: float) -> Damage:
    face = any_face(rng)
    room = min(float(abs(way @ half)) for way in (FACES[face].right, FACES[face].up))
    radius = float(rng.uniform(0.35, 0.9)) * room
    _, centre = spot(rng, half, face, radius)
    return Dent.of(rng, centre, FACES[face].normal, severity, radius)


def _hole(rng: Rng, half: Array, severity: float) -> Damage:
    face = any_face(rng)
    low = min(float(abs(way @ half)) for way in (FACES[face].right, FACES[face].up))
    radius = float(np.clip((0.12 + 0.42 * severity) * low, 0.01, 0.06))
    at, _ = spot(rng, half, face, 1.5 * radius)
    return Tear.of(rng, face, at, radius, severity, half, flaps=int(rng.integers(2, 5)))


def _rip(rng: Rng, half: Array, severity: float) -> Damage:
    return Rip.of(rng, any_face(rng), severity, half)


def _wet(rng: Rng, half: Array, severity: float) -> Damage:
    _, centre = spot(rng, half, any_face(rng), 0.0)
    if rng.random() < 0.35:  # stood in water: it rises from the foot
        centre[2] = 0.0
    return Wet.of(rng, centre, float((0.35 + 0.85 * severity) * half[:2].mean()), severity, half)


def _dirt(rng: Rng, half: Array, severity: float) -> Damage:
    _, centre = spot(rng, half, any_face(rng), 0.02)
    made = Dirt.of(rng, centre, float((0.35 + 0.6 * severity) * half[:2].mean()), severity)
    made.shoe = bool(rng.random() < 0.3)
    made.colour = ((0.13, 0.11, 0.09), (0.33, 0.25, 0.16), (0.05, 0.05, 0.06), (0.42, 0.36, 0.29))[int(rng.integers(4))]
    return made


Maker = Callable[[Rng, Array, float], Damage]
MAKERS: dict[str, tuple[Maker, float]] = {
    "collapse": (collapsed_top, 0.18),
    "corner": (_corner, 0.14),
    "edge": (_edge, 0.09),
    "end": (crushed_end, 0.09),
    "dent": (_dent, 0.10),
    "hole": (_hole, 0.10),
    "split": (Split.of, 0.10),
    "torn_corner": (TornCorner.of, 0.06),
    "rip": (_rip, 0.08),
    "wet": (_wet, 0.08),
    "dirt": (_dirt, 0.05),
}
"""How often each comes first, as weights."""
RUIN = ("collapse", "corner", "edge", "end", "split", "hole", "dent", "torn_corner", "wet")


def mishap(rng: Rng, half: Array) -> Mishap:
    """Something that happened to a carton of half sizes (3,): one damage, some, or a lid that came open."""
    severity = float(0.25 + 0.75 * rng.random() ** 0.8)
    kind = rng.random()
    if kind < 0.22:
        out = opened(rng, severity)
        if rng.random() < 0.35:
            out.damages.append(
                MAKERS[str(rng.choice(["corner", "edge", "dent", "wet", "split"]))][0](rng, half, severity)
            )
        return out
    if kind < 0.38:  # a ruin
        names = [str(name) for name in rng.permutation(RUIN)[: int(rng.integers(3, 5))]]
        if "collapse" in names and "torn_corner" in names:
            names.remove("torn_corner")
        out = Mishap([MAKERS[name][0](rng, half, float(rng.uniform(0.55, 1.0))) for name in names])
        if rng.random() < 0.3:
            loose = opened(rng, float(rng.uniform(0.1, 0.5)))
            out = Mishap(out.damages + loose.damages, loose.flaps, loose.minor, loose.tape)
        return out
    names = list(MAKERS)
    weights = np.array([MAKERS[name][1] for name in names])
    first = str(rng.choice(names, p=weights / weights.sum()))
    out = Mishap([MAKERS[first][0](rng, half, severity)])
    if rng.random() < 0.3:
        second = str(rng.choice(["corner", "edge", "dent", "wet", "dirt", "rip"]))
        out.damages.append(MAKERS[second][0](rng, half, float(0.25 + 0.6 * rng.random())))
    return out


def opened(rng: Rng, severity: float) -> Mishap:
    """A lid that came open: one flap, both, all four, the seam gaping under torn tape, or tape that peels."""
    kind = rng.random()
    angle = 0.12 + 2.5 * severity * float(rng.uniform(0.5, 1))
    sunk = (float(rng.uniform(-0.3, -0.05)), float(rng.uniform(-0.3, -0.05)))
    side = int(rng.choice([-1, 1]))
    if kind < 0.25:
        flaps = (angle, float(rng.uniform(0, 0.1)))
        return Mishap([OpenFlap(severity, side=side)], flaps if side < 0 else flaps[::-1], sunk, "none")
    if kind < 0.55:
        angles = np.clip(angle + rng.normal(0, 0.5, 2), 0.15, 2.7)
        inner = np.clip(rng.choice([-0.2, 0.6, 1.4, 2.1]) + rng.normal(0, 0.25, 2), -0.4, 2.4)
        return Mishap(
            [OpenFlap(severity, side=0)],
            (float(angles[0]), float(angles[1])),
            (float(inner[0]), float(inner[1])),
            "none",
        )
    if kind < 0.8:
        angles = rng.uniform(0.03, 0.5, 2) * (0.4 + severity)
        return Mishap([OpenFlap(severity, side=0)], (float(angles[0]), float(angles[1])), sunk, "torn")
    flaps = (float(rng.uniform(0.04, 0.2)), float(rng.uniform(0, 0.06)))
    return Mishap([], flaps if side < 0 else flaps[::-1], sunk, "peeled")
