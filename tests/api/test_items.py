"""Taught items over HTTP: taught from photos, refused with the reason, corrected by two persons, handed on."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.audit import AuditRow
from api.context import Services
from api.items.service import JOBS
from inspector.frame import Pixels, decode
from tests.api.making import form, inspection, on_sqlite_only
from tests.inspector.likeness import BLUE, GREEN, NOW, RED, photo, reference, thing

Keys = dict[str, dict[str, str]]
pytestmark = on_sqlite_only


def teach(client: TestClient, keys: Keys, item: str, *photos: bytes, **query: Any) -> Any:
    address = f"/v1/items/{quote(item, safe='')}/references"
    if len(photos) == 1:
        headers = keys["station"] | {"content-type": "image/png"}
        return client.put(address, content=photos[0], headers=headers, params=query)
    files = [("pictures", (f"photo-{n}.png", content, "image/png")) for n, content in enumerate(photos)]
    return client.put(address, files=files, headers=keys["station"], params=query)


def pixels(content: bytes) -> Pixels:
    return decode(content, name="picture").bgr


def blurred(content: bytes) -> bytes:
    return cv2.imencode(".png", cv2.GaussianBlur(pixels(content), (0, 0), 25))[1].tobytes()


def test_an_item_is_taught_from_one_photo_and_told_with_its_picture(client: TestClient, keys: Keys) -> None:
    taught = teach(client, keys, "usb/cable", photo(RED))
    assert taught.status_code == 201, taught.text
    (reference,) = taught.json()["item"]["references"]
    assert not reference["counter_example"]
    named = client.put("/v1/items/usb%2Fcable", json={"name": "USB 线", "weight_g": 42}, headers=keys["warehouse"])
    assert (named.status_code, named.json()["name"], named.json()["weight_g"]) == (200, "USB 线", 42)
    item = client.get("/v1/items/usb%2Fcable", headers=keys["station"]).json()
    assert (item["id"], item["references"]) == ("usb/cable", [reference])
    picture = client.get(reference["url"], headers=keys["station"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    shown = pixels(picture.content)
    assert shown.reshape(-1, 3).mean(axis=0)[2] > shown.reshape(-1, 3).mean(axis=0)[0], "red"


def test_the_same_photo_again_changes_nothing(client: TestClient, keys: Keys) -> None:
    first = teach(client, keys, "cable", photo(RED))
    second = teach(client, keys, "cable", photo(RED))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["known"] == first.json()["kept"]
    assert second.json()["item"] == first.json()["item"]


@pytest.mark.parametrize(
    ("shown", "check", "advice"),
    [
        (photo(RED, side=30), "too_small", "go closer"),
        (photo(RED, BLUE), "several", "show this item alone"),
        (blurred(photo(RED, side=300)), "blurred", "hold still"),
    ],
    ids=["small", "several", "blurred"],
)
def test_a_photo_that_would_not_help_is_refused_with_what_to_do(
    client: TestClient, keys: Keys, shown: bytes, check: str, advice: str
) -> None:
    answer = teach(client, keys, "cable", shown)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/another-view"), answer.text
    (error,) = answer.json()["errors"]
    assert error["check"] == check
    assert advice in error["detail"]
    assert "Nothing was stored" in answer.json()["detail"]
    assert client.get("/v1/items/cable", headers=keys["station"]).status_code == 404


def test_a_photo_that_looks_like_another_item_names_it(client: TestClient, keys: Keys) -> None:
    teach(client, keys, "cable", photo(RED))
    twin = photo(RED, seed=7)
    answer = teach(client, keys, "twin", twin)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["check"], error["like"]) == ("alike", "cable")
    assert "though_alike" in answer.json()["detail"]
    assert teach(client, keys, "twin", twin, though_alike=True).status_code == 201


def test_of_several_photos_the_good_ones_are_kept_and_told(client: TestClient, keys: Keys) -> None:
    answer = teach(client, keys, "cable", photo(RED), photo(RED, BLUE), photo(RED, seed=3))
    assert answer.status_code == 422
    assert [one["photo"] for one in answer.json()["errors"]] == ["photo-1.png"]
    assert [one["photo"] for one in answer.json()["kept"]] == ["photo-0.png", "photo-2.png"]
    assert "Kept: photo-0.png, photo-2.png" in answer.json()["detail"]
    assert len(client.get("/v1/items/cable", headers=keys["station"]).json()["references"]) == 2


def test_what_is_no_picture_is_refused(client: TestClient, keys: Keys) -> None:
    assert teach(client, keys, "cable", b"no picture at all").json()["type"] == "/problems/bad-picture"
    text = client.put(
        "/v1/items/cable/references", content=b"x", headers=keys["station"] | {"content-type": "text/plain"}
    )
    assert text.status_code == 415


@pytest.mark.parametrize(
    "document", [{"weight_g": 0}, {"weight_g": -3}, {"weight": 3}, {"name": ""}, {"weight_g": 1e9}]
)
def test_what_no_item_weighs_is_refused(client: TestClient, keys: Keys, document: dict[str, Any]) -> None:
    answer = client.put("/v1/items/cable", json=document, headers=keys["warehouse"])
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")


def test_items_are_listed_page_by_page(client: TestClient, keys: Keys) -> None:
    for number in range(5):
        client.put(f"/v1/items/item-{number}", json={}, headers=keys["warehouse"])
    seen, cursor = [], None
    while True:
        page = client.get(
            "/v1/items", params={"limit": 2, "cursor": cursor} if cursor else {"limit": 2}, headers=keys["support"]
        ).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"item-{number}" for number in range(5)]


def test_removed_is_removed_and_in_the_audit_log(client: TestClient, keys: Keys, services: Services) -> None:
    reference = teach(client, keys, "cable", photo(RED)).json()["kept"][0]["reference"]
    address = f"/v1/items/cable/references/{reference}"
    assert client.delete(address, headers=keys["warehouse"]).status_code == 204
    assert client.delete(address, headers=keys["warehouse"]).status_code == 404
    assert client.delete("/v1/items/cable", headers=keys["warehouse"]).status_code == 204
    assert client.get("/v1/items/cable", headers=keys["warehouse"]).status_code == 404
    with services.database.reading() as session:
        events = [(row.event, row.detail["item"]) for row in session.scalars(select(AuditRow).order_by(AuditRow.id))]
    assert events == [("item_taught", "cable"), ("item_removed", "cable"), ("item_removed", "cable")]


@pytest.mark.parametrize(
    ("method", "address", "may"),
    [
        ("PUT", "/v1/items/x", {"warehouse"}),
        ("PUT", "/v1/items/x/references", {"warehouse", "station"}),
        ("GET", "/v1/items", {"warehouse", "station", "support"}),
        ("DELETE", "/v1/items/x", {"warehouse"}),
        ("POST", "/v1/items/x/corrections", {"warehouse", "station"}),
        ("POST", "/v1/items/x/corrections/1/confirm", {"warehouse"}),
        ("GET", "/v1/gallery", {"warehouse", "station"}),
        ("POST", "/v1/gallery", {"warehouse", "station"}),
    ],
)
def test_each_key_may_do_what_its_scope_says(
    client: TestClient, keys: Keys, method: str, address: str, may: set[str]
) -> None:
    for scope in ("station", "warehouse", "support"):
        answer = client.request(method, address, headers=keys[scope])
        assert (answer.status_code != 403) == (scope in may), (scope, answer.text)
    assert client.request(method, address).status_code == 401


def open_box() -> bytes:
    """A grey box with a red and a green thing in it, as JPEG; the green one is at (300, 100), 120 pixels a side."""
    picture = np.full((400, 600, 3), 170, np.uint8)
    for left, colour in ((60, RED), (300, GREEN)):
        bgr, mask = thing(colour)
        picture[100:220, left : left + 120][mask] = bgr[mask]
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


@pytest.fixture
def inspected(client: TestClient, keys: Keys) -> str:
    told = inspection(frames=[{"name": "open.jpg", "stage": "open", "camera": "top"}])
    sent = client.put("/v1/inspections/i-1", files=form(told, {"open.jpg": open_box()}), headers=keys["station"])
    assert sent.status_code == 201, sent.text
    return "i-1"


def correct(client: TestClient, keys: Keys, item: str, kind: str, box: list[float], **more: Any) -> Any:
    told = {"kind": kind, "inspection": "i-1", "picture": "open.jpg", "box": box, "operator": "li", **more}
    return client.post(f"/v1/items/{item}/corrections", json=told, headers=keys["station"])


def test_a_correction_is_learnt_from_when_a_second_person_confirms_it(
    client: TestClient, keys: Keys, inspected: str
) -> None:
    teach(client, keys, "cable", photo(RED))
    before = client.get("/v1/items/cable", headers=keys["station"]).json()
    told = correct(client, keys, "cable", "there", [300, 100, 120, 120])
    assert told.status_code == 201, told.text
    assert client.get("/v1/items/cable", headers=keys["station"]).json() == before, "nothing is learnt yet"
    address = f"/v1/items/cable/corrections/{told.json()['id']}"
    picture = client.get(told.json()["url"], headers=keys["warehouse"])
    shown = pixels(picture.content)
    assert shown[shown.shape[0] // 2, shown.shape[1] // 2, 1] > 120, "the green thing"
    same = client.post(f"{address}/confirm", json={"confirmed_by": "Li "}, headers=keys["warehouse"])
    assert (same.status_code, same.json()["type"]) == (409, "/problems/same-person")
    done = client.post(f"{address}/confirm", json={"confirmed_by": "wang"}, headers=keys["warehouse"])
    assert done.status_code == 200, done.text
    after = client.get("/v1/items/cable", headers=keys["station"]).json()
    assert [r["id"] for r in after["references"]] == [before["references"][0]["id"], done.json()["reference"]]
    assert after["references"][1]["added_by"] == "li, confirmed by wang"
    again = client.post(f"{address}/confirm", json={"confirmed_by": "zhao"}, headers=keys["warehouse"])
    assert again.json() == done.json(), "once is enough"


def test_a_counter_example_raises_the_threshold(client: TestClient, keys: Keys, inspected: str) -> None:
    teach(client, keys, "cable", photo((30, 60, 200)))
    before = client.get("/v1/items/cable", headers=keys["station"]).json()["accept"]
    told = correct(client, keys, "cable", "wrong", [60, 100, 120, 120]).json()
    address = f"/v1/items/cable/corrections/{told['id']}/confirm"
    client.post(address, json={"confirmed_by": "wang"}, headers=keys["warehouse"])
    after = client.get("/v1/items/cable", headers=keys["station"]).json()
    assert after["references"][1]["counter_example"]
    assert after["accept"] >= before


def test_a_correction_can_be_sent_twice_and_dismissed(client: TestClient, keys: Keys, inspected: str) -> None:
    teach(client, keys, "cable", photo(RED))
    first = correct(client, keys, "cable", "there", [300, 100, 120, 120], id="c-1")
    second = correct(client, keys, "cable", "there", [300, 100, 120, 120], id="c-1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    listed = client.get("/v1/items/cable/corrections", headers=keys["station"]).json()
    assert [one["id"] for one in listed] == ["c-1"]
    assert client.delete("/v1/items/cable/corrections/c-1", headers=keys["warehouse"]).status_code == 204
    assert client.delete("/v1/items/cable/corrections/c-1", headers=keys["warehouse"]).status_code == 404
    gone = client.post(
        "/v1/items/cable/corrections/c-1/confirm", json={"confirmed_by": "wang"}, headers=keys["warehouse"]
    )
    assert gone.status_code == 404


def test_a_correction_of_nothing_is_refused(client: TestClient, keys: Keys, inspected: str) -> None:
    assert correct(client, keys, "cable", "there", [300, 100, 120, 120]).status_code == 404, "not taught"
    teach(client, keys, "cable", photo(RED))
    outside = correct(client, keys, "cable", "there", [900, 900, 50, 50])
    assert (outside.status_code, outside.json()["type"]) == (422, "/problems/too_small")
    assert correct(client, keys, "cable", "there", [0, 0, 50, 50], picture="other.jpg").status_code == 404
    assert correct(client, keys, "cable", "there", [0, 0, 50, 50], inspection="i-2").status_code == 404
    assert correct(client, keys, "cable", "perhaps", [0, 0, 50, 50]).status_code == 422


def manifest(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        told: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return told


def test_what_changed_is_handed_on_page_by_page_and_304_when_nothing_did(client: TestClient, keys: Keys) -> None:
    for number, colour in enumerate((RED, GREEN, BLUE)):
        teach(client, keys, f"item-{number}", photo(colour))
    first = manifest(client.get("/v1/gallery", params={"limit": 2}, headers=keys["station"]).content)
    assert (first["since"], first["more"], [i["item"] for i in first["items"]]) == (None, True, ["item-0", "item-1"])
    answer = client.get("/v1/gallery", params={"since": first["until"]}, headers=keys["station"])
    second = manifest(answer.content)
    assert (second["more"], [i["item"] for i in second["items"]]) == (False, ["item-2"])
    nothing = client.get(
        "/v1/gallery",
        params={"since": second["until"]},
        headers=keys["station"] | {"If-None-Match": answer.headers["etag"]},
    )
    assert nothing.status_code == 304
    client.delete("/v1/items/item-0", headers=keys["warehouse"])
    third = manifest(
        client.get(
            "/v1/gallery",
            params={"since": second["until"]},
            headers=keys["station"] | {"If-None-Match": answer.headers["etag"]},
        ).content
    )
    assert (third["items"], third["removed"]) == ([], ["item-0"])
    assert manifest(client.get("/v1/gallery?since=other.9", headers=keys["station"]).content)["since"] is None


def test_an_export_is_taken_over_and_a_hostile_one_refused(client: TestClient, keys: Keys) -> None:
    teach(client, keys, "cable", photo(RED))
    export = client.get("/v1/gallery", headers=keys["station"]).content
    client.delete("/v1/items/cable", headers=keys["warehouse"])
    headers = keys["station"] | {"content-type": "application/zip"}
    answer = client.post("/v1/gallery", content=export, headers=headers)
    assert answer.json() == {"items": 1, "references": 1, "new_references": 1, "kept": []}
    assert client.get("/v1/items/cable", headers=keys["station"]).status_code == 200
    assert client.post("/v1/gallery", content=export, headers=headers).json()["new_references"] == 0
    hostile = io.BytesIO()
    with zipfile.ZipFile(hostile, "w") as archive:
        archive.writestr("../../etc/passwd", "x")
    refused = client.post("/v1/gallery", content=hostile.getvalue(), headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/gallery")
    assert "Nothing was stored" in refused.json()["detail"]
    assert client.post("/v1/gallery", content=b"{}", headers=keys["station"]).status_code == 415


def test_what_a_sent_item_looks_like_is_worked_out_here(client: TestClient, keys: Keys, services: Services) -> None:
    teach(client, keys, "cable", photo(RED))
    gallery = services.gallery.get()
    ((name, true),) = gallery.vectors(["cable"]).items()
    with gallery.file.writing() as db:  # a vector that would make everything blue pass for the cable
        lie = np.roll(true, 1)
        gallery.keep_vectors(db, {name: lie})
    export = client.get("/v1/gallery", headers=keys["station"]).content
    client.delete("/v1/items/cable", headers=keys["warehouse"])
    headers = keys["station"] | {"content-type": "application/zip"}
    assert client.post("/v1/gallery", content=export, headers=headers).json()["new_references"] == 1
    kept = gallery.vectors(["cable"])[name]
    assert np.allclose(kept, true, atol=1e-3)
    assert gallery.items(["cable"])["cable"].accept is not None


def test_a_gallery_that_cannot_be_opened_leaves_the_rest_up(
    client: TestClient, keys: Keys, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.gallery.close()

    def broken() -> Any:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(services.gallery, "_load", broken)
    answer = client.get("/v1/items", headers=keys["station"])
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/no-gallery")
    assert client.put("/v1/orders/A1", json={}, headers=keys["warehouse"]).status_code == 201


def test_the_measured_weight_is_judged_and_kept(client: TestClient, keys: Keys) -> None:
    client.put("/v1/orders/A1", json={}, headers=keys["warehouse"])
    headers = keys["station"] | {"content-type": "image/jpeg"}
    answer = client.post("/v1/inspect?order=A1&id=w-1&weight_g=512.5", content=open_box(), headers=headers)
    assert (answer.status_code, answer.json()["weight_g"]) == (201, 512.5)
    kept = client.get("/v1/inspections/w-1", headers=keys["station"]).json()
    assert kept["verdict"]["weight_g"] == 512.5
    for wrong in ("-1", "nan", "inf", "heavy"):
        assert client.post(f"/v1/inspect?weight_g={wrong}", content=open_box(), headers=headers).status_code == 422


def test_after_a_change_of_the_embedder_all_references_are_described_anew(
    client: TestClient, services: Services
) -> None:
    gallery = services.gallery.get()
    gallery.teach("cable", [reference("cable")], at=NOW)
    with gallery.file.writing() as db:
        db.execute("delete from embedding")
    (job,) = JOBS
    stop = threading.Event()
    stop.set()
    job.run(services, stop)
    assert gallery.pending() == 0, "a short run ends with what it began"
    job.run(services, threading.Event())
    assert gallery.items(["cable"])["cable"].accept is not None
