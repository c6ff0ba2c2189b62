"""The training data is read as it was written, and stays true while views are made of it."""

# ruff: noqa: E402  # torch is an extra: nothing of training is imported before it is known to be there
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from models.training.data import Photo, Rle, decode, encode, fold_of, read_photos, read_renders
from models.training.network import CLASSES, DAMAGE_KINDS
from models.training.piles import Cutout, cutout, piled
from models.training.plan import close_ups, crowd, far_looks, make, plan, shaken_looks
from models.training.views import (
    Shot,
    cut,
    look_at_frame,
    look_at_parcel,
    mirrored,
    parted,
    quarter_turns,
    shot_of,
)


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)))
def test_run_lengths_come_back_as_they_went(mask: np.ndarray) -> None:
    assert np.array_equal(decode(encode(mask)), mask)


def test_run_lengths_are_those_of_coco() -> None:
    # 5 background, 2 mask, 2 background, 2 mask ... by hand from maskApi.c: from the fourth run on, differences
    mask = np.zeros((4, 5), bool)
    mask[1:3, 1:4] = True
    assert encode(mask) == Rle((4, 5), _by_hand([5, 2, 2, 2, 2, 2, 5]))


def _by_hand(runs: list[int]) -> str:
    """Runs so small that each is one character: value, or from the fourth on the difference to the one two before."""
    small = [run - (runs[i - 2] if i > 2 else 0) for i, run in enumerate(runs)]
    return "".join(chr(48 + (value & 31)) for value in small)


def test_run_lengths_that_do_not_fill_the_mask_are_refused() -> None:
    with pytest.raises(ValueError, match="10 x 10"):
        decode(Rle((10, 10), "52"))


def picture(folder: Path, name: str = "a.jpg", height: int = 200, width: int = 300) -> Path:
    (folder / "images").mkdir(exist_ok=True, parents=True)
    pixels = np.full((height, width, 3), 70, np.uint8)
    cv2.rectangle(pixels, (80, 50), (219, 149), (110, 150, 185), -1)
    cv2.imwrite(str(folder / "images" / name), pixels)
    return folder / "images" / name


def photos(folder: Path, **image: object) -> list[Photo]:
    picture(folder)
    told: dict[str, object] = {
        "id": 1,
        "file_name": "a.jpg",
        "integrity": "intact",
        "marks_checked": True,
        "group_id": "g",
    }
    document = {
        "categories": [
            {"id": 1, "name": "parcel"},
            {"id": 6, "name": "this_way_up"},
            {"id": 3, "name": "ghs_pictogram"},
        ],
        "images": [told | image],
        "annotations": [
            {"image_id": 1, "category_id": 1, "bbox": [80, 50, 140, 100]},
            {"image_id": 1, "category_id": 6, "bbox": [100, 60, 30, 40], "rotation": 90},
            {"image_id": 1, "category_id": 3, "bbox": [0, 0, 10, 10]},
        ],
    }
    (folder / "annotations.json").write_text(json.dumps(document), "utf-8")
    return list(read_photos(folder))


def render(folder: Path) -> Photo:
    picture(folder)
    outline, torn = np.zeros((200, 300), bool), np.zeros((200, 300), bool)
    outline[50:150, 80:220] = True
    torn[60:80, 90:130] = True
    rows: list[tuple[str, np.ndarray, dict[str, object]]] = [
        ("carton", outline, {"main": True}),
        ("damage_tear_hole", torn, {}),
        ("mark_stack_limit", torn, {"angle_deg": 10, "area": 200}),
    ]
    document = {
        "categories": [{"id": i, "name": name} for i, (name, _, _) in enumerate(rows)],
        "images": [
            {"id": 1, "file_name": "a.jpg", "group_id": "g1", "scene": "sealed", "integrity_visible": "damaged"},
        ],
        "annotations": [
            {
                "image_id": 1,
                "category_id": i,
                "bbox": [80, 50, 140, 100] if i == 0 else [90, 60, 40, 20],
                "segmentation": {"size": [200, 300], "counts": encode(mask).counts},
                "area": int(mask.sum()),
                **more,
            }
            for i, (_, mask, more) in enumerate(rows)
        ],
    }
    (folder / "annotations.json").write_text(json.dumps(document), "utf-8")
    return next(read_renders(folder))


def test_a_photo_keeps_what_we_know_and_drops_what_is_no_class_of_ours(tmp_path: Path) -> None:
    [photo] = photos(tmp_path)
    assert [CLASSES[c] for c in photo.classes] == ["parcel", "this_way_up"]
    assert photo.turns[1] == 90
    assert np.isnan(photo.turns[0])
    assert photo.judged.all()
    assert photo.damaged is False
    assert photo.main_box() == (80, 50, 140, 100)


def test_how_much_of_a_thing_is_seen_is_known_of_renders_only(tmp_path: Path) -> None:
    assert render(tmp_path / "renders").shown == pytest.approx([1.0, 0.25])
    [photo] = photos(tmp_path / "photos")
    assert (photo.shown == 1).all()


