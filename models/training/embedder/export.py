"""Writes the embedder's graph, with weights of half and a quarter of their size, and the proof that it agrees."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import Tensor

from models.training.embedder.network import EmbedderNet, frozen
from models.training.export import OPSET
from models.training.quantise import Pixels, convolutions_of, keep_in_8_bits
from models.training.simplify import save_halved, simplify

OUTPUTS = ("scene", "item")
LEARNT = {"shift", "scale", "scene.weight", "item.weight"}
EARLY = ("/stem", "/blocks.0", "/blocks.1", "/blocks.2")
"""Kept as they are: in half precision they alone made the worst tenth of a thousandth of cosine, and are small."""
LATE = tuple(f"/blocks.{i}" for i in range(8, 16))
"""Nine tenths of all weights, kept in 8 bits."""
ENOUGH = 128
"""Crops to round them by."""


def write_graph(net: EmbedderNet, path: Path, side: int, crops: Pixels) -> None:
    """The network as ONNX: any number of pictures, any sides that are multiples of 32.

    crops: uint8 (n, s, s, 3), things as `embedder.letterbox` shows them: late weights are rounded by what they see.
    """
    sizes = {"image": {0: "n", 2: "h", 3: "w"}, **{name: {0: "n", 2: "rows", 3: "columns"} for name in OUTPUTS}}
    with torch.no_grad(), warnings.catch_warnings():
        # The older exporter writes free sides without guards; torch warns that it is old.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Constant folding")
        torch.onnx.export(
            net.eval(),
            (torch.zeros(1, 3, side, side),),
            str(path),
            input_names=["image"],
            output_names=list(OUTPUTS),
            dynamic_axes=sizes,
            opset_version=OPSET,
            dynamo=False,
        )
    _keep_small(path, crops)


def _keep_small(path: Path, crops: Pixels) -> None:
    """The graph with the weights of late blocks kept in 8 bits, those before them in half precision, the first as they
    are; all are widened to float32 when the session is made.
    """
    with TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        simplify(path, plain)
        early = {layer.tensor for layer in convolutions_of(onnx.load(plain), EARLY)}
        keep_in_8_bits(plain, path, crops, parts=LATE)
    save_halved(onnx.load(path), path, early)


def released(path: Path) -> EmbedderNet:
    """The network of a released graph: ImageNet's trunk, and what was learnt on top. ValueError for another graph."""
    told = {tensor.name.removesuffix(".half"): tensor for tensor in onnx.load(path).graph.initializer}
    net = frozen()
    learnt = {name: value for name, value in net.state_dict().items() if name in LEARNT}
    if not learnt.keys() <= told.keys():
        raise ValueError(f"{path} has no {', '.join(sorted(learnt.keys() - told.keys()))}: is it an embedder's graph?")
    values = {name: torch.from_numpy(numpy_helper.to_array(told[name]).astype("float32")) for name in learnt}
    net.load_state_dict(net.state_dict() | values)
    return net


@torch.no_grad()
def agreement(net: EmbedderNet, path: Path, pictures: Tensor) -> float:
    """The smallest cosine between torch's and the graph's descriptions of pictures float32 (n, 3, h, w)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    theirs = session.run(list(OUTPUTS), {"image": pictures.numpy()})
    pairs = zip(net.eval()(pictures), (torch.from_numpy(cells) for cells in theirs), strict=True)
    return min(float(F.cosine_similarity(a.mean((2, 3)), b.mean((2, 3))).min()) for a, b in pairs)
