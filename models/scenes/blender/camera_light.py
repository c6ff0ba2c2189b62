"""Where the camera hangs over the bench and where its light comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from models.scenes.blender.paint import Array
from models.scenes.blender.stage import Stage

ENVIRONMENTS = {
    file.stem: file
    for file in sorted((Path(bpy.utils.resource_path("LOCAL")) / "datafiles/studiolights/world").glob("*.exr"))
    if file.stem != "night"
}
"""Environment pictures that come with bpy (CC0)."""


@dataclass(frozen=True)
class Lamp:
    """A panel over the bench: watts, place and size in metres, colour."""

    watts: float
    place: tuple[float, float, float]
    size: tuple[float, float]
    colour: tuple[float, float, float] = (1.0, 0.97, 0.93)


@dataclass(frozen=True)
class Light:
    """An environment at some strength and turn, and lamps; exposure in stops."""

    lamps: tuple[Lamp, ...]
    environment: str = "studio"
    strength: float = 0.35
    turn: float = 0.0
    exposure: float = 0.0


def lit(stage: Stage, light: Light) -> None:
    """Light the stage."""
    world: Any = bpy.data.worlds.new("world")
    stage.scene.world = world
    world.use_nodes = True
    tree = world.node_tree
    picture, mapping, where = (tree.nodes.new(f"ShaderNode{n}") for n in ("TexEnvironment", "Mapping", "TexCoord"))
    picture.image = bpy.data.images.load(str(ENVIRONMENTS[light.environment]))
    mapping.inputs["Rotation"].default_value[2] = light.turn
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 256
    background = tree.nodes["Background"]
    background.inputs["Strength"].default_value = light.strength
    tree.links.new(where.outputs["Generated"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], picture.inputs["Vector"])
    tree.links.new(picture.outputs["Color"], background.inputs["Color"])
    for lamp in light.lamps:
        made: Any = bpy.data.lights.new("lamp", "AREA")
        made.energy, made.color = lamp.watts, lamp.colour
        made.shape, made.size, made.size_y = "RECTANGLE", *lamp.size
        thing = bpy.data.objects.new("lamp", made)
        thing.location = lamp.place
        thing.rotation_euler = (-Vector(lamp.place)).to_track_quat("-Z", "Y").to_euler()
        stage.scene.collection.objects.link(thing)
    stage.scene.view_settings.exposure = light.exposure


class Camera:
    """A pinhole camera. It looks at `target` from `distance` metres, `elevation` and `azimuth` in radians.

    At elevation pi/2 it looks straight down, with +y up in the picture when azimuth is -pi/2.
    """

    def __init__(
        self,
        target: Array,
        distance: float,
        elevation: float,
        azimuth: float,
        *,
        angle: float,
        size: tuple[int, int],
        roll: float = 0.0,
    ) -> None:
        elevation = min(elevation, np.pi / 2 - 1e-4)
        c = np.cos(elevation)
        self.place = target + distance * np.array([c * np.cos(azimuth), c * np.sin(azimuth), np.sin(elevation)])
        look = Vector((target - self.place).tolist()).to_track_quat("-Z", "Y").to_matrix()
        self.turn = np.array(look @ Matrix.Rotation(roll, 3, "Z"))
        self.angle, self.size = angle, size

    def project(self, points: Array) -> Array:
        """Pixels (..., 2) of points (..., 3)."""
        local = (points - self.place) @ self.turn
        focal = self.size[0] / 2 / np.tan(self.angle / 2)
        x = self.size[0] / 2 + focal * local[..., 0] / -local[..., 2]
        y = self.size[1] / 2 - focal * local[..., 1] / -local[..., 2]
        return np.stack([x, y], -1)

    def mount(self, stage: Stage) -> None:
        """Put it into the scene."""
        made: Any = bpy.data.cameras.new("camera")
        made.sensor_fit, made.angle, made.clip_start = "HORIZONTAL", self.angle, 0.01
        thing = bpy.data.objects.new("camera", made)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = self.turn, self.place
        thing.matrix_world = Matrix(pose.tolist())
        stage.scene.collection.objects.link(thing)
        stage.scene.camera = thing


def framed(
    points: Array,
    elevation: float,
    azimuth: float,
    *,
    fill: float,
    angle: float,
    size: tuple[int, int],
    roll: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
) -> Camera:
    """A camera that sees points (n, 3) in the middle, shifted by shares of the picture, filling the share `fill` of its
    tighter side.
    """
    target = (points.min(0) + points.max(0)) / 2
    distance = 1.0
    frame = np.array(size, float)
    for _ in range(12):
        camera = Camera(target, distance, elevation, azimuth, angle=angle, size=size, roll=roll)
        seen = camera.project(points)
        low, high = seen.min(0), seen.max(0)
        distance *= float(((high - low) / frame).max() / fill)
        miss = ((low + high) / 2 - frame * (0.5 + np.array(shift))) * distance * np.tan(angle / 2) * 2 / frame[0]
        target = target + camera.turn @ np.array([miss[0], -miss[1], 0.0])
    return Camera(target, distance, elevation, azimuth, angle=angle, size=size, roll=roll)
