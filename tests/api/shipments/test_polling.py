"""Any number of workers, slow couriers, sudden deaths: each parcel is asked once at a time, none is forgotten."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.shipments import polling, settling
from api.shipments.carriers import NotFound
from api.shipments.jobs import Poller
from api.shipments.settling import Circumstances
from api.shipments.tables import CarrierPace, Poll, Shipment, TrackingEventRow
from demo.courier import Courier, Mood, late_journey, prompt_journey
from tests.api.shipments.conftest import ENVIRONMENT, Warehouse


def poll_of(warehouse: Warehouse, number: str) -> Poll:
    with warehouse.services.database.reading() as session:
        return session.get_one(Poll, f"S-{number}")


def parcel(warehouse: Warehouse, number: str) -> Shipment:
    with warehouse.services.database.reading() as session:
        return session.get_one(Shipment, f"S-{number}")


def asked(courier: Courier) -> Counter[str]:
    """How often each number was asked for."""
    return Counter(number for path, numbers in courier.requests if "register" not in path for number in numbers)


@pytest.fixture
def second(poller: Poller) -> Iterator[Poller]:
    """Another worker."""
    second = Poller(random.Random(8), ENVIRONMENT, patience=None)
    yield second
    second.close()


def test_two_workers_at_once_ask_for_no_number_twice(warehouse: Warehouse, courier: Courier, second: Poller) -> None:
    numbers = [f"LP{index}" for index in range(120)]
    for number in numbers:
        courier.script(number, late_journey(warehouse.clock() - timedelta(days=2)))
        warehouse.send(number)
    stop, start = threading.Event(), threading.Barrier(2)

    def work(poller: Poller) -> None:
        start.wait()
        poller.run(warehouse.services, stop)

    threads = [threading.Thread(target=work, args=(poller,)) for poller in (warehouse.poller, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked(courier) == dict.fromkeys(numbers, 1)
    with warehouse.services.database.reading() as session:
        assert len(session.scalars(select(TrackingEventRow.content_hash)).all()) == 3 * len(numbers)
        assert set(session.scalars(select(Poll.lease))) == {None}


def test_a_leased_parcel_is_left_alone_until_the_lease_runs_out(warehouse: Warehouse, courier: Courier) -> None:
    warehouse.send("LP1")
    claim(warehouse, "dead worker")
    warehouse.clock.advance(seconds=polling.LEASE.total_seconds() - 1)
    warehouse.work()
    assert courier.requests == []
    warehouse.clock.advance(seconds=1)
    warehouse.work()
    assert asked(courier) == {"LP1": 1}


def test_an_answer_that_comes_after_the_lease_is_not_taken(warehouse: Warehouse, courier: Courier) -> None:
    warehouse.send("LP1")
    slow = claim(warehouse, "slow worker")
    warehouse.clock.advance(minutes=6)
    courier.script("LP1", prompt_journey(warehouse.clock() - timedelta(days=2)))
    warehouse.work()
    world = Circumstances(warehouse.clock(), "UTC", random.Random(1), warehouse.services.new_id)
    with warehouse.services.database.writing() as session:
        assert polling.take_answers(session, slow, {"LP1": NotFound()}, world) == 0
    assert parcel(warehouse, "LP1").status == "delivered"


@pytest.mark.parametrize("mood", [Mood.TOO_MANY, Mood.TOO_MANY_UNTIL, Mood.BUSY])
def test_patience_holds_for_the_whole_courier_and_is_no_failure(
    warehouse: Warehouse, courier: Courier, mood: Mood
) -> None:
    warehouse.send("LP1")
    courier.feel(mood)
    warehouse.work()
    assert poll_of(warehouse, "LP1").fails == 0
    warehouse.send("LP2")  # due at once, but the courier wants to be left alone
    wait = 60 if mood is Mood.BUSY else courier.patience
    warehouse.clock.advance(seconds=wait - 1)
    warehouse.work()
    assert asked(courier) == {"LP1": 1}
    warehouse.clock.advance(seconds=2)
    warehouse.work()
    assert asked(courier) == {"LP1": 2, "LP2": 1}


def test_failures_are_asked_again_ever_later_and_forgiven_at_once(warehouse: Warehouse, courier: Courier) -> None:
    warehouse.send("LP1", promise=30)
    courier.feel(Mood.HTML, 4)
    waits = []
    for _ in range(4):
        warehouse.work()
        due = poll_of(warehouse, "LP1").next_poll_at
        assert due is not None
        waits.append(due - warehouse.clock())
        warehouse.clock.now = due
    assert all(timedelta(seconds=30) * 2**n <= wait <= timedelta(minutes=1) * 2**n for n, wait in enumerate(waits))
    assert parcel(warehouse, "LP1").problem == "the courier answered with an HTML page"
    warehouse.work()
    assert (poll_of(warehouse, "LP1").fails, parcel(warehouse, "LP1").problem) == (0, None)


def test_a_refused_number_is_asked_once_a_day(warehouse: Warehouse, courier: Courier) -> None:
    warehouse.send("BAD", promise=30)
    warehouse.send("LP1", promise=30)
    courier.script("LP1", late_journey(warehouse.clock()))
    courier.refuse("BAD")
    warehouse.pass_days(3, every=1 / 8)
    assert parcel(warehouse, "BAD").problem == "the courier refuses this number (HTTP 400)"
    assert parcel(warehouse, "LP1").status == "delayed"
    alone = Counter(numbers for _path, numbers in courier.requests)
    assert alone["BAD",] <= 3


def test_an_answer_that_cannot_be_kept_costs_no_other_parcel_its_answer(
    warehouse: Warehouse, courier: Courier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number in ("LP1", "LP2", "LP3"):
        courier.script(number, late_journey(warehouse.clock() - timedelta(days=2)))
        warehouse.send(number)
    keep = settling._keep

    def broken(session: object, shipment_id: str, *rest: object) -> None:
        keep(session, shipment_id, *rest)  # type: ignore[arg-type]
        if shipment_id == "S-LP2":
            raise ValueError("a bug")

    monkeypatch.setattr(settling, "_keep", broken)
    warehouse.work()
    assert [parcel(warehouse, number).status for number in ("LP1", "LP2", "LP3")] == [
        "delayed", "label_created", "delayed",
    ]  # fmt: skip
    assert poll_of(warehouse, "LP2").fails == 1
    assert "could not be kept" in caplog.text
    monkeypatch.undo()
    warehouse.pass_days(0.25)
    assert parcel(warehouse, "LP2").status == "delayed"


def test_the_pace_is_the_couriers_however_many_workers_ask(
    warehouse: Warehouse, courier: Courier, carriers_file: Path, second: Poller
) -> None:
    slow = carriers_file.read_text().replace("requests_per_second = 50", "requests_per_second = 2")
    carriers_file.write_text(slow.replace("batch_size = 20", "batch_size = 1"))
    for index in range(12):
        warehouse.send(f"LP{index}")
    for _ in range(3):
        for poller in (warehouse.poller, second):
            poller.run(warehouse.services, threading.Event())
        warehouse.clock.advance(seconds=1)
    assert len(courier.requests) == 6


def test_a_broken_edit_of_the_couriers_file_keeps_the_couriers(
    warehouse: Warehouse, courier: Courier, carriers_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = carriers_file.read_text()
    warehouse.send("LP1")
    warehouse.work()
    rewrite(carriers_file, good.replace("kind", "sort", 1), 1)
    warehouse.pass_days(1)
    assert asked(courier)["LP1"] > 1
    assert caplog.text.count("couriers stay as they were") == 1
    rewrite(carriers_file, good.replace("[carriers.17]", "[carriers.Post]"), 2)
    warehouse.work()
    assert "carriers.Post" in caplog.text


def test_a_courier_that_thinks_delays_no_other(warehouse: Warehouse, courier: Courier) -> None:
    poller = Poller(random.Random(9), ENVIRONMENT, patience=0.05)
    warehouse.send("SLOW", carrier="17")
    courier.feel(Mood.HANG, number="SLOW")
    poller.run(warehouse.services, threading.Event())
    warehouse.send("LP1", carrier="house")
    courier.script("LP1", prompt_journey(warehouse.clock() - timedelta(days=2)))
    while parcel(warehouse, "LP1").status != "delivered":
        poller.run(warehouse.services, threading.Event())
    assert asked(courier)["SLOW"] == 1
    courier.calm()
    for thread in poller._threads.values():
        thread.join()
    poller.close()


def test_an_empty_warehouse_asks_nobody(warehouse: Warehouse, courier: Courier) -> None:
    warehouse.work()
    assert courier.requests == []
    with warehouse.services.database.reading() as session:
        assert session.scalars(select(CarrierPace)).all() == []


def test_the_queue_has_an_age_in_the_metrics(warehouse: Warehouse, client: TestClient) -> None:
    warehouse.send("LP1", carrier="pigeon")
    warehouse.clock.advance(minutes=7)
    assert "lastlook_poll_queue_age_seconds 420.0" in client.get("/metrics").text


@pytest.mark.process
def test_a_worker_killed_while_the_courier_thinks_loses_nothing(
    warehouse: Warehouse, courier: Courier, carriers_file: Path, database_url: str
) -> None:
    numbers = [f"LP{index}" for index in range(30)]
    for number in numbers:
        courier.script(number, late_journey(warehouse.clock() - timedelta(days=2)))
        warehouse.send(number)
    courier.feel(Mood.HANG, number="LP25")
    script = (
        "import sys, threading, random; from datetime import datetime; from pathlib import Path\n"
        "from api.app import open_services; from api.settings import Settings; from api.shipments.jobs import Poller\n"
        "now = datetime.fromisoformat(sys.argv[1])\n"
        "settings = Settings(data=Path(sys.argv[2]), database_url=sys.argv[3], carriers=Path(sys.argv[4]))\n"
        "Poller(random.Random(1), patience=None).run(open_services(settings, clock=lambda: now), threading.Event())\n"
    )
    data = str(warehouse.services.settings.data)
    arguments = [warehouse.clock().isoformat(), data, database_url, str(carriers_file)]
    worker = subprocess.Popen([sys.executable, "-c", script, *arguments], env={**os.environ, **ENVIRONMENT})
    try:
        while asked(courier)["LP25"] == 0:  # it hangs in the courier's second batch
            assert worker.poll() is None, "the worker ended before it could be killed"
            threading.Event().wait(0.01)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    warehouse.work()
    assert asked(courier) == dict.fromkeys(numbers, 1), "what it held is left to it while its lease stands"
    warehouse.clock.advance(seconds=polling.LEASE.total_seconds())
    warehouse.work()
    assert asked(courier) == {number: 1 + (index >= 20) for index, number in enumerate(numbers)}
    assert {parcel(warehouse, number).status for number in numbers} == {"delayed"}
    with warehouse.services.database.reading() as session:
        assert len(session.scalars(select(TrackingEventRow.content_hash)).all()) == 3 * len(numbers)


def claim(warehouse: Warehouse, lease: str) -> polling.Claim:
    with warehouse.services.database.writing() as session:
        claim = polling.claim_due(session, "house", warehouse.clock(), lease, batch_size=20, per_second=50)
    assert claim is not None
    return claim


def rewrite(path: Path, text: str, seconds: int) -> None:
    """An edit that the file's time shows, also on file systems with coarse times."""
    later = path.stat().st_mtime_ns + seconds * 10**9
    path.write_text(text)
    os.utime(path, ns=(later, later))
