"""Orders: registered once, changed with a revision, kept with any id a shop may use."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.context import Services
from api.orders import service
from api.orders.tables import Customer
from tests.api.making import on_sqlite_only

ORDER: dict[str, Any] = {
    "items": [{"item": "usb-cable", "quantity": 1}],
    "marks": ["fragile"],
    "packaging": "carton",
    "tracking_number": None,
    "promised_by": "2026-11-25",
    "zone": "Asia/Shanghai",
    "destination": {"country": "BR", "postcode": "01310"},
    "customer": {"name": "Ana", "email": "ana@example.com", "phone": None, "language": "pt"},
}
Keys = dict[str, dict[str, str]]


def test_the_same_order_twice_is_one_order(client: TestClient, keys: Keys, clock: Any) -> None:
    first = client.put("/v1/orders/A1", json=ORDER, headers=keys["warehouse"])
    clock.advance(hours=1)
    second = client.put("/v1/orders/A1", json=ORDER, headers=keys["warehouse"])
    assert (first.status_code, second.status_code) == (201, 200)
    assert (
        first.json()
        == second.json()
        == ORDER
        | {
            "id": "A1",
            "revision": 1,
            "created_at": "2026-11-22T09:00:00Z",
            "updated_at": "2026-11-22T09:00:00Z",
        }
    )
    assert client.get("/v1/orders/A1", headers=keys["warehouse"]).json() == first.json()


def test_a_new_packing_spec_is_a_new_revision_and_a_new_promise_is_not(client: TestClient, keys: Keys) -> None:
    def put(**changes: Any) -> int:
        revision: int = client.put("/v1/orders/A1", json=ORDER | changes, headers=keys["warehouse"]).json()["revision"]
        return revision

    assert put() == 1
    assert put(promised_by="2026-11-30", destination=None) == 1
    assert put(marks=["fragile", "keep_dry"]) == 2
    assert put(marks=["keep_dry", "fragile"]) == 2, "the order in which marks are listed means nothing"
    assert put(items=[]) == 3


@pytest.mark.parametrize("order", ["订单-1", "2026/11/17", "a%2Fb", "x/dispatch", "a b+c", "é", "A;1?#&=", "%"])
def test_ids_are_kept_exactly(client: TestClient, keys: Keys, order: str) -> None:
    address = f"/v1/orders/{quote(order, safe='')}"
    assert client.put(address, json={}, headers=keys["warehouse"]).status_code == 201
    assert client.get(address, headers=keys["station"]).json()["id"] == order
    gate = client.get(f"{address}/dispatch", headers=keys["station"]).json()
    assert (gate["order"], gate["allowed"]) == (order, False)


def test_two_spellings_of_one_unicode_id_are_one_order(client: TestClient, keys: Keys) -> None:
    client.put("/v1/orders/" + quote("e\u0301"), json={}, headers=keys["warehouse"])
    assert client.get("/v1/orders/" + quote("\u00e9"), headers=keys["station"]).status_code == 200


@on_sqlite_only
@pytest.mark.parametrize(
    "raw", ["%00", "a%0Ab", "%2E%2E", "%20a", "%1F", "x" * 201, quote("\u2028"), "a%1Fb"], ids=lambda raw: raw[:8]
)
def test_what_cannot_be_an_id_is_refused_with_the_reason(client: TestClient, keys: Keys, raw: str) -> None:
    answer = client.get(f"/v1/orders/{raw}", headers=keys["station"])
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    if answer.status_code == 422:
        assert answer.json()["errors"][0]["pointer"] == "/path/order"


def test_an_address_that_is_not_utf8_is_refused(client: TestClient, keys: Keys) -> None:
    answer = client.get("/v1/orders/%FF%FE", headers=keys["station"])
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-address")


@on_sqlite_only
@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"itemz": []}, "/body/itemz"),
        ({"items": [{"item": "cable", "quantity": 0}]}, "/body/items/0/quantity"),
        ({"marks": ["fragil"]}, "/body/marks/0"),
        ({"zone": "Mars/Olympus"}, "/body/zone"),
        ({"promised_by": "yesterday"}, "/body/promised_by"),
        ({"tracking_number": "\u0000"}, "/body/tracking_number"),
        ({"destination": {"country": "Brazil"}}, "/body/destination/country"),
        ([], "/body"),
    ],
)
def test_a_wrong_order_names_what_is_wrong_and_stores_nothing(
    client: TestClient, keys: Keys, document: Any, pointer: str
) -> None:
    answer = client.put("/v1/orders/A1", json=document, headers=keys["warehouse"])
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert "Nothing was stored" in answer.json()["detail"]
    assert client.get("/v1/orders/A1", headers=keys["warehouse"]).status_code == 404


@on_sqlite_only
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"marks": ["\\ud800"]}', b'"\x00"'])
def test_wrong_json_is_a_problem(client: TestClient, keys: Keys, body: bytes) -> None:
    headers = keys["warehouse"] | {"content-type": "application/json"}
    answer = client.put("/v1/orders/A1", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_bench_is_not_told_who_the_customer_is(client: TestClient, keys: Keys) -> None:
    client.put("/v1/orders/A1", json=ORDER, headers=keys["warehouse"])
    assert client.get("/v1/orders/A1", headers=keys["station"]).json()["customer"] is None


def test_customers_are_forgotten_when_their_time_is_over(
    client: TestClient, keys: Keys, services: Services, clock: Any
) -> None:
    client.put("/v1/orders/A1", json=ORDER, headers=keys["warehouse"])
    (job,) = service.JOBS
    clock.advance(days=63)  # 25 November + 60 days is 24 January
    job.run(services, threading.Event())
    assert client.get("/v1/orders/A1", headers=keys["warehouse"]).json()["customer"] == ORDER["customer"]
    clock.advance(days=1)
    job.run(services, threading.Event())
    assert client.get("/v1/orders/A1", headers=keys["warehouse"]).json()["customer"] is None
    with services.database.reading() as session:
        assert session.scalars(select(Customer)).all() == []


def test_a_customer_can_be_taken_out(client: TestClient, keys: Keys) -> None:
    client.put("/v1/orders/A1", json=ORDER, headers=keys["warehouse"])
    answer = client.put("/v1/orders/A1", json=ORDER | {"customer": None}, headers=keys["warehouse"])
    assert (answer.json()["customer"], answer.json()["revision"]) == (None, 1)


def test_a_promise_at_the_end_of_time_is_kept(client: TestClient, keys: Keys) -> None:
    order = ORDER | {"promised_by": "9999-12-31"}
    assert client.put("/v1/orders/A1", json=order, headers=keys["warehouse"]).status_code == 201
