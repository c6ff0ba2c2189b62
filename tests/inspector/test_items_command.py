"""`lastlook teach` and `lastlook items` as a person at a terminal meets them; the real embedder and cut-out."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result

from inspector.frame import decode
from lastlook import main
from tests.inspector.likeness import BLUE, GREEN, RED, photo


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LASTLOOK_GALLERY", str(tmp_path / "gallery.sqlite"))
    for name, content in {
        "red.png": photo(RED, side=200),
        "red2.png": photo(RED, side=200, seed=4),
        "two.png": photo(RED, BLUE, side=200),
        "small.png": photo(RED, side=40),
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def test_teach_show_export_import_remove(shop: Path) -> None:
    taught = run("teach", "cable", shop / "red.png", "--weight-g", 42, "--name", "USB 线", "--by", "li")
    assert taught.exit_code == 0, taught.output
    assert "cable is known from 1 view, 42 g" in taught.output
    assert "known before" in run("teach", "cable", shop / "red.png").output
    listed = run("items", "list")
    assert "cable" in listed.output
    assert "USB 线" in listed.output
    shown = json.loads(run("items", "show", "cable", "--json").output)
    assert (shown["item"], shown["weight_g"], shown["references"], shown["taught_by"]) == ("cable", 42, 1, "li")
    assert run("items", "show", "cable", "--pictures", shop / "pictures").exit_code == 0
    (picture,) = (shop / "pictures").glob("*.jpg")
    assert decode(picture.read_bytes(), name="cut out").bgr.shape[0] < 200 + 60, "cut out"
    assert run("items", "export", shop / "all.zip").exit_code == 0
    assert run("items", "remove", "cable").exit_code == 0
    assert "No item is taught yet" in run("items", "list").output
    imported = run("items", "import", shop / "all.zip")
    assert "1 items with 1 references, of which 1 are new" in imported.output
    assert "0 references embedded" in run("items", "reembed").output
    assert "USB 线" in run("items", "list").output


def test_a_photo_that_would_not_help_exits_with_1_and_says_what_was_kept(shop: Path) -> None:
    mixed = run("teach", "cable", shop / "red.png", shop / "two.png", shop / "small.png")
    assert mixed.exit_code == 1
    assert "kept" in mixed.stdout
    assert "two.png: 2 things are in the photo" in mixed.stderr
    assert "small.png: it is only" in mixed.stderr
    assert "known from 1 view" in mixed.stdout
    none = run("teach", "ball", shop / "two.png")
    assert (none.exit_code, "nothing was stored" in none.stderr) == (1, True)
    assert "ball" not in run("items", "list").output
    twin = run("teach", "twin", shop / "red2.png")
    assert twin.exit_code == 1
    assert "it looks like 'cable'" in twin.stderr
    assert "--though-alike" in twin.stderr
    assert run("teach", "twin", shop / "red2.png", "--though-alike").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("teach", "cable", "nowhere.png"), "nowhere.png: No such file"),
        (("teach", "cable", "--weight-g", "3"), "give at least one photo"),
        (("items", "show", "cable"), "there is no gallery; teach a first item"),
        (("items", "remove", "cable"), "there is no gallery"),
        (("items", "export", "x.zip"), "there is no gallery"),
        (("items", "import", "nowhere.zip"), "nowhere.zip: No such file"),
        (("items", "import", "red.png"), "no zip file"),
    ],
)
def test_what_cannot_be_done_exits_with_2_and_the_reason(
    shop: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], why: str
) -> None:
    monkeypatch.chdir(shop)
    done = run(*arguments)
    assert (done.exit_code, why in done.stderr) == (2, True), done.output
    assert "Traceback" not in done.output


def test_an_order_is_judged_with_the_gallery_and_the_weight(shop: Path) -> None:
    run("teach", "cable", shop / "red.png", "--weight-g", 42)
    (shop / "order.json").write_text('{"items": [{"item": "cable"}]}', "utf-8")
    cv2.imwrite(str(shop / "open.png"), decode(photo(GREEN, side=300), name="box").bgr)
    asked = ("inspect", "--stage", "open", "--order", shop / "order.json", "--format", "jsonl")
    done = run(*asked, "--weight-g", 512, shop / "open.png")
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    assert told["weight_g"] == 512
    assert "embedder" in [model["name"] for model in told["models"]]
    assert [item["item"] for item in told["checks"]["contents"]["items"]] == ["cable"]
    several = run(*asked, "--weight-g", 512, shop / "open.png", shop / "red.png")
    assert (several.exit_code, "one picture" in several.stderr) == (2, True)
    missing = run(*asked, "--gallery", shop / "none.sqlite", shop / "open.png")
    assert (missing.exit_code, "there is no gallery" in missing.stderr) == (2, True)
