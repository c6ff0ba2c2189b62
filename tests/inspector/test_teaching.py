"""Teaching: what is good is kept, what is not is named with what to do, and nothing is half-stored."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector.frame import decode
from inspector.gallery import Gallery, GalleryError
from inspector.teaching import Lesson, Photo, ViewError, from_box, teach
from tests.inspector.likeness import BLUE, GREEN, NOW, RED, ColourEmbedder, cut_out, photo, thing


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    return Gallery.open(tmp_path / "gallery.sqlite", ColourEmbedder())


def learn(
    gallery: Gallery, item: str, *photos: bytes, though_alike: bool = False, weight_g: float | None = None
) -> Lesson:
    shown = [Photo(f"{n}.png", content) for n, content in enumerate(photos)]
    return teach(gallery, item, shown, cut_out, at=NOW, by="li", though_alike=though_alike, weight_g=weight_g)


def blurred(content: bytes) -> bytes:
    return cv2.imencode(".png", cv2.GaussianBlur(decode(content, name="p").bgr, (0, 0), 25))[1].tobytes()


def test_good_photos_are_kept_and_the_same_again_is_known(gallery: Gallery) -> None:
    first = learn(gallery, "cable", photo(RED), photo(RED, seed=1), weight_g=42)
    assert first.kept.keys() == {"0.png", "1.png"}
    again = learn(gallery, "cable", photo(RED, seed=1))
    assert again.known == {"0.png": first.kept["1.png"]}
    cable = gallery.items(["cable"])["cable"]
    assert (len(cable.references), cable.weight_g) == (2, 42)


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        (b"", "unreadable"),
        (b"\xff\xd8\xff no picture", "unreadable"),
        (cv2.imencode(".png", np.full((200, 200, 3), 235, np.uint8))[1].tobytes(), "nothing"),
        (photo(RED, GREEN), "several"),
        (photo(RED, side=60), "too_small"),
        (blurred(photo(RED, side=300)), "blurred"),
    ],
    ids=["empty", "damaged", "nothing", "several", "small", "blurred"],
)
def test_a_photo_that_would_not_help_is_named_and_nothing_is_stored(gallery: Gallery, shown: bytes, code: str) -> None:
    lesson = learn(gallery, "cable", shown, weight_g=42)
    assert [one.error.code for one in lesson.refused] == [code]
    assert gallery.ids() == [], "nor its weight"


def test_of_several_the_good_ones_are_kept(gallery: Gallery) -> None:
    lesson = learn(gallery, "cable", photo(RED), photo(RED, GREEN), photo(RED, seed=2))
    assert lesson.kept.keys() == {"0.png", "2.png"}
    assert [one.photo for one in lesson.refused] == ["1.png"]
    assert len(gallery.items(["cable"])["cable"].references) == 2


def test_what_looks_like_another_item_is_asked_about(gallery: Gallery) -> None:
    learn(gallery, "cable", photo(RED))
    lesson = learn(gallery, "twin", photo(RED, seed=3))
    (refused,) = lesson.refused
    assert refused.error.like is not None
    assert (refused.error.code, refused.error.like.item) == ("alike", "cable")
    assert "'cable'" in str(refused.error)
    assert gallery.ids() == ["cable"]
    assert learn(gallery, "twin", photo(RED, seed=3), though_alike=True).kept
    assert learn(gallery, "ball", photo(BLUE)).kept, "nobody takes blue for red"


def test_another_view_of_an_item_is_not_held_against_its_twin(gallery: Gallery) -> None:
    learn(gallery, "cable", photo(RED))
    learn(gallery, "twin", photo((60, 60, 200), seed=3), though_alike=True)
    assert learn(gallery, "cable", photo(RED, seed=4)).kept, "it looks more like itself"


def test_a_weight_alone_needs_a_known_item(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match="not taught yet: give at least one photo"):
        learn(gallery, "cable", weight_g=42)
    learn(gallery, "cable", photo(RED))
    learn(gallery, "cable", weight_g=43)
    assert gallery.items(["cable"])["cable"].weight_g == 43


def open_box() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = np.full((300, 400, 3), 235, np.uint8)
    bgr, mask = thing(GREEN)
    picture[100:220, 150:270][mask] = bgr[mask]
    return picture


def test_what_lies_in_a_box_is_cut_out_of_it() -> None:
    bgr, mask = from_box(open_box(), (145, 112, 130, 96))
    assert 0.4 < mask.mean() < 0.8
    assert bgr[mask].mean(axis=0)[1] > 150
    assert bgr[~mask].mean() > 220, "the ground is left out"


def test_what_does_not_stand_out_is_taken_as_the_box_shows_it() -> None:
    bgr, mask = from_box(open_box(), (10, 10, 40, 40))
    assert bgr.shape == (40, 40, 3)
    assert mask.all(), "nothing but ground"
    bgr, _ = from_box(open_box(), (-20, -20, 60, 70))
    assert bgr.shape == (50, 40, 3), "the part that is in the picture"
    whole, mask = from_box(open_box(), (0, 0, 400, 300))
    assert whole.shape == (300, 400, 3)
    assert mask.all(), "nothing lies around it"
    almost, mask = from_box(open_box(), (0, 0, 400, 299.5))
    assert almost.shape == (300, 400, 3)
    thin, mask = from_box(open_box(), (150.2, 160.4, 118, 1.2))
    assert thin.shape[:2] == mask.shape


@pytest.mark.parametrize("box", [(0, 0, 5, 5), (500, 0, 90, 90), (0, -100, 90, 90), (390, 290, 90, 90)])
def test_a_box_that_shows_nothing_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ViewError, match="draw it larger"):
        from_box(open_box(), box)
