"""The one shape of all damage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.scenes.blender.paint import Array, Surface

if TYPE_CHECKING:
    from models.scenes.blender.carton import Carton
    from models.scenes.blender.mailer import Mailer
    from models.scenes.blender.sheet import Sheet


def from_edges(rest: Array, half: Array, over: float) -> Array:
    """0 at the edges of a box of half sizes (3,), rising to 1 at `over` metres from them: edges hold the board.

    rest (..., 3) on the box, which stands on z = 0. It starts flat, so that sheets do not part where they meet.
    """
    inset = np.sort(half - np.abs(rest - np.array([0, 0, half[2]])), axis=-1)[..., 1]
    return np.asarray(np.clip(inset / over, 0, 1) ** 2)


@dataclass
class Damage:
    """severity 0..1 as the generator means it; `code` is what the mask pass draws, 1..255, given by the parcel."""

    severity: float
    code: int = 0
    kind = ""
    subtype = ""

    def move(self, points: Array, rest: Array, normal: Array) -> Array:
        """Where points (n, 3) go that lie at rest (n, 3) on a piece with this undamaged normal (3,)."""
        del rest, normal
        return points

    def keep(self, rest: Array, normal: Array) -> Array:
        """Which points at rest (..., 3) are still there: bool (...)."""
        del normal
        return np.ones(rest.shape[:-1], bool)

    def paint(self, surface: Surface) -> None:
        """Colour a surface and mark the texels that a person would call damaged."""

    def pieces(self, carton: Carton | Mailer) -> list[Sheet]:
        """Board that hangs from a tear."""
        del carton
        return []