@pytest.mark.parametrize("checked", [False, "unsure"])
def test_marks_nobody_looked_for_are_not_taken_as_absent(tmp_path: Path, checked: object) -> None:
    [photo] = photos(tmp_path, marks_checked=checked)
    assert [CLASSES[i] for i in np.flatnonzero(photo.judged)] == ["parcel", "shipping_label"]


def test_doubtful_damage_is_neither(tmp_path: Path) -> None:
    [photo] = photos(tmp_path, integrity="doubtful")
    assert photo.damaged is None
    assert shot_of(photo).damage is None


def test_a_render_knows_its_damage_cell_by_cell(tmp_path: Path) -> None:
    photo = render(tmp_path)
    view = look_at_parcel(shot_of(photo), photo, photo.main_box())
    assert [CLASSES[c] for c in photo.classes] == ["parcel", "other_mark"]
    assert view.damaged is True
    assert view.damage is not None
    torn = view.damage[DAMAGE_KINDS.index("tear")]
    assert view.damage.sum() == pytest.approx(torn.sum())
    mark = view.boxes[1]  # the mark lies where the tear is
    rows, columns = np.nonzero(torn >= 0.5)
    assert (columns.min() * 8, rows.min() * 8) == pytest.approx(mark[:2], abs=8)
    assert (columns.max() * 8 + 8, rows.max() * 8 + 8) == pytest.approx(mark[2:], abs=8)


def test_the_first_look_asks_nothing_about_damage_of_the_whole(tmp_path: Path) -> None:
    photo = render(tmp_path)
    assert look_at_frame(shot_of(photo), photo).damaged is None


