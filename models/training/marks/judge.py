"""What the networks say of pictures they have not seen, stage by stage, and the thresholds chosen on that."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from inspector.detector import Floats
from inspector.frame import Frame
from inspector.markreader import MarkReader, Places, Readings, squares_around
from inspector.quality import QualityLimits, frame_quality
from inspector.spec import MARKS
from models.cards import MarksCard, MarkThreshold
from models.evaluation.metrics import Matched, bootstrap, forgiven, match, precision_recall
from models.training.marks.bank import Bank
from models.training.marks.glyphs import TALL
from models.training.marks.networks import FINDER_SIDE, READER_SIDE, STRIP, Finder, Reader
from models.training.marks.scenes import HALF_SEEN, IOU, LONGER, MARGIN, SHORTER, Ground, Scene, compose

NMS_IOU = 0.4
PRECISION = 0.98
KEPT = 0.98
"""Share of the marks that are there which `doubtful` keeps from being told as missing."""
FOUND, MOST = 0.1, 16
LOOSE = 0.1
"""Intersection over union from which on a reading is about the mark that it overlaps."""
SURELY = 0.5
"""No mark is called present below it, however seldom composed scenes mislead: photos mislead in other ways."""
FINDER_COUNTS = 1.0
"""Weight of the finder's log odds beside the reader's: 1 finds 0.63, 0 finds 0.57 of 819 marks to choose on."""
STRIPS_FROM = 1.5
"""Width against height from which on the strip reader is asked. It is taught from 1.9 on, but of such marks the second
look takes every fourth for less wide (scenes to choose on).
"""
LEAST = 0.25
"""A mark of which less is found at the wanted precision is left to people."""
UPRIGHT_WITHIN = 45.0
LENGTHS = (20, 40, 64, 96, 1000)
"""Pixels of the longer side of a mark's upright box, from each of which on to the next marks are told apart."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture: its truth, what the finder proposed (xywh) and what the reader made of it."""

    scene: Scene
    group: str
    proposed: Floats
    readings: Readings


class Torch:
    """A network in torch as an engine of the inspector."""

    def __init__(self, net: Finder | Reader) -> None:
        self._net = net.eval()

    def warm_up(self) -> None:
        """Nothing to warm."""

    @torch.inference_mode()
    def infer(self, batch: Floats) -> Mapping[str, Floats]:
        """See `inspector.runtime.Engine`."""
        return {name: out.numpy() for name, out in self._net(torch.from_numpy(batch))._asdict().items()}


