"""Renders open boxes with a known packing, and the reference photos that their items are taught from."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.scenes.blender.annotate import annotate
from models.scenes.blender.bench import TOPS
from models.scenes.blender.board import BOARDS
from models.scenes.blender.camera_light import framed, lit
from models.scenes.blender.carton import Carton
from models.scenes.blender.film import Film
from models.scenes.blender.merchandise import MAKERS
from models.scenes.blender.packing import FAULTS, Design, Seat, arranged, box_for, drawn, told
from models.scenes.blender.paint import Array, Rng
from models.scenes.blender.plan import light
from models.scenes.blender.props import Maker, crumpled_paper
from models.scenes.blender.scene import Placed, Scene, View, shoot
from models.scenes.blender.scenes import done
from models.scenes.blender.stage import Stage

TARE = 450.0
"""Grams a square metre of a carton's outside weighs."""


@dataclass(frozen=True)
class BoxRun:
    """`boxes` pictures out of a range of `designs` items, each with `references` photos; as `Run` else."""

    out: Path
    seed: int
    boxes: int
    designs: int
    references: int
    shard: int
    shards: int
    minutes: float
    size: tuple[int, int]
    samples: int
    threads: int


def render_boxes(run: BoxRun, report: Callable[[str], None]) -> None:
    """Write references/<item>-<n>.jpg, images/*.jpg and one line a box into part<shard>.jsonl; goes on where it was."""
    end = time.monotonic() + 60 * run.minutes
    (run.out / "images").mkdir(parents=True, exist_ok=True)
    (run.out / "references").mkdir(parents=True, exist_ok=True)
    for number in range(run.shard, run.designs, run.shards):
        for view in range(run.references):
            design = Design.of(number)
            file = run.out / "references" / f"{design.item}-{view}.jpg"
            if file.is_file():
                continue
            if time.monotonic() > end:
                return
            _write(file, portrait(design, np.random.default_rng([run.seed, number, view, 1]), run))
            report(f"references/{file.name}")
    part = run.out / f"part{run.shard:03d}.jsonl"
    there = done(part)
    with part.open("a", encoding="utf-8") as lines:
        lines.write("\n" if part.stat().st_size else "")
        for number in range(run.shard, run.boxes, run.shards):
            file = run.out / "images" / f"o{run.seed:03d}-{number:05d}.jpg"
            if file.name in there:
                continue
            if time.monotonic() > end:
                return
            start = time.monotonic()
            record, picture = open_box(number, run)
            _write(file, picture)
            record["image"]["file_name"] = file.name
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")
            lines.flush()
            report(f"{file.name}: {time.monotonic() - start:.1f} s")


def _write(file: Path, rgb: Array) -> None:
    cv2.imwrite(str(file), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])


