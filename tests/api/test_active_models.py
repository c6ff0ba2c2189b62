"""The server judges with its site's active model; a shadow judges too, and no answer knows of it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import models
from api.app import create_app
from api.eye import load_inspector
from api.security import Scope, create_key
from api.settings import Settings
from inspector import InspectorSettings
from inspector.gallery import Gallery
from models.registry import Registry
from models.shadows import ShadowRecord
from tests.models.adapted import REF, add_strict

SHIPPED = models.load()
PICTURE = SHIPPED.folder / "golden" / next(f["file"] for f in SHIPPED.golden if f["result"] == "pass")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = add_strict(tmp_path / "data" / "models")
    made.validate(REF, lambda _: None)
    return made


class Server:
    """A server with the real eye on the folder; `with` is one start of it."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.app = create_app(Settings(data=folder, **changes))
        services = self.app.state.services
        with services.database.writing() as session:
            token = create_key(session, "wms", [Scope.WAREHOUSE], services.clock())
        self.key = {"Authorization": f"Bearer {token}"}

    def __enter__(self) -> Server:
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.client.__enter__()
        return self

    def __exit__(self, *told: object) -> None:
        self.client.__exit__(*told)

    def inspect(self, **query: str) -> Any:
        content = io.BytesIO(PICTURE.read_bytes())
        kind = {"content-type": "image/jpeg"}
        return self.client.post("/v1/inspect", params=query, content=content, headers=self.key | kind)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_the_server_judges_with_the_active_model(folder: Path, registry: Registry) -> None:
    registry.activate(REF)
    with Server(folder) as server:
        told = server.inspect().json()
        ready = server.client.get("/readyz")
    assert told["verdict"] == "hold"
    assert told["models"][0] == {"name": "parcel", "version": REF.partition("/")[2], "sha256": registry.get(REF).sha256}
    assert ready.status_code == 200


def test_a_shadow_is_recorded_and_never_shown(folder: Path, registry: Registry) -> None:
    registry.start_shadow(REF)
    with Server(folder) as server:
        server.client.put("/v1/orders/A1", json={}, headers=server.key)
        first = server.inspect(order="A1", id="i1")
        repeat = server.inspect(order="A1", id="i1")
        unrecorded = server.inspect()
        kept = server.client.get("/v1/inspections/i1", headers=server.key)
    assert [answer.status_code for answer in (first, repeat, unrecorded)] == [201, 200, 200]
    for answer in (first, repeat, unrecorded, kept):
        assert '"release"' in answer.text
        assert "strict" not in answer.text
    text = ShadowRecord.of(registry.site, REF).path.read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["by"], line["inspection"], line["order"]) for line in lines] == [
        ("server", "i1", "A1"),
        ("server", None, None),
    ]
    for line in lines:
        assert (line["active"]["verdict"], line["shadow"]["verdict"]) == ("release", "hold")
        assert line["shadow"]["models"][0]["version"] == REF.partition("/")[2]


def test_a_broken_active_model_judges_nothing_and_the_rest_goes_on(folder: Path, registry: Registry) -> None:
    registry.activate(REF)
    (registry.get(REF).folder / "head.npz").write_bytes(b"another head")
    with Server(folder) as server:
        judged, ready = server.inspect(), server.client.get("/readyz")
        order = server.client.put("/v1/orders/A1", json={}, headers=server.key)
    for answer in (judged, ready):
        assert answer.status_code == 503
        assert f"lastlook models rollback parcel` goes back to parcel/{SHIPPED.card.version}" in answer.json()["detail"]
    assert order.status_code == 201
    registry.rollback("parcel")
    with Server(folder) as server:
        assert server.inspect().json()["verdict"] == "release"


def test_a_broken_shadow_costs_no_answer(folder: Path, registry: Registry) -> None:
    registry.start_shadow(REF)
    (registry.site / REF / "head.npz").write_bytes(b"another head")
    with Server(folder) as server:
        assert server.inspect().json()["verdict"] == "release"
    tally = ShadowRecord.of(registry.site, REF).tally()
    assert tally.failed == 1
    assert "head.npz is not the file its card tells of" in str(tally.last_failure)


def test_a_folder_of_models_that_was_named_and_is_not_there_is_told(folder: Path, tmp_path: Path) -> None:
    with Server(folder, models=tmp_path / "usb") as server:
        answer = server.inspect()
    assert answer.status_code == 503
    assert "usb (LASTLOOK_MODELS) is not there" in answer.json()["detail"]


def test_a_named_folder_of_data_that_was_not_there_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LASTLOOK_DATA", str(tmp_path / "disk"))
    for told in (True, False):
        caplog.clear()
        create_app(Settings()).state.services.database.close()
        assert (f"{tmp_path / 'disk'} (LASTLOOK_DATA) was not there" in caplog.text) is told


def test_a_server_with_side_cameras_judges_arrows_by_its_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def load(settings: InspectorSettings, **_: object) -> None:
        seen.append(settings)
        raise RuntimeError("only the settings are asked for")

    monkeypatch.setattr("inspector.Inspector.load", load)
    gallery = Gallery.open(folder / "gallery.sqlite")
    for side in (False, True):
        with pytest.raises(RuntimeError, match="only the settings"):
            load_inspector(Settings(data=folder, side_view=side), gallery)
    assert [settings.side_view for settings in seen] == [False, True]
    monkeypatch.setenv("LASTLOOK_SIDE_VIEW", "true")
    assert Settings().side_view
