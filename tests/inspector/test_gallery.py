"""The gallery: what was taught is there, quickly, for every process, whatever embedder comes."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from inspector.gallery import Gallery, GalleryError
from inspector.gallery_file import SCHEMA, GalleryFile
from inspector.item_records import ReferenceRecord
from tests.inspector.likeness import BLUE, GREEN, NOW, RED, ColourEmbedder, reference, thing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop" / "gallery.sqlite"


def test_what_was_taught_is_there_as_pixels_and_numbers(path: Path) -> None:
    with Gallery.open(path, ColourEmbedder()) as gallery:
        gallery.teach("cable", [reference("cable", RED, 0), reference("cable", RED, 1)], weight_g=12.5, by="li", at=NOW)
        gallery.teach("ball", [reference("ball", BLUE)], name="蓝球", at=NOW)
    with Gallery.open(path, ColourEmbedder()) as gallery:
        found = gallery.items(["cable", "ball", "never taught"])
        assert found.keys() == {"cable", "ball"}
        cable = found["cable"]
        assert (cable.weight_g, cable.weight_sd_g, found["ball"].name) == (12.5, None, "蓝球")
        assert cable.embeddings.shape == (2, 64)
        assert cable.embeddings.dtype == np.float32
        first = cable.references[0]
        assert first.bgr.shape == (*first.mask.shape, 3)
        assert first.bgr[first.mask].mean(axis=0)[2] > 180, "red, where the mask is"
        again = gallery.embedder.embed([first.bgr], [first.mask])[0]
        assert np.allclose(cable.embeddings[0], again, atol=1e-3), "rows are in the order of the references"


def test_teaching_again_adds_and_keeps_what_is_not_told(path: Path) -> None:
    with Gallery.open(path, ColourEmbedder()) as gallery:
        one = reference("cable", seed=1)
        assert gallery.teach("cable", [one], name="USB cable", weight_g=12, at=NOW) == [one.id]
        assert gallery.teach("cable", [one, reference("cable", seed=2)], at=NOW) == [reference("cable", seed=2).id]
        cable = gallery.items(["cable"])["cable"]
        assert (len(cable.references), cable.name, cable.weight_g) == (2, "USB cable", 12)


def test_an_id_typed_on_two_systems_is_one_item(path: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    with Gallery.open(path, ColourEmbedder()) as gallery:
        gallery.teach(decomposed, [reference(composed)], at=NOW)
        assert gallery.ids() == [composed]
        assert gallery.items([decomposed, composed]).keys() == {decomposed, composed}


@pytest.mark.parametrize("wrong", ["", "a\nb", "x" * 201])
def test_what_cannot_be_an_id_is_refused(path: Path, wrong: str) -> None:
    with Gallery.open(path) as gallery, pytest.raises(GalleryError, match="cannot be an item's id"):
        gallery.teach(wrong, at=NOW)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf"), 1e7])
def test_what_nothing_weighs_is_refused_and_nothing_stored(path: Path, weight: float) -> None:
    with Gallery.open(path, ColourEmbedder()) as gallery:
        with pytest.raises(GalleryError, match="no weight"):
            gallery.teach("cable", [reference("cable")], weight_g=weight, at=NOW)
        assert gallery.ids() == []


def test_removed_is_removed(path: Path) -> None:
    with Gallery.open(path, ColourEmbedder()) as gallery:
        first, second = reference("cable", seed=1), reference("cable", seed=2)
        gallery.teach("cable", [first, second], at=NOW)
        assert gallery.remove("cable", first.id)
        assert [r.id for r in gallery.items(["cable"])["cable"].references] == [second.id]
        assert not gallery.remove("cable", first.id)
        assert gallery.remove("cable", second.id)
        assert gallery.items(["cable"]) == {}, "an item without a view cannot be looked for"
        assert gallery.ids() == ["cable"]
        assert gallery.remove("cable")
        assert not gallery.remove("cable")
        assert gallery.ids() == []


def test_counter_examples_come_along_and_are_no_views(path: Path) -> None:
    with Gallery.open(path, ColourEmbedder()) as gallery:
        gallery.teach("cable", [reference("cable", GREEN, counter=True)], at=NOW)
        assert gallery.items(["cable"]) == {}
        gallery.teach("cable", [reference("cable", RED)], at=NOW)
        cable = gallery.items(["cable"])["cable"]
        assert [r.counter for r in cable.references] == [True, False]
        (nearest,) = gallery.nearest(cable.embeddings[:1], but=[])
        assert nearest is not None
        assert nearest.cosine < 0.5, "nothing taught is green"


def test_a_counter_example_makes_the_item_choosier_and_only_it(path: Path) -> None:
    with Gallery.open(path, ColourEmbedder(alike=0.5)) as gallery:
        gallery.teach("cable", [reference("cable", RED)], at=NOW)
        gallery.teach("ball", [reference("ball", BLUE)], at=NOW)
        before = gallery.items(["cable", "ball"])
        almost = (60, 60, 220)
        gallery.teach("cable", [reference("cable", almost, counter=True)], at=NOW)
        after = gallery.items(["cable", "ball"])
        wrong = float(after["cable"].embeddings[1] @ after["cable"].embeddings[0])
        assert before["cable"].accept == 0.5
        assert after["cable"].accept is not None
        assert after["cable"].accept > max(wrong, 0.5)
        assert after["ball"].accept == before["ball"].accept


def test_an_item_taught_beside_its_twin_makes_both_choosier(path: Path) -> None:
    with Gallery.open(path, ColourEmbedder(alike=0.8)) as gallery:
        gallery.teach("cable", [reference("cable", RED, 0)], at=NOW)
        gallery.teach("twin", [reference("twin", RED, 5)], at=NOW)
        found = gallery.items(["cable", "twin"])
        assert found["cable"].accept == found["twin"].accept == pytest.approx(0.88)


def test_a_new_embedder_is_used_at_once_and_for_all_when_asked(path: Path) -> None:
    items = [f"item-{n}" for n in range(40)]
    with Gallery.open(path, ColourEmbedder()) as gallery:
        for n, item in enumerate(items):
            gallery.teach(item, [reference(item, RED, n)], at=NOW)
    newer = ColourEmbedder("0.0.2")
    with Gallery.open(path, newer) as gallery:
        assert gallery.pending() == 40
        assert gallery.items(["item-7"])["item-7"].accept is None, "the old threshold is not the new embedder's"
        assert gallery.pending() == 39
        told: list[tuple[int, int]] = []
        assert gallery.reembed(lambda done, total: told.append((done, total))) == 39
        assert told == [(32, 39), (39, 39)]
        assert gallery.pending() == 0
        assert gallery.items(["item-7"])["item-7"].accept is not None
        assert gallery.reembed() == 0
    with Gallery.open(path, ColourEmbedder("0.0.1")) as gallery:
        assert gallery.pending() == 0, "a rollback of the embedder costs nothing"


def test_reembedding_goes_on_where_it_was_interrupted(path: Path) -> None:
    with Gallery.open(path) as gallery:
        for n in range(70):
            gallery.teach(f"item-{n}", [reference(f"item-{n}", RED, n)], at=NOW)

    class PowerCutError(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done >= 64:
            raise PowerCutError

    with Gallery.open(path, ColourEmbedder()) as gallery:
        with pytest.raises(PowerCutError):
            gallery.reembed(stop)
        assert gallery.pending() == 6
        assert gallery.reembed() == 6
        assert sum(gallery.embedder.embedded) == 70  # type: ignore[attr-defined]  # the test's own embedder


def test_two_processes_teach_and_ask_at_once(path: Path) -> None:
    trouble: list[BaseException] = []

    def teach(name: str) -> None:
        try:
            with Gallery.open(path, ColourEmbedder()) as gallery:
                for n in range(8):
                    gallery.teach(f"{name}-{n}", [reference(f"{name}-{n}", RED, n)], at=NOW)
                    assert gallery.items([f"{name}-{n}"])
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=teach, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not trouble
    with Gallery.open(path) as gallery:
        assert len(gallery.ids()) == 24


def test_a_gallery_that_another_process_makes_meanwhile_is_opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = GalleryFile._has_tables
    quicker: list[GalleryFile] = []

    def looks_late(file: GalleryFile) -> bool:
        if not quicker:
            quicker.append(file)
            GalleryFile(path).close()
        return looks(file)

    monkeypatch.setattr(GalleryFile, "_has_tables", looks_late)
    with Gallery.open(path) as gallery:
        assert not gallery.ids()
    assert quicker


def test_one_gallery_for_many_threads(path: Path) -> None:
    with Gallery.open(path, ColourEmbedder()) as gallery:
        trouble: list[BaseException] = []

        def teach(name: str) -> None:
            try:
                for n in range(5):
                    gallery.teach(name, [reference(name, BLUE, n)], at=NOW)
                    assert len(gallery.items([name])[name].references) == n + 1
            except BaseException as error:
                trouble.append(error)

        threads = [threading.Thread(target=teach, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not trouble


def test_a_gallery_of_a_newer_lastlook_is_left_alone(path: Path) -> None:
    Gallery.open(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"pragma user_version = {SCHEMA + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(GalleryError, match=r"written by a newer Lastlook .* nothing was changed. Update"):
        Gallery.open(path)
    assert path.read_bytes() == before


def test_what_is_no_gallery_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("certainly no database, but long enough to look like one" * 20, "utf-8")
    with pytest.raises(GalleryError, match=r"text: the file is damaged or no gallery"):
        Gallery.open(tmp_path / "text")
    with sqlite3.connect(tmp_path / "other") as db:
        db.execute("create table mine (x)")
    db.close()
    with pytest.raises(GalleryError, match="no gallery of Lastlook; nothing was changed"):
        Gallery.open(tmp_path / "other")
    with pytest.raises(GalleryError, match="teach a first item"):
        Gallery.open(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_a_damaged_reference_is_named(path: Path) -> None:
    with Gallery.open(path, ColourEmbedder()) as gallery:
        gallery.teach("cable", [reference("cable")], at=NOW)
        with gallery.file.writing() as db:
            db.execute("update reference set picture = x'00ff'")
        with pytest.raises(GalleryError, match=f"the reference {reference('cable').id} of 'cable' is damaged"):
            gallery.items(["cable"])


def test_ten_thousand_items_open_in_under_a_second_and_answer_without_a_scan(path: Path) -> None:
    bgr, mask = thing(RED, side=24)
    kept = ReferenceRecord.of("x", bgr, mask, at=NOW, by=None, source=None, counter=False)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30_000, 64)).astype(np.float32)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    with Gallery.open(path) as gallery, gallery.file.writing() as db:
        for n in range(10_000):
            item = f"sku-{n:05d}"
            db.execute("insert into item values (?, null, 10, null, '', null, 0, ?)", (item, n))
            for view in range(3):
                db.execute(
                    "insert into reference values (?, ?, 0, ?, ?, null, '', null, 0)",
                    (f"{n:05d}{view}", item, kept.picture, kept.mask),
                )
                db.execute(
                    "insert into embedding values ('0.0.1', ?, ?)", (f"{n:05d}{view}", vectors[3 * n + view].tobytes())
                )
    begin = time.perf_counter()
    with Gallery.open(path, ColourEmbedder()) as gallery:
        opened = time.perf_counter()
        found = gallery.items([f"sku-{n:05d}" for n in range(0, 10_000, 1000)])
        asked = time.perf_counter()
        assert [len(item.references) for item in found.values()] == [3] * 10
        with gallery.file.reading() as db:
            plan = db.execute(
                "explain query plan select * from item i left join reference r on r.item = i.item"
                " where i.item in (select value from json_each('[]'))"
            ).fetchall()
    assert opened - begin < 1.0
    assert asked - opened < 1.0
    assert not [step for *_, step in plan if step.startswith("SCAN") and "json_each" not in step], plan


def test_the_whole_gallery_can_be_compared_at_once_and_follows_changes(path: Path) -> None:
    with Gallery.open(path, ColourEmbedder()) as gallery:
        gallery.teach("cable", [reference("cable", RED, 0), reference("cable", RED, 1)], at=NOW)
        gallery.teach("ball", [reference("ball", BLUE)], at=NOW)
        names, looks = gallery.looks()
        assert names.tolist() == ["ball", "cable", "cable"]
        assert looks.shape == (3, 64)
        assert gallery.looks()[0] is names, "worked out once"
        gallery.teach("apple", [reference("apple", GREEN)], at=NOW)
        assert gallery.looks()[0].tolist() == ["apple", "ball", "cable", "cable"]
