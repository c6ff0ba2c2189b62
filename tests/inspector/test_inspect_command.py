"""`lastlook inspect` with the real model: what it prints, what it refuses, and how it exits."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import models
from inspector import Frame, GoldenError, Inspector, InspectorSettings, PackingSpec, Verdict, decode
from inspector.annotate import draw, encode_jpeg
from inspector.golden import judge_golden
from inspector.runtime import EngineError
from lastlook import main

GOLDEN = models.load().folder / "golden"
TOLD = {frame["file"]: frame for frame in models.load().golden}


@pytest.fixture(scope="module")
def eye() -> Inspector:
    return Inspector.load()


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["inspect", *map(str, arguments)])


def _with_result(result: str) -> Iterator[str]:
    return (name for name, told in TOLD.items() if told["result"] == result)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return Path(shutil.copy(GOLDEN / next(_with_result("pass")), tmp_path / "好的包裹.jpg"))


@pytest.fixture
def torn(tmp_path: Path) -> Path:
    return Path(shutil.copy(GOLDEN / next(_with_result("fail")), tmp_path / "torn.jpg"))


def test_a_whole_parcel_exits_0_and_a_damaged_one_1(good: Path, torn: Path) -> None:
    assert _run(good).exit_code == 0
    held = _run(torn)
    assert held.exit_code == 1
    assert held.output.startswith("HOLD")


def test_jsonl_is_one_object_a_picture(good: Path, torn: Path) -> None:
    done = _run(good, torn, "--format", "jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["image"] for line in lines] == [str(good), str(torn)]
    assert [line["verdict"] for line in lines] == ["release", "hold"]
    for line in lines:
        assert 0 <= line["checks"]["integrity"]["score"] <= 1
        assert line["timings_ms"].keys() == {"decode", "infer", "total"}
        assert line["models"][0]["sha256"] == models.load().sha256


def test_hostile_files_cost_no_other_picture_its_verdict(good: Path, torn: Path, tmp_path: Path) -> None:
    hostile = {
        "empty.jpg": b"",
        "zip.jpg": b"PK\x03\x04" + bytes(200),
        "cut.jpg": good.read_bytes()[: good.stat().st_size // 2],
        "not-there.jpg": None,
    }
    for name, data in hostile.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
    done = _run(*(tmp_path / name for name in hostile), good, torn)
    assert done.exit_code == 2
    assert len(done.stdout.splitlines()) == 2
    for name in hostile:
        assert any(name in line for line in done.stderr.splitlines()), f"{name} is not named on stderr"


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "16"])
def test_unusual_pictures_are_judged_all_the_same(mode: str, torn: Path, tmp_path: Path) -> None:
    picture: Image.Image = Image.open(torn)
    if mode == "16":
        levels = np.asarray(picture.convert("L")).astype(np.uint16) * 257
        picture, file = Image.fromarray(levels), tmp_path / "a.png"
    else:
        picture, file = picture.convert(mode), tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    picture.save(file)
    done = _run(file, "--format", "jsonl")
    assert done.exit_code in (0, 1)
    assert json.loads(done.stdout)["checks"]["integrity"]["score"] is not None


def test_a_folder_is_judged_in_order_and_annotated(good: Path, torn: Path, tmp_path: Path) -> None:
    out = tmp_path / "seen"
    twin = tmp_path / "twin"
    twin.mkdir()
    shutil.copy(torn, twin / torn.name)
    done = _run(tmp_path, twin, "--annotate", out)
    assert [line.split()[1] for line in done.stdout.splitlines()] == [
        *map(str, sorted((good, torn))),
        str(twin / torn.name),
    ]
    assert sorted(p.name for p in out.iterdir()) == ["torn-judged-2.jpg", "torn-judged.jpg", "好的包裹-judged.jpg"]
    widths = [decode(path.read_bytes(), name=path.name).size[0] for path in (out / "torn-judged.jpg", torn)]
    assert widths[0] == widths[1]


def test_an_order_that_lists_items_is_never_released(good: Path, tmp_path: Path) -> None:
    order = tmp_path / "order.json"
    order.write_text('{"items": [{"item": "usb-cable"}]}')
    done = _run(good, "--order", order, "--format", "jsonl")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["verdict"] == "hold"
    assert told["checks"]["contents"]["result"] == "skipped"


@pytest.mark.parametrize(
    ("order", "said"),
    [('{"marks": ["fragil"]}', "unknown mark"), ("{", "Invalid JSON"), (None, "cannot read the order")],
)
def test_an_order_that_cannot_be_used_says_why(good: Path, tmp_path: Path, order: str | None, said: str) -> None:
    path = tmp_path / "order.json"
    if order is not None:
        path.write_text(order)
    done = _run(good, "--order", path)
    assert done.exit_code == 2
    assert said in done.stderr


def test_the_same_picture_gets_the_same_verdict_from_many_threads(eye: Inspector, torn: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    frame = decode(torn.read_bytes(), name="torn.jpg")
    alone = replace(eye.inspect([frame]), timings_ms={})
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: replace(eye.inspect([frame]), timings_ms={}), range(12)))
    assert all(verdict == alone for verdict in together)


def test_golden_frames_agree_and_a_model_that_flips_is_refused(eye: Inspector) -> None:
    eye.golden()
    model = models.load()
    flipped = model.card.model_copy(update={"calibration": model.card.calibration.model_copy(update={"a": -1.0})})
    with pytest.raises(GoldenError, match="otherwise than its card"):
        Inspector.load(model=models.Model(model.folder, flipped))


def test_a_shifted_box_is_noticed(eye: Inspector) -> None:
    model = models.load()
    first = {**model.golden[0], "parcel_box": [v + 50 for v in model.golden[0]["parcel_box"]]}
    shifted = models.Model(model.folder, model.card)
    shifted.__dict__["golden"] = [first]
    with pytest.raises(GoldenError, match="pixels off"):
        judge_golden(shifted, eye.inspect)


def test_an_accelerator_that_is_not_there_is_an_error_and_no_silent_fall_back() -> None:
    with pytest.raises(EngineError, match="has no NoSuchExecutionProvider here"):
        Inspector.load(InspectorSettings(providers=("NoSuchExecutionProvider",)))


def test_the_annotated_picture_hides_nothing_and_the_frame_keeps_its_pixels(eye: Inspector, torn: Path) -> None:
    frame = decode(torn.read_bytes(), name="torn.jpg")
    before = frame.bgr.copy()
    drawn = draw(frame, eye.inspect([frame]))
    height = before.shape[0]
    assert drawn.shape[0] > height, "the verdict stands below the picture"
    assert (frame.bgr == before).all()
    changed = (drawn[:height] != before).any(axis=2).mean()
    assert 0 < changed < 0.3
    assert decode(encode_jpeg(drawn), name="again").bgr.shape == drawn.shape


def test_the_annotated_copy_never_replaces_the_photo(torn: Path) -> None:
    before = torn.read_bytes()
    assert _run(torn, "--annotate", torn.parent).exit_code == 1
    assert torn.read_bytes() == before
    assert (torn.parent / "torn-judged.jpg").exists()


def test_a_folder_without_pictures_is_not_all_released(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    done = _run(tmp_path)
    assert done.exit_code == 2
    assert "no pictures" in done.stderr


def test_a_name_that_is_no_text_costs_nobody_a_verdict(torn: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(torn.parent) + b"/a\xff.jpg"))
    shutil.copy(torn, odd)
    done = _run(odd, torn, "--format", "jsonl")
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 2


def test_a_fault_of_ours_costs_no_other_picture_its_verdict(
    good: Path, torn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Inspector.inspect

    def faulty(self: Inspector, frames: Sequence[Frame], spec: PackingSpec, _weight: float | None) -> Verdict:
        if frames[0].name == str(good):
            raise ZeroDivisionError("a fault")
        return whole(self, frames, spec)

    eye = Inspector.load()
    monkeypatch.setattr(Inspector, "load", lambda _settings, **_: eye)
    monkeypatch.setattr(Inspector, "inspect", faulty)
    done = _run(good, torn)
    assert done.exit_code == 2
    assert "not judged, a fault of Lastlook" in done.stderr
    assert done.stdout.startswith("HOLD")


@pytest.mark.parametrize("damage", ["cut", "zeroed"])
def test_a_picture_damaged_in_its_middle_is_refused_and_not_judged_on_what_is_left(
    torn: Path, tmp_path: Path, damage: str
) -> None:
    data = torn.read_bytes()
    a, b = int(0.3 * len(data)), int(0.9 * len(data))
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(data[:a] + (b"" if damage == "cut" else bytes(b - a)) + data[b:])
    done = _run(bad)
    assert done.exit_code == 2
    assert "damaged picture file" in done.stderr
    assert done.stdout == ""
