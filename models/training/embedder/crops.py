"""Crops of single things with their identity, from the labelled pictures that may teach a shipped model."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inspector.frame import Pixels
from models.evaluation.lessons import mask_of

Mask = npt.NDArray[np.bool_]

FAMILIES = ("card", "nuts", "fruit")
"""Contents photos whose licence lets them teach (Apache-2.0, MIT, MIT). Totes and bolts are only measured on."""
LEAST_VISIBLE = 0.5
LEAST_SIDE = 12


@dataclass(frozen=True, slots=True)
class Crop:
    """One thing in one picture.

    bgr: uint8 (h, w, 3). mask: bool (h, w), its pixels; None where only its box is known. thing: what it is, equal for
    the same thing in another picture. picture: where it was seen. family: things are told apart within one family.
    """

    bgr: Pixels
    mask: Mask | None
    thing: str
    picture: str
    family: str


def photo_crops(contents: Path) -> Iterator[Crop]:
    """Crops of the contents photos that may teach; `contents` holds annotations.json and images/."""
    told = json.loads((contents / "annotations.json").read_text("utf-8"))
    names = {c["id"]: c["name"] for c in told["categories"]}
    for image, boxes in _by_image(told):
        inside = [b for b in boxes if names[b["category_id"]].split("/")[0] in FAMILIES]
        if image["is_reference"] or not inside:
            continue
        bgr = _read(contents / image["file_name"])
        for b in inside:
            thing = names[b["category_id"]]
            cut = _cut(bgr, b["bbox"], 0.0)
            if cut is not None:
                y, x = cut
                yield Crop(bgr[y, x], None, thing, image["file_name"], thing.split("/")[0])


def render_crops(renders: Path, split: str | None = None) -> Iterator[Crop]:
    """Crops of the things in rendered open boxes; one group is one order, its things are the same in all its views."""
    told = json.loads((renders / "annotations.json").read_text("utf-8"))
    for image, boxes in _by_image(told):
        if image["scene"] != "open_box" or split not in (None, image["split"]):
            continue
        bgr = _read(renders / "images" / image["file_name"])
        for b in boxes:
            if not b["category"].startswith("item_") or b["visible_fraction"] < LEAST_VISIBLE:
                continue
            cut = _cut(bgr, b["bbox"], 0.06)
            if cut is not None:
                y, x = cut
                thing = f"{image['group_id']}/{b['kind']}"
                yield Crop(bgr[y, x], mask_of(b["segmentation"])[y, x], thing, image["file_name"], image["group_id"])


def _by_image(told: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    boxes = defaultdict(list)
    for annotation in told["annotations"]:
        boxes[annotation["image_id"]].append(annotation)
    for image in told["images"]:
        yield image, boxes[image["id"]]


def _read(path: Path) -> Pixels:
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise FileNotFoundError(f"{path}: no picture there that can be read")
    return np.asarray(bgr, np.uint8)


def _cut(bgr: Pixels, bbox: list[float], margin: float) -> tuple[slice, slice] | None:
    """Rows and columns of a box with a margin; None for what is too small to be told."""
    x, y, w, h = bbox
    if min(w, h) < LEAST_SIDE:
        return None
    pad = margin * max(w, h)
    height, width = bgr.shape[:2]
    rows = slice(int(max(0, y - pad)), int(min(height, y + h + pad)))
    columns = slice(int(max(0, x - pad)), int(min(width, x + w + pad)))
    return rows, columns
