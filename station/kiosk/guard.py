"""Keeps other web pages out of the loopback page: host, origin and a token that only our own page has."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "x-lastlook-token"  # noqa: S105 -- the name of a header
WEIGH = ("PUT", "/weight")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware. token: made anew at every start.

    A page of another site can make the browser send requests here, and by DNS rebinding even under a name of its own.
    So: the Host must be loopback by name or number, an Origin must be this page's, and whatever changes something must
    carry the token, which only a page that could read ours knows. Only a scale's program may tell the weight without:
    what comes from a browser names its origin or its site, whatever page sent it.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 403 (a WebSocket is closed before it opens)."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})
        else:
            await PlainTextResponse(refusal + "\n", status_code=403, headers=HEADERS)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if not is_loopback(host):
            return "Open the kiosk under its loopback address."
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return "Another web page asked for this."
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "Another web page asked for this."
        changes = scope["type"] == "http" and scope["method"] not in ("GET", "HEAD") and not _weighs(scope, headers)
        if changes and not hmac.compare_digest(headers.get(TOKEN, "").encode(), self._token.encode()):
            return "Reload the page: the station was started again."
        if scope["type"] == "websocket" and origin is None:
            return "A WebSocket must come from the kiosk page."
        return None


def _weighs(scope: Scope, headers: Headers) -> bool:
    """True for a program that tells a weight; what a browser sends says where it comes from."""
    browser = any(name in headers for name in ("origin", "sec-fetch-site", "sec-fetch-mode"))
    return not browser and (scope["method"], scope["path"]) == WEIGH


def is_loopback(host: str) -> bool:
    """True for a Host header that names this computer: localhost, 127.0.0.0/8 or ::1, with any port."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _with_headers(send: Send) -> Send:
    extra: Iterable[tuple[bytes, bytes]] = [(k.encode(), v.encode()) for k, v in HEADERS.items()]

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *extra]
        await send(message)

    return answer
