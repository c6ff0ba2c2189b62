"""What nobody ordered: named where it is surely a taught item, shown where it is surely a thing, else not a word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from inspector.annotate import draw
from inspector.contents import Seen, check_contents, judge
from inspector.detector import Floats
from inspector.embedder import Embedder
from inspector.frame import Frame, Pixels
from inspector.gallery import Item
from inspector.spec import Check, ExpectedItem, PackingSpec, Stage
from inspector.strangers import Stranger
from inspector.verdict import CheckResult, Decision, Result, Verdict, skipped
from models.cards import ContentsCard
from tests.inspector.products import box, product, taught_from_photos

PACKS = {f"pack-{seed}": product(seed) for seed in (11, 12, 13, 14, 15, 16)}
PLACES = [(190, 150), (430, 160), (200, 320), (430, 320)]
TURNS = (20.0, -35.0, 90.0, 170.0)
CARD = ContentsCard(weights={}, bias=0.0, present=0.75, missing=0.08, extra=0.95)


class Shop:
    """All of these items; remembers which were asked for."""

    def __init__(self, items: dict[str, Item]) -> None:
        self.known = dict(sorted(items.items()))
        self.asked: list[str] = []

    def looks(self) -> tuple[npt.NDArray[np.str_], Floats]:
        names = [name for name, item in self.known.items() for _ in item.embeddings]
        return np.asarray(names, np.str_), np.concatenate([item.embeddings for item in self.known.values()])

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        self.asked += ids
        return {name: self.known[name] for name in self.asked}


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(threads=1)


@pytest.fixture(scope="module")
def taught(embedder: Embedder) -> dict[str, Item]:
    return taught_from_photos(PACKS, embedder)


def packed(*names: str) -> Frame:
    return Frame(box([(PACKS[n], PLACES[i], TURNS[i]) for i, n in enumerate(names)]), "box.jpg", Stage.OPEN)


def spec(*names: str) -> PackingSpec:
    return PackingSpec(items=tuple(ExpectedItem(name) for name in names))


def drawn(picture: Frame, result: CheckResult) -> Pixels:
    checks = {check: result if check is Check.CONTENTS else skipped(check, "") for check in Check}
    return draw(picture, Verdict(Decision.HOLD, ("x",), checks))


def test_a_complete_box_is_passed_with_the_whole_shop_in_mind(embedder: Embedder, taught: dict[str, Item]) -> None:
    names = ("pack-11", "pack-12", "pack-13")
    result = check_contents([packed(*names)], spec(*names), taught, embedder, shop=Shop(taught))
    assert (result.result, result.findings) == (Result.PASS, ())


def test_a_taught_item_that_nobody_ordered_is_named_where_it_lies(embedder: Embedder, taught: dict[str, Item]) -> None:
    picture = packed("pack-11", "pack-12", "pack-14")
    blind = check_contents([picture], spec("pack-11", "pack-12"), taught, embedder)
    assert blind.result is Result.PASS, "without the shop nobody looks for it"
    result = check_contents([picture], spec("pack-11", "pack-12"), taught, embedder, shop=Shop(taught))
    assert result.result is Result.FAIL
    (finding,) = result.findings
    assert finding.kind == "extra_item"
    assert "pack-14" in finding.text
    assert finding.box is not None
    x, y, w, h = finding.box
    assert abs(x + w / 2 - PLACES[2][0]) < 50
    assert abs(y + h / 2 - PLACES[2][1]) < 50
    told = {item.item: item for item in result.items}
    assert (told["pack-14"].expected, told["pack-14"].found, told["pack-14"].result) == (0, 1, "extra")
    assert drawn(picture, result).shape[0] > picture.bgr.shape[0]


def test_a_thing_nobody_ever_taught_is_shown_and_never_passed(embedder: Embedder, taught: dict[str, Item]) -> None:
    shop = Shop({name: item for name, item in taught.items() if name != "pack-15"})
    picture = Frame(box([(PACKS["pack-11"], PLACES[0], 0.0), (PACKS["pack-15"], PLACES[3], 0.0)]), "b.jpg", Stage.OPEN)
    result = check_contents([picture], spec("pack-11"), taught, embedder, shop=shop)
    assert result.result is Result.UNSURE
    (finding,) = result.findings
    assert finding.box is not None
    assert abs(finding.box[0] + finding.box[2] / 2 - PLACES[3][0]) < 60
    assert "nobody ordered" in (result.reason or "")
    assert not any(name in finding.text for name in taught)


def test_an_ordered_item_that_is_not_taught_is_not_taken_for_its_look_alike(
    embedder: Embedder, taught: dict[str, Item]
) -> None:
    picture, known = packed("pack-11", "pack-12"), {"pack-11": taught["pack-11"]}
    result = check_contents([picture], spec("pack-11", "pack-12-in-green"), known, embedder, shop=Shop(taught))
    assert (result.result, result.findings) == (Result.UNSURE, ())
    assert "lastlook teach pack-12-in-green" in (result.reason or "")
    assert check_contents([picture], spec("pack-11"), known, embedder, shop=Shop(taught)).result is Result.FAIL


def test_a_second_worse_picture_makes_no_stranger_of_what_the_first_shows(
    embedder: Embedder, taught: dict[str, Item]
) -> None:
    good = packed("pack-11", "pack-13")
    blurred = cv2.GaussianBlur(np.asarray(good.bgr * 0.6, np.uint8), (0, 0), 2.5)
    dim = Frame(np.asarray(blurred, np.uint8), "dim.jpg", Stage.OPEN)
    pack_13 = {s.item: s for s in check_contents([dim], spec("pack-11", "pack-13"), taught, embedder).items}["pack-13"]
    assert pack_13.result == "unsure", "else this shows nothing"
    result = check_contents([good, dim], spec("pack-11", "pack-13"), taught, embedder, shop=Shop(taught))
    assert (result.result, result.findings) == (Result.PASS, ())


def test_few_items_are_looked_at_closely_however_many_are_taught(embedder: Embedder, taught: dict[str, Item]) -> None:
    rng = np.random.default_rng(0)
    many = dict(taught)
    for number in range(3000):
        look = (rng.normal(size=(1, embedder.dim)) / 20).astype(np.float32)
        many[f"other-{number}"] = replace(taught["pack-16"], item=f"other-{number}", embeddings=look)
    shop = Shop(many)
    check_contents([packed("pack-11", "pack-14")], spec("pack-11"), taught, embedder, shop=shop)
    assert 0 < len(shop.asked) <= 3
    assert "pack-14" in shop.asked
    assert "pack-11" not in shop.asked


def stranger(item: str | None, look: Floats, chance: float = 0.97) -> Stranger:
    return Stranger(item, chance, (10.0, 20.0, 30.0, 40.0), look)


def test_weights_of_another_embedder_are_not_used(
    embedder: Embedder,
    taught: dict[str, Item],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("inspector.strangers.FITTED", "0.0.0")
    for _ in range(2):
        result = check_contents([packed("pack-11", "pack-14")], spec("pack-11"), taught, embedder, shop=Shop(taught))
        assert result.result is Result.PASS
    (said,) = caplog.messages
    assert f"not looked for with embedder/{embedder.version}" in said


def test_what_lies_in_the_place_of_a_missing_item_is_wrong(embedder: Embedder, taught: dict[str, Item]) -> None:
    lines = [ExpectedItem("pack-11"), ExpectedItem("pack-12"), ExpectedItem("pack-13")]
    seen = {  # the first is there, the others are surely not
        line.item: _seen(line, odds) for line, odds in zip(lines, (4.0, -4.0, -4.0), strict=True)
    }
    like_13 = taught["pack-13"].embeddings[0]
    result = judge(lines, seen, taught, CARD, strangers=[stranger("pack-14", like_13), stranger(None, like_13)])
    assert result.result is Result.FAIL
    assert {item.item: item.result for item in result.items} == {
        "pack-11": "present",
        "pack-12": "missing",
        "pack-13": "wrong",
    }
    kinds = {finding.kind: finding.text for finding in result.findings}
    assert kinds.keys() == {"missing_item", "wrong_item"}, "what may be the missing one is not told as a stranger"
    assert "pack-14" in kinds["wrong_item"]
    assert "pack-13" in kinds["wrong_item"]


def _seen(line: ExpectedItem, odds: float) -> Seen:
    return Seen(line, (), 0, (odds,), int(odds > 0))
