"""Golden frames: a model that judges them otherwise than its card tells is not the model that was validated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inspector.frame import Frame, decode
from inspector.spec import Check, PackingSpec
from inspector.verdict import Verdict
from models import Model, ParcelCard

Judge = Callable[[Sequence[Frame], PackingSpec], Verdict]


class GoldenError(RuntimeError):
    """A golden frame got another verdict. str() says which model, which frame, what was expected and what came."""


def judge_golden(model: Model[ParcelCard], judge: Judge) -> None:
    """Judge every golden frame of the model's card and compare.

    Each frame tells `file`, the `result` of the integrity check, its `score` with `score_tolerance`, and `parcel_box`
    (x, y, w, h) with `box_tolerance_px`. Raises GoldenError at the first that differs.
    """
    for golden in model.golden:
        path = model.folder / "golden" / golden["file"]
        verdict = judge([decode(path.read_bytes(), name=path.name)], PackingSpec())
        integrity = verdict.checks[Check.INTEGRITY]
        told = f"{model.card.name}/{model.card.version} judges its golden frame {path.name} otherwise than its card"
        if integrity.score is None or integrity.result != golden["result"]:
            raise GoldenError(
                f"{told}: {integrity.result} instead of {golden['result']}; do not use it on this machine"
            )
        if abs(integrity.score - golden["score"]) > golden["score_tolerance"]:
            raise GoldenError(f"{told}: score {integrity.score:.4f} instead of {golden['score']:.4f}")
        off = [abs(a - b) for a, b in zip(verdict.parcels[0].box, golden["parcel_box"], strict=True)]
        if max(off) > golden["box_tolerance_px"]:
            raise GoldenError(f"{told}: the parcel's box is {max(off):.1f} pixels off")
