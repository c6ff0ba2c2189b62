"""Shadows: they judge after the answer, write down what they say, and never reach what matters."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector.frame import Frame
from inspector.shadow import MOST_BYTES, MOST_PARCELS, Eye, Judged, Shadows
from inspector.spec import Check, PackingSpec
from inspector.verdict import CheckResult, Finding, ModelRef, Result, Verdict, combine, skipped
from models.registry import Registry
from models.shadows import ShadowRecord, ShadowTally
from tests.models import fakes

REF = "parcel/1.0.0+a"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
TORN = Finding("tear", 0.6, 0.9, (1, 2, 3, 4), "torn on the left side")


def said(result: Result) -> Verdict:
    findings = (TORN,) if result is Result.FAIL else ()
    checks = [
        CheckResult(Check.INTEGRITY, result, 0.9 if findings else 0.1, 0.5, findings),
        *(skipped(check, "not asked") for check in Check if check is not Check.INTEGRITY),
    ]
    decision, reasons = combine(checks, PackingSpec(), ())
    refs = (ModelRef("embedder", "0.1.0", "e" * 64), ModelRef("parcel", "1.0.0", "p" * 64))
    return Verdict(decision, reasons, {check.check: check for check in checks}, (), models=refs)


@dataclass
class Strict:
    """A shadow that holds everything, when it is let."""

    may: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[int, PackingSpec, float | None]] = field(default_factory=list)
    failure: Exception | None = None

    def inspect(self, frames: Sequence[Frame], spec: PackingSpec, weight_g: float | None = None) -> Verdict:
        assert self.may.wait(30)
        self.asked.append((len(frames), spec, weight_g))
        if self.failure:
            raise self.failure
        return said(Result.FAIL)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    shipped = tmp_path / "package"
    fakes.folder(shipped, "1.0.0", comparison=None)
    made = Registry(tmp_path / "site", shipped=shipped, defaults={"parcel": "1.0.0"})
    made.add(fakes.files("1.0.0+a"), fakes.card("1.0.0+a"))
    made.validate(REF, lambda _: None)
    made.start_shadow(REF)
    return made


@pytest.fixture
def strict() -> Strict:
    return Strict()


def cast(registry: Registry, load: Callable[[str], Eye]) -> Shadows:
    return Shadows(registry, load, lambda: NOW)


def when(opened: threading.Event, shadow: Strict) -> Callable[[str], Eye]:
    def load(_: str) -> Eye:
        assert opened.wait(30)
        return shadow

    return load


def parcel(n: int = 0, *, side: int = 64) -> Judged:
    shot = Frame(np.broadcast_to(np.uint8(128), (side, side, 3)), "a.jpg")
    return Judged(
        (shot,), PackingSpec(), said(Result.PASS), by="bench-1", inspection=f"i{n}", order=f"A{n}", weight_g=412.0
    )


def lines(registry: Registry) -> list[dict[str, Any]]:
    text = ShadowRecord.of(registry.site, REF).path.read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def tally(registry: Registry) -> ShadowTally:
    return ShadowRecord.of(registry.site, REF).tally()


def test_both_answers_are_written_down(registry: Registry, strict: Strict) -> None:
    shadows = cast(registry, lambda _: strict)
    strict.may.set()
    shadows.offer(parcel(7))
    shadows.close()
    (line,) = lines(registry)
    assert (line["at"], line["by"], line["inspection"], line["order"]) == (NOW.isoformat(), "bench-1", "i7", "A7")
    assert line["beside"] == "parcel/1.0.0"
    assert (line["active"]["verdict"], line["shadow"]["verdict"]) == ("release", "hold")
    assert line["active"]["checks"]["integrity"]["result"] == "pass"
    assert line["shadow"]["checks"]["integrity"]["findings"], "the whole answer of the shadow is kept"
    assert strict.asked == [(1, PackingSpec(), 412.0)]


def test_offering_does_not_wait_for_the_shadow(registry: Registry, strict: Strict) -> None:
    shadows = cast(registry, lambda _: strict)
    shadows.offer(parcel())
    assert strict.asked == [], "the answer was out before the shadow looked"
    strict.may.set()
    shadows.close()
    assert len(lines(registry)) == 1


def test_what_comes_too_fast_is_counted_and_the_rest_judged_in_order(registry: Registry, strict: Strict) -> None:
    opened = threading.Event()
    shadows = cast(registry, when(opened, strict))
    for n in range(MOST_PARCELS + 5):
        shadows.offer(parcel(n))
    strict.may.set()
    opened.set()
    shadows.close()
    assert tally(registry).dropped == 5
    judged = [line["inspection"] for line in lines(registry) if "shadow" in line]
    assert judged == [f"i{n}" for n in range(MOST_PARCELS)]


def test_the_end_waits_for_the_parcel_that_is_being_judged_and_for_no_other(registry: Registry) -> None:
    begun = threading.Event()

    class Slow(Strict):
        def inspect(self, frames: Sequence[Frame], spec: PackingSpec, weight_g: float | None = None) -> Verdict:
            begun.set()
            while shadows._waiting:
                threading.Event().wait(0.005)
            return super().inspect(frames, spec, weight_g)

    slow = Slow()
    slow.may.set()
    shadows = cast(registry, lambda _: slow)
    for n in range(3):
        shadows.offer(parcel(n))
    assert begun.wait(30)
    shadows.close(patience=0.0)
    assert [line["inspection"] for line in lines(registry) if "shadow" in line] == ["i0"]
    assert tally(registry).dropped == 2


def test_huge_pictures_do_not_fill_the_memory(registry: Registry, strict: Strict) -> None:
    opened = threading.Event()
    shadows = cast(registry, when(opened, strict))
    side = int((MOST_BYTES / 3) ** 0.5) + 1
    for n in range(3):
        shadows.offer(parcel(n, side=side))
    strict.may.set()
    opened.set()
    shadows.close()
    assert tally(registry).dropped == 2


def test_a_shadow_that_fails_writes_down_why_and_goes_on(
    registry: Registry, strict: Strict, caplog: pytest.LogCaptureFixture
) -> None:
    shadows = cast(registry, lambda _: strict)
    strict.may.set()
    strict.failure = RuntimeError("no memory")
    shadows.offer(parcel(1))
    shadows.offer(parcel(2))
    shadows.close()
    assert [line["failed"] for line in lines(registry)] == ["RuntimeError: no memory"] * 2
    assert lines(registry)[1]["inspection"] == "i2"
    assert "failed" in caplog.text


def test_a_shadow_that_cannot_be_opened_says_so_once(registry: Registry, strict: Strict) -> None:
    (registry.site / "parcel" / "1.0.0+a" / "head.npz").write_bytes(b"another head")

    def load(ref: str) -> Eye:
        registry.get(ref)
        return strict

    shadows = cast(registry, load)
    for n in range(3):
        shadows.offer(parcel(n))
    shadows.close()
    (line,) = lines(registry)
    assert "head.npz is not the file its card tells of" in line["failed"]


def test_without_a_shadow_nothing_is_loaded_and_nothing_written(registry: Registry) -> None:
    registry.stop_shadow("parcel")

    def load(_: str) -> Eye:
        raise AssertionError("nobody was asked to judge")

    shadows = cast(registry, load)
    for n in range(3):
        shadows.offer(parcel(n))
    shadows.close()
    assert not (registry.site / "shadow").exists()


def test_a_broken_registry_reaches_nobody(registry: Registry, strict: Strict) -> None:
    (registry.site / "registry.json").write_text("{")
    shadows = cast(registry, lambda _: strict)
    shadows.offer(parcel())
    shadows.close()
    assert strict.asked == []


def test_a_full_disk_reaches_nobody(
    registry: Registry, strict: Strict, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ShadowRecord, "add", full)
    strict.may.set()
    shadows = cast(registry, lambda _: strict)
    shadows.offer(parcel(1))
    shadows.offer(parcel(2))
    shadows.close()
    assert len(strict.asked) == 2
    assert "cannot be written" in caplog.text


def test_after_the_end_nothing_is_taken(registry: Registry, strict: Strict) -> None:
    shadows = cast(registry, lambda _: strict)
    shadows.close()
    shadows.offer(parcel())
    assert strict.asked == []
