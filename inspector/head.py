"""The damage head: what the network describes of a parcel becomes one number, outside the graph.

The graph is the same everywhere; a bench that taught itself has another head beside it (docs/adapt.md).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models import ModelError


@dataclass(frozen=True, slots=True)
class DamageHead:
    """A linear head. weights: float64 (f,), for the network's output `features`. bias: of the logit."""

    weights: npt.NDArray[np.float64]
    bias: float

    @classmethod
    def read(cls, path: Path) -> DamageHead:
        """From a .npz with the arrays `weights` (f,) and `bias` (), both float32.

        Raises ModelError when the file is not that; pickled objects are never opened.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                weights, bias = arrays["weights"], arrays["bias"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"the damage head {path} cannot be read: {error}; restore the model's folder") from error
        numbers = weights.dtype.kind == "f" and bias.dtype.kind == "f"
        if not numbers or weights.ndim != 1 or bias.ndim or not (np.isfinite(weights).all() and np.isfinite(bias)):
            raise ModelError(f"the damage head {path} must be finite `weights` (f,) and a `bias`; restore the folder")
        return cls(weights.astype(np.float64), float(bias))

    def write(self, path: Path) -> None:
        """As `read` takes it."""
        np.savez(path, weights=self.weights.astype(np.float32), bias=np.float32(self.bias))

    def logit(self, features: npt.NDArray[np.float32]) -> float:
        """Raw score that the parcel is damaged; the card's calibration makes it a probability. features: (f,).

        Raises ModelError when the head was made for another network.
        """
        if features.shape != self.weights.shape:
            raise ModelError(
                f"the damage head reads {self.weights.shape[0]} features and the network gives {features.shape[-1]}: "
                "they belong to different models; restore the model's folder"
            )
        return float(features.astype(np.float64) @ self.weights) + self.bias
