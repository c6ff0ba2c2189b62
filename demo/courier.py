r"""A simulated courier over real HTTP on this machine: parcels that travel by script, and the moods of real couriers.

It speaks two shapes: 17TRACK's (POST /track/v2.2/register and /gettrackinfo) and a plain one of its own
(GET /parcels?ids=A,B with local Brazilian times). The demo and the tests use it, and so may you:

    python -m demo.courier --port 8322
    curl -X PUT localhost:8322/simulation/parcels/LP1 \
         -d '[{"at": "2026-11-20T09:00:00Z", "code": "InTransit_PickedUp", "text": "Picked up", "place": "Shenzhen"}]'
    curl -X POST localhost:8322/simulation/moods -d '{"mood": "hang", "times": 2}'
"""

from __future__ import annotations

import argparse
import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("America/Sao_Paulo")
"""The plain shape gives this zone's times and does not say so, as couriers do."""
KEY = "simulated"
PLAIN_CODES = {
    "InfoReceived": "LBL", "InTransit_PickedUp": "COL", "InTransit_Other": "TRN", "InTransit_CustomsProcessing": "CUS",
    "OutForDelivery_Other": "OFD", "AvailableForPickup_Other": "PUP", "DeliveryFailure_NoBody": "ABS",
    "Exception_Delayed": "DLY", "Exception_Lost": "LST", "Exception_Returning": "RTN", "Exception_Returned": "RTD",
    "Delivered_Other": "DLV",
}  # fmt: skip
"""What the plain shape calls 17TRACK's sub statuses."""


class Mood(StrEnum):
    """What a courier may do instead of answering."""

    HANG = "hang"
    DROP = "drop"  # closes the connection in the middle of the body
    HTML = "html"  # a page that says it is sorry, with status 200
    TOO_MANY = "too_many"  # 429, Retry-After in seconds
    TOO_MANY_UNTIL = "too_many_until"  # 429, Retry-After as a date
    BUSY = "busy"  # 503 without Retry-After
    ERROR = "error"  # 500
    FORBIDDEN = "forbidden"  # 401
    REDIRECT = "redirect"
    HALF_WRONG = "half_wrong"  # good JSON with nonsense in half of the places
    CUT = "cut"  # JSON that ends too early
    HUGE = "huge"
    DRIP = "drip"  # a byte now and then, for ever
    EMPTY = "empty"  # an empty object


@dataclass(frozen=True, slots=True)
class Scan:
    """One thing that happens to a parcel. code: a sub status of 17TRACK."""

    at: datetime
    code: str
    text: str = ""
    place: str = ""


def journey(start: datetime, *steps: tuple[float, str, str, str]) -> list[Scan]:
    """Scans at so many days after `start`: (days, code, text, place)."""
    return [Scan(start + timedelta(days=days), code, text, place) for days, code, text, place in steps]


def late_journey(start: datetime) -> list[Scan]:
    """A parcel that is picked up, then lies in a hub: its promise will pass without a delivery."""
    return journey(
        start,
        (0.1, "InTransit_PickedUp", "Picked up", "Shenzhen"),
        (0.9, "InTransit_Other", "Departed from facility", "Shenzhen"),
        (1.6, "Exception_Delayed", "Held at hub: flight cancelled", "Campinas"),
    )


def prompt_journey(start: datetime) -> list[Scan]:
    """A parcel that arrives within two days."""
    return journey(
        start,
        (0.1, "InTransit_PickedUp", "Picked up", "Shenzhen"),
        (1.4, "OutForDelivery_Other", "Out for delivery", "Campinas"),
        (1.7, "Delivered_Other", "Delivered, signed by the recipient", "Campinas"),
    )


