"""A film bag blown up by Blender's cloth solver, so that its seams pucker the way a filled mailer's do."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from models.scenes.blender.paint import Array, Rng


def inflated(
    size: tuple[float, float], rng: Rng, *, columns: int = 84, rows: int = 62, pressure: float = 3.2, frames: int = 30
) -> Array:
    """The upper film of a flat bag of size (length, width) metres after it was filled: points (rows, columns, 3).

    The lowest point lies at z = 0. Row 0 is the edge at -y.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene: Any = bpy.context.scene
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, columns) * size[0], np.linspace(-0.5, 0.5, rows) * size[1])
    jitter = rng.standard_normal((2, rows, columns)) * 0.00015
    upper = np.stack([x, y, 0.0006 + jitter[0]], -1).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    rim = np.zeros((rows, columns), bool)
    rim[0], rim[-1], rim[:, 0], rim[:, -1] = True, True, True, True
    inner = np.flatnonzero(~rim.ravel())
    lower_index = index.ravel().copy()
    lower_index[inner] = rows * columns + np.arange(len(inner))
    lower = upper[inner] * [1, 1, -1]
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
    faces = np.concatenate([quads, lower_index[quads][:, ::-1]])
    made: Any = bpy.data.meshes.new("bag")
    made.from_pydata(np.concatenate([upper, lower]).tolist(), [], faces.tolist())
    bag: Any = bpy.data.objects.new("bag", made)
    scene.collection.objects.link(bag)
    cloth = bag.modifiers.new("cloth", "CLOTH")
    settings = cloth.settings
    settings.quality, settings.mass, settings.air_damping = 5, 0.004, 2
    settings.tension_stiffness = settings.compression_stiffness = 25
    settings.shear_stiffness, settings.bending_stiffness = 12, 0.04
    settings.use_pressure, settings.uniform_pressure_force = True, pressure
    settings.effector_weights.gravity = 0
    cloth.collision_settings.use_collision = False
    scene.frame_start, scene.frame_end = 1, frames
    for frame in range(1, frames + 1):
        scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    solved = bag.evaluated_get(graph).to_mesh()
    points = np.empty(len(solved.vertices) * 3)
    solved.vertices.foreach_get("co", points)
    return np.asarray(points.reshape(-1, 3)[: rows * columns].reshape(rows, columns, 3))
