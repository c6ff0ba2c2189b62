"""What a trained network answers to views it has not seen, and how good its boxes are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from inspector.detector import Detections, Placement, decode_boxes
from models.evaluation.metrics import Figure, Matched, bootstrap, box_ap, match
from models.training.cache import Shelf
from models.training.network import CLASSES, ParcelNet, Raw, boxes_of, evidence
from models.training.views import View

FLOOR = 0.02
NMS_IOU = 0.5
AS_IS = Placement(1.0, 0, 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the network said of one view. detections: boxes x, y, w, h on the canvas. damage: float16 (k, 40, 40).

    evidence: float32 (2k,), what the damage head is told of the map.  state: the tuned layer's logit of damage.
    """

    detections: Detections
    damage: npt.NDArray[np.float16]
    evidence: npt.NDArray[np.float32]
    state: float


@torch.inference_mode()
def answers(net: ParcelNet, shelf: Shelf, indices: Sequence[int], batch: int = 32) -> dict[int, Answer]:
    """The network's answers to some views of the shelf, from their cached features, by index."""
    net.eval()
    out: dict[int, Answer] = {}
    for start in range(0, len(indices), batch):
        part = list(indices[start : start + batch])
        p3, p4, _ = shelf.batch(part)
        out.update(zip(part, _told(net, net.heads(net.deepened(p3, p4))), strict=True))
    return out


def matched(
    views: Sequence[View], told: Sequence[Answer], name: str, *, at_least: float = 0.5, judged_only: bool = True
) -> list[Matched]:
    """Detections of one class against the truth, one entry a view. Views nobody judged for that class are left out."""
    index = CLASSES.index(name)
    out = []
    for view, answer in zip(views, told, strict=True):
        if judged_only and not view.judged[index]:
            continue
        found = answer.detections.of(index, FLOOR)
        boxes = np.concatenate([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], 1)
        mine = view.classes == index
        out.append(match(boxes, found.scores, found.rotations, view.boxes[mine], view.turns[mine], at_least))
    return out


def box_figure(views: Sequence[View], told: Sequence[Answer], name: str) -> Figure:
    """AP50 of a class with its interval over groups."""
    index = CLASSES.index(name)
    pairs = [(v, a) for v, a in zip(views, told, strict=True) if v.judged[index]]
    rows = matched([v for v, _ in pairs], [a for _, a in pairs], name)
    return bootstrap(lambda i: box_ap([rows[j] for j in i]), [v.group for v, _ in pairs], rounds=400)


def found_figure(views: Sequence[View], told: Sequence[Answer], at: float) -> Figure:
    """Share of the main parcels (one a view: its largest) that are found at a threshold."""
    pairs = [(v, a) for v, a in zip(views, told, strict=True) if (v.classes == CLASSES.index("parcel")).any()]
    found = np.array([_largest_found(v, a, at) for v, a in pairs], np.float64)
    return bootstrap(lambda i: float(found[i].mean()), [v.group for v, _ in pairs], rounds=400)


def _largest_found(view: View, answer: Answer, at: float) -> bool:
    parcel = CLASSES.index("parcel")
    boxes = view.boxes[view.classes == parcel]
    largest = boxes[[np.prod(boxes[:, 2:] - boxes[:, :2], axis=1).argmax()]]
    seen = answer.detections.of(parcel, at)
    corners = np.concatenate([seen.boxes[:, :2], seen.boxes[:, :2] + seen.boxes[:, 2:]], 1)
    return bool(match(corners, seen.scores, seen.rotations, largest, np.full(1, np.nan)).right.any())


def _told(net: ParcelNet, raw: Raw) -> Iterator[Answer]:
    boxes = boxes_of(raw.sides, net.points).numpy()
    scores, turns = raw.classes.sigmoid().numpy(), raw.turns.numpy()
    damage, told = raw.damage.sigmoid().half().numpy(), evidence(raw.damage).numpy()
    for b, s, t, d, e, state in zip(boxes, scores, turns, damage, told, raw.state.tolist(), strict=True):
        yield Answer(decode_boxes(b, s, t, AS_IS, floor=FLOOR, iou=NMS_IOU), d, e, state)
