"""Writes the release: the ONNX graph, its card, its golden pictures, and the proof that they agree."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch

from models.training.network import SIDE, ParcelNet, Seen

OPSET = 17
OUTPUTS = Seen._fields


def write_graph(net: ParcelNet, path: Path) -> None:
    """The network as ONNX, fp32, side 320, any batch; checked by onnx before it is kept."""
    net = net.eval()
    with torch.no_grad(), warnings.catch_warnings():
        # The older exporter writes this graph with a dynamic batch and nothing superfluous; torch warns that it is old.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Constant folding")  # the lopsided padding stays a few more nodes
        torch.onnx.export(
            net,
            (torch.zeros(1, 3, SIDE, SIDE),),
            str(path),
            input_names=["image"],
            output_names=list(OUTPUTS),
            dynamic_axes={name: {0: "n"} for name in ("image", *OUTPUTS)},
            opset_version=OPSET,
            dynamo=False,
        )
    graph = onnx.load(path)
    onnx.checker.check_model(graph, full_check=True)


def infer(path: Path, images: npt.NDArray[np.float32]) -> Seen:
    """The exported graph's answer to images float32 (n, 3, 320, 320), as arrays in a `Seen`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return Seen(*session.run(list(OUTPUTS), {"image": images}))


@torch.no_grad()
def disagreement(net: ParcelNet, path: Path, images: npt.NDArray[np.float32]) -> dict[str, float]:
    """Largest absolute difference between torch and the exported graph, by output."""
    ours = net.eval()(torch.from_numpy(images))
    theirs = infer(path, images)
    return {
        name: float(np.abs(a.numpy() - np.asarray(b)).max()) for name, a, b in zip(OUTPUTS, ours, theirs, strict=True)
    }


def digest(path: Path) -> str:
    """sha256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """card.json with the digests of everything that lies beside it."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in {"card.json", "CARD.md"})
    listed = {p.relative_to(folder).as_posix(): digest(p) for p in files}
    text = json.dumps({**card, "files": listed}, indent=2, ensure_ascii=False)
    (folder / "card.json").write_text(text + "\n", "utf-8")
