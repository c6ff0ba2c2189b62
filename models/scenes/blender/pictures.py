"""Renders the demo's pictures and writes pictures.json, which says what is true in each."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.scenes.blender.annotate import annotate
from models.scenes.blender.scene import Shot, shoot
from models.scenes.blender.stories import STORIES, Story

SIZE = (1280, 720)
LARGEST = 195_000
"""Bytes of one JPEG: thirteen stay below 2.6 MB together."""
FINDING = {
    "crush": "crush",
    "dent": "dent",
    "tear_hole": "hole",
    "open_flap": "open_flap",
    "wet_stain": "wet",
    "dirt_scuff": "dirty",
}
"""The generator's kinds of damage in the inspector's words."""


def write_jpeg(file: Path, rgb: np.ndarray[Any, Any]) -> None:
    """As good as it fits into LARGEST."""
    for quality in range(92, 60, -3):
        options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
        data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)[1]
        if data.size <= LARGEST:
            break
    file.write_bytes(data.tobytes())


def truth(story: Story, shot: Shot, annotations: list[dict[str, Any]], parcel: dict[str, Any]) -> dict[str, Any]:
    """One entry of pictures.json."""
    label = next((a for a in annotations if a["category"] == "shipping_label"), None)
    text = label["text"] if label else None
    return {
        "file": story.file,
        "title": story.title,
        "stage": story.stage,
        "width": shot.rgb.shape[1],
        "height": shot.rgb.shape[0],
        "packaging": "mailer" if "mailer" in parcel["kind"] else "carton",
        "sharp": story.readable,
        "integrity": parcel["integrity"],
        "parcel": parcel["bbox"],
        "damages": [
            {"kind": FINDING[d["type"]], "severity": d["severity"], "box": d["bbox"]}
            for d in parcel["damages"]
            if "bbox" in d
        ],
        "marks": [
            {
                "mark": a["kind"],
                "style": a["style"],
                "text": a["text"],
                "box": a["bbox"],
                "rotation": round(a["angle_deg"]) % 360,
            }
            for a in annotations
            if a["category"].startswith("mark_")
        ],
        "label": {"text": text, "box": label["bbox"], "quad": label["quad"]} if label else None,
        "codes": [text] if text and story.readable else [],
        "items": [{"item": a["kind"], "box": a["bbox"]} for a in annotations if a["category"].startswith("item_")],
        **story.facts,
    }


def render_pictures(
    out: Path,
    report: Callable[[str], None],
    *,
    only: tuple[str, ...] = (),
    samples: int = 12,
    scale: float = 1.0,
    threads: int = 1,
) -> None:
    """Render the stories whose file names start with one of `only` (all, when empty) and update out/pictures.json."""
    out.mkdir(parents=True, exist_ok=True)
    index = out / "pictures.json"
    known = (
        {entry["file"]: entry for entry in json.loads(index.read_text("utf-8"))["pictures"]} if index.is_file() else {}
    )
    size = (round(SIZE[0] * scale), round(SIZE[1] * scale))
    for story in STORIES:
        if only and not story.file.startswith(only):
            continue
        start = time.monotonic()
        rng = np.random.default_rng(story.seed)
        scene = story.build(rng)
        with tempfile.TemporaryDirectory() as folder:
            shot = shoot(scene, Path(folder), rng, size=size, samples=samples, threads=threads)
        annotations, parcels = annotate(shot, scene.parcels)
        write_jpeg(out / story.file, shot.rgb)
        known[story.file] = truth(story, shot, annotations, parcels[0])
        entries = [known[s.file] for s in STORIES if s.file in known]
        index.write_text(json.dumps({"pictures": entries}, ensure_ascii=False, indent=1) + "\n", "utf-8")
        report(f"{story.file}: {time.monotonic() - start:.0f} s")