def portrait(design: Design, rng: Rng, run: BoxRun) -> Array:
    """One item alone on a bench top, as a packer shows it to the camera: (h, w, 3) uint8 RGB."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), run.size, samples=run.samples, threads=run.threads)
        stage.lay(TOPS[str(rng.choice(list(TOPS)))](rng), turn=float(rng.uniform(0, 6.28)))
        maker = Maker(stage)
        MAKERS[design.kind](maker, design)
        maker.pose(0, 0, 0, float(rng.uniform(0, 6.28)))
        lit(stage, light(rng))
        reach = float(np.hypot(design.size[0], design.size[1])) / 2
        points = np.array([[x, y, z] for x in (-reach, reach) for y in (-reach, reach) for z in (0.0, design.size[2])])
        camera = framed(
            points, np.radians(rng.uniform(55, 88)), float(rng.uniform(0, 6.28)), fill=float(rng.uniform(0.6, 0.95)),
            angle=np.radians(40), size=run.size,
        )  # fmt: skip
        camera.mount(stage)
        picture = stage.render(Path(folder) / "colour.png")
    return Film(noise=0.006, saturation=0.95, meter=float(rng.uniform(0.42, 0.58))).develop(picture, rng)


def open_box(number: int, run: BoxRun) -> tuple[dict[str, Any], Array]:
    """Box `number` of a run: its record (image, annotations) and picture. Faults take turns; half have none."""
    rng = np.random.default_rng([run.seed, number, 2])
    fault = FAULTS[1 + (number // 2) % (len(FAULTS) - 1)] if number % 2 else "none"
    packing = drawn(rng, run.designs, fault)
    inner = box_for(tuple(set(packing.expected + packing.packed)), rng)
    seats = arranged(packing.packed, (inner[0] / 2, inner[1] / 2), rng)
    board = BOARDS[int(rng.integers(len(BOARDS)))]
    outer = (inner[0] + 0.010, inner[1] + 0.010, inner[2] + 0.008)
    turns = [float(v) for v in rng.uniform(1.9, 3.4, 4)]
    made = Carton(
        outer, rng, board=board, flaps=(turns[0], turns[1]), minor=(turns[2], turns[3]), texels=1700, step=0.003
    )
    made.instances[0].category, made.instances[0].facts = "open_box", {"kind": "carton"}
    codes = [made.add(f"item_{seat.design.item}", item=seat.design.item) for seat in seats]
    lumps = int(rng.choice([0, 1, 2, 4], p=[0.4, 0.25, 0.2, 0.15]))
    papers = [made.add("void_fill", kind="kraft_paper") for _ in range(lumps)]

    def fill_in(stage: Stage) -> None:
        _put(stage, seats, codes)
        style = np.random.default_rng([run.seed, number, 3])
        for code in papers:
            maker = Maker(stage, (code, 1))
            wide = float(style.uniform(0.05, 0.10))
            crumpled_paper(maker, style, wide, 0.8 * wide, float(style.uniform(0.03, 0.05)))
            x, y = (float(style.uniform(-1, 1) * max(0.0, side / 2 - wide / 2)) for side in inner[:2])
            maker.pose(x, y, 0.006 + 0.3 * float(style.random()) * inner[2], float(style.uniform(0, 6.28)))

    inside = (0.0, 0.0, outer[2], 0.56 * float(np.hypot(outer[0], outer[1])))  # flaps may hang out of the picture
    scene = Scene(
        [Placed(made, turn=float(rng.uniform(0, 6.28)), inside=board.inside)],
        TOPS[str(rng.choice(list(TOPS)))](rng),
        light(rng),
        View(float(rng.uniform(72, 90)), float(rng.uniform(0, 360)), float(rng.uniform(0.80, 1.0)), 42.0, near=inside),
        Film(noise=float(rng.uniform(0.003, 0.012)), saturation=0.95, meter=float(rng.uniform(0.40, 0.58))),
        fill_in=fill_in,
    )
    with tempfile.TemporaryDirectory() as folder:
        shot = shoot(scene, Path(folder), rng, size=run.size, samples=run.samples, threads=run.threads)
    annotations, parcels = annotate(shot, scene.parcels)
    area = 2 * (outer[0] * outer[1] + outer[0] * outer[2] + outer[1] * outer[2])
    image = {
        "file_name": "", "width": run.size[0], "height": run.size[1], "group_id": f"o{run.seed:03d}-{number:05d}",
        "scene": "open", "open": True, "integrity": "intact", "integrity_visible": "intact", "parcels": parcels,
        **told(packing, TARE * area, annotations),
    }  # fmt: skip
    return {"image": image, "annotations": annotations}, shot.rgb


def _put(stage: Stage, seats: list[Seat], codes: list[int]) -> None:
    for seat, code in zip(seats, codes, strict=True):
        maker = Maker(stage, (code, 1))
        MAKERS[seat.design.kind](maker, seat.design)
        maker.pose(seat.x, seat.y, 0.008 + seat.z, seat.turn)
