"""Lessons seen once by the frozen network, so that projections and calibration are learnt from what it saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from inspector.detector import Floats
from inspector.embedder import Embedder, unit
from inspector.matching import candidates, overlap
from inspector.scene import Scene, corners, look, summed, within
from inspector.template import Template, describe
from models.evaluation.lessons import Lesson, Taught
from models.training.embedder import head
from models.training.embedder.calibrate import Sought
from models.training.embedder.network import EmbedderNet

SAMPLED_ON, SAMPLED_OFF = 120, 250
"""Windows of one picture that are kept for learning: on some item, and on none."""
PARTS = 32
"""Parts of an item that are kept for learning."""
JITTERED = 2
"""True boxes, a little off, added as windows, for each of them."""
WEIGHTS = {"card": 0.1}
"""Of the families in the calibration; cards are taught by rank, though the suits look different."""


class FrozenEngine:
    """The network before its projections, as an engine: both outputs are the centred map of 432 numbers a cell."""

    def __init__(self, net: EmbedderNet) -> None:
        self._net = net.eval()

    @torch.no_grad()
    def infer(self, batch: Floats) -> Mapping[str, Floats]:
        """See `inspector.runtime.Engine`."""
        cells = self._net.centred(torch.from_numpy(batch)).numpy()
        return {"scene": cells, "item": cells}

    def warm_up(self) -> None:
        """Nothing to do."""


@dataclass(frozen=True, slots=True)
class Practised:
    """One lesson as the frozen network saw it. fold: in which it is held out."""

    lesson: Lesson
    scene: Scene
    templates: Mapping[str, Template]
    fold: int


def practise(taught: Taught, lessons: Iterable[Lesson], frozen: Embedder, fold: Mapping[str, int]) -> list[Practised]:
    """Looks at each lesson and at the photos of its items. frozen: an embedder on a `FrozenEngine`."""
    templates: dict[str, Template] = {}
    seen = []
    for lesson in lessons:
        for name in lesson.truth:
            if name not in templates:
                shown = taught[name]
                views = tuple(describe(crop, mask, frozen) for crop, mask in shown)
                prototypes = frozen.embed([crop for crop, _ in shown], [mask for _, mask in shown])
                templates[name] = Template(name, prototypes, prototypes[:0], views)
        kept = {name: templates[name] for name in lesson.truth}
        scene = look(lesson.bgr, frozen)
        scene = replace(scene, looks=scene.looks[:0])  # 9 MB a picture, and worked out anew for each projection
        seen.append(Practised(replace(lesson, bgr=lesson.bgr[:0]), scene, kept, fold[lesson.group]))
    return seen


def windows(practised: Practised, rng: np.random.Generator) -> head.Lesson:
    """A sample of the picture's windows and how far each lies on each item."""
    scene, truth = practised.scene, practised.lesson.truth
    true = {name: scene.to_cells(np.asarray(boxes, np.float32).reshape(-1, 4)) for name, boxes in truth.items()}
    jittered = []
    for box in (box for boxes in true.values() for box in boxes for _ in range(JITTERED)):
        moved = box + np.r_[rng.normal(0, 0.08, 2) * box[2:], 0, 0]
        moved[2:] *= np.exp(rng.normal(0, 0.12, 2))
        jittered.append(moved)
    every = np.concatenate([scene.windows, np.asarray(jittered, np.float32).reshape(-1, 4)]).astype(np.float32)
    overlaps = np.stack([_overlaps(every, boxes) for boxes in true.values()])
    on = overlaps.max(0) > head.ON_IT
    kept = np.r_[rng.permutation(np.flatnonzero(on))[:SAMPLED_ON], rng.permutation(np.flatnonzero(~on))[:SAMPLED_OFF]]
    items = np.stack([unit(practised.templates[name].prototypes.mean(0)) for name in truth])
    left, top, right, bottom = corners(every[kept], *scene.cells.shape[:2])
    return head.Lesson(
        windows=unit(within(scene.cell_sums, every[kept])),
        items=items,
        overlaps=overlaps[:, kept],
        cells=scene.cells,
        corners=np.stack([left, top, right, bottom], 1),
        tokens=np.stack([_parts(practised.templates[name], rng) for name in truth]),
    )


def _parts(template: Template, rng: np.random.Generator) -> Floats:
    """PARTS of the parts of one view, drawn; a small item's are given more than once. float32 (PARTS, dim)."""
    tokens = template.views[int(rng.integers(len(template.views)))].tokens
    return np.asarray(np.resize(rng.permutation(tokens), (PARTS, tokens.shape[1])), np.float32)


def evidence(practised: Practised, heads: head.Heads, cohort: Floats, picture: int) -> list[Sought]:
    """What speaks for each item of a lesson under these projections. cohort: descriptions before the projections.
    picture: the lesson's number among all.
    """
    scene_head, item_head = heads.scene.detach().numpy(), heads.item.detach().numpy()
    scene = _projected(practised.scene, scene_head)
    against = unit(cohort @ item_head)
    found = []
    for name, boxes in practised.lesson.truth.items():
        template = practised.templates[name]
        views = tuple(replace(view, tokens=unit(view.tokens @ item_head)) for view in template.views)
        mine = Template(name, unit(template.prototypes @ item_head), template.against @ item_head, views)
        places = candidates(mine, scene, against)
        overlaps = _overlaps(places.boxes, np.asarray(boxes, np.float32).reshape(-1, 4))
        weight = WEIGHTS.get(practised.lesson.kind, 1.0)
        found.append(Sought(places.evidence, overlaps, bool(boxes), weight, practised.lesson.kind, picture))
    return found


def _projected(scene: Scene, projection: Floats) -> Scene:
    """The scene as an embedder with this projection (dim, width) would see it."""
    table = scene.cell_sums
    raw = table[1:, 1:] - table[:-1, 1:] - table[1:, :-1] + table[:-1, :-1]
    cells = np.asarray(raw @ projection, np.float32)
    sums = summed(cells)
    return replace(scene, cells=unit(cells), cell_sums=sums, looks=unit(within(sums, scene.windows)))


def _overlaps(places: Floats, boxes: Floats) -> Floats:
    """Each place's overlap with the nearest of the boxes: float32 (n,)."""
    every = [np.zeros(len(places), np.float32), *(overlap(places, box) for box in boxes)]
    return np.asarray(np.max(every, axis=0), np.float32)


def learn(practised: Sequence[Practised], steps: int, rate: float, rng: np.random.Generator) -> head.Heads:
    """Projections from these lessons."""
    lessons = [windows(one, rng) for one in practised]
    vectors = np.concatenate([np.concatenate([one.windows[::20], one.items]) for one in lessons])
    return head.train(lessons, head.main_directions(vectors), steps=steps, rate=rate, rng=rng)
