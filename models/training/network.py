"""The parcel network: one backbone, a light pyramid, a head that finds things and a head that judges damage."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.training.backbone import LEVEL_CHANNELS, TOP_CHANNELS, Backbone

SIDE = 320
STRIDES = (8, 16, 32)
WIDTH = 96
POOLED = 2 * TOP_CHANNELS + 3 * LEVEL_CHANNELS[1]
CLASSES = (
    "parcel",
    "shipping_label",
    "fragile",
    "this_way_up",
    "keep_dry",
    "handle_with_care",
    "do_not_stack",
    "lithium_battery",
    "keep_away_from_sun",
    "other_mark",
)
FIRST_MARK = 2
DAMAGE_KINDS = ("crush", "dent", "tear", "open_flap", "wet", "dirty")
EVIDENCE = 2 * len(DAMAGE_KINDS) + 3
FAINTEST = 1e-3
"""What the damage map says below this probability makes no difference to the evidence."""


class Features(NamedTuple):
    """What the backbone gives the heads: three levels and the pooled vector."""

    p3: Tensor
    p4: Tensor
    p5: Tensor
    pooled: Tensor


class Raw(NamedTuple):
    """What the trained part gives the losses, before anything is decoded.

    classes: logits (n, a, c).  sides: distances in pixels from the point to left, top, right, bottom (n, a, 4).
    turns: (sin, cos), not normalised (n, a, 2).  damage: logits per kind (n, k, s/8, s/8).
    state: logit that the parcel is damaged at all (n,); it teaches the late blocks, and is what `head.npz` starts from.
    """

    classes: Tensor
    sides: Tensor
    turns: Tensor
    damage: Tensor
    state: Tensor


class Seen(NamedTuple):
    """The outputs of the exported graph; card.json names them in this order.

    boxes (n, a, 4) xyxy in input pixels; scores (n, a, c) and damage_map (n, k, s/8, s/8) probabilities;
    rotations (n, a, 2) unit (sin, cos) of the clockwise turn from upright.
    features (n, 2896 + 2k + 3): the pooled description and the map's evidence, for the damage head outside
    the graph, so that a bench can have a head of its own on the same network.
    """

    boxes: Tensor
    scores: Tensor
    rotations: Tensor
    damage_map: Tensor
    features: Tensor


def pool(p4: Tensor, top: Tensor) -> Tensor:
    """Multi-level description of the whole input: (n, 112, h, w), (n, 1280, h/2, w/2) -> (n, 2896).

    Mean and maximum of the top; mean, maximum and standard deviation of the stride-16 level. Frozen ImageNet features
    pooled in this way and a linear classifier are the baseline that every damage head here has to beat.
    """
    middle = p4.flatten(2)
    mean = middle.mean(2)
    spread = ((middle - mean[..., None]) ** 2).mean(2).sqrt()
    return torch.cat([top.mean((2, 3)), top.amax((2, 3)), mean, middle.amax(2), spread], 1)


def evidence(damage: Tensor) -> Tensor:
    """What the damage map says of the whole parcel: logits (n, k, h, w) -> (n, 2k + 3).

    Per kind, and of whatever kind is likeliest: the highest mean of 3 x 3 cells, so that one noisy cell says little,
    and the mean of all cells; of the likeliest kind the highest mean of 7 x 7 cells too. As log odds and logarithm:
    from 1 % to 5 % is news, from 91 % to 95 % is not.
    """
    likely = damage.sigmoid()
    anything = likely.amax(1, keepdim=True)
    places = [F.avg_pool2d(p, cells, 1).amax((2, 3)) for p, cells in ((likely, 3), (anything, 3), (anything, 7))]
    found = [((p + FAINTEST) / (1 - p + FAINTEST)).log() for p in places]
    return torch.cat([*found, *((p.mean((2, 3)) + FAINTEST).log() for p in (likely, anything))], 1)


def separable(channels_in: int, channels_out: int, kernel: int = 5, stride: int = 1) -> nn.Sequential:
    """Depthwise, then pointwise, each normalised: (n, channels_in, h, w) -> (n, channels_out, h/stride, w/stride)."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_in, kernel, stride, kernel // 2, groups=channels_in, bias=False),
        nn.BatchNorm2d(channels_in),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_in, channels_out, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class Neck(nn.Module):
    """Path aggregation (PANet, arXiv:1803.01534): top down, then bottom up, in separable convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral = nn.ModuleList([nn.Conv2d(c, WIDTH, 1) for c in LEVEL_CHANNELS])
        self.down = nn.ModuleList([separable(WIDTH, WIDTH) for _ in range(2)])
        self.shrink = nn.ModuleList([separable(WIDTH, WIDTH, 3, stride=2) for _ in range(2)])
        self.up = nn.ModuleList([separable(WIDTH, WIDTH) for _ in range(2)])

    def forward(self, p3: Tensor, p4: Tensor, p5: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Levels of the backbone -> the same three sizes with 96 channels each."""
        p3, p4, p5 = (layer(p) for layer, p in zip(self.lateral, (p3, p4, p5), strict=True))
        p4 = self.down[0](p4 + F.interpolate(p5, scale_factor=2.0, mode="nearest"))
        p3 = self.down[1](p3 + F.interpolate(p4, scale_factor=2.0, mode="nearest"))
        p4 = self.up[0](p4 + self.shrink[0](p3))
        p5 = self.up[1](p5 + self.shrink[1](p4))
        return p3, p4, p5


