"""The threshold of an item: what is known of it, of the others, and of what was mistaken for it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inspector.acceptance import LOWER, MARGIN, RAISE, Floats, acceptance

USUAL = 0.75
cosines = st.lists(st.floats(-1, 1, width=32), max_size=40).map(lambda values: np.array(values, np.float32))
NONE: Floats = np.zeros(0, np.float32)


def of(*values: float) -> Floats:
    return np.array(values, np.float32)


def test_an_item_of_which_nothing_is_known_is_accepted_as_usual() -> None:
    assert acceptance(NONE, NONE, NONE, usual=USUAL) == USUAL


def test_what_a_person_called_wrong_is_not_accepted_again() -> None:
    assert acceptance(NONE, NONE, of(0.5, 0.9), usual=USUAL) > 0.9
    assert acceptance(NONE, NONE, of(0.5), usual=USUAL) == USUAL


def test_a_look_alike_raises_it_a_little_however_alike_it_is() -> None:
    assert acceptance(NONE, of(0.78), NONE, usual=USUAL) == np.float32(0.78) + MARGIN
    assert acceptance(NONE, of(0.99), NONE, usual=USUAL) == USUAL + RAISE


def test_one_look_alike_among_very_many_others_does_not_matter() -> None:
    others = np.full(1000, 0.3, np.float32)
    others[0] = 0.99
    assert acceptance(NONE, others, NONE, usual=USUAL) == USUAL


def test_views_that_differ_lower_it_where_there_is_room() -> None:
    far = np.full(30, 0.3, np.float32)
    assert acceptance(of(0.7, 0.9), far, NONE, usual=USUAL) == np.float32(0.7)
    assert acceptance(of(0.2, 0.9), far, NONE, usual=USUAL) == USUAL - LOWER
    assert acceptance(of(0.2, 0.9), far[:5], NONE, usual=USUAL) == USUAL, "too few others to know that there is room"
    assert acceptance(of(0.2), np.full(30, 0.72, np.float32), NONE, usual=USUAL) > 0.72


@given(own=cosines, others=cosines, wrong=cosines, usual=st.floats(0.2, 0.95))
def test_whatever_is_known(own: Floats, others: Floats, wrong: Floats, usual: float) -> None:
    accept = acceptance(own, others, wrong, usual=usual)
    assert usual - LOWER <= accept <= 1.0
    if wrong.size:
        assert accept >= min(1.0, float(wrong.max()) + MARGIN)
    else:
        assert accept <= usual + RAISE
    more = acceptance(own, others, np.append(wrong, np.float32(0.5)), usual=usual)
    assert more >= accept, "a counter-example never makes it easier"
    assert acceptance(own, others, wrong, usual=usual) == accept