def draft(version: str, thresholds: Mapping[str, object], **told: object) -> MarksCard:
    """The part of the card that the program reads."""
    return MarksCard.model_validate(
        {
            "name": "marks",
            "second_look": "upright",
            "version": version,
            "files": {},
            "input": {"side": READER_SIDE},
            "finder": {
                "file": "finder.onnx",
                "side": FINDER_SIDE,
                "found": FOUND,
                "most": MOST,
                "weight": FINDER_COUNTS,
            },
            "upright": {"file": "upright.onnx"},
            "strips": {"file": "strips.onnx", "width": STRIP[0], "height": STRIP[1], "wide": STRIPS_FROM, "tall": TALL},
            "marks": MARKS,
            "crop_margin": MARGIN,
            "nms_iou": NMS_IOU,
            "thresholds": {"marks": thresholds},
            **told,
        }
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """Operating points, on what they were chosen, and figures."""

    thresholds: dict[str, MarkThreshold | str]
    chosen_on: str
    metrics: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unseen:
    """Grounds and drawings that taught nothing. weights: (n,), how often each place is drawn."""

    places: Sequence[Ground]
    weights: npt.NDArray[np.float64]
    bank: Bank

    def scenes(self, seed: int, count: int) -> Iterator[tuple[Scene, str]]:
        """Composed of it, with the group of each, always the same for a seed: all that a bench would not take again."""
        shares = self.weights / self.weights.sum()
        numbers, made = itertools.count(), 0
        while made < count:
            rng = np.random.default_rng([seed, next(numbers)])
            ground = self.places[int(rng.choice(len(self.places), p=shares))]
            scene = compose(rng, ground, self.bank)
            if not frame_quality(Frame(scene.pixels, "composed"), 0, QualityLimits()):
                made += 1
                yield scene, f"{ground.source}/{ground.group}"


def measure(reader: MarkReader, choose: Unseen, report: Unseen, scenes: int) -> Measured:
    """Thresholds from composed scenes of `choose`; figures from as many of `report`, and its parcels as they are."""
    half = scenes // 2
    choosing = judge(reader, choose.scenes(1, half))
    thresholds = {name: threshold(matched(choosing, mark)) for mark, name in enumerate(MARKS)}
    composed = judge(reader, report.scenes(2, scenes - half))
    places = report.places
    photos = judge(reader, as_they_are(p for p in places if p.source == "photos"))
    renders = judge(reader, as_they_are(p for p in places if p.source == "renders"))
    bare = [count for _, count in invented(photos, thresholds)]
    signs = [
        count for _, count in invented(judge(reader, as_they_are(p for p in places if p.source == "signs")), thresholds)
    ]
    return Measured(
        thresholds,
        f"{half} composed scenes whose parcels and drawings taught nothing and are none of those measured on, sharp "
        "and light enough for a bench; marks "
        f"of {SHORTER:.0f} x {LONGER:.0f} pixels and more, covered by less than {HALF_SEEN:.0%}; readings of parts of "
        "a mark that is there count neither way. Present from the lowest score on from which 98 % of the readings are "
        "right, were the next one wrong (95 % where that finds less than a quarter of the marks; else the mark is left "
        "to people); doubtful keeps 98 % of the marks found",
        {
            "composed": figures(composed, thresholds),
            "composed_by_longer_side": {
                f"{low} to {high - 1} px": _found(figures(of_length(composed, low, high), thresholds)["all"])
                for low, high in itertools.pairwise(LENGTHS)
            },
            "composed_by_stage": stages(reader, composed),
            "renders": figures(renders, thresholds),
            "photos": figures(photos, thresholds),
            "photos_without_marks": {"parcels": len(bare), "with_an_invented_mark": sum(c > 0 for c in bare)},
            "signs": {"pictures": len(signs), "with_an_invented_mark": sum(c > 0 for c in signs)},
        },
    )


def as_they_are(places: Iterable[Ground]) -> Iterator[tuple[Scene, str]]:
    """Parcels as they were photographed or rendered, nothing added; tiny marks are asked for too."""
    for ground in places:
        ignored = np.isnan(ground.turns) & (ground.says.max(axis=1, initial=0.0) > 0)
        yield Scene(ground.pixels, ground.boxes, ground.says, ground.turns, ignored), ground.group


def judge(reader: MarkReader, scenes: Iterable[tuple[Scene, str]]) -> list[Judged]:
    """Everything both stages say of the scenes; a scene is a parcel with its margin, so it is the parcel's box."""
    told = []
    for scene, group in scenes:
        proposed = reader.propose(scene.pixels, scene.whole)
        told.append(Judged(scene, group, proposed.boxes, reader.read(scene.pixels, proposed)))
    return told


def matched(told: Sequence[Judged], mark: int) -> list[Matched]:
    """Readings of one mark against the truth, one entry a picture.

    A reading of a part of a mark that is there, or a loose one around it, is neither right nor wrong: its place is told
    badly, but what it says is true. Such a mark still counts as not found.
    """
    rows = []
    for one in told:
        kept = one.readings.of(mark, 0.01, NMS_IOU)
        boxes = one.readings.boxes[kept]
        boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        there = (one.scene.says[:, mark] > 0) & ~one.scene.ignored
        rows.append(
            match(
                boxes,
                one.readings.says[kept, mark],
                one.readings.rotations[kept],
                one.scene.boxes[there],
                one.scene.turns[there],
                IOU,
                one.scene.boxes[one.scene.ignored],
                np.array([forgiven(box, one.scene.boxes[there], LOOSE) for box in boxes], np.bool_),
            )
        )
    return rows


def threshold(rows: Sequence[Matched]) -> MarkThreshold | str:
    """Present: from the lowest score on from which precision is 98 %, were the next reading wrong (what is chosen at
    98 % sharp is less on other pictures); where that finds too few, 95 %.

    Doubtful: keeps 98 % of the marks that the finder found from being told as missing.
    """
    scores, precision, recall = precision_recall(rows)
    truth = sum(row.truth for row in rows)
    said = np.arange(1, len(scores) + 1)
    cautious = precision * said / (said + 1)
    last = np.append(np.diff(scores) != 0, True)[: len(scores)]  # of equal scores all are said, or none
    if truth < 30:
        return f"fewer than 30 examples (n = {truth})"
    for precise in (PRECISION, 0.95):
        enough = np.flatnonzero((cautious >= precise) & (recall >= LEAST) & last)
        if len(enough):
            break
    else:
        return f"no score finds {LEAST:.0%} of its {truth} examples on unseen pictures with 95 % precision"
    present = max(SURELY, float(scores[enough[-1]]))
    right = np.sort(np.concatenate([row.scores[row.right] for row in rows]))
    kept = float(right[int(len(right) * (1 - KEPT))])
    return MarkThreshold(present=round(present, 3), doubtful=round(float(np.clip(kept, 0.02, present / 2)), 3))


def figures(told: Sequence[Judged], thresholds: Mapping[str, MarkThreshold | str], rounds: int = 400) -> dict[str, Any]:
    """Recall, precision and turn of each mark at its threshold, with intervals over groups, and of all together."""
    groups = [one.group for one in told]
    out: dict[str, Any] = {}
    parts: list[tuple[npt.NDArray[np.float64], ...]] = []
    errors: list[npt.NDArray[np.float64]] = []
    for mark, name in enumerate(MARKS):
        at = thresholds.get(name)
        rows = matched(told, mark)
        if not isinstance(at, MarkThreshold):
            out[name] = {"there": sum(row.truth for row in rows), "not_judged": at}
            continue
        right = np.array([float((row.right & (row.scores >= at.present)).sum()) for row in rows])
        said = np.array([float((row.scores >= at.present).sum()) for row in rows])
        there = np.array([float(row.truth) for row in rows])
        off = np.concatenate([row.turn_errors[row.scores[row.right] >= at.present] for row in rows])
        parts.append((right, said, there))
        errors.append(off)
        if there.sum() or said.sum():
            out[name] = _told(right, said, there, off, groups, rounds)
    right, said, there = (sum((part[i] for part in parts), np.zeros(len(told))) for i in range(3))
    out["all"] = _told(right, said, there, np.concatenate([np.zeros(0), *errors]), groups, rounds)
    return out


def of_length(told: Sequence[Judged], least: float, less_than: float) -> list[Judged]:
    """The same, but that only marks whose longer side in pixels lies there are asked for."""
    kept = []
    for one in told:
        sides = (one.scene.boxes[:, 2:] - one.scene.boxes[:, :2]).max(axis=1, initial=0.0)
        others = one.scene.ignored | (sides < least) | (sides >= less_than)
        kept.append(replace(one, scene=replace(one.scene, ignored=others)))
    return kept


def stages(reader: MarkReader, told: Sequence[Judged]) -> dict[str, float | int]:
    """Which stage loses: the marks that the finder proposes, and those the reader reads right at their true place."""
    proposed, read, count = 0, 0, 0
    for one in told:
        real = one.scene.positive
        boxes = one.scene.boxes[real]
        if not len(boxes):
            continue
        xywh = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).astype(np.float32)
        squares = squares_around(one.proposed)
        for says, place, square in zip(one.scene.says[real], xywh, squares_around(xywh), strict=True):
            off = np.abs(squares[:, :2] - square[:2]).max(axis=1) / np.maximum(squares[:, 2], 1)
            large = square[2] / np.maximum(squares[:, 2], 1)
            proposed += bool(((off < 0.28) & (large > 0.5) & (large < 1.5)).any())
            there = reader.read(one.scene.pixels, Places(place[None], np.full(1, 0.5, np.float32)))
            read += bool(len(there)) and int(says[int(there.says[0].argmax())] > 0)
        count += len(boxes)
    return {"marks": count, "proposed": proposed, "read_right_at_the_true_place": read}


