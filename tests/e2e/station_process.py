"""`lastlook station` as a process of its own, and pictures of which the real eye's verdict is known."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from inspector import Inspector, decode

ROOT = Path(__file__).parents[2]


@cache
def pictures() -> dict[str, Path]:
    """A picture that the shipped model releases, and one that it holds, from those that came with it."""
    eye = Inspector.load()
    found: dict[str, Path] = {}
    for path in sorted(ROOT.glob("models/parcel/*/golden/*.jpg")):
        decision = eye.inspect([decode(path.read_bytes(), name=path.name)]).decision
        found.setdefault(decision.value, path)
    assert {"release", "hold"} <= found.keys()
    return found


def camera_folder(folder: Path, *decisions: str) -> Path:
    """A folder for a folder camera: one picture for each wanted decision, in this order."""
    folder.mkdir()
    for n, decision in enumerate(decisions):
        if decision == "retake":
            cv2.imwrite(str(folder / f"{n}-没有包裹.png"), _sign())
        else:
            shutil.copy(pictures()[decision], folder / f"{n}-{decision}.jpg")
    return folder


def _sign() -> np.ndarray:
    """A road sign: sharp, well lit, and surely no parcel."""
    picture = np.full((360, 480, 3), 235, np.uint8)
    cv2.circle(picture, (240, 180), 120, (30, 30, 200), -1)
    cv2.rectangle(picture, (160, 165), (320, 195), (255, 255, 255), -1)
    return picture


class StationProcess:
    """Start, kill, start again on the same data folder."""

    def __init__(self, folder: Path, api: str, settings: str) -> None:
        self.folder = folder
        self.config = folder / "station.toml"
        self.config.write_text(settings, encoding="utf-8")
        self.arguments = ["--config", str(self.config), "--api", api, "--data", str(folder / "data"), "--port", "0"]
        self.log = folder / "station.log"
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Returns when the kiosk listens."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lastlook", "station", *self.arguments],
                cwd=self.folder,
                env=dict(os.environ, PYTHONPATH=str(ROOT), LASTLOOK_STATION_KEY="ll_station_test"),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        said, found = "", None
        while found is None and (line := self.process.stdout.readline()):
            said += line
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, f"no kiosk: {said} {self.log.read_text()}"
        self.url = found[0]

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process and wait for it."""
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
