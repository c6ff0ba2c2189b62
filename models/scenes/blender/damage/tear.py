"""Torn board: a hole with a ragged rim, the outer liner peeled off around it, and flaps that curl out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.scenes.blender.damage.base import Damage, from_edges
from models.scenes.blender.faces import FACES
from models.scenes.blender.paint import Array, Rng, Surface, noise
from models.scenes.blender.sheet import Sheet, grid_faces

if TYPE_CHECKING:
    from models.scenes.blender.carton import Carton
    from models.scenes.blender.mailer import Mailer

RAYS = 240
FLUTE = 0.0065


@dataclass
class Tear(Damage):
    """A hole on `face` at metres from its centre; outline (RAYS,) metres from the middle to the rim, anticlockwise."""

    face: str = "top"
    at: tuple[float, float] = (0.0, 0.0)
    outline: Array = field(default_factory=lambda: np.full(RAYS, 0.03))
    radius: float = 0.03
    origin: Array = field(default_factory=lambda: np.zeros(3))
    right: Array = field(default_factory=lambda: np.array([1.0, 0, 0]))
    up: Array = field(default_factory=lambda: np.array([0, 1.0, 0]))
    half: Array = field(default_factory=lambda: np.ones(3))
    flaps: int = 3
    curl: tuple[float, float] = (0.45, 1.75)
    seed: int = 0
    kind = "tear_hole"
    subtype = "hole"

    @classmethod
    def of(
        cls, rng: Rng, face: str, at: tuple[float, float], radius: float, severity: float, half: Array, flaps: int = 3
    ) -> Tear:
        """A ragged hole of about `radius` metres in a carton of half sizes (3,)."""
        frame = FACES[face]
        turns = np.linspace(0, 2 * np.pi, RAYS, endpoint=False)
        soft = np.zeros(RAYS)
        for wave in range(2, 6):
            soft = soft + np.cos(wave * turns + rng.uniform(0, 6.3)) * rng.uniform(0.05, 0.22) / (wave - 0.8)
        teeth = np.repeat(rng.standard_normal(RAYS // 4), 4) * 0.035 + rng.standard_normal(RAYS) * 0.03
        outline = radius * np.clip((1 + 0.3 * np.cos(2 * turns + rng.uniform(0, 6.3))) * (1 + soft) + teeth, 0.35, 1.7)
        origin = frame.normal * half + np.array([0, 0, half[2]]) + at[0] * frame.right + at[1] * frame.up
        return cls(
            severity,
            face=face,
            at=at,
            outline=outline,
            radius=radius,
            origin=origin,
            right=frame.right,
            up=frame.up,
            half=half,
            flaps=flaps,
            seed=int(rng.integers(1 << 30)),
        )

    def beyond(self, rest: Array) -> Array:
        """Metres (...) from the rim outwards of rest points (..., 3); negative in the hole."""
        gap = rest - self.origin
        x, y = gap @ self.right, gap @ self.up
        turn = np.mod(np.arctan2(y, x), 2 * np.pi) / (2 * np.pi) * RAYS
        rim = np.interp(turn, np.arange(RAYS + 1), np.append(self.outline, self.outline[0]))
        return np.asarray(np.hypot(x, y) - rim)

    def keep(self, rest: Array, normal: Array) -> Array:
        """Everything but the hole."""
        if normal @ np.cross(self.right, self.up) < 0.9:
            return np.ones(rest.shape[:-1], bool)
        return np.asarray(self.beyond(rest) > 0)

    def move(self, points: Array, rest: Array, normal: Array) -> Array:
        """The board around the hole is pushed in and its rim stands ragged."""
        if normal @ np.cross(self.right, self.up) < 0.9:
            return points
        out = np.clip(self.beyond(rest), 0, None) / self.radius
        sag = 0.10 * self.radius * np.exp(-((out / 0.55) ** 2))
        return np.asarray(points - (sag * from_edges(rest, self.half, 0.02))[:, None] * normal)

    def paint(self, surface: Surface) -> None:
        """Peeled liner with bare flutes, a pale torn rim, a crease or two that run out of the hole."""
        if surface.normal @ np.cross(self.right, self.up) < 0.9:
            return
        rng = np.random.default_rng(self.seed)
        shape = surface.rough.shape
        out = self.beyond(surface.rest) / self.radius
        if (out > 3).all():
            return
        ragged = out + 0.05 * noise(shape, 50, rng, 3)
        peel = ragged - (0.05 + 0.34 * np.clip(noise(shape, 5, rng, 2) + 0.15, 0, 1.2))
        bare = (peel < 0).astype(np.float32)
        if surface.finish.startswith("tape"):  # film rips clean off the rim
            surface.blemish(out < 0.1, self.code)
            return
        gap = surface.rest - self.origin
        flutes = np.sin((gap @ self.right) * 2 * np.pi / FLUTE)
        if surface.finish == "film":  # it stretches and goes pale along the rim
            rim = np.exp(-(((out - 0.05) / 0.10) ** 2)).astype(np.float32)
            surface.tint(0.35 * rim * np.clip(0.6 + noise(shape, 40, rng, 2), 0, 1), (0.85, 0.85, 0.84))
            surface.relief += 0.25 * rim * noise(shape, 50, rng, 2)
            surface.blemish(out < 0.25, self.code)
            return
        pale = np.array((0.80, 0.68, 0.50) if surface.finish == "board" else (0.86, 0.85, 0.82), np.float32)
        surface.tint(bare, pale)
        surface.shade(1 - bare * (0.16 - 0.16 * flutes).astype(np.float32))
        surface.relief += bare * (-0.5 + 0.5 * flutes).astype(np.float32)
        fray = np.exp(-((peel / 0.025) ** 2)).astype(np.float32) * np.clip(0.6 + noise(shape, 90, rng, 2), 0, 1)
        surface.tint(fray * 0.7, np.array((0.88, 0.80, 0.68), np.float32))
        lips = np.zeros(shape, np.uint8)
        per = 1 / max(surface.metres_per_texel, 1e-6)
        middle = (np.array(shape[::-1]) / 2) + np.array([self.at[0], -self.at[1]]) * per
        if surface.finish == "board":
            for first in rng.uniform(0, 2 * np.pi, 3):
                turns = first + np.cumsum(rng.normal(0, 0.16, 14))
                steps = 0.17 * self.radius * per * np.stack([np.cos(turns), -np.sin(turns)], -1)
                line = np.round(middle + np.cumsum(steps, 0)).astype(np.int32)
                cv2.polylines(lips, [line], False, 255, max(1, round(0.0009 * per)), cv2.LINE_AA)
        crack = cv2.GaussianBlur(lips.astype(np.float32) / 255, (0, 0), 0.8) * np.clip(1.6 - out * 0.8, 0, 1)
        surface.tint(crack.astype(np.float32) * 0.6, np.array((0.84, 0.75, 0.62), np.float32))
        surface.relief -= 0.15 * crack.astype(np.float32)
        surface.blemish((peel < 0.06) | (crack > 0.4), self.code)

    def pieces(self, carton: Carton | Mailer) -> list[Sheet]:
        """Flaps hinged on the rim that curl out of the face; a bag's film hangs thin."""
        if not self.flaps:
            return []
        rng = np.random.default_rng(self.seed + 1)
        normal = np.cross(self.right, self.up)
        surface = carton.surfaces[self.face]
        width, height = carton.extent(self.face)
        out = []
        starts = np.sort(
            rng.uniform(0, RAYS, 1)[0] + np.arange(self.flaps) * RAYS / self.flaps + rng.uniform(-12, 12, self.flaps)
        )
        for number, start in enumerate(starts):
            span = RAYS / self.flaps * rng.uniform(0.62, 0.9)
            s, t = np.meshgrid(np.linspace(0, 1, 34), np.linspace(0, 1, 26))
            turn = (start + s * span) / RAYS * 2 * np.pi
            rim = np.interp(
                np.mod(start + s * span, RAYS), np.arange(RAYS + 1), np.append(self.outline, self.outline[0])
            )
            ray = np.cos(turn)[..., None] * self.right + np.sin(turn)[..., None] * self.up
            middle = (start + span / 2) / RAYS * 2 * np.pi
            inward = -(np.cos(middle) * self.right + np.sin(middle) * self.up)
            ragged = 1 + np.repeat(rng.standard_normal(17) * 0.09, 2) + rng.standard_normal(34) * 0.05
            length = self.radius * rng.uniform(0.9, 1.35) * (1 - np.abs(2 * s - 1) ** 1.4 * 0.8) * ragged[None]
            first, last = self.curl[0] * rng.uniform(0.5, 1.3), self.curl[1] * rng.uniform(0.7, 1.15)
            bend = first * np.clip(t * 5, 0, 1) + (last - first) * t**1.3 + 0.12 * np.sin(9 * s + number)
            stride = (length / 25)[..., None] * (np.cos(bend)[..., None] * inward + np.sin(bend)[..., None] * normal)
            hinge = self.origin + ray * (rim * 1.01)[..., None]
            points = hinge + np.cumsum(stride, 0) - stride[:1] - 0.10 * self.radius * normal * (1 - t[..., None])
            if surface.finish == "film":
                points += (carton.place(self.face, hinge[0]) - hinge[0])[None]
            flat = hinge + inward * (length * t)[..., None]
            a, b = (flat - self.origin) @ self.right + self.at[0], (flat - self.origin) @ self.up + self.at[1]
            uv = np.stack([a / width + 0.5, b / height + 0.5], -1).reshape(-1, 2)
            out.append(
                Sheet(
                    f"torn{number}",
                    points.reshape(-1, 3),
                    grid_faces(*s.shape)[:, ::-1],
                    uv,
                    surface,
                    0.0 if surface.finish == "film" else 0.0024,
                    "torn",
                )
            )
        return out
