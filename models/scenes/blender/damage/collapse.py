"""A carton whose top gave way: the lid sinks in facets between sharp valleys, the walls under it buckle."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.scenes.blender.damage.fold import Crumple, Crush
from models.scenes.blender.paint import Array, Rng


@dataclass
class Collapse(Crush):
    """Depth is the deepest of some valleys, each two slopes (2, 3) over (x, y, 1); under it the walls fold once.

    `zone` metres below the lid is the part of the walls that shortens; a wall that loses D of it buckles sideways by
    sqrt(zone^2 - (zone - D)^2) / 2, since board does not stretch.
    """

    valleys: Array = field(default_factory=lambda: np.zeros((0, 2, 3)))
    half: Array = field(default_factory=lambda: np.ones(3))
    zone: float = 0.08
    deepest: float = 0.03
    buckle: Array = field(default_factory=lambda: np.ones(4))
    """How far and which way (out is positive) the walls at +x, -x, +y, -y go, as a share of the whole."""
    knee: float = 0.5

    def sunk(self, points: Array) -> tuple[Array, Array]:
        """Depth (...) in metres under points (..., 3), and crease 0..1."""
        flat = np.concatenate([points[..., :2], np.ones_like(points[..., :1])], -1)
        slopes = flat @ self.valleys.reshape(-1, 3).T
        slopes = slopes.reshape(*points.shape[:-1], len(self.valleys), 2)
        levels = np.concatenate([slopes.min(-1), np.zeros_like(points[..., :1])], -1)
        order = np.sort(levels, axis=-1)
        depth = np.clip(order[..., -1], 0, self.deepest)
        steep = 0.5 * float(np.abs(self.valleys[..., :2]).max()) + 1e-6
        near = (order[..., -1] - order[..., -2]) / steep
        best = np.take_along_axis(slopes, slopes.min(-1).argmax(-1)[..., None, None], -2)[..., 0, :]
        floor = np.abs(best[..., 0] - best[..., 1]) / steep
        crease = np.exp(-((np.minimum(near, floor) / 0.0022) ** 2)) * (order[..., -1] > 0.0008)
        return depth, crease

    def work(self, points: Array) -> tuple[Array, Array, Array]:
        """See Crush.work."""
        high = 2 * self.half[2]
        share = np.clip((points[..., 2] - high + self.zone) / self.zone, 0, 1)
        depth, crease = self.sunk(points)
        blow = np.clip(depth / (0.35 * self.deepest), 0, 1)
        moved = points.copy()
        moved[..., 2] -= depth * share
        swing = np.where(share < self.knee, share / self.knee, (1 - share) / (1 - self.knee))
        wide = 0.5 * np.sqrt(np.maximum(self.zone**2 - (self.zone - depth) ** 2, 0)) * np.clip(swing, 0, 1)
        fold = np.zeros_like(share)
        for axis in (0, 1):
            other = 1 - axis
            outside = np.abs(points[..., axis]) > self.half[axis] - 0.0035
            inset = np.clip((self.half[other] - np.abs(points[..., other])) / 0.035, 0, 1)
            way = np.where(points[..., axis] > 0, self.buckle[2 * axis], self.buckle[2 * axis + 1])
            sign = np.sign(points[..., axis])
            push = np.where(outside, wide * inset * way, 0.0)
            moved[..., axis] += sign * push
            fold = np.maximum(fold, np.where(outside & (np.abs(push) + depth > 0.004), 1.0, 0.0))
        line = np.exp(-(((share - self.knee) * self.zone / 0.0018) ** 2)) + 0.6 * np.exp(
            -((share * self.zone / 0.0018) ** 2)
        )
        crease = np.maximum(crease * (share > 0.97), np.clip(line, 0, 1) * fold)
        if self.crumple is not None:
            push = self.crumple(points) * np.clip(blow * 1.6, 0, 1) * share
            moved[..., 2] += push
            crease = np.maximum(crease, 0.3 * self.crumple.creases(points, 0.0009) * np.clip(blow, 0, 1) * share)
        return moved, np.asarray(crease, np.float32), np.asarray(blow * np.clip(share * 2, 0, 1), np.float32)


def collapsed_top(rng: Rng, half: Array, severity: float) -> Collapse:
    """A lid that something heavy lay on or fell across; half (3,) half sizes of a box that stands on z = 0."""
    deepest = float((0.10 + 0.38 * severity * rng.uniform(0.7, 1.0)) * min(2 * half[2], 1.3 * half[:2].min()))
    valleys = []
    for _ in range(int(rng.integers(1, 3)) + round(1.5 * severity)):
        turn = rng.uniform(0, np.pi)
        if rng.random() < 0.5:  # blows like to follow the seam or cross it
            turn = rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.12)
        way = np.array([np.cos(turn), np.sin(turn)])
        reach = float(np.abs(way) @ half[:2])
        spot = rng.uniform(-0.75, 0.75) * reach
        deep = deepest * rng.uniform(0.6, 1.15)
        along = np.array([-way[1], way[0]]) * rng.uniform(-0.25, 0.25) * deep / half[:2].mean()
        sides = []
        for sign in (-1, 1):
            steep = max(deep / (reach * rng.uniform(0.45, 1.3)), 0.12)
            slope = sign * way * steep + along
            sides.append([*slope, deep - sign * steep * spot])
        valleys.append(sides)
    if rng.random() < 0.55:  # one side or corner of the lid went down as a whole
        turn = rng.uniform(0, 2 * np.pi)
        way = np.array([np.cos(turn), np.sin(turn)])
        reach = float(np.abs(way) @ half[:2])
        start = rng.uniform(-0.6, 0.3) * reach
        steep = deepest * rng.uniform(0.8, 1.2) / (reach - start)
        plane = [*(way * steep), -steep * start]
        valleys.append([plane, plane])
    zone = float(np.clip(deepest * rng.uniform(1.4, 3.0), 1.1 * deepest, 1.7 * half[2]))
    buckle = rng.choice([-1, 1], 4, p=[0.45, 0.55]) * rng.uniform(0.05, 0.5, 4)
    made = Collapse(
        severity,
        crumple=Crumple.of(rng, float(half[:2].min()) * 0.8, 0.0008 + 0.0012 * severity, 4),
        centre=np.array([0, 0, 2 * half[2]]),
        reach=float(np.linalg.norm(half)),
        gape=float(rng.uniform(0, 0.02)) * severity,
        hinge=float(half[1]),
        valleys=np.array(valleys),
        half=half,
        zone=zone,
        deepest=deepest,
        buckle=buckle,
        knee=float(rng.uniform(0.35, 0.65)),
    )
    made.subtype = "collapse"
    return made
