"""How well the contents check finds what was taught, counts it, and notices what is missing, with intervals."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from inspector.contents import judge, search
from inspector.embedder import Embedder
from inspector.gallery import Item, Reference
from inspector.scene import Scene
from inspector.spec import ExpectedItem
from inspector.verdict import ItemSeen, Result
from inspector.weighing import Line, weigh
from models.evaluation.lessons import Lesson, Taught
from models.evaluation.metrics import Array, Figure, Rows, auroc, bootstrap

SCALE_SD_G = 1.0
PIECE_SD = 0.01
"""Spread of the scale, and of a piece's weight as a share of it, in the simulated weighings."""
BLIND_ODDS = float(np.log(0.95 / 0.05))
"""Log odds that an item is there for one who only weighs."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of one order as it was judged. truth: pieces that are there. seconds: of the whole order."""

    group: str
    truth: int
    expected: int
    seen: ItemSeen
    seconds: float


def taught_items(
    taught: Taught,
    embedder: Embedder,
    weights: Mapping[str, float] | None = None,
    corrections: Taught | None = None,
) -> dict[str, Item]:
    """Items as a gallery would hand them out. corrections: further views, cut from pictures of boxes."""
    items = {}
    for name, photos in taught.items():
        boxed = (corrections or {}).get(name, [])
        shown = [*photos, *boxed]
        vectors = embedder.embed([crop for crop, _ in shown], [mask for _, mask in shown])
        # by what they show: views are remembered by id, and another lesson may teach the same thing from other crops
        views = tuple(
            Reference(sha256(crop.tobytes() + bytes([in_box])).hexdigest(), name, crop, mask, in_box=in_box)
            for some, in_box in ((photos, False), (boxed, True))
            for crop, mask in some
        )
        weight = (weights or {}).get(name)
        items[name] = Item(name, None, weight, None if weight is None else PIECE_SD * weight, views, vectors, None)
    return items


def presence_orders(lesson: Lesson, rng: np.random.Generator, rounds: int) -> list[list[ExpectedItem]]:
    """Orders of everything that is there and as many things that are not, drawn `rounds` times."""
    there = [name for name, boxes in lesson.truth.items() if boxes]
    absent = [name for name, boxes in lesson.truth.items() if not boxes]
    orders = []
    for _ in range(rounds):
        drawn = rng.choice(len(absent), min(len(absent), len(there)), replace=False)
        names = [*there, *(absent[i] for i in drawn)]
        orders.append([ExpectedItem(name, max(1, len(lesson.truth[name]))) for name in names])
    return orders


def count_order(lesson: Lesson, rng: np.random.Generator) -> list[ExpectedItem]:
    """An order of all that is there, one too few or one too many as often as right, so that parroting it is no use."""
    there = [(name, len(boxes)) for name, boxes in lesson.truth.items() if boxes]
    return [ExpectedItem(name, max(1, count + int(rng.integers(-1, 2)))) for name, count in there]


def run(
    scene: Scene, lesson: Lesson, order: Sequence[ExpectedItem], items: Mapping[str, Item], embedder: Embedder
) -> list[Row]:
    """Every line of one order, judged on one picture by the picture alone."""
    started = time.perf_counter()
    seen = search([scene], order, items, embedder)
    answer = judge(order, seen, items, embedder.card.contents)
    seconds = time.perf_counter() - started
    return [
        Row(lesson.group, len(lesson.truth[line.item]), line.quantity, item, seconds)
        for line, item in zip(order, answer.items, strict=True)
    ]


def presence(rows: Sequence[Row]) -> dict[str, Any]:
    """Figures of lines of which half are there: what was decided, rightly or wrongly, and what was left to a person."""
    groups = [row.group for row in rows]
    there = np.array([row.truth > 0 for row in rows])
    said = np.array([_said(row.seen) for row in rows])
    right = np.where(there, said == "present", said == "missing")
    return {
        "lines": len(rows),
        "decided_right": _rate(right, groups),
        "unsure": _rate(said == "unsure", groups),
        "absent_called_present": _rate(said == "present", groups, ~there),
        "absent_called_missing": _rate(said == "missing", groups, ~there),
        "present_called_present": _rate(said == "present", groups, there),
        "present_called_missing": _rate(said == "missing", groups, there),
        "right_where_decided": _rate(right, groups, said != "unsure"),
        "auroc": _auroc([row.seen.score or 0.0 for row in rows], there, groups),
    }


def counting(rows: Sequence[Row]) -> dict[str, Any]:
    """Figures of counted lines: found is the true number, or within one of it, or the line is unsure."""
    groups = [row.group for row in rows]
    off = np.abs(np.array([row.seen.found - row.truth for row in rows]))
    unsure = np.array([row.seen.result == "unsure" for row in rows])
    return {
        "lines": len(rows),
        "exact": _rate(off == 0, groups),
        "within_one": _rate(off <= 1, groups),
        "unsure": _rate(unsure, groups),
        "exact_where_decided": _rate(off == 0, groups, ~unsure),
        "exact_or_unsure": _rate((off == 0) | unsure, groups),
        "within_one_or_unsure": _rate((off <= 1) | unsure, groups),
        "verdict_right": _rate(np.array([_verdict_right(row) for row in rows]), groups),
    }


@dataclass(frozen=True, slots=True)
class Trial:
    """One rendered order as it was judged in one way. change: what is wrong with it. answer: of the whole check. named:
    the changed item itself was called missing.
    """

    group: str
    change: str
    way: str
    answer: str
    named: bool


