"""Promises: the bounds against exact sums and against what happens when they are made a thousand times."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import cards
from models.evaluation.bounds import (
    Kind,
    allowed,
    binomial_tail,
    dkw_margin,
    group_worst,
    lower_bound,
    supports,
    upper_bound,
)
from models.evaluation.metrics import Array, Bools
from models.evaluation.promise import Asked, Costs, choose, expected_cost, pass_below, promised, stop_from

MISS, SURE = 0.1, 0.9


@given(st.integers(1, 60), st.data())
@settings(deadline=None)
def test_the_tail_is_the_exact_sum(n: int, data: st.DataObject) -> None:
    k, p = data.draw(st.integers(0, n)), Fraction(data.draw(st.integers(0, 100)), 100)
    exact = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))
    assert binomial_tail(k, n, float(p)) == pytest.approx(float(exact), abs=1e-12)


def test_the_tail_of_many_parcels_neither_overflows_nor_vanishes() -> None:
    assert binomial_tail(50_000, 100_000, 0.5) == pytest.approx(0.5, abs=2e-3)
    assert binomial_tail(0, 1_000_000, 1e-6) == pytest.approx(math.exp(-1), rel=1e-5)
    assert binomial_tail(3, 100_000, 0.5) == 0


@given(st.integers(1, 400), st.data(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_the_upper_limit_is_where_the_tail_has_what_is_left_of_the_confidence(
    n: int, data: st.DataObject, sure: float
) -> None:
    k = data.draw(st.integers(0, n - 1))
    limit = upper_bound(k, n, sure)
    assert k / n < limit < 1
    assert binomial_tail(k, n, limit) == pytest.approx(1 - sure, abs=1e-9)
    assert lower_bound(n - k, n, sure) == pytest.approx(1 - limit)


def test_limits_as_printed_in_tables() -> None:
    assert upper_bound(0, 59) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert upper_bound(3, 50) == pytest.approx(0.147837, abs=1e-6)  # beta quantile (0.95; 4, 47)
    assert upper_bound(5, 5) == 1
    with pytest.raises(ValueError, match="6 of 5"):
        upper_bound(6, 5)


@given(st.integers(0, 500), st.floats(0.01, 0.5), st.sampled_from([0.8, 0.95, 0.99]))
@settings(deadline=None)
def test_one_more_miss_than_allowed_would_break_the_promise(n: int, rate: float, sure: float) -> None:
    k = allowed(n, rate, sure)
    if k is None:
        assert n == 0 or upper_bound(0, n, sure) > rate
    else:
        assert upper_bound(k, n, sure) <= rate + 1e-9
        assert upper_bound(k + 1, n, sure) > rate - 1e-9


def test_fifty_nine_groups_are_the_fewest_for_five_percent() -> None:
    assert allowed(58, 0.05) is None
    assert allowed(59, 0.05) == 0
    assert "needs 59 groups" in supports(20, 0.05)
    assert "20 groups support at most 13.9% with 95% confidence" in supports(20, 0.05)
    assert allowed(18, 0.05, kind="conformal") is None
    assert allowed(19, 0.05, kind="conformal") == 0
    assert "needs 19" in supports(5, 0.05, kind="conformal")
    assert "nothing" in supports(0, 0.05)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 1)), min_size=1, max_size=30))
@settings(deadline=None)
def test_a_group_counts_by_its_worst_photo(rows: list[tuple[str, float]]) -> None:
    names, p = [name for name, _ in rows], np.array([value for _, value in rows])
    lowest = {name: min(v for other, v in rows if other == name) for name in set(names)}
    assert sorted(group_worst(p, names, highest=False)) == sorted(lowest.values())
    assert len(group_worst(p, names, highest=True)) == len(set(names))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=120), st.floats(0.02, 0.5), st.sampled_from([0.8, 0.95]))
@settings(deadline=None)
def test_no_more_groups_than_allowed_lie_on_the_wrong_side(scores: list[float], rate: float, sure: float) -> None:
    p, names = np.array(scores), [str(i) for i in range(len(scores))]
    k = allowed(len(p), rate, sure)
    below, above = pass_below(p, names, rate, sure), stop_from(p, names, rate, sure)
    assert (below is None) == (k is None)
    if k is not None and below is not None:
        assert (p < below).sum() <= k
        assert above is None or (p >= above).sum() <= k


@pytest.mark.parametrize(("kind", "n"), [("binomial", 40), ("binomial", 120), ("conformal", 40)])
def test_a_promise_made_a_thousand_times_is_kept_as_often_as_it_says(kind: Kind, n: int) -> None:
    """Damaged parcels whose probabilities are beta(2, 1), so that the true miss rate of a threshold t is t squared."""
    rng = np.random.default_rng(2208)
    names = [str(i) for i in range(n)]
    points = [pass_below(rng.beta(2, 1, n), names, MISS, SURE, kind) for _ in range(1000)]
    true = np.array([point**2 for point in points if point is not None])
    assert len(true) == 1000
    if kind == "binomial":
        kept = (true <= MISS).mean()
        assert kept >= SURE - 3 * math.sqrt(SURE * (1 - SURE) / 1000)
        assert true.mean() > 0.3 * MISS  # nor does it ask for more than it needs
    else:
        assert true.mean() <= MISS + 3 * true.std() / math.sqrt(1000)
        assert true.mean() > 0.6 * MISS


def test_photos_of_one_session_do_not_make_a_promise_surer() -> None:
    """Five photos of one parcel say the same: counted as photos the promise breaks, counted as groups it holds."""
    rng = np.random.default_rng(7)
    kept_by_groups = kept_by_photos = 0
    for _ in range(400):
        session = rng.beta(2, 1, 30)
        p = np.repeat(session, 5)
        groups = [str(i // 5) for i in range(150)]
        by_group = pass_below(p, groups, MISS, SURE)
        by_photo = pass_below(p, [str(i) for i in range(150)], MISS, SURE)
        assert by_group is not None
        assert by_photo is not None
        kept_by_groups += by_group**2 <= MISS
        kept_by_photos += by_photo**2 <= MISS
    assert kept_by_groups / 400 >= SURE - 0.045
    assert kept_by_photos / 400 < SURE - 0.05


def test_the_fallback_bound_holds_for_a_threshold_chosen_on_the_same_photos() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        p, damaged = _bench(rng, 30, 60)
        names = [str(i) for i in range(len(p))]
        points = choose(p, damaged, names, Costs(), Asked(0.01, confidence=SURE), chosen_on="a simulation")
        assert points.misses is not None
        assert points.misses.kind == "dkw"
        held += points.unsure**2 <= points.misses.rate_at_most
    assert held / 300 >= SURE


def _bench(rng: np.random.Generator, damaged: int, intact: int) -> tuple[Array, Bools]:
    p = np.concatenate([rng.beta(2, 1, damaged), rng.beta(1, 4, intact)])
    return p, np.arange(damaged + intact) < damaged


COSTS = st.builds(
    Costs,
    escape=st.floats(1, 200),
    false_stop=st.floats(1, 5),
    look=st.floats(0, 0.9),
    damaged_share=st.floats(0.005, 0.3),
)


@given(st.integers(0, 10_000), COSTS)
@settings(deadline=None, max_examples=40)
def test_no_other_pair_of_points_is_cheaper(seed: int, costs: Costs) -> None:
    rng = np.random.default_rng(seed)
    p, damaged = _bench(rng, 12, 14)
    p = np.round(p, 2)  # ties, as rounding makes them
    weights = rng.uniform(0.5, 2, len(p))
    names = [str(i) for i in range(len(p))]
    nothing = Asked(None, None)
    points = choose(p, damaged, names, costs, nothing, chosen_on="a test", weights=weights)
    assert 0 <= points.unsure <= points.fail <= 1
    edges = [0.0, *((a + b) / 2 for a, b in pairwise(sorted(set(p)))), 1.0]
    best = min(expected_cost(p, damaged, weights, costs, u, f) for u in edges for f in edges if u <= f)
    assert points.expected_cost == pytest.approx(best, abs=1e-9)
    assert points.misses is None


def test_dearer_escapes_pass_less_and_dearer_stops_stop_less() -> None:
    p, damaged = _bench(np.random.default_rng(3), 60, 60)
    names = [str(i) for i in range(len(p))]

    def points(**costs: float) -> tuple[float, float]:
        chosen = choose(p, damaged, names, Costs(**costs), Asked(None), chosen_on="a test")
        return chosen.unsure, chosen.fail

    assert points(escape=500)[0] <= points(escape=50)[0] <= points(escape=5)[0]
    assert points(false_stop=5)[1] >= points(false_stop=1)[1]


def test_what_is_asked_moves_the_points_apart_and_stands_on_the_card() -> None:
    p, damaged = _bench(np.random.default_rng(4), 100, 150)
    names = [str(i) for i in range(len(p))]
    cheap = choose(p, damaged, names, asked=Asked(None), chosen_on="a test")
    asked = choose(p, damaged, names, asked=Asked(0.05, 0.05), chosen_on="250 photos of a test")
    assert asked.unsure <= cheap.unsure
    assert asked.fail >= cheap.fail
    assert asked.expected_cost >= cheap.expected_cost
    told = json.loads(json.dumps(asked.told()))
    assert told["promise"] == {
        "kind": "binomial",
        "miss_rate_at_most": 0.05,
        "confidence": 0.95,
        "photos": 100,
        "groups": 100,
        "missed": int((p[damaged] < asked.unsure).sum()),
    }
    assert told["promise_of_false_stops"]["false_stop_rate_at_most"] == 0.05
    assert told["costs"] == {"escape": 50.0, "false_stop": 1.0, "look": 0.2, "damaged_share": 0.02}
    assert told["chosen_on"] == "250 photos of a test"
    assert cards.IntegrityThreshold.model_validate(told).fail == asked.fail


def test_too_few_photos_say_what_they_can_support() -> None:
    p, damaged = _bench(np.random.default_rng(4), 12, 20)
    points = choose(p, damaged, [str(i) for i in range(32)], asked=Asked(0.05), chosen_on="a test")
    assert points.misses is not None
    assert not points.misses.kept
    told = points.told()["promise"]
    assert told["kept"] is False
    assert told["asked"] == 0.05
    assert "12 groups support at most 22.1% with 95% confidence" in told["why"]
    assert told["miss_rate_at_most"] >= dkw_margin(12)


def test_a_point_that_only_costs_chose_tells_which_one_would_keep_the_promise() -> None:
    p = np.linspace(0.3, 0.9, 80)
    names = [str(i) for i in range(80)]
    limit = pass_below(p, names, 0.1)
    assert limit is not None
    kept, broken = (promised(p, names, at, 0.1, Asked(), below=True) for at in (limit, limit + 0.1))
    assert (kept.kind, kept.rate_at_most, kept.kept) == ("binomial", 0.1, True)
    assert (broken.kind, broken.kept) == ("dkw", False)
    assert broken.supports is not None
    assert f"would need unsure at {limit}" in broken.supports


def test_all_intact_at_certainty_leave_nothing_to_promise() -> None:
    assert stop_from(np.ones(100), [str(i) for i in range(100)], 0.1) is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Costs(escape=-1),
        lambda: Costs(damaged_share=0),
        lambda: Costs(look=2),
        lambda: Asked(miss_rate=0),
        lambda: Asked(confidence=1),
        lambda: choose(np.ones(3), np.ones(3, bool), ["a"] * 3, chosen_on="only damaged ones"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=r"cost|rates|both damaged"):
        wrong()
