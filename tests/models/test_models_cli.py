"""`lastlook models` as people use it, with real models: what it says, what it refuses, and what judges afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import models
from lastlook import main
from models.registry import Registry
from models.shadows import ShadowRecord
from tests.models.adapted import REF, add_strict

SHIPPED = f"parcel/{models.ACTIVE['parcel']}"
PICTURE = models.load().folder / "golden" / next(f["file"] for f in models.load().golden if f["result"] == "pass")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LASTLOOK_DATA", str(tmp_path))
    monkeypatch.delenv("LASTLOOK_MODELS", raising=False)
    return tmp_path / "models"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def judged_by() -> tuple[str, str]:
    """(model, verdict) of an intact parcel, as `lastlook inspect` tells them."""
    done = run("inspect", PICTURE, "--format", "jsonl")
    told: dict[str, Any] = json.loads(done.stdout)
    return f"parcel/{told['models'][0]['version']}", told["verdict"]


def test_what_ships_is_listed_and_verified(site: Path) -> None:
    told = {row["model"]: row for row in json.loads(run("models", "list", "--json").stdout)}
    assert told[SHIPPED]["state"] == "active"
    assert told[SHIPPED]["shipped"] is True
    done = run("models", "verify", SHIPPED)
    assert done.exit_code == 0
    assert done.stdout == f"good      {SHIPPED}  active: files and golden frames are as told\n"
    assert not site.exists()


def test_from_a_candidate_to_the_active_model_and_back(site: Path) -> None:
    add_strict(site)
    refused = run("models", "activate", REF)
    assert refused.exit_code == 1
    assert f"{REF} was not validated; `lastlook models verify {REF}` does it" in refused.output
    assert run("models", "verify", REF).stdout == f"good      {REF}  validated: files and golden frames are as told\n"
    assert judged_by() == (SHIPPED, "release")

    done = run("models", "activate", REF, "--reason", "tried on 40 parcels")
    assert done.exit_code == 0
    assert "lastlook models rollback parcel" in done.stdout
    assert judged_by() == (REF, "hold")
    shown = run("models", "show", "parcel").stdout
    assert shown.startswith(f"{REF}\n")
    assert "not worse: stops 9 of 9, and 7 of 9" in shown
    assert "tried on 40 parcels" in shown

    assert run("models", "rollback", "--reason", "stops everything").exit_code == 0
    assert judged_by() == (SHIPPED, "release")
    history = json.loads(run("models", "show", REF, "--json").stdout)["history"]
    assert [event["after"] for event in history] == ["candidate", "validated", "active", "retired"]


def test_a_worse_candidate_is_refused_with_the_figures(site: Path) -> None:
    add_strict(site, comparison={"against": SHIPPED, "worse": True, "text": "AUROC 0.91, and 0.96 of the other"})
    done = run("models", "verify", REF)
    assert done.exit_code == 1
    assert done.stdout.startswith(f"NOT GOOD  {REF}  ")
    assert "AUROC 0.91, and 0.96 of the other" in done.stdout
    assert run("models", "activate", REF).exit_code == 1


def test_a_candidate_that_judges_its_golden_frames_otherwise_is_refused(site: Path) -> None:
    add_strict(site, calibration={"kind": "platt", "a": -1.0, "b": 0.0})
    done = run("models", "verify", REF, "--json")
    assert done.exit_code == 1
    (told,) = json.loads(done.stdout)
    assert (told["good"], told["model"]) == (False, REF)
    assert "otherwise than its card" in told["text"]
    assert Registry(site).state(REF) == "candidate"


def test_a_model_comes_on_a_stick(site: Path, tmp_path: Path) -> None:
    made = add_strict(tmp_path / "office").get(REF).folder
    done = run("models", "add", made)
    assert done.exit_code == 0
    assert f"lastlook models verify {REF}" in done.stdout
    assert run("models", "verify", REF).exit_code == 0
    assert run("models", "add", tmp_path).exit_code == 1, "that is no model"


def test_a_broken_active_model_stops_the_judging_and_tells_the_way_back(site: Path) -> None:
    registry = add_strict(site)
    run("models", "verify", REF)
    run("models", "activate", REF)
    (registry.get(REF).folder / "head.npz").write_bytes(b"another head")

    judged = run("inspect", PICTURE)
    assert judged.exit_code == 2
    assert judged.stdout == ""
    assert f"lastlook models rollback parcel` goes back to {SHIPPED}" in judged.stderr
    listed = run("models", "list")
    assert "BROKEN" in listed.stdout
    assert "head.npz is not the file its card tells of" in listed.stderr
    assert run("models", "verify").exit_code == 1

    assert run("models", "rollback").exit_code == 0
    assert judged_by() == (SHIPPED, "release")


def test_a_shadow_is_told_apart_and_its_agreement_shown(site: Path) -> None:
    registry = add_strict(site)
    assert run("models", "shadow", REF).exit_code == 1
    run("models", "verify", REF)
    assert f"{REF} is the shadow of {SHIPPED}" in run("models", "shadow", REF).stdout
    assert judged_by() == (SHIPPED, "release"), "a shadow judges nothing that is shown"
    record = ShadowRecord.of(registry.site, REF)
    for n in range(20):
        said = {"active": {"verdict": "release"}, "shadow": {"verdict": "hold" if n == 3 else "release"}}
        record.add({"at": f"2026-11-22T08:{n:02}", "by": "bench-1", "inspection": f"i{n}", "beside": SHIPPED, **said})
    shown = run("models", "show", REF).stdout
    assert "agreed on 19 of 20 parcels: 95.0% (95 % interval 75.1% to 99.9%)" in shown
    assert "1 held that were released, 0 released that were held" in shown
    assert "i3: release, shadow hold" in shown
    assert run("models", "shadow", REF, "--stop").exit_code == 0
    assert registry.shadows() == []


@pytest.mark.parametrize(
    "command", [["show", "parcel/9"], ["activate", "parcel/9"], ["shadow", "planet/1"], ["rollback"]]
)
def test_what_is_not_there_is_told_in_a_line(site: Path, command: list[str]) -> None:
    done = run("models", *command)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert len(done.output.splitlines()) == 1
    assert not (site / "registry.json").exists()


def test_a_named_folder_that_is_not_there_judges_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTLOOK_MODELS", str(tmp_path / "usb"))
    done = run("inspect", PICTURE)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "is not there; make it, or mount its disk" in done.stderr
