"""Takes out of an exported graph what only costs time or room: computed constants, paddings, half of each weight."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.shape_inference import quant_pre_process

Floats = npt.NDArray[np.floating]
WORTH_HALVING = 256
"""Numbers in a constant from which on it is kept in half precision."""
WORTH_QUARTERING = 1 << 18
"""Numbers in a matrix from which on it may be kept in 8 bits."""


def simplify(path: Path, out: Path) -> None:
    """The same graph with constants folded, shapes inferred and zero paddings moved into their convolutions.

    Padding as a step of its own also breaks ONNX Runtime's blocked layout around it: on EfficientNet-Lite's five
    lopsided paddings a sixth of the whole time goes into them.
    """
    quant_pre_process(str(path), str(out), skip_symbolic_shape=True)
    model = onnx.load(out)
    _fold_paddings(model.graph)
    _drop_unread(model.graph)
    used = {node.domain or "" for node in model.graph.node}
    kept = [opset for opset in model.opset_import if opset.domain in used]  # ONNX Runtime declares all it knows
    del model.opset_import[:]
    model.opset_import.extend(kept)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out)


def halve(model: onnx.ModelProto, spared: Collection[str] = ()) -> None:
    """Large float32 constants become float16 behind a Cast, which ONNX Runtime folds away when it loads the graph.

    The file is half as large; everything is computed in float32 as before. The steps of what is in 8 bits stay, and
    constants that are spared. Shapes that were told of what lies between are dropped: whoever loads the graph infers
    them again.
    """
    graph = model.graph
    casts = []
    steps = {n for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear") for n in node.input}
    for constant in list(graph.initializer):
        values = numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < WORTH_HALVING or constant.name in {*steps, *spared}:
            continue
        half = numpy_helper.from_array(values.astype(np.float16), f"{constant.name}.half")
        graph.initializer.remove(constant)
        graph.initializer.append(half)
        casts.append(helper.make_node("Cast", [half.name], [constant.name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    del graph.value_info[:]


def save_halved(model: onnx.ModelProto, path: Path, spared: Collection[str] = ()) -> None:
    """The graph as it ships: see `halve`; checked by onnx before it is kept."""
    halve(model, spared)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def quarter(model: onnx.ModelProto) -> None:
    """The largest float32 matrices are kept in 8 bits behind a Cast and a Mul, with a step for each row, which ONNX
    Runtime folds away when it loads the graph. The file is a quarter as large; everything is computed in float32.
    """
    packed = {}
    for constant in model.graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype == np.float32 and values.ndim == 2 and values.size >= WORTH_QUARTERING:
            step = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-12) / 127
            packed[constant.name] = np.rint(values / step), step
    pack(model, packed)


def pack(model: onnx.ModelProto, packed: Mapping[str, tuple[Floats, Floats]]) -> None:
    """Constants kept in 8 bits behind a Cast and a Mul, which ONNX Runtime folds away when it loads the graph.

    packed: by the constant's name whole numbers in -127..127 of its shape, and their steps, of as many axes.
    """
    graph = model.graph
    unpacked = []
    for constant in [tensor for tensor in graph.initializer if tensor.name in packed]:
        bits, step = packed[constant.name]
        names = f"{constant.name}.bits", f"{constant.name}.step"
        graph.initializer.remove(constant)
        graph.initializer.append(numpy_helper.from_array(bits.astype(np.int8), names[0]))
        graph.initializer.append(numpy_helper.from_array(step.astype(np.float32), names[1]))
        whole = f"{constant.name}.whole"
        unpacked.append(helper.make_node("Cast", [names[0]], [whole], to=TensorProto.FLOAT))
        unpacked.append(helper.make_node("Mul", [whole, names[1]], [constant.name]))
    for node in reversed(unpacked):
        graph.node.insert(0, node)


def keep_outputs(model: onnx.ModelProto, names: Collection[str]) -> None:
    """The same graph without the outputs that are not wanted, and without what only they need."""
    graph = model.graph
    wanted = [output for output in graph.output if output.name in names]
    del graph.output[:]
    graph.output.extend(wanted)
    needed = {output.name for output in wanted}
    nodes = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            nodes.append(node)
            needed.update(node.input)
    del graph.node[:]
    graph.node.extend(reversed(nodes))
    _drop_unread(graph)


def _fold_paddings(graph: onnx.GraphProto) -> None:
    values = {tensor.name: tensor for tensor in graph.initializer}
    for pad in [node for node in graph.node if node.op_type == "Pad"]:
        readers = [node for node in graph.node if pad.output[0] in node.input]
        constant = numpy_helper.to_array(values[pad.input[2]]).item() if len(pad.input) > 2 and pad.input[2] else 0.0
        if pad.input[1] not in values or constant != 0 or [n.op_type for n in readers] != ["Conv"]:
            continue
        if any(a.name == "mode" and a.s != b"constant" for a in pad.attribute):
            continue
        amounts = numpy_helper.to_array(values[pad.input[1]]).tolist()
        half = len(amounts) // 2
        if any(amounts[:2]) or any(amounts[half : half + 2]):  # a batch or channels padded: no convolution does that
            continue
        own = next((a for a in readers[0].attribute if a.name == "pads"), None)
        if own is None:
            continue
        own.ints[:] = [a + b for a, b in zip(own.ints, [*amounts[2:half], *amounts[half + 2 :]], strict=True)]
        readers[0].input[0] = pad.input[0]
        graph.node.remove(pad)


def _drop_unread(graph: onnx.GraphProto) -> None:
    """Constants that nobody reads any more; ONNX Runtime would warn of each at every start."""
    read = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
