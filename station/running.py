"""A running bench: camera, trigger, bench, spool and sender, put together and kept going."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType

import httpx

from inspector.gallery import Gallery
from inspector.shadow import Judged, Shadows
from inspector.spec import Stage
from inspector.verdict import ModelRef
from station.approval import Approval
from station.bench import Bench, Eye, Moment, NotNowError, Phase, World, nothing_there
from station.camera import Capture, Shot, now_utc
from station.contents import ContentsDesk
from station.examples import keep_example
from station.items import ItemSync
from station.orders import OrderBook
from station.record import Picture, picture_of
from station.sender import Sender
from station.settings import StationSettings
from station.sources import PictureFolder, open_source
from station.spool import Spool
from station.trigger import Rules, Trigger

log = logging.getLogger(__name__)

SEND_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
ASK_TIMEOUT = httpx.Timeout(3.0, connect=1.5)
"""A packer waits for the answer to a scan; nobody waits for the sender."""


TYPING = timedelta(minutes=1)
"""A page that was closed meanwhile cannot say so."""


class CameraNotReadyError(Exception):
    """There is no live picture to take."""


class Station:
    """One bench with everything that runs in it. Use as a context manager: entering starts, leaving stops.

    eye: judges (an `Inspector`). shadows: judge too, once its answer is kept and shown. gallery: the taught items that
    the eye knows; closed at the end. transport: stands in for the network in tests.
    """

    def __init__(
        self,
        settings: StationSettings,
        eye: Eye,
        *,
        shadows: Shadows | None = None,
        gallery: Gallery | None = None,
        clock: Callable[[], datetime] = now_utc,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._shadows = shadows
        self._eye = eye
        self.spool = Spool(settings.data)
        sending = httpx.Client(base_url=settings.api, timeout=SEND_TIMEOUT, transport=transport, trust_env=False)
        asking = httpx.Client(base_url=settings.api, timeout=ASK_TIMEOUT, transport=transport, trust_env=False)
        self._clients = sending, asking
        self.sender = Sender(self.spool, sending, self._authorize, clock=clock, keep=timedelta(days=settings.keep_days))
        self.approval = Approval({a.name: a.pin for a in settings.approvers}, time.monotonic)
        orders = OrderBook(asking, self._authorize, self.spool, clock)
        self.bench = Bench(
            World(
                eye=eye,
                keeper=self.spool,
                approver=self.approval,
                find=orders.find,
                clock=clock,
                new_id=lambda: str(uuid.uuid4()),
                kept=self.sender.wake,
            ),
            station=settings.name,
            operator=settings.operators[0] if len(settings.operators) == 1 else None,
        )
        self.gallery = gallery
        self._items = ItemSync(gallery, sending, self._authorize, clock) if gallery is not None else None
        self.contents = ContentsDesk(gallery, self.bench, self.approval, clock, self._learnt)
        self.capture = Capture(partial(open_source, settings.camera), clock=clock)
        t = settings.trigger
        self.trigger = Trigger(
            Rules(still=t.still, covered=t.covered, settle=t.settle, sharp=t.sharp, patience=t.patience)
        )
        self._typing_until = clock()
        self._stills = isinstance(settings.camera, PictureFolder)
        self._judging = threading.Lock()
        self._watching = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="trigger", daemon=True)

    def __enter__(self) -> Station:
        self.capture.start()
        self.sender.start()
        if self._items is not None:
            self._items.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self.capture.stop()
        self._thread.join(10)
        self.sender.stop()
        if self._items is not None:
            self._items.stop()
        if self._shadows is not None:
            self._shadows.close()
        if self.gallery is not None:
            self.gallery.close()
        for client in self._clients:
            client.close()
        self.spool.close()

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """Which weights judge here."""
        return self._eye.models

    def scan(self, text: str) -> None:
        """An order was scanned or typed; the same one again takes the picture. Raises NotNowError,
        CameraNotReadyError.
        """
        if self.bench.scan(text):
            self.take()

    def take(self) -> Moment:
        """Take and judge the newest picture now. Raises NotNowError, CameraNotReadyError."""
        with self._judging:
            shot = self.capture.newest()
            if shot is None:
                status = self.capture.status
                raise CameraNotReadyError(status.reason or f"The camera is {status.state}.")
            return self._judge(shot, by_hand=True)

    def typing(self, *, now: bool) -> None:
        """Somebody types the weight of the open box, or is done: the trigger waits meanwhile, and a minute at most."""
        self._typing_until = self._clock() + (TYPING if now else timedelta())

    def mark_wrong(self, inspection: str) -> None:
        """Keep the parcel that is shown as an example of a wrong verdict. Raises NotNowError, OSError."""
        now = self.bench.moment
        shown = now.inspection == inspection and now.phase is not Phase.RETAKE  # a retake says nothing of the parcel
        if not shown or now.order is None or now.verdict is None:
            raise NotNowError("That parcel is not shown any more.")
        keep_example(
            self.settings.data / "examples",
            inspection=inspection,
            order=now.order,
            pictures=now.pictures,
            verdict=now.verdict,
            operator=self.bench.operator,
            at=self._clock(),
        )
        self.bench.marked_wrong(inspection)

    def _learnt(self) -> None:
        if self._items is not None:
            self._items.wake()

    def retry(self) -> int:
        """Send what was parked once more, and everything at once; returns how many were parked."""
        again = self.spool.retry_parked()
        self.sender.try_now()
        return again

    def _authorize(self) -> dict[str, str]:
        key = self.settings.read_key()
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _judge(self, shot: Shot, *, by_hand: bool) -> Moment:
        """Judge a shot and tell trigger and camera what came of it."""

        def picture(stage: Stage) -> Picture:
            return picture_of(shot, stage, self.settings.name)

        after = self.bench.judge(picture, by_hand=by_hand)
        self._have_shadowed(after)
        self.capture.taken()
        with self._watching:
            self.trigger.taken()
            if nothing_there(after.verdict) and not self._stills:
                self.trigger.learn_empty()
            elif self.bench.moment.phase is Phase.RETAKE:
                self.trigger.rearm()
        return after

    def _have_shadowed(self, after: Moment) -> None:
        """What was kept is judged by the shadows too: neither the packer nor the record of the parcel hears of it."""
        if self._shadows is None or after.inspection is None or after.verdict is None or after.order is None:
            return
        self._shadows.offer(
            Judged(
                tuple(picture.frame for picture in after.pictures),
                after.order.spec,
                after.verdict,
                by=self.settings.name,
                inspection=after.inspection,
                order=after.order.id,
                weight_g=after.weight_g,
            )
        )

    def _watch(self) -> None:
        """Look at every new shot; take the picture by itself when a parcel rests and one is wanted."""
        seen = 0
        while not self._stop.is_set():
            shot = self.capture.newest(after=seen, timeout=0.2)
            if shot is None:
                self._stop.wait(0.05)
                continue
            seen = shot.seq
            with self._watching:
                self.trigger.see(shot, cuts=self._stills)
            if self.settings.trigger.auto and self.trigger.ready and self._wanted():
                self._take_by_itself()

    def _wanted(self) -> bool:
        """True when a picture may be taken without being asked for. The next still of a folder shows another parcel,
        so a bad picture is not taken again by itself there.
        """
        if self._clock() < self._typing_until:
            return False
        return self.bench.wants is not None and not (self._stills and self.bench.moment.phase is Phase.RETAKE)

    def _take_by_itself(self) -> None:
        if not self._judging.acquire(blocking=False):
            return  # a picture is being taken by hand
        try:
            with self._watching:
                best = self.trigger.take()
            if best is not None and self._wanted():
                self._judge(best, by_hand=False)
        except NotNowError as error:
            log.info("not taken: %s", error)
        except Exception:  # the boundary of the thread: a failed look must not end the bench, which tells the packer
            log.exception("the picture could not be judged; take it again by hand")
        finally:
            self._judging.release()
