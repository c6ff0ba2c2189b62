"""Labelled folders: both layouts, and every way in which their labels can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.evaluation.labelled import LabelsError, TrueBox, read_labelled

Document = dict[str, Any]


def document() -> Document:
    return {
        "categories": [
            {"id": 1, "name": "parcel"},
            {"id": 2, "name": "shipping_label"},
            {"id": 3, "name": "other_handling_mark"},
            {"id": 4, "name": "handling_mark_group"},
            {"id": 5, "name": "ghs_pictogram"},
        ],
        "images": [
            {
                "id": 7,
                "file_name": "a.jpg",
                "integrity": "damaged",
                "damage_types": ["tear_or_hole"],
                "source": "bench",
                "group_id": "monday",
                "marks_checked": True,
                "distractors": [],
            },
            {"id": 8, "file_name": "b.jpg", "integrity": "intact", "marks_checked": "unsure"},
            {"id": 9, "file_name": "c.jpg", "integrity": "doubtful", "distractors": ["shipping_label"]},
            {"id": 10, "file_name": "d.jpg", "integrity": "not_a_parcel"},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 20, 30, 40]},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [12, 22, 5, 5], "rotation": 180},
            {"id": 3, "image_id": 7, "category_id": 4, "bbox": [20, 30, 9, 9]},
            {"id": 4, "image_id": 7, "category_id": 5, "bbox": [0, 0, 3, 3]},
            {"id": 5, "image_id": 8, "category_id": 2, "bbox": [1, 1, 3, 3], "doubtful": True},
        ],
    }


def write(folder: Path, told: Document, names: str = "abcd") -> Path:
    (folder / "images").mkdir(exist_ok=True)
    for name in names:
        (folder / "images" / f"{name}.jpg").write_bytes(b"a picture")
    (folder / "annotations.json").write_text(json.dumps(told), "utf-8")
    return folder


def test_annotations_tell_state_group_boxes_and_what_was_looked_for(tmp_path: Path) -> None:
    read = read_labelled(write(tmp_path, document()))
    a, b, c = read.photos
    assert read.left_out == {"no parcel": 1}
    assert (a.damaged, a.group, a.source, a.damage_types) == (True, "monday", "bench", ("tear_or_hole",))
    assert a.boxes == (
        TrueBox("parcel", (10, 20, 30, 40)),
        TrueBox("other_mark", (12, 22, 5, 5), rotation=180),
        TrueBox("handling_mark_group", (20, 30, 9, 9), doubtful=True),
    )
    assert (a.parcels_drawn, a.labels_drawn, a.marks_checked) == (True, True, True)
    assert (b.damaged, b.group, b.source) == (False, "b.jpg", tmp_path.name)
    assert (b.parcels_drawn, b.labels_drawn, b.marks_checked) == (False, True, False)
    assert b.of("shipping_label")[0].doubtful
    assert c.damaged is None
    assert not c.labels_drawn  # a label is to be seen and has no box


def test_renders_tell_visible_damage_and_know_all_their_marks(tmp_path: Path) -> None:
    told = {
        "categories": [
            {"id": 1, "name": "mailer"},
            {"id": 2, "name": "mark_fragile"},
            {"id": 3, "name": "damage_tear"},
        ],
        "images": [
            {"id": 1, "file_name": "a.jpg", "integrity": "damaged", "integrity_visible": "intact", "scene": "sealed"},
            {"id": 2, "file_name": "b.jpg", "integrity": "damaged", "integrity_visible": "damaged", "scene": "sealed"},
            {"id": 3, "file_name": "c.jpg", "integrity": "intact", "integrity_visible": "intact", "scene": "open_box"},
        ],
        "annotations": [
            {"id": 1, "image_id": 2, "category_id": 1, "bbox": [0, 0, 9, 9]},
            {"id": 2, "image_id": 2, "category_id": 2, "bbox": [0, 0, 4, 4], "angle_deg": 90.5},
            {"id": 3, "image_id": 2, "category_id": 3, "bbox": [0, 0, 2, 2]},
        ],
    }
    read = read_labelled(write(tmp_path, told))
    hidden, torn = read.photos
    assert read.left_out == {"open box": 1}
    assert hidden.damaged is False
    assert hidden.marks_checked
    assert (torn.damaged, torn.damage_types) == (True, ("tear",))
    assert [(box.name, box.rotation) for box in torn.boxes] == [("parcel", None), ("fragile", 90.5)]


def test_pictures_may_lie_beside_the_annotations(tmp_path: Path) -> None:
    told = document() | {"images": document()["images"][1:2], "annotations": []}
    (tmp_path / "annotations.json").write_text(json.dumps(told), "utf-8")
    (tmp_path / "b.jpg").write_bytes(b"a picture")
    assert read_labelled(tmp_path).photos[0].path == tmp_path / "b.jpg"


def test_folders_tell_the_state_and_their_folders_the_group(tmp_path: Path) -> None:
    for name in ("intact/1.jpg", "intact/box 7/2.jpg", "damaged/box 7/3.heic", "damaged/4.jpg", "doubtful/5.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"a picture")
    (tmp_path / "intact" / ".DS_Store").write_bytes(b"")
    (tmp_path / "intact" / "Thumbs.db").write_bytes(b"")
    told = {photo.name: (photo.damaged, photo.group) for photo in read_labelled(tmp_path).photos}
    assert told == {
        "intact/1.jpg": (False, "intact/1.jpg"),
        "intact/box 7/2.jpg": (False, "box 7"),
        "damaged/box 7/3.heic": (True, "box 7"),  # cannot be read later, and is then named, not passed over
        "damaged/4.jpg": (True, "damaged/4.jpg"),
        "doubtful/5.png": (None, "doubtful/5.png"),
    }
    assert not any(photo.marks_checked or photo.parcels_drawn for photo in read_labelled(tmp_path).photos)


def test_intact_pictures_alone_are_a_labelled_folder(tmp_path: Path) -> None:
    (tmp_path / "intact").mkdir()
    (tmp_path / "intact" / "1.jpg").write_bytes(b"a picture")
    assert [photo.damaged for photo in read_labelled(tmp_path).photos] == [False]


def _typo(told: Document) -> None:
    told["images"][0]["integrity"] = "demaged"


def _no_state(told: Document) -> None:
    del told["images"][1]["integrity"]


def _stray_annotation(told: Document) -> None:
    told["annotations"][2]["image_id"] = 99


def _stray_category(told: Document) -> None:
    told["annotations"][2]["category_id"] = 99


def _twice(told: Document) -> None:
    told["images"][1]["id"] = 7


def _three_sides(told: Document) -> None:
    told["annotations"][0]["bbox"] = [1, 2, 3]


def _inside_out(told: Document) -> None:
    told["annotations"][0]["bbox"] = [1, 2, -3, 4]


def _nowhere(told: Document) -> None:
    told["images"][0]["file_name"] = "never taken.jpg"


def _elsewhere(told: Document) -> None:
    told["images"][0]["file_name"] = "../annotations.json"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_typo, r"images.0.integrity: .*'intact', 'damaged', 'doubtful' or 'not_a_parcel'"),
        (_no_state, r"images.1.integrity: Field required"),
        (_stray_annotation, r"annotation 3 belongs to image 99"),
        (_stray_category, r"annotation 3 belongs to category 99"),
        (_twice, r"two images have one id"),
        (_three_sides, r"annotations.0.bbox"),
        (_inside_out, r"annotations.0.bbox.2"),
        (_nowhere, r"names 1 pictures that are not there: never taken.jpg"),
        (_elsewhere, r"not there: \.\./annotations.json"),
    ],
)
def test_labels_that_cannot_be_used_say_where(tmp_path: Path, change: Callable[[Document], None], told: str) -> None:
    wrong = document()
    change(wrong)
    with pytest.raises(LabelsError, match=told) as caught:
        read_labelled(write(tmp_path, wrong))
    assert "annotations.json" in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"images": 3}', "\xff"])
def test_a_file_that_is_no_document_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "annotations.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(LabelsError, match=r"annotations.json cannot be used: "):
        read_labelled(tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="nor folders named intact"):
        read_labelled(tmp_path)
    with pytest.raises(LabelsError, match="is no folder"):
        read_labelled(tmp_path / "nowhere")
    (tmp_path / "intact").mkdir()
    with pytest.raises(LabelsError, match="no labelled picture"):
        read_labelled(tmp_path)
