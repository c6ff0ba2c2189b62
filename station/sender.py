"""Brings the spool to the API: in order, patiently, each entry once."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import quote

import httpx

from station.spool import Entry, Kind, Spool, SpoolError

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds; doubled after each failure in a row, with up to a quarter of jitter."""
LONGEST_RETRY_AFTER = 3600.0
"""Seconds; what a server may ask for at most."""
PING_EVERY = 10.0
"""Seconds between two looks whether the API is there while nothing waits."""
PRUNE_EVERY = 3600.0
NEVER = frozenset({400, 406, 409, 410, 411, 413, 414, 415, 422, 431})
"""Answers that will be the same however often this entry is sent."""


class ApiState(StrEnum):
    """What the kiosk shows of the API."""

    UNKNOWN = "unknown"
    ONLINE = "online"
    OFFLINE = "offline"
    KEY_REFUSED = "key_refused"


@dataclass(frozen=True, slots=True)
class ApiStatus:
    """since: when this state began. reason: in words, when something is wrong."""

    state: ApiState
    since: datetime
    reason: str | None = None


@dataclass(slots=True)
class _Patience:
    """How often in a row something failed, and until when to leave it alone (steady seconds)."""

    failures: int = 0
    not_before: float = 0.0


@dataclass(slots=True)
class _Backlog:
    """The sender's own patience with the API, and with single entries that the API stumbles over."""

    api: _Patience = field(default_factory=_Patience)
    entries: dict[int, _Patience] = field(default_factory=dict)


