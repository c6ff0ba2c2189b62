"""The assignment with the greatest evidence, against every other one."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inspector.assignment import assign, total

GAIN = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-5, 5, width=32))
)


@given(GAIN)
def test_no_assignment_gains_more(gain: np.ndarray) -> None:
    rows, columns = gain.shape
    alone = np.c_[np.maximum(gain, 0), np.zeros((rows, rows))]
    best = max(sum(alone[i, j] for i, j in enumerate(way)) for way in permutations(range(columns + rows), rows))
    assert abs(total(gain, assign(gain)) - best) < 1e-6


@given(GAIN)
def test_each_row_and_column_is_used_once_and_only_for_gain(gain: np.ndarray) -> None:
    pairs = assign(gain)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(gain[pair] > 0 for pair in pairs)


def test_a_thing_goes_to_the_item_for_which_the_sum_is_greatest() -> None:
    # greedy would give the first thing to the first item (5 + 0); together 4 + 4 is more
    assert assign(np.array([[5.0, 4.0], [4.0, -1.0]])) == [(0, 1), (1, 0)]


def test_nothing_to_assign() -> None:
    assert assign(np.zeros((0, 3))) == []
    assert assign(np.zeros((3, 0))) == []
    assert assign(np.full((2, 2), -np.inf)) == []
