"""The contents check on drawn boxes: what is there is found where it is, and doubt is said."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from inspector.annotate import draw
from inspector.contents import SUPPORTED, Seen, beside, check_contents, judge
from inspector.embedder import Embedder
from inspector.frame import Frame, Pixels
from inspector.gallery import Item
from inspector.spec import Check, ExpectedItem, PackingSpec, Stage
from inspector.verdict import CheckResult, Decision, ItemSeen, Result, Verdict, skipped
from models.cards import ContentsCard
from tests.inspector.products import box, product, taught_from_photos

PACKS = {f"pack-{seed}": product(seed) for seed in (11, 12, 13, 14)}
PLACES = [(150, 130), (450, 140), (160, 340), (460, 340)]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(threads=1)


@pytest.fixture(scope="module")
def taught(embedder: Embedder) -> dict[str, Item]:
    return taught_from_photos(PACKS, embedder)


def frame(pixels: Pixels) -> Frame:
    return Frame(pixels, "box.jpg", Stage.OPEN)


def packed(*names: str) -> Frame:
    turns = (20.0, -35.0, 90.0, 170.0)
    return frame(box([(PACKS[n], PLACES[i], turns[i]) for i, n in enumerate(names)]))


def order(**quantities: int) -> PackingSpec:
    return PackingSpec(items=tuple(ExpectedItem(n.replace("_", "-"), q) for n, q in quantities.items()))


def by_item(result: CheckResult) -> dict[str, ItemSeen]:
    return {item.item: item for item in result.items}


def test_what_was_packed_is_present_where_it_lies(embedder: Embedder, taught: dict[str, Item]) -> None:
    spec = order(pack_11=1, pack_12=1, pack_13=1)
    result = check_contents([packed("pack-11", "pack-12", "pack-13")], spec, taught, embedder)
    assert result.result is Result.PASS
    for place, name in zip(PLACES, ("pack-11", "pack-12", "pack-13"), strict=False):
        seen = by_item(result)[name]
        assert (seen.result, seen.found) == ("present", 1)
        ((x, y, w, h),) = seen.boxes
        assert abs(x + w / 2 - place[0]) < 50
        assert abs(y + h / 2 - place[1]) < 50


def test_what_is_not_there_is_never_passed(embedder: Embedder, taught: dict[str, Item]) -> None:
    result = check_contents([packed("pack-11", "pack-12")], order(pack_11=1, pack_12=1, pack_14=1), taught, embedder)
    assert result.result in (Result.FAIL, Result.UNSURE)
    assert by_item(result)["pack-14"].found == 0
    assert by_item(result)["pack-11"].result == "present"


def test_the_second_piece_is_counted(embedder: Embedder, taught: dict[str, Item]) -> None:
    two = by_item(check_contents([packed("pack-12", "pack-12")], order(pack_12=2), taught, embedder))["pack-12"]
    assert (two.result, two.found, len(two.boxes)) == ("present", 2, 2)
    one = check_contents([packed("pack-12")], order(pack_12=2), taught, embedder)
    assert one.result is not Result.PASS
    assert by_item(one)["pack-12"].found == 1


def test_one_piece_too_many_fails(embedder: Embedder, taught: dict[str, Item]) -> None:
    result = check_contents([packed("pack-12", "pack-12")], order(pack_12=1), taught, embedder)
    assert result.result is Result.FAIL
    assert [finding.kind for finding in result.findings] == ["extra_item"]


def test_seen_once_is_seen(embedder: Embedder, taught: dict[str, Item]) -> None:
    frames = [packed("pack-11"), packed("pack-13")]
    result = check_contents(frames, order(pack_11=1, pack_13=1), taught, embedder)
    assert result.result is Result.PASS
    assert by_item(result)["pack-13"].frame == 1


def test_an_item_never_shown_is_asked_for(embedder: Embedder, taught: dict[str, Item]) -> None:
    result = check_contents([packed("pack-11")], order(pack_11=1, cable=1), taught, embedder)
    assert result.result is Result.UNSURE
    assert "lastlook teach cable PHOTO" in (result.reason or "")


def test_the_scale_finds_what_is_missing(embedder: Embedder, taught: dict[str, Item]) -> None:
    weights = {"pack-11": 50.0, "pack-12": 80.0, "pack-14": 23.0}
    items = {n: replace(taught[n], weight_g=w, weight_sd_g=0.4) for n, w in weights.items()}
    spec, pictures = order(pack_11=1, pack_12=1, pack_14=1), [packed("pack-11", "pack-12")]
    result = check_contents(pictures, spec, items, embedder, weight_g=130.3)
    assert result.result is Result.FAIL
    assert by_item(result)["pack-14"].result == "missing"
    mismatch = next(finding for finding in result.findings if finding.kind == "weight_mismatch")
    assert "1 x pack-14" in mismatch.text


def test_a_fitting_weight_never_overrules_what_the_camera_sees_missing() -> None:
    card = ContentsCard(weights={}, bias=0.0, present=0.8, missing=0.1, extra=0.9)
    for chance, weighty in itertools.product((0.0, 0.05, 0.1), (0.2, 0.9, 0.9999)):
        assert beside(weighty, chance, card) < card.present, "something else may weigh as much"
    assert beside(0.02, 0.05, card) == 0.02, "but the scale may say that it is missing"
    assert beside(0.99, 0.5, card) == 0.99, "and settles what the picture leaves open"


def test_weight_never_makes_missing_what_the_camera_surely_sees() -> None:
    card = ContentsCard(weights={}, bias=0.0, present=0.8, missing=0.1, extra=0.9)
    for chance, weighty in itertools.product((0.8, 0.9, 0.9999), (0.0, 0.02, 0.1)):
        assert card.missing < beside(weighty, chance, card) < card.present, "a person looks"
    assert beside(0.02, 0.79, card) == 0.02, "what it does not surely see may be missing"


def test_weight_may_settle_what_the_picture_of_the_shipped_embedder_half_sees(embedder: Embedder) -> None:
    card = embedder.card.contents
    half = (SUPPORTED + card.present) / 2
    assert half < card.present, "else weight never makes anything present"
    assert beside(0.99, half, card) == 0.99
    assert beside(0.99, 0.29, card) < card.present, "another item of the same weight would pass too often"


@pytest.mark.parametrize("weight_g", [0.0, 40.0])
def test_a_scale_that_shows_far_too_little_is_doubt_where_all_is_plainly_seen(weight_g: float) -> None:
    card = ContentsCard(weights={}, bias=0.0, present=0.5, missing=0.05, extra=0.86)
    lines = [ExpectedItem("mug"), ExpectedItem("tray")]
    nothing = np.zeros((1, 4), np.float32)
    known = {line.item: Item(line.item, None, 200.0, 4.0, (), nothing, None) for line in lines}
    seen = {line.item: Seen(line, (), 0, (4.0,), 1) for line in lines}
    result = judge(lines, seen, known, card, weight_g=weight_g)
    assert result.result is Result.UNSURE
    assert "missing" not in {item.result for item in result.items}
    assert [finding.kind for finding in result.findings] == ["weight_mismatch"]


def test_another_item_of_the_same_weight_never_passes_by_the_scale() -> None:
    card = ContentsCard(weights={}, bias=0.0, present=0.8, missing=0.1, extra=0.9)
    lines = [ExpectedItem("mug-blue"), ExpectedItem("tray")]
    nothing = np.zeros((1, 4), np.float32)
    known = {line.item: Item(line.item, None, 200.0, 1.0, (), nothing, None) for line in lines}
    answers = {}
    for odds in (-1.0, 0.5):  # of the mug: the picture finds it likelier absent, and likelier there
        seen = {line.item: Seen(line, (), 0, (o,), 1) for line, o in zip(lines, (odds, 4.0), strict=True)}
        answers[odds] = judge(lines, seen, known, card, weight_g=400.0)
    assert answers[-1.0].result is Result.UNSURE, "a red mug weighs as much"
    assert by_item(answers[-1.0])["mug-blue"].result == "unsure"
    assert answers[0.5].result is Result.PASS, "but the scale settles what the picture half sees"


def test_a_weight_that_nothing_explains_is_doubt_not_a_stop(embedder: Embedder, taught: dict[str, Item]) -> None:
    result = check_contents([packed("pack-11")], order(pack_11=1), taught, embedder, weight_g=420.0)
    assert result.result is Result.UNSURE
    assert [finding.kind for finding in result.findings] == ["weight_mismatch"]


def test_without_picture_or_gallery_a_person_counts(embedder: Embedder, taught: dict[str, Item]) -> None:
    for result in (
        check_contents([], order(pack_11=2), taught, embedder),
        check_contents([packed("pack-11")], order(pack_11=2), taught, None),
    ):
        assert result.result is Result.SKIPPED
        assert "count 2 x pack-11 by hand" in (result.reason or "")


def test_lines_of_one_item_are_one_line(embedder: Embedder, taught: dict[str, Item]) -> None:
    spec = PackingSpec(items=(ExpectedItem("pack-11"), ExpectedItem("pack-11")))
    (seen,) = check_contents([packed("pack-11", "pack-11")], spec, taught, embedder).items
    assert (seen.expected, seen.found) == (2, 2)


def test_the_same_picture_is_judged_the_same(embedder: Embedder, taught: dict[str, Item]) -> None:
    spec = order(pack_11=1, pack_14=1)
    first, second = (check_contents([packed("pack-11")], spec, taught, embedder) for _ in range(2))
    assert first == second


def test_missing_items_stand_beside_the_picture(embedder: Embedder, taught: dict[str, Item]) -> None:
    picture = packed("pack-11")
    result = check_contents([picture], order(pack_11=1, pack_14=1), taught, embedder)
    checks = {check: result if check is Check.CONTENTS else skipped(check, "") for check in Check}
    verdict = Verdict(Decision.HOLD, ("pack-14 is missing",), checks)
    drawn = draw(picture, verdict, 0, {"pack-14": PACKS["pack-14"]})
    assert drawn.shape[1] > picture.bgr.shape[1]
    listed = drawn[: picture.bgr.shape[0], picture.bgr.shape[1] :]
    assert len(np.unique(listed.reshape(-1, 3), axis=0)) > 50


@pytest.mark.parametrize("count", range(1, 9))
def test_a_list_that_is_too_long_ends_above_the_verdict(count: int) -> None:
    picture = frame(np.full((480, 640, 3), 90, np.uint8))
    lacking = tuple(ItemSeen(f"item-{i}", 1, 0, "missing") for i in range(count))
    result = CheckResult(Check.CONTENTS, Result.FAIL, items=lacking)
    checks = {check: result if check is Check.CONTENTS else skipped(check, "") for check in Check}
    magenta = np.full((90, 90, 3), (255, 0, 255), np.uint8)
    drawn = draw(picture, Verdict(Decision.HOLD, ("x",), checks), 0, {item.item: magenta for item in lacking})
    pictured = (drawn == (255, 0, 255)).all(2)
    assert pictured[:480, 640:].any()
    assert not pictured[480:].any()
