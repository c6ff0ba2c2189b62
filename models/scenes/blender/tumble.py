"""Pictures of single wares from all around, cut out: what a thing looks like when it lies another way."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np

from models.scenes.blender.camera_light import ENVIRONMENTS, Lamp, Light, framed, lit
from models.scenes.blender.paint import Array, Rng
from models.scenes.blender.props import Maker
from models.scenes.blender.stage import Stage
from models.scenes.blender.wares import ware

FILL = 0.96
"""Share of the picture that the ware takes."""


@dataclass(frozen=True)
class Turns:
    """`wares` wares in `views` pictures of `side` pixels each, from number `shard` on every `shards`th."""

    out: Path
    seed: int
    wares: int
    views: int
    shard: int
    shards: int
    minutes: float
    side: int
    samples: int
    threads: int


def render_turns(run: Turns, report: Callable[[str], None]) -> None:
    """Write <number>-<kind>-<view>.png with an alpha channel; goes on where it was."""
    end = time.monotonic() + 60 * run.minutes
    run.out.mkdir(parents=True, exist_ok=True)
    for number in range(run.shard, run.wares, run.shards):
        if time.monotonic() > end:
            return
        if len(list(run.out.glob(f"{number:05d}-*.png"))) >= run.views:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            kind = _turned(number, run, Path(folder))
        report(f"{number:05d} {kind}: {time.monotonic() - start:.1f} s")


def _turned(number: int, run: Turns, folder: Path) -> str:
    stage = Stage(folder, (run.side, run.side), samples=run.samples, threads=run.threads)
    stage.scene.render.film_transparent = True
    stage.scene.render.image_settings.color_mode = "RGBA"
    stage.scene.render.use_persistent_data = True
    maker = Maker(stage)
    kind = ware(maker, number, run.seed)
    points = np.concatenate([_corners(part) for part in maker.parts])
    for view in range(run.views):
        rng = np.random.default_rng([run.seed, number, view])
        for thing in [thing for thing in stage.scene.objects if thing.type in ("LIGHT", "CAMERA")]:
            bpy.data.objects.remove(thing)
        camera = framed(
            points, float(np.arcsin(rng.uniform(-1, 1))), float(rng.uniform(0, 2 * np.pi)), fill=FILL,
            angle=np.radians(float(rng.uniform(15, 45))), size=(run.side, run.side), roll=float(rng.uniform(0, 6.28)),
        )  # fmt: skip
        camera.mount(stage)
        lit(stage, _light(camera.turn[:, 2], rng))
        file = folder / "view.png"
        stage.scene.render.filepath = str(file)
        bpy.ops.render.render(write_still=True)
        picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise RuntimeError(f"Blender wrote no picture to {file}; is the disk full?")
        cv2.imwrite(str(run.out / f"{number:05d}-{kind}-{view}.png"), picture)
    return kind


def _corners(part: Any) -> Array:
    """Points (n, 3) of a part where it lies."""
    return np.array([part.matrix_basis @ vertex.co for vertex in part.data.vertices])


def _light(towards: Array, rng: Rng) -> Light:
    """A lamp somewhere on the camera's side and the room's light."""
    place = towards + rng.normal(0, 0.5, 3)
    place = place / np.linalg.norm(place) * 0.9
    warm = float(rng.uniform(-1, 1))
    colour = (1.0, 0.97, 1 - 0.2 * warm) if warm > 0 else (1 + 0.12 * warm, 0.97, 1.0)
    side = float(rng.choice([0.05, 0.3, 0.8]))
    lamp = Lamp(float(rng.uniform(4, 14)), (float(place[0]), float(place[1]), float(place[2])), (side, side), colour)
    return Light(
        (lamp,), str(rng.choice(list(ENVIRONMENTS))), float(rng.uniform(0.4, 0.9)), float(rng.uniform(0, 6.28)), 0.0
    )