CHANGES = ("complete", "missing", "doubled", "foreign")
WAYS = ("picture", "weight", "picture and weight")


def changed_order(
    lesson: Lesson, change: str, rng: np.random.Generator
) -> tuple[list[ExpectedItem], str | None] | None:
    """An order for what is in a rendered box, and the item on which it is wrong; None where it cannot be made.

    missing: a thing is ordered that is not there. doubled: one more piece is ordered than there is. foreign: something
    that is there was not ordered.
    """
    there = {name: len(boxes) for name, boxes in lesson.truth.items() if boxes}
    absent = [name for name, boxes in lesson.truth.items() if not boxes]
    order = [ExpectedItem(name, count) for name, count in there.items()]
    if not order or (change == "missing" and not absent) or (change == "foreign" and len(order) < 2):
        return None
    if change == "complete":
        return order, None
    if change == "missing":
        name = absent[int(rng.integers(len(absent)))]
        return [*order, ExpectedItem(name, 1)], name
    odd = order[int(rng.integers(len(order)))]
    rest = [line for line in order if line.item != odd.item]
    return (rest, odd.item) if change == "foreign" else ([*rest, ExpectedItem(odd.item, odd.quantity + 1)], odd.item)


def try_order(
    scene: Scene,
    lesson: Lesson,
    change: str,
    items: Mapping[str, Item],
    embedder: Embedder,
    rng: np.random.Generator,
) -> list[Trial]:
    """One order judged by the picture, by the weight, and by both; the weight is drawn for what is truly there."""
    made = changed_order(lesson, change, rng)
    if made is None:
        return []
    order, odd = made
    card = embedder.card.contents
    pieces = [(items[name].weight_g or 0.0, len(boxes)) for name, boxes in lesson.truth.items() if boxes]
    net = sum(float(rng.normal(1, PIECE_SD)) * weight for weight, count in pieces for _ in range(count))
    net += float(rng.normal(0, SCALE_SD_G))
    seen = search([scene], order, items, embedder)
    answers = {
        "picture": judge(order, seen, items, card),
        "picture and weight": judge(order, seen, items, card, net),
    }
    trials = []
    for way, answer in answers.items():
        missed = {item.item for item in answer.items if item.result == "missing"}
        trials.append(Trial(lesson.group, change, way, str(answer.result), odd in missed))
    blind = [
        Line(
            line.item,
            items[line.item].weight_g or 0.0,
            items[line.item].weight_sd_g or 0.0,
            (BLIND_ODDS,) * line.quantity,
        )
        for line in order
    ]
    weighed = weigh(blind, net, SCALE_SD_G)
    low = {item for item, chances in weighed.present.items() if min(chances) <= card.missing}
    doubt = not weighed.fits or any(min(chances) < card.present for chances in weighed.present.values())
    alone = Result.FAIL if low else Result.UNSURE if doubt else Result.PASS
    return [*trials, Trial(lesson.group, change, "weight", str(alone), odd in low)]


def trials_told(trials: Sequence[Trial]) -> dict[str, Any]:
    """For each way of judging: what a complete box is stopped for, and what becomes of each change."""
    told: dict[str, Any] = {}
    for way in WAYS:
        mine = [trial for trial in trials if trial.way == way]
        groups = [trial.group for trial in mine]
        answer = np.array([trial.answer for trial in mine])
        change = np.array([trial.change for trial in mine])
        named = np.array([trial.named for trial in mine])
        told[way] = {
            "complete": {
                "passed": _rate(answer == "pass", groups, change == "complete"),
                "stopped": _rate(answer == "fail", groups, change == "complete"),
                "unsure": _rate(answer == "unsure", groups, change == "complete"),
            }
        }
        for wrong in CHANGES[1:]:
            told[way][wrong] = {
                "not_passed": _rate(answer != "pass", groups, change == wrong),
                "stopped": _rate(answer == "fail", groups, change == wrong),
                "named": _rate(named, groups, change == wrong),
            }
    return told


def drawn_weights(names: Iterable[str], rng: np.random.Generator) -> dict[str, float]:
    """Weights in grams of accessories: 5 to 300, most about 40."""
    return {name: float(np.clip(np.exp(rng.normal(np.log(40), 1.0)), 5, 300)) for name in names}


def _said(item: ItemSeen) -> str:
    return {"extra": "present"}.get(item.result, item.result)


def _verdict_right(row: Row) -> bool:
    """Whether present, missing or extra is what is true of this line."""
    wanted = "present" if row.truth == row.expected else "missing" if row.truth < row.expected else "extra"
    return row.seen.result == wanted


def _rate(hits: np.ndarray, groups: Sequence[str], among: np.ndarray | None = None) -> dict[str, Any]:
    rows = np.ones(len(hits), np.bool_) if among is None else among

    def share(chosen: Rows) -> float:
        kept = chosen[rows[chosen]]
        return float(hits[kept].mean()) if len(kept) else float("nan")

    figure = bootstrap(share, groups)
    return Figure(figure.value, figure.low, figure.high, int(rows.sum())).told()


def _auroc(scores: Sequence[float], there: np.ndarray, groups: Sequence[str]) -> dict[str, Any]:
    values: Array = np.asarray(scores, np.float64)
    return bootstrap(lambda chosen: auroc(values[chosen], there[chosen]), groups).told()
