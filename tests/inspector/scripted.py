"""A network whose answers the test writes, so that a check can be tested without weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from inspector.detector import Floats
from inspector.eye import Inspector, InspectorSettings
from inspector.frame import Frame, Pixels
from inspector.head import DamageHead
from inspector.markreader import MarkReader
from inspector.quality import QualityLimits
from inspector.spec import Stage
from inspector.verdict import Box, MarkSeen
from models import MarksCard, Model, ParcelCard

CLASSES = ("parcel", "shipping_label", "fragile", "this_way_up")
KINDS = ("crush", "tear")
SIDE = 320


def card(**changes: Any) -> ParcelCard:
    told: dict[str, Any] = {
        "name": "parcel",
        "version": "0.0.0",
        "input": {"side": SIDE},
        "classes": CLASSES,
        "damage_kinds": KINDS,
        "crop_margin": 0.0,
        "nms_iou": 0.5,
        "calibration": {"kind": "platt", "a": 1.0, "b": 0.0},
        "thresholds": {
            "parcel": {"found": 0.5, "doubtful": 0.2},
            "shipping_label": {"found": 0.5},
            "marks": {
                "fragile": {"present": 0.6, "doubtful": 0.3},
                "this_way_up": {"present": 0.6, "doubtful": 0.3},
                "chosen_on": "nothing: this card belongs to a test",
            },
            "integrity": {"fail": 0.7, "unsure": 0.4},
            "damage_map": {"crush": 0.5, "tear": 0.5},
        },
        "head": {"file": "head.npz"},
        "files": {"model.onnx": "0" * 64, "head.npz": "0" * 64},
    }
    return ParcelCard.model_validate({**told, **changes})


@dataclass
class Scripted:
    """Answers every look the same: `seen` are (class, score, canvas xyxy, degrees); `damage` is the logit."""

    seen: Sequence[tuple[str, float, tuple[float, float, float, float], float]] = ()
    damage: float = -4.0
    spots: Mapping[str, tuple[slice, slice, float]] = field(default_factory=dict)
    looks: list[Floats] = field(default_factory=list)

    def warm_up(self) -> None: ...

    def infer(self, batch: Floats) -> Mapping[str, Floats]:
        self.looks.append(batch)
        n = len(self.seen)
        scores = np.zeros((1, n, len(CLASSES)), np.float32)
        for i, (name, score, _, _) in enumerate(self.seen):
            scores[0, i, CLASSES.index(name)] = score
        angles = np.radians(np.array([degrees for *_, degrees in self.seen], np.float32).reshape(1, n))
        layers = np.zeros((1, len(KINDS), 40, 40), np.float32)
        for kind, (rows, columns, p) in self.spots.items():
            layers[0, KINDS.index(kind), rows, columns] = p
        return {
            "boxes": np.array([box for _, _, box, _ in self.seen], np.float32).reshape(1, n, 4),
            "scores": scores,
            "rotations": np.stack([np.sin(angles), np.cos(angles)], axis=-1).astype(np.float32),
            "features": np.array([[self.damage]], np.float32),
            "damage_map": layers,
        }


PARCEL = ("parcel", 0.9, (60.0, 60.0, 260.0, 260.0), 0.0)
HEAD = DamageHead(np.ones(1), 0.0)
"""The scripted network's one feature is the logit."""
ANY_PICTURE = QualityLimits(None, None, None, None, None, None)


MARKS_CARD = MarksCard.model_validate(
    {
        "name": "marks",
        "second_look": "upright",
        "version": "0.0.0",
        "input": {"side": 64},
        "finder": {"file": "finder.onnx", "side": 320, "found": 0.1, "most": 8},
        "marks": ("fragile", "this_way_up", "keep_dry"),
        "crop_margin": 0.05,
        "nms_iou": 0.4,
        "thresholds": {
            "marks": {
                "fragile": {"present": 0.6, "doubtful": 0.3},
                "this_way_up": {"present": 0.6, "doubtful": 0.3},
                "keep_dry": "this card belongs to a test",
            }
        },
        "files": {"model.onnx": "0" * 64, "finder.onnx": "0" * 64},
    }
)


class ScriptedMarks(MarkReader):
    """Finds in every picture, or in one of them only, the marks that the test writes."""

    def __init__(self, seen: Sequence[MarkSeen] = (), only_frame: int | None = None) -> None:
        nobody = Scripted()
        super().__init__(nobody, nobody, MARKS_CARD)
        self.seen = list(seen)
        self.only_frame = only_frame

    def marks(self, bgr: Pixels, parcel: Box, frame: int = 0) -> list[MarkSeen]:
        return [replace(mark, frame=frame) for mark in self.seen if self.only_frame in (None, frame)]


def eye(
    engine: Scripted,
    quality: QualityLimits = ANY_PICTURE,
    marks: Sequence[MarkSeen] = (),
    *,
    side_view: bool = False,
    only_frame: int | None = None,
    **changes: Any,
) -> Inspector:
    """An inspector over the scripted networks; the quality gate is off unless the test is about it."""
    settings = InspectorSettings(quality=quality, side_view=side_view)
    return Inspector(Model(Path("nowhere"), card(**changes)), engine, HEAD, ScriptedMarks(marks, only_frame), settings)


def frame(width: int = 320, height: int = 320, stage: Stage = Stage.SEALED, name: str = "a.jpg") -> Frame:
    """A picture that shows something, if only that one side is lighter."""
    shade = np.linspace(108, 148, width, dtype=np.float32)[None, :, None]
    return Frame(np.broadcast_to(shade, (height, width, 3)).astype(np.uint8), name, stage)
