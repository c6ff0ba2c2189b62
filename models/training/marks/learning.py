"""What more drawings, parcels to lay them on and crops are worth: a reader's head taught with a part of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from inspector.spec import MARKS
from models.evaluation.metrics import Figure, average_precision, bootstrap
from models.training.marks.bank import Bank, smaller
from models.training.marks.curriculum import upright
from models.training.marks.lessons import lesson
from models.training.marks.networks import Reader, build
from models.training.marks.scenes import Ground
from models.training.marks.train import GLYPH_ART

CROPS, TESTED = 8000, 3000
EPOCHS, BATCH, RATE = 8, 64, 1e-3
PARTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


@dataclass(frozen=True, slots=True)
class Part:
    """What was taught. of: "drawings", "parcels" or "crops".  count: how many of it.  precision: average precision on
    unseen crops, mean over marks.
    """

    of: str
    count: int
    precision: Figure


@dataclass(frozen=True, slots=True)
class Crops:
    """Crops as ImageNet's layers see them, float16 (n, c, h, w), and what is true of them."""

    seen: Tensor
    says: Tensor
    asked: Tensor


def learning_curve(
    taught: Sequence[Ground],
    bank: Bank,
    unseen: Sequence[Ground],
    strange: Bank,
    seed: int,
    parts: Sequence[float] = PARTS,
    crops: int = CROPS,
) -> list[Part]:
    """Average precision of a head on ImageNet's layers, which stay as they are, on crops of a closer look: drawings of
    `strange` on parcels of `unseen`. It stands for the reader, which cannot be trained a dozen times on a CPU.

    Each time all else is whole: of fewer drawings or parcels as many crops are made.
    """
    body = build(seed).upright.eval()
    tested = _crops(body, unseen, smaller(strange, GLYPH_ART), seed + 1, min(crops, TESTED))
    everything = smaller(bank, GLYPH_ART)
    whole = _crops(body, taught, everything, seed, crops)
    order = np.random.default_rng(seed).permutation(len(taught))
    each = max(len(things) for kind, things in bank.things.items() if kind in MARKS)
    points = []
    for share in parts:
        few = [taught[i] for i in order[: max(1, round(share * len(taught)))]]
        less = round(share * crops)
        rows = (
            ("drawings", round(share * each), _crops(body, taught, _share(everything, share), seed, crops)),
            ("parcels", len({ground.group for ground in few}), _crops(body, few, everything, seed, crops)),
            ("crops", less, Crops(whole.seen[:less], whole.says[:less], whole.asked[:less])),
        )
        for of, count, shown in rows if share < 1 else [("all", crops, whole)]:
            points.append(Part(of, count, _precision(_taught(shown, seed, steps=crops * EPOCHS // BATCH), tested)))
            print(f"{of:8s} {count:5d}  {points[-1].precision}", flush=True)
    return points


def _share(bank: Bank, share: float) -> Bank:
    few = {kind: things[: max(1, round(share * len(things)))] for kind, things in bank.things.items()}
    return replace(bank, things=few)


@torch.inference_mode()
def _crops(body: Reader, places: Sequence[Ground], bank: Bank, seed: int, count: int) -> Crops:
    rng = np.random.default_rng(seed)
    marked = [place for place in places if place.told.any()]
    seen, says, asked = [], [], []
    for start in range(0, count, BATCH):
        glyphs = [upright(rng, bank, places, marked) for _ in range(min(BATCH, count - start))]
        told = lesson(glyphs)
        seen.append(body.features(told.images).half())
        says.append(told.says)
        asked.append(told.asked)
    return Crops(torch.cat(seen), torch.cat(says), torch.cat(asked))


def _taught(crops: Crops, seed: int, steps: int) -> nn.Module:
    """A head for the crops, after as many steps however few they are."""
    net = build(seed).upright
    head = nn.Sequential(net.gathered, net.says).train()
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        rows = torch.from_numpy(rng.integers(len(crops.seen), size=BATCH))
        says = head(crops.seen[rows].float())
        doubt = nn.functional.binary_cross_entropy_with_logits(says, crops.says[rows], reduction="none")
        optimiser.zero_grad(set_to_none=True)
        (doubt * crops.asked[rows]).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return head.eval()


@torch.inference_mode()
def _precision(head: nn.Module, tested: Crops) -> Figure:
    scores = torch.cat([head(part.float()) for part in torch.split(tested.seen, 256)]).double().numpy()
    asked = tested.asked.squeeze(1).numpy() > 0
    scores, truth = scores[asked], tested.says.numpy()[asked] > 0

    def mean(rows: npt.NDArray[np.int64]) -> float:
        return float(np.mean([average_precision(scores[rows, mark], truth[rows, mark]) for mark in range(len(MARKS))]))

    return bootstrap(mean, [str(row) for row in range(len(scores))], rounds=200)
