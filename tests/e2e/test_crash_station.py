"""kill -9 of a station at any moment loses nothing that it acknowledged and doubles nothing."""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets import Origin
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.e2e.recording_api import RecordingApi
from tests.e2e.station_process import StationProcess, camera_folder

pytestmark = pytest.mark.process
KILLS = 4
SETTINGS = '[camera]\nkind = "folder"\npath = "pictures"\n[trigger]\nauto = false\n'


class Packer(threading.Thread):
    """Scans and takes pictures as fast as the station lets it, and notes every verdict that the kiosk showed."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url.rstrip("/")
        self.shown: set[str] = set()
        self.first = threading.Event()

    def run(self) -> None:
        try:
            with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as web:
                token = re.search(r'name="token" content="([^"]+)"', web.get("/").text)
                assert token
                web.headers["X-Lastlook-Token"] = token[1]
                address = self.url.replace("http", "ws", 1) + "/live"
                with connect(address, origin=Origin(self.url), proxy=None) as live:
                    self.pack(web, live)
        except (httpx.HTTPError, WebSocketException, OSError):
            return  # the station was killed

    def pack(self, web: httpx.Client, live: Any) -> None:
        n = 0
        while True:
            n += 1
            web.post("/api/scan", json={"text": f"A-{n % 2 + 1}"})
            if web.post("/api/take").status_code != 204:
                time.sleep(0.05)  # the camera is not there yet
                continue
            while (parcel := json.loads(live.recv(timeout=60))["parcel"])["phase"] not in ("released", "held"):
                pass
            self.shown.add(parcel["inspection"])
            self.first.set()


def test_what_the_kiosk_showed_reaches_the_api_once_whatever_was_killed(tmp_path: Path) -> None:
    camera_folder(tmp_path / "pictures", "release", "hold")
    api = RecordingApi({"A-1": {}, "A-2": {}})
    api.start()
    station = StationProcess(tmp_path, api.address, SETTINGS)
    rng = random.Random(4)
    shown: set[str] = set()
    try:
        for round_ in range(KILLS):
            if round_ == 2:
                api.stop()  # orders come from memory, and the queue grows over two lives of the station
            station.start()
            packer = Packer(station.url)
            packer.start()
            assert packer.first.wait(120), station.log.read_text()
            packer.join(rng.uniform(0.0, 1.5))
            station.end(signal.SIGKILL)
            packer.join(60)
            shown |= packer.shown
            if round_ == 3:
                api.start()
        assert len(shown) >= KILLS
        station.start()
        wait_until_sent(tmp_path / "data" / "spool.sqlite3")
        station.end()
    finally:
        if station.process is not None:
            station.end(signal.SIGKILL)
        api.stop()
    sent = api.inspections()
    assert shown <= sent.keys(), "something that was shown is lost"
    assert {len(contents) for contents in sent.values()} == {1}, "the same id must always carry the same content"
    spooled = sqlite3.connect(tmp_path / "data" / "spool.sqlite3")
    rows = spooled.execute("select inspection, state from entry").fetchall()
    spooled.close()
    assert {inspection for inspection, _ in rows} == sent.keys()
    assert len(rows) == len(sent)
    assert {state for _, state in rows} == {"sent"}


def wait_until_sent(path: Path, seconds: float = 180.0) -> None:
    """Until nothing waits in the spool."""
    end = time.monotonic() + seconds
    while True:
        reader = sqlite3.connect(path)
        waiting = reader.execute("select count(*) from entry where state = 'waiting'").fetchone()[0]
        reader.close()
        if waiting == 0:
            return
        assert time.monotonic() < end, f"{waiting} still wait"
        time.sleep(0.1)
