"""Drawn things, the lesson of parts, and the points of the card are what they are said to be."""

# ruff: noqa: E402  # torch is an extra: nothing of training is imported before it is known to be there
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

import onnx
from onnx import TensorProto, helper

import models
from inspector.embedder import unit
from inspector.matching import EVIDENCE
from models.training.embedder import goods, head
from models.training.embedder.calibrate import Sought, points
from models.training.embedder.export import agreement, released, write_graph
from models.training.embedder.network import as_tensor


def test_drawn_things_are_many_kinds_and_fill_their_crops() -> None:
    rng = np.random.default_rng(0)
    fills, colours = [], []
    for _ in range(60):
        bgr, mask = goods.drawn(rng)
        assert bgr.shape[:2] == mask.shape
        assert min(mask.shape) > 5
        assert all(edge.any() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
        fills.append(mask.mean())
        colours.append(bgr[mask].std())
    assert min(fills) < 0.4  # cables
    assert max(fills) > 0.95  # boxes
    assert min(colours) < 15  # plain ones
    assert max(colours) > 50  # printed ones


def test_a_drawn_thing_follows_from_its_seed() -> None:
    one, two = (goods.drawn(np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])


def test_the_shipped_graph_answers_as_its_network_and_can_be_written_again(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    shipped = models.load("embedder").onnx
    net = released(shipped)
    crops = np.stack([np.resize(goods.drawn(np.random.default_rng(seed))[0], (96, 96, 3)) for seed in range(24)])
    unseen = as_tensor(list(crops[16:]))
    assert agreement(net, shipped, unseen) > 0.999
    write_graph(net, tmp_path / "again.onnx", 96, crops[:16])
    assert agreement(net, tmp_path / "again.onnx", unseen) > 0.999
    assert (tmp_path / "again.onnx").stat().st_size < 3.7e6  # the network in float is 12 MB
    net.scene.weight.data += 0.1
    assert agreement(net, shipped, unseen) < 0.99, "another network agreed as well"


def test_a_graph_that_is_no_embedder_is_told(tmp_path: Path) -> None:
    given, out = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "ab")
    node = helper.make_node("Identity", ["a"], ["b"])
    onnx.save(helper.make_model(helper.make_graph([node], "other", [given], [out])), tmp_path / "other.onnx")
    with pytest.raises(ValueError, match=r"has no item\.weight, scale, scene\.weight, shift"):
        released(tmp_path / "other.onnx")


def test_parts_are_scored_as_the_check_scores_them() -> None:
    rng = np.random.default_rng(1)
    cells = unit(rng.normal(size=(6, 8, 16)).astype(np.float32))
    tokens = unit(rng.normal(size=(2, 5, 16)).astype(np.float32))
    corners = np.array([[0, 0, 3, 2], [4, 1, 8, 6]])
    heads = head.Heads(np.eye(16, dtype=np.float32))
    told = heads.parts(torch.from_numpy(tokens), torch.from_numpy(cells), corners).detach().numpy()
    for item in range(2):
        for window, (x0, y0, x1, y1) in enumerate(corners):
            best = (cells[y0:y1, x0:x1] @ tokens[item].T).max((0, 1)).mean()
            assert told[item, window] == pytest.approx(best, abs=1e-5)


def test_heads_learn_to_look_past_what_all_things_share() -> None:
    torch.set_num_threads(1)  # the steps are small: threads would wait for each other
    rng = np.random.default_rng(2)
    lessons = [_lesson(rng) for _ in range(12)]
    unseen = [_lesson(rng) for _ in range(6)]
    start = np.eye(8, dtype=np.float32)
    before = np.mean([_found(head.Heads(start), lesson) for lesson in unseen])
    heads = head.train(lessons, start, steps=200, rate=5e-2, rng=rng)
    after = np.mean([_found(heads, lesson) for lesson in unseen])
    assert after > before + 0.3, (before, after)


def _lesson(rng: np.random.Generator) -> head.Lesson:
    """Four of six items in a row of cells; noise in four strong directions, and a weak one that tells the item."""
    kinds = np.r_[np.eye(8)[4:], -np.eye(8)[4:6]]
    strong = np.r_[np.ones(4), np.zeros(4)] * 3
    items = np.asarray([strong * rng.normal(1, 0.3, 8) + 0.6 * kind for kind in kinds], np.float32)
    there = rng.permutation(6)[:4]
    cells = np.asarray([strong * rng.normal(1, 0.3, 8) + 0.6 * kinds[i] for i in there], np.float32)[None]
    overlaps = np.zeros((6, 4), np.float32)
    overlaps[there, np.arange(4)] = 1
    corners = np.array([[i, 0, i + 1, 1] for i in range(4)])
    return head.Lesson(unit(cells[0]), unit(items), overlaps, unit(cells), corners, unit(items)[:, None])


def _found(heads: head.Heads, lesson: head.Lesson) -> float:
    cosines = heads(torch.from_numpy(lesson.windows), torch.from_numpy(lesson.items)).detach().numpy()
    return float((cosines.argmax(0) == lesson.overlaps.argmax(0)).mean())


def _sought(kind: str, present: bool, odds: float, picture: int = 0) -> Sought:
    evidence = np.zeros((1, len(EVIDENCE)), np.float32)
    evidence[0, 0] = odds
    return Sought(evidence, np.zeros(1, np.float32), present, kind=kind, picture=picture)


def test_points_keep_their_shares_on_average_over_kinds() -> None:
    rng = np.random.default_rng(0)
    sought = [_sought("many", False, float(o)) for o in rng.normal(-2, 1, 900)]
    sought += [_sought("few", False, float(o)) for o in rng.normal(-1, 1, 100)]
    for first, kind in ((0, "many"), (100, "few")):  # three things on each picture
        sought += [_sought(kind, True, float(o), first + i // 3) for i, o in enumerate(rng.normal(3, 1.5, 300))]
    weights = {name: float(i == 0) for i, name in enumerate(EVIDENCE)}
    present, missing, extra = points(sought, weights, 0.0, invented=0.02, lost=0.03)

    def share(kind: str, there: bool, level: float) -> float:
        odds = np.array([s.evidence[0, 0] for s in sought if s.kind == kind and s.present == there])
        return float((1 / (1 + np.exp(-odds)) >= level).mean())

    def stopped(kind: str, level: float) -> float:
        mine = [s for s in sought if s.kind == kind and s.present]
        called = {s.picture for s in mine if 1 / (1 + np.exp(-s.evidence[0, 0])) < level}
        return len(called) / len({s.picture for s in mine})

    assert np.mean([share(kind, False, present) for kind in ("many", "few")]) <= 0.02
    assert np.mean([share(kind, False, present - 0.01) for kind in ("many", "few")]) > 0.02
    assert np.mean([stopped(kind, missing) for kind in ("many", "few")]) <= 0.03
    assert np.mean([stopped(kind, missing + 0.01) for kind in ("many", "few")]) > 0.03
    assert missing < present <= extra
