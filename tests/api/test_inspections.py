"""Inspections: exactly once, with their pictures, readable, and overridden by two persons."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.audit import AuditRow
from api.context import Services
from api.inspections.tables import Inspection, Picture
from tests.api.making import form, inspection, jpeg, on_sqlite_only, png, png_that_claims

Keys = dict[str, dict[str, str]]
OVERRIDE = {"reason": "printed stain", "operator": "li", "approved_by": "wang", "at": "2026-11-22T09:05:00Z"}


def put(client: TestClient, keys: Keys, identity: str, document: Any, pictures: dict[str, bytes]) -> Any:
    return client.put(
        f"/v1/inspections/{quote(identity, safe='')}", files=form(document, pictures), headers=keys["station"]
    )


def test_sent_twice_it_is_kept_once_with_its_pictures(client: TestClient, keys: Keys, services: Services) -> None:
    pictures = {"sealed.jpg": jpeg(200), "annotated-sealed.jpg": jpeg(190)}
    first = put(client, keys, "i1", inspection(), pictures)
    second = put(client, keys, "i1", inspection(), dict(reversed(pictures.items())))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert client.get("/v1/inspections/i1", headers=keys["support"]).json() == first.json()
    for told in first.json()["pictures"]:
        answer = client.get(told["url"], headers=keys["support"])
        assert answer.content == pictures[told["name"]]
        assert answer.headers["content-type"] == "image/jpeg"
        assert hashlib.sha256(answer.content).hexdigest() == told["sha256"]
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Inspection)) == 1
        assert session.scalar(select(func.count()).select_from(Picture)) == 2


def test_json_without_pictures_is_enough(client: TestClient, keys: Keys) -> None:
    answer = client.put("/v1/inspections/i1", json=inspection(), headers=keys["station"])
    assert (answer.status_code, answer.json()["pictures"]) == (201, [])


@pytest.mark.parametrize("changed", ["verdict", "picture", "fewer pictures"])
def test_the_same_id_with_another_content_is_refused_and_the_first_kept(
    client: TestClient, keys: Keys, changed: str
) -> None:
    kept = put(client, keys, "i1", inspection(), {"sealed.jpg": jpeg(200)}).json()
    document = inspection(decision="hold") if changed == "verdict" else inspection()
    pictures = {} if changed == "fewer pictures" else {"sealed.jpg": jpeg(100 if changed == "picture" else 200)}
    answer = put(client, keys, "i1", document, pictures)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    assert client.get("/v1/inspections/i1", headers=keys["station"]).json() == kept


def test_many_threads_sending_the_same_store_it_once(client: TestClient, keys: Keys, services: Services) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda _: put(client, keys, "i1", inspection(), {"sealed.jpg": jpeg()}).status_code, range(6))
        )
    assert sorted(answers) == [200] * 5 + [201]
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Picture)) == 1


@pytest.mark.parametrize("identity", ["订单-1/甲", "01JD3W6QZ", "a b"])
def test_any_id_and_any_picture_name_works(client: TestClient, keys: Keys, identity: str) -> None:
    name = "密封 1.jpg"
    document = inspection(order="订单-1", frames=[{"name": name, "stage": "sealed"}])
    answer = put(client, keys, identity, document, {name: jpeg()})
    assert answer.status_code == 201, answer.text
    assert answer.json()["id"] == identity
    assert client.get(answer.json()["pictures"][0]["url"], headers=keys["station"]).content == jpeg()


def test_an_inspection_of_an_order_nobody_knows_yet_is_kept(client: TestClient, keys: Keys) -> None:
    assert put(client, keys, "i1", inspection(order="later"), {}).status_code == 201


def test_override_needs_two_persons_and_is_audited(client: TestClient, keys: Keys, services: Services) -> None:
    put(client, keys, "i1", inspection(decision="hold"), {})
    alone = client.put("/v1/inspections/i1/override", json=OVERRIDE | {"approved_by": "Li "}, headers=keys["station"])
    assert alone.status_code == 422
    assert "second person" in alone.json()["detail"]
    first = client.put("/v1/inspections/i1/override", json=OVERRIDE, headers=keys["station"])
    again = client.put("/v1/inspections/i1/override", json=OVERRIDE, headers=keys["station"])
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["override"] == OVERRIDE
    other = client.put("/v1/inspections/i1/override", json=OVERRIDE | {"reason": "no"}, headers=keys["station"])
    assert other.status_code == 409
    prefix = keys["station"]["Authorization"].split("_")[1]
    with services.database.reading() as session:
        (row,) = session.scalars(select(AuditRow)).all()
        assert (row.event, row.actor, row.detail["inspection"]) == ("overridden", prefix, "i1")
        assert (row.detail["reason"], row.detail["approved_by"]) == ("printed stain", "wang")


def test_a_release_needs_no_override_and_an_unknown_inspection_has_none(client: TestClient, keys: Keys) -> None:
    put(client, keys, "i1", inspection(), {})
    assert client.put("/v1/inspections/i1/override", json=OVERRIDE, headers=keys["station"]).status_code == 409
    assert client.put("/v1/inspections/i2/override", json=OVERRIDE, headers=keys["station"]).status_code == 404


def test_every_look_at_a_picture_is_in_the_audit_log(client: TestClient, keys: Keys, services: Services) -> None:
    put(client, keys, "i1", inspection(), {"sealed.jpg": jpeg()})
    for _ in range(2):
        client.get("/v1/inspections/i1/pictures/sealed.jpg", headers=keys["support"])
    with services.database.reading() as session:
        rows = session.scalars(select(AuditRow)).all()
        assert [(row.event, row.detail) for row in rows] == [
            ("evidence_viewed", {"inspection": "i1", "picture": "sealed.jpg"})
        ] * 2


def test_a_picture_that_was_altered_on_disk_is_not_shown(client: TestClient, keys: Keys, services: Services) -> None:
    put(client, keys, "i1", inspection(), {"sealed.jpg": jpeg()})
    (stored,) = (services.settings.data / "pictures").rglob("*.jpg")
    stored.write_bytes(jpeg(1))
    answer = client.get("/v1/inspections/i1/pictures/sealed.jpg", headers=keys["support"])
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/evidence-damaged")
    stored.unlink()
    assert "lost" in client.get("/v1/inspections/i1/pictures/sealed.jpg", headers=keys["support"]).json()["detail"]


def test_a_store_that_takes_no_pictures_acknowledges_nothing(
    client: TestClient, keys: Keys, services: Services
) -> None:
    folder = services.settings.data / "pictures"
    shutil.rmtree(folder)
    folder.write_text("in the way")
    answer = put(client, keys, "i1", inspection(), {"sealed.jpg": jpeg()})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/no-evidence-store")
    assert client.get("/v1/inspections/i1", headers=keys["station"]).status_code == 404
    folder.unlink()
    for byte in range(256):
        (folder / f"{byte:02x}").mkdir(parents=True)
    assert put(client, keys, "i1", inspection(), {"sealed.jpg": jpeg()}).status_code == 201


def test_pages_are_complete_and_nothing_that_arrives_meanwhile_shifts_them(client: TestClient, keys: Keys) -> None:
    def send(number: int, minute: int) -> None:
        document = inspection(
            order=f"A{number % 2}",
            decision="hold" if number % 3 == 0 else "release",
            captured_at=f"2026-11-22T08:{minute:02}:00Z",
        )
        assert put(client, keys, f"i{number}", document, {}).status_code == 201

    for number in range(7):
        send(number, number // 2)  # pairs taken at the same time
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/inspections", params=query, headers=keys["warehouse"]).json()
        seen += [item["id"] for item in page["items"]]
        if len(seen) == 2:
            send(99, 59)  # newer than all: belongs to no later page
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["i6", "i5", "i4", "i3", "i2", "i1", "i0"]

    def ids(**query: str) -> list[str]:
        page = client.get("/v1/inspections", params=query, headers=keys["warehouse"]).json()
        return [item["id"] for item in page["items"]]

    assert ids(order="A0") == ["i6", "i4", "i2", "i0"]
    assert ids(verdict="hold") == ["i99", "i6", "i3", "i0"]
    assert ids(order="A0", verdict="hold") == ["i6", "i0"]


@on_sqlite_only
@pytest.mark.parametrize("cursor", ["x", "!!!!", "W10", "WyIyMDI2IiwgMV0", "%F0%28", "A" * 1000])
def test_a_made_up_cursor_is_refused(client: TestClient, keys: Keys, cursor: str) -> None:
    answer = client.get("/v1/inspections", params={"cursor": cursor}, headers=keys["warehouse"])
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/cursor")


@on_sqlite_only
@pytest.mark.parametrize("name", ["../x.jpg", "a/b.jpg", "..", "a\\b.jpg", "a\u0001.jpg", "x" * 201])
def test_names_that_could_leave_their_folder_are_refused(client: TestClient, keys: Keys, name: str) -> None:
    document = inspection(frames=[{"name": name, "stage": "sealed"}])
    assert put(client, keys, "i1", document, {}).status_code == 422
    answer = put(client, keys, "i1", inspection(), {name: jpeg()})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/v1/inspections/i1", headers=keys["station"]).status_code == 404


@on_sqlite_only
@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "take the picture again"),
        (b"PK\x03\x04" + bytes(200), "neither JPEG nor PNG"),
        (jpeg()[:-100], "end of the file is missing"),
        (png()[:-30], "end of the file is missing"),
        (png_that_claims(50_000, 50_000), "50000 x 50000"),
        (png_that_claims(0, 10), "0 x 10"),
        (b"\xff\xd8\xff" + bytes(50) + b"\xff\xd9", "header is damaged"),
        (b"\xff\xd8\xff\xe0\x00\x00" * 3 + b"\xff\xd9", "header is damaged"),
        (b"\x89PNG\r\n\x1a\nIEND", "header is damaged"),
    ],
)
def test_what_is_no_picture_is_refused_by_name_and_nothing_is_stored(
    client: TestClient, keys: Keys, services: Services, content: bytes, advice: str
) -> None:
    answer = put(client, keys, "i1", inspection(), {"sealed.jpg": content})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-picture")
    assert "sealed.jpg" in answer.json()["detail"]
    assert advice in answer.json()["detail"]
    assert list((services.settings.data / "pictures").rglob("*.*")) == []


@on_sqlite_only
def test_a_png_is_kept_as_png_whatever_it_is_called(client: TestClient, keys: Keys) -> None:
    answer = put(client, keys, "i1", inspection(), {"sealed.jpg": png()})
    assert answer.json()["pictures"][0]["media_type"] == "image/png"


@on_sqlite_only
@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (inspection(extra=1), "/inspection/extra"),
        (inspection(captured_at="2026-11-22T08:59:00"), "/inspection/captured_at"),
        (inspection(captured_at="0001-01-01T00:00:00+14:00"), "/inspection/captured_at"),
        (inspection(order_revision=2**63), "/inspection/order_revision"),
        (inspection(station="a\u0000b"), "/inspection/station"),
        (inspection(order=".."), "/inspection/order"),
        (inspection(frames=[{"name": "a", "stage": "sealed"}] * 2), "/inspection"),
        (inspection(frames=[{"name": str(n), "stage": "sealed"} for n in range(9)]), "/inspection/frames"),
        (inspection(frames=[{"name": "a", "stage": "shut"}]), "/inspection/frames/0/stage"),
        (inspection(verdict={}), "/inspection/verdict/verdict"),
    ],
)
def test_a_wrong_document_names_what_is_wrong(client: TestClient, keys: Keys, document: Any, pointer: str) -> None:
    answer = put(client, keys, "i1", document, {})
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


@on_sqlite_only
@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe{}", b"[" * 100_000, b"null", b'{"order": "\\ud800"}', b"9" * 5000]
)
def test_wrong_json_is_a_problem(client: TestClient, keys: Keys, body: bytes) -> None:
    headers = keys["station"] | {"content-type": "application/json"}
    answer = client.put("/v1/inspections/i1", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@on_sqlite_only
@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(client: TestClient, keys: Keys, number: str) -> None:
    text = json.dumps(inspection()).replace("29.4", number)
    headers = keys["station"] | {"content-type": "application/json"}
    answer = client.put("/v1/inspections/i1", content=text, headers=headers)
    assert answer.status_code == 422
    assert "finite" in answer.json()["detail"]


@on_sqlite_only
def test_forms_that_are_none_are_problems(client: TestClient, keys: Keys) -> None:
    def send(content: bytes, kind: str) -> Any:
        return client.put("/v1/inspections/i1", content=content, headers=keys["station"] | {"content-type": kind})

    assert send(b"x", "text/plain").status_code == 415
    assert send(b"x", "multipart/form-data").status_code in (400, 422)
    assert send(b"--b\r\nrubbish", "multipart/form-data; boundary=b").status_code in (400, 422)
    assert send(b"--b--\r\n", "multipart/form-data; boundary=b").status_code == 422
    for kind in ("text/plain", "multipart/form-data; boundary=b"):
        assert send(b"", kind).headers["content-type"] == "application/problem+json"


@on_sqlite_only
def test_a_body_over_the_limit_is_refused_told_or_streamed(client: TestClient, keys: Keys) -> None:
    big = bytes(3_000_000)

    def chunks() -> Any:
        for _ in range(30):
            yield bytes(100_000)

    for content, path in itertools.product((big, chunks), ("inspections/i1", "orders/A1", "inspections/i1/override")):
        headers = keys["admin"] | {"content-type": "application/json"}
        answer = client.put(f"/v1/{path}", content=content() if callable(content) else content, headers=headers)
        assert answer.status_code == 413
        assert answer.json()["limit"] == 2_000_000
        assert "LASTLOOK_MAX_BODY_BYTES" in answer.json()["detail"]
