"""Golden pictures: a few renders and what the released model must answer to them, on every machine and engine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import models
from inspector import Inspector
from inspector.eye import InspectorSettings
from inspector.frame import decode
from inspector.spec import Check

SCORE_TOLERANCE = 0.03
BOX_TOLERANCE = 4.0


def opened(folder: Path) -> Inspector:
    """The inspector on the model in a folder, without asking for its golden pictures, which may not be there yet."""
    card = models.ParcelCard.model_validate_json((folder / "card.json").read_bytes())
    model = models.Model(folder, card)
    return Inspector.open(model, InspectorSettings(threads=1))


def write_golden(folder: Path, pictures: Sequence[Path]) -> None:
    """Copies the pictures to `folder`/golden and writes golden.json: what the model answers to them.

    The answers are the inspector's own, through the card beside the graph, so that they test the whole way from the
    JPEG to the check. Raises ValueError for a picture in which no parcel is found: it would prove nothing.
    """
    target = folder / "golden"
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.jpg"):
        old.unlink()
    inspector = opened(folder)
    frames = []
    for picture in pictures:
        shutil.copyfile(picture, target / picture.name)
        verdict = inspector.inspect([decode(picture.read_bytes(), name=picture.name)])
        integrity = verdict.checks[Check.INTEGRITY]
        if not verdict.parcels or integrity.score is None:
            raise ValueError(f"the model finds no parcel on {picture}; choose another golden picture")
        frames.append(
            {
                "file": picture.name,
                "result": str(integrity.result),
                "score": round(integrity.score, 4),
                "score_tolerance": SCORE_TOLERANCE,
                "parcel_box": [round(v, 1) for v in verdict.parcels[0].box],
                "box_tolerance_px": BOX_TOLERANCE,
            }
        )
    text = json.dumps({"frames": frames}, indent=2, ensure_ascii=False)
    (target / "golden.json").write_text(text + "\n", "utf-8")
