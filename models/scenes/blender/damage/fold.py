"""Crushed board: it cannot stretch, so it folds. A corner pushed in is its own mirror image behind a crease.

Board is nearly inextensible, so a crush is close to an isometry: the part beyond a plane is mirrored at that plane
(mirror buckling, Pogorelov), and each further blow adds a plane. That gives straight sharp creases and flat facets,
which is how crushed cartons look, and not the soft bumps of smooth displacement.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.scenes.blender.damage.base import Damage
from models.scenes.blender.paint import Array, Rng, Surface, noise


@dataclass(frozen=True)
class Fold:
    """Points with `normal` . p > offset are moved back by (1 + depth) of their excess; depth 1 mirrors them."""

    normal: Array
    offset: float
    depth: float
    round: float = 0.0012

    def excess(self, points: Array) -> Array:
        """Signed distance (n,) beyond the plane, metres."""
        return np.asarray(points @ self.normal - self.offset)

    def __call__(self, points: Array) -> Array:
        """Folded points, like points (n, 3)."""
        over = self.excess(points) / self.round
        soft = self.round * np.logaddexp(0, np.clip(over, -40, 40))
        soft = np.where(over > 40, self.round * over, soft)
        return np.asarray(points - (1 + self.depth) * soft[..., None] * self.normal)


def triangle_wave(x: Array) -> Array:
    """-1..1 with sharp turns, period 1."""
    return np.asarray(4 * np.abs(x - np.floor(x + 0.5)) - 1)


@dataclass
class Crumple:
    """Small facets with straight creases: a few crossing triangle waves through space."""

    axes: Array
    phases: Array
    heights: Array

    @classmethod
    def of(cls, rng: Rng, size: float, height: float, count: int = 5) -> Crumple:
        """Facets of about `size` metres, `height` metres high."""
        axes = rng.standard_normal((count, 3))
        axes /= np.linalg.norm(axes, axis=1, keepdims=True) * size * rng.uniform(0.7, 2.2, (count, 1))
        return cls(axes, rng.uniform(0, 1, count), height * rng.uniform(0.4, 1, count))

    def __call__(self, points: Array) -> Array:
        """Height (...) of points (..., 3)."""
        waves = [
            height * triangle_wave(points @ axis + phase)
            for axis, phase, height in zip(self.axes, self.phases, self.heights, strict=True)
        ]
        return np.asarray(sum(waves))

    def creases(self, points: Array, width: float) -> Array:
        """0..1 near a turn of a wave, lines of about `width` metres."""
        out = np.zeros(points.shape[:-1], np.float32)
        for axis, phase in zip(self.axes, self.phases, strict=True):
            turn = (points @ axis + phase) * 2
            near = np.abs(turn - np.round(turn)) / (2 * np.linalg.norm(axis))
            out = np.maximum(out, np.exp(-((near / width) ** 2)))
        return np.asarray(out)


@dataclass
class Crush(Damage):
    """A blow on a corner or an edge, or a top that gave way."""

    folds: list[Fold] = field(default_factory=list)
    crumple: Crumple | None = None
    centre: Array = field(default_factory=lambda: np.zeros(3))
    reach: float = 0.05
    gape: float = 0.0
    hinge: float = 0.1
    """Where the flaps hang: half the width. They gape elsewhere."""
    kind = "crush"

    def work(self, points: Array) -> tuple[Array, Array, Array]:
        """Crushed points (n, 3), crease 0..1 (n,) and share of the blow 0..1 (n,) of undamaged points (n, 3)."""
        crease = np.zeros(points.shape[:-1], np.float32)
        blow = np.zeros(points.shape[:-1], np.float32)
        moved = points
        for fold in self.folds:
            over = fold.excess(moved)
            crease = np.maximum(crease, np.exp(-((over / 0.0016) ** 2)) * min(1.0, 0.45 + fold.depth))
            blow = np.maximum(blow, np.clip(over / (0.35 * self.reach), 0, 1))
            moved = fold(moved)
        if self.crumple is not None:
            push = self.crumple(points) * np.clip(blow * 2.2, 0, 1)
            moved = moved + push[..., None] * self.folds[0].normal
            crease = np.maximum(crease, 0.45 * self.crumple.creases(points, 0.0009) * np.clip(blow, 0, 1))
        return moved, crease, blow

    def move(self, points: Array, rest: Array, normal: Array) -> Array:
        """Folded points; the free edges of the top flaps gape a little."""
        moved, _, blow = self.work(points)
        if self.gape and normal[2] > 0.9:
            near = np.exp(-(((points - self.centre)[:, :2] / (1.8 * self.reach)) ** 2).sum(-1))
            free = np.clip((abs(self.hinge) - np.abs(points[:, 1])) / 0.04, 0, 1)
            moved = moved + np.array([0, 0, 1.0]) * (self.gape * near * free * (1 - 0.6 * blow))[:, None]
        return moved

    def paint(self, surface: Surface) -> None:
        """Cracked liner on the creases, grime in the hollows; marked where the board left its place."""
        height, width = surface.rough.shape
        flat = surface.rest.reshape(-1, 3)
        close = np.linalg.norm(flat - self.centre, axis=1) < 4.5 * self.reach
        if not close.any():
            return
        layers = np.zeros((3, len(flat)), np.float32)
        moved, layers[0, close], layers[1, close] = self.work(flat[close])
        layers[2, close] = np.linalg.norm(moved - flat[close], axis=1)
        crease, blow, shift = layers.reshape(3, height, width)
        rng = np.random.default_rng(self.code + height)
        rough_line = np.clip(0.65 + 0.6 * noise((height, width), 60, rng, 2), 0, 1)
        crack = crease * rough_line
        surface.shade(1 - 0.16 * np.clip(blow, 0, 1) * np.clip(0.5 + noise((height, width), 14, rng), 0, 1))
        surface.tint(crack * (0.5 if surface.finish == "board" else 0.25), (0.80, 0.70, 0.56))
        surface.shade(1 - 0.30 * np.roll(crack, 3, 0) * (1 - crack))
        surface.relief -= 0.12 * crack
        surface.blemish((shift > 0.0025) | ((crease > 0.5) & (blow > 0.02)), self.code)


def crushed_corner(rng: Rng, half: Array, severity: float, signs: tuple[int, int, int] = (1, -1, 1)) -> Crush:
    """A blow on one corner; half (3,) half sizes of a box that stands on z = 0 (its corners have z 0 or 2 half[2])."""
    sign = np.array(signs, float)
    corner = sign * half + np.array([0, 0, half[2]])
    reach = (0.22 + 0.30 * severity) * min(2 * half.min(), 0.22)
    blow = sign * rng.uniform(0.6, 1.0, 3)
    blow /= np.linalg.norm(blow)
    folds = [Fold(blow, float(blow @ corner - reach * 0.62), 0.30 + 0.5 * severity)]
    near = _corner_points(corner, sign, 1.6 * reach)
    for _ in range(3 + round(3 * severity)):
        tilt = blow + sign * rng.uniform(-0.45, 0.45, 3)
        tilt = sign * np.maximum(sign * tilt, 0.22)  # a plane along an edge would cut all of it
        tilt /= np.linalg.norm(tilt)
        bent = near
        for fold in folds:
            bent = fold(bent)
        bite = reach * rng.uniform(0.06, 0.22)
        folds.append(Fold(tilt, float((bent @ tilt).max() - bite), float(rng.uniform(0.1, 0.8))))
    crumple = Crumple.of(rng, reach * 0.55, reach * 0.012)
    crush = Crush(
        severity, folds=folds, crumple=crumple, centre=corner, reach=reach, gape=0.012 * severity, hinge=float(half[1])
    )
    crush.subtype = "corner"
    return crush


def crushed_end(rng: Rng, half: Array, severity: float) -> Crush:
    """A blow along the whole of one top edge, or a fall on it: the end of the box folds over."""
    axis = 0 if rng.random() < 0.65 else 1
    sign = np.zeros(3)
    sign[axis], sign[2] = rng.choice([-1, 1]), 1.0
    lean = rng.uniform(0.35, 1.2)
    blow = np.zeros(3)
    blow[axis], blow[2] = sign[axis] * np.cos(lean), np.sin(lean)
    blow[1 - axis] = rng.normal(0, 0.14)
    blow /= np.linalg.norm(blow)
    edge = sign * half + np.array([0, 0, half[2]])
    reach = (0.14 + 0.26 * severity) * min(2 * half.min(), 0.22)
    folds = [Fold(blow, float(blow @ edge - reach), 0.25 + 0.4 * severity)]
    along = np.zeros(3)
    along[1 - axis] = 1.0
    line = edge + np.linspace(-1, 1, 40)[:, None] * along * half
    for _ in range(2 + round(3 * severity)):
        tilt = blow + along * rng.uniform(-0.55, 0.55) + sign * rng.uniform(-0.3, 0.3, 3)
        tilt /= np.linalg.norm(tilt)
        bent = line
        for fold in folds:
            bent = fold(bent)
        bite = reach * rng.uniform(0.10, 0.40)
        folds.append(Fold(tilt, float((bent @ tilt).max() - bite), float(rng.uniform(0.1, 0.7))))
    crumple = Crumple.of(rng, reach * 0.8, reach * 0.015)
    made = Crush(
        severity, folds=folds, crumple=crumple, centre=edge, reach=float(max(reach, half[1 - axis] / 2)),
        gape=0.014 * severity, hinge=float(half[1]),
    )  # fmt: skip
    made.subtype = "end"
    return made


def _corner_points(corner: Array, sign: Array, reach: float) -> Array:
    """Points (n, 3) of the three faces around a corner, out to `reach` metres: where the next blow can land."""
    a, b = np.meshgrid(np.linspace(0, reach, 24), np.linspace(0, reach, 24))
    faces = []
    for flat in range(3):
        inward = np.zeros((a.size, 3))
        inward[:, (flat + 1) % 3], inward[:, (flat + 2) % 3] = a.ravel(), b.ravel()
        faces.append(corner - sign * inward)
    return np.concatenate(faces)


def crushed_edge(
    rng: Rng, half: Array, severity: float, axis: int = 0, signs: tuple[int, int, int] = (1, -1, 1)
) -> Crush:
    """A blow on the middle of an edge that runs along `axis`."""
    sign = np.array(signs, float)
    spot = sign * half + np.array([0, 0, half[2]])
    spot[axis] = rng.uniform(-0.35, 0.35) * half[axis] + (half[2] if axis == 2 else 0)
    reach = (0.18 + 0.25 * severity) * min(2 * half.min(), 0.22)
    blow = sign * rng.uniform(0.6, 1.0, 3)
    blow[axis] = 0
    blow /= np.linalg.norm(blow)
    folds = []
    for side in (-1, 1):  # a V-shaped notch: two planes that lean along the edge
        lean = blow.copy()
        lean[axis] = side * rng.uniform(0.45, 0.8)
        lean /= np.linalg.norm(lean)
        folds.append(_Wedge(lean, float(lean @ (spot - blow * reach * 0.5)), 0.0))
    notch = Notch(
        severity,
        walls=folds,
        blow=blow,
        deep=(0.8 + 0.5 * severity) * reach,
        spot=spot,
        long=reach * rng.uniform(1.4, 2.2),
        axis=axis,
    )
    notch.centre, notch.reach, notch.gape, notch.hinge = spot, reach, 0.010 * severity, float(half[1])
    notch.crumple = Crumple.of(rng, reach * 0.45, reach * 0.03)
    notch.folds = [Fold(blow, float(blow @ spot), 0.0)]
    notch.subtype = "edge"
    return notch


@dataclass(frozen=True)
class _Wedge:
    normal: Array
    offset: float
    depth: float


@dataclass
class Notch(Crush):
    """An edge pushed in over a stretch: a faceted valley that is deepest in its middle."""

    walls: list[_Wedge] = field(default_factory=list)
    blow: Array = field(default_factory=lambda: np.array([0, 0, 1.0]))
    spot: Array = field(default_factory=lambda: np.zeros(3))
    deep: float = 0.02
    long: float = 0.05
    axis: int = 0

    def work(self, points: Array) -> tuple[Array, Array, Array]:
        """See Crush.work; the depth falls off along the edge and away from it in straight facets."""
        gap = points - self.spot
        along = np.abs(gap[..., self.axis]) / self.long
        away = -(gap @ self.blow) / (1.5 * self.deep)
        level = 1 - np.maximum(along, 0.55 * along + 0.8 * np.clip(away, 0, None))
        share = np.clip(level, 0, 1)
        push = self.deep * (share + 0.25 * np.minimum(share, 0.35))
        moved = points - push[..., None] * self.blow
        crease = np.exp(-((level * self.long / 0.0018) ** 2)) * 0.9
        ridge = np.exp(-(((along - 0.02) * self.long / 0.0018) ** 2)) * (share > 0.05)
        bend = np.exp(-(((share - 0.35) * self.long / 0.0018) ** 2)) * 0.6
        crease = np.maximum(np.maximum(crease, ridge), bend)
        if self.crumple is not None:
            lift = self.crumple(points) * np.clip(share * 3, 0, 1)
            moved = moved + lift[..., None] * self.blow
            crease = np.maximum(crease, 0.7 * self.crumple.creases(points, 0.0011) * np.clip(share * 3, 0, 1))
        return moved, crease, share


@dataclass
class Dent(Damage):
    """A pyramid pressed into a face: flat facets between straight creases."""

    centre: Array = field(default_factory=lambda: np.zeros(3))
    normal: Array = field(default_factory=lambda: np.array([0, 0, 1.0]))
    sides: Array = field(default_factory=lambda: np.zeros((0, 3)))
    slopes: Array = field(default_factory=lambda: np.zeros(0))
    radius: float = 0.04
    deepest: float = 0.012
    kind = "dent"
    subtype = "dent"

    @classmethod
    def of(cls, rng: Rng, centre: Array, normal: Array, severity: float, radius: float = 0.05) -> Dent:
        """A dent of `radius` metres around a point of a face."""
        first = np.array([1.0, 0, 0]) if abs(normal[0]) < 0.5 else np.array([0, 1.0, 0])
        second = np.cross(normal, first)
        turns = np.sort(rng.uniform(0, 2 * np.pi, 1)[0] + np.arange(5) * 2 * np.pi / 5 + rng.uniform(-0.4, 0.4, 5))
        sides = np.cos(turns)[:, None] * first + np.sin(turns)[:, None] * second
        deep = radius * (0.16 + 0.26 * severity)
        return cls(
            severity,
            centre=centre,
            normal=normal,
            sides=sides,
            slopes=rng.uniform(0.75, 1.25, 5),
            radius=radius,
            deepest=deep,
        )

    def level(self, points: Array) -> tuple[Array, Array]:
        """Depth share 0..1 and crease 0..1 of points (..., 3) on the dented face."""
        walls = 1 - (points - self.centre) @ self.sides.T * self.slopes / self.radius
        walls = np.sort(walls, axis=-1)
        lowest, second = walls[..., 0], walls[..., 1]
        share = np.clip(lowest, 0, 1)
        edge = np.exp(-((lowest * self.radius / 0.002) ** 2))
        ridge = np.exp(-(((second - lowest) * self.radius / 0.0028) ** 2)) * (lowest > 0)
        return share, np.maximum(edge, 0.8 * ridge)

    def move(self, points: Array, rest: Array, normal: Array) -> Array:
        """Pressed in along the face's normal."""
        if normal @ self.normal < 0.9:
            return points
        share, _ = self.level(rest)
        return np.asarray(points - (self.deepest * share)[:, None] * self.normal)

    def paint(self, surface: Surface) -> None:
        """Creases and a little rubbing; marked where the face sank."""
        if surface.normal @ self.normal < 0.9:
            return
        share, crease = self.level(surface.rest)
        rng = np.random.default_rng(self.code)
        crease = crease * np.clip(0.7 + 0.5 * noise(share.shape, 60, rng, 2), 0, 1)
        surface.tint(crease.astype(np.float32) * 0.40, (0.80, 0.70, 0.56))
        surface.shade((1 - 0.08 * share).astype(np.float32))
        surface.blemish(share > 0.04, self.code)