@dataclass
class Courier:
    """Start it, script it, ask it. `with Courier() as courier: ... courier.url`.

    now: only scans up to this moment are told. patience: what its 429 asks for, in seconds.
    requests: every request so far: path and numbers.
    """

    port: int = 0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    patience: int = 120
    requests: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._scans: dict[str, list[Scan]] = {}
        self._refused: set[str] = set()
        self._registered: set[str] = set()
        self._moods: list[tuple[Mood, str | None]] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def script(self, number: str, scans: Iterable[Scan]) -> None:
        """From now on, this is what happens to the parcel."""
        with self._lock:
            self._scans[number] = list(scans)

    def refuse(self, number: str) -> None:
        """From now on this number is wrong. The plain shape then refuses the whole batch it is in."""
        with self._lock:
            self._refused.add(number)

    def feel(self, mood: Mood, times: int = 1, *, number: str | None = None) -> None:
        """The next `times` requests (that ask for `number`) meet this mood."""
        with self._lock:
            self._moods += [(mood, number)] * times

    def mood_for(self, numbers: Sequence[str]) -> Mood | None:
        """Take the next mood that is meant for a request like this."""
        with self._lock:
            for index, (mood, number) in enumerate(self._moods):
                if number is None or number in numbers:
                    del self._moods[index]
                    return mood
        return None

    def calm(self) -> None:
        """No more moods, and whoever still hangs lets go."""
        with self._lock:
            self._moods.clear()
        self._over.set()
        self._over.clear()

    def wait(self, seconds: float) -> bool:
        """Do nothing for so long; True when the courier is being stopped."""
        return self._over.wait(seconds)

    def register(self, numbers: Sequence[str]) -> dict[str, Any]:
        """17TRACK's register."""
        accepted, rejected = [], []
        with self._lock:
            for number in numbers:
                if number in self._refused:
                    rejected.append(_rejected(number, -18010012, "The format of data number is invalid."))
                elif number in self._registered:
                    rejected.append(_rejected(number, -18019901, f"Tracking number {number} is already registered."))
                else:
                    self._registered.add(number)
                    accepted.append({"origin": 1, "number": number, "carrier": 190000})
        return {"code": 0, "data": {"accepted": accepted, "rejected": rejected}}

    def track_info(self, numbers: Sequence[str]) -> dict[str, Any]:
        """17TRACK's gettrackinfo."""
        if len(numbers) > 40:
            wrong = {"code": -18010014, "message": "Tracking numbers exceed the 40 limit."}
            return {"code": -18010014, "data": {"errors": [wrong]}}
        accepted, rejected = [], []
        for number in numbers:
            if number in self._refused:
                rejected.append(_rejected(number, -18010012, "The format of data number is invalid."))
            elif number not in self._registered:
                rejected.append(
                    _rejected(number, -18019902, f"Tracking number {number} is not registered yet. Register first.")
                )
            else:
                accepted.append(_track_info(number, self._told(number)))
        return {"code": 0, "data": {"accepted": accepted, "rejected": rejected}}

    def plain(self, numbers: Sequence[str]) -> dict[str, Any] | None:
        """The plain shape; None when the batch is refused."""
        if self._refused & set(numbers):
            return None
        return {"data": {"parcels": [_plain(number, self._told(number)) for number in numbers]}}

    def _told(self, number: str) -> list[Scan]:
        with self._lock:
            scans = self._scans.get(number, [])
        return sorted((scan for scan in scans if scan.at <= self.now()), key=lambda scan: scan.at, reverse=True)


def _rejected(number: str, code: int, message: str) -> dict[str, Any]:
    return {"number": number, "error": {"code": code, "message": message}}


def _track_info(number: str, scans: Sequence[Scan]) -> dict[str, Any]:
    newest = scans[0].code if scans else "NotFound_Other"
    events = [
        {
            "time_iso": scan.at.astimezone(LOCAL).isoformat(),
            "time_utc": scan.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": scan.text,
            "location": scan.place,
            "stage": scan.code.split("_")[0],
            "sub_status": scan.code,
        }
        for scan in scans
    ]
    return {
        "number": number,
        "carrier": 190000,
        "track_info": {
            "latest_status": {"status": newest.split("_")[0], "sub_status": newest},
            "latest_event": events[0] if events else None,
            "tracking": {"providers": [{"provider": {"key": 190000, "name": "Simulated"}, "events": events}]},
        },
    }


def _plain(number: str, scans: Sequence[Scan]) -> dict[str, Any]:
    history = [
        {
            "code": PLAIN_CODES[scan.code],
            "when": scan.at.astimezone(LOCAL).strftime("%d/%m/%Y %H:%M"),
            "city": scan.place,
            "note": scan.text,
        }
        for scan in scans
    ]
    return {"id": number, "history": history}


class _Server(ThreadingHTTPServer):
    """Remembers its connections, so that stopping leaves none open."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Also remember the connection."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Also forget the connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End what every thread still reads or writes."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other side was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is no error of ours."""