def shot(seed: int, classes: list[int]) -> Shot:
    """A black picture in which each box is filled with white, so that boxes can be checked against pixels."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((90, 140, 3), np.uint8)
    x, y = int(rng.integers(5, 80)), int(rng.integers(5, 50))
    w, h = int(rng.integers(8, 50)), int(rng.integers(8, 35))
    pixels[y : y + h, x : x + w] = 255
    damage = np.zeros((len(DAMAGE_KINDS), 90, 140), bool)
    damage[1] = pixels[..., 0] > 0
    boxes = np.array([[x, y, x + w, y + h]], np.float32)
    judged = np.ones(len(CLASSES), bool)
    return Shot(pixels, boxes, np.array(classes), np.array([30.0], np.float32), judged, damage, damaged=True)


def white(pixels: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(pixels[..., 0] > 128)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), times=st.integers(0, 5), mirror=st.booleans())
def test_boxes_and_masks_move_with_their_pixels(seed: int, times: int, *, mirror: bool) -> None:
    moved = quarter_turns(shot(seed, [0]), times)
    moved = mirrored(moved) if mirror else moved
    assert tuple(moved.boxes[0]) == white(moved.pixels)
    assert moved.damage is not None
    assert np.array_equal(moved.damage[1], moved.pixels[..., 0] > 128)
    expected = (30 + 90 * times) % 360
    assert moved.turns[0] == ((-expected) % 360 if mirror else expected)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), left=st.integers(0, 60), top=st.integers(0, 40))
def test_a_cut_clips_boxes_and_drops_what_is_nearly_gone(seed: int, left: int, top: int) -> None:
    whole = shot(seed, [0])
    part = cut(whole, left, top, 70, 45)
    if len(part.boxes):
        assert tuple(part.boxes[0]) == white(part.pixels)
    else:
        assert (part.pixels[..., 0] > 0).sum() <= (whole.pixels[..., 0] > 0).sum() / 3 + 1


def test_groups_fall_into_the_same_fold_every_time_and_into_all_of_them() -> None:
    groups = [f"g{i:04}" for i in range(60)]
    folds = [fold_of(g, 3) for g in groups]
    assert folds == [fold_of(g, 3) for g in groups]
    assert min(folds.count(f) for f in range(3)) >= 10


def test_the_plan_makes_true_views_and_the_same_ones_again(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "r").mkdir()
    jobs = plan([*photos(tmp_path / "p"), render(tmp_path / "r")], seed=3)
    views = list(make(jobs))
    assert len(views) == len(jobs)
    assert {v.look for v in views} == {"frame", "parcel"}
    for job, view in zip(jobs, views, strict=True):
        assert view.canvas.shape == (320, 320, 3)
        assert (view.boxes >= -0.5).all()
        assert (view.boxes <= 320.5).all()
        assert len(view.boxes) == len(view.classes) == len(view.turns)
        if job.dress == "damage":
            assert view.damaged is True
            assert view.damage is not None
            assert view.damage.max() > 0
    again = list(make(jobs[:6]))
    assert all(np.array_equal(a.canvas, b.canvas) for a, b in zip(views[:6], again, strict=True))


def test_crowded_views_show_many_marks_and_say_nothing_of_damage(tmp_path: Path) -> None:
    views = list(make(crowd(photos(tmp_path), seed=2)))
    assert len(views) == 7
    assert {v.damaged for v in views} == {None}
    assert max(int((v.classes >= 2).sum()) for v in views) >= 4


def test_shaken_looks_are_all_different_and_know_what_they_show(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "r").mkdir()
    jobs = shaken_looks([*photos(tmp_path / "p"), render(tmp_path / "r")], seed=3)
    views = list(make(jobs))
    shown = [(v.source, job.dress, v.damaged) for job, v in zip(jobs, views, strict=True)]
    assert shown == [
        *[("photos", "shaken", False)] * 4,
        *[("photos", "damage", True)] * 4,
        *[("renders", "shaken", True)] * 3,
    ]
    assert len({v.canvas.tobytes() for v in views}) == len(views)
    assert not any(v.plain for v in views)
    assert all(v.damage is not None and bool(v.damage.any()) is v.damaged for v in views)


def test_a_pile_of_intact_parcels_is_looked_at_as_one_and_is_not_damaged(tmp_path: Path) -> None:
    (photo,) = photos(tmp_path)
    two = np.concatenate([photo.boxes, [[10, 20, 90, 130]]]).astype(np.float32)
    pile = replace(photo, boxes=two, classes=np.append(photo.classes, 0), turns=np.append(photo.turns, np.nan))
    jobs = [job for job in shaken_looks([pile], seed=3) if job.box == (10, 20, 210, 130)]
    assert len(jobs) == 6
    assert {view.damaged for view in make(jobs)} == {False}
    assert shaken_looks(photos(tmp_path, integrity="doubtful"), seed=3) == []


def pile(rng: np.random.Generator, count: int = 5) -> Shot:
    ground = Shot(
        pixels=np.zeros((240, 320, 3), np.uint8),
        boxes=np.array([[100, 80, 180, 140], [110, 90, 130, 110]], np.float32),
        classes=np.array([0, 1]),
        turns=np.full(2, np.nan, np.float32),
        judged=np.ones(len(CLASSES), bool),
        damage=None,
        damaged=False,
    )
    parcel = Cutout(np.full((60, 90, 3), 200, np.uint8), np.ones((60, 90), bool))
    return piled(ground, [parcel] * count, rng)


def test_the_boxes_of_a_pile_are_those_of_what_is_seen_of_its_parcels() -> None:
    counts = set()
    for seed in range(40):
        made = pile(np.random.default_rng(seed))
        counts.add(len(made.boxes))
        assert made.classes.tolist() == [0] * len(made.boxes), "labels are not asked for, so none is told"
        assert made.judged.tolist() == [True] + [False] * (len(CLASSES) - 1)
        assert (made.damage, made.damaged) == (None, None)
        assert (made.boxes[:, :2] >= 0).all()
        assert (made.boxes[:, 2:] <= (320, 240)).all()
        for box in made.boxes[1:].astype(int).tolist():  # the first is the ground's own, and dark
            seen = made.pixels[box[1] : box[3], box[0] : box[2]]
            assert seen.max() > 60, "something light lies in each box of a parcel that was put there"
    assert max(counts) >= 5, "several parcels are there at once"


def test_a_parcel_is_cut_out_without_its_surroundings() -> None:
    pixels, mask = np.zeros((100, 120, 3), np.uint8), np.zeros((100, 120), bool)
    pixels[20:60, 30:90], mask[20:60, 30:90] = 90, True
    found = cutout(pixels, mask)
    assert found is not None
    assert found.pixels.shape == (40, 60, 3)
    assert found.pixels.min() == 90
    assert cutout(pixels, mask & False) is None


def test_a_part_of_a_picture_shows_no_half_parcels(tmp_path: Path) -> None:
    [photo] = photos(tmp_path)
    shot = shot_of(photo)
    for seed in range(60):
        part = parted(shot, np.random.default_rng(seed))
        parcels = part.boxes[part.classes == 0]
        light = (part.pixels.astype(int)[..., 2] > 130).sum() / (140 * 100)
        assert light > 0.45 if len(parcels) else light < 0.1


def test_far_looks_begin_with_each_picture_as_it_is_and_keep_folds_apart(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "r").mkdir()
    pictures = [*photos(tmp_path / "p", group_id="a"), render(tmp_path / "r")]
    jobs = [job for job in far_looks(pictures, 5, 2) if job.dress != "mosaic"]
    assert [(job.photo, job.dress) for job in jobs[:2]] == [(picture, "plain") for picture in pictures]
    assert {"prints", "varied", "part", "pile"} <= {job.dress for job in jobs}
    for job in jobs:
        assert {fold_of(p.group, 2) for p in (job.photo, *job.others)} == {fold_of(job.photo.group, 2)}
    views = list(make(jobs))
    assert [view.plain for view in views] == [job.dress == "plain" for job in jobs]
    assert all(view.look == "frame" for view in views)


def test_close_ups_are_filled_by_their_parcel(tmp_path: Path) -> None:
    jobs = close_ups(photos(tmp_path), seed=1)
    assert [job.dress for job in jobs] == ["close-up"] * 8
    for view in make(jobs):
        [box] = view.boxes[view.classes == 0]
        assert max(box[2] - box[0], box[3] - box[1]) > 0.45 * 320
        assert not view.plain
