"""The weight of the open box: for one look, while it is fresh, and kept with the record."""

from __future__ import annotations

import json

import pytest

from inspector.spec import Check, ExpectedItem, PackingSpec, Stage
from inspector.verdict import Finding, ItemSeen, Result
from station.advice import advise
from station.bench import Phase
from station.scale import HEAVIEST_G, Scale, WeightError
from tests.station.benchside import Clock, Kept, WrittenEye, bench, picture, take

CABLE = PackingSpec(items=(ExpectedItem("cable"),))
ON_IT = (10.0, 10.0, 20.0, 20.0)


def test_a_weight_is_for_one_look() -> None:
    scale = Scale(Clock())
    scale.put(512.0)
    assert (scale.weight_g, scale.take(), scale.take()) == (512.0, 512.0, None)


def test_an_old_weight_says_nothing() -> None:
    clock = Clock()
    scale = Scale(clock)
    scale.put(512.0)
    clock.pass_by(119)
    assert scale.weight_g == 512.0
    clock.pass_by(2)
    assert scale.take() is None


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf"), HEAVIEST_G * 1.01])
def test_what_no_box_weighs_is_refused_and_changes_nothing(wrong: float) -> None:
    scale = Scale(Clock())
    scale.put(5.0)
    with pytest.raises(WeightError):
        scale.put(wrong)
    assert scale.weight_g == 5.0


def test_the_open_box_is_judged_with_its_weight_and_so_is_the_sealed_parcel() -> None:
    scale, eye, kept = Scale(Clock()), WrittenEye(), Kept()
    b = bench(eye, kept, {"C1": CABLE}, weight=scale.take)
    b.scan("C1")
    scale.put(42.5)
    b.judge(take)
    scale.put(900.0)  # the sealed parcel with its carton
    b.judge(take)
    assert b.moment.phase is Phase.RELEASED
    assert eye.weights == [42.5, 42.5]
    assert json.loads(kept.entries[0][2])["verdict"]["weight_g"] == 42.5


def test_the_next_parcel_is_not_judged_with_this_ones_weight() -> None:
    scale, eye = Scale(Clock()), WrittenEye()
    b = bench(eye, None, {"C1": CABLE, "C2": CABLE}, weight=scale.take)
    b.scan("C1")
    scale.put(42.5)
    b.judge(take)
    b.scan("C2")
    b.judge(take)
    assert eye.weights == [42.5, None]


def test_what_is_wrong_with_the_open_box_is_told_before_it_is_sealed() -> None:
    off = Finding("weight_mismatch", 0.3, 1.0, None, "100 g more")
    eye = WrittenEye({Check.CONTENTS: Result.UNSURE}, {Check.CONTENTS: (off,)})
    b = bench(eye, None, {"C1": CABLE})
    b.scan("C1")
    b.judge(take)
    assert (b.moment.phase, b.moment.stage, b.moment.do.code) == (Phase.HELD, Stage.OPEN, "check_items")
    b.go_on()
    assert b.moment.stage is Stage.SEALED


@pytest.mark.parametrize(
    ("items", "code", "told"),
    [
        ((ItemSeen("cable", 1, 0, "wrong", 0.1, (ON_IT,)), ItemSeen("mug", 0, 1, "extra")), "swap_items", "cable"),
        ((ItemSeen("cable", 1, 1, "present"), ItemSeen("mug", 0, 1, "extra")), "take_out", "mug"),
        ((ItemSeen("cable", 1, 0, "missing"),), "add_items", "cable"),
    ],
)
def test_the_packer_is_told_what_to_take_out_and_put_in(items: tuple[ItemSeen, ...], code: str, told: str) -> None:
    eye = WrittenEye({Check.CONTENTS: Result.FAIL}, items=items)
    advice = advise(eye.inspect([take(Stage.OPEN).frame], CABLE), CABLE)
    assert advice.code == code
    assert advice.words["items"] == [{"item": told, "count": 1}]


def test_the_kept_picture_shows_what_the_missing_item_looks_like() -> None:
    eye = WrittenEye({Check.CONTENTS: Result.UNSURE}, items=(ItemSeen("cable", 1, 0, "unsure", 0.5),))
    sizes = []
    for looks in ({}, {"cable": picture(200)}):
        eye.looks, kept = looks, _Pictures()
        b = bench(eye, kept, {"C1": CABLE})
        b.scan("C1")
        b.judge(take)
        b.judge(take)
        sizes.append(len(kept.files["annotated-open.jpg"]))
    assert sizes[1] > sizes[0] + 200, "the item's picture stands beside the box"


class _Pictures(Kept):
    """Keeps the files too."""

    files: dict[str, bytes]

    def add(self, inspection: str, body: str, pictures: object, at: object) -> None:
        self.files = dict(pictures)  # type: ignore[call-overload]
        super().add(inspection, body, pictures, at)  # type: ignore[arg-type]
