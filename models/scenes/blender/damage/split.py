"""Board that came apart: a corner's seam that burst, a corner torn off, a long rip, and what a peeled strip bares."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.scenes.blender.damage.base import Damage, from_edges
from models.scenes.blender.faces import FACES
from models.scenes.blender.paint import Array, PointNoise, Rng, Surface, coarsely, noise

FLUTE = 0.0065
PALE = np.array((0.80, 0.68, 0.50), np.float32)


def bare(surface: Surface, cover: Array, along: Array, rng: Rng) -> None:
    """Liner off: pale fibres over ribs of flutes; cover (h, w) 0..1, along (h, w) metres across the flutes."""
    flutes = np.sin(along * 2 * np.pi / FLUTE).astype(np.float32)
    pale = np.clip(0.75 * PALE + 0.25 * surface.rgb.mean((0, 1)) + 0.06, 0, 1)
    fibre = 1 + 0.10 * noise(cover.shape, 60, rng, 2)
    surface.tint(cover, (pale * fibre[..., None]).astype(np.float32))
    surface.shade(1 - cover * (0.14 - 0.14 * flutes))
    surface.relief += cover * (-0.5 + 0.5 * flutes)
    surface.rough += 0.15 * cover


@dataclass
class Split(Damage):
    """A vertical edge that burst from the lid downwards: both walls gape and the liner tore along it."""

    corner: tuple[int, int] = (1, -1)
    half: Array = field(default_factory=lambda: np.ones(3))
    long: float = 0.08
    reach: float = 0.08
    gape: tuple[float, float] = (0.02, 0.005)
    jag: PointNoise | None = None
    kind = "tear_hole"
    subtype = "split_edge"

    @classmethod
    def of(cls, rng: Rng, half: Array, severity: float) -> Split:
        """A burst edge of a box of half sizes (3,)."""
        high = 2 * float(half[2])
        wide = float(0.012 + 0.05 * severity * rng.uniform(0.6, 1)) * min(1.0, float(half[:2].min()) / 0.09)
        lesser = wide * float(rng.uniform(-0.25, 0.45))
        return cls(
            severity,
            corner=(int(rng.choice([-1, 1])), int(rng.choice([-1, 1]))),
            half=half,
            long=high * float(rng.uniform(0.55, 1.3)),
            reach=float(np.clip(rng.uniform(0.6, 1.3) * high, 0.05, 1.6 * half[:2].min())),
            gape=(wide, lesser) if rng.random() < 0.5 else (lesser, wide),
            jag=PointNoise(rng, 0.02, 4),
        )

    def _share(self, rest: Array, normal: Array) -> tuple[Array, Array, float]:
        """Share of the gape 0..1, metres from the edge (...), and gape of the wall with this normal, 0 if not mine."""
        axis = 0 if abs(normal[0]) > 0.9 else 1
        mine = abs(normal[2]) < 0.1 and normal[axis] * self.corner[axis] > 0.9
        off = self.half[1 - axis] - rest[..., 1 - axis] * self.corner[1 - axis]
        down = np.clip(1 - (2 * self.half[2] - rest[..., 2]) / self.long, 0, 1)
        share = down * np.clip(1 - off / self.reach, 0, 1) ** 1.3
        return share, off, (self.gape[axis] if mine else 0.0)

    def move(self, points: Array, rest: Array, normal: Array) -> Array:
        """The walls swing out of the corner."""
        share, _, gape = self._share(rest, normal)
        if not gape:
            return points
        return np.asarray(points + (gape * share)[:, None] * normal - np.array([0, 0, 0.25 * gape]) * share[:, None])

    def _rim(self, rest: Array, normal: Array) -> tuple[Array, bool]:
        assert self.jag is not None  # noqa: S101  set by `of`
        share, off, gape = self._share(rest, normal)
        return off - share * (0.004 + 0.006 * np.clip(self.jag(rest), -0.6, 2)), bool(gape)

    def keep(self, rest: Array, normal: Array) -> Array:
        """Ragged along the edge."""
        rim, mine = self._rim(rest, normal)
        return np.asarray(rim >= -0.0012) if mine else np.ones(rest.shape[:-1], bool)

    def paint(self, surface: Surface) -> None:
        """A strip without liner along the burst edge."""
        share, _, gape = self._share(surface.rest, surface.normal)
        if not gape:
            return
        rng = np.random.default_rng(self.code + surface.rough.shape[0])
        rim = coarsely(lambda rest: self._rim(rest, surface.normal)[0], surface.rest)
        strip = rim - np.clip(share * 3, 0, 1) * (0.003 + 0.012 * np.clip(noise(share.shape, 9, rng, 3) + 0.2, 0, 1.4))
        cover = np.clip(0.5 - strip / 0.0012, 0, 1) * (share > 0.02)
        if surface.finish == "board":
            bare(surface, cover.astype(np.float32), surface.rest[..., 2], rng)
        surface.blemish((cover > 0.5) | (share * abs(gape) > 0.004), self.code)


@dataclass
class TornCorner(Damage):
    """A corner that is gone: what lay beyond a ragged plane was torn off and its rim shows the layers."""

    normal: Array = field(default_factory=lambda: np.array([0, 0, 1.0]))
    offset: float = 0.0
    reach: float = 0.05
    jag: PointNoise | None = None
    kind = "tear_hole"
    subtype = "torn_corner"

    @classmethod
    def of(cls, rng: Rng, half: Array, severity: float) -> TornCorner:
        """A torn top corner of a box of half sizes (3,)."""
        sign = np.array([rng.choice([-1, 1]), rng.choice([-1, 1]), 1.0])
        corner = sign * half + np.array([0, 0, half[2]])
        way = sign * rng.uniform(0.45, 1.0, 3)
        way /= np.linalg.norm(way)
        reach = float((0.10 + 0.26 * severity) * min(2 * half.min(), 0.2))
        return cls(severity, normal=way, offset=float(way @ corner - reach), reach=reach, jag=PointNoise(rng, 0.03, 5))

    def excess(self, rest: Array) -> Array:
        """Metres (...) beyond the ragged plane."""
        assert self.jag is not None  # noqa: S101  set by `of`
        return np.asarray(rest @ self.normal - self.offset + 0.16 * self.reach * self.jag(rest))

    def keep(self, rest: Array, normal: Array) -> Array:
        """Everything on this side of it."""
        del normal
        return self.excess(rest) < 0

    def move(self, points: Array, rest: Array, normal: Array) -> Array:
        """The rim is bent in or out."""
        near = np.exp(-((np.minimum(self.excess(rest), 0) / (0.5 * self.reach)) ** 2))
        bend = 0.14 * self.reach * np.sin(7 * (rest @ np.array([31.0, 17.0, 23.0])))
        return np.asarray(points + ((bend - 0.10 * self.reach) * near)[:, None] * normal)

    def paint(self, surface: Surface) -> None:
        """Peeled liner along the rim."""
        excess = coarsely(self.excess, surface.rest)
        if (excess < -2 * self.reach).all():
            return
        rng = np.random.default_rng(self.code + surface.rough.shape[1])
        wide = self.reach * (0.05 + 0.45 * np.clip(noise(excess.shape, 7, rng, 3) + 0.1, 0, 1.3))
        cover = np.clip((excess + wide) / 0.0012, 0, 1).astype(np.float32)
        if surface.finish == "board":
            bare(surface, cover, surface.rest @ np.array([1.0, 1.0, 0.0]), rng)
        surface.blemish((cover > 0.5) | (excess > -0.15 * self.reach), self.code)


@dataclass
class Rip(Damage):
    """A long tear along a path on one face; one lip stands up, the other is pressed in."""

    face: str = "top"
    path: Array = field(default_factory=lambda: np.zeros((2, 2)))
    wide: float = 0.008
    lip: float = 0.02
    half: Array = field(default_factory=lambda: np.ones(3))
    jag: PointNoise | None = None
    seed: int = 0
    kind = "tear_hole"
    subtype = "rip"

    @classmethod
    def of(cls, rng: Rng, face: str, severity: float, half: Array, *, film: bool = False) -> Rip:
        """A tear across a face of a box of half sizes (3,)."""
        frame = FACES[face]
        room = np.array([abs(frame.right @ half), abs(frame.up @ half)])
        long = float((0.35 + 0.9 * severity) * room.min() * rng.uniform(0.8, 1.5))
        turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.25, 9))
        steps = long / 8 * np.stack([np.cos(turn), np.sin(turn)], -1)
        path = np.cumsum(steps, 0)
        path += rng.uniform(-0.6, 0.6, 2) * room - path.mean(0)
        path = np.clip(path, -room + 0.006, room - 0.006)
        wide = float(0.004 + 0.009 * severity * rng.uniform(0.6, 1.2)) * (2.0 if film else 1.0)
        lip = float(rng.uniform(0.3, 1.0) * (0.006 + 0.02 * severity))
        return cls(
            severity, face=face, path=path, wide=wide, lip=lip, half=half, jag=PointNoise(rng, 0.015, 4),
            seed=int(rng.integers(1 << 30)),
        )  # fmt: skip

    def side(self, rest: Array) -> tuple[Array, Array, Array]:
        """Metres from the path, share along it 0..1, and on which side, -1 or 1, of rest points (..., 3)."""
        frame = FACES[self.face]
        spot = rest - (frame.normal * self.half + np.array([0, 0, self.half[2]]))
        at = np.stack([spot @ frame.right, spot @ frame.up], -1)
        far = np.full(rest.shape[:-1], np.inf)
        share, sign = np.zeros(rest.shape[:-1]), np.ones(rest.shape[:-1])
        count = len(self.path) - 1
        for number in range(count):
            start, way = self.path[number], self.path[number + 1] - self.path[number]
            gap = at - start
            t = np.clip(gap @ way / max(float(way @ way), 1e-12), 0, 1)
            off = np.linalg.norm(gap - t[..., None] * way, axis=-1)
            near = off < far
            far = np.where(near, off, far)
            share = np.where(near, (number + t) / count, share)
            sign = np.where(near, np.sign(way[0] * gap[..., 1] - way[1] * gap[..., 0]), sign)
        return far, share, sign

    def _mine(self, normal: Array) -> bool:
        return bool(normal @ FACES[self.face].normal > 0.9)

    def beyond(self, rest: Array) -> Array:
        """Metres (...) from the rim; negative in the gap."""
        assert self.jag is not None  # noqa: S101  set by `of`
        far, share, _ = self.side(rest)
        gap = self.wide * np.sqrt(np.clip(1 - (2 * share - 1) ** 2, 0, 1)) * (0.75 + 0.35 * self.jag(rest))
        return np.asarray(far - gap)

    def keep(self, rest: Array, normal: Array) -> Array:
        """All but the gap."""
        return self.beyond(rest) > 0 if self._mine(normal) else np.ones(rest.shape[:-1], bool)

    def move(self, points: Array, rest: Array, normal: Array) -> Array:
        """Lips: one up, one down."""
        if not self._mine(normal):
            return points
        far, share, sign = self.side(rest)
        body = np.clip(1 - far / (3.0 * self.lip + 0.012), 0, 1) ** 2 * np.clip(1 - (2 * share - 1) ** 2, 0, 1)
        rise = np.where(sign > 0, self.lip, -0.45 * self.lip) * body * from_edges(rest, self.half, 0.012)
        return np.asarray(points + rise[:, None] * normal)

    def paint(self, surface: Surface) -> None:
        """Liner peeled beside the gap on one side; film goes pale where it was stretched."""
        if not self._mine(surface.normal):
            return
        rng = np.random.default_rng(self.seed)
        rim = coarsely(self.beyond, surface.rest)
        if (rim > 0.06).all():
            return
        if surface.finish == "film":
            stretched = np.exp(-(((rim - 0.003) / 0.006) ** 2)).astype(np.float32)
            surface.tint(0.4 * stretched * np.clip(0.6 + noise(rim.shape, 40, rng, 2), 0, 1), (0.86, 0.86, 0.85))
            surface.blemish(rim < 0.006, self.code)
            return
        if surface.finish.startswith("tape"):
            surface.blemish(rim < 0.002, self.code)
            return
        _, _, sign = self.side(surface.rest[::4, ::4])
        other = coarsely(lambda _: sign, surface.rest) > 0
        wide = np.where(other, 0.014, 0.004) * np.clip(noise(rim.shape, 8, rng, 3) + 0.25, 0, 1.4) + 0.001
        cover = np.clip((wide - rim) / 0.0012, 0, 1).astype(np.float32)
        if surface.finish == "board":
            bare(surface, cover, surface.rest @ FACES[self.face].right, rng)
        else:
            surface.tint(cover, (0.86, 0.85, 0.82))
        surface.blemish((cover > 0.5) | (rim < 0.001), self.code)


@dataclass
class LooseTape(Damage):
    """Tape along the seam that came off from `start` metres outwards, with the liner's top fibres on it."""

    start: float = 0.0
    sense: int = 1
    width: float = 0.05
    kind = "open_flap"
    subtype = "tape_lifted"

    def paint(self, surface: Surface) -> None:
        """The tape that stands up, and torn fibres where it stuck."""
        if surface.normal[2] < 0.9:
            return
        under = ((surface.rest[..., 0] - self.start) * self.sense > 0) & (np.abs(surface.rest[..., 1]) < self.width / 2)
        if surface.finish.startswith("tape"):
            surface.blemish(under, self.code)
        elif surface.finish == "board":
            rng = np.random.default_rng(self.code)
            patches = np.clip(4 * (noise(under.shape, 14, rng, 3) - 0.05), 0, 1).astype(np.float32) * under
            bare(surface, 0.85 * patches, surface.rest[..., 0], rng)
            surface.blemish(patches > 0.5, self.code)
