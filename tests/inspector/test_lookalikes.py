"""Which two items look alike: those that the check would take for each other, not all that a network finds alike."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector.cutout import cut_out
from inspector.embedder import Embedder
from inspector.frame import Pixels
from inspector.gallery import Gallery
from inspector.lookalikes import CANVAS, SHARE, alone, taken_for
from inspector.teaching import Lesson, Photo, teach
from tests.inspector.likeness import NOW
from tests.inspector.products import photo, product, taught_from_photos


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(threads=1)


@pytest.fixture
def gallery(tmp_path: Path, embedder: Embedder) -> Gallery:
    return Gallery.open(tmp_path / "gallery.sqlite", embedder)


def learn(gallery: Gallery, item: str, pack: Pixels, ground: int = 235) -> Lesson:
    content = cv2.imencode(".png", photo(pack, ground))[1].tobytes()
    return teach(gallery, item, [Photo(f"{item}.png", content)], cut_out, at=NOW)


def test_the_same_pack_is_taken_for_itself_and_not_for_another(embedder: Embedder) -> None:
    taught = taught_from_photos({"red": product(11), "other": product(12)}, embedder)
    ((crop, mask),) = cut_out(photo(product(11), ground=200))
    own, other = (taken_for(crop, mask, taught[item], embedder) for item in ("red", "other"))
    assert own > 8
    assert other < 3, "though both have a word and coloured shapes on a square"


def test_different_packs_of_one_series_are_not_refused(gallery: Gallery) -> None:
    lessons = [learn(gallery, f"pack-{seed}", product(seed)) for seed in range(11, 15)]
    assert [lesson.item for lesson in lessons if lesson.refused] == []


def test_the_same_pack_under_another_name_is_refused_however_many_there_are(gallery: Gallery) -> None:
    for seed in range(11, 19):
        learn(gallery, f"pack-{seed}", product(seed))
    (refused,) = learn(gallery, "twin", product(11), ground=200).refused
    assert refused.error.like is not None
    assert (refused.error.code, refused.error.like.item) == ("alike", "pack-11")


@pytest.mark.parametrize("odds", [0.5, 2.0, 4.0])
def test_a_little_alike_is_told_and_kept(gallery: Gallery, monkeypatch: pytest.MonkeyPatch, odds: float) -> None:
    learn(gallery, "pack-11", product(11))
    learn(gallery, "pack-12", product(12))
    monkeypatch.setattr("inspector.teaching.taken_for", lambda *_: odds)
    lesson = learn(gallery, "twin", product(11), ground=200)
    assert bool(lesson.refused) == (odds > np.log(2 * 20))
    told = {name: like.item for name, like in lesson.like.items()}
    assert told == ({"twin.png": "pack-11"} if odds == 2.0 else {}), "of two items it may be either by chance"


def test_a_thing_lies_alone_in_the_middle() -> None:
    crop, mask = np.full((50, 100, 3), 200, np.uint8), np.zeros((50, 100), np.bool_)
    mask[10:40, 10:90] = True
    picture = alone(crop, mask)
    assert picture.shape == (*CANVAS, 3)
    rows, columns = np.nonzero((picture == 200).all(2))
    assert (columns.max() - columns.min() + 1) == pytest.approx(0.8 * SHARE * CANVAS[1], abs=3)
    assert (rows.mean(), columns.mean()) == pytest.approx((CANVAS[0] / 2, CANVAS[1] / 2), abs=2)
