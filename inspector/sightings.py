"""What was seen of a packing list in one picture: each thing given to one line, each line at most what it may hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inspector.assignment import assign
from inspector.detector import Floats
from inspector.matching import EVIDENCE, Candidates, candidates, overlap
from inspector.scene import Scene
from inspector.template import Template
from inspector.verdict import Box
from models.cards import ContentsCard

FLOOR = -4.0
"""Log odds below which nothing is called a sighting."""
SAME_PLACE = 0.55
"""Intersection over union from which on two items are said to be the same thing."""
SAME_THING = 0.4
"""Intersection over the smaller one from which on two places are one piece of one item."""
CLAIMED = 4.0
"""Log odds that a place would lose if other pieces had claimed all of it: what they cover speaks for them."""
SPARE = 2
"""Pieces looked for beyond the quantity: one too many is a fault too."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A piece of an item, perhaps. odds: log odds that it is there. box: where, in pixels of the picture."""

    odds: float
    box: Box


@dataclass(frozen=True, slots=True)
class Wanted:
    """An item to look for. shift: added to the log odds, for items whose own threshold was learnt at the bench."""

    template: Template
    quantity: int
    shift: float = 0.0


def sight(wanted: Sequence[Wanted], scene: Scene, card: ContentsCard, cohort: Floats) -> list[list[Sighting]]:
    """For each wanted item its sightings in this picture, surest first: up to its quantity and two more.

    Places where several items may lie are given to the one for which the total evidence is greatest.
    """
    places: list[tuple[int, float, Floats]] = []
    for row, want in enumerate(wanted):
        found = candidates(want.template, scene, cohort, want.quantity)  # its products of matrices take both cores
        odds = log_odds(found, card) + want.shift
        apart = _pieces(found.boxes, odds, want.quantity + SPARE + 2)
        places += [(row, left, found.boxes[i]) for i, left in apart]
    places.sort(key=lambda place: -place[1])
    slots: list[Floats] = []
    in_slot = np.zeros(len(places), np.intp)
    for number, (_, _, box) in enumerate(places):
        near = overlap(np.stack(slots), box) if slots else np.zeros(0, np.float32)
        if len(near) and near.max() > SAME_PLACE:
            in_slot[number] = near.argmax()
        else:
            in_slot[number] = len(slots)
            slots.append(box)
    gain = np.full((len(wanted), len(slots)), -np.inf)
    spot: dict[tuple[int, int], int] = {}
    for number, (row, odds_here, _) in enumerate(places):
        slot = int(in_slot[number])
        if odds_here - FLOOR > gain[row, slot]:
            gain[row, slot] = odds_here - FLOOR
            spot[row, slot] = number
    pieces = [row for row, want in enumerate(wanted) for _ in range(want.quantity + SPARE)]
    sightings: list[list[Sighting]] = [[] for _ in wanted]
    for piece, slot in assign(gain[pieces]):
        row = pieces[piece]
        _, _, box = places[spot[row, slot]]
        x, y, w, h = (float(v) for v in box)
        rivals = np.delete(gain[:, slot], row) + FLOOR
        sightings[row].append(Sighting(_contested(float(gain[row, slot]) + FLOOR, rivals), (x, y, w, h)))
    return [sorted(seen, key=lambda sighting: -sighting.odds) for seen in sightings]


def _contested(odds: float, rivals: npt.NDArray[np.float64]) -> float:
    """Log odds that a place shows this item when others have their own claims to it: the item's probability, times its
    share among all claims. Of two look-alikes neither is sure; a clear winner hardly notices.
    """
    share = 1 / (1 + float(np.exp(rivals - odds).sum()))
    chance = share / (1 + float(np.exp(-odds)))
    return max(FLOOR, float(np.log(chance / (1 - chance)))) if 0 < chance < 1 else odds


def log_odds(found: Candidates, card: ContentsCard) -> Floats:
    """Calibrated log odds (n,) that the item lies at each place, at even odds before looking."""
    weights = np.asarray([card.weights[name] for name in EVIDENCE], np.float32)
    return np.asarray(found.evidence @ weights + card.bias - found.handicap, np.float32)


def _pieces(boxes: Floats, odds: Floats, most: int) -> list[tuple[int, float]]:
    """The best places that may be different pieces of one item: their indices, and the log odds that are left to each
    after those before it.
    """
    kept: list[tuple[int, float]] = []
    area = boxes[:, 2] * boxes[:, 3]
    left = odds.astype(np.float64)
    while len(left) and len(kept) < most:
        best = int(left.argmax())
        if left[best] <= FLOOR:
            break
        kept.append((best, float(left[best])))
        near = np.maximum(boxes[:, :2], boxes[best, :2])
        far = np.minimum(boxes[:, :2] + boxes[:, 2:], boxes[best, :2] + boxes[best, 2:])
        common = np.clip(far - near, 0, None).prod(1)
        left = left - CLAIMED * common / np.maximum(area, 1e-6)
        left[common > SAME_THING * np.minimum(area, area[best])] = -np.inf
        left[best] = -np.inf
    return kept
