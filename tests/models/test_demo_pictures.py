"""The demo's pictures are what pictures.json says: they decode, they are small, their codes scan."""

import json
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

FOLDER = Path(__file__).parents[2] / "demo" / "pictures"
ENTRIES: list[dict[str, Any]] = json.loads((FOLDER / "pictures.json").read_text("utf-8"))["pictures"]
MARKS = {
    "fragile",
    "this_way_up",
    "keep_dry",
    "handle_with_care",
    "lithium_battery",
    "keep_away_from_sun",
    "stack_limit",
}


@pytest.fixture(params=ENTRIES, ids=lambda entry: entry["file"])
def entry(request: pytest.FixtureRequest) -> dict[str, Any]:
    told: dict[str, Any] = request.param
    return told


def read_codes(file: Path) -> set[tuple[str, str]]:
    with Image.open(file) as image:
        codes = zxingcpp.read_barcodes(image.convert("RGB"))
    return {(str(code.format).replace(" ", ""), code.text) for code in codes}


def test_every_picture_in_the_folder_is_told_of_and_none_is_missing() -> None:
    assert sorted(entry["file"] for entry in ENTRIES) == sorted(file.name for file in FOLDER.glob("*.jpg"))
    assert len(ENTRIES) >= 13


def test_together_they_are_small_enough_to_ship() -> None:
    assert sum(file.stat().st_size for file in FOLDER.glob("*.jpg")) <= 2_600_000


def test_it_decodes_at_the_size_it_tells(entry: dict[str, Any]) -> None:
    with Image.open(FOLDER / entry["file"]) as image:
        image.load()
        assert image.format == "JPEG"
        assert image.size == (entry["width"], entry["height"]) == (1280, 720)


def test_the_promised_codes_scan_and_no_other(entry: dict[str, Any]) -> None:
    found = read_codes(FOLDER / entry["file"])
    assert {text for _, text in found} == set(entry["codes"])
    if entry["codes"]:
        assert ("Code128", entry["label"]["text"]) in found


def test_boxes_lie_in_the_picture_and_marks_and_label_on_the_parcel(entry: dict[str, Any]) -> None:
    x0, y0, width, height = entry["parcel"]
    parts = [*entry["marks"], *entry["damages"], *entry["items"], *([entry["label"]] if entry["label"] else [])]
    for x, y, w, h in [entry["parcel"], *(part["box"] for part in parts)]:
        assert w > 0
        assert h > 0
        assert x >= x0
        assert y >= y0
        assert x + w <= x0 + width <= 1280
        assert y + h <= y0 + height <= 720


def test_a_whole_parcel_has_no_damage_and_a_damaged_one_shows_it(entry: dict[str, Any]) -> None:
    assert bool(entry["damages"]) == (entry["integrity"] == "damaged")
    assert {mark["mark"] for mark in entry["marks"]} <= MARKS


def test_the_stories_the_demo_tells_are_there() -> None:
    told = {entry["file"][:2]: entry for entry in ENTRIES}
    assert {mark["mark"] for mark in told["01"]["marks"]} >= {"fragile"}
    assert told["02"]["packaging"] == "mailer"
    assert [told[n]["damages"][0]["kind"] for n in ("03", "04", "05", "08")] == ["crush", "hole", "wet", "open_flap"]
    assert told["06"]["marks"] == []
    assert told["07"]["codes"] == ["LL000000099"]
    assert told["13"]["codes"] == told["04"]["codes"]
    assert told["13"]["integrity"] == "intact"
    missing = {item["item"] for item in told["11"]["items"]} - {item["item"] for item in told["12"]["items"]}
    assert missing == {"usb-cable"} == set(told["12"]["missing"])
