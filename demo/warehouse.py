"""The demo's warehouse system: it starts `lastlook serve` as anybody would and talks to it over HTTP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

PATIENCE_S = 60.0
"""A laptop that has just woken up needs some seconds for the first start; more than this is a fault."""


class DemoError(RuntimeError):
    """Something did not happen that should have. str() says what, and where to look."""


class Warehouse:
    """The API as a warehouse system calls it. Every call that is refused raises DemoError with the server's words."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def register(self, order: str, document: Mapping[str, Any]) -> None:
        """PUT /v1/orders/{order}."""
        self._ask("PUT", f"/v1/orders/{order}", json=document)

    def inspect(self, order: str, picture: bytes, stage: str) -> dict[str, Any]:
        """POST /v1/inspect: judged by the server's eye, recorded, answered with the verdict."""
        kind = {"Content-Type": "image/jpeg"}
        return self._ask("POST", "/v1/inspect", params={"order": order, "stage": stage}, content=picture, headers=kind)

    def override(self, inspection: str, document: Mapping[str, Any]) -> None:
        """PUT /v1/inspections/{id}/override."""
        self._ask("PUT", f"/v1/inspections/{inspection}/override", json=document)

    def gate(self, order: str) -> dict[str, Any]:
        """GET /v1/orders/{order}/dispatch."""
        return self._ask("GET", f"/v1/orders/{order}/dispatch")

    def dispatch(self, order: str, document: Mapping[str, Any]) -> httpx.Response:
        """POST /v1/orders/{order}/dispatch; 409 when the gate is closed."""
        return self._http.post(f"/v1/orders/{order}/dispatch", json=document)

    def listed(self, path: str, **query: str) -> list[dict[str, Any]]:
        """GET a list."""
        found: list[dict[str, Any]] = self._ask("GET", path, params=query)["items"]
        return found

    def page(self, path: str, **query: str) -> bytes:
        """GET a page as it is."""
        answer = self._http.get(path, params=query)
        _refused(answer)
        return answer.content

    def _ask(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        answer = self._http.request(method, path, **how)
        _refused(answer)
        document: dict[str, Any] = answer.json()
        return document


def _refused(answer: httpx.Response) -> None:
    if answer.is_error:
        raise DemoError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")


@contextmanager
def running(data: Path, log: Path, environment: Mapping[str, str]) -> Iterator[Warehouse]:
    """`lastlook serve` on a free port of this machine; the admin key is read where it is printed, this once."""
    command = [sys.executable, "-m", "lastlook", "serve", "--data", str(data), "--host", "127.0.0.1", "--port", "0"]
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 -- our own program
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **environment}
        )
    try:
        warehouse = _answering(process, log)
        try:
            yield warehouse
        finally:
            warehouse.close()
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        if process.stdout:
            process.stdout.close()


def _answering(process: subprocess.Popen[str], log: Path) -> Warehouse:
    lines: list[str] = []
    # a thread, because the pipe must be emptied as long as the server lives
    threading.Thread(target=lambda: lines.extend(process.stdout or ()), daemon=True).start()

    def told(pattern: str) -> str | None:
        found = re.search(pattern, "".join(lines))
        return found.group() if found else None

    def ready() -> Warehouse | None:
        if process.poll() is not None:
            raise DemoError(f"the server stopped at once; its last words are in {log}")
        url, key = told(r"http://[\d.]+:\d+"), told(r"ll_[\w-]+")
        if not url or not key:
            return None
        try:
            if httpx.get(f"{url}/readyz", timeout=10).status_code != httpx.codes.OK:
                return None
        except httpx.TransportError:
            return None
        return Warehouse(url, key)

    return until(ready, f"the server to be ready; its log is {log}")


def until(condition: Callable[[], T | None], what: str) -> T:
    """Ask ten times a second until there is an answer; DemoError when patience ends."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        if (answer := condition()) is not None:
            return answer
        time.sleep(0.1)
    raise DemoError(f"waited {PATIENCE_S:.0f} s for {what}")
