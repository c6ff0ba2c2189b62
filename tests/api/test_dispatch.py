"""An order's way out: inspected, released by the eye or a person, dispatched once."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.making import form, inspection, jpeg, verdict

Keys = dict[str, dict[str, str]]
LEAVE = {"carrier": "demo-post", "tracking_number": "LP001"}
OVERRIDE = {"reason": "printed stain", "operator": "li", "approved_by": "wang", "at": "2026-11-22T09:05:00Z"}


@pytest.fixture
def order(client: TestClient, keys: Keys) -> str:
    client.put("/v1/orders/A1", json={}, headers=keys["warehouse"])
    return "A1"


def inspect(client: TestClient, keys: Keys, identity: str, decision: str = "release", **changes: Any) -> None:
    document = inspection(decision=decision, **changes)
    files = form(document, {document["frames"][0]["name"]: jpeg()})
    assert client.put(f"/v1/inspections/{identity}", files=files, headers=keys["station"]).status_code == 201


def gate(client: TestClient, keys: Keys, order: str = "A1") -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/v1/orders/{order}/dispatch", headers=keys["warehouse"]).json()
    return answer


def test_an_order_nobody_inspected_may_not_leave(client: TestClient, keys: Keys, order: str) -> None:
    assert gate(client, keys)["allowed"] is False
    assert "never inspected" in gate(client, keys)["reasons"][0]
    answer = client.post("/v1/orders/A1/dispatch", json=LEAVE, headers=keys["warehouse"])
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/held")


def test_an_order_nobody_registered_is_not_found(client: TestClient, keys: Keys) -> None:
    for answer in (
        client.get("/v1/orders/B9/dispatch", headers=keys["station"]),
        client.post("/v1/orders/B9/dispatch", json=LEAVE, headers=keys["warehouse"]),
    ):
        assert answer.status_code == 404
        assert "PUT /v1/orders/{order}" in answer.json()["detail"]


def test_released_then_dispatched_once(client: TestClient, keys: Keys, order: str) -> None:
    inspect(client, keys, "i1")
    assert gate(client, keys) == {"order": "A1", "allowed": True, "reasons": [], "inspection": "i1", "override": None}
    first = client.post("/v1/orders/A1/dispatch", json=LEAVE, headers=keys["warehouse"])
    again = client.post("/v1/orders/A1/dispatch", json=LEAVE, headers=keys["warehouse"])
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["dispatched_at"] == "2026-11-22T09:00:00Z"
    assert first.headers["location"] == f"/v1/shipments/{first.json()['id']}"
    other = client.post("/v1/orders/A1/dispatch", json=LEAVE | {"carrier": "x"}, headers=keys["warehouse"])
    assert other.status_code == 409
    assert other.json()["shipment"] == first.json()["id"]


def test_a_held_order_leaves_only_after_a_person_released_it(client: TestClient, keys: Keys, order: str) -> None:
    inspect(client, keys, "i1", "hold")
    held = client.post("/v1/orders/A1/dispatch", json=LEAVE, headers=keys["warehouse"])
    assert held.status_code == 409
    assert held.json()["reasons"] == ["torn on the left side"]
    client.put("/v1/inspections/i1/override", json=OVERRIDE, headers=keys["station"])
    assert gate(client, keys)["override"] == OVERRIDE
    assert client.post("/v1/orders/A1/dispatch", json=LEAVE, headers=keys["warehouse"]).status_code == 201


def test_a_change_of_the_packing_spec_closes_the_gate_again(client: TestClient, keys: Keys, order: str) -> None:
    inspect(client, keys, "i1")
    client.put("/v1/orders/A1", json={"marks": ["fragile"]}, headers=keys["warehouse"])
    assert "changed since: revision 1 was inspected, it is 2 now" in gate(client, keys)["reasons"][-1]


def test_a_release_is_not_taken_at_its_word(client: TestClient, keys: Keys) -> None:
    client.put("/v1/orders/A1", json={"marks": ["fragile"]}, headers=keys["warehouse"])
    inspect(client, keys, "careless")
    assert gate(client, keys)["reasons"] == ["It was released without the check of marks that this order asks for."]
    inspect(client, keys, "careful", captured_at="2026-11-22T08:59:30Z", verdict=verdict(passed=("marks",)))
    assert gate(client, keys)["allowed"] is True


def test_a_hold_from_a_bench_with_a_slow_clock_stops_the_parcel(
    client: TestClient, keys: Keys, order: str, clock: Any
) -> None:
    inspect(client, keys, "i1", "release", captured_at="2026-11-22T09:00:00Z")
    clock.advance(minutes=5)
    inspect(client, keys, "i2", "hold", captured_at="2026-11-22T08:58:00Z")
    answer = gate(client, keys)
    assert (answer["allowed"], answer["inspection"]) == (False, "i2")
    assert answer["reasons"] == ["torn on the left side"]
    assert client.post("/v1/orders/A1/dispatch", json=LEAVE, headers=keys["warehouse"]).status_code == 409
    client.put("/v1/inspections/i2/override", json=OVERRIDE, headers=keys["station"])
    assert gate(client, keys)["allowed"] is True


def test_a_release_that_comes_late_does_not_undo_a_hold_taken_after_it(
    client: TestClient, keys: Keys, order: str, clock: Any
) -> None:
    inspect(client, keys, "new", "hold", captured_at="2026-11-22T08:30:00Z")
    clock.advance(minutes=5)
    inspect(client, keys, "old", captured_at="2026-11-22T08:00:00Z")  # from the spool of a bench that was offline
    assert (gate(client, keys)["allowed"], gate(client, keys)["inspection"]) == (False, "new")


def test_an_old_hold_that_comes_late_is_settled_by_one_more_inspection(
    client: TestClient, keys: Keys, order: str, clock: Any
) -> None:
    inspect(client, keys, "new", captured_at="2026-11-22T08:30:00Z")
    clock.advance(minutes=5)
    inspect(client, keys, "old", "hold", captured_at="2026-11-22T08:00:00Z")
    assert gate(client, keys)["allowed"] is False
    clock.advance(minutes=5)
    inspect(client, keys, "again", captured_at="2026-11-22T09:09:00Z")
    assert (gate(client, keys)["allowed"], gate(client, keys)["inspection"]) == (True, "again")


def test_a_release_with_a_failed_check_does_not_open_the_gate(client: TestClient, keys: Keys, order: str) -> None:
    told = verdict()
    told["checks"]["marks"] |= {"result": "fail", "reason": None}
    inspect(client, keys, "i1", verdict=told)
    assert gate(client, keys)["reasons"] == ["It was released although the check of marks failed. Inspect it again."]


@pytest.mark.parametrize("decision", ["release", "hold"])
@pytest.mark.parametrize("received", [[], ["open.jpg"], ["annotated-sealed.jpg"]])
def test_a_sealed_parcel_that_is_only_listed_is_not_seen(
    client: TestClient, keys: Keys, order: str, decision: str, received: list[str]
) -> None:
    frames = [{"name": "open.jpg", "stage": "open"}, {"name": "sealed.jpg", "stage": "sealed"}]
    files = form(inspection(decision=decision, frames=frames), {name: jpeg() for name in received})
    assert client.put("/v1/inspections/i1", files=files, headers=keys["station"]).status_code == 201
    if decision == "hold":  # an override is no picture either
        client.put("/v1/inspections/i1/override", json=OVERRIDE, headers=keys["station"])
    assert gate(client, keys)["reasons"] == ["There is no picture of the sealed parcel. Take one."]


def test_a_bench_whose_clock_runs_ahead_does_not_have_the_last_word_for_ever(
    client: TestClient, keys: Keys, order: str, clock: Any
) -> None:
    inspect(client, keys, "ahead", "release", captured_at="2027-01-01T00:00:00Z")
    clock.advance(minutes=5)
    inspect(client, keys, "right", "hold", captured_at="2026-11-22T09:04:00Z")
    assert gate(client, keys)["inspection"] == "right"


def test_an_open_box_alone_does_not_open_the_gate(client: TestClient, keys: Keys, order: str) -> None:
    inspect(client, keys, "i1", frames=[{"name": "open.jpg", "stage": "open", "camera": "top"}])
    assert "no picture of the sealed parcel" in gate(client, keys)["reasons"][0]


def test_an_inspection_from_before_the_order_counts_only_if_nothing_more_is_asked(
    client: TestClient, keys: Keys
) -> None:
    inspect(client, keys, "i1", order_revision=None)
    client.put("/v1/orders/A1", json={}, headers=keys["warehouse"])
    assert gate(client, keys)["allowed"] is True
    client.put("/v1/orders/A1", json={"marks": ["fragile"]}, headers=keys["warehouse"])
    assert "without this order's packing spec" in gate(client, keys)["reasons"][-1]


def test_a_parcel_may_not_leave_under_another_number_than_its_label_was_checked_for(
    client: TestClient, keys: Keys
) -> None:
    client.put("/v1/orders/A1", json={"tracking_number": "LP777"}, headers=keys["warehouse"])
    inspect(client, keys, "i1", verdict=verdict(passed=("label",)))
    answer = client.post("/v1/orders/A1/dispatch", json=LEAVE, headers=keys["warehouse"])
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/wrong-tracking-number")
    right = {"carrier": "demo-post", "tracking_number": "LP777"}
    assert client.post("/v1/orders/A1/dispatch", json=right, headers=keys["warehouse"]).status_code == 201
