"""A lid that is not shut: the flap itself is bent by the carton; this marks what a person would call open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.scenes.blender.damage.base import Damage
from models.scenes.blender.paint import Surface


@dataclass
class OpenFlap(Damage):
    """`side` is -1 for the front flap, 1 for the back one, 0 for both; marked is the flap that stands up."""

    side: int = 1
    kind = "open_flap"
    subtype = "flap_open"

    def paint(self, surface: Surface) -> None:
        """Nothing to colour; the texels of the raised flap are marked."""
        if surface.normal[2] > 0.9:
            surface.blemish(np.asarray(surface.rest[..., 1] * self.side >= 0), self.code)
