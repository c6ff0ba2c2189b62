"""One picture: each thing is given to one line, and what covers a place already speaks less for another piece."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from inspector import sightings
from inspector.detector import Floats
from inspector.embedder import Embedder
from inspector.matching import EVIDENCE, Candidates
from inspector.scene import look
from inspector.sightings import Wanted, sight
from inspector.template import Template
from models.cards import ContentsCard
from tests.inspector.products import box

CARD = ContentsCard(
    weights={name: float(name == "lead") for name in EVIDENCE}, bias=0, present=0.5, missing=0.05, extra=0.9
)
NOTHING = np.zeros((0, 128), np.float32)
ANY = Template("any", NOTHING, NOTHING, ())


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(threads=1)


def seen(
    monkeypatch: pytest.MonkeyPatch,
    embedder: Embedder,
    boxes: Sequence[Sequence[float]],
    odds: list[float],
    quantity: int,
) -> list[float]:
    """The odds of the sightings of one item, of which these are the places."""
    evidence: Floats = np.zeros((len(odds), len(EVIDENCE)), np.float32)
    evidence[:, EVIDENCE.index("lead")] = odds
    told = Candidates(np.asarray(boxes, np.float32), evidence, np.zeros(len(boxes), np.float32))
    monkeypatch.setattr(sightings, "candidates", lambda *_: told)
    (row,) = sight([Wanted(ANY, quantity)], look(box([]), embedder), CARD, embedder.cohort)
    return [round(one.odds, 1) for one in row]


def test_pieces_side_by_side_are_all_seen(monkeypatch: pytest.MonkeyPatch, embedder: Embedder) -> None:
    boxes = [[100, 100, 80, 80], [180, 100, 80, 80], [260, 100, 80, 80]]
    assert seen(monkeypatch, embedder, boxes, [2.0, 1.5, 1.0], 3) == [2.0, 1.5, 1.0]


def test_a_place_between_two_pieces_is_no_third_one(monkeypatch: pytest.MonkeyPatch, embedder: Embedder) -> None:
    boxes = [[100, 100, 80, 80], [180, 100, 80, 80], [155, 100, 50, 160]]
    first, second, between = seen(monkeypatch, embedder, boxes, [2.0, 1.5, 1.0], 3)
    assert (first, second) == (2.0, 1.5)
    assert between < 0, "half of it is taken by the two others"


def test_the_same_piece_is_not_told_twice(monkeypatch: pytest.MonkeyPatch, embedder: Embedder) -> None:
    boxes = [[100, 100, 80, 80], [110, 110, 50, 50]]
    assert seen(monkeypatch, embedder, boxes, [2.0, 1.9], 2) == [2.0]
