"""Teaches finder and reader together on scenes that are composed beside it; stops and resumes anywhere."""

from __future__ import annotations

import copy
import json
import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from inspector.detector import place, to_input
from inspector.markreader import candidates, squares_around
from models.cards import FinderCard
from models.training.data import Floats
from models.training.marks.bank import Bank
from models.training.marks.lessons import Lesson, Search, crops, finder_batch, lesson, search, together
from models.training.marks.networks import FINDER_SIDE, Finder, Read, Reader, Sought
from models.training.marks.scenes import Ground, Scene, compose

Weights = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast. fresh: new scenes a step. scenes: of which the reader gets crops; those that are not fresh
    were seen before, a short while ago. searched: on how many of them the finder looks.
    """

    steps: int
    fresh: int = 3
    scenes: int = 8
    searched: int = 4
    kept: int = 400
    rate: float = 3e-3
    warm_up: int = 50
    memory: float = 0.995
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0: warm up, then fall along a cosine."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        return self.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))


@dataclass(frozen=True, slots=True)
class Pair:
    """The two networks."""

    finder: Finder
    reader: Reader

    @property
    def all(self) -> nn.ModuleList:
        """Both as one module, for optimiser and checkpoint."""
        return nn.ModuleList([self.finder, self.reader])


def train(pair: Pair, places: Sequence[Ground], weights: Weights, bank: Bank, schedule: Schedule, out: Path) -> Pair:
    """Trains the pair in place and returns its running average. weights: (n,), how often each ground is drawn.

    Progress goes to `out`/log.jsonl and a checkpoint to `out`/checkpoint.pt every 100 steps; a run that finds one goes
    on from there.
    """
    out.mkdir(parents=True, exist_ok=True)
    net, average = pair.all, copy.deepcopy(pair.all).eval()
    optimiser = torch.optim.AdamW(_groups(pair), lr=schedule.rate, weight_decay=0.02)
    first = _resume(out / "checkpoint.pt", net, average, optimiser)
    pool: deque[tuple[Search, Lesson]] = deque(maxlen=schedule.kept)
    fresh = composed(places, weights, bank, schedule.seed + first)
    started = time.process_time()
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        for step in range(first, schedule.steps):
            rng = np.random.default_rng([schedule.seed, step])
            for group in optimiser.param_groups:
                group["lr"] = schedule.rate_at(step) * group["share"]
            for _ in range(schedule.fresh if pool else 4 * schedule.scenes):
                pool.append(_asked(next(fresh), average, rng))
            newest = range(len(pool) - schedule.fresh, len(pool))
            chosen = [*newest, *rng.integers(len(pool), size=schedule.scenes - schedule.fresh).tolist()]
            parts = _step(net, optimiser, [pool[i] for i in chosen], schedule.searched)
            _follow(average, net, min(schedule.memory, (1 + step) / (10 + step)))
            log.write(json.dumps({"step": step} | parts) + "\n")
            log.flush()
            if (step + 1) % 100 == 0 or step + 1 == schedule.steps:
                _keep(out / "checkpoint.pt", step + 1, net, average, optimiser)
                spent = time.process_time() - started
                print(f"{out.name}: step {step + 1} of {schedule.steps}, {spent:.0f} s of CPU, {parts}", flush=True)
    return Pair(average[0], average[1])  # type: ignore[arg-type]  # a ModuleList forgets what it holds


def trained(pair: Pair, folder: Path) -> Pair:
    """The running average of a run's networks, from its checkpoint into this pair. FileNotFoundError without one."""
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    pair.all.load_state_dict(state["average"])
    return pair


def _groups(pair: Pair) -> list[dict[str, object]]:
    """What was learnt on ImageNet is changed more slowly than what starts from nothing."""
    slow = list(pair.reader.taught.parameters())
    known = {id(p) for p in slow}
    fast = [p for p in pair.all.parameters() if p.requires_grad and id(p) not in known]
    return [{"params": slow, "share": 0.3}, {"params": fast, "share": 1.0}]


def _asked(scene: Scene, average: nn.ModuleList, rng: np.random.Generator) -> tuple[Search, Lesson]:
    """A scene as both networks are asked about it; the finder's own proposals are among what the reader is shown."""
    one = search(scene)
    with torch.no_grad():
        sought = average[0](torch.from_numpy(to_input(one.canvas)).to(memory_format=torch.channels_last))
    return one, lesson(crops(scene, rng, _proposals(sought, scene)), average[1])  # type: ignore[arg-type]


