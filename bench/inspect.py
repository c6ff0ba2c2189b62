"""How fast a parcel is judged, against its floor: decoding alone and the bare runs of the network.

usage: python -m bench.inspect [--runs 100] [--picture FILE] [--engine openvino] [--model VERSION] [--no-http]

A judgement looks twice, so its floor is two bare `session.run` calls; the ratio to one call is printed as well.
HTTP is measured on a server of its own process with a raw JPEG body, by 1 and 4 clients that each keep one connection.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil

import models
from inspector import Inspector, InspectorSettings, PackingSpec, decode
from inspector.detector import crop_around, decode_boxes, place, to_input
from inspector.runtime import EngineName, open_engine
from lastlook import keep_memory

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "demo" / "pictures" / "01-intact-carton.jpg"


@dataclass(frozen=True)
class Cost:
    """Milliseconds: wall at the median and the 95th percentile, processor time per call."""

    p50: float
    p95: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.p50:8.2f} {self.p95:8.2f} {self.cpu:8.2f}"


def measure(call: Callable[[], object], runs: int) -> Cost:
    """Call it 10 times unmeasured and `runs` times measured."""
    for _ in range(10):
        call()
    walls = []
    cpu = time.process_time()
    for _ in range(runs):
        started = time.perf_counter()
        call()
        walls.append(1e3 * (time.perf_counter() - started))
    cpu = 1e3 * (time.process_time() - cpu) / runs
    return Cost(float(np.percentile(walls, 50)), float(np.percentile(walls, 95)), cpu)


def in_process(data: bytes, runs: int, engine_name: EngineName, version: str | None) -> dict[str, Cost]:
    """Each step alone, and the whole."""
    model = models.load("parcel", version)
    card = model.card
    files = model.onnx.name, card.close.file if card.close else model.onnx.name
    engines = [open_engine(engine_name, model.folder / file, side=card.input.side) for file in files]
    eye = Inspector.load(InspectorSettings(engine=engine_name), model)
    frame = decode(data, name="bench.jpg")
    view = eye.look(frame)
    if view.main is None:
        raise SystemExit("the picture shows no parcel: nothing to measure")
    crop, left, top = crop_around(frame.bgr, view.main.box, model.card.crop_margin)
    far, near = (place(picture, model.card.input.side) for picture in (frame.bgr, crop))
    batches = [to_input(canvas) for canvas, _ in (far, near)]
    outputs = [engine.infer(batch) for engine, batch in zip(engines, batches, strict=True)]

    def preprocess() -> None:
        to_input(place(frame.bgr, model.card.input.side)[0])
        to_input(place(crop, model.card.input.side, left, top)[0])

    def bare() -> None:
        for engine, batch in zip(engines, batches, strict=True):
            engine.infer(batch)

    def postprocess() -> None:
        for raw, (_, placement) in zip(outputs, (far, near), strict=True):
            decode_boxes(raw["boxes"][0], raw["scores"][0], raw["rotations"][0], placement, floor=0.1, iou=0.5)

    labelled = PackingSpec(tracking_number="LL000000001", marks=frozenset({"fragile"}))
    return {
        "decode": measure(lambda: decode(data, name="bench.jpg"), runs),
        "preprocess, two looks": measure(preprocess, runs),
        "bare session.run, far": measure(lambda: engines[0].infer(batches[0]), runs),
        "bare session.run, close": measure(lambda: engines[1].infer(batches[1]), runs),
        "bare session.run, two": measure(bare, runs),
        "postprocess, two looks": measure(postprocess, runs),
        "judged, without decode": measure(lambda: eye.inspect([frame]), runs),
        "judged, marks and label too": measure(lambda: eye.inspect([frame], labelled), runs),
        "decoded and judged": measure(lambda: eye.inspect([decode(data, name="bench.jpg")]), runs),
    }


@dataclass(frozen=True)
class Server:
    """A server under measurement."""

    url: str
    key: str
    process: psutil.Process
    ready_s: float


@contextmanager
def served(engine: EngineName) -> Iterator[Server]:
    """`lastlook serve` on a free port with a fresh folder; stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        environment = {**os.environ, "LASTLOOK_DATA": data, "LASTLOOK_PORT": str(port), "LASTLOOK_HOST": "127.0.0.1"}
        environment["LASTLOOK_ENGINE"] = engine
        create = [sys.executable, "-m", "lastlook", "keys", "create", "bench", "--scope", "station"]
        made = subprocess.run(create, env=environment, check=True, capture_output=True, text=True)
        key = re.search(r"ll_[\w-]+", made.stdout)
        if key is None:
            raise SystemExit(f"no key in {made.stdout!r}")
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "lastlook", "serve"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                url = f"http://127.0.0.1:{port}"
                wait_until_ready(url, process)
                yield Server(url, key.group(), psutil.Process(process.pid), time.perf_counter() - started)
            finally:
                process.terminate()


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Ask /readyz every 10 ms."""
    with httpx.Client() as client:  # one for all: making a client takes more of the processor than the question
        for _ in range(6000):
            if process.poll() is not None:
                raise SystemExit("the server stopped before it was ready")
            try:
                if client.get(f"{url}/readyz").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.01)
    raise SystemExit("the server was not ready within a minute")


def over_http(server: Server, data: bytes, clients: int, runs: int) -> tuple[Cost, float]:
    """(cost of a request, requests per second); processor time is the server's."""
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "image/jpeg"}
    walls: list[float] = []

    def client() -> None:
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as session:
            for _ in range(runs):
                started = time.perf_counter()
                session.post("/v1/inspect", content=data).raise_for_status()
                walls.append(1e3 * (time.perf_counter() - started))

    before = sum(server.process.cpu_times()[:2])
    started = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    cpu = 1e3 * (sum(server.process.cpu_times()[:2]) - before) / len(walls)
    return Cost(float(np.percentile(walls, 50)), float(np.percentile(walls, 95)), cpu), len(walls) / took


def main() -> None:
    """Print the tables."""
    keep_memory()  # as every command does
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--no-http", action="store_true")
    parser.add_argument("--engine", choices=["onnxruntime", "openvino"], default="onnxruntime")
    parser.add_argument("--model", help="version of the parcel model; the active one without it")
    options = parser.parse_args()
    data = options.picture.read_bytes()
    width, height = decode(data, name=options.picture.name).size
    print(f"{options.picture.name}, {width} x {height}, {len(data) / 1e3:.0f} kB, {os.cpu_count()} cores")
    costs = in_process(data, options.runs, options.engine, options.model)
    floor, one = costs["bare session.run, two"], costs["bare session.run, far"]
    print(f"{'in process, ms':30} {'p50':>8} {'p95':>8} {'cpu':>8}   of both runs  of the far")
    for name, cost in costs.items():
        print(f"{name:30} {cost}   {cost.p50 / floor.p50:9.2f} x {cost.p50 / one.p50:10.2f} x")
    if options.no_http:
        return
    bound = floor.p50 + costs["decode"].p50 + 3
    with served(options.engine) as server:
        over_http(server, data, 1, 10)
        for clients in (1, 4):
            cost, rate = over_http(server, data, clients, options.runs)
            goal = f", goal {bound:.1f} ms" if clients == 1 else ""
            print(
                f"{f'HTTP, {clients} client(s)':30} {cost}   {cost.p50 / floor.p50:9.2f} x, {rate:.1f} requests/s{goal}"
            )
        memory = server.process.memory_info().rss / 1e6
        print(f"ready after {server.ready_s:.2f} s (goal 1.5), RSS {memory:.0f} MB (goal 300)")


if __name__ == "__main__":
    main()