class FindingHead(nn.Module):
    """Anchor-free, decoupled: what it is on one tower, where it is and how it is turned on another."""

    def __init__(self) -> None:
        super().__init__()
        self.what = nn.ModuleList([nn.Sequential(separable(WIDTH, WIDTH), separable(WIDTH, WIDTH)) for _ in STRIDES])
        self.where = nn.ModuleList([nn.Sequential(separable(WIDTH, WIDTH), separable(WIDTH, WIDTH)) for _ in STRIDES])
        self.classes = nn.ModuleList([nn.Conv2d(WIDTH, len(CLASSES), 1) for _ in STRIDES])
        self.shape = nn.ModuleList([nn.Conv2d(WIDTH, 4 + 2, 1) for _ in STRIDES])
        for layer in self.classes:
            nn.init.constant_(layer.bias, -4.6)  # type: ignore[arg-type]  # at first everything is 1 % likely
        for layer in self.shape:
            nn.init.constant_(layer.bias[:4], 3.0)  # type: ignore[index]  # about three strides to each side

    def forward(self, levels: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Three levels (n, 96, h, w) -> class logits (n, a, c), sides in pixels (n, a, 4), turns (n, a, 2)."""
        classes, sides, turns = [], [], []
        for i, (p, stride) in enumerate(zip(levels, STRIDES, strict=True)):
            classes.append(self.classes[i](self.what[i](p)).flatten(2).transpose(1, 2))
            shape = self.shape[i](self.where[i](p)).flatten(2).transpose(1, 2)
            sides.append(F.softplus(shape[..., :4]) * stride)
            turns.append(shape[..., 4:])
        return torch.cat(classes, 1), torch.cat(sides, 1), torch.cat(turns, 1)


class ParcelNet(nn.Module):
    """Looks twice with the same weights: at the whole frame for parcels, labels and marks; at a parcel for damage."""

    points: Tensor

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = Neck()
        self.finding = FindingHead()
        self.damage_map = nn.Sequential(separable(WIDTH, WIDTH), nn.Conv2d(WIDTH, len(DAMAGE_KINDS), 1))
        nn.init.constant_(self.damage_map[1].bias, -3.0)  # type: ignore[arg-type]  # most of a parcel is sound
        self.state = nn.Linear(POOLED, 1)
        self.register_buffer("points", points(SIDE), persistent=False)

    def features(self, image: Tensor) -> Features:
        """Image float32 (n, 3, 320, 320) RGB in [-1, 1] -> levels and pooled vector."""
        return self.deepened(*self.backbone.early(image))

    def deepened(self, p3: Tensor, p4: Tensor) -> Features:
        """The cached levels -> all levels and the pooled vector, through the late blocks as they are now."""
        p5, top = self.backbone.late(p4)
        return Features(p3, p4, p5, pool(p4, top))

    def heads(self, features: Features) -> Raw:
        """Everything that the losses ask for."""
        levels = self.neck(features.p3, features.p4, features.p5)
        classes, sides, turns = self.finding(levels)
        return Raw(classes, sides, turns, self.damage_map(levels[0]), self.state(features.pooled).squeeze(1))

    def forward(self, image: Tensor) -> Seen:
        """Image float32 (n, 3, 320, 320) RGB in [-1, 1] -> the outputs of the exported graph."""
        features = self.features(image)
        raw = self.heads(features)
        length = (raw.turns**2).sum(-1, keepdim=True).clamp_min(1e-12).sqrt()
        return Seen(
            boxes=boxes_of(raw.sides, self.points),
            scores=raw.classes.sigmoid(),
            rotations=raw.turns / length,
            damage_map=raw.damage.sigmoid(),
            features=torch.cat([features.pooled, evidence(raw.damage)], 1),
        )


def points(side: int) -> Tensor:
    """Centres of all cells of all levels, in pixels of the input: float32 (a, 2), x then y."""
    grids = []
    for stride in STRIDES:
        centres = (torch.arange(side // stride, dtype=torch.float32) + 0.5) * stride
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        grids.append(torch.stack([x.flatten(), y.flatten()], 1))
    return torch.cat(grids)


def boxes_of(sides: Tensor, points: Tensor) -> Tensor:
    """Distances (..., a, 4) from points (a, 2) -> boxes xyxy (..., a, 4)."""
    return torch.cat([points - sides[..., :2], points + sides[..., 2:]], -1)
