"""What few photos may change of a head: solved exactly, drawn to the base, measured on photos it has not seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.head import DamageHead
from models import ParcelCard
from models.adaptation.adapting import Rival, adapt
from models.adaptation.features import Lessons
from models.adaptation.learning import TooFewError, deal, groups_of_each, learn, out_of_fold
from models.adaptation.logistic import Array, Bools, Space, balance, correct, mean_loss, platt, sigmoid
from models.adaptation.novelty import unusual, unusual_out_of_fold
from models.evaluation.metrics import auroc
from models.evaluation.promise import Asked, Costs
from tests.models import fakes

F = 200


class World:
    """Parcels whose damage shows along `truth`, and a base head that sees a part of it."""

    def __init__(self, seed: int, n: int, *, base_sees: float = 0.5, damaged: float = 0.5) -> None:
        rng = np.random.default_rng(seed)
        self.truth = np.zeros(F)
        self.truth[:10] = 1.0
        self.base = DamageHead(np.concatenate([np.full(5, base_sees), np.zeros(F - 5)]), 0.3)
        self.damaged: Bools = rng.random(n) < damaged
        self.features: Array = 0.7 * rng.normal(size=(n, F)) + np.where(self.damaged, 0.35, -0.35)[:, None] * self.truth
        self.groups = tuple(f"p{i // 2}" if i < n // 2 else f"p{i}" for i in range(n))

    def lessons(self) -> Lessons:
        names = tuple(f"{i}.jpg" for i in range(len(self.damaged)))
        return Lessons(self.features, self.damaged, self.groups, names, names)

    def rival(self, ref: str = "parcel/1.0.0", head: DamageHead | None = None, fair: Bools | None = None) -> Rival:
        card = ParcelCard.model_validate({**fakes.card("1.0.0"), "files": {"model.onnx": "0", "head.npz": "0"}})
        return Rival(ref, head or self.base, card, np.ones(len(self.damaged), bool) if fair is None else fair)


def taught(world: World, *others: Rival, base: Rival | None = None):  # type: ignore[no-untyped-def]  # Adapted
    return adapt(world.lessons(), base or world.rival(), others, costs=Costs(), asked=Asked())


# -- the solver ----------------------------------------------------------------------------------------------------


def test_the_correction_is_where_the_loss_is_least() -> None:
    rng = np.random.default_rng(0)
    rows, offset, damaged = rng.normal(size=(30, 8)), rng.normal(size=30), rng.random(30) < 0.4
    slope, shift = correct(rows, offset, damaged, 0.02)

    def loss(slope: Array, shift: float) -> float:
        z = offset + rows @ slope + shift
        cost = balance(damaged) @ np.logaddexp(0, np.where(damaged, -z, z))
        return float(cost + 0.5 * 0.02 * 30 * slope @ slope + 0.5 * 1e-3 * shift**2)

    least = loss(slope, shift)
    for _ in range(50):
        step = rng.normal(size=8)
        assert loss(slope + 1e-3 * step, shift + 1e-3 * float(rng.normal())) >= least - 1e-9


def test_a_separable_set_is_solved_too() -> None:
    rows = np.array([[-1.0], [-0.5], [0.5], [1.0]])
    slope, shift = correct(rows, np.zeros(4), np.array([False, False, True, True]), 1e-4)
    assert slope[0] > 1
    assert abs(shift) < 1e-6


def test_an_infinite_strength_moves_the_level_only() -> None:
    slope, shift = correct(np.eye(4), np.full(4, 3.0), np.array([True, False, False, False]), np.inf)
    assert not slope.any()
    assert shift == pytest.approx(-3, abs=0.05)


def test_the_span_of_the_rows_loses_nothing() -> None:
    x = np.random.default_rng(1).normal(size=(12, 50)) + 4
    space = Space.of(x)
    assert space.rows.shape == (12, 11)
    assert (space.rows**2).sum(1).mean() == pytest.approx(1)
    slope = np.arange(11.0)
    weights, bias = space.linear(slope, 2.0)
    np.testing.assert_allclose(x @ weights + bias, space.rows @ slope + 2.0, atol=1e-9)


def test_rows_all_alike_are_no_trouble() -> None:
    space = Space.of(np.ones((5, 7)))
    weights, bias = space.linear(*correct(space.rows, np.zeros(5), np.array([True] * 3 + [False] * 2), 0.1))
    assert np.isfinite(weights).all()
    assert np.isfinite(bias)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(0, 10_000), st.floats(0.001, 1000))
def test_calibration_keeps_the_ranking_and_is_finite(n: int, seed: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    damaged = np.arange(n) % 2 == 0
    logits = spread * rng.normal(size=n)
    a, b = platt(logits, damaged)
    assert a > 0
    assert np.isfinite(b)
    p = sigmoid(a * logits + b)
    assert ((p >= 0) & (p <= 1)).all()
    assert (np.diff(p[np.argsort(logits)]) >= 0).all()


def test_calibration_finds_the_truth() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(0, 2, 20_000)
    damaged = rng.random(20_000) < sigmoid(true)
    a, b = platt(3 * true - 1, damaged)
    assert a == pytest.approx(1 / 3, rel=0.05)
    assert b == pytest.approx(1 / 3, abs=0.05)


def test_perfectly_told_photos_are_not_called_certain() -> None:
    damaged = np.array([True] * 5 + [False] * 5)
    a, b = platt(np.where(damaged, 1.0, -1.0), damaged)
    assert sigmoid(np.array([a + b]))[0] == pytest.approx(6 / 7, abs=0.01)


# -- folds ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=60), st.integers(2, 5))
def test_a_group_is_never_split_and_folds_are_even(rows: list[tuple[int, bool]], folds: int) -> None:
    groups = [f"g{g}" for g, _ in rows]
    damaged = np.array([d for _, d in rows])
    fold = deal(groups, damaged, folds, np.random.default_rng(0))
    for group in set(groups):
        assert len({int(f) for f, g in zip(fold, groups, strict=True) if g == group}) == 1
    of_fold = {g: int(f) for g, f in zip(groups, fold, strict=True)}
    counts = np.bincount(list(of_fold.values()), minlength=folds)
    assert counts.max() - counts.min() <= 1


def test_groups_are_counted_by_what_they_show() -> None:
    assert groups_of_each(["a", "a", "b", "c"], np.array([True, False, False, False])) == (1, 3)


# -- learning ------------------------------------------------------------------------------------------------------


def test_what_the_base_does_not_see_is_learnt() -> None:
    world, unseen = World(1, 120), World(2, 600)
    told = world.base.logits(world.features)
    head = learn(world.features, told, world.damaged, world.groups, np.random.default_rng(0))
    base = unseen.base.logits(unseen.features)
    assert auroc(head(unseen.features, base), unseen.damaged) > auroc(base, unseen.damaged) + 0.03


def test_noise_teaches_almost_nothing() -> None:
    """Labels that have nothing to do with the photos: what is left is the base's ranking, or close to it."""
    kept = []
    for seed in range(5):
        world, unseen = World(seed, 24), World(seed + 100, 400)
        world.features[:, 5:] = np.random.default_rng(seed).normal(size=(24, F - 5))  # only what the base sees is true
        unseen.features[:, 5:] = np.random.default_rng(seed + 50).normal(size=(400, F - 5))
        base = unseen.base.logits(unseen.features)
        told = world.base.logits(world.features)
        head = learn(world.features, told, world.damaged, world.groups, np.random.default_rng(0))
        kept.append(auroc(head(unseen.features, base), unseen.damaged) - auroc(base, unseen.damaged))
    assert np.mean(kept) > -0.03


