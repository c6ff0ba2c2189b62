"""Makes a version of the embedder: `python -m models.training.embedder --contents DIR --renders DIR --parcels DIR ...`.

Frozen network, centred on crops; lessons seen once; projections learnt without each fold in turn, evidence gathered on
that fold, calibration and thresholds fitted to it; projections learnt again on everything, exported, measured. About
ten minutes of one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

import models
from inspector.detector import Floats
from inspector.embedder import COHORT, Embedder, letterbox, unit
from inspector.matching import EVIDENCE
from models.cards import AlikeThreshold, ContentsCard, EmbedderCard
from models.evaluation.lessons import Lesson, Taught, photos, renders
from models.training.embedder.calibrate import Sought, fit, points
from models.training.embedder.crops import FAMILIES, photo_crops, render_crops
from models.training.embedder.export import ENOUGH, agreement, write_graph
from models.training.embedder.network import DIM, WIDTH, EmbedderNet, as_tensor, frozen
from models.training.embedder.options import options
from models.training.embedder.practice import FrozenEngine, Practised, evidence, learn, practise
from models.training.embedder.release import measure, write_release
from models.training.embedder.totes import patch, totes

CROP_SIDE = 160
BATCH = 32
FOLDS = 2
STEPS, RATE = 1200, 2e-3
INVENTED, LOST = 0.02, 0.03
"""Shares by which the card's points are chosen: of absent items that are found, of pictures in which one that is there
is missed.
"""
LOOK_ALIKES = ("card",)
"""Kinds of lessons left out there: they tell items apart by the order only."""
COHORT_SIZE = 128
SHOTS = {"card": 3, "nuts": 1, "fruit": 1}
TOTES = ((120, 45, 0.0), (120, 60, 1.0), (120, 45, 0.0), (120, 60, 1.0))
"""Composed boxes: things, pictures and share of drawn things of each set. A set is in one fold, in turn, because its
pictures share their things.
"""


def main() -> None:
    """See the module."""
    given = _arguments()
    torch.set_num_threads(given.threads)
    rng = np.random.default_rng(given.seed)
    crops = [*photo_crops(given.contents), *render_crops(given.renders)]
    boxed = [letterbox(crop.bgr, crop.mask, CROP_SIDE)[0] for crop in crops]
    batches = [as_tensor(boxed[i : i + BATCH]) for i in range(0, len(boxed), BATCH)]
    net = frozen()
    net.centre(batches)
    given.out.mkdir(parents=True, exist_ok=True)
    seeing = _frozen_embedder(net, given.out)
    cohort = _cohort(given.parcels, seeing, rng)
    seen = _practised(given, seeing, rng)
    print(f"{len(seen)} lessons seen")
    sought: list[Sought] = []
    for fold in range(FOLDS):
        heads = learn([one for one in seen if one.fold != fold], STEPS, RATE, rng)
        unseen = [(number, one) for number, one in enumerate(seen) if one.fold == fold]
        sought += [s for number, one in unseen for s in evidence(one, heads, cohort, number)]
    weights, bias = fit(sought)
    told = [one for one in sought if one.kind not in LOOK_ALIKES]
    present, missing, extra = points(told, weights, bias, invented=INVENTED, lost=LOST)
    chosen_on = _chosen_on(told, weights, bias, present, missing)
    print(chosen_on)
    heads = learn(seen, STEPS, RATE, rng)
    net.project(heads.scene.detach(), heads.item.detach())
    graph = given.out / "model.onnx"
    write_graph(net, graph, CROP_SIDE, np.stack([boxed[i] for i in rng.permutation(len(boxed))[:ENOUGH]]))
    np.save(given.out / COHORT, unit(cohort @ heads.item.detach().numpy()).astype(np.float16))
    cosine = agreement(net, graph, batches[0])
    print(f"graph {graph.stat().st_size / 1e6:.1f} MB; smallest cosine to torch {cosine:.6f}")
    contents = ContentsCard(weights=weights, bias=bias, present=present, missing=missing, extra=extra).model_dump()
    contents["chosen_on"] = chosen_on
    write_release(given.out, created=given.created, crop_side=CROP_SIDE, dim=WIDTH, agreement=cosine, contents=contents)
    measure(given.out, crops)


def _chosen_on(
    sought: Sequence[Sought], weights: Mapping[str, float], bias: float, present: float, missing: float
) -> str:
    """What the points of the card rest on, for people."""
    plain = np.array([weights[name] for name in EVIDENCE])
    chance = np.array([1 / (1 + np.exp(-float((one.evidence @ plain).max() + bias))) for one in sought])
    there, kind = np.array([one.present for one in sought]), np.array([one.kind for one in sought])
    said = []
    for name in sorted(set(kind)):
        absent, seen = chance[~there & (kind == name)], chance[there & (kind == name)]
        said.append(
            f"{name}: of {len(absent)} absent {(absent >= present).mean():.0%} called present, "
            f"{(absent <= missing).mean():.0%} missing, of {len(seen)} there {(seen >= present).mean():.0%} and "
            f"{(seen <= missing).mean():.0%}"
        )
    return (
        "logistic regression on each item's best place, with projections that had not seen its group (composed boxes: "
        f"its things); on average over kinds at most {INVENTED:.0%} of absent items are called present, and in at most "
        f"{LOST:.0%} of the pictures something that is there is called missing. Single items on those pictures: "
        f"{'; '.join(said)}. Cards, which are look-alikes, are told apart by the order only; of items there at most "
        f"{INVENTED:.0%} reach extra where they are not"
    )


def _arguments() -> argparse.Namespace:
    parser = options(__doc__)
    parser.add_argument("--parcels", type=Path, required=True, help="folder of the licensed photos of parcels")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def _frozen_embedder(net: EmbedderNet, folder: Path) -> Embedder:
    """An embedder that describes with 432 numbers: what the projections are learnt on."""
    np.save(folder / COHORT, np.zeros((1, DIM), np.float16))
    nothing = ContentsCard(weights={}, bias=0, present=1, missing=0, extra=1)
    card = EmbedderCard(
        name="embedder",
        version="frozen",
        files={"model.onnx": ""},
        crop_side=CROP_SIDE,
        stride=16,
        dim=DIM,
        thresholds=AlikeThreshold(alike=1),
        contents=nothing,
    )
    return Embedder(models.Model(folder, card), FrozenEngine(net))


def _cohort(parcels: Path, seeing: Embedder, rng: np.random.Generator) -> Floats:
    """Descriptions (k, 432) of patches of photos: what an item is not."""
    names = sorted((parcels / "images").glob("*.jpg"))
    chosen = [names[i] for i in rng.choice(len(names), COHORT_SIZE, replace=False)]
    things = [patch(np.asarray(cv2.imread(str(name)), np.uint8), name.stem, rng) for name in chosen]
    return seeing.embed([thing.bgr for thing in things], [thing.mask for thing in things])


def _practised(given: argparse.Namespace, seeing: Embedder, rng: np.random.Generator) -> list[Practised]:
    sets: list[tuple[Taught, list[Lesson], int | None]] = [
        (*photos(given.contents, rng, family=family, shots=SHOTS[family]), None) for family in FAMILIES
    ]
    sets.append((*renders(given.renders, rng), None))
    for number, (things, pictures, drawn) in enumerate(TOTES):
        made = totes(given.parcels, rng, things=things, pictures=pictures, drawn=drawn)
        sets.append((*made, number // 2 % FOLDS))
    seen: list[Practised] = []
    for taught, lessons, fixed in sets:
        groups = sorted({lesson.group for lesson in lessons})
        fold_of = {group: i % FOLDS if fixed is None else fixed for i, group in enumerate(groups)}
        seen += practise(taught, lessons, seeing, fold_of)
    return seen


if __name__ == "__main__":
    main()
