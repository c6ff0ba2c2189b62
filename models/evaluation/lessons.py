"""Lessons for the contents check: items taught from some pictures, and where each of them truly is in others."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from inspector.cutout import cut_out
from inspector.embedder import Mask
from inspector.frame import Pixels
from inspector.verdict import Box, shared

Taught = dict[str, list[tuple[Pixels, Mask]]]


TOUCHED = 0.05
"""Share of a box that another one may cover, the box of a thing that is shown whole: boxes are drawn by eye."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One picture. kind: where it comes from. group: what belongs together and is never split. truth: boxes xywh of
    each taught item, none for those that are absent; an item that is there but hardly seen is not in it at all.
    """

    kind: str
    group: str
    bgr: Pixels
    truth: dict[str, list[Box]]


def photos(contents: Path, rng: np.random.Generator, *, family: str, shots: int) -> tuple[Taught, list[Lesson]]:
    """Photos of one family with each of its things taught from `shots` crops of photos that are then left out.

    A crop shows its thing whole. A thing that no photo shows so is not taught, and not asked for.
    """
    told = json.loads((contents / "annotations.json").read_text("utf-8"))
    names = {c["id"]: c["name"] for c in told["categories"]}
    boxes = _boxes(told)
    pictures = [
        i
        for i in told["images"]
        if not i["is_reference"] and any(names[b["category_id"]].startswith(f"{family}/") for b in boxes[i["id"]])
    ]
    order = rng.permutation(len(pictures))
    things = sorted({names[b["category_id"]] for i in pictures for b in boxes[i["id"]]})
    taught: Taught = defaultdict(list)
    used = set()
    for thing in things:
        for position in order:
            image = pictures[int(position)]
            drawn = boxes[image["id"]]
            whole = [b for b in drawn if names[b["category_id"]] == thing and _whole(b, drawn, image)]
            if len(taught[thing]) == shots or not whole or (thing, image["id"]) in used:
                continue
            used.add((thing, image["id"]))
            largest = max(whole, key=lambda b: b["bbox"][2] * b["bbox"][3])
            taught[thing].append(framed(_read(contents / image["file_name"]), largest["bbox"]))
    taught = {thing: shown for thing, shown in taught.items() if shown}
    spent = {image for _, image in used}
    lessons = []
    for image in pictures:
        if image["id"] in spent:
            continue
        truth: dict[str, list[Box]] = {thing: [] for thing in taught}
        for b in boxes[image["id"]]:
            if names[b["category_id"]] in taught:
                truth[names[b["category_id"]]].append(tuple(b["bbox"]))
        lessons.append(Lesson(family, image["file_name"], _read(contents / image["file_name"]), truth))
    return taught, lessons


def registered(contents: Path, *, family: str) -> tuple[Taught, list[Lesson]]:
    """Photos of one family whose things are taught from the reference photos that annotations.json names."""
    told = json.loads((contents / "annotations.json").read_text("utf-8"))
    names = {c["id"]: c["name"] for c in told["categories"]}
    boxes = _boxes(told)
    taught: Taught = {}
    for category, files in told["references"].items():
        if names[int(category)].startswith(f"{family}/"):
            taught[names[int(category)]] = [cut_out(_read(contents / file))[0] for file in files]
    lessons = []
    for image in told["images"]:
        inside = [b for b in boxes[image["id"]] if names[b["category_id"]] in taught]
        if image["is_reference"] or not inside:
            continue
        truth: dict[str, list[Box]] = {thing: [] for thing in taught}
        for b in inside:
            truth[names[b["category_id"]]].append(tuple(b["bbox"]))
        lessons.append(Lesson(family, image["file_name"], _read(contents / image["file_name"]), truth))
    return taught, lessons


def renders(folder: Path, rng: np.random.Generator) -> tuple[Taught, list[Lesson]]:
    """Rendered open boxes; each thing is taught from one view of its order, the other views are the lessons, and things
    of other orders are absent from them.
    """
    told = json.loads((folder / "annotations.json").read_text("utf-8"))
    boxes = _boxes(told)
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for image in told["images"]:
        if image["scene"] == "open_box":
            groups[image["group_id"]].append(image)
    taught: Taught = {}
    views = []
    for group, images in sorted(groups.items()):
        first, *others = sorted(images, key=lambda image: -_seen(boxes[image["id"]]))
        bgr = _read(folder / "images" / first["file_name"])
        for b in boxes[first["id"]]:
            if b["category"].startswith("item_") and b["visible_fraction"] > 0.75 and min(b["bbox"][2:]) >= 16:
                taught[f"{group}/{b['kind']}"] = [_masked(bgr, b)]
        views += [(group, image) for image in others]
    lessons = []
    for group, image in views:
        truth: dict[str, list[Box]] = {}
        kinds = {b["kind"] for b in boxes[image["id"]] if b["category"].startswith("item_")}
        for b in boxes[image["id"]]:
            name = f"{group}/{b.get('kind')}"
            if name in taught and b["category"].startswith("item_") and b["visible_fraction"] > 0.3:
                truth.setdefault(name, []).append(tuple(b["bbox"]))
        strangers = [n for n in sorted(taught) if not n.startswith(f"{group}/") and n.split("/")[1] not in kinds]
        absent = [n for n in taught if n.startswith(f"{group}/") and n.split("/")[1] not in kinds]
        for name in [*absent, *rng.choice(strangers, min(len(strangers), 5), replace=False)]:
            truth[str(name)] = []
        lessons.append(Lesson("renders", group, _read(folder / "images" / image["file_name"]), truth))
    return taught, lessons


def mask_of(segmentation: dict[str, Any]) -> Mask:
    """COCO's compressed run lengths -> bool (h, w). The format: github.com/cocodataset/cocoapi, common/maskApi.c."""
    height, width = segmentation["size"]
    runs: list[int] = []
    value = shift = 0
    for byte in segmentation["counts"].encode():
        code = byte - 48
        value |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20:
            continue
        if code & 0x10:
            value |= -1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T


