"""What scenes put into a picture is where they say it is."""

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from models.scenes import labels, marks
from models.scenes.art import Art, opaque
from models.scenes.damage import HARMLESS, HARMS
from models.scenes.outline import outline
from models.scenes.paste import Spot, corners, find_spot, paste, worn
from models.scenes.wording import WORDS

BOARD = (110, 150, 185)


def board(height: int = 240, width: int = 320) -> np.ndarray:
    """A plain carton in a darker room, BGR."""
    picture = np.full((height, width, 3), 60, np.uint8)
    cv2.rectangle(picture, (50, 40), (width - 50, height - 40), BOARD, -1)
    return picture


def parcel(height: int = 240, width: int = 320) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[40 : height - 39, 50 : width - 49] = True
    return mask


def changed(before: np.ndarray, after: np.ndarray, by: int = 12) -> np.ndarray:
    return np.asarray(np.abs(before.astype(int) - after).max(2) > by)


@pytest.mark.parametrize("mark", marks.MARKS)
def test_every_mark_can_be_drawn_in_many_ways(mark: str) -> None:
    drawn = [marks.draw(mark, np.random.default_rng(seed)) for seed in range(8)]
    assert {art.name for art in drawn} == {mark}
    assert all(art.bgra.ndim == 3 and art.bgra.shape[2] == 4 and art.bgra[..., 3].max() > 150 for art in drawn)
    assert len({art.bgra.tobytes() for art in drawn}) == len(drawn)


def test_words_alone_say_one_of_the_marks_in_many_ways() -> None:
    drawn = [marks.words(np.random.default_rng(seed)) for seed in range(40)]
    assert {art.name for art in drawn} == {*WORDS}
    assert {art.ink for art in drawn} == {True, False}
    assert len({art.bgra.tobytes() for art in drawn}) == len(drawn)


def test_the_same_seed_draws_the_same_mark() -> None:
    first, second = (marks.draw("keep_dry", np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first.bgra, second.bgra)


def test_a_mark_nobody_drew_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="radioactive"):
        marks.draw("radioactive", np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(6))
def test_the_barcode_of_a_label_says_its_number(seed: int) -> None:
    rng = np.random.default_rng(seed)
    number = labels.tracking_number(rng)
    art = labels.draw(rng, number)
    sheet = cv2.copyMakeBorder(art.bgra[..., :3], 30, 30, 30, 30, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    large = cv2.resize(sheet, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    assert number in [code.text for code in zxingcpp.read_barcodes(large)]


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(90, 230),
    y=st.floats(90, 150),
    width=st.floats(20, 60),
    turn=st.floats(0, 359),
    squeeze=st.floats(0.5, 1),
    seed=st.integers(0, 1000),
)
def test_a_pasted_box_holds_all_changed_pixels_and_no_more(
    x: float, y: float, width: float, turn: float, squeeze: float, seed: int
) -> None:
    art = Art("fragile", opaque(np.full((120, 160, 3), (20, 20, 220), np.uint8)))
    spot = Spot(x, y, width, turn, squeeze, lean=30.0)
    before = board()
    after, pasted = paste(before, art, spot, np.random.default_rng(seed))
    rows, columns = np.nonzero(changed(before, after))
    seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert pasted.name == "fragile"
    assert pasted.turn == turn
    assert np.abs(np.array(pasted.box) - seen).max() <= 3


def test_a_turn_is_clockwise_from_upright() -> None:
    art = Art("this_way_up", opaque(np.zeros((100, 100, 3), np.uint8)))
    upright, quarter = (corners(Spot(100, 100, 50, turn), art) for turn in (0, 90))
    assert upright[0] == pytest.approx((75, 75))  # the upper left corner
    assert quarter[0] == pytest.approx((125, 75))  # has gone to the upper right


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_spot_lies_on_the_parcel_and_beside_what_is_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    taken = [(60.0, 50.0, 150.0, 120.0)]
    art = marks.draw("fragile", rng)
    spot = find_spot(parcel(), taken, art, rng)
    if spot is None:
        return
    _, pasted = paste(board(), art, spot, rng)
    x1, y1, x2, y2 = pasted.box
    assert x1 >= 47
    assert y1 >= 37
    assert x2 <= 274
    assert y2 <= 204
    assert x2 <= 63 or x1 >= 147 or y2 <= 53 or y1 >= 117


def test_no_spot_is_invented_on_a_parcel_too_small() -> None:
    face = np.zeros((50, 50), bool)
    face[20:25, 20:25] = True
    assert find_spot(face, [], marks.draw("fragile", np.random.default_rng(0)), np.random.default_rng(0)) is None


def test_paper_takes_on_the_light_of_the_place() -> None:
    art = Art("shipping_label", opaque(np.full((100, 100, 3), 245, np.uint8)))
    bright, dark = (np.full((100, 100, 3), level, np.uint8) for level in (170, 35))
    on_bright, on_dark = (
        paste(p, art, Spot(50, 50, 40, 0), np.random.default_rng(0))[0][50, 50] for p in (bright, dark)
    )
    assert on_bright.mean() > 1.5 * on_dark.mean()


def test_wear_changes_paper_and_leaves_its_name() -> None:
    art = marks.draw("lithium_battery", np.random.default_rng(1))
    old = worn(art, np.random.default_rng(2), 1.0)
    assert old.name == art.name
    assert not np.array_equal(old.bgra, art.bgra)
    assert worn(art, np.random.default_rng(2), 0.0) is art


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize("kind", sorted(HARMS))
def test_damage_is_where_its_mask_says_and_stays_near_the_parcel(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = board()
    noise = rng.normal(0, 6, before.shape)
    before = np.clip(before + noise, 0, 255).astype(np.uint8)
    after, mask = HARMS[kind](before, parcel(), rng)
    assert after.shape == before.shape
    assert after.dtype == np.uint8
    assert mask.any()
    moved = changed(before, after, 40)
    far = cv2.dilate(parcel().astype(np.uint8), np.ones((13, 13), np.uint8)) == 0
    assert not (moved & far).any()
    near = cv2.dilate(mask.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0
    assert (moved & near).sum() >= 0.9 * moved.sum()


def test_a_crush_bends_the_outline() -> None:
    before = board()
    bent = 0
    for seed in range(6):
        after, _ = HARMS["crush"](before, parcel(), np.random.default_rng(seed))
        room = np.abs(after.astype(int) - 60).max(2) < 12
        bent += int((room & parcel()).sum() > 60)
    assert bent >= 4


@pytest.mark.parametrize("change", HARMLESS)
def test_harmless_things_change_the_picture(change) -> None:  # type: ignore[no-untyped-def]  # any of three functions
    after = [change(board(), parcel(), np.random.default_rng(seed)) for seed in range(5)]
    assert sum(bool(changed(board(), a, 5).any()) for a in after) >= 4


def test_the_outline_of_a_plain_carton_is_found() -> None:
    rng = np.random.default_rng(0)
    picture = np.clip(board() + rng.normal(0, 5, (240, 320, 3)), 0, 255).astype(np.uint8)
    found = outline(picture, (45.0, 35.0, 275.0, 206.0))
    both, either = (found & parcel()).sum(), (found | parcel()).sum()
    assert both / either > 0.9


def test_an_outline_never_leaves_the_box_by_much() -> None:
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (120, 160, 3)).astype(np.uint8)
    found = outline(picture, (40.0, 30.0, 120.0, 90.0))
    rows, columns = np.nonzero(found)
    assert len(rows)
    assert rows.min() >= 26
    assert rows.max() <= 94
    assert columns.min() >= 36
    assert columns.max() <= 124
