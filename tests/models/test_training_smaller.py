"""Graphs are kept in half or a quarter of the room, and answer as before."""

# ruff: noqa: E402  # onnx is an extra: nothing of training is imported before it is known to be there
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.train

from onnx import TensorProto, helper, numpy_helper

from inspector.detector import Floats
from inspector.runtime import OnnxEngine
from models.training.simplify import WORTH_QUARTERING, halve, quarter

IN, OUT = 1024, WORTH_QUARTERING // 1024


def graph(weights: Floats, more: Floats) -> Any:
    """Image (n, 1, 1, IN) -> one matrix, whose rows differ in size, and a small one."""
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "large"], ["seen"], transB=1),
        helper.make_node("Gemm", ["seen", "small"], ["answer"], transB=1),
    ]
    told = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 1, IN])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(weights, "large"), numpy_helper.from_array(more, "small")],
    )
    return helper.make_model(told, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


@pytest.mark.parametrize(("shrink", "share", "off"), [(halve, 0.51, 1e-3), (quarter, 0.27, 0.02)])
def test_a_smaller_file_says_the_same(shrink: Any, share: float, off: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = (rng.normal(size=(OUT, IN)) * np.geomspace(0.01, 10, OUT)[:, None]).astype(np.float32)
    weights[3] = 0  # a row of nothing has no step
    more = (rng.normal(size=(2, OUT)) / np.geomspace(0.01, 10, OUT)).astype(np.float32)
    model = graph(weights, more)
    onnx.save(model, tmp_path / "whole.onnx")
    shrink(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, tmp_path / "smaller.onnx")
    sizes = [(tmp_path / name).stat().st_size for name in ("whole.onnx", "smaller.onnx")]
    assert sizes[1] < share * sizes[0]
    batch = rng.normal(size=(5, 1, 1, IN)).astype(np.float32)
    whole, smaller = (
        OnnxEngine(tmp_path / name, side=IN).infer(batch)["answer"] for name in ("whole.onnx", "smaller.onnx")
    )
    assert np.abs(smaller - whole).max() < off * np.abs(whole).max() + 1e-6
    assert np.abs(smaller - whole).max() > 0


def test_the_steps_of_what_is_in_8_bits_are_not_halved() -> None:
    steps = np.full(300, 0.1, np.float32)
    nodes = [
        helper.make_node("DequantizeLinear", ["bits", "steps", "zeros"], ["weights"], axis=0),
        helper.make_node("Add", ["image", "weights"], ["answer"]),
    ]
    told = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [300, 1])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [300, 1])],
        [
            numpy_helper.from_array(np.ones((300, 1), np.int8), "bits"),
            numpy_helper.from_array(steps, "steps"),
            numpy_helper.from_array(np.zeros(300, np.int8), "zeros"),
        ],
    )
    model = helper.make_model(told, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    halve(model)
    kept = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert kept["steps"] == TensorProto.FLOAT
