"""Several pictures of one box: seen once is seen, but one thing is never two items."""

from __future__ import annotations

from math import exp
from typing import Any

import pytest

from inspector.contents import check_contents
from inspector.cutout import cut_out
from inspector.embedder import Embedder
from inspector.frame import Frame, Pixels
from inspector.gallery import Item, Reference
from inspector.joined import joined
from inspector.matching import Candidates, candidates
from inspector.scene import Scene, look
from inspector.sightings import Sighting, Wanted
from inspector.spec import ExpectedItem, PackingSpec, Stage
from inspector.template import Memory, Template
from inspector.verdict import Box, Result
from tests.inspector.products import box, photo, product

PACK, OTHER = product(11), product(13)
LEFT, RIGHT = (160, 240), (460, 240)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(threads=1)


def item(name: str, pack: Pixels, embedder: Embedder) -> Item:
    ((crop, mask),) = cut_out(photo(pack))
    reference = Reference(f"{name}-joined", name, crop, mask)
    return Item(name, None, None, None, (reference,), embedder.embed([crop], [mask]), None)


def at(place: tuple[int, int], odds: float) -> list[Sighting]:
    """Where the pack lies when it is turned by no degrees."""
    wide, high = 0.8 * PACK.shape[1], 0.8 * PACK.shape[0]
    where: Box = (place[0] - wide / 2, place[1] - high / 2, wide, high)
    return [Sighting(odds, where)]


def chances(packs: tuple[Pixels, Pixels], pictures: list[list[list[Sighting]]], embedder: Embedder) -> list[float]:
    """Of two items, when the first picture shows the pack on the left, the second one on the right."""
    memory = Memory()
    wanted = [Wanted(memory.template(item(f"item-{i}", p, embedder), embedder), 1) for i, p in enumerate(packs)]
    shown = [box([(packs[0], LEFT, 0)]), box([(packs[1], RIGHT, 0)]), box([(packs[0], LEFT, 0), (packs[1], RIGHT, 0)])]
    found = joined([look(pixels, embedder) for pixels in shown[: len(pictures)]], pictures, wanted, embedder)
    return [1 / (1 + exp(-odds[0])) for odds in found]


def test_one_thing_that_moved_is_not_two_look_alikes(embedder: Embedder) -> None:
    chance = chances((PACK, PACK), [[at(LEFT, 3.0), []], [[], at(RIGHT, 3.0)]], embedder)
    assert all(0.08 < c < 0.75 for c in chance), "neither is sure, neither is missing"


def test_what_clearly_wins_in_one_picture_stays_sure(embedder: Embedder) -> None:
    first, second = chances((PACK, PACK), [[at(LEFT, 6.0), []], [[], at(RIGHT, 1.5)]], embedder)
    assert first > 0.9
    assert 0.08 < second < 0.75


def test_two_look_alikes_that_one_picture_shows_are_both_there(embedder: Embedder) -> None:
    both = [at(LEFT, 2.0), at(RIGHT, 2.0)]
    chance = chances((PACK, PACK), [[at(LEFT, 3.0), []], [[], at(RIGHT, 3.0)], both], embedder)
    assert all(c > 0.9 for c in chance)


def test_different_things_shown_one_after_another_are_both_there(embedder: Embedder) -> None:
    chance = chances((PACK, OTHER), [[at(LEFT, 3.0), []], [[], at(RIGHT, 3.0)]], embedder)
    assert all(c > 0.9 for c in chance)


def test_twins_in_two_pictures_of_one_piece_never_pass(embedder: Embedder) -> None:
    taught = {name: item(name, PACK, embedder) for name in ("red", "also-red")}
    frames = [Frame(box([(PACK, place, 0)]), "box.jpg", Stage.OPEN) for place in (LEFT, RIGHT)]
    spec = PackingSpec(items=(ExpectedItem("red"), ExpectedItem("also-red")))
    assert check_contents(frames, spec, taught, embedder).result is not Result.PASS


def test_six_different_things_in_six_pictures_are_all_there(
    embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[tuple[int, int]] = []

    def counted(template: Template, scene: Scene, *rest: Any) -> Candidates:
        searched.append((id(template), id(scene)))
        return candidates(template, scene, *rest)

    monkeypatch.setattr("inspector.joined.candidates", counted)
    packs = {f"pack-{seed}": product(seed) for seed in range(11, 17)}
    taught = {name: item(name, pack, embedder) for name, pack in packs.items()}
    frames = [Frame(box([(pack, (190, 150), 0)]), "box.jpg", Stage.OPEN) for pack in packs.values()]
    result = check_contents(frames, PackingSpec(items=tuple(map(ExpectedItem, packs))), taught, embedder)
    assert {seen.item: seen.result for seen in result.items} == dict.fromkeys(packs, "present")
    assert len(searched) == len(set(searched)), "nothing is searched for twice in one picture"
