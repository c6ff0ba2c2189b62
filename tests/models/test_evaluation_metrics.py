"""Figures of models/evaluation against their definitions, written out the slow way, and against scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.bounds import settled
from models.evaluation.metrics import (
    Array,
    Bools,
    Figure,
    auroc,
    average_precision,
    bootstrap,
    box_ap,
    brier,
    calibration_error,
    counts_at,
    even_odds,
    match,
    recall_at_false_stops,
    reliability,
)

Ranked = tuple[Array, Bools]


@st.composite
def ranked(draw: st.DrawFn) -> Ranked:
    """Scores with many ties, and both classes."""
    n = draw(st.integers(2, 40))
    scores = draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))
    damaged = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda d: 0 < sum(d) < len(d)))
    return np.array(scores, np.float64) / 8, np.array(damaged)


@given(ranked())
@settings(deadline=None)
def test_auroc_is_the_chance_that_a_damaged_parcel_scores_higher_than_an_intact_one(data: Ranked) -> None:
    scores, damaged = data
    pairs = [(d > i) + 0.5 * (d == i) for d in scores[damaged] for i in scores[~damaged]]
    assert auroc(scores, damaged) == pytest.approx(np.mean(pairs))


@given(ranked())
@settings(deadline=None)
def test_average_precision_is_precision_times_step_in_recall(data: Ranked) -> None:
    scores, damaged = data
    area = before = 0.0
    for threshold in sorted(set(scores), reverse=True):
        stopped = scores >= threshold
        recall = float(damaged[stopped].sum() / damaged.sum())
        area += (recall - before) * float(damaged[stopped].mean())
        before = recall
    assert average_precision(scores, damaged) == pytest.approx(area)


@given(ranked(), st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.3, 1.0]))
@settings(deadline=None)
def test_recall_is_the_best_that_keeps_the_share_of_false_stops(data: Ranked, share: float) -> None:
    scores, damaged = data
    reached = [
        float((scores[damaged] > limit).mean())
        for limit in [*scores, -1.0]
        if (scores[~damaged] > limit).mean() <= share + 1e-9
    ]
    got = recall_at_false_stops(scores, damaged, share)
    assert got <= max(reached) + 1e-12
    if share < 1:
        assert got == pytest.approx(max(reached))


@pytest.mark.train
@given(data=ranked())
@settings(deadline=None)
def test_scikit_learn_says_the_same(data: Ranked) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, damaged = data
    assert auroc(scores, damaged) == pytest.approx(metrics.roc_auc_score(damaged, scores))
    assert average_precision(scores, damaged) == pytest.approx(metrics.average_precision_score(damaged, scores))
    assert brier(scores, damaged) == pytest.approx(metrics.brier_score_loss(damaged, scores))
    even = even_odds(damaged)
    assert brier(scores, damaged, even) == pytest.approx(metrics.brier_score_loss(damaged, scores, sample_weight=even))


@pytest.mark.parametrize("of", [auroc, average_precision, recall_at_false_stops])
def test_one_class_alone_ranks_nothing(of: Callable[[Array, Bools], float]) -> None:
    assert math.isnan(of(np.array([0.1, 0.9]), np.array([True, True])))
    assert math.isnan(of(np.zeros(0), np.zeros(0, bool)))


@given(ranked())
@settings(deadline=None)
def test_bins_of_the_reliability_hold_every_picture_once(data: Ranked) -> None:
    p, damaged = data
    bins = reliability(p, damaged, even_odds(damaged))
    assert sum(b.n for b in bins) == len(p)
    assert sum(b.weight for b in bins) == pytest.approx(1)
    assert sum(b.weight * b.was for b in bins) == pytest.approx(0.5)
    assert [b.said for b in bins] == sorted(b.said for b in bins)
    assert 0 <= calibration_error(p, damaged) <= 1


def test_calibration_by_hand() -> None:
    p = np.repeat([0.2, 0.8], 10)
    honest = np.array([True] * 2 + [False] * 8 + [True] * 8 + [False] * 2)
    assert calibration_error(p, honest) == pytest.approx(0)
    assert calibration_error(p, ~honest) == pytest.approx(0.6)
    assert brier(np.full(20, 0.5), honest) == pytest.approx(0.25)
    assert math.isnan(brier(np.zeros(0), np.zeros(0, bool)))


def test_the_bootstrap_draws_groups_and_is_the_same_every_time() -> None:
    values = np.array([0.0, 0.0, 0.0, 1.0])
    together = bootstrap(lambda i: float(values[i].mean()), ["a", "a", "a", "b"], 500)
    apart = bootstrap(lambda i: float(values[i].mean()), ["a", "b", "c", "d"], 500)
    assert (together.value, together.low, together.high) == (0.25, 0.0, 1.0)
    assert apart.high < 1
    assert together == bootstrap(lambda i: float(values[i].mean()), ["a", "a", "a", "b"], 500)


def test_one_group_tells_a_value_and_no_interval() -> None:
    one = bootstrap(lambda i: 0.5, ["a", "a"])
    assert one.value == 0.5
    assert one.told() == {"value": 0.5, "low": None, "high": None, "n": 2}
    assert bootstrap(lambda i: 1.0, []).told() == {"value": None, "low": None, "high": None, "n": 0}


def test_nothing_wrong_among_seventy_is_not_surely_never_wrong() -> None:
    never = settled(Figure(0.0, 0.0, 0.0, 70), 70)
    assert never.low == 0
    assert never.high == pytest.approx(0.0513, abs=1e-4)  # 1 - 0.025 ** (1 / 70)
    always = settled(Figure(1.0, 1.0, 1.0, 3), 3)
    assert always.high == 1
    assert always.low == pytest.approx(0.2924, abs=1e-4)
    assert math.isnan(settled(Figure(0.5, 0.5, 0.5, 4), 1).low)
    told = Figure(0.5, 0.2, 0.8, 9)
    assert settled(told, 9) == told


BOX = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(5, 40), st.integers(5, 40))


def _corners(boxes: list[tuple[int, int, int, int]]) -> Array:
    xywh = np.array(boxes, np.float64).reshape(-1, 4)
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)


@given(st.lists(BOX, max_size=6), st.lists(BOX, max_size=6), st.lists(BOX, max_size=2))
@settings(deadline=None)
def test_matching_takes_every_true_box_once_and_forgives_only_wrong_ones(
    found: list[tuple[int, int, int, int]],
    true: list[tuple[int, int, int, int]],
    ignored: list[tuple[int, int, int, int]],
) -> None:
    scores = np.linspace(0.9, 0.1, len(found)) if found else np.zeros(0)
    turns, true_turns = np.zeros(len(found)), np.full(len(true), 90.0)
    plain = match(_corners(found), scores, turns, _corners(true), true_turns)
    kind = match(_corners(found), scores, turns, _corners(true), true_turns, 0.5, _corners(ignored))
    assert plain.right.sum() == kind.right.sum() <= len(true)
    assert len(kind.scores) <= len(plain.scores) == len(found)
    assert list(plain.turn_errors) == [90.0] * int(plain.right.sum())
    if true:
        assert 0 <= box_ap([plain]) <= box_ap([kind]) + 1e-12 <= 1 + 1e-9


def test_boxes_by_hand() -> None:
    true = _corners([(0, 0, 10, 10), (50, 50, 10, 10)])
    found = _corners([(0, 0, 10, 9), (0, 0, 10, 10), (80, 80, 10, 10)])
    rows = match(found, np.array([0.9, 0.8, 0.7]), np.array([350.0, 0, 0]), true, np.array([10.0, 0]))
    assert rows.right.tolist() == [True, False, False]
    assert rows.turn_errors.tolist() == [20.0]
    assert box_ap([rows]) == pytest.approx(0.5)
    assert counts_at([rows], 0.75) == (1, 1, 2)
    forgiven = match(
        found, np.array([0.9, 0.8, 0.7]), np.zeros(3), true, np.zeros(2), 0.5, _corners([(70, 70, 40, 40)])
    )
    assert len(forgiven.scores) == 2
