"""What the eye has learnt: models with their cards, found, verified and handed out. No network is run here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast, overload

from pydantic import ValidationError

from models.cards import CARDS, Card, EmbedderCard, MarksCard, MarkThreshold, ParcelCard

__all__ = [
    "ACTIVE",
    "HERE",
    "Card",
    "MarkThreshold",
    "MarksCard",
    "Model",
    "ModelError",
    "ParcelCard",
    "digest",
    "in_words",
    "load",
    "of_kind",
    "read",
]

HERE = Path(__file__).parent
ACTIVE = {"parcel": "0.7.0", "marks": "0.7.0", "embedder": "0.6.0"}
"""The version of each model that is used when none is asked for."""

K = TypeVar("K", bound=Card)
C_co = TypeVar("C_co", bound=Card, covariant=True)


class ModelError(RuntimeError):
    """A model that must not be used. str() names the model, what is wrong and what to do."""


@dataclass(frozen=True)
class Model(Generic[C_co]):
    """A verified model: every file has the digest that its card tells.

    sha256: of its card.json, hexadecimal. The card tells the digest of every file, the calibration and the thresholds,
    so this one number says all that a verdict came from. Empty for a model that `read` did not verify.
    """

    folder: Path
    card: C_co
    sha256: str = ""

    @property
    def onnx(self) -> Path:
        """The network."""
        return self.folder / "model.onnx"

    @cached_property
    def golden(self) -> list[dict[str, Any]]:
        """What the golden pictures must be judged as; see `inspector.golden`."""
        told: dict[str, Any] = json.loads((self.folder / "golden" / "golden.json").read_text("utf-8"))
        frames: list[dict[str, Any]] = told["frames"]
        return frames


@overload
def load(name: Literal["parcel"] = ..., version: str | None = ..., root: Path = ...) -> Model[ParcelCard]: ...
@overload
def load(name: Literal["marks"], version: str | None = ..., root: Path = ...) -> Model[MarksCard]: ...
@overload
def load(name: Literal["embedder"], version: str | None = ..., root: Path = ...) -> Model[EmbedderCard]: ...
@overload
def load(name: str, version: str | None = ..., root: Path = ...) -> Model[Card]: ...
def load(name: str = "parcel", version: str | None = None, root: Path = HERE) -> Model[Card]:
    """Find a model by name (and version; the shipped active one when none is asked for) and verify it.

    Raises ModelError when it is not there, its card cannot be read, or a file was changed.
    """
    version = version or ACTIVE.get(name)
    folder = root / name / (version or "")
    if version is None or not folder.is_dir():
        have = ", ".join(sorted(p.parent.name for p in (root / name).glob("*/card.json"))) or "none"
        raise ModelError(f"no model {name}/{version} in {root} (there: {have}); name one that is there")
    model = read(folder, name)
    if model.card.version != version:
        raise ModelError(f"the card in {folder} is that of {name}/{model.card.version}; restore the folder {folder}")
    return model


def read(folder: Path, name: str | None = None) -> Model[Card]:
    """The model in a folder, with the card of its kind, every file verified against it. name: what it must be.

    Raises ModelError as `load` does.
    """
    called = f"{name or folder.parent.name}/{folder.name}"
    try:
        told = (folder / "card.json").read_bytes()
        kind = Card.model_validate_json(told).name
        if kind != (name or kind) or kind not in CARDS:
            raise ModelError(f"the card of {called} is one of '{kind}'; put the right folder in the place of {folder}")
        card = CARDS[kind].model_validate_json(told)
    except (OSError, ValidationError) as error:
        raise ModelError(
            f"the card of {called} cannot be used: {in_words(error)}; restore the folder {folder}"
        ) from error
    for file, sha256 in card.files.items():
        if digest(folder / file) != sha256:
            raise ModelError(f"{called}: {file} is not the file its card tells of; restore the folder {folder}")
    if "model.onnx" not in card.files:
        raise ModelError(f"the card of {called} names no model.onnx; restore the folder {folder}")
    return Model(folder, card, hashlib.sha256(told).hexdigest())


def of_kind(model: Model[Card], kind: type[K]) -> Model[K]:
    """The same model, known to have this kind of card. Raises ModelError when it has another."""
    if not isinstance(model.card, kind):
        raise ModelError(
            f"{model.card.name}/{model.card.version} is no {kind.__name__.removesuffix('Card').lower()} model"
        )
    return cast("Model[K]", model)


def in_words(error: Exception) -> str:
    """What is wrong with a file that people may have edited, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in error.errors())


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; empty when there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
