"""kill -9 of the server at any moment loses nothing that was acknowledged and doubles nothing."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
THREADS = 4
KILLS = {False: 3, True: 1}  # with PostgreSQL what survives is mostly PostgreSQL's own doing


class Server:
    """`lastlook serve` as a process of its own, on one data folder."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self.environment = dict(os.environ, LASTLOOK_DATA=str(folder / "data"), PYTHONPATH=str(ROOT))
        if database_url:
            self.environment["LASTLOOK_DATABASE_URL"] = database_url
        self.log = folder / "server.log"
        self.key = ""
        self.address = ""
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns when it listens; takes the key from the first start."""
        port = self.address.rpartition(":")[2] or "0"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lastlook", "serve", "--port", port],
                cwd=self.log.parent, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"ll_\S+", line):
                assert not self.key, "the key was shown twice"
                self.key = found[0]
            if found := re.search(r"http://[\d.]+:\d+", line):
                self.address = found[0]
                return
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(20)
        assert self.process.stdout is not None
        print(self.log.read_text()[-4000:])  # what it said last, shown where the test fails
        self.process.stdout.close()
        return code

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, headers={"Authorization": f"Bearer {self.key}"}, timeout=10)


@dataclass
class Traffic:
    """Benches that send, and send again what was not acknowledged, as their spool does."""

    server: Server
    acknowledged: dict[str, str] = field(default_factory=dict)
    created: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    over: threading.Event = field(default_factory=threading.Event)

    def bench(self, number: int) -> None:
        count = 0
        with self.server.client() as client:
            while not self.over.is_set():
                identity = f"bench-{number}/{count}"
                if self.send(client, identity):
                    count += 1
                else:
                    self.over.wait(0.05)

    def send(self, client: httpx.Client, identity: str) -> bool:
        """True once it is acknowledged."""
        picture = picture_of(identity)
        try:
            answer = client.put(address_of(identity), files=form(identity, picture))
        except httpx.TransportError:
            with self.changed:
                self.broken += 1
            return False
        assert answer.status_code in (200, 201), answer.text
        with self.changed:
            self.created[identity] += answer.status_code == 201
            self.acknowledged[identity] = hashlib.sha256(picture).hexdigest()
            self.changed.notify_all()
        return True

    def wait_for(self, more: int) -> None:
        with self.changed:
            goal = len(self.acknowledged) + more
            assert self.changed.wait_for(lambda: len(self.acknowledged) >= goal, timeout=300)


def picture_of(identity: str) -> bytes:
    """A JPEG like no other, the same each time."""
    noise = np.random.default_rng(list(identity.encode())).integers(0, 256, (96, 96, 3), np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


def address_of(identity: str) -> str:
    return "/v1/inspections/" + identity.replace("/", "%2F")


def form(identity: str, picture: bytes) -> list[tuple[str, tuple[str | None, bytes, str]]]:
    empty: dict[str, Any] = {"result": "skipped", "findings": []}
    document = {
        "order": "A1",
        "station": identity.partition("/")[0],
        "captured_at": "2026-11-22T09:00:00Z",
        "frames": [{"name": "sealed.jpg", "stage": "sealed"}],
        "verdict": {
            "verdict": "hold",
            "reasons": [identity],
            "parcels": [],
            "models": [],
            "checks": {
                "integrity": empty,
                "marks": empty | {"detections": []},
                "contents": empty | {"items": []},
                "label": empty | {"codes": []},
            },
        },
    }
    return [
        ("inspection", (None, json.dumps(document).encode(), "application/json")),
        ("pictures", ("sealed.jpg", picture, "image/jpeg")),
    ]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    postgres = request.param == "postgresql"
    server = Server(tmp_path, request.getfixturevalue("empty_postgres") if postgres else None)
    server.start()
    yield server
    if server.process is not None and server.process.poll() is None:
        server.kill()


def test_killed_again_and_again_it_keeps_each_acknowledged_inspection_once(server: Server) -> None:
    rng = random.Random(7)
    traffic = Traffic(server)
    kills = KILLS["LASTLOOK_DATABASE_URL" in server.environment]
    benches = [threading.Thread(target=traffic.bench, args=(number,)) for number in range(THREADS)]
    for bench in benches:
        bench.start()
    try:
        for _ in range(kills):
            traffic.wait_for(rng.randint(3, 25))  # the other benches are anywhere in their requests now
            time.sleep(rng.uniform(0, 0.02))
            server.kill()
            server.start()
        traffic.wait_for(5)
    finally:
        traffic.over.set()
        for bench in benches:
            bench.join()
    assert traffic.broken >= kills, "no request was cut: this proved nothing"
    assert set(traffic.created.values()) <= {0, 1}, "one inspection was created twice"
    with server.client() as client:
        stored = listed(client)
        assert set(Counter(stored).values()) == {1}
        assert set(traffic.acknowledged) <= set(stored)
        for identity, digest in traffic.acknowledged.items():
            answer = client.get(f"{address_of(identity)}/pictures/sealed.jpg")
            assert hashlib.sha256(answer.content).hexdigest() == digest, identity
        for identity in stored:  # also those that were stored without anybody having been told
            assert traffic.send(client, identity)
        assert sorted(listed(client)) == sorted(stored)
    assert server.stop() in (0, -signal.SIGINT)


def test_stopped_while_its_eye_is_still_being_loaded_it_ends_as_it_should(tmp_path: Path) -> None:
    server = Server(tmp_path, None)
    server.start()  # the address is told before the models are there
    assert server.stop() in (0, -signal.SIGINT)


def listed(client: httpx.Client) -> list[str]:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/v1/inspections", params={"limit": "200"} | ({"cursor": cursor} if cursor else {})).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
    return found
