"""Models are found by name, verified by digest, and refused with what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import models


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    shutil.copytree(models.HERE / "parcel", tmp_path / "parcel")
    return tmp_path


def test_the_active_model_is_the_one_its_card_tells() -> None:
    model = models.load()
    assert model.card.version == models.ACTIVE["parcel"]
    assert model.sha256 == models.digest(model.folder / "card.json")
    assert set(model.card.files) >= {"model.onnx", "golden/golden.json"}


def test_every_golden_picture_is_covered_by_the_card() -> None:
    model = models.load()
    assert model.golden
    for golden in model.golden:
        assert f"golden/{golden['file']}" in model.card.files


@pytest.mark.parametrize("file", ["model.onnx", "golden/golden.json"])
def test_a_changed_file_is_refused(catalogue: Path, file: str) -> None:
    path = catalogue / "parcel" / models.ACTIVE["parcel"] / file
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(models.ModelError, match=f"{file} is not the file its card tells of"):
        models.load(root=catalogue)


def test_a_missing_file_is_refused(catalogue: Path) -> None:
    (catalogue / "parcel" / models.ACTIVE["parcel"] / "model.onnx").unlink()
    with pytest.raises(models.ModelError, match=r"model\.onnx is not the file"):
        models.load(root=catalogue)


def test_a_card_that_cannot_be_read_is_refused(catalogue: Path) -> None:
    path = catalogue / "parcel" / models.ACTIVE["parcel"] / "card.json"
    told = json.loads(path.read_text())
    told["thresholds"]["integrity"]["fail"] = 1.5
    path.write_text(json.dumps(told))
    with pytest.raises(models.ModelError, match=r"thresholds\.integrity\.fail"):
        models.load(root=catalogue)


@pytest.mark.parametrize(("name", "version"), [("parcel", "9.9.9"), ("planet", None)])
def test_an_unknown_model_is_named_with_those_there_are(name: str, version: str | None) -> None:
    with pytest.raises(models.ModelError, match=f"no model {name}/"):
        models.load(name, version)


def test_the_digest_of_nothing_is_empty(tmp_path: Path) -> None:
    assert models.digest(tmp_path / "nothing") == ""
