"""Teaches neck and heads on cached features of the frozen trunk; stops and resumes anywhere."""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

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
    warm_up: int = 60
    decay: float = 0.02
    memory: float = 0.995
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        return self.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))


def build(seed: int) -> ParcelNet:
    """A network with ImageNet's trunk, frozen, and untrained heads."""
    torch.manual_seed(seed)
    net = ParcelNet(pretrained())
    net.backbone.requires_grad_(False)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs; twice as fast
    return net


def train(net: ParcelNet, shelf: Shelf, weights: npt.NDArray[np.float64], schedule: Schedule, out: Path) -> ParcelNet:
    """Trains neck, finding head and damage map in place of `net`, and returns their running average.

    weights: (n,) how often each view of the shelf is drawn, 0 for never. Progress goes to `out`/log.jsonl and a
    checkpoint to `out`/checkpoint.pt every 100 steps; a run that finds one goes on from there.
    """
    out.mkdir(parents=True, exist_ok=True)
    taught = {n: p for n, p in net.named_parameters() if p.requires_grad}
    optimiser = torch.optim.AdamW(_groups(taught, schedule.decay), lr=schedule.rate)
    average = copy.deepcopy(net).eval()
    first = _resume(out / "checkpoint.pt", net, average, optimiser)
    started = time.monotonic()
    net.train()
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        for step in range(first, schedule.steps):
            draw = np.random.default_rng([schedule.seed, step])
            indices = draw.choice(len(shelf.views), schedule.batch, p=weights / weights.sum())
            for group in optimiser.param_groups:
                group["lr"] = schedule.rate_at(step)
            features, targets = shelf.batch(indices.tolist())
            parts = loss(net.heads(features), targets, net.points)
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
    net.load_state_dict(_heads_only(state["average"]), strict=False)
    return net.eval()


def _groups(taught: dict[str, nn.Parameter], decay: float) -> list[dict[str, object]]:
    """Weight decay on weights of convolutions only."""
    heavy = [p for p in taught.values() if p.ndim > 1]
    light = [p for p in taught.values() if p.ndim <= 1]
    return [{"params": heavy, "weight_decay": decay}, {"params": light, "weight_decay": 0.0}]


@torch.no_grad()
def _follow(average: ParcelNet, net: ParcelNet, memory: float) -> None:
    """Moves the running average of everything that is trained one step towards the network."""
    theirs = dict(net.state_dict())
    for name, mine in average.state_dict().items():
        if name.startswith("backbone"):
            continue
        if mine.dtype.is_floating_point:
            mine.lerp_(theirs[name], 1 - memory)
        else:
            mine.copy_(theirs[name])


def _heads_only(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v for k, v in state.items() if not k.startswith(("backbone", "damage_logit"))}


def _keep(path: Path, step: int, net: ParcelNet, average: ParcelNet, optimiser: torch.optim.Optimizer) -> None:
    """Writes the checkpoint beside the old one, then swaps: a kill in between costs nothing."""
    fresh = path.with_suffix(".new")
    state = {"step": step, "net": _heads_only(net.state_dict()), "average": _heads_only(average.state_dict())}
    torch.save(state | {"optimiser": optimiser.state_dict()}, fresh)
    fresh.replace(path)


def _resume(path: Path, net: ParcelNet, average: ParcelNet, optimiser: torch.optim.Optimizer) -> int:
    """The step to go on from; 0 when there is no checkpoint."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    net.load_state_dict(_heads_only(state["net"]), strict=False)
    average.load_state_dict(_heads_only(state["average"]), strict=False)
    optimiser.load_state_dict(state["optimiser"])
    print(f"going on from step {state['step']} of {path}", flush=True)
    return int(state["step"])