def invented(told: Sequence[Judged], thresholds: Mapping[str, MarkThreshold | str]) -> list[tuple[str, int]]:
    """Pictures without any mark, with how many marks each was said to have."""
    out = []
    for one in told:
        if (one.scene.says.max(axis=1, initial=0.0) > 0).any() or one.scene.ignored.any():
            continue
        count = 0
        for mark, name in enumerate(MARKS):
            at = thresholds.get(name)
            if isinstance(at, MarkThreshold):
                count += len(one.readings.of(mark, at.present, NMS_IOU))
        out.append((one.group, count))
    return out


def _told(
    right: npt.NDArray[np.float64],
    said: npt.NDArray[np.float64],
    there: npt.NDArray[np.float64],
    off: npt.NDArray[np.float64],
    groups: Sequence[str],
    rounds: int,
) -> dict[str, Any]:
    known = off[~np.isnan(off)]
    return {
        "there": int(there.sum()),
        "recall": bootstrap(lambda i: _ratio(right[i], there[i]), groups, rounds).told(),
        "precision": bootstrap(lambda i: _ratio(right[i], said[i]), groups, rounds).told(),
        "turn_within_45_deg": round(float((known <= UPRIGHT_WITHIN).mean()), 3) if len(known) else None,
        "median_turn_error_deg": round(float(np.median(known)), 1) if len(known) else None,
    }


def _found(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"there": told["there"], "recall": told["recall"]}


def _ratio(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> float:
    return float(part.sum() / whole.sum()) if whole.sum() else float("nan")
