"""One order over HTTP only: registered, released, dispatched, polled, late, contacted, delivered."""

from __future__ import annotations

from datetime import timedelta

from fastapi.testclient import TestClient

from demo.courier import Courier, Scan, late_journey
from tests.api.making import form, inspection, jpeg
from tests.api.shipments.conftest import Warehouse

Keys = dict[str, dict[str, str]]


def test_from_the_order_to_the_doorstep(client: TestClient, keys: Keys, warehouse: Warehouse, courier: Courier) -> None:
    order = {
        "promised_by": "2026-11-24",
        "destination": {"country": "BR", "postcode": "21040-360"},
        "customer": {"name": "王芳", "language": "zh"},
    }
    assert client.put("/v1/orders/A1", json=order, headers=keys["warehouse"]).status_code == 201
    files = form(inspection(), {"sealed.jpg": jpeg()})
    seen = client.put("/v1/inspections/i1", files=files, headers=keys["station"])
    assert seen.status_code == 201, seen.text
    leave = {"carrier": "House", "tracking_number": "LP1"}
    sent = client.post("/v1/orders/A1/dispatch", json=leave, headers=keys["warehouse"])
    assert sent.status_code == 201, sent.text
    start = warehouse.clock()
    courier.script("LP1", [*late_journey(start), Scan(start + timedelta(days=5), "Delivered_Other", "Delivered")])

    warehouse.pass_days(3)
    late = client.get("/v1/shipments?lateness=late", headers=keys["support"]).json()["items"]
    assert [shipment["id"] for shipment in late] == [sent.json()["id"]]
    assert (late[0]["order"], late[0]["carrier"], late[0]["lane"]) == ("A1", "House", "BR 21")
    (contact,) = client.get("/v1/contacts?state=open", headers=keys["support"]).json()["items"]
    assert contact["suggestion"]["text"].startswith("王芳，您好！您的订单 A1 原定于2026年11月24日送达")

    warehouse.pass_days(3)
    assert client.get("/v1/contacts?state=open", headers=keys["support"]).json()["items"] == []
    (shipment,) = client.get("/v1/shipments?lateness=delivered", headers=keys["support"]).json()["items"]
    assert shipment["delivered_at"] == "2026-11-27T09:00:00Z"
