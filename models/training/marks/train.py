"""Teaches the four networks on what is made beside it in a process of its own; stops and resumes anywhere."""

from __future__ import annotations

import copy
import json
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from inspector.frame import Pixels
from inspector.markreader import MarkReader, cut, squares_around
from models.training.halves import supported
from models.training.marks.bank import Bank, smaller
from models.training.marks.curriculum import WIDE, crop, strip, upright, wide
from models.training.marks.glimpses import Glimpse, glimpses
from models.training.marks.glyphs import TALL, Glyph, View, crops, no_marks
from models.training.marks.judge import Torch, as_they_are, draft
from models.training.marks.lessons import Lesson, Search, finder_batch, lesson, search
from models.training.marks.networks import READER_SIDE, Finder, Networks, Read, Reader, Sought, fitted
from models.training.marks.scenes import Ground, Scene, compose, teaching

Weights = npt.NDArray[np.float64]
Losses = dict[str, Tensor]
Made = TypeVar("Made")
FALLEN_FOR = 0.2
"""Probability from which on the reader's mistake is worth more lessons."""
FROM_SCENES = 0.15
"""How often, when it is not in the middle of a scene, the reader is shown the prints of a whole composed scene."""
GLYPH_ART = 200
"""Pixels a side of drawings that are only shown in crops."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast; the rate warms up, then falls along a cosine. batch: scenes or crops a step.

    fresh: how many of a batch are new; the others were seen a short while ago, among `kept`.
    """

    steps: int
    batch: int
    fresh: int
    kept: int
    rate: float = 2e-3
    warm_up: int = 50
    memory: float = 0.995
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        return self.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / self.steps))))


def train_finder(
    finder: Finder, places: Sequence[Ground], weights: Weights, bank: Bank, schedule: Schedule, out: Path
) -> Finder:
    """Trains the finder in place on composed scenes; returns its running average. weights: (n,), how often each place
    is drawn.
    """
    shares = weights / weights.sum()

    def make(rng: np.random.Generator) -> Search:
        return search(compose(rng, places[int(rng.choice(len(places), p=shares))], bank))

    def losses(batch: Sequence[Search]) -> Losses:
        images, *truth = finder_batch(batch)
        sought = finder(images.to(memory_format=torch.channels_last))
        return finder_loss(Sought(*(part.float() for part in sought)), *truth)

    return _teach(finder, make, losses, schedule, out)


def _scenes(places: Sequence[Ground], weights: Weights, bank: Bank, seed: Sequence[int], count: int) -> Iterator[Scene]:
    """Every parcel that may teach as it is, then so many composed scenes."""
    yield from (scene for scene, _ in as_they_are(teaching(places, weights)))
    shares, rng = weights / weights.sum(), np.random.default_rng(seed)
    for _ in range(count):
        yield compose(rng, places[int(rng.choice(len(places), p=shares))], bank)


def stumbles_of(
    finder: Finder,
    reader: Reader,
    places: Sequence[Ground],
    weights: Weights,
    bank: Bank,
    seed: int,
    scenes: int = 2500,
) -> list[Pixels]:
    """Crops of what the finder takes for marks and is none, in composed scenes and on parcels as they are.

    Those come first, and three times, that the reader falls for, too.
    """
    both = MarkReader(Torch(finder), Torch(reader), draft("draft", {}))
    crops: list[Pixels] = []
    for scene in _scenes(places, weights, bank, [seed, 7], scenes):
        found = both.propose(scene.pixels, scene.whole).boxes
        bare = found[no_marks(scene, squares_around(found))]
        if not len(bare):
            continue
        squares = squares_around(bare)
        says = both.look(scene.pixels, squares).says.max(axis=1)
        for square, score in zip(squares, says, strict=True):
            crops += [cut(scene.pixels, square, 0.0, READER_SIDE)] * (3 if score > FALLEN_FOR else 1)
    return crops


def train_reader(
    reader: Reader,
    places: Sequence[Ground],
    weights: Weights,
    bank: Bank,
    schedule: Schedule,
    out: Path,
    stumbles: Sequence[Pixels] = (),
) -> Reader:
    """Trains the reader in place on crops; returns its running average. Places of weight 0 teach nothing.

    stumbles: see `stumbles_of`.
    """
    small = smaller(bank, GLYPH_ART)
    used, marked = teaching(places, weights), marked_of(places, weights)
    shares = weights / weights.sum()
    waiting: list[Glyph] = []

    def make(rng: np.random.Generator) -> Glyph:
        if not waiting and rng.random() < FROM_SCENES:
            scene = compose(rng, places[int(rng.choice(len(places), p=shares))], bank)
            waiting.extend(crops(rng, scene, View.FIRST))
        return waiting.pop() if waiting else crop(rng, small, used, marked, stumbles)

    return _teach(reader, make, _reading(reader), schedule, out)


