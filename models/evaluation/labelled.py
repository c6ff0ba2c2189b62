"""Labelled pictures of parcels: annotations.json (COCO plus fields) or folders `intact` and `damaged`, read as one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inspector.verdict import Box

PARCELS = frozenset({"parcel", "carton", "mailer"})
MARKS = frozenset(
    {
        "fragile",
        "this_way_up",
        "keep_dry",
        "handle_with_care",
        "do_not_stack",
        "lithium_battery",
        "keep_away_from_sun",
        "other_mark",
    }
)
NAMES = {"other_handling_mark": "other_mark", "stack_limit": "other_mark"}
GROUP_OF_MARKS = "handling_mark_group"
STRANGERS = frozenset({"thumbs.db", "desktop.ini"})


class LabelsError(ValueError):
    """Labels that cannot be used. str() names the file, what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class TrueBox:
    """One thing that a person (or the renderer) drew a box around.

    name: parcel, shipping_label or a mark.  box: x, y, width, height in pixels.  rotation: of a mark, degrees clockwise
    from upright, None where unknown.  doubtful: nobody can say, it counts neither way.
    """

    name: str
    box: Box
    rotation: float | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture and what is known of it.

    name: its path in the folder.  group: pictures of one thing or session; a group is never split.  damaged: None where
    nobody can say.  parcels_drawn, labels_drawn: whether all of them have boxes, so that another one is a false one.
    marks_checked: somebody looked for handling marks, so that a picture without a box has none.
    """

    path: Path
    name: str
    source: str
    group: str
    damaged: bool | None
    damage_types: tuple[str, ...] = ()
    boxes: tuple[TrueBox, ...] = ()
    parcels_drawn: bool = False
    labels_drawn: bool = False
    marks_checked: bool = False

    def of(self, name: str) -> list[TrueBox]:
        """The boxes of this name."""
        return [box for box in self.boxes if box.name == name]


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """What a folder holds. left_out: pictures that show no sealed parcel, by the reason they are left out."""

    folder: Path
    photos: tuple[Labelled, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)


def read_labelled(folder: Path) -> LabelledFolder:
    """The labelled pictures of a folder, in the order of the annotations file or of their names.

    Either `annotations.json` with the pictures in `images/` or beside it (fields: docs/evaluate.md), or `intact/` and
    `damaged/` (and `doubtful/`), one group a file, or one for each folder inside them; pictures in folders of one name
    are one group, whichever state they show.
    Raises LabelsError when there are none, the annotations cannot be used, or a picture they name is not there.
    """
    if not folder.is_dir():
        raise LabelsError(f"{folder} is no folder; name the one that holds annotations.json, or intact and damaged")
    if (folder / "annotations.json").is_file():
        read = _annotated(folder)
    elif any((folder / state).is_dir() for state in ("intact", "damaged")):
        read = _sorted_by_hand(folder)
    else:
        raise LabelsError(
            f"{folder} has neither annotations.json nor folders named intact and damaged; see docs/evaluate.md"
        )
    if not read.photos:
        raise LabelsError(f"{folder}: no labelled picture of a sealed parcel in it")
    return read


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Category(_Part):
    id: int
    name: str


class _Image(_Part):
    id: int
    file_name: Annotated[str, Field(min_length=1)]
    integrity: Literal["intact", "damaged", "doubtful", "not_a_parcel"]
    integrity_visible: Literal["intact", "damaged", "doubtful"] | None = None
    scene: str = "sealed"
    damage_types: tuple[str, ...] = ()
    source: str = ""
    group_id: str | int | None = None
    marks_checked: bool | Literal["unsure"] | None = None
    distractors: tuple[str, ...] = ()


class _Annotation(_Part):
    id: int | None = None
    image_id: int
    category_id: int
    bbox: tuple[float, float, Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]]
    rotation: float | None = None
    angle_deg: float | None = None
    doubtful: bool = False


class _Document(_Part):
    categories: tuple[_Category, ...]
    images: tuple[_Image, ...]
    annotations: tuple[_Annotation, ...] = ()


def _annotated(folder: Path) -> LabelledFolder:
    path = folder / "annotations.json"
    try:
        document = _Document.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise LabelsError(f"{path} cannot be used: {_first(error)}; see docs/evaluate.md") from None
    names = {category.id: category.name for category in document.categories}
    known = {image.id for image in document.images}
    if len(known) < len(document.images):
        raise LabelsError(f"{path}: two images have one id; give each its own")
    boxes: dict[int, list[tuple[str, _Annotation]]] = defaultdict(list)
    for row in document.annotations:
        if row.image_id not in known or row.category_id not in names:
            what = f"image {row.image_id}" if row.image_id not in known else f"category {row.category_id}"
            raise LabelsError(f"{path}: annotation {row.id} belongs to {what}, which the file does not have")
        boxes[row.image_id].append((names[row.category_id], row))
    left_out: Counter[str] = Counter()
    photos, absent = [], []
    for image in document.images:
        if image.integrity == "not_a_parcel":
            left_out["no parcel"] += 1
        elif image.scene == "open_box":
            left_out["open box"] += 1
        elif (file := _inside(folder, image.file_name)) is None:
            absent.append(image.file_name)
        else:
            photos.append(_labelled(folder, file, image, boxes[image.id]))
    if absent:
        some = ", ".join(absent[:5]) + (" ..." if len(absent) > 5 else "")
        raise LabelsError(
            f"{path} names {len(absent)} pictures that are not there: {some}; bring them, or take them out"
        )
    return LabelledFolder(folder, tuple(photos), dict(left_out))


def _labelled(folder: Path, file: Path, image: _Image, rows: list[tuple[str, _Annotation]]) -> Labelled:
    rendered = image.integrity_visible is not None  # a render knows everything that is in it
    boxes = []
    for category, row in rows:
        plain = category.removeprefix("mark_")
        name = "parcel" if plain in PARCELS else NAMES.get(plain, plain)
        if name in MARKS or name in ("parcel", "shipping_label", GROUP_OF_MARKS):
            turn = row.angle_deg if row.rotation is None else row.rotation
            boxes.append(TrueBox(name, row.bbox, turn, row.doubtful or name == GROUP_OF_MARKS))
    seen_damage = {category.removeprefix("damage_") for category, _ in rows if category.startswith("damage_")}
    state = image.integrity_visible or image.integrity
    has_label = any(box.name == "shipping_label" for box in boxes)
    return Labelled(
        path=file,
        name=image.file_name,
        source=image.source or folder.name,
        group=image.file_name if image.group_id is None else str(image.group_id),
        damaged=_damaged(state),
        damage_types=(image.damage_types or tuple(sorted(seen_damage))) if state == "damaged" else (),
        boxes=tuple(boxes),
        parcels_drawn=any(box.name == "parcel" for box in boxes),
        # a label that was seen but not drawn is in the field `distractors`
        labels_drawn=has_label or rendered or "shipping_label" not in image.distractors,
        marks_checked=rendered if image.marks_checked is None else image.marks_checked is True,
    )


def _sorted_by_hand(folder: Path) -> LabelledFolder:
    """Every file counts as a picture: one that cannot be read is named later, not passed over."""
    photos = []
    for state in ("intact", "damaged", "doubtful"):
        inside = folder / state
        for file in sorted(inside.rglob("*")) if inside.is_dir() else ():
            parts = file.relative_to(inside).parts
            if file.is_file() and file.name.lower() not in STRANGERS and not any(p.startswith(".") for p in parts):
                name = file.relative_to(folder).as_posix()
                photos.append(
                    Labelled(
                        path=file,
                        name=name,
                        source=folder.name,
                        group=parts[0] if len(parts) > 1 else name,
                        damaged=_damaged(state),
                    )
                )
    return LabelledFolder(folder, tuple(photos))


def _damaged(state: str) -> bool | None:
    return {"intact": False, "damaged": True}.get(state)


def _inside(folder: Path, name: str) -> Path | None:
    """The picture of this name below the folder; an annotations file from elsewhere opens nothing else."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    return next((file for file in (folder / "images" / name, folder / name) if file.is_file()), None)


def _first(error: ValidationError, most: int = 3) -> str:
    told: list[Any] = error.errors(include_url=False, include_input=True)
    said = [f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in told[:most]]
    return "; ".join(said) + (f"; and {len(told) - most} more" if len(told) > most else "")
