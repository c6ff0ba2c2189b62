"""The embedder in torch: the ImageNet trunk, two levels of it on one grid, and two projections learnt on top."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.training.backbone import LEVEL_CHANNELS, TAPS, Backbone, pretrained

LEVELS = (1, 2)
"""Strides 16 and 32. Measured on crops that may teach: stride 8 and the ImageNet top add nothing to these two."""
WIDTH = 128
"""Numbers of a description."""
DIM = sum(LEVEL_CHANNELS[i] for i in LEVELS)


class EmbedderNet(nn.Module):
    """Image float32 (n, 3, h, w) in [-1, 1], sides multiples of 32 -> scene and item, each (n, 128, h/16, w/16).

    A cell describes what lies there; the mean of any set of cells, scaled to length 1, describes them. `scene` is for
    pictures of things among others, `item` for things cut out; the two can be compared with each other.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, trunk: Backbone) -> None:
        super().__init__()
        self.stem, self.stem_norm, self.blocks = trunk.stem, trunk.stem_norm, trunk.blocks
        self.register_buffer("shift", torch.zeros(1, DIM, 1, 1))
        self.register_buffer("scale", torch.ones(1, DIM, 1, 1))
        self.scene = nn.Conv2d(DIM, WIDTH, 1, bias=False)
        self.item = nn.Conv2d(DIM, WIDTH, 1, bias=False)

    def raw(self, x: Tensor) -> Tensor:
        """The map before centring."""
        x = F.relu6(self.stem_norm(self.stem(x)))
        levels = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in TAPS:
                levels.append(x)
        fine, coarse = (levels[i] for i in LEVELS)
        return torch.cat([fine, F.interpolate(coarse, scale_factor=2.0, mode="bilinear")], 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        cells = self.centred(x)
        return self.scene(cells), self.item(cells)

    def centred(self, x: Tensor) -> Tensor:
        """The map (n, 432, h/16, w/16) that the two projections read."""
        return (self.raw(x) - self.shift) * self.scale

    @torch.no_grad()
    def project(self, scene: Tensor, item: Tensor) -> None:
        """Sets the projections, each (432, 128): see `models.training.embedder.head`."""
        self.scene.weight.copy_(scene.T[..., None, None])
        self.item.weight.copy_(item.T[..., None, None])

    @torch.no_grad()
    def centre(self, pictures: Iterable[Tensor]) -> None:
        """Sets shift and scale so that over these pictures (batches as for `forward`) the mean of a picture's map is
        zero in each channel and its length within each level is 1 on average.
        """
        means = torch.cat([self.raw(batch).mean((2, 3)) for batch in pictures])
        shift = means.mean(0)
        self.shift = shift[None, :, None, None]
        widths = [LEVEL_CHANNELS[i] for i in LEVELS]
        lengths = [(part.norm(dim=1).mean()) for part in torch.split(means - shift, widths, dim=1)]
        scale = torch.cat(
            [torch.full((width,), 1 / float(length)) for width, length in zip(widths, lengths, strict=True)]
        )
        self.scale = scale[None, :, None, None]


def frozen() -> EmbedderNet:
    """The embedder with ImageNet weights, not centred yet."""
    return EmbedderNet(pretrained()).eval()


def as_tensor(pixels: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]) -> Tensor:
    """Pictures uint8 (h, w, 3) BGR of one size -> float32 (n, 3, h, w) in [-1, 1]."""
    stacked = np.stack(pixels)[..., ::-1].transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(stacked, np.float32) / 127.5 - 1)
