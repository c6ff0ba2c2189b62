"""What speaks for an item at a place; here: that another item of the order explains the place as well."""

from __future__ import annotations

import numpy as np
import pytest

from inspector.cutout import cut_out
from inspector.embedder import Embedder
from inspector.matching import EVIDENCE, Candidates, Search, overlap
from inspector.scene import Scene, look
from inspector.template import Template, describe
from tests.inspector.products import box, photo, product

RIVALS = EVIDENCE.index("rivals")
THERE = np.asarray([100, 170, 140, 140], np.float32)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(threads=1)


@pytest.fixture(scope="module")
def scene(embedder: Embedder) -> Scene:
    return look(box([(product(11), (170, 240), 0)]), embedder)


def template(seed: int, embedder: Embedder) -> Template:
    ((crop, mask),) = cut_out(photo(product(seed)))
    prototypes = embedder.embed([crop], [mask])
    return Template(f"pack-{seed}", prototypes, prototypes[:0], (describe(crop, mask, embedder),))


def rivals_where_the_pack_lies(found: Candidates) -> float:
    """Of the place that lies best on the pack."""
    return float(found.evidence[overlap(found.boxes, THERE).argmax(), RIVALS])


def test_what_explains_a_place_is_a_rival_of_all_others_there(scene: Scene, embedder: Embedder) -> None:
    true, other, third = (template(seed, embedder) for seed in (11, 13, 14))
    beside_it = Search([other, true, third], scene, embedder.cohort).places(0)
    without_it = Search([other, third], scene, embedder.cohort).places(0)
    assert rivals_where_the_pack_lies(beside_it) > rivals_where_the_pack_lies(without_it) + 0.03


def test_an_item_is_no_rival_of_itself(scene: Scene, embedder: Embedder) -> None:
    true, other = (template(seed, embedder) for seed in (11, 13))
    search = Search([true, other], scene, embedder.cohort)
    assert rivals_where_the_pack_lies(search.places(0)) < rivals_where_the_pack_lies(search.places(1))


def test_an_item_alone_has_what_is_no_item_for_a_rival(scene: Scene, embedder: Embedder) -> None:
    (found,) = [Search([template(11, embedder)], scene, embedder.cohort).places(0)]
    assert np.isfinite(found.evidence).all()
    assert -1 <= rivals_where_the_pack_lies(found) <= 1


def test_an_item_that_nobody_ordered_has_all_of_the_order_for_rivals(scene: Scene, embedder: Embedder) -> None:
    true, other = (template(seed, embedder) for seed in (11, 13))
    alone = Search([], scene, embedder.cohort).places_of(other)
    beside = Search([true], scene, embedder.cohort).places_of(other)
    assert rivals_where_the_pack_lies(beside) > rivals_where_the_pack_lies(alone)
