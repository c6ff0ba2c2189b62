"""The graph in 8 bits: paddings folded, weights rounded by what their layer answers, and how agreement is counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from inspector import Inspector
from inspector.detector import to_input
from models.training import looks
from models.training.data import Photo
from models.training.export import write_graph
from models.training.network import SIDE as NETWORK_SIDE
from models.training.quantise import FLOAT, Agreement, agreement, calibration_views, keep_in_8_bits, quantise
from models.training.rounding import Convolution, convolutions, rounded, second_moments
from models.training.simplify import keep_outputs, save_halved, simplify
from models.training.train import build
from tests.inspector.scripted import PARCEL, Scripted, eye, frame

pytestmark = pytest.mark.train

SIDE = 32
CANVASES = np.random.default_rng(11).integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """Padding, convolution, clip; depthwise; pointwise: what EfficientNet-Lite is made of. The last channel is dead."""
    rng = np.random.default_rng(4)
    first = rng.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32)
    deep = rng.normal(0, 0.3, (8, 1, 3, 3)).astype(np.float32)
    deep[-1] = 1e-12
    last = rng.normal(0, 0.4, (5, 8, 1, 1)).astype(np.float32)
    bias = np.full(8, 1.5, np.float32)
    constants = {"w1": first, "w2": deep, "w3": last, "b": bias, "low": np.float32(0), "high": np.float32(6)}
    constants["pads"] = np.array([0, 0, 0, 0, 0, 0, 1, 1], np.int64)
    nodes = [
        helper.make_node("Pad", ["image", "pads"], ["padded"], "/pad"),
        helper.make_node("Conv", ["padded", "w1", "b"], ["a"], "/stem/Conv", strides=[2, 2], pads=[0, 0, 0, 0]),
        helper.make_node("Clip", ["a", "low", "high"], ["c"], "/stem/Clip"),
        helper.make_node("Conv", ["c", "w2", "b"], ["d"], "/block/deep/Conv", group=8, pads=[1, 1, 1, 1]),
        helper.make_node("Clip", ["d", "low", "high"], ["e"], "/block/Clip"),
        helper.make_node("Conv", ["e", "w3"], ["out"], "/block/project/Conv"),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 5, SIDE // 2, SIDE // 2])
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    made = helper.make_graph(nodes, "small", [image], [out], tensors)
    path = tmp_path / "small.onnx"
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def _answers(path: Path) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"image": to_input(canvas)})[0] for canvas in CANVASES])


def test_a_padding_becomes_its_convolution_s_and_the_answer_stays(graph: Path, tmp_path: Path) -> None:
    simplify(graph, tmp_path / "simple.onnx")
    assert "Pad" not in {node.op_type for node in onnx.load(tmp_path / "simple.onnx").graph.node}
    np.testing.assert_allclose(_answers(tmp_path / "simple.onnx"), _answers(graph), atol=1e-5)


def test_rounding_by_answers_beats_rounding_to_the_nearest(graph: Path, tmp_path: Path) -> None:
    simplify(graph, tmp_path / "simple.onnx")
    model = onnx.load(tmp_path / "simple.onnx")
    moments = second_moments(model, (to_input(canvas) for canvas in CANVASES), np.random.default_rng(1))
    for layer in convolutions(model):
        if layer.name == "/stem/Conv":
            continue
        new = rounded(layer, moments[layer.name])
        nearest = np.round(layer.weights / new.scale[:, None, None, None]) * new.scale[:, None, None, None]
        assert _error(layer, new.weights, moments) <= _error(layer, nearest, moments)
        assert np.abs(new.steps).max() <= 127


def _error(layer: Convolution, weights: np.ndarray, moments: dict[str, np.ndarray]) -> float:
    off = (weights - layer.weights).reshape((len(weights), 1, -1) if layer.depthwise else (1, len(weights), -1))
    return float(np.einsum("boi,bij,boj->", off, moments[layer.name], off))


def test_8_bits_answer_nearly_the_same_also_where_a_channel_is_dead(graph: Path, tmp_path: Path) -> None:
    quantise(graph, tmp_path / "small.int8.onnx", CANVASES, floats=("/stem",))
    nodes = onnx.load(tmp_path / "small.int8.onnx").graph.node
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in nodes}
    exact, told = _answers(graph), _answers(tmp_path / "small.int8.onnx")
    assert np.abs(told - exact).mean() < 0.02 * np.abs(exact).mean()


def test_what_stays_in_float_is_not_touched(graph: Path, tmp_path: Path) -> None:
    quantise(graph, tmp_path / "float.onnx", CANVASES, floats=("/stem", "/block"))
    np.testing.assert_allclose(_answers(tmp_path / "float.onnx"), _answers(graph), atol=1e-5)


@pytest.mark.parametrize("write", [quantise, keep_in_8_bits])
def test_a_part_that_the_graph_does_not_have_is_told(write: Callable[..., None], graph: Path, tmp_path: Path) -> None:
    asked = {"floats": ("/backbone/stem",)} if write is quantise else {"parts": ("/backbone/stem",)}
    with pytest.raises(ValueError, match="no part /backbone/stem"):
        write(graph, tmp_path / "out.onnx", CANVASES, **asked)


def test_the_network_has_the_parts_that_8_bits_spare(tmp_path: Path) -> None:
    write_graph(build(1), tmp_path / "whole.onnx")
    nodes = {node.name for node in onnx.load(tmp_path / "whole.onnx").graph.node}
    for part in FLOAT:
        assert any(name == part or name.startswith(f"{part}/") for name in nodes), part


def test_weights_kept_in_8_bits_are_computed_with_in_float(graph: Path, tmp_path: Path) -> None:
    simplify(graph, tmp_path / "simple.onnx")
    keep_in_8_bits(tmp_path / "simple.onnx", tmp_path / "kept.onnx", CANVASES, parts=("/block",))
    model = onnx.load(tmp_path / "kept.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert {"w2.bits", "w3.bits"} <= {tensor.name for tensor in model.graph.initializer}
    assert "QuantizeLinear" not in {node.op_type for node in model.graph.node}
    exact, told = _answers(graph), _answers(tmp_path / "kept.onnx")
    assert 0 < np.abs(told - exact).mean() < 0.01 * np.abs(exact).mean()


def test_outputs_nobody_wants_are_left_out_with_all_that_only_they_need(graph: Path) -> None:
    model = onnx.load(graph)
    model.graph.output.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, ["n", 8, SIDE // 2, SIDE // 2]))
    keep_outputs(model, ("c",))
    onnx.checker.check_model(model, full_check=True)
    assert [output.name for output in model.graph.output] == ["c"]
    assert [node.name for node in model.graph.node] == ["/pad", "/stem/Conv", "/stem/Clip"]
    assert "w3" not in {tensor.name for tensor in model.graph.initializer}


def test_what_both_looks_see_is_shown_to_set_ranges_with(tmp_path: Path) -> None:
    pixels = np.full((60, 90, 3), 40, np.uint8)
    pixels[20:40, 30:60] = 220
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    box = np.array([[30, 20, 60, 40]], np.float32)
    nothing = np.zeros(1, np.float32)
    told = np.zeros(1, np.int64), nothing, nothing + 1, np.ones(3, bool)
    photos = [Photo(tmp_path / "a.png", source, "g", box, *told, 0, None) for source in ("photos", "renders")]
    views = calibration_views(photos)
    assert views.shape == (4, NETWORK_SIDE, NETWORK_SIDE, 3)
    light = (views > 200).all(axis=3).mean(axis=(1, 2))
    assert light[1] > 3 * light[0], "the second view is the parcel alone"


@pytest.mark.parametrize(("same", "shipped"), [(200, True), (198, False)])
def test_the_close_look_is_in_8_bits_only_if_that_changes_next_to_no_verdict(
    same: int, shipped: bool, graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, folder = tmp_path / "exact", tmp_path / "0.0.1"
    for place in (exact, folder):
        place.mkdir()
    (exact / "head.npz").write_bytes(b"head")
    for name in ("model.onnx", "close.onnx"):
        shutil.copyfile(graph, exact / name)

    def stripped(given: Path, out: Path) -> None:
        simplify(given, out)
        save_halved(onnx.load(out), out)

    def copied(given: Path, out: Path, canvases: np.ndarray) -> None:
        shutil.copyfile(given, out)

    monkeypatch.setattr(looks, "write_far", stripped)
    monkeypatch.setattr(looks, "quantise", copied)
    monkeypatch.setattr(looks, "opened", lambda _: None)
    monkeypatch.setattr(looks, "agreement", lambda *_: Agreement(200, same, 200, 200, 1.0, 0.0, 0.0))
    card: dict[str, Any] = {"name": "parcel", "head": {"file": "head.npz"}, "close": {"file": "close.onnx"}}
    looks.write_looks(exact, folder, card, canvases=CANVASES, compare=[])
    told = json.loads((folder / "card.json").read_text("utf-8"))
    files = {"model.onnx", "close.onnx", "head.npz"}
    assert told["files"].keys() == files == {path.name for path in folder.iterdir()} - {"card.json"}
    assert told["eight_bits"]["shipped"] is ("float" not in told) is shipped
    assert (told["files"]["close.onnx"] == told["files"]["model.onnx"]) is not shipped, "both in float, of one graph"


def _inspector(damage: float) -> Inspector:
    return eye(Scripted([PARCEL], damage=damage))


def test_agreement_counts_verdicts_and_how_far_scores_are_apart() -> None:
    same = agreement(_inspector(-3.0), _inspector(-2.5), [frame, frame])
    assert (same.pictures, same.same_verdict, same.same_integrity, same.share) == (2, 2, 2, 1.0)
    assert same.logit_shift == pytest.approx(0.5, abs=1e-6)
    assert same.box_iou == pytest.approx(1.0)
    assert agreement(_inspector(-3.0), _inspector(3.0), [frame]).same_verdict == 0
