"""Renders a set of labelled scenes, in shards, and goes on where it was stopped."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.scenes.blender.annotate import annotate
from models.scenes.blender.plan import group, seen
from models.scenes.blender.scene import shoot


@dataclass(frozen=True)
class Run:
    """What to render: shard `shard` of `shards` of `groups` parcels, `views` pictures each, for at most `minutes`."""

    out: Path
    seed: int
    groups: int
    views: int
    shard: int
    shards: int
    minutes: float
    size: tuple[int, int]
    samples: int
    threads: int


def done(part: Path) -> set[str]:
    """File names that a part file already tells of."""
    names = set()
    if part.is_file():
        for line in part.read_text("utf-8").splitlines():
            try:
                names.add(json.loads(line)["image"]["file_name"])
            except ValueError:  # the run was stopped while it wrote this line
                continue
    return names


def render_scenes(run: Run, report: Callable[[str], None]) -> None:
    """Write run.out/images/*.jpg and one line a picture into run.out/part<shard>.jsonl."""
    (run.out / "images").mkdir(parents=True, exist_ok=True)
    part = run.out / f"part{run.shard:03d}.jsonl"
    there = done(part)
    end = time.monotonic() + 60 * run.minutes
    with part.open("a", encoding="utf-8") as lines:
        lines.write("\n" if part.stat().st_size else "")
        for number in range(run.shard, run.groups, run.shards):
            views = [view for view in range(run.views) if f"{_name(run, number, view)}.jpg" not in there]
            if not views:
                continue
            if time.monotonic() > end:
                return
            made = group(number, run.seed)
            for view in views:
                start = time.monotonic()
                scene = seen(made, view, run.seed)
                rng = np.random.default_rng([run.seed, number, view])
                with tempfile.TemporaryDirectory() as folder:
                    shot = shoot(scene, Path(folder), rng, size=run.size, samples=run.samples, threads=run.threads)
                annotations, parcels = annotate(shot, scene.parcels)
                file = f"{_name(run, number, view)}.jpg"
                if not parcels or parcels[0]["parcel"] != 0:
                    report(f"{file}: left out, something hides the parcel")
                    continue
                picture = cv2.cvtColor(shot.rgb, cv2.COLOR_RGB2BGR)
                cv2.imwrite(str(run.out / "images" / file), picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
                main = parcels[0]
                image = {
                    "file_name": file, "width": run.size[0], "height": run.size[1], "group_id": made.name, "view": view,
                    "scene": "sealed", "open": False, "integrity": main["integrity"],
                    "integrity_visible": main["integrity_visible"],
                    "damages": main["damages"], "parcels": parcels,
                    "codes": [a["text"] for a in annotations if a["category"] == "shipping_label"],
                    "camera": {"elevation_deg": round(scene.view.elevation, 1), "fill": round(scene.view.fill, 2)},
                    "bench": scene.top.kind, "looks": list(made.looks),
                    "walls": [wall.top.kind for wall in scene.walls], "clutter": [tool[0] for tool in scene.tools],
                    "hands": len(scene.hands),
                    "light": {"environment": scene.light.environment, "strength": round(scene.light.strength, 2)},
                }  # fmt: skip
                lines.write(json.dumps({"image": image, "annotations": annotations}, ensure_ascii=False) + "\n")
                lines.flush()
                report(f"{file}: {time.monotonic() - start:.1f} s")


def _name(run: Run, number: int, view: int) -> str:
    return f"b{run.seed:03d}-{number:05d}-{view}"
