"""Gathers the part files of a run into one annotations.json in COCO's layout."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from models.scenes.blender.categories import CATEGORIES

NOTES = (
    "Synthetic. segmentation is COCO compressed RLE of the visible pixels. angle_deg: clockwise rotation in the "
    "picture, 0 is upright. quad: corners of the label from its upper left, clockwise as printed. integrity is the "
    "state of the main parcel, integrity_visible whether damage of at least 20 pixels of it is in view. All views "
    "of a group_id are in one split."
)


def collect(folder: Path, val: float = 0.15) -> str:
    """Write folder/annotations.json from folder/part*.jsonl without half-written lines; answers a line that counts."""
    rows: dict[str, dict[str, Any]] = {}
    for part in sorted(folder.glob("part*.jsonl")):
        for line in part.read_text("utf-8").splitlines():
            try:
                row = json.loads(line)
            except ValueError:  # the run was stopped while it wrote this line
                continue
            if (folder / "images" / row["image"]["file_name"]).is_file():
                rows[row["image"]["file_name"]] = row
    names = {a["category"] for row in rows.values() for a in row["annotations"]}
    order = [*CATEGORIES, *sorted(names - set(CATEGORIES))]
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for file in sorted(rows):
        image = {"id": len(images) + 1, **rows[file]["image"]}
        share = zlib.crc32(image["group_id"].encode()) % 1000 / 1000
        image["split"] = "val" if share < val else "train"
        images.append(image)
        for annotation in rows[file]["annotations"]:
            place = {"id": len(annotations) + 1, "image_id": image["id"]}
            annotations.append({**place, "category_id": order.index(annotation["category"]) + 1, **annotation})
    kinds = ("mark", "damage", "item")
    categories = [
        {"id": number, "name": name, "supercategory": next((k for k in kinds if name.startswith(f"{k}_")), "object")}
        for number, name in enumerate(order, 1)
    ]
    document = {
        "info": {"description": "Rendered parcels with labels", "version": "2", "notes": NOTES},
        "categories": categories, "images": images, "annotations": annotations,
    }  # fmt: skip
    whole = folder / "annotations.json.part"
    whole.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")), "utf-8")
    whole.replace(folder / "annotations.json")
    state = Counter(image["integrity_visible"] for image in images)
    return f"{len(images)} pictures, {len(annotations)} annotations; {dict(state)}"
