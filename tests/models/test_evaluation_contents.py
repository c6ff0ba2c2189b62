"""Figures of the contents check, from lessons of which everything is known."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from inspector.spec import ExpectedItem
from inspector.verdict import ItemSeen
from models.evaluation import contents
from models.evaluation.cli import evaluate
from models.evaluation.lessons import Lesson, mask_of, photos, registered
from tests.inspector.products import box, photo, product


def row(group: str, truth: int, expected: int, result: str, found: int) -> contents.Row:
    return contents.Row(group, truth, expected, ItemSeen("x", expected, found, result, 0.5), 0.1)


def test_presence_counts_what_was_decided_and_what_was_left() -> None:
    rows = [row("a", 1, 1, "present", 1), row("a", 1, 1, "unsure", 0)]
    rows += [row("b", 0, 1, "missing", 0), row("b", 0, 1, "present", 1)]
    told = contents.presence(rows)
    assert told["decided_right"]["value"] == 0.5
    assert told["unsure"]["value"] == 0.25
    assert (told["absent_called_present"]["value"], told["absent_called_present"]["n"]) == (0.5, 2)


def test_counting_tells_exact_from_nearly() -> None:
    told = contents.counting([row("a", 3, 3, "present", 3), row("b", 3, 4, "missing", 2), row("c", 5, 5, "unsure", 1)])
    assert told["exact"]["value"] == pytest.approx(1 / 3, abs=1e-3)
    assert told["within_one"]["value"] == pytest.approx(2 / 3, abs=1e-3)
    assert told["exact_or_unsure"]["value"] == pytest.approx(2 / 3, abs=1e-3)


def test_orders_hold_what_is_there_and_as_much_that_is_not() -> None:
    truth = {name: [(0.0, 0.0, 9.0, 9.0)] for name in "ab"} | {name: [] for name in "cdef"}
    lesson = Lesson("f", "g", np.zeros((9, 9, 3), np.uint8), truth)
    for order in contents.presence_orders(lesson, np.random.default_rng(0), 4):
        names = [line.item for line in order]
        assert names[:2] == ["a", "b"]
        assert len(names) == 4
        assert not set(names[2:]) & {"a", "b"}


def test_a_changed_order_is_wrong_in_one_item() -> None:
    truth = {"a": [(0.0, 0.0, 9.0, 9.0)], "b": [(0.0, 0.0, 9.0, 9.0)] * 2, "c": []}
    lesson = Lesson("renders", "g", np.zeros((9, 9, 3), np.uint8), truth)
    rng = np.random.default_rng(0)
    assert contents.changed_order(lesson, "complete", rng) == ([ExpectedItem("a", 1), ExpectedItem("b", 2)], None)
    assert contents.changed_order(lesson, "missing", rng) is not None
    order, odd = contents.changed_order(lesson, "doubled", rng) or ([], None)
    assert next(line.quantity for line in order if line.item == odd) == len(truth[str(odd)]) + 1
    order, odd = contents.changed_order(lesson, "foreign", rng) or ([], None)
    assert odd not in {line.item for line in order}


def test_run_lengths_are_read_as_coco_writes_them() -> None:
    # 2 x 3, column by column: one background pixel, three of the thing, two of background
    mask = mask_of({"size": [2, 3], "counts": "132"})
    assert mask.tolist() == [[False, True, False], [True, True, False]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    packs = {f"toy/pack-{seed}": product(seed) for seed in (11, 12, 14)}
    references = {}
    for number, (name, pack) in enumerate(packs.items(), 1):
        references[str(number)] = [f"{name.split('/')[1]}.png"]
        cv2.imwrite(str(tmp_path / references[str(number)][0]), photo(pack))
    first, second = list(packs)[:2]
    picture = box([(packs[first], (150, 130), 20.0), (packs[second], (450, 330), 75.0)])
    cv2.imwrite(str(tmp_path / "box.png"), picture)
    told = {
        "images": [{"id": 1, "file_name": "box.png", "width": 640, "height": 480, "is_reference": False}],
        "categories": [{"id": i, "name": name} for i, name in enumerate(packs, 1)],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [60, 60, 180, 150]},
            {"id": 2, "image_id": 1, "category_id": 2, "bbox": [370, 250, 160, 170]},
        ],
        "references": references,
    }
    (tmp_path / "annotations.json").write_text(json.dumps(told), "utf-8")
    return tmp_path


def test_a_family_with_reference_photos_is_taught_from_them(folder: Path) -> None:
    taught, lessons = registered(folder, family="toy")
    assert set(taught) == {"toy/pack-11", "toy/pack-12", "toy/pack-14"}
    assert [len(lesson.truth[name]) for lesson in lessons for name in sorted(taught)] == [1, 1, 0]


def test_a_crop_to_teach_from_shows_its_thing_whole(tmp_path: Path) -> None:
    boxes = [
        (1, [100, 100, 120, 90]),  # lies under the next one
        (1, [180, 120, 120, 90]),
        (2, [20, 300, 60, 60]),  # alone, and smaller
        (2, [560, 400, 80, 80]),  # runs out of the picture
    ]
    for number, category in enumerate((1, 2), 1):
        noise = np.random.default_rng(number).integers(0, 255, (480, 640, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{category}.png"), noise)
    told = {
        "images": [
            {"id": i, "file_name": f"{i}.png", "width": 640, "height": 480, "is_reference": False} for i in (1, 2)
        ],
        "categories": [{"id": 1, "name": "toy/thing"}],
        "annotations": [
            {"id": n, "image_id": image, "category_id": 1, "bbox": bbox} for n, (image, bbox) in enumerate(boxes)
        ],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(told), "utf-8")
    taught, lessons = photos(tmp_path, np.random.default_rng(0), family="toy", shots=3)
    assert len(taught["toy/thing"]) == 1, "one of the pictures shows a thing whole"
    assert max(taught["toy/thing"][0][0].shape[:2]) <= 75
    assert [lesson.group for lesson in lessons] == ["1.png"]


def test_the_command_measures_a_folder(folder: Path) -> None:
    answer = CliRunner().invoke(evaluate, ["contents", str(folder), "--json", "--threads", "1"])
    assert answer.exit_code == 0, answer.output
    presence = json.loads(answer.stdout)["families"]["toy"]["presence"]
    assert presence["present_called_present"]["value"] == 1.0
    assert presence["absent_called_present"]["value"] == 0.0


def test_the_command_tells_what_corrections_bring(folder: Path) -> None:
    told = json.loads((folder / "annotations.json").read_text("utf-8"))
    alone = CliRunner().invoke(evaluate, ["contents", str(folder), "--json", "--threads", "1"])
    assert "presence_after_corrections" not in json.loads(alone.stdout)["families"]["toy"], "there is no other picture"
    cv2.imwrite(str(folder / "other.png"), box([(product(11), (420, 200), 100.0)]))
    told["images"].append({"id": 2, "file_name": "other.png", "width": 640, "height": 480, "is_reference": False})
    told["annotations"].append({"id": 3, "image_id": 2, "category_id": 1, "bbox": [345, 105, 150, 190]})
    (folder / "annotations.json").write_text(json.dumps(told), "utf-8")
    answer = CliRunner().invoke(evaluate, ["contents", str(folder), "--json", "--threads", "1"])
    corrected = json.loads(answer.stdout)["families"]["toy"]["presence_after_corrections"]
    found = corrected["present_called_present"]
    assert (found["value"], found["n"]) == (1.0, 6), "pack-11, which lies in both, in three orders each"


def test_a_folder_without_labels_is_named(tmp_path: Path) -> None:
    answer = CliRunner().invoke(evaluate, ["contents", str(tmp_path)])
    assert answer.exit_code == 2
    assert str(tmp_path) in answer.output
