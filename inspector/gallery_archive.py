"""A gallery as one zip file, to carry taught items to another shop or bench: a JSON manifest and the pictures."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inspector.acceptance import Floats
from inspector.frame import BROKEN
from inspector.gallery import Gallery, GalleryError
from inspector.item_records import HEAVIEST, LONGEST_SIDE, ItemRecord, ReferenceRecord, item_id, reference_id, text_of

MANIFEST, VECTORS = "manifest.json", "embeddings.f16"
FOLDER = "references/"
MOST_ITEMS, MOST_REFERENCES = 100_000, 500
LARGEST_MANIFEST, LARGEST_PICTURE, LARGEST_DIM = 64 * 2**20, 2 * 2**20, 4096
TOGETHER = 50
"""Items written in one transaction, so that nobody who inspects waits long."""
_ENTRY = re.compile(rf"{FOLDER}([0-9a-f]{{32}})\.(jpg|png)")

Text = Annotated[str, Field(min_length=1, max_length=200)]
Weight = Annotated[float, Field(ge=0, le=HEAVIEST, allow_inf_nan=False)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)  # a later version may tell more


class ReferenceDocument(_Document):
    """A reference; its picture is references/<id>.jpg, its mask references/<id>.png."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    counter: bool = False
    source: Annotated[str, Field(max_length=64)] | None = None
    added_at: Text
    added_by: Text | None = None


class ItemDocument(_Document):
    """An item with its references."""

    item: Text
    name: Text | None = None
    weight_g: Weight | None = None
    weight_sd_g: Weight | None = None
    taught_at: Text
    taught_by: Text | None = None
    references: Annotated[tuple[ReferenceDocument, ...], Field(max_length=MOST_REFERENCES)]


class VectorsDocument(_Document):
    """embeddings.f16: float16, little-endian, one row a reference in the order of the manifest."""

    version: Text
    dim: Annotated[int, Field(ge=1, le=LARGEST_DIM)]


