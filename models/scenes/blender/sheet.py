"""A sheet: one bent piece of board, tape, paper or film as a grid mesh that carries a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.scenes.blender.paint import Array, Surface

Bend = Callable[[Array], Array]


@dataclass
class Sheet:
    """points (n, 3) metres, faces (m, 4) indices counter-clockwise seen from outside, uv (n, 2) 0..1 into the surface.

    `thickness` metres grows inwards; 0 for paper and tape. `inside` names the material of the back and the rim.
    """

    name: str
    points: Array
    faces: Array
    uv: Array
    surface: Surface
    thickness: float = 0.0
    inside: str = "board_inside"
    sharp: bool = False
    smooth_levels: int = 0


def grid_faces(rows: int, columns: int, keep: Array | None = None) -> Array:
    """Quads (m, 4) of a grid whose rows go up and columns right; `keep` (rows, columns) bool drops torn-off points."""
    index = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
    if keep is not None:
        quads = quads[keep.reshape(-1)[quads].all(-1)]
    return np.asarray(quads)


def lines(low: float, high: float, step: float, dense: tuple[float, ...] = (), radius: float = 0.003) -> Array:
    """Sorted coordinates from low to high, about `step` apart, closer together near each edge in `dense`."""
    count = max(2, round((high - low) / step) + 1)
    extra = [edge + radius * k for edge in dense for k in (-1.0, -0.72, -0.45, -0.2, 0.0, 0.2, 0.45, 0.72, 1.0)]
    out = np.concatenate([np.linspace(low, high, count), extra])
    return np.asarray(np.unique(np.round(out[(out >= low) & (out <= high)], 6)))


def patch(
    name: str,
    surface: Surface,
    across: Array,
    up: Array,
    place: Callable[[Array, Array], Array],
    size: tuple[float, float],
    *,
    keep: Callable[[Array], Array] | None = None,
    bend: Bend = lambda points: points,
    thickness: float = 0.0,
    inside: str = "board_inside",
) -> Sheet:
    """A grid patch: `place(a, b)` gives rest points for face coordinates in metres from the surface's centre.

    `size` (width, height) metres is the extent of the surface; `bend` takes rest points to their place in the world;
    `keep(rest)` says which points are still there.
    """
    a, b = np.meshgrid(across, up)
    rest = place(a, b)
    there = None if keep is None else keep(rest)
    points = bend(rest.reshape(-1, 3)).reshape(-1, 3)
    uv = np.stack([a / size[0] + 0.5, b / size[1] + 0.5], -1).reshape(-1, 2)
    return Sheet(name, points, grid_faces(*a.shape, there), uv, surface, thickness, inside)
