"""The damage head: what the network describes of a parcel becomes one number, outside the graph.

The graph is the same everywhere; a bench that taught itself has another head beside it (docs/adapt.md).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from models import ModelError

NOVELTY = ("centre", "spread", "novelty_weight")
"""The arrays of a head that was taught from intact parcels only."""


@dataclass(frozen=True, slots=True)
class Novelty:
    """How unlike a bench's own intact parcels this one is: the root mean square of (features - centre) / spread.

    centre, spread: float64 (f,), spread > 0.  weight: of that number in the logit.
    """

    centre: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    weight: float

    def __call__(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Features (..., f) -> (...), 0 or more; the weight is not in it."""
        away = (features - self.centre) / self.spread
        return np.asarray(np.sqrt((away**2).mean(-1)), np.float64)


@dataclass(frozen=True, slots=True)
class DamageHead:
    """A linear head, with a term for what is unusual here where a bench was taught from intact parcels only.

    weights: float64 (f,), for the network's output `features`. bias: of the logit.
    """

    weights: npt.NDArray[np.float64]
    bias: float
    novelty: Novelty | None = None

    @classmethod
    def read(cls, path: Path) -> DamageHead:
        """From a .npz with the arrays `weights` (f,) and `bias` (), and for the term of novelty `centre` (f,), `spread`
        (f,) and `novelty_weight` (), all float32.

        Raises ModelError when the file is not that; pickled objects are never opened.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                weights, bias = arrays["weights"], arrays["bias"]
                unusual = [arrays[name] for name in NOVELTY] if NOVELTY[0] in arrays else []
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"the damage head {path} cannot be read: {error}; restore the model's folder") from error
        numbers = weights.dtype.kind == "f" and bias.dtype.kind == "f"
        if not numbers or weights.ndim != 1 or bias.ndim or not (np.isfinite(weights).all() and np.isfinite(bias)):
            raise ModelError(f"the damage head {path} must be finite `weights` (f,) and a `bias`; restore the folder")
        return cls(weights.astype(np.float64), float(bias), _novelty(unusual, weights.shape, path) if unusual else None)

    def write(self, path: Path | IO[bytes]) -> None:
        """As `read` takes it."""
        arrays = {"weights": self.weights.astype(np.float32), "bias": np.asarray(self.bias, np.float32)}
        if self.novelty:
            told = (self.novelty.centre, self.novelty.spread, self.novelty.weight)
            arrays |= {name: np.asarray(array, np.float32) for name, array in zip(NOVELTY, told, strict=True)}
        np.savez(path, allow_pickle=False, **arrays)

    def logit(self, features: npt.NDArray[np.floating]) -> float:
        """Raw score that the parcel is damaged; the card's calibration makes it a probability. features: (f,).

        Raises ModelError when the head was made for another network.
        """
        return float(self.logits(features))

    def logits(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """As `logit`, of many: (..., f) -> (...)."""
        if features.shape[-1:] != self.weights.shape:
            raise ModelError(
                f"the damage head reads {self.weights.shape[0]} features and the network gives {features.shape[-1]}: "
                "they belong to different models; restore the model's folder"
            )
        exact = features.astype(np.float64)
        told = np.asarray(exact @ self.weights + self.bias, np.float64)
        return told + self.novelty.weight * self.novelty(exact) if self.novelty else told


def _novelty(arrays: list[npt.NDArray[np.floating]], shape: tuple[int, ...], path: Path) -> Novelty:
    centre, spread, weight = arrays
    numbers = all(array.dtype.kind == "f" and np.isfinite(array).all() for array in arrays)
    if not numbers or centre.shape != shape or spread.shape != shape or weight.ndim or not (spread > 0).all():
        raise ModelError(
            f"the damage head {path}: its term of novelty must be finite `centre` and `spread` > 0 of the shape of "
            "`weights`, and a `novelty_weight`; restore the folder"
        )
    return Novelty(centre.astype(np.float64), spread.astype(np.float64), float(weight))
