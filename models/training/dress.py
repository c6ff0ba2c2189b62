"""Puts drawn marks, labels, damage and harmless things onto the parcels of a shot, and keeps its truth true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.scenes import labels, marks
from models.scenes.damage import HARMLESS, HARMS
from models.scenes.paste import find_spot, paste, worn
from models.training.data import Mask, kind_index
from models.training.network import CLASSES
from models.training.views import Shot

LABEL_SHARE = 0.25


def with_prints(shot: Shot, parcel: Mask, rng: np.random.Generator, most: int = 4) -> Shot:
    """Up to `most` marks and labels on the parcel's free places. parcel: bool (h, w), its own pixels."""
    for _ in range(int(rng.integers(1, most + 1))):
        label = rng.random() < LABEL_SHARE
        art = labels.draw(rng) if label else marks.draw(str(rng.choice(marks.MARKS)), rng)
        art = worn(art, rng, float(rng.uniform(0, 1) ** 2))
        taken = [tuple(box) for box, c in zip(shot.boxes.tolist(), shot.classes, strict=True) if c != 0]
        spot = find_spot(parcel, taken, art, rng, (0.3, 0.7) if label else (0.14, 0.5))
        if spot is None:
            continue
        pixels, pasted = paste(shot.pixels, art, spot, rng)
        shot = replace(
            shot,
            pixels=pixels,
            boxes=np.concatenate([shot.boxes, np.array([pasted.box], np.float32)]),
            classes=np.concatenate([shot.classes, [CLASSES.index(pasted.name)]]),
            turns=np.concatenate([shot.turns, np.array([pasted.turn], np.float32)]),
        )
    return shot


def with_damage(shot: Shot, parcel: Mask, rng: np.random.Generator) -> Shot:
    """One or two kinds of damage composed onto a whole parcel."""
    if shot.damage is None:
        raise ValueError("damage is composed only onto a parcel that is known to be whole")
    damage = shot.damage.copy()
    pixels = shot.pixels
    kinds = rng.permutation(list(HARMS))[: 1 + int(rng.random() < 0.3)]
    for kind in kinds:
        pixels, where = HARMS[kind](pixels, parcel, rng)
        damage[kind_index(kind)] |= where
    return replace(shot, pixels=pixels, damage=damage, damaged=True)


def with_harmless(shot: Shot, parcel: Mask, rng: np.random.Generator) -> Shot:
    """Shadows, tape and fine wrinkles, which are no damage."""
    pixels = shot.pixels
    for change in HARMLESS:
        if rng.random() < 0.35:
            pixels = change(pixels, parcel, rng)
    return replace(shot, pixels=pixels)
