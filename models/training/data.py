"""What the training data says: annotated photos and renders as plain records, one meaning for both."""

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

from models.training.network import CLASSES, DAMAGE_KINDS, FIRST_MARK

Mask = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

RENDERED_CLASSES = {"carton": "parcel", "mailer": "parcel", "open_box": "parcel", "mark_stack_limit": "other_mark"}
FRAGILE_TAPE = "tape_fragile"
"""Rendered tape that says FRAGILE again and again: it is the mark, though of no known turn."""
RENDERED_DAMAGE = {
    "damage_crush": "crush",
    "damage_dent": "dent",
    "damage_tear_hole": "tear",
    "damage_open_flap": "open_flap",
    "damage_wet_stain": "wet",
    "damage_dirt_scuff": "dirty",
}
PHOTO_CLASSES = {"other_handling_mark": "other_mark"}


@dataclass(frozen=True, slots=True)
class Rle:
    """A mask as COCO writes it: size (height, width) and its compressed run lengths."""

    size: tuple[int, int]
    counts: str


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture and what is known of it.

    boxes: float32 (m, 4) xyxy in pixels.  classes: int64 (m,) into CLASSES.  turns: float32 (m,) clockwise degrees,
    NaN where unknown.  judged: bool (c,), for which classes somebody looked.  main: which box is the main parcel.
    damaged: whether the main parcel shows damage, None where nobody can say.  damage: masks by kind; outline: the main
    parcel's own mask (renders have both).  shown: float32 (m,), share of each box in which the thing itself is seen, 1
    where nobody measured.  group: pictures of one thing or session; a group is never split.
    """

    path: Path
    source: str
    group: str
    boxes: Floats
    classes: npt.NDArray[np.int64]
    turns: Floats
    shown: Floats
    judged: Mask
    main: int | None
    damaged: bool | None
    damage: tuple[tuple[str, Rle], ...] = ()
    outline: Rle | None = None

    def read(self) -> Pixels:
        """Pixels BGR uint8 (h, w, 3); ValueError when the file is no picture."""
        pixels = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if pixels is None:
            raise ValueError(f"{self.path} cannot be read as a picture; is the data folder complete?")
        return np.asarray(pixels, np.uint8)

    def main_box(self) -> tuple[float, float, float, float]:
        """The main parcel as (x, y, w, h) in pixels."""
        if self.main is None:
            raise ValueError(f"{self.path} shows no parcel")
        x1, y1, x2, y2 = (float(v) for v in self.boxes[self.main])
        return x1, y1, x2 - x1, y2 - y1


def decode(rle: Rle) -> Mask:
    """Compressed COCO run lengths -> bool (h, w).

    The format (cocodataset/cocoapi, maskApi.c): base-32 digits from character 48 on, least significant first, bit 5 set
    while a number goes on; from the fourth number each is the difference to the one two before; runs alternate between
    background and mask, column by column.
    """
    runs: list[int] = []
    number = shift = 0
    for character in rle.counts:
        digit = ord(character) - 48
        number |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            number -= 1 << shift
        runs.append(number + (runs[-2] if len(runs) > 2 else 0))
        number = shift = 0
    height, width = rle.size
    if sum(runs) != height * width or min(runs, default=0) < 0:
        raise ValueError(f"run lengths cover {sum(runs)} pixels of a mask of {height} x {width}")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T


def encode(mask: Mask) -> Rle:
    """Bool (h, w) -> compressed COCO run lengths; the inverse of `decode`."""
    flat = mask.T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    if flat.size and flat[0]:
        runs.insert(0, 0)
    text = []
    for i, run in enumerate(runs):
        number = run - (runs[i - 2] if i > 2 else 0)
        more = True
        while more:
            digit, number = number & 31, number >> 5
            more = number != (-1 if digit & 16 else 0)
            text.append(chr((digit | 32 if more else digit) + 48))
    return Rle((mask.shape[0], mask.shape[1]), "".join(text))


def read_renders(folder: Path) -> Iterator[Photo]:
    """The rendered set: everything in it is known, since it was made."""
    for image, rows, names in _pictures(folder):
        found = [(_rendered_class(n, r), r) for n, r in zip(names, rows, strict=True)]
        things = [(CLASSES.index(name), row) for name, row in found if name in CLASSES]
        mains = [i for i, (_, row) in enumerate(things) if row.get("main")]
        sealed = image["scene"] == "sealed"
        damage = [(RENDERED_DAMAGE[n], _rle(r)) for n, r in zip(names, rows, strict=True) if n in RENDERED_DAMAGE]
        yield _photo(
            folder / "images" / image["file_name"],
            "renders" if sealed else "open_renders",
            image,
            things,
            judged=np.ones(len(CLASSES), bool),
            main=mains[0] if mains else None,
            # An open carton is not damaged, but it is not what a sealed parcel looks like either.
            damaged=(image["integrity_visible"] == "damaged") if sealed else None,
            damage=tuple(damage),
            outline=_rle(things[mains[0]][1]) if mains else None,
        )


def _rendered_class(name: str, row: dict[str, Any]) -> str:
    if row.get("kind") == FRAGILE_TAPE:
        return "fragile"
    return RENDERED_CLASSES.get(name, name.removeprefix("mark_"))


def read_photos(folder: Path) -> Iterator[Photo]:
    """Real photos. Where nobody looked for marks, their absence is not taken for granted."""
    for image, rows, names in _pictures(folder):
        found = [(PHOTO_CLASSES.get(n, n), r) for n, r in zip(names, rows, strict=True)]
        things = [(CLASSES.index(name), row) for name, row in found if name in CLASSES]
        sign = image["integrity"] == "not_a_parcel"
        judged = np.ones(len(CLASSES), bool)
        judged[FIRST_MARK:] = sign or image["marks_checked"] is True
        if sign:  # hazard signs on bottles and walls: none of our marks, but what else is there nobody wrote down
            judged[[CLASSES.index("shipping_label"), CLASSES.index("other_mark")]] = False
        elif not any(c == CLASSES.index("parcel") for c, _ in things):
            judged[CLASSES.index("parcel")] = False  # it shows one (that is what was judged), whose box nobody drew
        areas = [r["bbox"][2] * r["bbox"][3] if c == 0 else 0.0 for c, r in things]
        yield _photo(
            folder / "images" / image["file_name"],
            "signs" if sign else "photos",
            image,
            things,
            judged=judged,
            main=int(np.argmax(areas)) if max(areas, default=0.0) > 0 else None,
            damaged={"intact": False, "damaged": True}.get(image["integrity"]),
        )


def read_training(root: Path) -> list[Photo]:
    """Everything that may teach a shipped model, below the data folder `root`. Never the measured sets."""
    return [*read_photos(root / "parcels" / "licensed"), *read_renders(root / "renders")]


def read_scenes(root: Path) -> dict[str, list[Photo]]:
    """Rendered sets below `root` by name, one folder each, as `models.scenes.blender` writes and collects them."""
    return {path.parent.name: list(read_renders(path.parent)) for path in sorted(root.glob("*/annotations.json"))}


def fold_of(group: str, folds: int) -> int:
    """Which fold a group falls into, the same on every machine and in every run."""
    number: int = sum(byte * 31**i for i, byte in enumerate(group.encode()[::-1]))
    return number % 1_000_003 % folds


def cells(mask: Mask | Floats, size: int) -> Floats:
    """Mask bool (s, s) -> share of each cell that is set, float32 (size, size)."""
    return np.asarray(cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA), np.float32)


def kind_index(kind: str) -> int:
    """Place of a damage kind in the network's map."""
    return DAMAGE_KINDS.index(kind)


