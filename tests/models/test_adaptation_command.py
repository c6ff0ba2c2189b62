"""`lastlook adapt` with the real network on a small folder of renders: learnt, measured, registered, or refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from inspector import Check, Inspector, decode
from models import ACTIVE, ParcelCard, of_kind
from models.adaptation import adapting, teaching
from models.adaptation.cli import adapt
from models.adaptation.features import Shelf, lessons
from models.adaptation.kept import read_kept
from models.book import State
from models.cards import Comparison
from models.evaluation.labelled import LabelsError, read_labelled
from models.registry import Registry, RegistryError

PICTURES = Path("demo/pictures")
INTACT = ("01-intact-carton", "02-intact-mailer", "06-missing-mark", "07-wrong-label", "09-this-way-up", "13-fixed")
DAMAGED = ("03-crushed-corner", "04-torn-hole", "05-wet", "08-open-flap")


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One place for all tests' looks, so that the network looks once at each picture."""
    return tmp_path_factory.mktemp("looks")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten parcels of one bench, each in a folder of its own with one or two photos."""
    folder = tmp_path_factory.mktemp("bench")
    for state, names in (("intact", INTACT), ("damaged", DAMAGED)):
        for name in names:
            parcel = folder / state / name
            parcel.mkdir(parents=True)
            shutil.copyfile(PICTURES / f"{name}.jpg", parcel / "1.jpg")
    darker = cv2.imread(str(PICTURES / "04-torn-hole.jpg"))
    assert darker is not None
    cv2.imwrite(str(folder / "damaged" / "04-torn-hole" / "2.jpg"), (darker * 0.8).astype(np.uint8))
    return folder


def run(*args: str | Path, site: Path, looks: Path) -> Result:
    return CliRunner().invoke(adapt, [*map(str, args), "--models", str(site), "--cache", str(looks)])


def never_worse(monkeypatch: pytest.MonkeyPatch, *, worse: bool) -> None:
    """The decision is tested on its own; here it is given, whatever ten renders say."""
    real = adapting.adapt

    def decided(*args: Any, **kwargs: Any) -> Any:
        told = real(*args, **kwargs)
        return replace(told, comparison=Comparison(against=told.comparison.against, worse=worse, text="AUROC 0.7, 0.8"))

    monkeypatch.setattr(teaching, "adapt", decided)


def test_a_bench_teaches_its_eye_and_the_candidate_can_be_activated(
    bench: Path, looks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_worse(monkeypatch, worse=False)
    site = tmp_path / "site"
    site.mkdir()
    result = run("--data", bench, "--name", "bench-3", site=site, looks=looks)
    assert result.exit_code == 0, result.output
    assert "11 photos (5 damaged, 6 intact) of 10 parcels" in result.stdout
    assert "damaged ranked above intact (AUROC)" in result.stdout
    assert "What was asked is not promised" in result.stdout
    assert "lastlook models activate parcel/bench-3 --without-promise" in result.stdout

    registry = Registry(site)
    assert registry.state("parcel/bench-3") is State.VALIDATED
    with pytest.raises(RegistryError, match=r"at most 10.0% of damaged parcels passed.*--without-promise"):
        registry.activate("parcel/bench-3")
    assert registry.state("parcel/bench-3") is State.VALIDATED
    registry.activate("parcel/bench-3", unkept=True)
    model = registry.active("parcel")
    card = json.loads((model.folder / "card.json").read_text())
    assert card["adapted"]["base"] == f"parcel/{ACTIVE['parcel']}"
    assert len(card["adapted"]["pictures"]) == card["adapted"]["photos"] == 11
    assert card["files"]["model.onnx"] == card["adapted"]["network_sha256"]
    page = (model.folder / "CARD.md").read_text()
    assert "taught itself" in page
    assert "AUROC 0.7, 0.8" in page

    eye = Inspector.load(active=registry.active)  # judges its golden frames as its card tells
    score = eye.inspect([decode((PICTURES / "04-torn-hole.jpg").read_bytes(), name="x")]).checks[Check.INTEGRITY].score
    whole = eye.inspect([decode((PICTURES / "13-fixed.jpg").read_bytes(), name="x")]).checks[Check.INTEGRITY].score
    assert score is not None
    assert whole is not None
    assert score > whole

    # Adapted once more: from the same base again, and beside the model in use, which has learnt from all these photos.
    again = run("--data", bench, "--name", "bench-3b", site=site, looks=looks)
    assert again.exit_code == 0, again.output
    later = json.loads((registry.get("parcel/bench-3b").folder / "card.json").read_text())
    assert later["adapted"]["base"] == card["adapted"]["base"]
    assert later["comparison"]["against"] == "parcel/bench-3"


def test_worse_is_refused_with_the_figures_and_nothing_is_registered(
    bench: Path, looks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_worse(monkeypatch, worse=True)
    result = run("--data", bench, site=tmp_path / "site", looks=looks)
    assert result.exit_code == 1
    assert "Refused" in result.stdout
    assert "gained on parcel/" in result.stdout
    assert not list((tmp_path / "site").rglob("card.json"))


def test_json_for_programs_and_a_dry_run_registers_nothing(
    bench: Path, looks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_worse(monkeypatch, worse=False)
    result = run("--data", bench, "--dry-run", "--json", site=tmp_path / "site", looks=looks)
    told = json.loads(result.stdout)
    assert (told["registered"], told["refused"], told["photos"], told["way"]) == (False, False, 11, "corrected")
    assert not (tmp_path / "site").exists()


def test_a_better_look_at_the_costs_moves_the_thresholds(
    bench: Path, looks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_worse(monkeypatch, worse=False)
    dear, cheap = (
        json.loads(
            run("--data", bench, "--dry-run", "--json", "--escape-cost", cost, site=tmp_path, looks=looks).stdout
        )["thresholds"]
        for cost in ("5000", "1")
    )
    assert dear["unsure"] <= cheap["unsure"]
    assert dear["costs"]["escape"] == 5000


def test_an_interrupted_run_goes_on_where_it_was(bench: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "site")
    model = of_kind(registry.active("parcel"), ParcelCard)
    photos = read_labelled(bench).photos

    class CrashedError(Exception):
        pass

    def crash(done: int, of: int) -> None:
        if done == 3:
            raise CrashedError

    with pytest.raises(CrashedError):
        lessons(photos, Shelf(tmp_path / "looks", model), crash)
    (found := sorted((tmp_path / "looks").rglob("*.npy")))[0].write_bytes(b"half a fi")  # the power went
    assert len(found) == 3
    shelf = Shelf(tmp_path / "looks", model)
    first = lessons(photos, shelf)
    assert (shelf.recalled, shelf.looked) == (2, len(photos) - 2)
    again = Shelf(tmp_path / "looks", model)
    np.testing.assert_array_equal(lessons(photos, again).features, first.features)
    assert again.looked == 0


def test_what_cannot_be_used_is_named_and_the_rest_counts(bench: Path, looks: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(bench, folder)
    (folder / "intact" / "notes.txt").write_text("Tuesday")
    (folder / "intact" / "empty.jpg").write_bytes(b"")
    (folder / "intact" / "half.jpg").write_bytes((PICTURES / "01-intact-carton.jpg").read_bytes()[:5000])
    shutil.copyfile(PICTURES / "01-intact-carton.jpg", folder / "intact" / "copy.jpg")
    cv2.imwrite(str(folder / "damaged" / "black.png"), np.zeros((720, 1280, 3), np.uint8))
    result = run("--data", folder, "--dry-run", site=tmp_path / "site", looks=looks)
    assert "11 photos" in result.stdout
    for said in (
        "intact/notes.txt: not a picture",
        "intact/empty.jpg: the file is empty",
        "intact/half.jpg: truncated",
        "the same picture as",
        "damaged/black.png: no parcel is found in it",
    ):
        assert said in result.stderr


def test_one_picture_cannot_be_both(bench: Path, looks: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(bench, folder)
    shutil.copyfile(PICTURES / "04-torn-hole.jpg", folder / "intact" / "torn.jpg")
    result = run("--data", folder, site=tmp_path / "site", looks=looks)
    assert result.exit_code == 2
    assert "the same picture, called intact once and damaged once" in result.stderr


def few(folder: Path, damaged: int, intact: int) -> None:
    for state, names in (("damaged", DAMAGED[:damaged]), ("intact", INTACT[:intact])):
        (folder / state).mkdir(parents=True)
        for name in names:
            shutil.copyfile(PICTURES / f"{name}.jpg", folder / state / f"{name}.jpg")


def unreadable(folder: Path) -> None:
    (folder / "intact").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg"):
        (folder / "intact" / name).write_bytes(f"not a picture {name}".encode())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "is no folder"),
        (lambda folder: folder.mkdir(), "neither annotations.json nor folders"),
        (lambda folder: (folder / "intact").mkdir(parents=True), "no labelled picture"),
        (lambda folder: few(folder, 1, 5), "photos of 1 damaged parcel are too few"),
        (lambda folder: few(folder, 4, 1), "photos of 1 intact parcel are too few"),
        (lambda folder: few(folder, 0, 4), "photos of 4 intact parcels are too few to tell what is usual"),
        (unreadable, "none of 2 photos can be learnt from"),
    ],
)
def test_bad_folders_are_told_what_is_wrong_and_change_nothing(
    make: Any, said: str, looks: Path, tmp_path: Path
) -> None:
    make(tmp_path / "photos")
    result = run("--data", tmp_path / "photos", site=tmp_path / "site", looks=looks)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "site").exists()


def test_nothing_to_learn_from_is_a_usage_error(tmp_path: Path, looks: Path) -> None:
    result = run(site=tmp_path / "site", looks=looks)
    assert result.exit_code == 2
    assert "give --data, --examples, or both" in result.stderr


def test_a_look_dearer_than_a_false_stop_is_refused(bench: Path, looks: Path, tmp_path: Path) -> None:
    result = run("--data", bench, "--look-cost", "3", site=tmp_path / "site", looks=looks)
    assert result.exit_code == 2
    assert "never taken" in result.stderr


def test_intact_photos_only(looks: Path, tmp_path: Path) -> None:
    """Six parcels in two lights each: enough to tell what is usual here."""
    folder = tmp_path / "photos" / "intact"
    folder.mkdir(parents=True)
    for name in INTACT:
        picture = cv2.imread(str(PICTURES / f"{name}.jpg"))
        assert picture is not None
        for light in (0.8, 1.0):
            cv2.imwrite(str(folder / f"{name}-{light}.jpg"), (picture * light).astype(np.uint8))
    site = tmp_path / "site"
    result = run("--data", tmp_path / "photos", "--name", "usual", site=site, looks=looks)
    assert "12 photos (0 damaged, 12 intact)" in result.stdout
    assert "whether it catches more damage is not known" in result.stdout
    if result.exit_code == 0:
        eye = Inspector.load(active=Registry(site).standing_in("parcel/usual"))
        assert eye.models[0].version == "usual"
    else:  # it would let the base's own damaged example pass
        assert "It lets pass what parcel/" in result.stdout


# -- a station's kept examples -----------------------------------------------------------------------------------


def example(folder: Path, inspection: str, should: str, *, order: str = "A-1", **others: str) -> None:
    (folder / inspection).mkdir(parents=True)
    shutil.copyfile(PICTURES / "01-intact-carton.jpg", folder / inspection / "sealed.jpg")
    checks = {name: {"result": "skipped"} for name in ("contents", "marks", "label")}
    checks |= {name: {"result": result} for name, result in others.items()} | {"integrity": {"result": "pass"}}
    told = {
        "order": order,
        "should_have_been": should,
        "frames": [{"name": "sealed.jpg", "stage": "sealed"}],
        "verdict": {"checks": checks},
    }
    (folder / inspection / "example.json").write_text(json.dumps(told))


def test_kept_examples_are_read_where_it_can_be_told_what_was_meant(tmp_path: Path) -> None:
    example(tmp_path, "i1", "release", marks="pass")
    example(tmp_path, "i2", "hold", order="A-2")
    example(tmp_path, "i3", "hold", order="A-3", label="pass")
    read = read_kept(tmp_path)
    assert [(photo.name, photo.damaged, photo.group) for photo in read.photos] == [
        ("i1/sealed.jpg", False, "order A-1"),
        ("i2/sealed.jpg", True, "order A-2"),
    ]
    assert sum(read.left_out.values()) == 1


def test_a_kept_example_opens_no_file_outside_its_folder(tmp_path: Path) -> None:
    example(tmp_path, "i1", "release")
    told = json.loads((tmp_path / "i1" / "example.json").read_text())
    told["frames"][0]["name"] = "../../secret.jpg"
    (tmp_path / "i1" / "example.json").write_text(json.dumps(told))
    assert read_kept(tmp_path).photos[0].path == tmp_path / "i1" / "secret.jpg"


def test_a_broken_example_is_named(tmp_path: Path) -> None:
    (tmp_path / "i1").mkdir()
    (tmp_path / "i1" / "example.json").write_text("{}")
    with pytest.raises(LabelsError, match="no example of a station"):
        read_kept(tmp_path)
    with pytest.raises(LabelsError, match="is no folder"):
        read_kept(tmp_path / "nowhere")
