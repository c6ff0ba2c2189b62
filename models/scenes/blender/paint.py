"""Paint: colour, roughness, relief and codes on one flat piece of a parcel, and the noise they are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Rng = np.random.Generator


def noise(shape: tuple[int, ...], cells: float, rng: Rng, octaves: int = 4, fade: float = 0.5) -> Array:
    """Smooth noise (height, width) float32 of about unit deviation; `cells` of the first octave fit the height."""
    height, width = shape
    out = np.zeros((height, width), np.float32)
    amplitude, total = 1.0, 0.0
    for octave in range(octaves):
        rows = min(height, max(2, round(cells * 2**octave)))
        cols = min(width, max(2, round(rows * width / height)))
        coarse = rng.standard_normal((rows, cols)).astype(np.float32)
        out += amplitude * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        total += amplitude
        amplitude *= fade
    return np.asarray(out / total)


class PointNoise:
    """Value noise on points in space, so that a stain runs over an edge and over what is glued on the board.

    `scale` is the size of the largest blob in metres. Answers (...,) of about unit deviation for points (..., 3).
    """

    def __init__(self, rng: Rng, scale: float, octaves: int = 4) -> None:
        self.lattices = [rng.standard_normal((16, 16, 16)).astype(np.float32) for _ in range(octaves)]
        self.shift = rng.uniform(0, 16, (octaves, 3)).astype(np.float32)
        self.scale = scale

    def __call__(self, points: Array) -> Array:
        """Noise (...) at points (..., 3)."""
        out = np.zeros(points.shape[:-1], np.float32)
        amplitude, total = 1.0, 0.0
        for octave, lattice in enumerate(self.lattices):
            at = points.astype(np.float32) * (2**octave / self.scale) + self.shift[octave]
            cell = np.floor(at).astype(np.int32)
            part = at - cell
            part = part * part * (3 - 2 * part)
            for corner in np.ndindex(2, 2, 2):
                weight = np.prod(np.abs(1 - np.array(corner, np.float32) - part), axis=-1)
                index = (cell + np.array(corner)) % 16
                out += amplitude * weight * lattice[index[..., 0], index[..., 1], index[..., 2]]
            total += amplitude
            amplitude *= 0.5
        return np.asarray(out / total * 2)


def coarsely(function: Any, points: Array, step: int = 4) -> Array:
    """`function` of every `step`-th texel of points (h, w, 3), stretched back to (h, w): stains need no more."""
    height, width = points.shape[:2]
    small = np.asarray(function(points[::step, ::step]), np.float32)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


@dataclass
class Surface:
    """What one flat piece looks like. Row 0 is its upper edge.

    rgb (h, w, 3) float32 sRGB 0..1; rough (h, w) 0..1; relief (h, w) millimetres over the sheet;
    instance, damage (h, w) uint8 codes that the mask pass draws; rest (h, w, 3) where each texel lies on the
    undamaged parcel, metres; normal (3,) of the undamaged piece.
    """

    name: str
    rgb: Array
    rough: Array
    relief: Array
    instance: Array
    damage: Array
    rest: Array
    normal: Array
    finish: str = "board"
    """`board`, `paper`, `film`, `tape`: which material is made of it."""
    alpha: Array | None = None
    """(h, w) cover 0..1 where the piece is not a whole rectangle or not opaque."""
    metres_per_texel: float = field(default=0.0)

    @classmethod
    def blank(
        cls, name: str, rgb: Array, rest: Array, normal: Array, *, rough: float, instance: int, finish: str
    ) -> Surface:
        """A surface of one colour picture (h, w, 3) without relief or damage."""
        height, width = rgb.shape[:2]
        return cls(
            name,
            np.asarray(rgb, np.float32).copy(),
            np.full((height, width), rough, np.float32),
            np.zeros((height, width), np.float32),
            np.full((height, width), instance, np.uint8),
            np.zeros((height, width), np.uint8),
            rest.astype(np.float32),
            normal,
            finish,
            metres_per_texel=float(np.linalg.norm(rest[0, -1] - rest[0, 0]) / max(1, width - 1)),
        )

    def tint(self, cover: Array, colour: Array | tuple[float, float, float]) -> None:
        """Lay a colour over it; cover (h, w) 0..1."""
        self.rgb += cover[..., None] * (np.asarray(colour, np.float32) - self.rgb)

    def shade(self, factor: Array) -> None:
        """Multiply the colour by a factor (h, w)."""
        self.rgb *= factor[..., None]

    def blemish(self, where: Array, code: int) -> None:
        """Mark texels (h, w) bool as damaged with this damage's code."""
        self.damage[where] = code
