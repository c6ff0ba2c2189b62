"""The list an agent works through: one line a late parcel, closed once, with words to start from."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from api.contacts import wording
from api.contacts.service import open_contact
from api.contacts.tables import Contact
from api.shipments.tables import Shipment
from api.shipments.tracking import Status, event
from tests.api.shipments.conftest import Warehouse

Keys = dict[str, dict[str, str]]


@pytest.fixture
def late(warehouse: Warehouse, client: TestClient, keys: Keys) -> str:
    """The id of the contact of a parcel that is late."""
    warehouse.send("LP1", carrier="pigeon", promise=1)
    warehouse.pass_days(2)
    (contact,) = client.get("/v1/contacts?state=open", headers=keys["support"]).json()["items"]
    identity: str = contact["id"]
    return identity


def resolve(client: TestClient, keys: Keys, contact: str, **document: str) -> Any:
    return client.post(f"/v1/contacts/{contact}/resolve", json=document, headers=keys["support"])


def test_resolving_is_idempotent_and_final(client: TestClient, keys: Keys, late: str) -> None:
    first = resolve(client, keys, late, outcome="contacted", note="called Ana")
    assert first.status_code == 200
    assert (first.json()["state"], first.json()["outcome"], first.json()["note"]) == (
        "resolved", "contacted", "called Ana",
    )  # fmt: skip
    assert first.json()["resolved_by"] in keys["support"]["Authorization"]
    again = resolve(client, keys, late, outcome="contacted")
    assert again.status_code == 200
    assert again.json() == first.json()
    other = resolve(client, keys, late, outcome="refunded")
    assert other.status_code == 409
    assert other.json()["outcome"] == "contacted"
    assert client.get("/v1/contacts?state=open", headers=keys["support"]).json()["items"] == []


def test_a_resolved_contact_does_not_come_back(client: TestClient, keys: Keys, late: str, warehouse: Warehouse) -> None:
    resolve(client, keys, late, outcome="contacted")
    warehouse.pass_days(5, every=1)
    assert client.get("/v1/contacts?state=open", headers=keys["support"]).json()["items"] == []


def test_what_cannot_be_resolved(client: TestClient, keys: Keys, late: str) -> None:
    assert resolve(client, keys, "nobody", outcome="contacted").status_code == 404
    assert resolve(client, keys, late, outcome="delivered").status_code == 422
    assert resolve(client, keys, late, outcome="contacted", tone="kind").status_code == 422
    station = client.post(f"/v1/contacts/{late}/resolve", json={"outcome": "contacted"}, headers=keys["station"])
    assert station.status_code == 403


def test_the_longest_waiting_comes_first_page_by_page(client: TestClient, keys: Keys, warehouse: Warehouse) -> None:
    for index in range(5):
        warehouse.send(f"LP{index}", carrier="pigeon", promise=5 - index)
    warehouse.pass_days(7)
    seen: list[str] = []
    cursor = ""
    while True:
        page = client.get(f"/v1/contacts?limit=2{cursor}", headers=keys["warehouse"]).json()
        seen += [contact["tracking_number"] for contact in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == ["LP4", "LP3", "LP2", "LP1", "LP0"]


def test_two_workers_at_once_open_one_contact(warehouse: Warehouse) -> None:
    warehouse.send("LP1", promise=1)
    services, start = warehouse.services, threading.Barrier(2)

    def work() -> None:
        with services.database.reading() as session:
            shipment = session.get_one(Shipment, "S-LP1")
        start.wait()
        with services.database.writing() as session:
            open_contact(session, shipment, services.clock(), services.new_id)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with services.database.reading() as session:
        assert len(session.scalars(select(Contact)).all()) == 1


def test_without_a_customer_there_is_still_a_contact(client: TestClient, keys: Keys, warehouse: Warehouse) -> None:
    warehouse.send("LP1", carrier="pigeon", promise=1)
    document = {"tracking_number": "LP1", "promised_by": "2026-11-23", "customer": None}
    client.put("/v1/orders/O-LP1", json=document, headers=keys["warehouse"])
    warehouse.pass_days(2)
    (contact,) = client.get("/v1/contacts", headers=keys["support"]).json()["items"]
    assert contact["customer"] is None
    assert contact["suggestion"]["text"].startswith("Hello, your order O-LP1 was promised for 23 November 2026")


FACTS = wording.Facts(
    "A1", "Ana", date(2026, 11, 25), "correios", "LP1",
    event(datetime(2026, 11, 24, 20, tzinfo=UTC), Status.CUSTOMS, "Held by customs.", "Curitiba"),
    ZoneInfo("Asia/Shanghai"),
)  # fmt: skip


def test_the_words() -> None:
    assert wording.suggestion(FACTS, "en") == (
        "Hello Ana, your order A1 was promised for 25 November 2026 and has not arrived. We are sorry. The last that "
        "correios told us (LP1), on 25 November 2026 in Curitiba: Held by customs. We are asking them where it is and "
        "will write again as soon as we know more."
    )
    assert wording.suggestion(FACTS, "zh") == (
        "Ana，您好！您的订单 A1 原定于2026年11月25日送达，目前尚未送达，非常抱歉。correios（单号 LP1）的最新记录"
        "（11月25日，Curitiba）：Held by customs。我们正在向快递公司查询，一有进展会立即告知您。"
    )


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("zh", "zh"), ("zh-Hant-TW", "zh"), ("ZH_cn", "zh"), ("en-GB", "en"), ("pt", "en"), ("", "en"), (None, "en")],
)
def test_the_language(asked: str | None, spoken: str) -> None:
    assert wording.language_of(asked) == spoken


@given(st.sampled_from(list(Status)), st.sampled_from(["en", "zh"]), st.integers(0, 400))
def test_there_are_words_for_every_status(status: Status, language: str, days: int) -> None:
    newest = event(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days), status)
    facts = wording.Facts("A1", None, date(2026, 11, 25), "c", "LP1", newest, ZoneInfo("UTC"))
    text = wording.suggestion(facts, language)
    assert "A1" in text
    assert "None" not in text
