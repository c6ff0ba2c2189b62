"""One capture thread that keeps only the newest picture and never gives a lost camera up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from inspector.frame import Pixels
from station.sources import CameraError, Reader

log = logging.getLogger(__name__)

STALE_AFTER = 3.0
"""Seconds without a picture after which a camera counts as lost, even when its driver still blocks in a read."""
BACK_OFF = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between attempts to open a lost camera; the last one repeats."""


class CameraState(StrEnum):
    """What the kiosk shows of the camera."""

    OPENING = "opening"
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """since: when this state began. reason: why it is lost or ended."""

    state: CameraState
    since: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of the camera. seq: counts from 1 and never repeats, also across reopens. scene: see `Image`."""

    seq: int
    bgr: Pixels
    name: str
    captured_at: datetime
    monotonic: float
    scene: int = 0


def now_utc() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Capture:
    """Reads a source in one thread of its own; everybody else asks for the newest shot.

    opener: opens the source, raising CameraError. clock, monotonic: the wall and the steady clock. wait: sleeps for
    some seconds and answers True when the capture was told to stop (tests hand in one that does not sleep).
    """

    def __init__(
        self,
        opener: Callable[[], Reader],
        *,
        clock: Callable[[], datetime] = now_utc,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self._opener = opener
        self._clock = clock
        self._monotonic = monotonic
        self._stop = threading.Event()
        self._wait = wait or self._stop.wait
        self._news = threading.Condition()
        self._newest: Shot | None = None
        self._status = CameraStatus(CameraState.OPENING, clock())
        self._seq = 0
        self._scenes = 0
        self._taken = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to capture in the background."""
        self._thread = threading.Thread(target=self.run, name="capture", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """End the thread. A driver that blocks in a read is left behind after `timeout` seconds."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def newest(self, after: int = 0, timeout: float = 0.0) -> Shot | None:
        """The newest live shot with seq > after, waiting up to `timeout` seconds for it; None when there is none.

        A picture older than `STALE_AFTER` is never handed out: nobody may judge what is no longer there.
        """
        with self._news:
            self._news.wait_for(lambda: self._newest is not None and self._newest.seq > after, timeout)
            shot = self._newest
        if shot is None or shot.seq <= after or self.status.state is not CameraState.LIVE:
            return None
        return shot

    @property
    def status(self) -> CameraStatus:
        """The state as of now; a camera that silently stopped is lost, whatever its driver says."""
        with self._news:
            status, shot = self._status, self._newest
        if status.state is CameraState.LIVE and shot is not None:
            silent = self._monotonic() - shot.monotonic
            if silent > STALE_AFTER:
                return CameraStatus(CameraState.LOST, shot.captured_at, f"no picture for {silent:.0f} s")
        return status

    def taken(self) -> None:
        """The newest picture was taken for judging; a folder goes on to its next one."""
        self._taken = True

    def run(self) -> None:
        """Open, read, and open again until told to stop. Called in a thread by `start`."""
        failures = 0
        while not self._stop.is_set():
            try:
                reader = self._opener()
            except CameraError as error:
                self._lost(str(error))
            else:
                delivered = self._read_all(reader)
                failures = 0 if delivered else failures
                if self._status.state is CameraState.ENDED:
                    return
            delay = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
            failures += 1
            if self._stop.is_set() or self._wait(delay):
                return

    def _read_all(self, reader: Reader) -> int:
        """Read until the source is lost or ends; returns how many pictures it gave."""
        before = self._seq
        first_scene: int | None = None
        try:
            while not self._stop.is_set():
                if self._taken:
                    self._taken = False
                    reader.advance()
                image = reader.read()
                if image is None:
                    self._change(CameraStatus(CameraState.ENDED, self._clock(), "the last picture was reached"))
                    return self._seq - before
                if image.scene != first_scene:
                    first_scene = image.scene
                    self._scenes += 1
                self._publish(
                    Shot(self._seq + 1, image.bgr, image.name, self._clock(), self._monotonic(), self._scenes)
                )
                if reader.period and self._wait(reader.period):
                    break
        except CameraError as error:
            self._lost(str(error))
        finally:
            reader.close()
        return self._seq - before

    def _publish(self, shot: Shot) -> None:
        with self._news:
            self._seq = shot.seq
            self._newest = shot
            if self._status.state is not CameraState.LIVE:
                log.info("the camera is live")
                self._status = CameraStatus(CameraState.LIVE, shot.captured_at)
            self._news.notify_all()

    def _lost(self, reason: str) -> None:
        """Keep the time since when it is lost; only the reason may change between two attempts."""
        with self._news:
            lost_already = self._status.state is CameraState.LOST
            since = self._status.since if lost_already else self._clock()
            changed = not lost_already or self._status.reason != reason
        if changed:
            log.warning("the camera is lost: %s", reason)
        self._change(CameraStatus(CameraState.LOST, since, reason))

    def _change(self, status: CameraStatus) -> None:
        with self._news:
            self._status = status
            self._news.notify_all()
