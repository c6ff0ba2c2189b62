"""Two small networks: the finder looks at a whole parcel, the reader at one crop of it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from inspector.spec import MARKS

FINDER_SIDE, STRIDE = 320, 8
READER_SIDE = 64


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

    says: (n, 7), probability that the crop shows this mark, well framed and about upright (logits in training).
    spans: (n, 4), the mark's middle as an offset from the crop's in shares of its side, and logarithms of its width and
    height in such shares. turns: (n, 2), sine and cosine of the clockwise turn from upright.
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
        self.heat, self.spans = nn.Conv2d(48, 1, 1), nn.Sequential(_conv(48, 48, 1), nn.Conv2d(48, 4, 1))
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
    """Crops (n, 3, 64, 64) in [-1, 1] -> `Read`, says as logits while training."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            _conv(3, 16, 2),
            _conv(16, 32, 2),
            Residual(32),
            _conv(32, 64, 2),
            Residual(64),
            Residual(64),
            _conv(64, 96, 2),
            Residual(96),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(96 * 16, 160),
            nn.ReLU(inplace=True),
        )
        self.says, self.spans, self.turns = nn.Linear(160, len(MARKS)), nn.Linear(160, 4), nn.Linear(160, 2)
        nn.init.constant_(self.says.bias, -2.5)

    def forward(self, crops: Tensor) -> Read:
        """See the class."""
        seen = self.trunk(crops)
        says = self.says(seen)
        return Read(says if self.training else says.sigmoid(), self.spans(seen), self.turns(seen))


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
    finder, reader = Finder(), Reader()
    for net in (finder, reader):
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    return finder, reader