class Sender:
    """Sends what waits in the spool.

    client: httpx client whose base URL is the API. authorize: headers with the key, asked before every request, so
    that a replaced key file is noticed. rng: 0..1, for jitter. keep: how long sent pictures stay in the spool.
    """

    def __init__(
        self,
        spool: Spool,
        client: httpx.Client,
        authorize: Callable[[], dict[str, str]],
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] = random.random,
        keep: timedelta = timedelta(days=3),
    ) -> None:
        self._spool = spool
        self._client = client
        self._authorize = authorize
        self._clock = clock
        self._monotonic = monotonic
        self._rng = rng
        self._keep = keep
        self._backlog = _Backlog()
        self._status = ApiStatus(ApiState.UNKNOWN, clock())
        self._next_ping = self._next_prune = float("-inf")
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> ApiStatus:
        """How it stands with the API."""
        return self._status

    def start(self) -> None:
        """Send in the background."""
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the thread; what is not sent stays in the spool."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def wake(self) -> None:
        """Something new is in the spool."""
        self._wake.set()

    def try_now(self) -> None:
        """A person wants it tried at once: forget all pauses."""
        self._backlog = _Backlog()
        self._next_ping = float("-inf")
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                pause = self.work()
            except SpoolError as error:
                log.warning("the spool cannot be read for sending: %s", error)
                pause = PING_EVERY
            self._wake.wait(pause)
            self._wake.clear()

    def work(self) -> float:
        """Send everything that may be sent now; returns the seconds after which to call again."""
        while not self._stop.is_set():
            now = self._monotonic()
            if now >= self._next_prune:
                self._spool.prune(self._clock(), self._keep)
                self._next_prune = now + PRUNE_EVERY
            if now < self._backlog.api.not_before:
                return self._backlog.api.not_before - now
            entry = self._next_entry(now)
            if entry is None:
                if now >= self._next_ping:
                    self._ping()
                return max(0.1, min([self._next_ping, *self._entry_times()]) - self._monotonic())
            self._send(entry)
        return 0.0

    def _entry_times(self) -> list[float]:
        return [patience.not_before for patience in self._backlog.entries.values()]

    def _next_entry(self, now: float) -> Entry | None:
        """The oldest entry that need not wait; nothing overtakes an entry of its own inspection."""
        late: set[str] = set()
        after = 0
        while entries := self._spool.waiting(after=after):
            for entry in entries:
                patience = self._backlog.entries.get(entry.seq)
                if patience is not None and now < patience.not_before:
                    late.add(entry.inspection)
                elif entry.inspection not in late:
                    return entry
            after = entries[-1].seq
        return None

    def _send(self, entry: Entry) -> None:
        path = f"/v1/inspections/{quote(entry.inspection, safe='')}"
        try:
            headers = self._authorize()
            if entry.kind is Kind.INSPECTION:
                parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
                    ("inspection", (None, entry.body.encode(), "application/json"))
                ]
                pictures = self._spool.pictures(entry.inspection)
                parts += [("pictures", (name, data, "image/jpeg")) for name, data in pictures]
                answer = self._client.put(path, files=parts, headers=headers)
            else:
                headers = {**headers, "Content-Type": "application/json"}
                answer = self._client.put(f"{path}/override", content=entry.body.encode(), headers=headers)
        except (httpx.HTTPError, OSError) as error:
            self._pause(self._backlog.api, None)
            self._say(ApiState.OFFLINE, _words(error))
            return
        self._settle(entry, answer)

    def _settle(self, entry: Entry, answer: httpx.Response) -> None:
        """Draw the conclusion from the API's answer to an entry."""
        code = answer.status_code
        if answer.is_success:
            self._spool.sent(entry.seq, self._clock())
            self._backlog.entries.pop(entry.seq, None)
            self._backlog.api = _Patience()
            self._say(ApiState.ONLINE)
        elif code in NEVER or (code == httpx.codes.NOT_FOUND and entry.kind is Kind.OVERRIDE):
            note = f"{code}: {_detail(answer)}"
            log.warning("parked %s of inspection %s: %s", entry.kind, entry.inspection, note)
            self._spool.park(entry.seq, note, self._clock())
            self._backlog.entries.pop(entry.seq, None)
            self._backlog.api = _Patience()
            self._say(ApiState.ONLINE)
        elif code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            self._pause(self._backlog.api, None)
            self._say(ApiState.KEY_REFUSED, f"{code}: {_detail(answer)}")
        elif code == httpx.codes.INTERNAL_SERVER_ERROR:
            # The API stumbles over this one: the others need not wait for it.
            self._pause(self._backlog.entries.setdefault(entry.seq, _Patience()), None)
            self._say(ApiState.OFFLINE, f"{code}: {_detail(answer)}")
        else:
            self._pause(self._backlog.api, retry_after(answer.headers.get("retry-after"), self._clock()))
            self._say(ApiState.OFFLINE, f"{code}: {_detail(answer)}")

    def _ping(self) -> None:
        """Is it there? Asked only while there is nothing to send."""
        self._next_ping = self._monotonic() + PING_EVERY
        try:
            answer = self._client.get("/healthz")
        except (httpx.HTTPError, OSError) as error:
            self._say(ApiState.OFFLINE, _words(error))
            return
        if not answer.is_success:
            self._say(ApiState.OFFLINE, f"{answer.status_code} from /healthz")
        elif self._status.state is not ApiState.KEY_REFUSED:
            self._say(ApiState.ONLINE)

    def _pause(self, patience: _Patience, asked: float | None) -> None:
        patience.failures += 1
        pause = min(FIRST_PAUSE * 2.0 ** min(patience.failures - 1, 10), LONGEST_PAUSE)
        pause *= 1 + self._rng() / 4
        patience.not_before = self._monotonic() + max(pause, min(asked or 0.0, LONGEST_RETRY_AFTER))

    def _say(self, state: ApiState, reason: str | None = None) -> None:
        same = state is self._status.state
        if not same:
            log.info("the API is %s%s", state, f" ({reason})" if reason else "")
        self._status = ApiStatus(state, self._status.since if same else self._clock(), reason)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110: seconds or a date); None when it says nothing usable."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment - now).total_seconds()) if moment.tzinfo else None


def _words(error: Exception) -> str:
    match error:
        case httpx.ConnectError():
            return "nothing answers at its address"
        case httpx.TimeoutException():
            return "it does not answer in time"
        case OSError():
            return f"the key file cannot be read ({error.strerror})"
        case _:
            return type(error).__name__


def _detail(answer: httpx.Response) -> str:
    """The API's own words if it speaks RFC 9457."""
    try:
        problem = answer.json()
        said = problem.get("detail") or problem.get("title")
    except (ValueError, AttributeError):
        said = None
    return str(said or answer.reason_phrase)[:300]
