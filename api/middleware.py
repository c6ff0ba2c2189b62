"""What surrounds every request: a limit for its body, one line of log, two metrics. Plain ASGI, for speed.

Starlette's BaseHTTPMiddleware would run every request through two more tasks and a stream.
"""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem
from api.metrics import Metrics

access = logging.getLogger("api.access")


class _TooLargeError(Exception):
    """The body grew past the limit while it was read."""


PICTURES = (b"multipart/", b"image/", b"application/octet", b"application/zip")
"""Content types that carry pictures."""
JSON_LIMIT = 4 * 1024 * 1024
"""Bytes. A body that is not pictures is parsed on the event loop and before the key is looked at."""


class BodyLimit:
    """Refuses bodies over `limit` bytes with 413: by their length if told, else as soon as too much has come.

    limit: for pictures (forms and raw); everything else has JSON_LIMIT.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        pictures = headers.get(b"content-type", b"").lower().startswith(PICTURES)
        limit = self._limit if pictures else min(self._limit, JSON_LIMIT)
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > limit:
            await self._refuse(limit, scope, receive, send)
            return
        read, exceeded, started = 0, False, False

        async def counted() -> Message:
            nonlocal read, exceeded
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                exceeded = True
                raise _TooLargeError
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if exceeded and not started:
                return  # the app's own words for a body that broke off; ours are better
            started = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _TooLargeError:
            if started:
                raise
        if exceeded and not started:
            await self._refuse(limit, scope, receive, send)

    async def _refuse(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        problem = Problem(
            413, "too-large", "The request is too large",
            f"Nothing was stored. At most {limit} bytes are taken; send smaller or fewer pictures "
            "(2000 pixels on the longer side is plenty), or raise LASTLOOK_MAX_BODY_BYTES.",
            limit=limit,
            headers={"Connection": "close"},
        )  # fmt: skip
        await problem.response()(scope, receive, send)


class Observe:
    """Counts and logs each request by its route (never by its address, which holds ids) and without its headers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and look at the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            seconds = time.perf_counter() - begin
            route = getattr(scope.get("route"), "path_format", "(none)")
            self._metrics.answered(scope["method"], route, status, seconds)
            access.info(
                "%s %s %d", scope["method"], route, status,
                extra={"method": scope["method"], "route": route, "status": status, "ms": round(1000 * seconds, 2)},
            )  # fmt: skip
