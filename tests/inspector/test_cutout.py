"""Items come free from plain grounds, and photos without one come back whole."""

import numpy as np
import pytest

from inspector.cutout import cut_out, proposals
from inspector.frame import Pixels
from tests.inspector.products import box, photo, product


@pytest.mark.parametrize("ground", [0, 128, 250])
def test_an_item_on_a_plain_ground_is_freed(ground: int) -> None:
    pack = product(3)
    ((crop, mask),) = cut_out(photo(pack, ground))
    assert crop.shape[:2] == mask.shape
    assert mask.sum() == pytest.approx(pack.shape[0] * pack.shape[1], rel=0.06)
    assert abs(crop.shape[0] - pack.shape[0]) < 30


def test_two_items_come_free_one_by_one() -> None:
    picture = np.full((300, 600, 3), 240, np.uint8)
    first, second = product(1), product(2)
    picture[60 : 60 + first.shape[0], 40:240] = first
    picture[60 : 60 + second.shape[0], 340:540] = second
    assert len(cut_out(picture)) == 2


def metal(height: int, width: int, seed: int) -> Pixels:
    """Brushed steel under a lamp: bright on one side, dark on the other, with a grain."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    light = 140 + 60 * x - 35 * y + 25 * x * y + rng.normal(0, 3, (height, 1))
    return np.asarray(np.clip(light[..., None] * np.array([1.08, 1.0, 0.96]), 0, 255), np.uint8)


def test_one_item_on_metal_under_a_lamp_stays_one() -> None:
    picture = metal(240, 320, 0)
    picture[100:140, 60:130] = (110, 100, 95)  # a bottle in the greys of the metal, in five parts
    picture[100:140, 130:150] = (235, 235, 235)
    picture[100:140, 150:180] = (170, 160, 150)
    picture[100:140, 180:195] = (235, 235, 235)
    picture[100:140, 195:260] = (110, 100, 95)
    ((_, mask),) = cut_out(picture)
    assert mask.sum() == pytest.approx(40 * 200, rel=0.2)


def test_two_items_on_metal_under_a_lamp_stay_two() -> None:
    picture = metal(240, 320, 1)
    picture[40:110, 40:120] = (30, 30, 200)
    picture[130:200, 190:280] = (200, 60, 30)
    assert len(cut_out(picture)) == 2


def test_a_photo_without_a_plain_ground_comes_back_whole() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    ((crop, mask),) = cut_out(noise)
    assert crop.shape == noise.shape
    assert mask.all()


def test_an_empty_ground_comes_back_whole() -> None:
    ((_, mask),) = cut_out(np.full((100, 100, 3), 200, np.uint8))
    assert mask.all()


def test_the_same_photo_is_cut_the_same() -> None:
    one, two = cut_out(photo(product(5)))[0][1], cut_out(photo(product(5)))[0][1]
    assert np.array_equal(one, two)


def test_things_in_a_box_are_proposed() -> None:
    places = [(160, 140), (460, 330)]
    found = np.array(proposals(box([(product(k), place, 0) for k, place in enumerate(places)])))
    for k, (x, y) in enumerate(places):
        height, width = (0.8 * side for side in product(k).shape[:2])
        true = np.array([x - width / 2, y - height / 2, width, height])
        near = np.maximum(found[:, :2], true[:2])
        far = np.minimum(found[:, :2] + found[:, 2:], true[:2] + true[2:])
        common = np.clip(far - near, 0, None).prod(1)
        assert (common / (found[:, 2:].prod(1) + width * height - common)).max() > 0.6


def test_each_place_is_proposed_once_and_only_so_many() -> None:
    picture = box([(product(k), place, 0) for k, place in enumerate([(160, 140), (460, 330)])])
    found = np.array(proposals(picture))
    areas = found[:, 2:].prod(1)
    near = np.maximum(found[:, None, :2], found[None, :, :2])
    far = np.minimum((found[:, :2] + found[:, 2:])[:, None], (found[:, :2] + found[:, 2:])[None])
    common = np.clip(far - near, 0, None).prod(2)
    alike = common / (areas[:, None] + areas[None] - common)
    assert (alike[~np.eye(len(found), dtype=bool)] <= 0.81).all()
    assert len(proposals(picture, most=5)) == 5


def test_nothing_is_proposed_where_nothing_lies() -> None:
    assert proposals(np.full((240, 320, 3), 128, np.uint8)) == []