def test_what_is_measured_is_what_comes() -> None:
    """Out-of-fold ranking is close to that on a thousand new photos, and not flattering."""
    gaps = []
    for seed in range(4):
        world, unseen = World(seed, 80), World(seed + 10, 1000)
        told = world.base.logits(world.features)
        held, _ = out_of_fold(world.features, told, world.damaged, world.groups, np.random.default_rng(0))
        head = learn(world.features, told, world.damaged, world.groups, np.random.default_rng(1))
        after = auroc(head(unseen.features, unseen.base.logits(unseen.features)), unseen.damaged)
        gaps.append(auroc(held, world.damaged) - after)
    assert abs(np.mean(gaps)) < 0.05


def test_photos_of_one_parcel_do_not_vouch_for_each_other() -> None:
    """Ten copies of each of six parcels say no more than six photos: the copies are never on both sides."""
    rng = np.random.default_rng(0)
    parcels, damaged = rng.normal(size=(6, F)), np.array([True, False] * 3)
    features = np.repeat(parcels, 10, 0) + 0.01 * rng.normal(size=(60, F))
    groups = np.repeat([f"p{i}" for i in range(6)], 10).tolist()
    held, _ = out_of_fold(features, np.zeros(60), np.repeat(damaged, 10), groups, np.random.default_rng(0))
    assert auroc(held, np.repeat(damaged, 10)) < 0.9  # a split by photo would say 1.0