class Manifest(_Document):
    """What the zip file holds.

    Where it tells the changes since another one: `since` and `until` are the cursors, `removed` the items that are gone
    since then, `more` is True while there are later changes; `since` is null where it tells everything.
    """

    format: Literal["lastlook-gallery"] = "lastlook-gallery"
    version: Literal[1] = 1
    made_at: Text
    items: Annotated[tuple[ItemDocument, ...], Field(max_length=MOST_ITEMS)]
    embeddings: VectorsDocument | None = None
    since: Text | None = None
    until: Text | None = None
    more: bool = False
    removed: Annotated[tuple[Text, ...], Field(max_length=MOST_ITEMS)] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. kept: items whose own name or weight differed and was kept."""

    items: int
    references: int
    new_references: int
    kept: tuple[str, ...] = ()


def write_archive(
    gallery: Gallery,
    file: IO[bytes],
    items: Iterable[str],
    *,
    at: datetime,
    only: Mapping[str, Set[str]] | None = None,
    since: str | None = None,
    until: str | None = None,
    more: bool = False,
    removed: Iterable[str] = (),
) -> int:
    """Write these items, with the vectors that there are already; returns how many references. Raises GalleryError.

    only: of each item only these references. since, until, more, removed: see `Manifest`.
    """
    documents: list[ItemDocument] = []
    rows: list[Floats] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # JPEG and PNG do not get smaller
        for some in _batches(items):
            records = gallery.records(some)
            known = gallery.vectors(some)
            for kept in records.values():
                record = (
                    kept
                    if only is None
                    else replace(kept, references=tuple(r for r in kept.references if r.id in only.get(kept.item, ())))
                )
                documents.append(_document(record))
                for reference in record.references:
                    archive.writestr(_plain(f"{FOLDER}{reference.id}.jpg"), reference.picture)
                    archive.writestr(_plain(f"{FOLDER}{reference.id}.png"), reference.mask)
                    rows.append(known.get(reference.id, np.zeros(0, np.float32)))
        told = None
        if rows and all(row.size for row in rows):
            told = VectorsDocument(version=gallery.embedder.version, dim=len(rows[0]))
            archive.writestr(_plain(VECTORS), np.stack(rows).astype("<f2").tobytes())
        manifest = Manifest(
            made_at=text_of(at), items=tuple(documents), embeddings=told, since=since, until=until, more=more,
            removed=tuple(removed),
        )  # fmt: skip
        archive.writestr(_plain(MANIFEST), manifest.model_dump_json(indent=1), zipfile.ZIP_DEFLATED)
    return len(rows)


class Archive:
    """A zip file that somebody sent, looked at with distrust: every entry is known, small enough and what it says."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries = _checked_entries(archive)
        try:
            self.manifest = Manifest.model_validate_json(self._read(MANIFEST, LARGEST_MANIFEST))
        except ValidationError as error:
            where = "/".join(str(part) for part in error.errors()[0]["loc"])
            raise _refused(
                f"its manifest is not understood at {where or 'its top'}: {error.errors()[0]['msg']}"
            ) from None
        told = [reference.id for item in self.manifest.items for reference in item.references]
        wanted = {MANIFEST, *(f"{FOLDER}{id_}.{kind}" for id_ in told for kind in ("jpg", "png"))}
        if self.manifest.embeddings is not None:
            wanted.add(VECTORS)
        if wanted != self._entries.keys() or len(told) != len(set(told)):
            raise _refused("the files in it are not those that its manifest lists")
        names = [item.item for item in self.manifest.items]
        if len(names) != len(set(names)) or any(item_id(name) != name for name in names):
            raise _refused("an item is in it twice, or its id is not in Unicode's normal form C")

    def records(self) -> Iterator[ItemRecord]:
        """Every item with its references, each compared with what its id promises. Raises GalleryError."""
        for told in self.manifest.items:
            references = tuple(self._reference(told.item, document) for document in told.references)
            yield ItemRecord(
                told.item,
                told.name,
                told.weight_g or None,
                told.weight_sd_g,
                told.taught_at,
                told.taught_by,
                references,
            )

    def vectors(self, version: str, dim: int) -> dict[str, Floats]:
        """Reference id -> vector of this embedder's version and length, if they came along."""
        told = self.manifest.embeddings
        if told is None or told.version != version:
            return {}
        if told.dim != dim:
            raise _refused(f"its embeddings have {told.dim} numbers each, and those of {version} have {dim}")
        ids = [reference.id for item in self.manifest.items for reference in item.references]
        data = self._read(VECTORS, 2 * told.dim * len(ids))
        if len(data) != 2 * told.dim * len(ids):
            raise _refused("its embeddings are cut off")
        matrix = np.frombuffer(data, "<f2").reshape(len(ids), told.dim).astype(np.float32)
        lengths = np.linalg.norm(matrix, axis=1)
        if not (np.isfinite(lengths).all() and (np.abs(lengths - 1) < 0.02).all()):
            raise _refused("its embeddings are not of length 1")
        return dict(zip(ids, matrix, strict=True))

    def _reference(self, item: str, told: ReferenceDocument) -> ReferenceRecord:
        picture, mask = (self._read(f"{FOLDER}{told.id}.{kind}", LARGEST_PICTURE) for kind in ("jpg", "png"))
        _small(picture, "JPEG", told.id)
        _small(mask, "PNG", told.id)
        record = ReferenceRecord(told.id, item, picture, mask, told.counter, told.added_at, told.added_by, told.source)
        if told.id != reference_id(item, picture, mask, counter=told.counter):
            raise _refused(f"the reference {told.id} of {item!r} is not what its id says")
        record.pixels()
        return record

    def _read(self, name: str, most: int) -> bytes:
        entry = self._entries.get(name)
        if entry is None:
            raise _refused(f"{name} is missing")
        if entry.file_size > most:
            raise _refused(f"{name} has {entry.file_size} bytes, more than {most}")
        try:
            with self._archive.open(entry) as file:
                return file.read(most + 1)[: most + 1]
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise _refused(f"{name} is damaged ({error})") from None


