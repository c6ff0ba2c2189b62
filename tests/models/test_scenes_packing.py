"""Open boxes, as far as it needs no Blender: orders that go wrong and places that do not collide."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.scenes.blender.packing import FAULTS, SIZES, Design, Floor, arranged, box_for, drawn, told

SEEDS = st.integers(0, 100_000)


@given(st.integers(0, 5_000))
def test_a_design_is_the_same_wherever_it_is_drawn(number: int) -> None:
    design = Design.of(number)
    assert design == Design.of(number)
    low, high = SIZES[design.kind]
    assert all(a - 1e-9 <= side for a, side in zip(low[:2], design.size[:2], strict=True))
    assert max(design.size) <= max(high) + 1e-9
    assert 1 < design.weight_g < 1500


@given(SEEDS, st.sampled_from(FAULTS))
def test_a_packing_goes_wrong_as_told_and_no_more(seed: int, fault: str) -> None:
    packing = drawn(np.random.default_rng(seed), 60, fault)
    wrong = packing.difference
    lost, added = sum(wrong["missing"].values()), sum(wrong["extra"].values())
    assert 1 <= len(packing.expected) <= 12
    assert (lost, added) == {
        "none": (0, 0),
        "missing": (1, 0),
        "extra": (0, 1),
        "doubled": (0, 1),
        "wrong": (1, 1),
    }[fault]
    if fault == "doubled":
        assert set(wrong["extra"]) <= set(packing.expected)
    if fault in ("extra", "wrong"):
        assert not set(wrong["extra"]) & set(packing.expected)


def test_a_range_without_a_foreign_item_says_so() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="larger range"):
        drawn(rng, 1, "wrong")
    with pytest.raises(ValueError, match="no fault lost"):
        drawn(rng, 60, "lost")


@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_what_is_packed_lies_between_the_walls_and_nothing_lies_in_another(seed: int) -> None:
    rng = np.random.default_rng(seed)
    packing = drawn(rng, 60, "none")
    inner = box_for(packing.packed, rng)
    seats = arranged(packing.packed, (inner[0] / 2, inner[1] / 2), rng)
    assert Counter(seat.design.number for seat in seats) == Counter(packing.packed)
    floor = Floor((inner[0] / 2, inner[1] / 2))
    for seat in seats:
        c, s = abs(np.cos(seat.turn)), abs(np.sin(seat.turn))
        assert abs(seat.x) + (seat.design.size[0] * c + seat.design.size[1] * s) / 2 <= inner[0] / 2 + 1e-9
        assert abs(seat.y) + (seat.design.size[0] * s + seat.design.size[1] * c) / 2 <= inner[1] / 2 + 1e-9
        cells = floor.under(seat.design.size, seat.x, seat.y, seat.turn)
        assert (floor.high[cells] <= seat.z + 1e-9).all()
        floor.high[cells] = seat.z + seat.design.size[2]


def test_a_box_that_is_too_small_says_for_what() -> None:
    with pytest.raises(ValueError, match="larger box"):
        arranged((1,), (0.02, 0.02), np.random.default_rng(0))


def test_the_record_tells_what_is_wrong_what_is_hidden_and_what_it_weighs() -> None:
    packing = drawn(np.random.default_rng(8), 60, "wrong")
    seen: list[dict[str, object]] = [{"item": Design.of(number).item} for number in packing.packed[1:]]
    record = told(packing, 200.0, seen)
    hidden = record["out_of_sight"]
    assert hidden == {Design.of(packing.packed[0]).item: 1}
    assert record["weight_g"] == pytest.approx(200 + sum(Design.of(n).weight_g for n in packing.packed), abs=0.06)
    assert sum(record["missing"].values()) == sum(record["extra"].values()) == 1  # type: ignore[attr-defined]  # a dict