def _handler(courier: Courier) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/simulation/requests":
                self._json(courier.requests)
                return
            numbers = [number for number in parse_qs(parts.query).get("ids", [""])[0].split(",") if number]
            if parts.path != "/parcels" or not numbers:
                self._json({"error": "nothing here"}, 404)
                return
            answer = courier.plain(numbers)
            self._tell(parts.path, numbers, answer, 200 if answer is not None else 400)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = urlsplit(self.path).path
            document = json.loads(body)
            if path == "/simulation/moods":
                courier.feel(Mood(document["mood"]), int(document.get("times", 1)), number=document.get("number"))
                self._json({})
                return
            numbers = [str(item["number"]) for item in document]
            if path.endswith("/register"):
                self._tell(path, numbers, courier.register(numbers))
            elif path.endswith("/gettrackinfo"):
                self._tell(path, numbers, courier.track_info(numbers))
            else:
                self._json({"error": "nothing here"}, 404)

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            number = unquote(urlsplit(self.path).path.rpartition("/")[2])
            courier.script(
                number,
                [
                    Scan(datetime.fromisoformat(scan["at"]), scan["code"], scan.get("text", ""), scan.get("place", ""))
                    for scan in json.loads(body)
                ],
            )
            self._json({})

        def _tell(self, path: str, numbers: Sequence[str], answer: Any, status: int = 200) -> None:
            courier.requests.append((path, tuple(numbers)))
            if KEY not in (self.headers.get("17token"), self.headers.get("X-Key")):
                self._json({"error": "who are you?"}, 401)
                return
            mood = courier.mood_for(numbers)
            if mood is None:
                self._json(answer if answer is not None else {"error": "one of the numbers is wrong"}, status)
            else:
                _moody(self, courier, mood, answer)

        def _json(self, document: Any, status: int = 200) -> None:
            answer(self, status, json.dumps(document).encode())

    return Handler


def answer(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, *, kind: str = "application/json",
    length: int | None = None, headers: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Send one answer; `length` may lie."""
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def _moody(handler: BaseHTTPRequestHandler, courier: Courier, mood: Mood, document: Any) -> None:
    whole = json.dumps(document).encode()
    if mood is Mood.HANG:
        courier.wait(60)
        handler.close_connection = True
    elif mood is Mood.DROP:
        answer(handler, 200, whole[: len(whole) // 2], length=len(whole))
        handler.close_connection = True
    elif mood is Mood.DRIP:
        answer(handler, 200, b"", length=10_000_000)
        while not courier.wait(0.01):
            handler.wfile.write(b" ")
    elif mood is Mood.HUGE:
        answer(handler, 200, b" " * (9 * 1024 * 1024) + whole)
    elif mood is Mood.HALF_WRONG:
        answer(handler, 200, json.dumps(_half_wrong(document)).encode())
    else:
        until = format_datetime(courier.now().astimezone(UTC) + timedelta(seconds=courier.patience), usegmt=True)
        simple: dict[Mood, tuple[int, bytes, str, dict[str, str]]] = {
            Mood.HTML: (200, b"<html><body>We are sorry.</body></html>", "text/html", {}),
            Mood.TOO_MANY: (429, b"{}", "application/json", {"Retry-After": str(courier.patience)}),
            Mood.TOO_MANY_UNTIL: (429, b"{}", "application/json", {"Retry-After": until}),
            Mood.BUSY: (503, b"busy", "text/plain", {}),
            Mood.ERROR: (500, b"oops", "text/plain", {}),
            Mood.FORBIDDEN: (401, b"{}", "application/json", {}),
            Mood.REDIRECT: (302, b"", "text/plain", {"Location": courier.url + "/elsewhere"}),
            Mood.CUT: (200, whole[:-2], "application/json", {}),
            Mood.EMPTY: (200, b"{}", "application/json", {}),
        }
        status, body, kind, headers = simple[mood]
        answer(handler, status, body, kind=kind, headers=headers)


def _half_wrong(document: Any) -> Any:
    """Nonsense beside what is right: the first parcel is broken, the others have one broken event each."""
    if "code" in document:
        entries = document["data"]["accepted"]
        listed = [entry["track_info"]["tracking"]["providers"][0]["events"] for entry in entries]
        nonsense: Any = {"time_utc": "yesterday", "sub_status": 7}
    else:
        entries = document["data"]["parcels"]
        listed = [entry["history"] for entry in entries]
        nonsense = {"when": "31/02/2026 25:61", "code": ["?"]}
    for events in listed:
        events += [nonsense, None, "scan"]
    if entries:
        entries[0] = "parcel"
        entries += [None, {"id": None, "number": 7}]
    return document


def main() -> None:
    """Run it until interrupted."""
    parser = argparse.ArgumentParser(description="A simulated courier on this machine.")
    parser.add_argument("--port", type=int, default=8322)
    with Courier(port=parser.parse_args().port) as courier:
        print(f"A simulated courier listens at {courier.url} (17TRACK's shape below /track/v2.2, its own at /parcels).")
        print("Its key is", KEY)
        try:
            while not courier.wait(3600):
                pass
        except KeyboardInterrupt:
            print("bye")


if __name__ == "__main__":
    main()
