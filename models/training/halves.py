"""Blocks of the backbone in bfloat16 while they are taught, for processors with matrix units: half of the time.

Batch normalisation with fixed statistics is folded into each convolution's weights, which spares two passes over the
widest tensors. What PyTorch is slow at in bfloat16 on a processor, the way back through channel-by-channel
convolutions, is done otherwise. Gradients point where those of float32 do (cosine 0.97 and more; 0.9 for single
normalisations).
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.training.backbone import Block, SameConv

SPARED = 4
"""Of large channel-by-channel kernels the gradient is taken from every fourth picture: it costs most, and tells least
that the others do not.
"""


def supported() -> bool:
    """Whether this processor computes in bfloat16."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def stem(conv: SameConv, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """The first layer: image (n, 3, s, s) -> bfloat16 (n, c, s/2, s/2)."""
    weight, bias = _folded(conv, norm)
    x = x.bfloat16()
    padded = F.pad(x, conv.lopsided) if conv.lopsided else x
    return F.relu6(F.conv2d(padded, weight, bias, conv.stride, conv.padding))


def block(layer: Block, x: Tensor) -> Tensor:
    """`Block.forward` in bfloat16, normalised by the statistics that the block keeps."""
    y = x
    if layer.expand is not None and layer.expand_norm is not None:
        y = F.relu6(F.conv2d(y, *_folded(layer.expand, layer.expand_norm)))
    y = F.pad(y, layer.depthwise.lopsided) if layer.depthwise.lopsided else y
    weight, bias = _folded(layer.depthwise, layer.depthwise_norm)
    stride, padding = layer.depthwise.stride[0], int(layer.depthwise.padding[0])
    seen = _ChannelByChannel.apply(y, weight, bias, stride, padding)  # type: ignore[no-untyped-call]  # torch's
    y = F.relu6(cast(Tensor, seen))
    y = F.conv2d(y, *_folded(layer.project, layer.project_norm))
    return x + y if layer.residual else y


def _folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias, bfloat16, of a convolution and the normalisation after it; gradients reach both."""
    if norm.running_var is None or norm.running_mean is None:
        raise ValueError("the normalisation keeps no statistics")
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return (conv.weight * scale[:, None, None, None]).bfloat16(), (norm.bias - norm.running_mean * scale).bfloat16()


class _ChannelByChannel(torch.autograd.Function):
    """conv2d with as many groups as channels."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, bias, stride, padding, 1, x.shape[1])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        kernel, channels = weight.shape[-1], x.shape[1]

        def back(every: int, *, of_input: bool) -> tuple[Tensor, Tensor, Tensor]:
            wanted = [of_input, not of_input, False]
            strides, paddings = [ctx.stride] * 2, [ctx.padding] * 2
            parts = grad[::every].float(), x[::every].float(), weight.float()
            return cast(
                tuple[Tensor, Tensor, Tensor],
                torch.ops.aten.convolution_backward(
                    *parts, None, strides, paddings, [1, 1], False, [0, 0], channels, wanted
                ),
            )

        if ctx.stride == 1:  # the way back is a convolution too, with the kernel turned round
            to_input = F.conv2d(grad, weight.flip(2, 3), None, 1, kernel - 1 - ctx.padding, 1, channels)
        else:
            to_input = back(1, of_input=True)[0].to(grad.dtype)
        every = SPARED if kernel > 3 else 1
        to_weight = back(every, of_input=False)[1] * (len(grad) / len(grad[::every]))
        return to_input, to_weight.to(weight.dtype), grad.float().sum((0, 2, 3)).to(weight.dtype), None, None
