"""The graphs of both looks: exact boxes from the far look, 8 bits at the close one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import onnx

from inspector import Frame, decode
from models.training.export import write_card
from models.training.golden import opened
from models.training.quantise import Pixels, agreement, quantise
from models.training.simplify import keep_outputs, save_halved, simplify

FAR, CLOSE = "model.onnx", "close.onnx"
PLACES = ("boxes", "scores", "rotations")
"""Outputs of which the far look makes use."""
ALIKE = 0.995
"""Share of real photos on which a graph in 8 bits must give the verdict of the float one, or it is not shipped."""


def write_looks(
    exact: Path,
    folder: Path,
    card: dict[str, Any],
    *,
    close: Path | None = None,
    canvases: Pixels | None = None,
    compare: Sequence[Path],
) -> None:
    """Writes the graphs of both looks and the head into `folder`, and into `card` how often they say what `exact` says.

    exact: a folder with both graphs in float, the head and the card. close: the close look's graph in 8 bits, where it
    is written already. canvases: else, views to set the ranges of 8 bits with. compare: photos on which the verdicts
    must agree. Where they do not, the close look computes in float, too.
    """
    head = card["head"]["file"]
    shutil.copyfile(exact / head, folder / head)
    write_far(exact / FAR, folder / FAR)
    if close is not None:
        shutil.copyfile(close, folder / CLOSE)
    elif canvases is not None:
        quantise(exact / CLOSE, folder / CLOSE, canvases)
        save_halved(onnx.load(folder / CLOSE), folder / CLOSE)
    else:
        raise ValueError("there is neither a graph in 8 bits nor anything to set its ranges with")
    write_card(folder, card)
    pictures = [partial(_read, path) for path in compare]
    alike = agreement(opened(exact), opened(folder), pictures)
    shipped = alike.share >= ALIKE
    card["eight_bits"] = {"shipped": shipped, **alike.told()}
    if not shipped:
        simplify(exact / CLOSE, folder / CLOSE)
        save_halved(onnx.load(folder / CLOSE), folder / CLOSE)
        write_card(folder, card)
        card["float"] = agreement(opened(exact), opened(folder), pictures).told()
    write_card(folder, card)


def write_far(exact: Path, out: Path) -> None:
    """The far look's graph: nothing but boxes, computed in float."""
    simplify(exact, out)
    model = onnx.load(out)
    keep_outputs(model, PLACES)
    save_halved(model, out)


def _read(path: Path) -> Frame:
    return decode(path.read_bytes(), name=path.name)
