"""What the network is taught: which points answer for which box, and how wrong each answer is."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from models.training.network import FIRST_MARK, Raw, boxes_of

TOP_K = 10
CLASS_POWER, OVERLAP_POWER = 0.5, 4.0


class Target(NamedTuple):
    """What is true of one view.

    boxes: float32 (m, 4) xyxy in input pixels.  classes: int64 (m,).
    turns: float32 (m,) clockwise degrees from upright, NaN where unknown or meaningless.
    judged: bool (c,), False where nobody looked for that class, so that its absence means nothing.
    damage: float32 (k, h, w) share of each cell that is damaged, or None where it is unknown.
    damaged: whether the parcel looked at is damaged, or None where nobody can say.
    """

    boxes: Tensor
    classes: Tensor
    turns: Tensor
    judged: Tensor
    damage: Tensor | None
    damaged: bool | None = None


class Assignment(NamedTuple):
    """For one view: the points that answer (p,), the box each answers for (p,), and how well aligned it is (p,)."""

    points: Tensor
    boxes: Tensor
    quality: Tensor


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of every pair: xyxy (n, 4), (m, 4) -> (n, m)."""
    low, high = torch.maximum(a[:, None, :2], b[None, :, :2]), torch.minimum(a[:, None, 2:], b[None, :, 2:])
    both = (high - low).clamp_min(0).prod(2)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(1), (b[:, 2:] - b[:, :2]).prod(1)
    return both / (area_a[:, None] + area_b[None] - both).clamp_min(1e-9)


def generalised_overlap(a: Tensor, b: Tensor) -> Tensor:
    """Generalised IoU (arXiv:1902.09630) of matching rows: xyxy (n, 4), (n, 4) -> (n,) in (-1, 1]."""
    both = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp_min(0).prod(1)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).clamp_min(0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - both
    return both / union.clamp_min(1e-9) - (hull - union) / hull.clamp_min(1e-9)


@torch.no_grad()
def assign(scores: Tensor, boxes: Tensor, points: Tensor, target: Target) -> Assignment:
    """Task-aligned assignment (TOOD, arXiv:2108.07755): the points inside a box that classify and place it best.

    scores (a, c) probabilities, boxes (a, 4), points (a, 2). A box too small to hold a point gets the nearest one.
    A point claimed twice answers for the box it overlaps most.
    """
    if len(target.boxes) == 0:
        empty = torch.zeros(0, dtype=torch.long)
        return Assignment(empty, empty, torch.zeros(0))
    x, y = points[:, 0, None], points[:, 1, None]
    x1, y1, x2, y2 = target.boxes.T
    inside = (x > x1) & (x < x2) & (y > y1) & (y < y2)  # (a, m)
    centres = (target.boxes[:, :2] + target.boxes[:, 2:]) / 2
    nearest = torch.cdist(points, centres).argmin(0)
    inside[nearest, torch.arange(len(nearest))] = True
    ious = overlap(boxes, target.boxes)
    aligned = scores[:, target.classes] ** CLASS_POWER * ious.clamp_min(1e-3) ** OVERLAP_POWER * inside
    best = aligned.topk(min(TOP_K, len(points)), dim=0).indices
    chosen = torch.zeros_like(inside).scatter_(0, best, True) & inside
    claimed = chosen.any(1).nonzero().squeeze(1)
    owner = torch.where(chosen, ious, -1.0)[claimed].argmax(1)
    value = aligned[claimed, owner]
    strongest = torch.zeros(len(centres)).scatter_reduce_(0, owner, value, "amax")
    reach = torch.zeros(len(centres)).scatter_reduce_(0, owner, ious[claimed, owner], "amax")
    quality = value / strongest[owner].clamp_min(1e-9) * reach[owner].clamp_min(0.1)
    return Assignment(claimed, owner, quality)


def loss(raw: Raw, targets: list[Target], points: Tensor) -> dict[str, Tensor]:
    """Raw answers to n views and what is true of them -> named scalars; their sum is what training lowers."""
    boxes = boxes_of(raw.sides, points)
    wanted = torch.zeros_like(raw.classes)
    judged = torch.stack([t.judged for t in targets]).to(raw.classes.dtype)
    places, turns, weights = [], [], []
    for i, target in enumerate(targets):
        found = assign(raw.classes[i].sigmoid(), boxes[i], points, target)
        classes = target.classes[found.boxes]
        wanted[i, found.points, classes] = found.quality
        places.append((1 - generalised_overlap(boxes[i, found.points], target.boxes[found.boxes])) * found.quality)
        weights.append(found.quality)
        degrees = target.turns[found.boxes]
        known = ~degrees.isnan() & (classes >= FIRST_MARK)
        turns.append(turn_loss(raw.turns[i, found.points[known]], degrees[known]) * found.quality[known])
    total = torch.cat(weights).sum().clamp_min(1.0)
    return {
        "classes": (quality_focal(raw.classes, wanted) * judged[:, None]).sum() / total,
        "places": 2.0 * torch.cat(places).sum() / total,
        "turns": 0.5 * torch.cat(turns).sum() / total,
        "damage": damage_loss(raw.damage, targets),
        "state": state_loss(raw.state, targets),
    }


def quality_focal(logits: Tensor, wanted: Tensor) -> Tensor:
    """Quality focal loss (arXiv:2006.04388), elementwise: easy points count little; wanted in [0, 1]."""
    gap = (wanted - logits.sigmoid()).abs()
    return F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * gap**2


def turn_loss(turns: Tensor, degrees: Tensor) -> Tensor:
    """How far a turn points from the truth, 1 - cos of the gap: (p, 2) sin and cos, (p,) degrees -> (p,) in [0, 2]."""
    radians = torch.deg2rad(degrees)
    truth = torch.stack([radians.sin(), radians.cos()], 1)
    return 1 - (F.normalize(turns, dim=1) * truth).sum(1)


def state_loss(logits: Tensor, targets: list[Target]) -> Tensor:
    """Cross-entropy over the views that are known to show damage or none: (n,) -> scalar."""
    known = [i for i, t in enumerate(targets) if t.damaged is not None]
    if not known:
        return logits.sum() * 0
    truth = torch.tensor([float(bool(targets[i].damaged)) for i in known])
    return F.binary_cross_entropy_with_logits(logits[known], truth)


def damage_loss(logits: Tensor, targets: list[Target]) -> Tensor:
    """Cross-entropy plus soft Dice over the views whose damage is known: (n, k, h, w) -> scalar.

    Dice is taken per kind over the whole batch, and only for kinds that the batch shows: most views lack most kinds.
    """
    known = [i for i, t in enumerate(targets) if t.damage is not None]
    if not known:
        return logits.sum() * 0
    truth = torch.stack([t.damage for t in targets if t.damage is not None])
    seen = logits[known]
    cross = F.binary_cross_entropy_with_logits(seen, truth)
    p = seen.sigmoid()
    both, either = (p * truth).sum((0, 2, 3)), (p + truth).sum((0, 2, 3))
    present = truth.sum((0, 2, 3)) > 0
    dice = (1 - 2 * both / either.clamp_min(1e-6))[present]
    return 5 * cross + (dice.mean() if len(dice) else 0 * cross)
