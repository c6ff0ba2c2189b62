"""Four small networks: the finder looks at a whole parcel, the reader at a crop, two more at what was set upright."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from inspector.spec import MARKS
from models.training import halves
from models.training.backbone import BLOCKS, Backbone, Block, pretrained

FINDER_SIDE, STRIDE = 320, 8
CELL, GATHERED = 16, 96
"""Pixels a side of what the reader sees as one, and in how many numbers."""
READER_SIDE = 112
"""Pixels of a crop: HANDLE WITH CARE on one line has five a letter then."""
STRIP = 192, 64
"""Width and height of a strip: the middle third of a larger crop, for as much work. HANDLE WITH CARE has 9 a letter."""


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

    says: (n, 7), probability that the crop shows this mark, turned anyhow (logits in training).
    spans: (n, 4), the mark's middle as an offset from the crop's in shares of its side, and logarithms of its width and
    height in such shares, measured along its own axes. turns: (n, 2), sine and cosine of the clockwise turn from
    upright.
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
        self.whole = nn.Sequential(_conv(112, 128, 2), Residual(128))  # a mark may be as large as the parcel
        self.from_whole, self.from_coarse = nn.Conv2d(128, 112, 1), nn.Conv2d(112, 80, 1)
        self.from_middle = nn.Conv2d(80, 48, 1)
        self.joined = _conv(48, 48, 1)
        self.heat, self.spans = nn.Conv2d(48, 1, 1), nn.Sequential(_conv(48, 48, 1), nn.Conv2d(48, 4, 1))
        nn.init.constant_(_bias(self.heat), -4.0)

    def forward(self, image: Tensor) -> Sought:
        """See the class."""
        fine = self.fine(image)
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        coarse = coarse + _twice(self.from_whole(self.whole(coarse)))
        middle = middle + _twice(self.from_coarse(coarse))
        seen = self.joined(fine + _twice(self.from_middle(middle)))
        heat = self.heat(seen)
        if self.training:
            return Sought(heat, self.spans(seen))
        heat = heat.sigmoid()
        crest = nn.functional.max_pool2d(heat, 3, 1, 1)
        return Sought(heat * (heat == crest).to(heat.dtype), self.spans(seen))


class Reader(nn.Module):
    """Crops (n, 3, h, w) in [-1, 1] -> `Read`, says as logits while training. size: w and h.

    The first eleven blocks of EfficientNet-Lite0, which have seen ImageNet: after as many steps, half as many marks are
    read wrong as by convolutions that start from nothing. Its first layers, the dearest to train, stay as they are.
    """

    LAST, KEPT = 10, 3

    def __init__(self, backbone: Backbone, size: tuple[int, int] = (READER_SIDE, READER_SIDE)) -> None:
        super().__init__()
        self.columns, self.rows = (side // CELL for side in size)
        self.stem, self.stem_norm = backbone.stem, backbone.stem_norm
        self.blocks = nn.ModuleList(list(backbone.blocks)[: self.LAST + 1])
        for layer in (self.stem, self.stem_norm, *self.blocks[: self.KEPT]):
            layer.requires_grad_(requires_grad=False)
        channels = BLOCKS[self.LAST][1]
        self.gathered = nn.Sequential(
            nn.Conv2d(channels, GATHERED, 1, bias=False),
            nn.BatchNorm2d(GATHERED),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(GATHERED * self.rows * self.columns, 192),
            nn.ReLU(inplace=True),
        )
        self.says, self.spans, self.turns = nn.Linear(192, len(MARKS)), nn.Linear(192, 4), nn.Linear(192, 2)
        nn.init.constant_(self.says.bias, -2.5)

    def forward(self, crops: Tensor) -> Read:
        """See the class."""
        seen = self.gathered(self._quickly(crops) if self.training and halves.supported() else self.features(crops))
        says = self.says(seen)
        return Read(says if self.training else says.sigmoid(), self.spans(seen), self.turns(seen))

    def features(self, crops: Tensor) -> Tensor:
        """What the blocks make of crops: (n, 112, h / 16, w / 16)."""
        seen = nn.functional.relu6(self.stem_norm(self.stem(crops)))
        for block in self.blocks:
            seen = block(seen)
        return seen

    def _quickly(self, crops: Tensor) -> Tensor:
        """The same in half precision."""
        seen = halves.stem(self.stem, self.stem_norm, crops)
        for block in self.blocks:
            seen = halves.block(cast(Block, block), seen)
        return seen.float()

    def train(self, mode: bool = True) -> Reader:  # noqa: FBT001  # the signature is torch's
        """The batch statistics of the blocks stay those of ImageNet."""
        super().train(mode)
        for layer in (self.stem_norm, *self.blocks.modules()):
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
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


def fitted(state: dict[str, Tensor], net: Reader) -> dict[str, Tensor]:
    """Weights of a reader of crops of another size, for this one: what it looks for is spread over the new grid.

    A strip is the middle of a crop, and takes what was looked for there.
    """
    weight = state["gathered.5.weight"]
    was = round((weight.shape[1] / GATHERED) ** 0.5)
    if weight.shape == net.state_dict()["gathered.5.weight"].shape:
        return state
    seen = weight.float().reshape(-1, GATHERED, was, was)
    side = net.columns
    spread = nn.functional.interpolate(seen, (side, side), mode="bilinear", align_corners=True) * (was / side) ** 2
    above = (side - net.rows) // 2
    return state | {"gathered.5.weight": spread[:, :, above : above + net.rows].reshape(len(weight), -1)}


class Networks(NamedTuple):
    """The four of one run, of marks untaught at first."""

    finder: Finder
    reader: Reader
    upright: Reader
    strips: Reader


def build(seed: int) -> Networks:
    """All networks, laid out as convolutions like it best."""
    torch.manual_seed(seed)
    nets = Networks(Finder(), Reader(pretrained()), Reader(pretrained()), Reader(pretrained(), STRIP))
    for net in nets:
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    return nets
