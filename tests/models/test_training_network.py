"""The network answers in the shapes it promises, learns when taught, and says the same as its exported graph."""

# ruff: noqa: E402  # torch is an extra: nothing of training is imported before it is known to be there
import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from models.evaluation.metrics import Matched, auroc, bootstrap, box_ap, match, recall_at_false_stops
from models.training.cache import Rows, as_input, target_of
from models.training.calibrate import fit, out_of_fold, platt
from models.training.export import disagreement, infer, write_graph
from models.training.losses import (
    Target,
    assign,
    damage_loss,
    generalised_overlap,
    loss,
    overlap,
    state_loss,
    turn_loss,
)
from models.training.network import CLASSES, DAMAGE_KINDS, EVIDENCE, POOLED, SIDE, ParcelNet, evidence, points
from models.training.thresholds import best_f
from models.training.train import Schedule, build
from models.training.views import View


@pytest.fixture(scope="module")
def net() -> ParcelNet:
    torch.set_num_threads(2)
    return build(0)


def view(seed: int) -> View:
    """A light square on a dark ground: the parcel, with damage in its upper half."""
    rng = np.random.default_rng(seed)
    canvas = np.full((SIDE, SIDE, 3), 40, np.uint8)
    x, y, side = int(rng.integers(20, 100)), int(rng.integers(20, 100)), int(rng.integers(120, 190))
    canvas[y : y + side, x : x + side] = (120, 160, 190)
    damage = np.zeros((len(DAMAGE_KINDS), SIDE // 8, SIDE // 8), np.float32)
    damage[0, y // 8 : (y + side // 2) // 8, x // 8 : (x + side) // 8] = 1
    boxes = np.array([[x, y, x + side, y + side]], np.float32)
    return View(
        canvas=canvas,
        boxes=boxes,
        classes=np.zeros(1, np.int64),
        turns=np.full(1, np.nan, np.float32),
        judged=np.ones(len(CLASSES), bool),
        damage=damage,
        damaged=True,
        look="parcel",
        source="photos",
        group="g",
        plain=True,
    )


def test_the_answer_has_the_shapes_of_the_contract(net: ParcelNet) -> None:
    with torch.no_grad():
        seen = net.eval()(as_input([view(0).canvas, view(1).canvas]))
    cells = sum((SIDE // s) ** 2 for s in (8, 16, 32))
    assert seen.boxes.shape == (2, cells, 4)
    assert seen.scores.shape == (2, cells, len(CLASSES))
    assert seen.rotations.shape == (2, cells, 2)
    assert seen.damage_map.shape == (2, len(DAMAGE_KINDS), 40, 40)
    assert seen.features.shape == (2, POOLED + EVIDENCE)
    assert torch.allclose((seen.rotations**2).sum(-1), torch.ones(2, cells), atol=1e-4)


def test_the_evidence_of_a_damage_map_is_of_its_kind_of_any_kind_and_of_its_size() -> None:
    sound = torch.full((1, len(DAMAGE_KINDS), 40, 40), -9.0)
    one_cell, small, large = sound.clone(), sound.clone(), sound.clone()
    one_cell[0, 2, 10, 10] = 9
    small[0, 2, 10:13, 10:13] = 9
    large[0, 2, 10:20, 10:20] = 9
    told = [evidence(damage)[0] for damage in (sound, one_cell, small, large)]
    kinds = len(DAMAGE_KINDS)
    assert all(t.shape == (EVIDENCE,) for t in told)
    peak, any_small, any_large, spread = 2, kinds, kinds + 1, kinds + 2 + 2
    for place in (peak, any_small, any_large, spread):
        ranked = [float(t[place]) for t in told]
        assert ranked == sorted(ranked)
    assert told[1][peak] < 0 < told[2][peak]  # one noisy cell is no damage
    assert told[2][any_large] < 0 < told[3][any_large]
    assert torch.equal(told[3][[0, 1, 3]], told[0][[0, 1, 3]])  # other kinds know nothing of it


def _mean_of(net: ParcelNet) -> list[float]:
    mean = net.backbone.stem_norm.running_mean
    assert mean is not None
    return [float(v) for v in mean]


def test_the_trunk_keeps_the_statistics_of_imagenet(net: ParcelNet) -> None:
    before = _mean_of(net)
    net.train()
    net.features(as_input([view(0).canvas]))
    assert _mean_of(net) == before


def test_the_exported_graph_says_what_torch_says_for_any_batch(net: ParcelNet, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_graph(net, path)
    noise = np.random.default_rng(0).uniform(-1, 1, (3, 3, SIDE, SIDE)).astype(np.float32)
    real = as_input([view(3).canvas]).contiguous().numpy()
    for images in (noise, real):
        gaps = disagreement(net, path, images)
        assert gaps["boxes"] < 1e-2  # pixels
        assert gaps["scores"] < 1e-4
        assert gaps["damage_map"] < 1e-4
        assert gaps["features"] < 1e-3
        assert gaps["rotations"] < 1e-2
    assert len(infer(path, noise).boxes) == 3


def test_a_few_steps_on_two_views_find_the_parcel_and_its_damage() -> None:
    net = build(1)
    views = [view(0), view(1)]
    with torch.no_grad():
        features = net.eval().features(as_input([v.canvas for v in views]))
    targets = [target_of(v) for v in views]
    optimiser = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=6e-3)
    net.train()
    first = last = math.nan
    for step in range(30):
        total = torch.stack(list(loss(net.heads(features), targets, net.points).values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        first, last = (float(total.detach()) if step == 0 else first), float(total.detach())
    assert last < 0.35 * first
    with torch.no_grad():
        seen = net(as_input([v.canvas for v in views]))  # batch statistics are those of these two views
    for i, v in enumerate(views):
        best = seen.boxes[i, seen.scores[i, :, 0].argmax()]
        assert overlap(best[None], torch.from_numpy(v.boxes))[0, 0] > 0.75
        truth = torch.from_numpy(v.damage)[0] > 0.5
        assert seen.damage_map[i, 0][truth].mean() > seen.damage_map[i, 0][~truth].mean() + 0.4


def target(boxes: list[list[float]], classes: list[int], judged: list[int] | None = None) -> Target:
    known = torch.zeros(len(CLASSES), dtype=torch.bool)
    known[judged if judged is not None else list(range(len(CLASSES)))] = True
    return Target(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(classes, dtype=torch.long),
        torch.full((len(classes),), math.nan),
        known,
        None,
    )


def test_overlaps_by_hand() -> None:
    a = torch.tensor([[0.0, 0, 10, 10]])
    b = torch.tensor([[5.0, 0, 15, 10], [0, 0, 10, 10], [20, 20, 30, 30]])
    assert overlap(a, b)[0].tolist() == pytest.approx([1 / 3, 1, 0])
    assert generalised_overlap(a.expand(3, 4), b)[1] == pytest.approx(1)
    assert generalised_overlap(a.expand(3, 4), b)[2] < 0  # apart is worse than touching


def test_every_box_gets_a_point_even_a_tiny_one() -> None:
    grid = points(SIDE)
    scores = torch.full((len(grid), len(CLASSES)), 0.01)
    boxes = torch.cat([grid - 20, grid + 20], 1)
    found = assign(scores, boxes, grid, target([[100, 100, 103, 103], [40, 40, 200, 200]], [2, 0]))
    assert set(found.boxes.tolist()) == {0, 1}
    assert len(set(found.points.tolist())) == len(found.points)
    assert (found.quality > 0).all()


def test_a_class_nobody_judged_costs_nothing_and_a_judged_one_does() -> None:
    net = build(2)
    with torch.no_grad():
        raw = net.eval().heads(net.features(as_input([view(0).canvas])))
    raw = raw._replace(classes=torch.full_like(raw.classes, -20.0))
    loud = raw._replace(classes=raw.classes.index_fill(2, torch.tensor([3]), 4.0))
    blind, seeing = target([], [], judged=[0]), target([], [], judged=[0, 3])
    assert float(loss(loud, [blind], net.points)["classes"]) == pytest.approx(0, abs=1e-3)
    assert float(loss(loud, [seeing], net.points)["classes"]) > 1


@pytest.mark.parametrize(("degrees", "expected"), [(90.0, 0.0), (270.0, 2.0), (0.0, 1.0)])
def test_a_turn_costs_nothing_when_right_and_most_when_opposite(degrees: float, expected: float) -> None:
    pointing_right = torch.tensor([[3.0, 0.0]])  # sin, cos of 90 degrees, any length
    assert float(turn_loss(pointing_right, torch.tensor([degrees]))[0]) == pytest.approx(expected, abs=1e-5)


def test_damage_that_nobody_knows_costs_nothing() -> None:
    logits = torch.randn(2, len(DAMAGE_KINDS), 40, 40)
    assert float(damage_loss(logits, [target([], []), target([], [])])) == 0


def test_the_rate_warms_up_and_falls() -> None:
    schedule = Schedule(steps=500, warm_up=50)
    rates = [schedule.share_at(s) for s in range(500)]
    assert rates[0] < rates[25] < rates[49]
    assert rates[50] > rates[250] > rates[499] > 0


def test_a_linear_head_separates_folds_it_has_not_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    damaged = rng.random(200) < 0.5
    pooled = rng.normal(0, 1, (200, 60)) + damaged[:, None] * 0.5
    weights, folds = np.ones(200), np.arange(200) % 5
    logits = out_of_fold(pooled, damaged, weights, folds, 0.01)
    assert auroc(logits, damaged) > 0.9
    whole = fit(pooled, damaged, weights, 0.01)
    whole.save(tmp_path / "head.npz")
    with np.load(tmp_path / "head.npz") as saved:
        assert pooled @ saved["weights"] + saved["bias"] == pytest.approx(whole(pooled), abs=1e-4)
    a, b = platt(logits, damaged)
    p = 1 / (1 + np.exp(-(a * logits + b)))
    assert abs(p[damaged].mean() + p[~damaged].mean() - 1) < 0.1


def test_measures_by_hand() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    damaged = np.array([True, False, True, False, False])
    assert auroc(scores, damaged) == pytest.approx(5 / 6)
    assert recall_at_false_stops(scores, damaged, 0.0) == pytest.approx(0.5)
    truth = np.array([[0, 0, 10, 10], [50, 50, 60, 60]], np.float32)
    found = np.array([[0, 0, 10, 9], [1, 0, 10, 10], [80, 80, 90, 90]], np.float32)
    told = match(
        found, np.array([0.9, 0.8, 0.7], np.float32), np.array([350, 0, 0], np.float32), truth, np.array([10.0, 0])
    )
    assert told.right.tolist() == [True, False, False]  # the second is a double of the first
    assert told.turn_errors.tolist() == [20]
    assert box_ap([told]) == pytest.approx(0.5)


def test_the_interval_of_one_group_is_wider_than_that_of_many() -> None:
    values = np.array([0.0] * 10 + [1.0] * 10)
    many = bootstrap(lambda i: float(values[i].mean()), [str(i) for i in range(20)])
    few = bootstrap(lambda i: float(values[i].mean()), ["a"] * 10 + ["b"] * 10)
    assert many.value == few.value == 0.5
    assert few.high - few.low > many.high - many.low
    assert few.low == 0


def test_rows_of_several_files_come_in_the_order_asked_for() -> None:
    first, second = np.arange(8).reshape(4, 2), np.arange(100, 106).reshape(3, 2)
    rows = Rows(first, second)[np.array([6, 0, 4, 3])]
    assert rows.tolist() == [[104, 105], [0, 1], [100, 101], [6, 7]]


def told(scores: list[float], right: list[bool], truth: int) -> Matched:
    return Matched(np.array(scores), np.array(right), truth, np.zeros(0))


def test_the_best_threshold_weighs_misses_against_mistakes() -> None:
    assert best_f([told([0.9, 0.8, 0.6, 0.5], [True, True, True, False], 4)]) == 0.6
    mixed = [told([0.9, 0.8, 0.6, 0.5, 0.4], [True, False, False, False, True], 2)]
    assert best_f(mixed) == 0.9
    assert best_f(mixed, 2) == 0.4  # both are found, at the price of three mistakes
    assert best_f([]) == 0.5


def test_early_and_late_blocks_are_the_whole_trunk(net: ParcelNet) -> None:
    image = torch.rand(1, 3, SIDE, SIDE) * 2 - 1
    with torch.inference_mode():
        whole = net.backbone(image)
        p3, p4 = net.backbone.early(image)
        p5, top = net.backbone.late(p4)
    for ours, theirs in zip((p3, p4, p5, top), whole, strict=True):
        assert torch.equal(ours, theirs)


def test_only_what_is_late_may_be_trained() -> None:
    taught = {name for name, p in build(0).named_parameters() if p.requires_grad and name.startswith("backbone.")}
    assert taught
    assert all(name.startswith(("backbone.blocks.11", "backbone.blocks.12", "backbone.blocks.13", "backbone.blocks.14",
                                "backbone.blocks.15", "backbone.top")) for name in taught)  # fmt: skip


def test_a_state_that_nobody_knows_costs_nothing() -> None:
    logits = torch.tensor([3.0, -2.0])
    assert float(state_loss(logits, [target([], []), target([], [])])) == 0
    surely = state_loss(logits, [target([], [])._replace(damaged=True), target([], [])._replace(damaged=False)])
    wrong = state_loss(logits, [target([], [])._replace(damaged=False), target([], [])._replace(damaged=True)])
    assert float(surely) < 0.2 < float(wrong)
