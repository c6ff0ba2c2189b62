"""The faces of a box: where they look, and what is right and up on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.scenes.blender.paint import Array


@dataclass(frozen=True)
class Face:
    """A face's normal and its own right and up."""

    normal: Array
    right: Array
    up: Array


def upright_face(normal: tuple[int, int, int], right: tuple[int, int, int], up: tuple[int, int, int]) -> Face:
    """A face from whole numbers."""
    return Face(np.array(normal, float), np.array(right, float), np.array(up, float))


FACES = {
    "top": upright_face((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    "front": upright_face((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "back": upright_face((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    "right": upright_face((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "left": upright_face((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
}


def before(place: Array, foot: tuple[float, float], turn: float) -> bool:
    """Whether a camera at place (3,) stands at least 5 cm before a wall at `foot` that looks where `turn` points."""
    way = np.array([np.cos(turn), np.sin(turn)])
    return float((place[:2] - np.array(foot)) @ way) > 0.05
