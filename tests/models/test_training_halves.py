"""What is taught in half precision is what is taught in full."""

# ruff: noqa: E402  # torch is an extra: nothing of training is imported before it is known to be there
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from torch import Tensor, nn

from models.training import halves
from models.training.backbone import Block, SameConv, norm


def settled(layer: nn.Module) -> nn.Module:
    """With statistics as after training, and normalisation fixed on them."""
    generator = torch.Generator().manual_seed(3)
    for part in layer.modules():
        if isinstance(part, nn.BatchNorm2d) and part.running_mean is not None and part.running_var is not None:
            part.running_mean.copy_(torch.randn(part.num_features, generator=generator) * 0.1)
            part.running_var.copy_(torch.rand(part.num_features, generator=generator) + 0.5)
    return layer.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def near(one: Tensor, other: Tensor, least: float) -> bool:
    """By the cosine of both as one vector, and by length."""
    a, b = one.float().flatten(), other.float().flatten()
    return bool(nn.functional.cosine_similarity(a, b, 0) > least) and bool(0.9 < b.norm() / a.norm() < 1.1)


@pytest.mark.parametrize(
    ("into", "out", "kernel", "stride"), [(24, 24, 3, 1), (24, 40, 5, 2), (40, 80, 3, 2), (112, 112, 5, 1)]
)
def test_a_block_answers_and_learns_as_in_full_precision(into: int, out: int, kernel: int, stride: int) -> None:
    torch.manual_seed(kernel + stride)
    layer = settled(Block(into, out, kernel, stride, 6))
    assert isinstance(layer, Block)
    # pictures that are alike, so that a quarter of them tells what all do
    x = torch.randn(1, into, 14, 14).repeat(8, 1, 1, 1).to(memory_format=torch.channels_last).requires_grad_()
    towards = torch.randn(1, out, 14 // stride, 14 // stride)
    grads = []
    answers = []
    for way in (layer, lambda x: halves.block(layer, x.bfloat16()).float()):
        answer = way(x)
        (answer * towards).mean().backward()
        answers.append(answer.detach())
        grads.append([x.grad, *(p.grad for p in layer.parameters())])
        x.grad = None
        layer.zero_grad(set_to_none=True)
    assert near(answers[0], answers[1], 0.999)
    assert all(near(full, half, 0.97) for full, half in zip(*grads, strict=True) if full is not None)


def test_the_stem_answers_as_in_full_precision() -> None:
    torch.manual_seed(1)
    conv, after = SameConv(3, 32, 3, 2), norm(32)
    settled(nn.Sequential(conv, after))
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    assert near(nn.functional.relu6(after(conv(x))), halves.stem(conv, after, x), 0.999)


def test_a_normalisation_without_statistics_is_refused() -> None:
    layer = Block(24, 24, 3, 1, 6)
    layer.project_norm = nn.BatchNorm2d(24, track_running_stats=False)
    with pytest.raises(ValueError, match="keeps no statistics"):
        halves.block(layer, torch.rand(1, 24, 4, 4).bfloat16())
