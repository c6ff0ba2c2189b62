"""What the eye has learnt: models with their cards, found, verified and handed out. No network is run here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

HERE = Path(__file__).parent
ACTIVE = {"parcel": "0.1.0"}
"""The version of each model that is used when none is asked for."""

Unit = Annotated[float, Field(ge=0, le=1)]


class ModelError(RuntimeError):
    """A model that must not be used. str() names the model, what is wrong and what to do."""


class _Part(BaseModel):
    """Cards tell people more than the program reads; what it reads is checked."""

    model_config = ConfigDict(extra="allow", frozen=True)


class InputCard(_Part):
    """What goes in: float32 (n, 3, side, side)."""

    side: Annotated[int, Field(gt=0)]


class PlattCard(_Part):
    """Calibration: probability = sigmoid(a * logit + b)."""

    kind: Literal["platt"]
    a: float
    b: float


class FoundThreshold(_Part):
    """From `found` on it is one; from `doubtful` on it may be one."""

    found: Unit
    doubtful: Unit


class LabelThreshold(_Part):
    """From `found` on a shipping label is there."""

    found: Unit


class MarkThreshold(_Part):
    """From `present` on the mark is there; from `doubtful` on it may be."""

    present: Unit
    doubtful: Unit


class IntegrityThreshold(_Part):
    """On the calibrated probability: from `fail` on damaged, from `unsure` on for a person to decide."""

    fail: Unit
    unsure: Unit


class Thresholds(_Part):
    """All operating points of the model; each says in the card on which data it was chosen."""

    parcel: FoundThreshold
    shipping_label: LabelThreshold
    marks: dict[str, MarkThreshold | str]
    integrity: IntegrityThreshold
    damage_map: dict[str, Unit | str]


class Card(_Part):
    """The card of a parcel model (models/<name>/<version>/card.json), as far as the program reads it."""

    name: str
    version: str
    input: InputCard
    classes: tuple[str, ...]
    damage_kinds: tuple[str, ...]
    crop_margin: Annotated[float, Field(ge=0, le=1)]
    nms_iou: Unit
    calibration: PlattCard
    thresholds: Thresholds
    files: dict[str, str]


@dataclass(frozen=True)
class Model:
    """A verified model: every file has the digest that its card tells."""

    folder: Path
    card: Card

    @property
    def onnx(self) -> Path:
        """The network."""
        return self.folder / "model.onnx"

    @property
    def sha256(self) -> str:
        """Digest of the network, hexadecimal."""
        return self.card.files["model.onnx"]

    @cached_property
    def golden(self) -> list[dict[str, Any]]:
        """What the golden pictures must be judged as; see `inspector.golden`."""
        told: dict[str, Any] = json.loads((self.folder / "golden" / "golden.json").read_text("utf-8"))
        frames: list[dict[str, Any]] = told["frames"]
        return frames


def load(name: str = "parcel", version: str | None = None, root: Path = HERE) -> Model:
    """Find a model and verify every file against its card.

    Raises ModelError when it is not there, its card cannot be read, or a file was changed.
    """
    version = version or ACTIVE.get(name)
    folder = root / name / (version or "")
    if version is None or not folder.is_dir():
        have = ", ".join(sorted(p.parent.name for p in (root / name).glob("*/card.json"))) or "none"
        raise ModelError(f"no model {name}/{version} in {root} (there: {have}); name one that is there")
    try:
        card = Card.model_validate_json((folder / "card.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelError(
            f"the card of {name}/{version} cannot be used: {error}; restore the folder {folder}"
        ) from error
    for file, told in card.files.items():
        if digest(folder / file) != told:
            raise ModelError(f"{name}/{version}: {file} is not the file its card tells of; restore the folder {folder}")
    if "model.onnx" not in card.files:
        raise ModelError(f"the card of {name}/{version} names no model.onnx; restore the folder {folder}")
    return Model(folder, card)


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; empty when there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
