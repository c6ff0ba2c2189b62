"""Whether a thing that is taught would be taken for an item that was taught before."""

from __future__ import annotations

import numpy as np

from inspector.contents import MEMORY
from inspector.embedder import GREY, Embedder, letterbox
from inspector.frame import Pixels
from inspector.gallery import Item
from inspector.item_records import Mask
from inspector.scene import look
from inspector.sightings import FLOOR, Wanted, sight

CANVAS = (480, 640)
"""Rows and columns of the picture in which the thing lies, as if it lay alone in an open box."""
SHARE = 0.35
"""Of that picture's longer side, the thing's longer side: as large as things in a box are."""


def taken_for(bgr: Pixels, mask: Mask, other: Item, embedder: Embedder) -> float:
    """Log odds that the check of an open box, shown this thing alone, would say that it is `other`.

    bgr: uint8 (h, w, 3), the thing's crop; mask: bool (h, w), its pixels.

    Likeness alone says little: printed packs are all like each other, and of many items one is always near. So all the
    evidence of the check is asked: parts, colours, keypoints, shape. The odds are at even odds before looking; who asks
    which of n items it is subtracts log n.
    """
    wanted = Wanted(MEMORY.template(other, embedder), 1)
    (sightings,) = sight([wanted], look(alone(bgr, mask), embedder), embedder.card.contents, embedder.cohort)
    return sightings[0].odds if sightings else FLOOR


def alone(bgr: Pixels, mask: Mask) -> Pixels:
    """The thing in the middle of an empty picture: uint8 (480, 640, 3)."""
    rows, columns = CANVAS
    square, _ = letterbox(bgr, mask, round(SHARE * columns))
    picture = np.full((rows, columns, 3), GREY, np.uint8)
    side = len(square)
    y, x = (rows - side) // 2, (columns - side) // 2
    picture[y : y + side, x : x + side] = square
    return picture
