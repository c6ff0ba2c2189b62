"""Views that were cut from boxes help to know an item, and do not make everything in a box look like it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inspector.contents import check_contents
from inspector.embedder import Embedder
from inspector.frame import Frame, Pixels
from inspector.gallery import Item, Reference
from inspector.matching import CORRECTIONS, candidates
from inspector.scene import look
from inspector.sightings import log_odds
from inspector.spec import ExpectedItem, PackingSpec, Stage
from inspector.teaching import from_box
from inspector.template import Memory
from tests.inspector.products import box, product, taught_from_photos

FRONT, BACK, OTHER = product(11), product(12), product(13)
PLACE, ELSEWHERE = (200, 240), (460, 240)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(threads=1)


@pytest.fixture(scope="module")
def taught(embedder: Embedder) -> Item:
    return taught_from_photos({"pack": FRONT}, embedder)["pack"]


def corrected(item: Item, embedder: Embedder, *drawn: tuple[Pixels, tuple[float, float, float, float]]) -> Item:
    """The item with what lies in a box of each picture as a further view."""
    cut = [from_box(picture, place) for picture, place in drawn]
    more = tuple(Reference(f"view-{i}-{cut[i][1].sum()}", item.item, *cut[i], in_box=True) for i in range(len(cut)))
    vectors = embedder.embed([crop for crop, _ in cut], [mask for _, mask in cut])
    return replace(item, references=(*item.references, *more), embeddings=np.concatenate([item.embeddings, vectors]))


def surest(item: Item, picture: Pixels, embedder: Embedder) -> float:
    found = candidates(Memory().template(item, embedder), look(picture, embedder), embedder.cohort)
    return float(log_odds(found, embedder.card.contents).max())


def around(place: tuple[int, int], pack: Pixels, scale: float = 0.8) -> tuple[float, float, float, float]:
    wide, high = scale * pack.shape[1], scale * pack.shape[0]
    return (place[0] - wide / 2 - 4, place[1] - high / 2 - 4, wide + 8, high + 8)


def test_the_back_that_was_shown_once_is_known(embedder: Embedder, taught: Item) -> None:
    shown = box([(BACK, PLACE, 0), (OTHER, ELSEWHERE, 0)])
    item = corrected(taught, embedder, (shown, around(PLACE, BACK)))
    again = Frame(box([(OTHER, PLACE, 20), (BACK, ELSEWHERE, 70)]), "box.jpg", Stage.OPEN)
    spec = PackingSpec(items=(ExpectedItem("pack", 1),))
    before, after = (check_contents([again], spec, {"pack": known}, embedder).items[0] for known in (taught, item))
    assert (before.score or 0) < 0.7, "packs of one series look a little alike"
    assert (after.score or 0) > 0.99


def test_a_box_that_was_drawn_on_nothing_makes_no_ground_an_item(embedder: Embedder, taught: Item) -> None:
    empty = box([(OTHER, ELSEWHERE, 0)])
    item = corrected(taught, embedder, (empty, (120, 180, 120, 120)))
    as_photo = replace(item, references=tuple(replace(r, id=f"{r.id}-photo", in_box=False) for r in item.references))
    another = box([(OTHER, PLACE, 30)])
    assert surest(item, another, embedder) < surest(as_photo, another, embedder) - 1
    assert surest(item, another, embedder) < 0


def test_only_the_newest_views_from_boxes_are_asked(embedder: Embedder, taught: Item) -> None:
    shown = box([(BACK, PLACE, 0), (OTHER, ELSEWHERE, 0)])
    back, other = (shown, around(PLACE, BACK)), (shown, around(ELSEWHERE, OTHER))
    again = box([(BACK, ELSEWHERE, 70)])
    newest = surest(corrected(taught, embedder, *[other] * CORRECTIONS, back), again, embedder)
    oldest = surest(corrected(taught, embedder, back, *[other] * CORRECTIONS), again, embedder)
    assert newest > oldest + 3
