"""Honest fakes around the bench: an eye that says what the test wrote, a clock that moves when told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from inspector.frame import Frame, Pixels
from inspector.spec import Check, PackingSpec, Stage
from inspector.verdict import (
    CheckResult,
    Fault,
    Finding,
    ItemSeen,
    MarkSeen,
    ModelRef,
    Parcel,
    Result,
    Verdict,
    combine,
)
from station.bench import Bench, World
from station.camera import Shot
from station.orders import Order, OrderError
from station.record import Picture, picture_of

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class Clock:
    """Wall and steady time in one; nothing moves but by `pass_by`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class WrittenEye:
    """Judges by what the test wrote; combines the checks by the real rule."""

    results: dict[Check, Result] = field(default_factory=dict)
    findings: dict[Check, tuple[Finding, ...]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    items: tuple[ItemSeen, ...] = ()
    seen: list[tuple[str, ...]] = field(default_factory=list)

    weights: list[float | None] = field(default_factory=list)
    looks: dict[str, Pixels] = field(default_factory=dict)
    models: tuple[ModelRef, ...] = (ModelRef("parcel", "9.9.9", "0" * 64),)

    def shown(self, verdict: Verdict) -> dict[str, Pixels]:
        return self.looks

    def inspect(self, frames: Sequence[Frame], spec: PackingSpec, weight_g: float | None = None) -> Verdict:
        self.seen.append(tuple(frame.name for frame in frames))
        self.weights.append(weight_g)
        stages = {frame.stage for frame in frames}
        checks = [self._check(check, stages) for check in Check]
        decision, reasons = combine(checks, spec, self.faults)
        parcels = tuple(Parcel((10, 10, 40, 30), 0.9, i) for i, _ in enumerate(frames))
        return Verdict(decision, reasons, {c.check: c for c in checks}, parcels, quality=self.faults, weight_g=weight_g)

    def _check(self, check: Check, stages: set[Stage]) -> CheckResult:
        wanted = Stage.OPEN if check is Check.CONTENTS else Stage.SEALED
        default = Result.PASS if wanted in stages else Result.SKIPPED
        result = self.results.get(check, default) if wanted in stages else default
        marks = (MarkSeen("fragile", 0.9, (15, 15, 5, 5), 0.0),) if check is Check.MARKS else ()
        items = self.items if check is Check.CONTENTS else ()
        return CheckResult(check, result, findings=self.findings.get(check, ()), marks=marks, items=items)


TORN = Finding("tear", 0.5, 0.9, (12, 12, 8, 8), "torn on the left side")


def torn() -> WrittenEye:
    return WrittenEye({Check.INTEGRITY: Result.FAIL}, {Check.INTEGRITY: (TORN,)})


class Kept:
    """A keeper in memory that can be told to fail."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, str]] = []
        self.pictures: dict[str, list[str]] = {}
        self.failure: Exception | None = None

    def add(self, inspection: str, body: str, pictures: Sequence[tuple[str, bytes]], at: datetime) -> None:
        if self.failure:
            raise self.failure
        self.entries.append(("inspection", inspection, body))
        self.pictures[inspection] = [name for name, _ in pictures]

    def add_override(self, inspection: str, body: str, at: datetime) -> None:
        if self.failure:
            raise self.failure
        self.entries.append(("override", inspection, body))


class AnyPin:
    """An approver whose PIN is always right."""

    def check(self, *, operator: str, approver: str, pin: str) -> None: ...


def picture(shade: int = 128, width: int = 64, height: int = 48) -> Pixels:
    pixels = np.full((max(height, 64), max(width, 64), 3), shade, np.uint8)
    pixels[10:40, 10:40] = (0, 0, 255)
    return pixels


def shot(seq: int = 1, shade: int = 128) -> Shot:
    return Shot(seq, picture(shade), "camera", START, 0.0)


def take(stage: Stage) -> Picture:
    return picture_of(shot(), stage, "top")


def finder(orders: Mapping[str, PackingSpec]) -> Callable[[str], Order]:
    def find(order: str) -> Order:
        if order not in orders:
            raise OrderError("unknown", f"Order {order} is not known.")
        return Order(order, orders[order], revision=3)

    return find


def bench(
    eye: WrittenEye | None = None,
    keeper: Kept | None = None,
    orders: Mapping[str, PackingSpec] | None = None,
    **changes: object,
) -> Bench:
    """A bench that knows the order A1 (nothing asked) unless told otherwise."""
    ids = (f"id-{n}" for n in itertools.count(1))
    world: dict[str, object] = {
        "eye": eye or WrittenEye(),
        "keeper": keeper or Kept(),
        "approver": AnyPin(),
        "find": finder(orders if orders is not None else {"A1": PackingSpec()}),
        "clock": Clock(),
        "new_id": lambda: next(ids),
    }
    return Bench(World(**{**world, **changes}), station="bench-1", operator="li")  # type: ignore[arg-type]
