"""A parcel's way from the dispatch to the customer's hands, late or not, as the warehouse sees it over HTTP."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from demo.courier import Courier, Mood, Scan, late_journey, prompt_journey
from tests.api.shipments.conftest import Warehouse

Keys = dict[str, dict[str, str]]


class Support:
    """A customer-service agent with a key."""

    def __init__(self, client: TestClient, keys: Keys) -> None:
        self.client, self.headers = client, keys["support"]

    def get(self, path: str) -> Any:
        answer = self.client.get(path, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def shipment(self, identity: str) -> Any:
        return self.get(f"/v1/shipments/{identity}")

    def contacts(self, state: str = "open") -> list[Any]:
        items: list[Any] = self.get(f"/v1/contacts?state={state}")["items"]
        return items


@pytest.fixture
def support(client: TestClient, keys: Keys) -> Support:
    return Support(client, keys)


def test_a_parcel_that_arrives_in_time(shape: str, warehouse: Warehouse, courier: Courier, support: Support) -> None:
    parcel = warehouse.send("LP1", carrier=shape)
    courier.script("LP1", prompt_journey(warehouse.clock()))
    warehouse.pass_days(3)
    answer = support.shipment(parcel)
    assert answer["status"] == answer["lateness"] == "delivered"
    assert [event["status"] for event in answer["events"]] == ["picked_up", "out_for_delivery", "delivered"]
    assert answer["delivered_at"][:16] == "2026-11-24T01:48"
    assert answer["problem"] is None
    assert answer["flags"] == []
    assert support.contacts() == support.contacts("resolved") == []
    asked = len(courier.requests)
    warehouse.pass_days(5)
    assert len(courier.requests) == asked, "a delivered parcel is asked no more"


def test_a_late_parcel_is_flagged_at_midnight_and_listed_to_contact(
    shape: str, warehouse: Warehouse, courier: Courier, support: Support
) -> None:
    parcel = warehouse.send("LP1", carrier=shape, promise=2, language="zh-CN")
    courier.script("LP1", late_journey(warehouse.clock()))
    warehouse.pass_days(2.25)  # to 23:00 on the promise day in Shanghai
    assert support.shipment(parcel)["lateness"] == "on_time"
    assert support.contacts() == []
    warehouse.pass_days(0.05)
    answer = support.shipment(parcel)
    assert answer["lateness"] == "late"
    assert answer["lateness_since"] == "2026-11-24T16:00:00Z"
    assert answer["lateness_reason"] == "not delivered by the end of 2026-11-24; last known: delayed"
    assert [one["id"] for one in support.get("/v1/shipments?lateness=late")["items"]] == [parcel]

    (contact,) = support.contacts()
    assert contact["order"] == "O-LP1"
    assert contact["tracking_number"] == "LP1"
    assert contact["days_late"] == 1
    assert contact["customer"] == {"name": "Ana", "email": "ana@example.com", "phone": None, "language": "zh-CN"}
    assert contact["last_event"]["text"] == "Held at hub: flight cancelled"
    assert contact["suggestion"]["language"] == "zh"
    for fact in ("Ana", "O-LP1", "2026年11月24日", "Campinas", "Held at hub: flight cancelled"):
        assert fact in contact["suggestion"]["text"]


def test_the_contact_closes_itself_when_the_parcel_arrives_first(
    warehouse: Warehouse, courier: Courier, support: Support
) -> None:
    parcel = warehouse.send("LP1", promise=1)
    start = warehouse.clock()
    courier.script("LP1", [*late_journey(start), Scan(start + timedelta(days=4), "Delivered_Other", "Delivered")])
    warehouse.pass_days(3)
    assert len(support.contacts()) == 1
    warehouse.pass_days(2)
    assert support.contacts() == []
    (contact,) = support.contacts("resolved")
    assert (contact["outcome"], contact["resolved_by"], contact["days_late"]) == ("delivered", "lastlook", 3)
    answer = support.shipment(parcel)
    assert (answer["lateness"], answer["lateness_since"]) == ("delivered", None)
    (flag,) = answer["flags"]
    assert (flag["kind"], flag["cleared_because"]) == ("late", "delivered")


def test_a_new_promise_on_the_order_holds_for_its_parcel_under_way(
    warehouse: Warehouse, courier: Courier, support: Support, keys: Keys
) -> None:
    parcel = warehouse.send("LP1", promise=1)
    courier.script("LP1", late_journey(warehouse.clock()))
    warehouse.pass_days(3)
    assert len(support.contacts()) == 1
    order = {"tracking_number": "LP1", "promised_by": warehouse.today(2).isoformat(), "zone": "Asia/Shanghai"}
    for _ in range(2):  # sent twice, as callers do
        answer = support.client.put("/v1/orders/O-LP1", json=order, headers=keys["warehouse"])
        assert answer.status_code == 200, answer.text
    followed = support.shipment(parcel)
    assert followed["promised_by"] == order["promised_by"]
    assert followed["lateness"] != "late"
    assert support.contacts() == []
    assert [one["outcome"] for one in support.contacts("resolved")] == ["new_promise"]


def test_a_delivery_heard_of_late_takes_the_flag_back(warehouse: Warehouse, courier: Courier, support: Support) -> None:
    """The courier was silent over the promise; then it turns out that the parcel had arrived in time."""
    parcel = warehouse.send("LP1", promise=1)
    courier.feel(Mood.ERROR, 1000)
    warehouse.pass_days(2)
    assert support.shipment(parcel)["lateness"] == "late"
    assert support.shipment(parcel)["problem"] == "the courier answered HTTP 500"
    courier.script("LP1", [Scan(warehouse.clock() - timedelta(days=1.5), "Delivered_Other", "Delivered")])
    courier._moods.clear()
    warehouse.pass_days(1)
    answer = support.shipment(parcel)
    assert (answer["lateness"], answer["problem"]) == ("delivered", None)
    assert [flag["cleared_because"] for flag in answer["flags"]] == ["delivered_in_time"]
    assert [contact["outcome"] for contact in support.contacts("resolved")] == ["delivered"]


def test_a_parcel_that_was_late_while_nobody_looked_is_still_in_the_history(
    warehouse: Warehouse, courier: Courier, support: Support
) -> None:
    parcel = warehouse.send("LP1", promise=1)
    courier.script("LP1", [Scan(warehouse.clock() + timedelta(days=3), "Delivered_Other", "Delivered")])
    warehouse.clock.advance(days=5)  # the server was off
    warehouse.poller.run(warehouse.services, threading.Event())
    (flag,) = support.shipment(parcel)["flags"]
    assert (flag["since"], flag["cleared_because"]) == ("2026-11-23T16:00:00Z", "delivered")
    assert support.contacts() == [], "nobody is told that a parcel is late which has arrived"


def test_a_parcel_of_a_courier_nobody_set_up_is_late_all_the_same(warehouse: Warehouse, support: Support) -> None:
    parcel = warehouse.send("LP1", carrier="pigeon", promise=1, zone=None, language="pt-BR")
    warehouse.pass_days(2)
    assert support.shipment(parcel)["lateness"] == "late"
    (contact,) = support.contacts()
    assert contact["last_event"] is None
    assert contact["polled_at"] is None
    assert contact["suggestion"]["language"] == "en"
    assert "pigeon has not told us anything about the parcel (LP1) yet" in contact["suggestion"]["text"]


def test_without_a_promise_nothing_is_late(warehouse: Warehouse, courier: Courier, support: Support) -> None:
    parcel = warehouse.send("LP1", promise=None)
    courier.script("LP1", late_journey(warehouse.clock()))
    warehouse.pass_days(30, every=1)
    assert support.shipment(parcel)["lateness"] == "on_time"
    assert support.contacts() == []


def test_nobody_waits_for_ever(warehouse: Warehouse, courier: Courier, support: Support) -> None:
    parcel = warehouse.send("LP1", promise=1)
    courier.script("LP1", late_journey(warehouse.clock()))
    warehouse.pass_days(65, every=3)
    answer = support.shipment(parcel)
    assert (answer["status"], answer["lateness"]) == ("expired", "late")
    asked = len(courier.requests)
    warehouse.pass_days(5, every=1)
    assert len(courier.requests) == asked
    assert len(support.contacts()) == 1


def test_a_number_that_was_used_before_is_not_believed(
    warehouse: Warehouse, courier: Courier, support: Support
) -> None:
    courier.script("LP1", prompt_journey(warehouse.clock() - timedelta(days=200)))
    parcel = warehouse.send("LP1")
    warehouse.work()
    answer = support.shipment(parcel)
    assert (answer["status"], answer["events"]) == ("label_created", [])
    assert "before the dispatch" in answer["problem"]


def test_a_new_promise_ends_the_flag_and_can_be_broken_again(
    warehouse: Warehouse, courier: Courier, support: Support, client: TestClient
) -> None:
    parcel = warehouse.send("LP1", promise=1)
    courier.script("LP1", late_journey(warehouse.clock()))
    warehouse.pass_days(2)
    promise = {"promised_by": str(warehouse.today(3))}
    path = f"/v1/shipments/{parcel}/promise"
    for _ in range(2):  # the same promise twice is one promise
        answer = client.put(path, json=promise, headers=support.headers)
        assert answer.status_code == 200
        assert (answer.json()["promise_version"], answer.json()["lateness"]) == (2, "on_time")
    assert support.contacts() == []
    warehouse.pass_days(5)
    assert support.shipment(parcel)["lateness"] == "late"
    kinds = [(flag["promise_version"], flag["cleared_because"]) for flag in support.shipment(parcel)["flags"]]
    assert kinds == [(1, "new_promise"), (2, None)]
    assert [contact["promised_by"] for contact in support.contacts()] == [promise["promised_by"]]
    assert [contact["outcome"] for contact in support.contacts("resolved")] == ["new_promise"]


def test_a_promise_that_is_past_already_is_late_at_once(
    warehouse: Warehouse, support: Support, client: TestClient
) -> None:
    parcel = warehouse.send("LP1", promise=5)
    answer = client.put(f"/v1/shipments/{parcel}/promise", json={"promised_by": "2026-11-20"}, headers=support.headers)
    assert answer.json()["lateness"] == "late"
    assert len(support.contacts()) == 1


def test_a_delivered_parcel_takes_no_new_promise(
    warehouse: Warehouse, courier: Courier, support: Support, client: TestClient
) -> None:
    parcel = warehouse.send("LP1")
    courier.script("LP1", prompt_journey(warehouse.clock()))
    warehouse.pass_days(3)
    answer = client.put(f"/v1/shipments/{parcel}/promise", json={"promised_by": "2026-12-24"}, headers=support.headers)
    assert answer.status_code == 409
    assert "promise was left as it was" in answer.json()["detail"]


def test_a_slow_lane_puts_a_parcel_at_risk_before_it_is_late(
    warehouse: Warehouse, courier: Courier, support: Support
) -> None:
    for index in range(20):  # a lane on which nearly everything takes eight days, though six were promised
        days = 2.5 if index == 0 else 8
        courier.script(f"OLD{index}", [
            Scan(warehouse.clock() + timedelta(hours=5), "InTransit_PickedUp", "Picked up"),
            Scan(warehouse.clock() + timedelta(days=days), "Delivered_Other", "Delivered"),
        ])  # fmt: skip
        warehouse.send(f"OLD{index}", promise=9)
    warehouse.pass_days(10, every=1)
    parcel = warehouse.send("LP1", promise=6)
    elsewhere = warehouse.send("LP2", promise=6, postcode="99999")
    for number in ("LP1", "LP2"):
        courier.script(number, [Scan(warehouse.clock() + timedelta(hours=5), "InTransit_PickedUp", "Picked up")])
    warehouse.pass_days(3)
    assert support.get("/v1/shipments?lateness=at_risk")["items"] == []
    warehouse.pass_days(1)
    answer = support.shipment(parcel)
    assert answer["lateness"] == "at_risk"
    assert answer["lateness_reason"] == "19 of 19 parcels to BR 21 took longer than the 3 days left"
    assert 0.8 < answer["probability"] < 1
    # the other lane has no parcels of its own: the carrier's speak
    assert support.shipment(elsewhere)["lateness_reason"].endswith("with house took longer than the 3 days left")
    assert support.contacts() == [], "at risk is shown, not put on the list"
    warehouse.pass_days(4)
    kinds = [(flag["kind"], flag["cleared_because"]) for flag in support.shipment(parcel)["flags"]]
    assert kinds == [("at_risk", "late"), ("late", None)]


def test_the_list_is_paged_and_filtered(warehouse: Warehouse, client: TestClient, keys: Keys, support: Support) -> None:
    for index in range(5):
        warehouse.send(f"LP{index}", carrier="house" if index % 2 else "17")
        warehouse.clock.advance(minutes=1)
    seen: list[str] = []
    page = support.get("/v1/shipments?limit=2")
    while True:
        seen += [one["tracking_number"] for one in page["items"]]
        if page["next"] is None:
            break
        page = support.get(f"/v1/shipments?limit=2&cursor={page['next']}")
    assert seen == ["LP4", "LP3", "LP2", "LP1", "LP0"]
    assert len(support.get("/v1/shipments?carrier=House")["items"]) == 2
    assert client.get("/v1/shipments?lateness=tardy", headers=support.headers).status_code == 422
    assert client.get("/v1/shipments/none", headers=support.headers).status_code == 404
    assert client.get("/v1/shipments", headers=keys["station"]).status_code == 403
    assert client.get("/v1/contacts", headers=keys["station"]).status_code == 403