def _step(
    net: nn.ModuleList, optimiser: torch.optim.Optimizer, batch: Sequence[tuple[Search, Lesson]], searched: int
) -> dict[str, float]:
    """One step of both networks, which share nothing but the scenes."""
    finder, reader = net[0].train(), net[1].train()
    images, heat, weight, spans, taught = finder_batch([one for one, _ in batch[:searched]])
    sought: Sought = finder(images.to(memory_format=torch.channels_last))
    parts = finder_loss(sought, heat, weight, spans, taught)
    told = together([one for _, one in batch])
    parts |= reader_loss(reader.late(told.seen), told)  # type: ignore[operator]  # a ModuleList forgets what it holds
    optimiser.zero_grad(set_to_none=True)
    torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call]
    for one in (finder, reader):
        nn.utils.clip_grad_norm_([p for p in one.parameters() if p.requires_grad], 5.0)
    optimiser.step()
    return {name: round(value.item(), 4) for name, value in parts.items()}


def finder_loss(sought: Sought, heat: Tensor, weight: Tensor, spans: Tensor, taught: Tensor) -> dict[str, Tensor]:
    """CornerNet's focal loss on the hills, smooth L1 on the spans."""
    log_p, log_q = nn.functional.logsigmoid(sought.heat), nn.functional.logsigmoid(-sought.heat)
    p = sought.heat.sigmoid()
    top = (heat > 0.999).float()
    gain = top * (1 - p) ** 2 * log_p + (1 - top) * (1 - heat) ** 4 * p**2 * log_q
    tops = top.sum().clamp(min=1)
    off = nn.functional.smooth_l1_loss(sought.spans, spans, reduction="none", beta=0.2) * taught
    return {"heat": -(gain * weight).sum() / tops, "places": 0.5 * off.sum() / taught.sum().clamp(min=1)}


def reader_loss(seen: Read, told: Lesson) -> dict[str, Tensor]:
    """Cross entropy of what the crop says, smooth L1 on where it is, squared error of its turn."""
    doubt = nn.functional.binary_cross_entropy_with_logits(seen.says, told.says * 0.98 + 0.004, reduction="none")
    shown = told.says.max(dim=1, keepdim=True).values * told.asked
    off = nn.functional.smooth_l1_loss(seen.spans, told.spans, reduction="none", beta=0.1) * shown
    turned = (~told.turns.isnan().any(dim=1, keepdim=True)).float() * shown
    miss = (seen.turns - told.turns.nan_to_num()) ** 2 * turned
    return {
        "says": (doubt * told.asked).sum() / told.asked.sum().clamp(min=1),
        "spans": 1.5 * off.sum() / shown.sum().clamp(min=1),
        "turns": miss.sum() / turned.sum().clamp(min=1),
    }


def _proposals(sought: Sought, scene: Scene) -> Floats:
    """What the finder would ask the reader about, as squares of the scene."""
    found = candidates(
        sought.heat[0].numpy(), sought.spans[0].numpy(), FinderCard(file="", side=FINDER_SIDE, found=0.05, most=8)
    )
    _, placement = place(scene.pixels, FINDER_SIDE)
    return squares_around(placement.to_picture(found))


def composed(places: Sequence[Ground], weights: Weights, bank: Bank, seed: int) -> Iterator[Scene]:
    """Scenes without end, made in a process of its own that stops with this one."""
    context = get_context("fork")
    queue = context.Queue(maxsize=32)
    worker = context.Process(target=_compose, args=(queue, places, weights, bank, seed), daemon=True)
    worker.start()
    while True:
        yield queue.get()


def _compose(queue, places, weights, bank, seed) -> None:  # type: ignore[no-untyped-def]  # a process's target
    rng = np.random.default_rng(seed)
    shares = weights / weights.sum()
    while True:
        queue.put(compose(rng, places[int(rng.choice(len(places), p=shares))], bank))


def _follow(average: nn.Module, net: nn.Module, share: float) -> None:
    """Moves the running average on: `share` of what it was, the rest from the network."""
    with torch.no_grad():
        for kept, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.lerp_(new, 1 - share)
            else:
                kept.copy_(new)


def _keep(path: Path, step: int, net: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    state = {
        "step": step,
        "net": net.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def _resume(path: Path, net: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Takes up a checkpoint where there is one; returns the step to go on with."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])
