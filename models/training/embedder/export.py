"""Writes the embedder's release: the graph with half-size weights, its card, and the proof that they agree."""

from __future__ import annotations

import warnings
from pathlib import Path

import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from torch import Tensor

from models.training.embedder.network import EmbedderNet
from models.training.export import OPSET
from models.training.simplify import halve

OUTPUTS = ("scene", "item")


def write_graph(net: EmbedderNet, path: Path, side: int) -> None:
    """The network as ONNX: any number of pictures, any sides that are multiples of 32. Weights are kept as float16 and
    widened to float32 when the session is made, so the file is half as large and nothing else changes.
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
    graph = onnx.load(path)
    halve(graph)
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, path)


@torch.no_grad()
def agreement(net: EmbedderNet, path: Path, pictures: Tensor) -> float:
    """The smallest cosine between torch's and the graph's descriptions of pictures float32 (n, 3, h, w)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    theirs = session.run(list(OUTPUTS), {"image": pictures.numpy()})
    pairs = zip(net.eval()(pictures), (torch.from_numpy(cells) for cells in theirs), strict=True)
    return min(float(F.cosine_similarity(a.mean((2, 3)), b.mean((2, 3))).min()) for a, b in pairs)
