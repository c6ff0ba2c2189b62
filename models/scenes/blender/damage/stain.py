"""What soaks in and what rubs off: water with its tide line, oil, dirt, a shoe's print."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.scenes.blender.damage.base import Damage, from_edges
from models.scenes.blender.paint import Array, PointNoise, Rng, Surface, coarsely, noise


@dataclass
class Wet(Damage):
    """Water around `centre`: darker board with a tide line, cockled and a little sagging."""

    centre: Array = field(default_factory=lambda: np.zeros(3))
    reach: float = 0.08
    half: Array = field(default_factory=lambda: np.ones(3))
    blot: PointNoise | None = None
    ripple: PointNoise | None = None
    kind = "wet_stain"
    subtype = "water"

    @classmethod
    def of(cls, rng: Rng, centre: Array, reach: float, severity: float, half: Array) -> Wet:
        """A stain of about `reach` metres on a carton of half sizes (3,)."""
        return cls(
            severity,
            centre=centre,
            reach=reach,
            half=half,
            blot=PointNoise(rng, reach * 0.55, 5),
            ripple=PointNoise(rng, 0.03, 2),
        )

    def level(self, rest: Array) -> Array:
        """Above 0 where it is wet (...), about 1 in the middle."""
        assert self.blot is not None  # noqa: S101  set by `of`
        squash = np.array([1.0, 1.0, 0.8])
        far = np.linalg.norm((rest - self.centre) * squash, axis=-1) / self.reach
        return np.asarray(1 - far + 0.30 * self.blot(rest))

    def move(self, points: Array, rest: Array, normal: Array) -> Array:
        """Wet board waves."""
        assert self.ripple is not None  # noqa: S101  set by `of`
        soaked = np.clip(self.level(rest) * 2, 0, 1)
        soaked = soaked * from_edges(rest, self.half, 0.025)
        wave = self.ripple(rest) * 0.0028 * (0.4 + self.severity)
        return np.asarray(points + (soaked * (wave - 0.002 * self.severity))[:, None] * normal)

    def paint(self, surface: Surface) -> None:
        """Dark where it is wet, darker at the tide line, with drops beside it."""
        near = np.linalg.norm(surface.rest[::8, ::8] - self.centre, axis=-1) < 2.2 * self.reach
        if not near.any():
            return
        rng = np.random.default_rng(self.code + surface.rough.shape[1])
        level = coarsely(self.level, surface.rest) + 0.012 * noise(surface.rough.shape, 60, rng, 3)
        soaked = np.clip(level / 0.05, 0, 1)
        tide = np.exp(-(((level - 0.035) / 0.028) ** 2))
        second = np.exp(-(((level - 0.30) / 0.02) ** 2)) * 0.5
        depth = 0.42 + 0.30 * self.severity
        thin = 0.45 if surface.finish in ("paper", "print") else 1.0
        if surface.finish.startswith("tape"):
            thin = 0.12
        dark = np.array((0.50, 0.56, 0.62), np.float32) * depth * thin
        cover = (soaked * (0.85 + 0.15 * np.clip(level, 0, 1)))[..., None]
        surface.rgb *= 1 - cover * dark
        surface.rgb *= 1 - (0.20 * thin * (tide + second))[..., None] * np.array((0.8, 0.95, 1.0), np.float32)
        surface.rough -= soaked * 0.22 * thin
        surface.blemish(level > 0.01, self.code)


@dataclass
class Dirt(Damage):
    """Smears, scuffs and the print of a shoe on one face."""

    centre: Array = field(default_factory=lambda: np.zeros(3))
    reach: float = 0.08
    turn: float = 0.0
    cloud: PointNoise | None = None
    shoe: bool | None = None
    """A shoe's print in it; None: from severity 0.6."""
    colour: tuple[float, float, float] = (0.13, 0.11, 0.09)
    kind = "dirt_scuff"
    subtype = "dirt"

    @classmethod
    def of(cls, rng: Rng, centre: Array, reach: float, severity: float) -> Dirt:
        """Dirt of about `reach` metres."""
        return cls(
            severity,
            centre=centre,
            reach=reach,
            turn=float(rng.uniform(0, np.pi)),
            cloud=PointNoise(rng, reach * 0.5, 6),
        )

    def paint(self, surface: Surface) -> None:
        """Dark smears, rubbed along one direction."""
        assert self.cloud is not None  # noqa: S101  set by `of`
        gap = surface.rest - self.centre
        far = np.linalg.norm(gap, axis=-1) / self.reach
        if (far > 2).all():
            return
        rng = np.random.default_rng(self.code + surface.rough.shape[0])
        zone = np.clip(1.3 - far, 0, 1)
        smear = np.clip(coarsely(self.cloud, surface.rest) * 1.1 + 0.25 + 0.4 * self.severity, 0, 1) * zone
        speck = np.clip(noise(far.shape, 140, rng, 2) - 0.3, 0, 1)
        cover = smear * (0.35 + 0.35 * self.severity) + smear * speck * 0.6
        if self.severity >= 0.6 if self.shoe is None else self.shoe:
            c, s = np.cos(self.turn), np.sin(self.turn)
            flat = np.argsort(np.abs(surface.normal))[:2]
            x, y = gap[..., flat[0]] * c + gap[..., flat[1]] * s, -gap[..., flat[0]] * s + gap[..., flat[1]] * c
            sole = np.clip(6 * (1 - (x / (0.9 * self.reach)) ** 4 - (y / (0.36 * self.reach)) ** 4), 0, 1)
            tread = (np.sin(x * 2 * np.pi / 0.011 + 2.5 * np.abs(y) / 0.01) > 0.1) * sole
            cover = np.maximum(cover, tread * np.clip(0.45 + 0.35 * noise(far.shape, 20, rng), 0, 0.8))
        surface.tint(np.clip(cover, 0, 0.85).astype(np.float32), np.array(self.colour, np.float32))
        surface.rough += 0.1 * cover.astype(np.float32)
        surface.blemish(cover > 0.2, self.code)
