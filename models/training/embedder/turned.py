"""Rendered wares from all around (`python -m models.scenes.blender turns`): things whose photo shows another side."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from models.training.embedder.totes import Thing

LEAST_VIEWS = 3
LEAST_PIXELS = 300
"""Of a view; a card seen on its edge shows nothing."""


def turned(folder: Path) -> dict[str, list[Thing]]:
    """The views of each ware of a folder, cut out, by its number; one with fewer than three that show it is left out.

    Raises FileNotFoundError where there is none.
    """
    views: dict[str, list[Thing]] = defaultdict(list)
    for file in sorted(folder.glob("*.png")):
        number = file.name.split("-")[0]
        thing = _thing(file, number)
        if thing is not None:
            views[number].append(thing)
    found = {number: things for number, things in views.items() if len(things) >= LEAST_VIEWS}
    if not found:
        raise FileNotFoundError(f"{folder}: no wares there; make some: python -m models.scenes.blender turns --out DIR")
    return found


def _thing(file: Path, name: str) -> Thing | None:
    picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        raise ValueError(f"{file}: not a picture with an alpha channel")
    mask = picture[..., 3] > 127
    if mask.sum() < LEAST_PIXELS:
        return None
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    y, x = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Thing(name, np.ascontiguousarray(picture[y, x, :3]), mask[y, x])