def _pictures(folder: Path) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], list[str]]]:
    document = json.loads((folder / "annotations.json").read_text("utf-8"))
    names = {c["id"]: c["name"] for c in document["categories"]}
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in document["annotations"]:
        rows[row["image_id"]].append(row)
    for image in document["images"]:
        mine = rows[image["id"]]
        yield image, mine, [names[r["category_id"]] for r in mine]


def _photo(
    path: Path,
    source: str,
    image: dict[str, Any],
    things: list[tuple[int, dict[str, Any]]],
    *,
    judged: Mask,
    main: int | None,
    damaged: bool | None,
    damage: tuple[tuple[str, Rle], ...] = (),
    outline: Rle | None = None,
) -> Photo:
    boxes = np.array([r["bbox"] for _, r in things], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    turns = [r.get("angle_deg", r.get("rotation", np.nan)) for _, r in things]
    return Photo(
        path=path,
        source=source,
        group=str(image["group_id"]),
        boxes=boxes,
        classes=np.array([c for c, _ in things], np.int64),
        turns=np.array(turns, np.float32),
        shown=np.array([_shown(r) for _, r in things], np.float32),
        judged=judged,
        main=main,
        damaged=damaged,
        damage=damage,
        outline=outline,
    )


def _shown(row: dict[str, Any]) -> float:
    """Only renders have masks of their own; the area of another annotation is that of its box."""
    _, _, width, height = row["bbox"]
    return float(min(1.0, row["area"] / max(1.0, width * height))) if row.get("segmentation") else 1.0


def _rle(row: dict[str, Any]) -> Rle:
    height, width = row["segmentation"]["size"]
    return Rle((height, width), row["segmentation"]["counts"])
