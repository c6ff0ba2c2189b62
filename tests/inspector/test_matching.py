"""Where keypoints say that an item lies, and when they are too few to say it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from inspector.embedder import unit
from inspector.matching import _poses
from inspector.scene import Keypoints, Scene
from inspector.template import View

SIZE = (640, 480)
ITEM = 100.0


def points(places: np.ndarray, descriptors: np.ndarray, size: float) -> Keypoints:
    count = len(places)
    sizes, angles = np.full(count, size, np.float32), np.zeros(count, np.float32)
    return Keypoints(places.astype(np.float32), descriptors, sizes, angles)


def found(agreeing: int, scale: float) -> list[float]:
    """Share of the picture that each pose's box covers, where so many keypoints lie as the item would show them."""
    rng = np.random.default_rng(5)
    looks = unit(rng.normal(size=(60, 128)).astype(np.float32))
    places = rng.uniform(10, ITEM - 10, (40, 2))
    corners = np.asarray([[0, 0], [ITEM, 0], [ITEM, ITEM], [0, ITEM]], np.float32)
    nothing = np.zeros((0, 128), np.float32)
    view = View(nothing, np.zeros(144, np.float32), points(places, looks[:40], 4), corners, (ITEM, ITEM))
    here = places[:agreeing] * scale + 30
    elsewhere = rng.uniform(0, 480, (20, 2))
    seen = points(np.concatenate([here, elsewhere]), np.concatenate([looks[:agreeing], looks[40:]]), 4 * scale)
    scene = cast(Scene, SimpleNamespace(keypoints=seen, size=SIZE))
    return [float(pose.box[2] * pose.box[3]) / (SIZE[0] * SIZE[1]) for pose in _poses(view, scene)]


@pytest.mark.parametrize("scale", [1.0, 3.5])
def test_many_keypoints_that_agree_make_a_place_of_any_size(scale: float) -> None:
    (share,) = found(12, scale)
    assert share == pytest.approx((ITEM * scale) ** 2 / (SIZE[0] * SIZE[1]), rel=0.05)


def test_few_keypoints_make_a_small_place_and_no_large_one() -> None:
    assert len(found(4, 1.0)) == 1
    assert found(4, 3.5) == [], "as many agree by chance, over half of the picture"
