"""What is a thing in an open box, and what is only paper, a flap or the floor."""

from __future__ import annotations

from math import log

import cv2
import numpy as np
import pytest

import models
from inspector.cutout import cut_out
from inspector.embedder import Embedder
from inspector.frame import Pixels
from inspector.scene import look
from inspector.things import FITTED, things
from tests.inspector.products import box, photo, product

SURELY = log(0.95 / 0.05)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(threads=1)


@pytest.fixture(scope="module")
def taught(embedder: Embedder) -> np.ndarray:
    views = [cut_out(photo(product(seed)))[0] for seed in (11, 12, 13, 15, 16)]
    return embedder.embed([crop for crop, _ in views], [mask for _, mask in views])


def crumpled(seed: int) -> Pixels:
    """A box full of creased paper of one colour, with a flap that reaches in from its edge."""
    rng = np.random.default_rng(seed)
    picture = box([], seed)
    for _ in range(90):
        start = rng.integers((40, 40), (600, 440))
        turn = start + rng.integers(-90, 90, 2)
        shade = int(rng.integers(-18, 18))
        colour = tuple(int(np.clip(v + shade, 0, 255)) for v in (105, 145, 175))
        cv2.line(picture, tuple(map(int, start)), tuple(map(int, turn)), colour, 3, cv2.LINE_AA)
    cv2.rectangle(picture, (0, 0), (639, 60), (70, 110, 140), -1)
    return picture


@pytest.mark.parametrize("seed", range(4))
def test_neither_an_empty_box_nor_paper_is_a_thing(embedder: Embedder, taught: np.ndarray, seed: int) -> None:
    for picture in (box([], seed), crumpled(seed)):
        assert things(look(picture, embedder), taught, SURELY) == []


def test_each_thing_is_told_once_where_it_lies(embedder: Embedder, taught: np.ndarray) -> None:
    places = [(190, 150), (430, 320)]
    found = things(look(box([(product(14), place, 20.0) for place in places]), embedder), taught, 0.0)
    middles = sorted((x + w / 2, y + h / 2) for x, y, w, h in (thing.box for thing in found[:2]))
    assert np.allclose(middles, places, atol=40)
    assert [thing.odds for thing in found] == sorted((thing.odds for thing in found), reverse=True)


def test_without_anything_taught_nothing_is_said(embedder: Embedder) -> None:
    scene = look(box([(product(14), (190, 150), 0.0)]), embedder)
    assert things(scene, np.zeros((0, embedder.dim), np.float32), -9.0) == []


def test_the_weights_are_those_of_the_embedder_that_ships() -> None:
    assert models.ACTIVE["embedder"] == FITTED, (
        "a new embedder: fit inspector/things.py anew with `python -m models.training.things`, or nothing that nobody "
        "ordered is looked for"
    )
