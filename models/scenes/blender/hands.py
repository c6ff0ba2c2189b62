"""Hands that hold a parcel, bare or gloved: balls along bones, melted into one skin."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import bpy
import numpy as np

from models.scenes.blender.paint import Array, Rng
from models.scenes.blender.stage import Stage, linear

SKINS = ((0.86, 0.66, 0.53), (0.72, 0.50, 0.37), (0.50, 0.33, 0.23), (0.30, 0.19, 0.13), (0.92, 0.75, 0.64))
GLOVES = ((0.20, 0.35, 0.65), (0.10, 0.10, 0.11), (0.85, 0.85, 0.82), (0.80, 0.35, 0.10))
SLEEVES = ((0.10, 0.12, 0.20), (0.75, 0.75, 0.72), (0.35, 0.10, 0.10), (0.20, 0.28, 0.18), (0.85, 0.65, 0.10))


def bones(
    edge: Array, outward: Array, along: Array, rng: Rng
) -> tuple[list[tuple[Array, float]], list[tuple[Array, float]]]:
    """Balls (place, radius) of a hand, then of its sleeve; it grips a lid's edge at `edge` with its thumb on top.

    `outward` points away from the parcel, `along` runs on the edge; metres.
    """
    up = np.array([0, 0, 1.0])
    skew = rng.normal(0, 0.25)

    def at(o: float, a: float, z: float) -> Array:
        place = edge + outward * o + along * (a + skew * o) + up * z
        place[2] = max(place[2], 0.010)
        return place

    def limb(joints: list[Array], radii: list[float]) -> list[tuple[Array, float]]:
        out = []
        for (start, end), (first, last) in zip(pairwise(joints), pairwise(radii), strict=True):
            count = max(2, int(np.linalg.norm(end - start) / 0.005))
            for t in np.linspace(0, 1, count):
                out.append((start + t * (end - start), first + t * (last - first)))
        return out

    drop = float(rng.uniform(0.6, 1.1))
    balls = []
    for number, length in enumerate((0.060, 0.072, 0.068, 0.052)):
        a = (number - 1.5) * 0.021
        joints = [at(0.050, a, 0.004), at(0.030, a, -0.016 * drop), at(0.011, a * 1.05, -length * drop)]
        balls += limb(joints, [0.0100, 0.0095, 0.0078])
    thumb = -0.045 * (1 if rng.random() < 0.5 else -1)
    balls += limb(
        [at(0.050, thumb * 0.7, 0.004), at(0.015, thumb, 0.022), at(-0.030, thumb * 0.85, 0.010)], [0.014, 0.011, 0.009]
    )
    for a in np.linspace(-0.028, 0.028, 4):
        balls += limb([at(0.048, float(a), 0.004), at(0.110, float(a) * 0.75, 0.008)], [0.0125, 0.0150])
    balls += limb([at(0.105, 0, 0.008), at(0.165, 0.01, 0.016)], [0.024, 0.025])
    sleeve = limb([at(0.150, 0.008, 0.014), at(0.55, 0.10 * float(rng.normal()), 0.08)], [0.033, 0.046])
    return balls, sleeve


def hold(stage: Stage, edge: Array, outward: Array, along: Array, rng: Rng) -> None:
    """Put one hand into the scene."""
    gloved = rng.random() < 0.4
    tones = GLOVES if gloved else SKINS
    skin = linear(np.array(tones[int(rng.integers(len(tones)))]))
    cloth = linear(np.array(SLEEVES[int(rng.integers(len(SLEEVES)))]))
    hand, sleeve = bones(edge, outward, along, rng)
    melt(stage, hand, stage.plain(tuple(skin), rough=0.6 if gloved else 0.5, cloud=0.06, scale=60))
    melt(stage, sleeve, stage.plain(tuple(cloth), rough=0.9, cloud=0.12, scale=40))


def melt(stage: Stage, balls: list[tuple[Array, float]], material: Any) -> None:
    """One smooth skin around balls. A mesh of its own, so that the mask pass blackens it like all else."""
    meta: Any = bpy.data.metaballs.new("hand")
    meta.resolution = meta.render_resolution = 0.0035
    for place, radius in balls:
        ball = meta.elements.new()
        ball.co, ball.radius = place.tolist(), 1.75 * radius
    thing: Any = bpy.data.objects.new("hand", meta)
    stage.scene.collection.objects.link(thing)
    graph = bpy.context.evaluated_depsgraph_get()
    made: Any = bpy.data.meshes.new_from_object(thing.evaluated_get(graph))
    bpy.data.objects.remove(thing)
    for face in made.polygons:
        face.use_smooth = True
    made.materials.clear()
    made.materials.append(material)
    stage.scene.collection.objects.link(bpy.data.objects.new("hand", made))
