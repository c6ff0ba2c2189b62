"""A graph in 8 bits, or with 8 bits of its weights, and how often it says the same as the graph it was made from.

Activations unsigned, weights signed (u8s8), one scale per output channel, as QDQ nodes at the graph's own opset; what
`FLOAT` names, and all that follows the convolutions (softplus, sigmoid, pooling, `features`), stays in float.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from inspector import Frame, Inspector
from inspector.detector import crop_around, letterbox, to_input
from inspector.spec import Check
from inspector.verdict import shared
from models.training.data import Photo
from models.training.network import SIDE
from models.training.rounding import Convolution, convolutions, rounded, second_moments
from models.training.simplify import pack, simplify
from models.training.views import MARGIN

Pixels = npt.NDArray[np.uint8]
QUANTISED = ("Conv", "Clip", "Relu")
"""Clip and Relu vanish into the range of what they cut; ONNX Runtime carries 8 bits through additions by itself."""
FLOAT = (
    "/stem",
    "/Clip",
    "/blocks.0",
    "/blocks.1",
    "/blocks.2",
    "/neck",
    "/finding",
    "/damage_map",
)
"""Parts that stay in float. The stem: its input's 256 levels lie half a step beside those of 8 bits. Blocks 0 to 2:
they make three quarters of the variance that rounded activations put on the damage logit, each block by itself; of
blocks 3 to 15 each adds 2 %. Neck and heads: they place the boxes, and are hardly faster in 8 bits."""
ENOUGH = 64
"""Views to calibrate with."""


class _Views(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
    def __init__(self, name: str, canvases: Pixels) -> None:
        self._rest = iter({name: to_input(canvas)} for canvas in canvases)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        return next(self._rest, None)


def quantise(path: Path, out: Path, canvases: Pixels, *, floats: tuple[str, ...] = FLOAT, seed: int = 7) -> None:
    """Writes the graph at `path` in 8 bits to `out`. floats: nodes, or parts of the graph, that stay in float.

    canvases: uint8 (n, s, s, 3), views of the training side of both looks; `calibration_views` chooses them.
    Raises ValueError where the graph has no such part: its names are the exporter's, and what nobody finds would be
    computed in 8 bits without a word.
    """
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base.onnx"
        simplify(path, base)
        model = onnx.load(base)
        given = model.graph.input[0].name
        layers = convolutions(model)
        kept = _nodes_of(model, floats)
        moments = second_moments(model, (to_input(canvas) for canvas in canvases), np.random.default_rng(seed))
        tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        scales = {}
        for layer in layers:
            if layer.name in kept:
                continue
            new = rounded(layer, moments[layer.name])
            tensors[layer.tensor].CopyFrom(numpy_helper.from_array(new.weights, layer.tensor))
            scales[layer.tensor] = [
                {"quant_type": QuantType.QInt8, "scale": scale, "zero_point": np.array(0, np.int8), "axis": 0}
                for scale in new.scale
            ]
        onnx.save(model, base)
        quantize_static(
            str(base),
            str(out),
            _Views(given, canvases),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=sorted(kept),
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"TensorQuantOverrides": scales, "QDQDisableWeightAdjustForInt32Bias": True},
        )


def keep_in_8_bits(path: Path, out: Path, canvases: Pixels, *, parts: tuple[str, ...], seed: int = 7) -> None:
    """The graph at `path` with the weights of some parts kept in 8 bits; everything is computed in float.

    canvases: see `quantise`. parts: of the graph.
    """
    model = onnx.load(path)
    layers = convolutions_of(model, parts)
    moments = second_moments(model, (to_input(canvas) for canvas in canvases), np.random.default_rng(seed))
    new = {layer.tensor: rounded(layer, moments[layer.name]) for layer in layers}
    pack(model, {name: (told.steps, told.scale[:, None, None, None]) for name, told in new.items()})
    onnx.save(model, out)


def convolutions_of(model: onnx.ModelProto, parts: tuple[str, ...]) -> list[Convolution]:
    """Those in parts of the graph. ValueError where it has no such part."""
    chosen = _nodes_of(model, parts)
    return [layer for layer in convolutions(model) if layer.name in chosen]


def _nodes_of(model: onnx.ModelProto, parts: tuple[str, ...]) -> set[str]:
    """Names of all nodes in parts of the graph."""
    names = {node.name for node in model.graph.node}
    found = {part: {name for name in names if name == part or name.startswith(f"{part}/")} for part in parts}
    nowhere = [part for part, nodes in found.items() if not nodes]
    if nowhere:
        raise ValueError(f"the graph has no part {', '.join(nowhere)}: was the network's code renamed?")
    return set().union(*found.values())


def calibration_views(photos: Sequence[Photo], seed: int = 7) -> Pixels:
    """What both looks see of photos and renders, as many of each: uint8 (n, SIDE, SIDE, 3)."""
    rng = np.random.default_rng(seed)
    views = []
    for source in ("photos", "renders"):
        mine = [photo for photo in photos if photo.source == source and photo.main is not None]
        for i in rng.permutation(len(mine))[: ENOUGH // 4].tolist():
            whole = mine[i].read()
            crop, _, _ = crop_around(whole, mine[i].main_box(), MARGIN)
            views += [letterbox(pixels, SIDE)[0] for pixels in (whole, crop)]
    return np.stack(views)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two inspectors' answers to the same pictures compare, for orders that ask for nothing but a whole parcel.

    same_verdict: release, hold or retake alike. same_integrity: pass, fail or unsure alike. same_marks: the same marks
    seen. box_iou: median of the parcel's box. logit_sd, logit_shift: of the damage logit's difference, in units of the
    calibrated log-odds.
    """

    pictures: int
    same_verdict: int
    same_integrity: int
    same_marks: int
    box_iou: float
    logit_shift: float
    logit_sd: float

    @property
    def share(self) -> float:
        """Of the pictures that get the same verdict."""
        return self.same_verdict / max(self.pictures, 1)

    def told(self) -> dict[str, float]:
        """For the card."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def agreement(first: Inspector, second: Inspector, frames: Sequence[Callable[[], Frame]]) -> Agreement:
    """Both inspectors' answers to all frames, which are read one after another."""
    verdicts = [[eye.inspect([frame]) for eye in (first, second)] for frame in (read() for read in frames)]
    checks = [[verdict.checks for verdict in pair] for pair in verdicts]
    boxes = [[v.parcels[0].box for v in pair] for pair in verdicts if all(v.parcels for v in pair)]
    odds = np.array(
        [
            [_log_odds(c[Check.INTEGRITY].score) for c in pair]
            for pair in checks
            if all(c[Check.INTEGRITY].score is not None for c in pair)
        ]
    ).reshape(-1, 2)
    off = odds[:, 1] - odds[:, 0]
    return Agreement(
        pictures=len(frames),
        same_verdict=sum(a.decision == b.decision for a, b in verdicts),
        same_integrity=sum(a[Check.INTEGRITY].result == b[Check.INTEGRITY].result for a, b in checks),
        same_marks=sum(
            {m.mark for m in a[Check.MARKS].marks} == {m.mark for m in b[Check.MARKS].marks} for a, b in checks
        ),
        box_iou=float(np.median([_iou(a, b) for a, b in boxes])) if boxes else 0.0,
        logit_shift=float(off.mean()) if len(off) else 0.0,
        logit_sd=float(off.std()) if len(off) else 0.0,
    )


def _log_odds(score: float | None) -> float:
    p = min(max(score or 0.0, 1e-7), 1 - 1e-7)
    return float(np.log(p / (1 - p)))


def _iou(a: Sequence[float], b: Sequence[float]) -> float:
    common = shared(a, b)
    return common / (a[2] * a[3] + b[2] * b[3] - common)
