"""A store of drawn marks and prints: drawing one takes longer than pasting it, so each is drawn once and used often."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from inspector.spec import MARKS
from models.scenes import labels, marks
from models.scenes.art import Art

LONGEST = 224
DRAWN = 5
"""Which way of drawing this is."""
KINDS = (
    *(*sorted(MARKS), "other_mark", "row", "no_mark", "shipping_label", "words"),
    *("strange_words", "strange_picture", "paragraph"),
)
"""What is drawn; a row is some prints that stand side by side, words are any mark's without a picture. Scenes are
composed of those of the first line.
"""
OFTENER = {"words": 4, "strange_words": 4, "strange_picture": 3, "paragraph": 3}
"""Words, and what is no mark, differ more than pictures: this many times as many are drawn."""

STRANGE = {
    "strange_words": marks.strange_words,
    "strange_picture": marks.strange_picture,
    "paragraph": marks.paragraph,
}
"""What marks are told from; it is shown to the readers only."""


@dataclass(frozen=True, slots=True)
class Bank:
    """Drawn things by kind; each is a tuple of arts that are put down side by side, mostly of one."""

    things: dict[str, list[tuple[Art, ...]]]

    def take(self, kind: str, rng: np.random.Generator) -> tuple[Art, ...]:
        """Any one of a kind."""
        return self.things[kind][int(rng.integers(len(self.things[kind])))]


def smaller(bank: Bank, longest: int) -> Bank:
    """The same things with at most so many pixels a side, for what is only ever shown small."""
    return Bank(
        {
            kind: [tuple(_sized(art, longest) for art in thing) for thing in things]
            for kind, things in bank.things.items()
        }
    )


def drawn(folder: Path, seed: int, each: int) -> Bank:
    """A bank of `each` things a kind, drawn now unless the folder has it. Another seed draws other things.

    What is drawn otherwise than before needs another `DRAWN`, or old drawings go on being used.
    """
    path = folder / f"art{DRAWN}-{seed}-{each}.npz"
    if path.exists():
        return _load(path)
    bank = Bank(
        {
            kind: [_thing(kind, np.random.default_rng([seed, number, i])) for i in range(each * OFTENER.get(kind, 1))]
            for number, kind in enumerate(KINDS)
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    _save(bank, path)
    return bank


def _thing(kind: str, rng: np.random.Generator) -> tuple[Art, ...]:
    if kind == "row":
        return tuple(_sized(art) for art in marks.row(rng))
    if kind == "no_mark":
        return (_sized(marks.stranger(rng)),)
    if kind == "shipping_label":
        return (_sized(labels.draw(rng)),)
    if kind == "words":
        return (_sized(marks.words(rng)),)
    if kind in STRANGE:
        return (_sized(STRANGE[kind](rng)),)
    return (_sized(marks.draw(kind, rng)),)


def _sized(art: Art, longest: int = LONGEST) -> Art:
    scale = longest / max(art.bgra.shape[:2])
    if scale >= 1:
        return art
    small = cv2.resize(art.bgra, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Art(art.name, np.asarray(small, np.uint8), art.ink, art.also)


def _save(bank: Bank, path: Path) -> None:
    told, pixels = [], []
    for kind, things in bank.things.items():
        for i, thing in enumerate(things):
            for art in thing:
                told.append((kind, i, art.name, art.ink, art.also, art.bgra.shape))
                pixels.append(art.bgra.reshape(-1))
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, pixels=np.concatenate(pixels), told=np.array(json.dumps(told)))
    part.replace(path)


def _load(path: Path) -> Bank:
    with np.load(path) as stored:
        pixels, told = stored["pixels"], json.loads(str(stored["told"]))
    things: dict[str, list[tuple[Art, ...]]] = {}
    at = 0
    for kind, i, name, ink, also, shape in told:
        size = int(np.prod(shape))
        art = Art(name, pixels[at : at + size].reshape(shape), ink, tuple(also))
        at += size
        mine = things.setdefault(kind, [])
        mine[i:] = [(*(mine[i] if i < len(mine) else ()), art)]
    return Bank(things)
