"""Ids in addresses: whatever text a shop uses, exactly as it was sent."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import Problem
from api.fields import SLASH


class ExactPaths:
    """ASGI middleware: servers decode %2F to a slash before routing, which would cut the id 2026/17 in two."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the path that was meant."""
        raw: bytes = scope.get("raw_path", b"") if scope["type"] == "http" else b""
        if b"%" in raw:
            decoded = unquote_to_bytes(raw.replace(b"%2F", b"%1F").replace(b"%2f", b"%1F"))
            try:
                path = decoded.decode("utf-8")
            except UnicodeDecodeError:
                problem = Problem(
                    400, "bad-address", "The address is not UTF-8",
                    "Encode ids in the address as UTF-8, then percent-encode them.",
                )  # fmt: skip
                await problem.response()(scope, receive, send)
                return
            if b"%1f" in raw.lower():  # a control character, and not our stand-in for a slash
                path = path.replace(SLASH, "\0")
            scope["path"] = path
        await self._app(scope, receive, send)
