"""POST /v1/inspect: the server's own eye, by raw body or form, recorded when there is an order."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.app import create_app, open_services
from api.context import Services
from api.errors import Problem
from api.eye import SharedEye
from api.inspections.tables import Inspection
from api.security import Scope, create_key
from api.settings import Settings
from tests.api.making import jpeg, on_sqlite_only, png, png_that_claims

Keys = dict[str, dict[str, str]]


def raw(client: TestClient, keys: Keys, content: bytes, kind: str = "image/jpeg", **query: str) -> Any:
    return client.post("/v1/inspect", params=query, content=content, headers=keys["station"] | {"content-type": kind})


def test_a_raw_picture_is_judged_and_nothing_is_stored(client: TestClient, keys: Keys, services: Services) -> None:
    good, torn = raw(client, keys, jpeg(230)), raw(client, keys, jpeg(20))
    assert (good.status_code, good.json()["verdict"]) == (200, "release")
    assert (torn.status_code, torn.json()["verdict"], torn.json()["reasons"]) == (
        200,
        "hold",
        ["torn on the left side"],
    )
    assert torn.json()["checks"]["integrity"]["findings"][0]["kind"] == "tear"
    assert set(torn.json()["timings_ms"]) == {"decode", "total"}
    assert torn.json()["inspection"] is None
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Inspection)) == 0


def test_with_an_order_it_is_judged_by_its_spec_recorded_and_opens_the_gate(
    client: TestClient, keys: Keys, eye: Any
) -> None:
    client.put("/v1/orders/A1", json={"marks": ["fragile"]}, headers=keys["warehouse"])
    answer = raw(client, keys, jpeg(230), order="A1", id="i1")
    assert answer.status_code == 201
    assert (answer.json()["inspection"], answer.json()["order"], answer.json()["order_revision"]) == ("i1", "A1", 1)
    assert eye.seen[0][1].marks == {"fragile"}
    kept = client.get("/v1/inspections/i1", headers=keys["warehouse"]).json()
    assert (kept["judged_by"], kept["captured_at"]) == ("server", "2026-11-22T09:00:00Z")
    assert client.get(kept["pictures"][0]["url"], headers=keys["warehouse"]).content == jpeg(230)
    gate = client.get("/v1/orders/A1/dispatch", headers=keys["warehouse"]).json()
    assert (gate["allowed"], gate["inspection"]) == (True, "i1")


def test_without_an_id_one_is_made(client: TestClient, keys: Keys) -> None:
    client.put("/v1/orders/A1", json={}, headers=keys["warehouse"])
    made = raw(client, keys, jpeg(), order="A1").json()["inspection"]
    assert client.get(f"/v1/inspections/{made}", headers=keys["warehouse"]).status_code == 200


def test_a_repeat_is_answered_with_what_was_recorded_and_not_judged_again(
    client: TestClient, keys: Keys, eye: Any, clock: Any
) -> None:
    client.put("/v1/orders/A1", json={}, headers=keys["warehouse"])
    first = raw(client, keys, jpeg(), order="A1", id="i1")
    clock.advance(minutes=1)
    again = raw(client, keys, jpeg(), order="A1", id="i1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(eye.seen) == 1
    assert raw(client, keys, jpeg(10), order="A1", id="i1").status_code == 409


def test_many_repeats_at_once_are_one_inspection(client: TestClient, keys: Keys, services: Services) -> None:
    client.put("/v1/orders/A1", json={}, headers=keys["warehouse"])
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: raw(client, keys, jpeg(), order="A1", id="i1").status_code, range(6)))
    assert sorted(answers) == [200] * 5 + [201]
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Inspection)) == 1


def test_pictures_of_both_stages_are_judged_together(client: TestClient, keys: Keys, eye: Any) -> None:
    client.put("/v1/orders/A1", json={}, headers=keys["warehouse"])
    files = [("pictures", (f"{name}.jpg", jpeg(), "image/jpeg")) for name in ("open", "密封")]
    answer = client.post(
        "/v1/inspect",
        params={"order": "A1", "id": "i1"},
        files=files,
        data={"stages": ["open", "sealed"]},
        headers=keys["station"],
    )
    assert answer.status_code == 201, answer.text
    assert eye.seen[0][0] == 2
    frames = client.get("/v1/inspections/i1", headers=keys["warehouse"]).json()["frames"]
    assert [(frame["name"], frame["stage"]) for frame in frames] == [("open.jpg", "open"), ("密封.jpg", "sealed")]


def test_an_order_nobody_registered_is_not_judged(client: TestClient, keys: Keys, eye: Any) -> None:
    answer = raw(client, keys, jpeg(), order="B9")
    assert (answer.status_code, eye.seen) == (404, [])
    assert "Register it" in answer.json()["detail"]


@on_sqlite_only
@pytest.mark.parametrize("order", [None, "A1"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04" + bytes(200),
        jpeg()[: len(jpeg()) // 2],
        png_that_claims(50_000, 50_000),
        b"\xff\xd8\xff" + bytes(50) + b"\xff\xd9",
        b"\xff" * 1000,
        bytes(1000),
        png()[:60],
    ],
    ids=["empty", "zip", "half a JPEG", "huge PNG", "no JPEG inside", "ff", "zeros", "part of a PNG"],
)
def test_hostile_pictures_are_refused_by_name_with_advice_and_cost_nothing(
    client: TestClient, keys: Keys, services: Services, content: bytes, order: str | None
) -> None:
    client.put("/v1/orders/A1", json={}, headers=keys["warehouse"])
    query = {"order": order} if order else {}
    answer = raw(client, keys, content, **query)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/bad-picture"
    assert "sealed.jpg: " in answer.json()["detail"]
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Inspection)) == 0
    assert raw(client, keys, jpeg(), **query).status_code in (200, 201), "the next picture is judged as ever"


@on_sqlite_only
def test_the_form_says_what_it_lacks(client: TestClient, keys: Keys) -> None:
    picture = ("pictures", ("a.jpg", jpeg(), "image/jpeg"))

    def send(files: Any, data: Any = None) -> Any:
        return client.post("/v1/inspect", files=files, data=data or {}, headers=keys["station"])

    assert "1 to 8 pictures" in send([("stages", (None, b"open"))]).json()["detail"]
    assert "1 to 8 pictures" in send([picture] * 9).json()["detail"]
    assert "2 pictures but 1 stages" in send([picture] * 2, {"stages": ["open"]}).json()["detail"]
    assert "`open` or `sealed`" in send([picture], {"stages": ["shut"]}).json()["detail"]
    assert "unknown part 'photo'" in send([("photo", picture[1])]).json()["detail"]
    assert client.post("/v1/inspect", content=b"{}", headers=keys["station"]).status_code == 415
    assert raw(client, keys, jpeg(), stage="shut").status_code == 422


@on_sqlite_only
@pytest.mark.parametrize("path", ["/v1/inspect", "/v1/inspections/i1"])
def test_a_bench_that_loses_its_radio_half_way_is_not_our_mistake(client: TestClient, keys: Keys, path: str) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    answers: list[dict[str, Any]] = []
    authorization = keys["station"]["Authorization"].encode()
    scope = {
        "type": "http", "method": "POST" if path == "/v1/inspect" else "PUT", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1", "server": ("test", 80),
        "headers": [
            (b"host", b"test"), (b"authorization", authorization), (b"content-length", b"1000"),
            (b"content-type", b"image/jpeg" if path == "/v1/inspect" else b"application/json"),
        ],
    }  # fmt: skip
    asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]  # TestClient types app as a callable
    assert answers[0]["status"] == 400


@on_sqlite_only
def test_an_eye_that_cannot_be_loaded_leaves_the_rest_working(settings: Settings) -> None:
    tries: list[int] = []

    def load() -> Any:
        tries.append(1)
        raise OSError("model.onnx: digest differs")

    shared = SharedEye(load)
    for _ in range(2):
        with pytest.raises(Problem, match=r"model\.onnx: digest differs") as caught:
            shared.get()
        assert caught.value.status == 503
    assert len(tries) == 2, "it is tried again, for the model may have been put right"


@on_sqlite_only
def test_the_real_eye_judges_its_own_golden_pictures(settings: Settings) -> None:
    """The whole way, with the packaged model: what the card calls torn is not released over HTTP either."""
    import models

    folder = Path(models.__file__).parent / "parcel"
    pictures = sorted(folder.glob("*/golden/*.jpg"))
    if not pictures:
        pytest.skip("no model is packaged yet")
    app = create_app(settings)
    services: Services = app.state.services
    with services.database.writing() as session:
        token = create_key(session, "test", [Scope.STATION], services.clock())
    headers = {"Authorization": f"Bearer {token}", "content-type": "image/jpeg"}
    with TestClient(app) as client:
        assert client.get("/readyz").status_code == 200
        answers = [client.post("/v1/inspect", content=p.read_bytes(), headers=headers) for p in pictures]
    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        judged = answer.json()
        assert judged["models"][0]["name"] == "parcel"
        assert judged["parcels"], "a golden picture shows a parcel"
        assert 0 <= judged["checks"]["integrity"]["score"] <= 1


def test_threads_and_providers_of_the_eye_come_from_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LASTLOOK_PROVIDERS", '["NoSuchExecutionProvider"]')
    services = open_services(Settings(data=tmp_path / "data"))
    try:
        with pytest.raises(Problem, match="has no NoSuchExecutionProvider here"):
            services.eye.get()
    finally:
        services.database.close()