def marked_of(places: Sequence[Ground], weights: Weights) -> list[Ground]:
    """Those that have marks of their own. Of a render's marks every style is drawn as often as wanted; of real photos
    there are few, so they come more often.
    """
    marked = [place for place in teaching(places, weights) if place.told.any()]
    photos = [place for place in marked if place.source == "photos"]
    return marked + photos * (len(marked) // max(1, 2 * len(photos)))


def first_glimpses(
    finder: Finder,
    reader: Reader,
    places: Sequence[Ground],
    weights: Weights,
    bank: Bank,
    seed: int,
    scenes: int = 6000,
) -> list[Glimpse]:
    """What the reader takes for marks at the first look, in composed scenes and on parcels as they are."""
    eye = MarkReader(Torch(finder), Torch(reader), draft("draft", {}))
    told: list[Glimpse] = []
    for scene in _scenes(places, weights, bank, [seed, 9], scenes):
        _, look = eye.glance(scene.pixels, eye.propose(scene.pixels, scene.whole))
        told += glimpses(scene, look, look.squares())
    return told


def train_upright(
    reader: Reader,
    places: Sequence[Ground],
    weights: Weights,
    bank: Bank,
    schedule: Schedule,
    out: Path,
    seen: Sequence[Glimpse] = (),
) -> Reader:
    """Trains the upright reader in place; returns its running average. seen: see `first_glimpses`."""
    small = smaller(bank, GLYPH_ART)
    used, marked = teaching(places, weights), marked_of(places, weights)
    return _teach(reader, lambda rng: upright(rng, small, used, marked, seen), _reading(reader), schedule, out)


def wide_glimpses(
    nets: Networks,
    places: Sequence[Ground],
    weights: Weights,
    bank: Bank,
    seed: int,
    scenes: int = 2000,
) -> list[Glimpse]:
    """What the upright reader takes for something wide in composed scenes and on parcels as they are."""
    eye = MarkReader(Torch(nets.finder), Torch(nets.reader), draft("draft", {}), upright=Torch(nets.upright))
    told: list[Glimpse] = []
    for scene in _scenes(places, weights, bank, [seed, 8], scenes):
        look = eye.closer(scene.pixels, eye.propose(scene.pixels, scene.whole))[-1]
        look = look.only(look.wide(WIDE))
        told += glimpses(scene, look, look.strips(TALL))
    return told


def train_strips(
    strips: Reader,
    places: Sequence[Ground],
    weights: Weights,
    bank: Bank,
    schedule: Schedule,
    out: Path,
    seen: Sequence[Glimpse] = (),
) -> Reader:
    """Trains the strip reader in place; returns its running average. seen: see `wide_glimpses`."""
    drawings = wide(smaller(bank, GLYPH_ART))
    used = teaching(places, weights)
    return _teach(strips, lambda rng: strip(rng, drawings, used, seen), _reading(strips), schedule, out)


Net = TypeVar("Net", Finder, Reader)


def _reading(reader: Reader) -> Callable[[Sequence[Glyph]], Losses]:
    def losses(batch: Sequence[Glyph]) -> Losses:
        told = lesson(batch)
        read = reader(told.images.to(memory_format=torch.channels_last))
        return reader_loss(Read(*(part.float() for part in read)), told)

    return losses


def _teach(
    net: Net,
    make: Callable[[np.random.Generator], Made],
    losses: Callable[[Sequence[Made]], Losses],
    schedule: Schedule,
    out: Path,
) -> Net:
    """The loop of all. Progress goes to `out`/log.jsonl and a checkpoint to `out`/checkpoint.pt every 100 steps; a run
    that finds one goes on from there.
    """
    out.mkdir(parents=True, exist_ok=True)
    average = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=schedule.rate, weight_decay=0.02)
    first = _resume(out / "checkpoint.pt", net, average, optimiser)
    made = _beside(make, [schedule.seed, first])
    pool: deque[Made] = deque(maxlen=schedule.kept)
    started = time.process_time()
    # Plain convolutions gain half of the time by it; the reader has its own way.
    quick = isinstance(net, Finder) and supported()
    net.train()
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        for step in range(first, schedule.steps):
            for group in optimiser.param_groups:
                group["lr"] = schedule.rate_at(step)
            pool.extend(next(made) for _ in range(schedule.fresh if pool else schedule.batch))
            rng = np.random.default_rng([schedule.seed, step])
            again = rng.integers(len(pool), size=schedule.batch - schedule.fresh)
            batch = [pool[-1 - i] for i in range(schedule.fresh)] + [pool[int(i)] for i in again]
            with torch.autocast("cpu", torch.bfloat16, enabled=quick):
                parts = losses(batch)
            optimiser.zero_grad(set_to_none=True)
            torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            _follow(average, net, min(schedule.memory, (1 + step) / (10 + step)))
            log.write(json.dumps({"step": step} | {k: round(v.item(), 4) for k, v in parts.items()}) + "\n")
            log.flush()
            if (step + 1) % 100 == 0 or step + 1 == schedule.steps:
                _keep(out / "checkpoint.pt", step + 1, net, average, optimiser)
                spent = time.process_time() - started
                print(f"{out.name}: step {step + 1} of {schedule.steps}, {spent:.0f} s of CPU", flush=True)
    return average