def framed(bgr: Pixels, bbox: Sequence[float]) -> tuple[Pixels, Mask]:
    """What a packer would get who framed this box: the largest thing that stands out in it, or all of it."""
    x, y, w, h = bbox
    pad = 0.12 * max(w, h)
    height, width = bgr.shape[:2]
    wide = bgr[
        int(max(0, y - pad)) : int(min(height, y + h + pad)), int(max(0, x - pad)) : int(min(width, x + w + pad))
    ]
    crop, mask = cut_out(wide)[0]
    if 0.35 * w * h <= mask.sum() <= 1.25 * w * h and not mask.all():
        return crop, mask
    tight = bgr[int(max(0, y)) : int(y + h), int(max(0, x)) : int(x + w)]
    return tight, np.ones(tight.shape[:2], np.bool_)


def _masked(bgr: Pixels, annotation: dict[str, Any]) -> tuple[Pixels, Mask]:
    x, y, w, h = (int(v) for v in annotation["bbox"])
    return bgr[y : y + h, x : x + w], mask_of(annotation["segmentation"])[y : y + h, x : x + w]


def _seen(annotations: list[dict[str, Any]]) -> float:
    return sum(float(b["visible_fraction"]) for b in annotations if b["category"].startswith("item_"))


def _whole(annotation: dict[str, Any], others: Sequence[dict[str, Any]], image: dict[str, Any]) -> bool:
    """Whether a packer would teach from this: all of it is in the picture, and nothing lies on it, or under it."""
    x, y, w, h = annotation["bbox"]
    inside = x > 2 and y > 2 and x + w < image["width"] - 2 and y + h < image["height"] - 2
    return inside and all(shared(annotation["bbox"], o["bbox"]) <= TOUCHED * w * h for o in others if o != annotation)


def _boxes(told: dict[str, Any]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in told["annotations"]:
        found[annotation["image_id"]].append(annotation)
    return found


def _read(path: Path) -> Pixels:
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise FileNotFoundError(f"{path}: no picture there that can be read")
    return np.asarray(bgr, np.uint8)
