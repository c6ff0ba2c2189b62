"""Two small networks: the finder looks at a whole parcel, the reader at one crop of it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from inspector.spec import MARKS
from models.training.backbone import Backbone, pretrained

FINDER_SIDE, STRIDE = 320, 8
READER_SIDE = 64
KNOWN, LAST = 3, 8
"""Blocks of the trunk that are not taught, and after which the reader leaves it: at stride 16."""


class Sought(NamedTuple):
    """What the finder says of n pictures on a grid of stride 8.

    heat: (n, 1, h, w), probability that the middle of a mark lies in this cell, when not training only where it is
    greatest of its neighbours. spans: (n, 4, h, w), the middle's offset from the cell's own in cells, and logarithms
    of width and height in cells.
    """

    heat: Tensor
    spans: Tensor


class Read(NamedTuple):
    """What the reader says of n crops.

    says: (n, 7), probability that the crop shows this mark, well framed (logits in training). spans: (n, 4), the mark's
    middle as an offset from the crop's in shares of its side, and logarithms of its width and height in such shares.
    turns: (n, 2), sine and cosine of the clockwise turn from upright.
    """

    says: Tensor
    spans: Tensor
    turns: Tensor


class Finder(nn.Module):
    """Image (n, 3, s, s) in [-1, 1] -> `Sought`, heat as logits while training."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(_conv(3, 16, 2), _conv(16, 24, 2), _conv(24, 48, 2), Residual(48))
        self.middle = nn.Sequential(_conv(48, 80, 2), Residual(80))
        self.coarse = nn.Sequential(_conv(80, 112, 2), Residual(112))
        self.from_coarse, self.from_middle = nn.Conv2d(112, 80, 1), nn.Conv2d(80, 48, 1)
        self.joined = _conv(48, 48, 1)
        self.heat, self.spans = nn.Conv2d(48, 1, 1), nn.Conv2d(48, 4, 1)
        nn.init.constant_(_bias(self.heat), -4.0)

    def forward(self, image: Tensor) -> Sought:
        """See the class."""
        fine = self.fine(image)
        middle = self.middle(fine)
        middle = middle + _twice(self.from_coarse(self.coarse(middle)))
        seen = self.joined(fine + _twice(self.from_middle(middle)))
        heat = self.heat(seen)
        if self.training:
            return Sought(heat, self.spans(seen))
        heat = heat.sigmoid()
        crest = nn.functional.max_pool2d(heat, 3, 1, 1)
        return Sought(heat * (heat == crest).to(heat.dtype), self.spans(seen))


class Reader(nn.Module):
    """Crops (n, 3, 64, 64) in [-1, 1] -> `Read`.

    The first eight blocks of EfficientNet-Lite0 with their ImageNet weights, and one hidden layer. What edges and
    corners are (`early`) is known already and stays; what they mean here (`late`) is taught.
    """

    def __init__(self, trunk: Backbone) -> None:
        super().__init__()
        self.stem, self.stem_norm = trunk.stem, trunk.stem_norm
        self.known, self.taught = trunk.blocks[:KNOWN], trunk.blocks[KNOWN:LAST]
        self.hidden = nn.Sequential(nn.Flatten(), nn.Dropout(0.15), nn.Linear(80 * 16, 192), nn.ReLU(inplace=True))
        self.says, self.spans, self.turns = nn.Linear(192, len(MARKS)), nn.Linear(192, 4), nn.Linear(192, 2)
        for part in (self.stem, self.stem_norm, self.known):
            part.requires_grad_(requires_grad=False)

    def early(self, crops: Tensor) -> Tensor:
        """Crops -> (n, 24, 16, 16), the same in every epoch, so that it need not be computed twice."""
        seen = nn.functional.relu6(self.stem_norm(self.stem(crops)))
        for block in self.known:
            seen = block(seen)
        return seen

    def late(self, seen: Tensor) -> Read:
        """What `early` told -> `Read`."""
        for block in self.taught:
            seen = block(seen)
        seen = self.hidden(seen)
        says = self.says(seen)
        return Read(says if self.training else says.sigmoid(), self.spans(seen), self.turns(seen))

    def forward(self, crops: Tensor) -> Read:
        """See the class."""
        return self.late(self.early(crops))

    def train(self, mode: bool = True) -> Reader:  # noqa: FBT001  # the signature is torch's
        """The trunk's batch statistics stay ImageNet's."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


class Residual(nn.Module):
    """x + conv(x), followed by its nonlinearity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = _conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Tensor (n, c, h, w) -> the same shape."""
        seen: Tensor = self.body(x)
        return x + seen


def _conv(into: int, out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(into, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out, momentum=0.05), nn.ReLU(inplace=True)
    )


def _twice(x: Tensor) -> Tensor:
    return nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")


def _bias(layer: nn.Conv2d) -> Tensor:
    if layer.bias is None:
        raise ValueError("the layer has no bias")
    return layer.bias


def build(seed: int) -> tuple[Finder, Reader]:
    """Both networks, untaught, laid out as convolutions like it best."""
    torch.manual_seed(seed)
    finder, reader = Finder(), Reader(pretrained())
    for net in (finder, reader):
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    return finder, reader
