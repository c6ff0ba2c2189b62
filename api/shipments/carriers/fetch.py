"""One HTTP question to a courier, with an end to everything: time, size, redirects, patience."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any

import httpx

from api.context import Clock, utc_now
from api.shipments.carriers.outcome import Failed, RetryAfter
from api.shipments.tracking import one_line

DEFAULT_PATIENCE = 60.0
"""Seconds to wait after a 429 or 503 that names no time."""
LONGEST_PATIENCE = 24 * 3600.0
"""A courier that asks for more is asked again after a day."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much. Seconds and bytes.

    total: for the whole answer. The other times are for one step, and a courier that drips a byte a second would pass
    each of them for hours.
    """

    connect: float = 5.0
    read: float = 15.0
    total: float = 45.0
    max_bytes: int = 8 * 1024 * 1024


class Unanswered(Exception):  # noqa: N818 - it is an outcome, carried up to where the numbers are known
    """No usable answer. outcome: what that means for every number asked. status: HTTP status, where there was one."""

    def __init__(self, outcome: Failed | RetryAfter, status: int | None = None) -> None:
        super().__init__(str(outcome))
        self.outcome, self.status = outcome, status


class Fetcher:
    """Asks one courier. Thread-safe. Nothing it logs or raises holds a header, a URL or a tracking number."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        limits: Limits = Limits(),
        *,
        clock: Clock = utc_now,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._clock, self._timer = limits, clock, timer
        self._client = httpx.Client(
            headers={"User-Agent": "lastlook", "Accept": "application/json", **headers},
            timeout=httpx.Timeout(limits.read, connect=limits.connect),
            follow_redirects=False,  # a redirect would carry the credentials to somebody else
            trust_env=not is_loopback(base_url),  # no proxy can reach this machine's own loopback
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def json(self, method: str, url: str, body: bytes | None = None) -> Any:
        """The parsed answer of a 200. Raises Unanswered for everything else."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            with self._client.stream(method, url, content=body, headers=headers) as response:
                self._refuse(response)
                text = self._read(response)
        except httpx.TimeoutException as error:
            raise Unanswered(Failed(f"the courier did not answer in time ({type(error).__name__})")) from error
        except httpx.DecodingError as error:
            raise Unanswered(Failed("the courier's answer is damaged (compression)")) from error
        except httpx.RemoteProtocolError as error:
            raise Unanswered(Failed("the courier dropped the connection or does not speak HTTP")) from error
        except httpx.HTTPError as error:
            raise Unanswered(Failed(f"the courier cannot be reached ({type(error).__name__})")) from error
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            what = "an HTML page" if text.lstrip()[:1] == b"<" else "something that is not JSON"
            raise Unanswered(Failed(f"the courier answered with {what}")) from error

    def _refuse(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in (429, 503):
            patience = retry_after(response.headers.get("retry-after"), self._clock())
            raise Unanswered(RetryAfter(patience), status)
        if status in (401, 403):
            raise Unanswered(Failed(f"the courier refused our credentials (HTTP {status}); check the key"), status)
        if response.is_redirect:
            raise Unanswered(Failed(f"the courier redirects elsewhere (HTTP {status}); check the url"), status)
        if status != 200:
            raise Unanswered(Failed(f"the courier answered HTTP {status}"), status)

    def _read(self, response: httpx.Response) -> bytes:
        end = self._timer() + self._limits.total
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            size += len(part)
            if size > self._limits.max_bytes:
                raise Unanswered(Failed(f"the courier's answer is larger than {self._limits.max_bytes} bytes"))
            if self._timer() > end:
                raise Unanswered(Failed(f"the courier was still sending after {self._limits.total:g} s"))
            parts.append(part)
        return b"".join(parts)


def retry_after(header: str | None, now: datetime) -> float:
    """Seconds to wait (RFC 9110, 10.2.3: seconds or an HTTP date), from 1 second to LONGEST_PATIENCE."""
    seconds = DEFAULT_PATIENCE
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    elif text:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError, IndexError):
            moment = None
        if moment is not None:
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = (zoned - now).total_seconds()
    return min(max(seconds, 1.0), LONGEST_PATIENCE)


def is_loopback(url: str) -> bool:
    """True when `url` stays on this machine."""
    host = httpx.URL(url).host
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def said(value: object, limit: int = 200) -> str:
    """A courier's own words for an error, short enough for a screen."""
    return one_line(value if isinstance(value, str) else str(value), limit)