def trained(net: Net, folder: Path) -> Net:
    """The running average of a run, from its checkpoint into this network. FileNotFoundError without one."""
    net.load_state_dict(torch.load(folder / "checkpoint.pt", weights_only=True)["average"])
    return net.eval()


def taken_over(net: Net, checkpoint: Path) -> Net:
    """What a checkpoint has learnt, into this network; a reader's crops may have been of another size."""
    state = torch.load(checkpoint, weights_only=True)["average"]
    net.load_state_dict(fitted(state, net) if isinstance(net, Reader) else state)
    return net


def finder_loss(sought: Sought, heat: Tensor, weight: Tensor, spans: Tensor, taught: Tensor) -> Losses:
    """CornerNet's focal loss on the hills, smooth L1 on the spans."""
    log_p, log_q = nn.functional.logsigmoid(sought.heat), nn.functional.logsigmoid(-sought.heat)
    p = sought.heat.sigmoid()
    top = (heat > 0.999).float()
    gain = top * (1 - p) ** 2 * log_p + (1 - top) * (1 - heat) ** 4 * p**2 * log_q
    tops = top.sum().clamp(min=1)
    off = nn.functional.smooth_l1_loss(sought.spans, spans, reduction="none", beta=0.2) * taught
    return {"heat": -(gain * weight).sum() / tops, "places": off.sum() / taught.sum().clamp(min=1)}


def reader_loss(seen: Read, told: Lesson) -> Losses:
    """Cross entropy of what the crop says, smooth L1 on where it is, squared error of its turn.

    Which mark it is, given that it is one, is asked once more by itself (`which`): seven rare yeses alone teach slowly.
    """
    doubt = nn.functional.binary_cross_entropy_with_logits(seen.says, told.says * 0.98 + 0.004, reduction="none")
    shown = told.says.max(dim=1, keepdim=True).values * told.asked
    share = told.says / told.says.sum(dim=1, keepdim=True).clamp(min=1)
    which = -(nn.functional.log_softmax(seen.says, dim=1) * share * told.asked).sum() / shown.sum().clamp(min=1)
    known = told.spans.isfinite()
    off = nn.functional.smooth_l1_loss(
        seen.spans, told.spans.where(known, seen.spans.detach()), reduction="none", beta=0.1
    )
    off = off * shown
    miss = (seen.turns - told.turns.nan_to_num()) ** 2 * shown
    return {
        "says": (doubt * told.asked).sum() / told.asked.sum().clamp(min=1),
        "which": 0.5 * which,
        "spans": off.sum() / shown.sum().clamp(min=1),
        "turns": 0.5 * miss.sum() / shown.sum().clamp(min=1),
    }


def _beside(make: Callable[[np.random.Generator], Made], seed: Sequence[int], ahead: int = 256) -> Iterator[Made]:
    """What `make` makes, without end, in a process of its own that stops with this one."""
    context = get_context("fork")
    queue: Any = context.Queue(maxsize=ahead)

    def work() -> None:
        rng = np.random.default_rng(seed)
        while True:
            queue.put(make(rng))

    context.Process(target=work, daemon=True).start()
    while True:
        yield queue.get()


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
    if state["optimiser"] is not None:  # a run may start from the networks of another
        optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])
