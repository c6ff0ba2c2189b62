"""The weight of the open box: for one look, while it is fresh, and kept with the record."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from inspector.frame import Frame
from inspector.spec import Check, ExpectedItem, PackingSpec, Stage
from inspector.verdict import Fault, Finding, ItemSeen, Result, Verdict
from station.advice import Advice, advise
from station.bench import Bench, NotNowError, Phase
from station.orders import Order
from station.record import Picture
from station.scale import HEAVIEST_G, Scale, WeightError
from tests.station.benchside import Clock, Kept, WrittenEye, bench, finder, picture, take

CABLE = PackingSpec(items=(ExpectedItem("cable"),))
MUG, MUG_SEEN = {"item": "mug", "count": 1}, ItemSeen("mug", 0, 1, "extra")
OFF = Finding("weight_mismatch", 0.3, 1.0, None, "80 g less")
BLURRED = (Fault("blurred", "blurred"),)
ON_IT = (10.0, 10.0, 20.0, 20.0)


def test_an_old_weight_says_nothing() -> None:
    clock = Clock()
    scale = Scale(clock)
    scale.put(512.0)
    clock.pass_by(119)
    assert scale.weight_g == 512.0
    clock.pass_by(2)
    assert scale.weight_g is None


@pytest.mark.parametrize("wrong", [-0.1, 0.0, 1.9, float("nan"), float("inf"), HEAVIEST_G * 1.01])
def test_what_no_box_weighs_is_refused_and_changes_nothing(wrong: float) -> None:
    scale = Scale(Clock())
    scale.put(5.0)
    with pytest.raises(WeightError):
        scale.put(wrong)
    assert scale.weight_g == 5.0


def test_the_open_box_is_judged_with_its_weight_and_so_is_the_sealed_parcel() -> None:
    eye, kept = WrittenEye(), Kept()
    b = bench(eye, kept, {"C1": CABLE})
    b.scan("C1")
    b.weigh(42.5)
    b.judge(take)
    assert b.scale.weight_g is None, "a weight is for one look"
    with pytest.raises(NotNowError):
        b.weigh(900.0)  # the sealed parcel with its carton
    b.judge(take)
    assert b.moment.phase is Phase.RELEASED
    assert eye.weights == [42.5, 42.5]
    assert json.loads(kept.entries[0][2])["verdict"]["weight_g"] == 42.5


def test_the_next_parcel_is_not_judged_with_this_ones_weight() -> None:
    eye = WrittenEye()
    b = bench(eye, None, {"C1": CABLE, "C2": CABLE})
    b.scan("C1")
    b.weigh(42.5)
    b.scan("C2")
    b.judge(take)
    assert eye.weights == [None]
    assert b.moment.stage is Stage.SEALED, "nobody weighed this one, so nobody is asked to weigh it again"


class Weighing(WrittenEye):
    """Is unsure of a box that weighs less than 300 g."""

    def inspect(self, frames: Sequence[Frame], spec: PackingSpec, weight_g: float | None = None) -> Verdict:
        light = weight_g is not None and weight_g < 300
        self.results = {Check.CONTENTS: Result.UNSURE} if light else {}
        self.findings = {Check.CONTENTS: (OFF,)} if light else {}
        return super().inspect(frames, spec, weight_g)


def test_a_box_that_was_held_by_its_weight_is_not_sealed_without_one() -> None:
    eye, clock = Weighing(), Clock()
    b = bench(eye, None, {"C1": CABLE}, clock=clock)
    b.scan("C1")
    b.weigh(220.0)
    assert b.judge(take).phase is Phase.HELD
    eye.faults = BLURRED
    assert b.judge(take).phase is Phase.RETAKE
    eye.faults = ()
    held = b.judge(take, by_hand=False)
    assert (held.phase, held.stage, held.do.code, held.weight_g) == (Phase.HELD, Stage.OPEN, "weigh_again", None)
    with pytest.raises(NotNowError, match="weigh"):
        b.go_on()
    b.weigh(350.0)
    assert b.judge(take).stage is Stage.SEALED
    assert b.judge(take).phase is Phase.RELEASED
    assert eye.weights == [220.0, None, None, 350.0, 350.0]


def test_a_bad_picture_does_not_use_up_the_weight() -> None:
    eye, clock = WrittenEye(faults=BLURRED), Clock()
    b = bench(eye, None, {"C1": CABLE}, clock=clock)
    b.scan("C1")
    b.weigh(250.0)
    assert b.judge(take).phase is Phase.RETAKE
    eye.faults = ()
    assert b.judge(take).stage is Stage.SEALED
    assert eye.weights == [250.0, 250.0]


def test_the_bare_bench_does_not_use_up_the_weight() -> None:
    eye = WrittenEye(faults=(Fault("no_parcel", "nothing there"),))
    b = bench(eye, None, {"C1": CABLE})
    b.scan("C1")
    b.weigh(250.0)
    b.judge(take, by_hand=False)
    assert (b.moment.phase, b.scale.weight_g) == (Phase.WAITING, 250.0)


def test_a_look_that_fails_does_not_use_up_the_weight() -> None:
    eye, clock = WrittenEye(), Clock()
    b = bench(eye, None, {"C1": CABLE}, clock=clock)
    b.scan("C1")
    b.weigh(250.0)

    def no_picture(stage: Stage) -> Picture:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        b.judge(no_picture)
    assert b.scale.weight_g == 250.0
    clock.pass_by(200)
    assert b.judge(take).do.code == "weigh_again", "it is too old by now, and no look was made with it"


def test_a_weight_is_taken_only_while_an_open_box_is_wanted() -> None:
    refused: list[str] = []

    class Asking(WrittenEye):
        def inspect(self, frames: Sequence[Frame], spec: PackingSpec, weight_g: float | None = None) -> Verdict:
            _refuses(b, refused, "judging")
            return super().inspect(frames, spec, weight_g)

    orders = finder({"C1": CABLE, "A1": PackingSpec()})

    def find(order: str) -> Order:
        b.weigh(300.0)  # the box is on the scale, and the order takes its time
        return orders(order)

    b = bench(eye := Asking(), find=find)
    _refuses(b, refused, "idle")
    b.scan("C1")
    b.scan("..")
    assert b.scale.weight_g == 300.0, "neither the lookup nor a scan that is no order takes it away"
    b.judge(take)
    _refuses(b, refused, "to be sealed")
    b.judge(take)
    _refuses(b, refused, "released")
    assert refused == ["idle", "judging", "to be sealed", "judging", "released"]
    assert eye.weights == [300.0, 300.0]


def _refuses(b: Bench, refused: list[str], when: str) -> None:
    with pytest.raises(NotNowError):
        b.weigh(250.0)
    refused.append(when)


def test_what_is_wrong_with_the_open_box_is_told_before_it_is_sealed() -> None:
    eye = WrittenEye({Check.CONTENTS: Result.UNSURE}, {Check.CONTENTS: (OFF,)})
    b = bench(eye, None, {"C1": CABLE})
    b.scan("C1")
    b.judge(take)
    assert (b.moment.phase, b.moment.stage, b.moment.do.code) == (Phase.HELD, Stage.OPEN, "check_items")
    b.go_on()
    assert b.moment.stage is Stage.SEALED


@pytest.mark.parametrize(
    ("items", "code", "told"),
    [
        ((ItemSeen("cable", 1, 0, "wrong", 0.1, (ON_IT,)), MUG_SEEN), "swap_items", "cable"),
        ((ItemSeen("cable", 1, 1, "present"), MUG_SEEN), "take_out", "mug"),
        ((ItemSeen("cable", 1, 0, "missing"),), "add_items", "cable"),
        ((ItemSeen("cable", 1, 0, "missing"), MUG_SEEN), "add_items", "cable"),
    ],
)
def test_the_packer_is_told_what_to_take_out_and_put_in(items: tuple[ItemSeen, ...], code: str, told: str) -> None:
    eye = WrittenEye({Check.CONTENTS: Result.FAIL}, items=items)
    advice = advise(eye.inspect([take(Stage.OPEN).frame], CABLE), CABLE)
    assert advice.code == code
    assert advice.words["items"] == [{"item": told, "count": 1}]
    assert advice.words.get("over", []) == ([MUG] if code in ("swap_items", "add_items") and MUG_SEEN in items else [])


def test_nobody_can_put_in_what_may_be_there() -> None:
    eye = WrittenEye({Check.CONTENTS: Result.FAIL}, items=(ItemSeen("cable", 1, 0, "unsure", 0.4),))
    seen = [take(Stage.OPEN).frame]
    assert advise(eye.inspect(seen, CABLE), CABLE).code == "check_items"
    eye.items = (*eye.items, MUG_SEEN)
    assert advise(eye.inspect(seen, CABLE), CABLE) == Advice("take_out", {"items": [MUG]})


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
