"""`lastlook evaluate parcels` with the real model on pictures that ship: what it prints, names and refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import models
from inspector import decode
from lastlook import main

PICTURES = Path(__file__).parents[2] / "demo" / "pictures"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some of the demo's pictures, as a bench would sort them; no model of a site is active."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("LASTLOOK_DATA", str(tmp_path / "data"))
    folder = tmp_path / "bench"
    for state, names in {
        "intact": ("01-intact-carton", "09-this-way-up"),
        "damaged": ("04-torn-hole", "05-wet"),
    }.items():
        (folder / state).mkdir(parents=True)
        for name in names:
            shutil.copy(PICTURES / f"{name}.jpg", folder / state)
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["evaluate", "parcels", *map(str, arguments)])


def test_figures_and_a_sheet_of_the_worst(bench: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "worst.jpg"
    done = run(bench, "--json", "--sheet", sheet)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["pictures"] | {"unreadable": []} == {
        "judged": 4,
        "groups": 4,
        "damaged": 2,
        "intact": 2,
        "doubtful": 0,
        "left_out": {},
        "unreadable": [],
    }
    assert told["integrity"]["auroc"]["value"] is not None
    assert told["timings_ms"]["judge"]["median"] > 0
    assert {row["file"] for row in told["worst"]["damaged_scored_lowest"]} == {
        "damaged/04-torn-hole.jpg",
        "damaged/05-wet.jpg",
    }
    assert decode(sheet.read_bytes(), name="sheet").size[0] > 1000


def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_measured(bench: Path) -> None:
    (bench / "damaged" / "phone.heic").write_bytes(b"not what we can read")
    done = run(bench)
    assert done.exit_code == 2
    assert "phone.heic: not a picture that can be read" in done.stderr
    assert "1 could not be read" in done.stdout
    assert "2 damaged, 2 intact" in done.stdout


def test_a_part_is_spread_over_the_folder(bench: Path) -> None:
    done = run(bench, "--json", "--limit", "2", "--model", f"parcel/{models.ACTIVE['parcel']}")
    assert done.exit_code == 0, done.output
    pictures = json.loads(done.stdout)["pictures"]
    assert (pictures["damaged"], pictures["intact"]) == (1, 1)


def test_what_cannot_be_measured_is_told_in_a_line(bench: Path, tmp_path: Path) -> None:
    for arguments, told in {
        (tmp_path / "nowhere",): "is no folder",
        (bench, "--model", "parcel/99"): "parcel/99",
        (bench, "--model", f"embedder/{models.ACTIVE['embedder']}"): "does not judge sealed parcels",
        (bench, "--sheet", tmp_path / "nowhere" / "worst.jpg"): "no folder for the sheet",
    }.items():
        done = run(*arguments)
        assert done.exit_code == 2, arguments
        assert told in done.stderr
        assert "Traceback" not in done.output
    for picture in (*bench.rglob("*.jpg"),):
        picture.write_bytes(b"")
    done = run(bench)
    assert done.exit_code == 2
    assert "nothing was measured" in done.stderr
