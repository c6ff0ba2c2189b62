"""One picture to be taken: parcels where they lie, the bench, the light, the view, and how it was photographed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.scenes.blender.bench import Top
from models.scenes.blender.camera_light import Camera, Light, framed, lit
from models.scenes.blender.faces import before
from models.scenes.blender.film import Film
from models.scenes.blender.hands import hold
from models.scenes.blender.paint import Array, Rng
from models.scenes.blender.parcel import Parcel
from models.scenes.blender.props import TOOLS, Maker
from models.scenes.blender.stage import Stage


@dataclass(frozen=True)
class Placed:
    """A parcel at x, y metres, `z` over the ground, turned anticlockwise by `turn` radians.

    `inside` is the sRGB colour of its board's back.
    """

    parcel: Parcel
    x: float = 0.0
    y: float = 0.0
    turn: float = 0.0
    z: float = 0.0
    inside: tuple[float, float, float] = (0.66, 0.5, 0.33)

    @property
    def pose(self) -> Array:
        """(4, 4)."""
        c, s = np.cos(self.turn), np.sin(self.turn)
        return np.array([[c, -s, 0, self.x], [s, c, 0, self.y], [0, 0, 1, self.z], [0, 0, 0, 1.0]])

    def world(self, points: Array) -> Array:
        """Points (..., 3) of the parcel on the bench."""
        return np.asarray(points @ self.pose[:3, :3].T + self.pose[:3, 3])


@dataclass(frozen=True)
class View:
    """Degrees; `fill` is the share of the picture's tighter side that the first parcel takes.

    `near` (x, y, z, radius) metres on the parcel: only this much of it has to be in the picture.
    """

    elevation: float = 85.0
    azimuth: float = -90.0
    fill: float = 0.8
    angle: float = 38.0
    roll: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    near: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Wall:
    """What stands behind the parcel: its foot at x, y metres, looking where `turn` radians points."""

    top: Top
    foot: tuple[float, float]
    turn: float
    wide: float = 5.0
    high: float = 2.4


@dataclass
class Scene:
    """`shades` are laths (x, y, z, length, width, turn) that no camera sees: they throw shadows.

    `hands` (side -1 or 1, place along that edge -1..1) hold the first parcel by the lid's short edges.
    `fill_in` puts accessories into an open carton after it stands on the stage.
    """

    parcels: list[Placed]
    top: Top
    light: Light
    view: View = field(default_factory=View)
    film: Film = field(default_factory=Film)
    tools: tuple[tuple[str, float, float, float], ...] = ()
    top_turn: float = 0.0
    walls: tuple[Wall, ...] = ()
    shades: tuple[tuple[float, float, float, float, float, float], ...] = ()
    hands: tuple[tuple[float, float], ...] = ()
    fill_in: Callable[[Stage], None] | None = None


@dataclass(frozen=True)
class Shot:
    """rgb and codes (h, w, 3) uint8 as Stage gives them, and the camera that saw them."""

    rgb: Array
    codes: Array
    camera: Camera


def shoot(scene: Scene, folder: Path, rng: Rng, *, size: tuple[int, int], samples: int, threads: int = 1) -> Shot:
    """Build the scene and take both pictures. `folder` is emptied of nothing; it takes textures."""
    built = [placed.parcel.sheets for placed in scene.parcels]
    stage = Stage(folder, size, samples=samples, threads=threads)
    stage.lay(scene.top, turn=scene.top_turn, shift=(float(rng.uniform()), float(rng.uniform())))
    for number, (placed, sheets) in enumerate(zip(scene.parcels, built, strict=True), 1):
        stage.show(sheets, placed.inside, placed.pose, number)
    if scene.fill_in is not None:
        scene.fill_in(stage)
    for name, x, y, turn in scene.tools:
        maker = Maker(stage)
        TOOLS[name](maker, rng)
        maker.pose(x, y, 0.0, turn)
    for x, y, z, long, wide, turn in scene.shades:
        maker = Maker(stage)
        maker.block((long, wide, 0.004), stage.plain((0.1, 0.1, 0.1)), bevel=0).visible_camera = False
        maker.pose(x, y, z, turn)
    for side, along in scene.hands:
        _grip(stage, scene.parcels[0], side, along, rng)
    lit(stage, scene.light)
    view = scene.view
    points = np.concatenate([sheet.points for sheet in built[0]])
    if view.near is not None:
        close = np.linalg.norm(points - np.array(view.near[:3]), axis=1) < view.near[3]
        points = points[close] if close.sum() > 8 else points
    seen = scene.parcels[0].world(points)
    camera = framed(
        seen, np.radians(view.elevation), np.radians(view.azimuth), fill=view.fill, angle=np.radians(view.angle),
        size=size, roll=np.radians(view.roll), shift=view.shift,
    )  # fmt: skip
    camera.mount(stage)
    for wall in scene.walls:
        if before(camera.place, wall.foot, wall.turn):
            stage.stand(wall.top, wall.foot, wall.turn, wide=wall.wide, high=wall.high)
    rgb = stage.render(folder / "colour.png")
    codes = stage.render_codes(folder / "codes.png")
    return Shot(scene.film.develop(rgb, rng), codes, camera)


def _grip(stage: Stage, placed: Placed, side: float, along: float, rng: Rng) -> None:
    """A hand on the lid's edge at x = side * half the length."""
    parcel = placed.parcel
    rest = np.array([[side * (parcel.half[0] - 0.001), along * parcel.half[1], parcel.size[2]]])
    edge = placed.world(parcel.place("top", rest))[0]
    turn = placed.pose[:3, :3]
    hold(stage, edge, turn @ np.array([side, 0.0, 0.0]), turn @ np.array([0.0, 1.0, 0.0]), rng)
