"""What each reader is shown, and how often: drawings laid on board, marks of real pictures, what earlier looks took for
marks, and everything that is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from inspector.frame import Pixels
from inspector.spec import MARKS
from models.scenes.art import Art
from models.training.marks.bank import Bank
from models.training.marks.glimpses import Glimpse
from models.training.marks.glyphs import OVERTURNED, Glyph, View, laid, neighbour, piece, real, seen
from models.training.marks.scenes import Ground

FIRST = {"stumble": 0.33, "mark": 0.4, "real": 0.07, "off": 0.05, "print": 0.1, "bare": 0.05}
"""What the reader is shown: what the finder takes for marks and is none, a drawn mark, one that was there, a badly
framed one, another print, nothing.
"""
CLOSER = {"glimpse": 0.42, "mark": 0.32, "real": 0.04, "off": 0.04, "print": 0.17, "bare": 0.01}
"""What the upright reader is shown. glimpse: what the reader took for a mark in a scene, as it was or is none."""
STRIPS = {"glimpse": 0.3, "mark": 0.44, "off": 0.04, "print": 0.2, "bare": 0.02}
"""What the strip reader is shown."""
WORDS = 0.35
"""Share of the drawn marks that are words alone: they are harder than pictures, and scenes have a quarter of them."""
PRINTS = ("other_mark", "no_mark", "no_mark", "shipping_label", "strange_picture", "paragraph", "fragment")
SMALLEST, LARGEST = 26.0, 220.0
"""How many pixels of the picture a crop shows, when a mark is worth reading."""
WORDS_FROM = 60.0
"""How many at least, where the mark has words."""
WIDE = 1.9
"""Width against height from which on a drawing, or what was read, is for the strip reader."""
FRAGMENT = 0.12, 0.25
"""Share of words that is left, when too little is left for any mark."""


def crop(
    rng: np.random.Generator,
    bank: Bank,
    grounds: Sequence[Ground],
    marked: Sequence[Ground],
    stumbles: Sequence[Pixels] = (),
) -> Glyph:
    """Any crop of a first look. grounds: whose pixels lie below the drawings; marked: those that have marks of their
    own. stumbles: what the finder took for marks.
    """
    kind = _kind(rng, FIRST, stumble=bool(stumbles), real=bool(marked))
    if kind == "stumble":
        turned = np.rot90(stumbles[int(rng.integers(len(stumbles)))], int(rng.integers(4))).copy()
        return seen(turned, rng, View.FIRST)
    return _made(rng, kind, bank, grounds, marked, View.FIRST)


def upright(
    rng: np.random.Generator,
    bank: Bank,
    grounds: Sequence[Ground],
    marked: Sequence[Ground],
    glimpses: Sequence[Glimpse] = (),
) -> Glyph:
    """Any crop of a closer look: see `crop`."""
    kind = _kind(rng, CLOSER, glimpse=bool(glimpses), real=bool(marked))
    if kind == "glimpse":
        return glimpses[int(rng.integers(len(glimpses)))].glyph(rng, View.CLOSER)
    return _made(rng, kind, bank, grounds, marked, View.CLOSER)


@dataclass(frozen=True, slots=True)
class Wide:
    """Drawings that are for the strip reader. marks: by kind, of which each comes as often. others: are none."""

    marks: Sequence[Sequence[Art]]
    others: Sequence[Art]


def wide(bank: Bank) -> Wide:
    """What of the bank is wide and stands alone; half of the marks are words alone."""

    def of(*kinds: str) -> list[Art]:
        things = [thing[0] for kind in kinds for thing in bank.things[kind] if len(thing) == 1]
        return [art for art in things if art.bgra.shape[1] >= WIDE * art.bgra.shape[0]]

    kinds = [of(mark) for mark in MARKS] + [of("words")] * len(MARKS)
    return Wide([kind for kind in kinds if kind], of("strange_words", "no_mark", "other_mark", "paragraph"))


def strip(rng: np.random.Generator, drawings: Wide, grounds: Sequence[Ground], glimpses: Sequence[Glimpse]) -> Glyph:
    """Any strip. glimpses: of something wide."""
    kind = _kind(rng, STRIPS, glimpse=bool(glimpses))
    if kind == "glimpse":
        one = glimpses[int(rng.integers(len(glimpses)))].glyph(rng, View.STRIP)
        return _overturned(one) if rng.random() < OVERTURNED else one
    size = round(float(np.exp(rng.uniform(np.log(WORDS_FROM), np.log(LARGEST)))))
    art: Art | None = None
    if kind == "print" and drawings.others:
        art = drawings.others[int(rng.integers(len(drawings.others)))]
    elif kind in ("mark", "off") and drawings.marks:
        alike = drawings.marks[int(rng.integers(len(drawings.marks)))]
        art = alike[int(rng.integers(len(alike)))]
    for _ in range(4):
        board = piece(rng, grounds[int(rng.integers(len(grounds)))], size)
        if art is None:
            break
        made = laid(board, art, rng, View.STRIP, off=kind == "off")
        if made is not None:
            return made
    return seen(board, rng, View.STRIP)


def _kind(rng: np.random.Generator, kinds: Mapping[str, float], **there: bool) -> str:
    """One of the kinds, by their shares, of those of which there is anything."""
    names = [name for name in kinds if there.get(name, True)]
    shares = np.array([kinds[name] for name in names])
    return str(rng.choice(names, p=shares / shares.sum()))


def _made(
    rng: np.random.Generator, kind: str, bank: Bank, grounds: Sequence[Ground], marked: Sequence[Ground], view: View
) -> Glyph:
    if kind == "real":
        return real(rng, marked[int(rng.integers(len(marked)))], view)
    side = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
    art: Art | None = None
    if kind in ("mark", "off"):
        art = _mark(rng, bank, view)
        if not art.ink or not 0.5 < art.bgra.shape[1] / art.bgra.shape[0] < 1.6:
            side = max(side, WORDS_FROM)
    elif kind == "print":
        art = _print(rng, bank)
    size = round(side)
    for _ in range(4):
        board = piece(rng, grounds[int(rng.integers(len(grounds)))], size)
        if art is None:
            break
        if rng.random() < 0.25:
            board = neighbour(board, bank, rng)
        made = laid(board, art, rng, view, off=kind == "off")
        if made is not None:
            return made
    return seen(board, rng, view)


def _mark(rng: np.random.Generator, bank: Bank, view: View) -> Art:
    """A drawn mark; at the closer look, wide ones come seldom: the strip reader reads them."""
    for _ in range(2):
        art = bank.take("words" if rng.random() < WORDS else str(rng.choice(MARKS)), rng)[0]
        if view is View.FIRST or art.bgra.shape[1] < WIDE * art.bgra.shape[0]:
            break
    return art


def _print(rng: np.random.Generator, bank: Bank) -> Art:
    """A drawing that is no mark, or so small a part of words that it is none any more."""
    kind = str(rng.choice(PRINTS))
    if kind != "fragment":
        return bank.take(kind, rng)[0]
    for _ in range(8):
        art = bank.take("words" if rng.random() < 0.5 else "strange_words", rng)[0]
        if art.name != "this_way_up":  # UP is a part of it, and says it all
            break
    width = art.bgra.shape[1]
    left = round(width * float(rng.uniform(*FRAGMENT)))
    start = int(rng.integers(0, width - left + 1))
    return replace(art, name="no_mark", also=(), bgra=np.ascontiguousarray(art.bgra[:, start : start + left]))


def _overturned(one: Glyph) -> Glyph:
    spans = one.spans * np.array([-1, -1, 1, 1], np.float32)
    return replace(one, pixels=np.rot90(one.pixels, 2).copy(), spans=spans, turn=one.turn + 180)
