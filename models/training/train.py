"""Teaches the late blocks, neck and heads on cached features of the early blocks; stops and resumes anywhere."""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.training.backbone import pretrained
from models.training.cache import Shelf
from models.training.losses import loss
from models.training.network import ParcelNet


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast. steps of `batch` views; the rate warms up, then falls along a cosine."""

    steps: int
    batch: int = 16
    rate: float = 2e-3
    late_rate: float = 1e-4
    state_rate: float = 2e-5
    warm_up: int = 60
    decay: float = 0.02
    memory: float = 0.995
    seed: int = 0

    def share_at(self, step: int) -> float:
        """Share of the full learning rate of a step, counted from 0."""
        if step < self.warm_up:
            return (step + 1) / self.warm_up
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / self.steps))


def build(seed: int) -> ParcelNet:
    """A network with ImageNet's trunk, of which only the late blocks may change, and untrained heads."""
    torch.manual_seed(seed)
    net = ParcelNet(pretrained())
    net.backbone.requires_grad_(False)
    for weight in net.backbone.late_parameters():
        weight.requires_grad_(True)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs; twice as fast
    return net


def train(net: ParcelNet, shelf: Shelf, weights: npt.NDArray[np.float64], schedule: Schedule, out: Path) -> ParcelNet:
    """Trains neck, finding head and damage map in place of `net`, and returns their running average.

    weights: (n,) how often each view of the shelf is drawn, 0 for never. Progress goes to `out`/log.jsonl and a
    checkpoint to `out`/checkpoint.pt every 100 steps; a run that finds one goes on from there.
    """
    out.mkdir(parents=True, exist_ok=True)
    taught = {n: p for n, p in net.named_parameters() if p.requires_grad}
    optimiser = torch.optim.AdamW(_groups(taught, schedule))
    full = [float(group["lr"]) for group in optimiser.param_groups]
    average = copy.deepcopy(net).eval()
    first = _resume(out / "checkpoint.pt", net, average, optimiser)
    started = time.monotonic()
    net.train()
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        for step in range(first, schedule.steps):
            draw = np.random.default_rng([schedule.seed, step])
            indices = draw.choice(len(shelf.views), schedule.batch, p=weights / weights.sum())
            for group, rate in zip(optimiser.param_groups, full, strict=True):
                group["lr"] = rate * schedule.share_at(step)
            p3, p4, targets = shelf.batch(indices.tolist())
            parts = loss(net.heads(net.deepened(p3, p4)), targets, net.points)
            optimiser.zero_grad(set_to_none=True)
            torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(list(taught.values()), 10.0)
            optimiser.step()
            _follow(average, net, min(schedule.memory, (1 + step) / (10 + step)))
            log.write(json.dumps({"step": step} | {k: round(v.item(), 4) for k, v in parts.items()}) + "\n")
            if (step + 1) % 100 == 0 or step + 1 == schedule.steps:
                log.flush()
                _keep(out / "checkpoint.pt", step + 1, net, average, optimiser)
                pace = (time.monotonic() - started) / (step + 1 - first)
                shown = "  ".join(f"{k} {v.item():.3f}" for k, v in parts.items())
                print(f"step {step + 1}/{schedule.steps}  {shown}  {pace:.2f} s/step", flush=True)
    return average


def trained(out: Path, seed: int) -> ParcelNet:
    """The running average that a finished or unfinished run has reached. FileNotFoundError when it has not begun."""
    net = build(seed)
    state = torch.load(out / "checkpoint.pt", weights_only=True)
    net.load_state_dict(state["average"], strict=False)
    return net.eval()


def take_over(net: ParcelNet, checkpoint: Path) -> bool:
    """All that an earlier run has learnt, as far as the network is the same; not its optimiser.

    Tells whether the state's layer was among it; the first version had none.
    """
    average = torch.load(checkpoint, weights_only=True)["average"]
    net.load_state_dict(average, strict=False)
    return "state.weight" in average


def _groups(taught: dict[str, nn.Parameter], schedule: Schedule) -> list[dict[str, Any]]:
    """What was learnt before (late blocks, the state's layer) changes slowly and is not pulled to zero.

    Of the rest, weight decay on weights of convolutions only.
    """
    late = [p for n, p in taught.items() if n.startswith("backbone.")]
    state = [p for n, p in taught.items() if n.startswith("state.")]
    rest = [p for n, p in taught.items() if not n.startswith(("backbone.", "state."))]
    return [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": schedule.decay, "lr": schedule.rate},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0, "lr": schedule.rate},
        {"params": late, "weight_decay": 0.0, "lr": schedule.late_rate},
        {"params": state, "weight_decay": 0.0, "lr": schedule.state_rate},
    ]


@torch.no_grad()
def _follow(average: ParcelNet, net: ParcelNet, memory: float) -> None:
    """Moves the running average of everything that is trained one step towards the network."""
    theirs = _changing(net)
    for name, mine in _changing(average).items():
        if mine.dtype.is_floating_point:
            mine.lerp_(theirs[name], 1 - memory)
        else:
            mine.copy_(theirs[name])


def _changing(net: ParcelNet) -> dict[str, Tensor]:
    """Everything that training changes: all but the early blocks and the trunk's batch statistics."""
    late = {f"backbone.{n}" for n, p in net.backbone.named_parameters() if p.requires_grad}
    return {n: v for n, v in net.state_dict().items() if n in late or not n.startswith("backbone.")}


def _keep(path: Path, step: int, net: ParcelNet, average: ParcelNet, optimiser: torch.optim.Optimizer) -> None:
    """Writes the checkpoint beside the old one, then swaps: a kill in between costs nothing."""
    fresh = path.with_suffix(".new")
    state = {"step": step, "net": _changing(net), "average": _changing(average)}
    torch.save(state | {"optimiser": optimiser.state_dict()}, fresh)
    fresh.replace(path)


def _resume(path: Path, net: ParcelNet, average: ParcelNet, optimiser: torch.optim.Optimizer) -> int:
    """The step to go on from; 0 when there is no checkpoint."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"], strict=False)
    average.load_state_dict(state["average"], strict=False)
    optimiser.load_state_dict(state["optimiser"])
    print(f"going on from step {state['step']} of {path}", flush=True)
    return int(state["step"])
