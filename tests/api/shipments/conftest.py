"""A courier of our own on loopback, and clients that talk to it."""

from __future__ import annotations

import random
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.context import Services
from api.orders.service import register
from api.settings import Settings
from api.shipments.carriers import CarrierClient, close_all, load_carriers
from api.shipments.jobs import Poller, watch_promises
from api.shipments.service import open_shipment
from demo.courier import KEY, Courier
from inspector.wire import OrderDocument
from tests.api.conftest import Clock

ENVIRONMENT = {"SEVENTEENTRACK_KEY": KEY, "HOUSE_KEY": KEY}


def carriers_toml(url: str, seconds: float = 60) -> str:
    """Both shapes of the simulated courier. seconds: how long it may take, for a step and for all."""
    return textwrap.dedent(
        f"""
        [carriers.17]
        kind = "17track"
        base_url = "{url}/track/v2.2"
        read_seconds = {seconds}
        total_seconds = {seconds}
        requests_per_second = 50

        [carriers.house]
        kind = "http"
        url = "{url}/parcels?ids={{numbers}}"
        headers = {{ X-Key = "${{HOUSE_KEY}}" }}
        batch_size = 20
        requests_per_second = 50
        read_seconds = {seconds}
        total_seconds = {seconds}
        zone = "America/Sao_Paulo"
        time_format = "%d/%m/%Y %H:%M"

        [carriers.house.answer]
        parcels = "data.parcels"
        number = "id"
        events = "history"
        time = "when"
        event_status = "code"
        text = "note"
        place = "city"

        [carriers.house.statuses]
        LBL = "label_created"
        COL = "picked_up"
        TRN = "in_transit"
        CUS = "customs"
        OFD = "out_for_delivery"
        PUP = "ready_for_pickup"
        ABS = "attempt_failed:consignee_not_available"
        DLY = "delayed"
        LST = "exception:lost"
        RTN = "returning"
        RTD = "returned"
        DLV = "delivered"
        """
    )


@pytest.fixture
def courier(clock: Clock) -> Iterator[Courier]:
    """A simulated courier that tells what has happened by the test's clock."""
    with Courier(now=clock) as courier:
        yield courier


@pytest.fixture
def carriers_file(courier: Courier, tmp_path: Path) -> Path:
    path = tmp_path / "couriers.toml"
    path.write_text(carriers_toml(courier.url), encoding="utf-8")
    return path


@pytest.fixture
def carriers(carriers_file: Path, clock: Clock) -> Iterator[dict[str, CarrierClient]]:
    clients = load_carriers(carriers_file, ENVIRONMENT, clock)
    yield clients
    close_all(clients)


@pytest.fixture(params=["17", "house"])
def shape(request: pytest.FixtureRequest) -> str:
    """Both shapes of the courier, one after the other."""
    name: str = request.param
    return name


@pytest.fixture
def carrier(shape: str, carriers: dict[str, CarrierClient]) -> CarrierClient:
    return carriers[shape]


@pytest.fixture
def settings(tmp_path: Path, database_url: str, carriers_file: Path) -> Settings:
    """The warehouse of these tests follows its parcels with the simulated courier."""
    return Settings(data=tmp_path / "data", database_url=database_url, carriers=carriers_file, zone="Asia/Shanghai")


@pytest.fixture
def poller() -> Iterator[Poller]:
    poller = Poller(random.Random(7), ENVIRONMENT, patience=None)
    yield poller
    poller.close()


@dataclass
class Warehouse:
    """Sends parcels off, lets time pass and runs the jobs, as the days of a test go by."""

    services: Services
    courier: Courier
    clock: Clock
    poller: Poller

    def send(
        self, number: str, *, order: str | None = None, carrier: str = "house", promise: int | None = 2,
        zone: str | None = "Asia/Shanghai", language: str | None = None, postcode: str = "21040-360",
    ) -> str:  # fmt: skip
        """Dispatch an order now, promised in `promise` days; returns the shipment's id."""
        document = OrderDocument.model_validate(
            {
                "tracking_number": number,
                "promised_by": None if promise is None else self.today(promise),
                "zone": zone,
                "destination": {"country": "BR", "postcode": postcode},
                "customer": {"name": "Ana", "email": "ana@example.com", "language": language},
            }
        )
        with self.services.database.writing() as session:
            kept, _ = register(session, order or f"O-{number}", document, self.clock(), 60, lambda _: None)
            sent = open_shipment(
                session, kept, carrier, number, self.clock(), shipment_id=f"S-{number}", now=self.clock()
            )
        if carrier == "17":
            self.courier.register([number])
        return sent.id

    def today(self, days: int = 0) -> date:
        """The date in the customers' zone, so many days from now."""
        return self.clock().astimezone(ZoneInfo("Asia/Shanghai")).date() + timedelta(days=days)

    def work(self) -> None:
        """What the worker does when it comes round."""
        stop = threading.Event()
        self.poller.run(self.services, stop)
        watch_promises(self.services, stop)

    def pass_days(self, days: float, every: float = 1 / 4) -> None:
        """Let time pass, with the worker at work every six hours."""
        end = self.clock() + timedelta(days=days)
        while self.clock() < end:
            self.clock.advance(days=min(every, (end - self.clock()) / timedelta(days=1)))
            self.work()


@pytest.fixture
def warehouse(services: Services, courier: Courier, clock: Clock, poller: Poller) -> Warehouse:
    return Warehouse(services, courier, clock, poller)