def test_the_loss_of_knowing_nothing() -> None:
    assert mean_loss(np.zeros(5), np.array([True, False, False, False, False])) == pytest.approx(np.log(2))


# -- the whole ------------------------------------------------------------------------------------------------------


def test_the_head_that_is_written_says_what_was_measured() -> None:
    world = World(2, 100)
    told = taught(world)
    assert told.way == "corrected"
    assert not told.comparison.worse
    assert told.comparison.against == "parcel/1.0.0"
    here = told.figures["parcel/1.0.0"]
    assert told.figures["adapted"]["auroc"]["value"] > here["auroc"]["value"]
    assert here["auroc_gained"]["low"] <= here["auroc_gained"]["value"] <= here["auroc_gained"]["high"]
    assert 0 <= told.thresholds["unsure"] <= told.thresholds["fail"] <= 1
    unseen = World(7, 1000)
    p = sigmoid(told.a * told.head.logits(unseen.features) + told.b)
    assert auroc(p, unseen.damaged) > auroc(world.base.logits(unseen.features), unseen.damaged)
    counts = told.figures["at_the_thresholds"]["damaged"]
    assert counts["fail"] + counts["unsure"] + counts["pass"] == counts["photos"] == int(world.damaged.sum())


def test_the_same_photos_give_the_same_head() -> None:
    first, second = taught(World(1, 40)), taught(World(1, 40))
    np.testing.assert_array_equal(first.head.weights, second.head.weights)
    assert (first.a, first.b, first.thresholds, first.figures) == (
        second.a,
        second.b,
        second.thresholds,
        second.figures,
    )


def test_a_candidate_that_ranks_worse_than_the_model_in_use_is_refused_with_the_figures() -> None:
    world = World(3, 60)
    rival = world.rival("parcel/perfect", DamageHead(10 * world.truth, 0.0))
    told = taught(world, rival)
    assert told.comparison.worse
    assert told.comparison.against == "parcel/perfect"
    assert "beside parcel/perfect" in told.comparison.text
    assert "AUROC" in told.comparison.text


def test_a_model_is_not_measured_on_photos_that_it_learnt_from() -> None:
    world = World(3, 60)
    cheat = DamageHead(10 * world.truth, 0.0)
    told = taught(world, world.rival("parcel/mine", cheat, fair=np.arange(60) < 3))
    assert not told.comparison.worse
    assert "cannot be measured: that has learnt from all but 3 of the photos" in told.comparison.text
    assert "parcel/mine" not in told.figures


