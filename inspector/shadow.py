"""Shadows: models that judge what the active one has judged, after its answer is out, and that only the record hears.

They never touch an answer: what is offered waits in a short queue, one thread of low priority works it off, what finds
the queue full is counted and let go, and a shadow that fails writes that down and nothing else.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from inspector.frame import Frame
from inspector.spec import PackingSpec
from inspector.verdict import Verdict
from inspector.wire import VerdictDocument
from models.registry import Registry
from models.shadows import ShadowRecord

log = logging.getLogger(__name__)

MOST_PARCELS = 8
MOST_BYTES = 200_000_000
"""Decoded pictures are large (2.8 MB at 720p, up to 150 MB): the queue is bounded by both."""
LOW_PRIORITY = 15
"""Niceness of the shadows' thread: the next parcel's answer has the processor first."""
LAST_PARCEL = 30.0
"""Seconds that the end waits for the parcel that a shadow has begun."""


class Eye(Protocol):
    """`inspector.Inspector` is one."""

    def inspect(self, frames: Sequence[Frame], spec: PackingSpec, weight_g: float | None = None) -> Verdict:
        """Judge all pictures of one parcel together."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A parcel whose answer is out. by: the bench, or "server". inspection: None for what is not recorded.

    weight_g: what the eye was told that it weighs, in grams.
    """

    frames: tuple[Frame, ...]
    spec: PackingSpec
    verdict: Verdict
    by: str
    inspection: str | None = None
    order: str | None = None
    weight_g: float | None = None


class Shadows:
    """All shadows of a site's registry, as they were when the first parcel came. Thread-safe.

    load: opens the inspector in which this model (name/version) stands in for the active one; whatever it raises is
    written down, and that shadow stays silent. Nothing is started before the first parcel.
    """

    def __init__(self, registry: Registry, load: Callable[[str], Eye], clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._load = load
        self._clock = clock
        self._change = threading.Condition()
        self._waiting: deque[Judged] = deque()
        self._bytes = 0
        self._dropped = 0
        self._over = False
        self._thread: threading.Thread | None = None

    def offer(self, judged: Judged) -> None:
        """Have the shadows judge this parcel too, some time. Returns at once and never raises."""
        size = _size(judged)
        with self._change:
            if self._over:
                return
            full = len(self._waiting) >= MOST_PARCELS or self._bytes + size > MOST_BYTES
            if self._waiting and full:
                self._dropped += 1
                return
            self._waiting.append(judged)
            self._bytes += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="shadows", daemon=True)
                self._thread.start()
            self._change.notify_all()

    def close(self, patience: float = 10.0) -> None:
        """Work off what waits, for `patience` seconds at most; what is left then is counted as dropped.

        The parcel that is being judged then is judged to its end: a thread that the end of Python meets inside the
        runtime aborts the process.
        """
        with self._change:
            self._over = True
            self._change.notify_all()
        if self._thread is None:
            return
        self._thread.join(patience)
        with self._change:
            self._dropped += len(self._waiting)
            self._waiting.clear()
            self._bytes = 0
        self._thread.join(LAST_PARCEL)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)
        shadows = [shadow for ref in self._refs() if (shadow := self._opened(ref)) is not None]
        if not shadows:
            with self._change:
                self._over = True
                self._waiting.clear()
            return
        while (judged := self._next()) is not None:
            dropped = self._taken_dropped()
            for shadow in shadows:
                if dropped:
                    shadow.write({"dropped": dropped})
                shadow.judge(judged)
        if dropped := self._taken_dropped():
            for shadow in shadows:
                shadow.write({"dropped": dropped})

    def _refs(self) -> list[str]:
        try:
            return self._registry.shadows()
        except Exception:  # the boundary of the thread; without a registry nobody judges, and the room says why
            log.exception("the registry of models cannot be read: no shadow judges")
            return []

    def _opened(self, ref: str) -> _Shadow | None:
        shadow = _Shadow(ref, None, ShadowRecord.of(self._registry.site, ref), self._clock)
        try:
            return _Shadow(ref, self._load(ref), shadow.record, self._clock)
        except Exception as error:  # whatever keeps a shadow from opening must not reach the real eye
            log.exception("the shadow %s cannot be used", ref)
            shadow.write({"failed": f"not opened: {error}"})
            return None

    def _next(self) -> Judged | None:
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._over)
            if not self._waiting:
                return None
            judged = self._waiting.popleft()
            self._bytes -= _size(judged)
            return judged

    def _taken_dropped(self) -> int:
        with self._change:
            dropped, self._dropped = self._dropped, 0
            return dropped


@dataclass(frozen=True, slots=True)
class _Shadow:
    """One model with its record."""

    ref: str
    eye: Eye | None
    record: ShadowRecord
    clock: Callable[[], datetime]

    def judge(self, judged: Judged) -> None:
        """Judge, and write down both answers, or why there is none."""
        assert self.eye is not None  # noqa: S101 -- only opened shadows are asked
        name = self.ref.split("/")[0]
        beside = next((f"{m.name}/{m.version}" for m in judged.verdict.models if m.name == name), None)
        about = {"by": judged.by, "inspection": judged.inspection, "order": judged.order, "beside": beside}
        try:
            said = VerdictDocument.of(self.eye.inspect(judged.frames, judged.spec, judged.weight_g)).model_dump(
                mode="json"
            )
        except Exception as error:  # a shadow that fails is a finding about the shadow and of no concern to the bench
            log.exception("the shadow %s failed", self.ref)
            self.write({**about, "failed": f"{type(error).__name__}: {error}"})
        else:
            active = VerdictDocument.of(judged.verdict).model_dump(mode="json")
            self.write({**about, "active": _summary(active), "shadow": said})

    def write(self, told: dict[str, Any]) -> None:
        """Append to the record; a disk that is full costs a line and is logged."""
        try:
            self.record.add({"at": self.clock().isoformat(), **told})
        except OSError:
            log.exception("the record of the shadow %s cannot be written", self.ref)


def _summary(verdict: dict[str, Any]) -> dict[str, Any]:
    """What to compare with; the whole answer is in the inspection."""
    checks = {name: {key: check.get(key) for key in ("result", "score")} for name, check in verdict["checks"].items()}
    return {"verdict": verdict["verdict"], "reasons": verdict["reasons"], "checks": checks}


def _size(judged: Judged) -> int:
    return sum(frame.bgr.nbytes for frame in judged.frames)