@contextmanager
def open_archive(file: IO[bytes]) -> Iterator[Archive]:
    """The archive in a file. Raises GalleryError for what is none of ours; nothing is unpacked to disk, ever."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, LookupError) as error:
        raise _refused(f"it is no zip file, or a damaged one ({error})") from None
    with archive:
        yield Archive(archive)


def import_archive(
    gallery: Gallery,
    file: IO[bytes],
    *,
    theirs_first: bool = False,
    shared: bool = False,
    trusted: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Imported:
    """Add the items of an archive to the gallery. Everything is checked before anything is stored.

    References are added to those that are there. Unless theirs_first, a name or weight that is here already stays.
    trusted: take over its vectors; else they are left behind, for `Gallery.reembed` to work out from the pictures: who
    may send pictures may not say what they look like. Importing the same again changes nothing. Raises GalleryError.
    """
    with open_archive(file) as archive:
        for _ in archive.records():
            pass
        told = archive.vectors(gallery.embedder.version, gallery.embedder.dim) if gallery.can_compare else {}
        vectors = told if trusted else {}
        total, done, references, new, kept = len(archive.manifest.items), 0, 0, 0, list[str]()
        for some in _grouped(archive.records()):
            here = gallery.records([record.item for record in some])
            mine = [record if theirs_first else _ours_first(record, here.get(record.item)) for record in some]
            kept += [m.item for m, theirs in zip(mine, some, strict=True) if m != theirs]
            new += gallery.add(mine, vectors, shared=shared)
            references += sum(len(record.references) for record in some)
            done += len(some)
            progress(done, total)
    return Imported(total, references, new, tuple(kept))


def _ours_first(theirs: ItemRecord, ours: ItemRecord | None) -> ItemRecord:
    """Their record without what we know better."""
    if ours is None:
        return theirs
    return replace(
        theirs,
        name=theirs.name if ours.name in (None, theirs.name) else None,
        weight_g=theirs.weight_g if ours.weight_g in (None, theirs.weight_g) else None,
        weight_sd_g=theirs.weight_sd_g if ours.weight_sd_g in (None, theirs.weight_sd_g) else None,
    )


def _document(record: ItemRecord) -> ItemDocument:
    return ItemDocument(
        item=record.item,
        name=record.name,
        weight_g=record.weight_g,
        weight_sd_g=record.weight_sd_g,
        taught_at=record.taught_at,
        taught_by=record.taught_by,
        references=tuple(
            ReferenceDocument(id=r.id, counter=r.counter, source=r.source, added_at=r.added_at, added_by=r.added_by)
            for r in record.references
        ),
    )


def _checked_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Entries by name: only names that we write ourselves, each once, none encrypted, none a bomb."""
    listed = archive.infolist()
    if len(listed) > 2 * MOST_ITEMS * 5 + 2:
        raise _refused(f"{len(listed)} files are in it")
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in listed:
        if entry.filename not in (MANIFEST, VECTORS) and not _ENTRY.fullmatch(entry.filename):
            raise _refused(f"it holds {entry.filename[:80]!r}, which no export of a gallery does")
        if entry.filename in entries:
            raise _refused(f"{entry.filename} is in it twice")
        if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused(f"{entry.filename} is encrypted or packed in a way that an export is not")
        entries[entry.filename] = entry
    return entries


def _small(picture: bytes, kind: str, reference: str) -> None:
    """Raises GalleryError unless the header says: this format, no larger than what teaching keeps."""
    try:
        with Image.open(io.BytesIO(picture), formats=(kind,)) as opened:
            size = opened.size
    except BROKEN as error:
        raise _refused(f"a picture of the reference {reference} is no {kind} ({error})") from None
    except Image.DecompressionBombError:
        size = (LONGEST_SIDE + 1, 1)
    if max(size) > LONGEST_SIDE:
        raise _refused(f"a picture of the reference {reference} is larger than {LONGEST_SIDE} pixels")


def _plain(name: str) -> zipfile.ZipInfo:
    """An entry without the time of day: the same items make the same file."""
    return zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))


def _batches(items: Iterable[str]) -> Iterator[list[str]]:
    listed = sorted(set(items))
    for at in range(0, len(listed), TOGETHER):
        yield listed[at : at + TOGETHER]


def _grouped(records: Iterator[ItemRecord]) -> Iterator[list[ItemRecord]]:
    some: list[ItemRecord] = []
    for record in records:
        some.append(record)
        if len(some) == TOGETHER:
            yield some
            some = []
    if some:
        yield some


def _refused(why: str) -> GalleryError:
    return GalleryError(f"this file was refused: {why}. Nothing was stored; export it again")
