"""The parts of the scene renderer that need no Blender: folds, tears, labels, masks, collecting."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.scenes.blender.collect import collect
from models.scenes.blender.damage.fold import Fold, crushed_corner
from models.scenes.blender.damage.tear import Tear
from models.scenes.blender.faces import FACES
from models.scenes.blender.label import shipping_label
from models.scenes.blender.masks import box_of, run_lengths

HALF = np.array([0.15, 0.1, 0.06])


def unpack(packed: dict[str, Any]) -> np.ndarray[Any, Any]:
    """COCO's compressed run lengths, read as its format tells."""
    counts: list[int] = []
    letters = iter(packed["counts"])
    for letter in letters:
        value, shift, part = 0, 0, ord(letter) - 48
        while True:
            value |= (part & 0x1F) << shift
            shift += 5
            if not part & 0x20:
                if part & 0x10:
                    value |= -1 << shift
                break
            part = ord(next(letters)) - 48
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    flat = np.repeat(np.arange(len(counts)) % 2, counts)
    height, width = packed["size"]
    return np.asarray(flat.reshape(width, height).T.astype(bool))


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 70))))
def test_run_lengths_give_the_mask_back(mask: np.ndarray[Any, Any]) -> None:
    assert (unpack(run_lengths(mask)) == mask).all()


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 9), st.integers(1, 9))
def test_a_box_holds_the_mask_and_no_more(x: int, y: int, width: int, height: int) -> None:
    mask = np.zeros((32, 32), bool)
    mask[y : y + height, x : x + width] = True
    assert box_of(mask) == [x, y, width, height]


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_a_mirroring_fold_bends_board_without_stretching_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal(3)
    normal /= np.linalg.norm(normal)
    fold = Fold(normal, 0.0, 1.0, round=1e-6)
    beyond = rng.uniform(0.01, 0.2, (20, 1)) * normal + np.cross(rng.standard_normal((20, 3)), normal)
    moved = fold(beyond)
    before = np.linalg.norm(beyond[1:] - beyond[:-1], axis=1)
    after = np.linalg.norm(moved[1:] - moved[:-1], axis=1)
    assert after == pytest.approx(before, rel=1e-3)
    assert (fold.excess(moved) < 0).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.2, 1.0))
def test_a_crushed_corner_moves_that_corner_inwards_and_leaves_the_far_one(seed: int, severity: float) -> None:
    crush = crushed_corner(np.random.default_rng(seed), HALF, severity, (1, -1, 1))
    corner = np.array([[0.15, -0.1, 0.12]])
    far = np.array([[-0.15, 0.1, 0.0]])
    moved, _, _ = crush.work(corner)
    assert np.linalg.norm(moved - corner) > 0.005
    assert ((moved - corner) * [1, -1, 1] @ np.ones(3) < 0).all()
    assert np.linalg.norm(crush.work(far)[0] - far) < 1e-4


def test_a_tear_takes_the_board_in_its_middle_and_on_its_face_only() -> None:
    tear = Tear.of(np.random.default_rng(3), "top", (0.05, 0.0), 0.03, 0.8, HALF)
    middle, far = np.array([[0.05, 0.0, 0.12]]), np.array([[-0.1, 0.0, 0.12]])
    assert not tear.keep(middle, FACES["top"].normal)[0]
    assert tear.keep(far, FACES["top"].normal)[0]
    assert tear.keep(middle, FACES["front"].normal)[0]


@pytest.mark.parametrize("chinese", [False, True])
def test_a_label_says_its_number_twice(chinese: bool) -> None:
    label = shipping_label("LL000000042", np.random.default_rng(1), chinese=chinese)
    read = zxingcpp.read_barcodes((label.rgb * 255).astype(np.uint8))
    assert sorted(code.text for code in read) == ["LL000000042"] * 2


def test_collect_leaves_out_half_written_lines_and_pictures_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    rows = []
    for name in ("a", "b", "gone"):
        image = {"file_name": f"{name}.jpg", "group_id": name, "integrity_visible": "intact"}
        rows.append(json.dumps({"image": image, "annotations": [{"category": "carton", "bbox": [0, 0, 1, 1]}]}))
        if name != "gone":
            (tmp_path / "images" / f"{name}.jpg").touch()
    (tmp_path / "part000.jsonl").write_text("\n".join(rows) + '\n{"image": {"file_na', "utf-8")
    collect(tmp_path, val=1.0)
    document = json.loads((tmp_path / "annotations.json").read_text("utf-8"))
    assert [image["file_name"] for image in document["images"]] == ["a.jpg", "b.jpg"]
    assert [a["image_id"] for a in document["annotations"]] == [1, 2]
    names = {c["id"]: c["name"] for c in document["categories"]}
    assert {names[a["category_id"]] for a in document["annotations"]} == {"carton"}
    assert {image["split"] for image in document["images"]} == {"val"}
