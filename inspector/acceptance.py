"""From which likeness on a thing in the box is this item, by what the item looks like and what else does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

MARGIN = 0.01
"""How far above what is known to be something else."""
ALIKE_SHARE = 0.01
"""Share of the shop's other items that may pass for this one by their reference photos."""
RAISE = 0.08
"""Reference photos alone raise the threshold by no more: in a box nothing looks as alike as two such photos do."""
LOWER = 0.10
"""An item that looks different from every side is taken at a likeness that is lower by at most this."""
ENOUGH_OTHERS = 20
"""Other items without whose word nothing is made easier."""


def acceptance(own: Floats, others: Floats, wrong: Floats, *, usual: float) -> float:
    """The likeness (cosine to the nearest reference) from which on a thing is accepted as this item; at most 1.

    own: (r,) of each reference to the nearest other reference of this item; empty when there is but one.
    others: (m,) of the nearest reference of each other item to this item's nearest.
    wrong: (w,) of each counter-example (a person said "that is the wrong one") to its nearest reference.
    usual: the embedder's threshold for an item of which nothing is known yet.

    What a person called wrong is never accepted again; items that look alike raise the threshold a little; views that
    differ much lower it a little, as far as the other items leave room.
    """
    accept = usual
    if own.size and others.size >= ENOUGH_OTHERS:
        accept = min(usual, max(float(own.min()), usual - LOWER))
    if others.size:
        alike = float(np.quantile(others, 1 - ALIKE_SHARE)) + MARGIN
        accept = max(accept, min(alike, usual + RAISE))
    if wrong.size:
        accept = max(accept, float(wrong.max()) + MARGIN)
    return min(accept, 1.0)
