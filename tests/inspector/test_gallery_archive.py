"""Exports: the same gallery on the other side, and nothing at all from a hostile file."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.gallery import Gallery, GalleryError
from inspector.gallery_archive import MANIFEST, import_archive, write_archive
from inspector.item_records import ItemRecord, ReferenceRecord, item_id, reference_id
from tests.inspector.likeness import BLUE, GREEN, NOW, RED, ColourEmbedder, reference

VIEWS = [reference("x", colour, seed) for seed, colour in enumerate((RED, GREEN, BLUE, RED))]
names = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=60).map(item_id)
weights = st.none() | st.floats(0.01, 1e6).map(lambda grams: round(grams, 3))
taught = st.dictionaries(
    names,
    st.tuples(
        st.none() | names,
        weights,
        st.lists(st.tuples(st.integers(0, 3), st.booleans()), unique=True, max_size=4),
    ),
    max_size=5,
)


def of_item(item: str, view: int, *, counter: bool) -> ReferenceRecord:
    kept = VIEWS[view]
    id_ = reference_id(item, kept.picture, kept.mask, counter=counter)
    return ReferenceRecord(id_, item, kept.picture, kept.mask, counter, kept.added_at, "李", kept.source)


def content(gallery: Gallery) -> dict[str, Any]:
    """Everything that must survive."""
    return {
        item: (r.name, r.weight_g, r.weight_sd_g, r.taught_at, r.taught_by, {one.id: one for one in r.references})
        for item, r in gallery.records(gallery.ids()).items()
    }


def exported(gallery: Gallery) -> io.BytesIO:
    file = io.BytesIO()
    write_archive(gallery, file, gallery.ids(), at=NOW)
    file.seek(0)
    return file


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(taught=taught)
def test_a_gallery_is_the_same_on_the_other_side(taught: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = Gallery.open(Path(folder) / "here.sqlite", ColourEmbedder())
        there = Gallery.open(Path(folder) / "there.sqlite", ColourEmbedder())
        with here, there:
            for item, (name, weight, views) in taught.items():
                references = [of_item(item, view, counter=counter) for view, counter in views]
                here.teach(item, references, name=name, weight_g=weight, by="li", at=NOW)
            file = exported(here)
            done = import_archive(there, file)
            assert content(there) == content(here)
            assert done.items == len(taught)
            assert there.embedder.embedded == [], "the vectors came along"  # type: ignore[attr-defined]  # ours
            assert there.items(taught).keys() == here.items(taught).keys()
            file.seek(0)
            assert import_archive(there, file).new_references == 0
            assert content(there) == content(here)


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    made = Gallery.open(tmp_path / "gallery.sqlite", ColourEmbedder())
    made.teach("cable", [reference("cable", RED)], name="USB cable", weight_g=42, at=NOW)
    return made


@pytest.fixture
def other(tmp_path: Path) -> Gallery:
    return Gallery.open(tmp_path / "other.sqlite", ColourEmbedder())


def test_what_the_shop_knows_better_stays_and_is_told(gallery: Gallery, other: Gallery) -> None:
    other.teach("cable", [reference("cable", GREEN)], weight_g=40, at=NOW)
    done = import_archive(other, exported(gallery))
    assert done.kept == ("cable",)
    cable = other.items(["cable"])["cable"]
    assert (cable.name, cable.weight_g, len(cable.references)) == ("USB cable", 40, 2)
    import_archive(other, exported(gallery), theirs_first=True)
    assert other.items(["cable"])["cable"].weight_g == 42


def test_vectors_of_another_embedder_are_not_used(gallery: Gallery, tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "newer.sqlite", ColourEmbedder("9.9.9")) as newer:
        import_archive(newer, exported(gallery))
        assert newer.pending() == 1
        assert newer.items(["cable"])["cable"].embeddings.shape == (1, 64)


def test_vectors_of_another_length_are_refused_and_nothing_is_stored(gallery: Gallery, tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "longer.sqlite", ColourEmbedder(dim=72)) as longer:
        with pytest.raises(GalleryError, match="numbers each"):
            import_archive(longer, exported(gallery))
        assert longer.ids() == []


def test_the_same_items_make_the_same_file(gallery: Gallery) -> None:
    assert exported(gallery).getvalue() == exported(gallery).getvalue()


Change = Callable[[dict[str, bytes]], None]


def _manifest(**changes: Any) -> Change:
    def change(entries: dict[str, bytes]) -> None:
        told = json.loads(entries[MANIFEST])
        told.update(changes)
        entries[MANIFEST] = json.dumps(told).encode()

    return change


def _item(**changes: Any) -> Change:
    def change(entries: dict[str, bytes]) -> None:
        told = json.loads(entries[MANIFEST])
        told["items"][0].update(changes)
        entries[MANIFEST] = json.dumps(told).encode()

    return change


def _add(name: str, data: bytes = b"x") -> Change:
    return lambda entries: entries.update({name: data})


def _swap_picture(data: bytes) -> Change:
    def change(entries: dict[str, bytes]) -> None:
        entries[next(name for name in entries if name.endswith(".jpg"))] = data

    return change


def _without(ending: str) -> Change:
    def change(entries: dict[str, bytes]) -> None:
        del entries[next(name for name in entries if name.endswith(ending))]

    return change


def _vectors(data: bytes) -> Change:
    return _add("embeddings.f16", data)


HUGE = cv2.imencode(".jpg", np.zeros((3000, 3000, 3), np.uint8))[1].tobytes()
OTHER = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_add("../../etc/cron.d/x"), "which no export"),
        (_add("/etc/passwd"), "which no export"),
        (_add("references/../../x.jpg"), "which no export"),
        (_add(f"references/{'0' * 32}.jpg"), "not those that its manifest lists"),
        (_add("references/" + "0" * 32 + ".svg"), "which no export"),
        (_without(".jpg"), "not those that its manifest lists"),
        (_without(".png"), "not those that its manifest lists"),
        (_without("manifest.json"), "manifest.json is missing"),
        (_without(".f16"), "not those that its manifest lists"),
        (_manifest(version=2), "not understood at version"),
        (_manifest(format="other"), "not understood at format"),
        (_manifest(items=7), "not understood at items"),
        (_item(item="a\nb"), "cannot be an item's id"),
        (_item(item="cafe\u0301"), "normal form C"),
        (_item(weight_g=-1), "not understood at items/0/weight_g"),
        (_item(item="another"), "is not what its id says"),
        (_swap_picture(OTHER), "is not what its id says"),
        (_swap_picture(b"GIF89a"), "is no JPEG"),
        (_swap_picture(HUGE), "is larger than 512 pixels"),
        (_swap_picture(b"\xff" * (3 * 2**20)), "more than"),
        (_add(MANIFEST, b"{" * 100_000), "not understood"),
        (_add(MANIFEST, b"\xff\xfe"), "not understood"),
        (_vectors(b"short"), "cut off"),
        (_vectors(np.full(64, np.nan, "<f2").tobytes()), "not of length 1"),
        (_vectors(np.full(64, 9, "<f2").tobytes()), "not of length 1"),
    ],
)
def test_a_hostile_file_is_refused_and_nothing_stored(
    gallery: Gallery, other: Gallery, change: Change, why: str
) -> None:
    with zipfile.ZipFile(exported(gallery)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    hostile = io.BytesIO()
    with zipfile.ZipFile(hostile, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    with pytest.raises(GalleryError, match=why):
        import_archive(other, hostile)
    assert other.ids() == []


def test_a_bomb_a_twin_and_a_secret_are_refused_unread(other: Gallery) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, b" " * (65 * 2**20))
    with pytest.raises(GalleryError, match="more than"):
        import_archive(other, bomb)
    twin = io.BytesIO()
    with zipfile.ZipFile(twin, "w") as archive:
        archive.writestr(MANIFEST, b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(MANIFEST, b"{}")
    with pytest.raises(GalleryError, match="is in it twice"):
        import_archive(other, twin)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(MANIFEST, b"{}")
    with pytest.raises(GalleryError, match="packed in a way"):
        import_archive(other, packed)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_or_is_what_it_was(gallery: Gallery, data: st.DataObject) -> None:
    whole = exported(gallery).getvalue()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder, Gallery.open(Path(folder) / "g.sqlite", ColourEmbedder()) as other:
        try:
            import_archive(other, io.BytesIO(bytes(damaged)))
        except GalleryError:
            assert other.ids() == []
        else:
            record: ItemRecord = other.records(["cable"])["cable"]
            assert record.references == gallery.records(["cable"])["cable"].references
