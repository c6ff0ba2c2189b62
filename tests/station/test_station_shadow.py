"""At the bench a shadow judges what was kept; the packer's page and the record of the parcel never hear of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from inspector.frame import Frame
from inspector.shadow import Shadows
from inspector.spec import PackingSpec
from inspector.verdict import Verdict
from models.registry import Registry
from models.shadows import ShadowRecord
from station.bench import Phase
from station.camera import now_utc
from station.running import Station
from station.serving import serve
from station.settings import StationSettings, TriggerSettings
from station.sources import PictureFolder
from tests.models.adapted import REF, add_strict
from tests.station.benchside import WrittenEye, torn
from tests.station.test_kiosk_app import api, until


class Strict:
    """The shadow: holds what the eye releases, once it is let."""

    def __init__(self) -> None:
        self.may = threading.Event()

    def inspect(self, frames: Sequence[Frame], spec: PackingSpec, weight_g: float | None = None) -> Verdict:
        assert self.may.wait(30)
        return torn().inspect(frames, spec)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = add_strict(tmp_path / "models")
    made.validate(REF, lambda _: None)
    return made


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    import cv2

    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "0.png"), np.full((120, 160, 3), 128, np.uint8))
    return folder


def settings(tmp_path: Path, pictures: Path) -> StationSettings:
    return StationSettings(
        camera=PictureFolder(path=pictures),
        data=tmp_path / "data",
        operators=("li",),
        trigger=TriggerSettings(auto=False),
        models=tmp_path / "models",
    )


def test_what_was_kept_is_judged_by_the_shadow_afterwards(tmp_path: Path, pictures: Path, registry: Registry) -> None:
    registry.start_shadow(REF)
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            sent.append(request.read())
        return api(request)

    strict = Strict()
    shadows = Shadows(registry, lambda _: strict, now_utc)
    station = Station(
        settings(tmp_path, pictures), WrittenEye(), shadows=shadows, transport=httpx.MockTransport(answer)
    )
    with station:
        until(lambda: station.capture.newest() is not None)
        station.scan("A1")
        after = station.take()
        assert after.phase is Phase.RELEASED, "the green light did not wait for the shadow"
        until(lambda: bool(sent))
        strict.may.set()
    text = ShadowRecord.of(registry.site, REF).path.read_text("utf-8")
    (line,) = [json.loads(line) for line in text.splitlines()]
    assert (line["by"], line["inspection"], line["order"]) == ("bench-1", after.inspection, "A1")
    assert (line["active"]["verdict"], line["shadow"]["verdict"]) == ("release", "hold")
    assert not any(b"strict" in body or b'"hold"' in body for body in sent)


def test_a_station_does_not_start_with_a_broken_model(
    tmp_path: Path, pictures: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.activate(REF)
    (registry.site / REF / "head.npz").write_bytes(b"another head")
    assert serve(settings(tmp_path, pictures)) == 2
    told = capsys.readouterr().err
    assert told.startswith("The station cannot start: ")
    assert "lastlook models rollback parcel" in told


def test_the_stations_models_are_those_of_the_environment_unless_set(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LASTLOOK_MODELS", str(tmp_path / "usb"))
    told: dict[str, Any] = settings(tmp_path, pictures).model_dump() | {"models": None}
    assert serve(StationSettings(**told)) == 2
    assert "usb (LASTLOOK_MODELS) is not there" in capsys.readouterr().err
