"""What lies in an open box though nobody ordered it, and which taught item it is."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp
from typing import Protocol

import numpy as np
import numpy.typing as npt

from inspector.detector import Floats
from inspector.embedder import Embedder
from inspector.gallery import Item
from inspector.matching import candidates
from inspector.scene import Scene
from inspector.sightings import Sighting, log_odds
from inspector.template import Memory
from inspector.things import FITTED, Thing, same_place, shared, things
from inspector.verdict import Box

PERHAPS = 0.0
"""Log odds from which on a place is compared with the rest of the gallery."""
CLAIMED = 0.3
"""Share of the smaller one that a thing may have in common with what an expected item surely is."""
COMPARED = 3
"""Other items looked at closely in one picture: each costs as much as one more line on the order."""
NEAREST = 3
"""Taught views looked up for each thing."""
SURELY = 0.95
"""Probability from which on a stranger is told. Higher than the card's for one piece too many: a false one stops a
good box over something that nobody asked about.
"""
UNKNOWN = 0.1
"""Prior odds that a thing that nobody ordered was never taught, beside that it is some taught item."""
SAME_PLACE = 0.4

log = logging.getLogger(__name__)


class Shop(Protocol):
    """All taught items; `inspector.gallery.Gallery` is one."""

    def looks(self) -> tuple[npt.NDArray[np.str_], Floats]:
        """Item of each taught view (n,), sorted, and what it looks like, float32 (n, dim), length 1."""

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Those of `ids` that are taught."""


@dataclass(frozen=True, slots=True, eq=False)
class Stranger:
    """A thing that nobody ordered. item: the taught item it is, None where it is none or cannot be told. chance: that
    it is this item, or without one that it is a thing. look: float32 (dim,). frame: index of the picture.
    """

    item: str | None
    chance: float
    box: Box
    look: Floats
    frame: int = 0


def find_strangers(
    scenes: Sequence[Scene],
    claimed: Sequence[Sequence[Box]],
    expected: Sequence[Sequence[Sighting]],
    spare: Sequence[Sequence[Sighting]],
    ordered: Sequence[str],
    shop: Shop,
    embedder: Embedder,
    memory: Memory,
) -> list[Stranger]:
    """Things in the pictures that no expected item claims: those that are surely a taught item, and those that are
    surely a thing. At doubt nothing is said. Each item is told once, where it is surest.

    claimed: in each picture, where pieces of expected items lie that are there, too many of them or not; expected: the
    sightings of expected pieces, sure or not; spare: those of pieces beyond the quantity. ordered: ids of the items of
    the order. Says nothing, and so in the log, to an embedder that the weights of `inspector.things` do not fit.
    """
    if embedder.version != FITTED:
        _not_looked_for(embedder.version)
        return []
    names, views = shop.looks()
    theirs = _but(names, ordered)
    told: list[Stranger] = []
    for frame, scene in enumerate(scenes):
        taken = np.asarray(claimed[frame], np.float32).reshape(-1, 4)
        free = [t for t in things(scene, views, PERHAPS) if _free(t, taken)]
        claims = [(s, 1.0) for s in expected[frame]] + [(s, UNKNOWN) for s in spare[frame]]
        named = _named(free, scene, claims, names, views, theirs, shop, embedder, memory) if free else {}
        for place, thing in enumerate(free):
            if place in named:
                item, chance = named[place]
                told.append(Stranger(item, chance, thing.box, thing.look, frame))
            elif _chance(thing.odds) >= SURELY:
                told.append(Stranger(None, _chance(thing.odds), thing.box, thing.look, frame))
    told.sort(key=lambda stranger: -stranger.chance)
    first = {s.item: i for i, s in reversed(list(enumerate(told)))}
    return [s for i, s in enumerate(told) if s.item is None or first[s.item] == i]


@cache
def _not_looked_for(version: str) -> None:
    """Says so once."""
    log.warning("what nobody ordered is not looked for with embedder/%s: `inspector.things` knows %s", version, FITTED)


def _named(
    free: Sequence[Thing],
    scene: Scene,
    claims: Sequence[tuple[Sighting, float]],
    names: npt.NDArray[np.str_],
    views: Floats,
    theirs: npt.NDArray[np.bool_],
    shop: Shop,
    embedder: Embedder,
    memory: Memory,
) -> dict[int, tuple[str, float]]:
    """For each place in `free` that is surely one taught item: the item, and its probability. claims: the sightings of
    ordered items, and their prior odds.

    By Bayes' rule among the items looked at closely, the expected items that may lie there, and what was never taught.
    Before looking, each of n taught items is there with one nth of the chance, so that a large gallery is no reason to
    find something.
    """
    items = shop.items(_nearest(free, names, views, theirs))
    if not items:
        return {}
    odds = np.full((len(items), len(free)), -np.inf)
    for row, item in enumerate(items.values()):
        found = candidates(memory.template(item, embedder), scene, embedder.cohort, 1)
        mine = log_odds(found, embedder.card.contents)
        for box, value in zip(found.boxes, mine, strict=True):
            for place, thing in enumerate(free):
                if same_place(tuple(float(v) for v in box), thing.box, SAME_PLACE):  # type: ignore[arg-type]  # 4 of them
                    odds[row, place] = max(odds[row, place], value)
    count = max(1, int(np.count_nonzero(theirs & np.r_[True, names[1:] != names[:-1]])))
    told = {}
    for place, thing in enumerate(free):
        expected = sum(
            prior * exp(min(30.0, s.odds)) for s, prior in claims if same_place(s.box, thing.box, SAME_PLACE)
        )
        each = np.exp(np.minimum(odds[:, place], 30.0)) / count
        best = int(each.argmax())
        chance = float(each[best] / (each.sum() + UNKNOWN + expected))
        if chance >= SURELY:
            told[place] = list(items)[best], chance
    return told


def _nearest(
    free: Sequence[Thing], names: npt.NDArray[np.str_], views: Floats, theirs: npt.NDArray[np.bool_]
) -> list[str]:
    """The few items that look most like any of the things: one product of matrices, however many are taught."""
    if not theirs.any():
        return []
    cosines = np.where(theirs, np.stack([thing.look for thing in free]) @ views.T, -2.0)
    few = min(NEAREST, cosines.shape[1])
    at = np.argpartition(-cosines, few - 1, axis=1)[:, :few]
    best = sorted(zip(np.take_along_axis(cosines, at, 1).ravel(), names[at].ravel(), strict=True), reverse=True)
    return list(dict.fromkeys(str(name) for cosine, name in best if cosine > -2.0))[:COMPARED]


def _but(names: npt.NDArray[np.str_], ordered: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which views are of other items than those ordered: bool (n,)."""
    theirs = np.ones(len(names), np.bool_)
    for item in ordered:
        theirs[np.searchsorted(names, item, "left") : np.searchsorted(names, item, "right")] = False
    return theirs


def _free(thing: Thing, claimed: Floats) -> bool:
    return not len(claimed) or bool(shared(claimed, thing.box).max() <= CLAIMED)


def _chance(odds: float) -> float:
    return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))
