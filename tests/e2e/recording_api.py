"""A small real HTTP server that stands for the API: knows orders, records every PUT, and can be taken away."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class RecordingApi:
    """Answers on loopback. puts: (path, content without its multipart boundary) in the order of arrival."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    puts: list[tuple[str, bytes]] = field(default_factory=list)
    port: int = 0
    server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; after a `stop` on the same port again."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            # HTTP/1.0: no connection outlives its request, so that `stop` really takes the API away
            def log_message(self, *_: object) -> None: ...

            def answer(self, status: int, document: object, kind: str = "application/json") -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                order = self.path.rpartition("/")[2]
                if self.path == "/healthz":
                    self.answer(200, {})
                elif order in api.orders:
                    self.answer(200, {"id": order, "revision": 1, **api.orders[order]})
                else:
                    self.answer(404, {"title": "no such order"}, "application/problem+json")

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                boundary = re.search(r"boundary=(\S+)", self.headers["Content-Type"])
                api.puts.append((self.path, body.replace(boundary[1].encode(), b"") if boundary else body))
                self.answer(201, {})

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_: object) -> None:
                """A station that is killed in the middle of a request is what the tests are about."""

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Be gone; nothing answers at the address any more."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def inspections(self) -> dict[str, set[bytes]]:
        """Inspection id -> the different contents that were sent under it."""
        found: dict[str, set[bytes]] = {}
        for path, content in list(self.puts):
            if not path.endswith("/override"):
                found.setdefault(path.rpartition("/")[2], set()).add(content)
        return found