def test_recall_decides_nothing_where_it_hangs_on_one_photo() -> None:
    told = taught(World(5, 30, damaged=0.6))
    assert "too few intact photos to decide by" in told.comparison.text


def test_a_base_that_knows_all_stays_as_it_ranks_and_is_not_refused() -> None:
    world = World(4, 60)
    told = taught(world, base=world.rival(head=DamageHead(20 * world.truth, 1.0)))
    assert not told.comparison.worse
    assert auroc(told.head.logits(world.features), world.damaged) == 1.0


@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        ([True, False, False, False, False], "1 damaged parcel"),
        ([True, True, True, True, False], "1 intact parcel"),
        ([True, True, False, False, True], "2 intact parcels"),
    ],
)
def test_too_few_of_a_kind_is_told_with_what_to_do(damaged: list[bool], said: str) -> None:
    n = len(damaged)
    names = tuple("abcde")
    few = Lessons(np.random.default_rng(0).normal(size=(n, F)), np.array(damaged), names, names, names)
    with pytest.raises(TooFewError, match=said) as told:
        adapt(few, World(0, n).rival(), costs=Costs(), asked=Asked())
    assert "Take photos of 3 at least" in str(told.value)


def test_two_groups_are_too_few_to_learn_from() -> None:
    with pytest.raises(TooFewError):
        learn(np.eye(3), np.zeros(3), np.array([True, False, False]), ["a", "b", "c"], np.random.default_rng(0))
    with pytest.raises(TooFewError):
        out_of_fold(np.eye(3), np.zeros(3), np.array([True, False, False]), ["a", "b", "c"], np.random.default_rng(0))


# -- intact photos only ----------------------------------------------------------------------------------------------


def intact_world(seed: int, n: int) -> World:
    """A bench whose intact parcels vary little, so that any damage, known to the base or not, is unusual here."""
    world = World(seed, n, damaged=0.0)
    world.features = 0.2 * np.random.default_rng(seed).normal(size=(n, F)) + 1.0
    return world


def test_what_is_unusual_here_counts_though_the_base_does_not_see_it() -> None:
    world = intact_world(0, 40)
    head = unusual(world.base, world.features)
    usual = intact_world(1, 200).features
    strange = usual.copy()
    strange[:, 50:80] += 1.0  # where the base has no weight at all
    damaged = np.arange(400) < 200
    both = np.concatenate([strange, usual])
    assert auroc(world.base.logits(both), damaged) == pytest.approx(0.5, abs=0.1)
    assert auroc(head.logits(both), damaged) > 0.9


def test_intact_photos_only_set_the_level_of_this_bench() -> None:
    world = intact_world(2, 60)
    told = adapt(world.lessons(), world.rival(), costs=Costs(), asked=Asked())
    assert told.way == "unusual"
    assert told.strength is None
    here = told.figures["adapted"]["intact"]
    assert (here["fail"], here["unsure"]) == (3, 6)  # 5 % and 10 % more of 60, held out
    p = sigmoid(told.a * told.head.logits(intact_world(3, 500).features) + told.b)
    assert (p >= told.thresholds["fail"]).mean() < 0.15
    assert told.thresholds["fail"] == 0.7  # the base's own point, at this bench's level
    assert "nothing is promised of misses" in told.thresholds["chosen_on"]


def test_few_intact_photos_are_too_few() -> None:
    world = intact_world(0, 6)
    with pytest.raises(TooFewError, match="take 10 or more"):
        adapt(world.lessons(), world.rival(), costs=Costs(), asked=Asked())


def test_no_photo_is_compared_with_itself() -> None:
    """The held-out answer to a photo that is unlike all others must be high, although it was there to learn from."""
    world = intact_world(0, 40)
    world.features[7, 100:] += 2.0
    names = [f"g{i}" for i in range(40)]
    held = unusual_out_of_fold(world.base, world.features, names, np.random.default_rng(0))
    assert int(held.argmax()) == 7
