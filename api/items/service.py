"""Teaching, correcting and handing on items. The gallery file keeps them; the audit log says who changed them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import quote

from api.audit import ItemCorrected, ItemRemoved, ItemTaught, record
from api.context import Services
from api.errors import Problem, invalid, not_found
from api.gallery import refused
from api.inspections import service as inspections
from api.inspections.forms import Shot
from api.inspections.pictures import receive
from api.items.schemas import (
    ConfirmDocument,
    CorrectionAnswer,
    CorrectionDocument,
    ImportAnswer,
    ItemAnswer,
    ItemDocument,
    ItemLineAnswer,
    KeptAnswer,
    ReferenceAnswer,
    TaughtAnswer,
)
from api.paging import Page
from api.worker import Job
from inspector import corrections
from inspector.cutout import cut_out
from inspector.frame import FrameError, Limits, decode
from inspector.gallery import GalleryError, ItemRecord, Likeness
from inspector.gallery_archive import import_archive, write_archive
from inspector.teaching import Lesson, Photo, ViewError, from_box, teach


def describe(services: Services, item: str, document: ItemDocument, actor: str) -> tuple[ItemAnswer, bool]:
    """Set name and weight; True when the item is new."""
    gallery = services.gallery.get()
    try:
        created = gallery.describe(item, **document.model_dump(), by=actor, at=services.clock())
    except GalleryError as error:
        raise refused(error) from error
    return find(services, item), created


def teach_photos(
    services: Services, item: str, shots: Sequence[Shot], actor: str, *, though_alike: bool
) -> tuple[TaughtAnswer, bool]:
    """Keep what is good of the photos; True when something is new.

    422 names the photos of which another view is needed, and what was kept of the others.
    """
    most = services.settings.max_picture_bytes
    photos = [Photo(p.name, p.content) for p in (receive(shot.name, shot.content, most) for shot in shots)]
    gallery = services.gallery.get()
    try:
        lesson = teach(
            gallery, item, photos, cut_out, by=actor, at=services.clock(), though_alike=though_alike,
            limits=Limits(bytes=most),
        )  # fmt: skip
    except GalleryError as error:
        raise refused(error) from error
    if lesson.kept:
        _say(services, ItemTaught(actor, item, tuple(lesson.kept.values())))
    if lesson.refused:
        raise _another_view(lesson)
    kept, known = _kept(lesson.kept, lesson.like), _kept(lesson.known, {})
    return TaughtAnswer(kept=kept, known=known, item=find(services, item)), bool(lesson.kept)


def page(services: Services, cursor: str | None, limit: int) -> Page[ItemLineAnswer]:
    """In order of their ids."""
    rows = services.gallery.get().listing(cursor or "", limit + 1)
    lines = [
        ItemLineAnswer(
            id=r.item,
            name=r.name,
            weight_g=r.weight_g,
            weight_sd_g=r.weight_sd_g,
            accept=r.accept,
            taught_at=r.taught_at,
            references=references,
            counter_examples=counters,
        )
        for r, references, counters in rows[:limit]
    ]
    return Page(items=lines, next=lines[-1].id if len(rows) > limit else None)


def find(services: Services, item: str) -> ItemAnswer:
    """One item; 404 when it is not taught."""
    return _answer(_record(services, item))


def reference_picture(services: Services, item: str, reference: str) -> bytes:
    """The JPEG of a reference; 404 when there is none."""
    found = services.gallery.get().reference(item, reference)
    if found is None:
        raise not_found("reference", reference, "GET /v1/items/{item} lists the references of an item.")
    return found.picture


def remove(services: Services, item: str, reference: str | None, actor: str) -> None:
    """Forget an item or one reference; 404 when there is none."""
    if not services.gallery.get().remove(item, reference):
        what, name = ("reference", reference) if reference is not None else ("item", item)
        raise not_found(what, name, "Perhaps it was removed before.")
    _say(services, ItemRemoved(actor, item, reference))


def propose(services: Services, item: str, document: CorrectionDocument, actor: str) -> tuple[CorrectionAnswer, bool]:
    """Keep a correction until a second person confirms it; True when it is new."""
    _record(services, item)
    gallery, id_ = services.gallery.get(), document.id or services.new_id()
    known = [one for one in corrections.of_item(gallery, item) if one.id == id_]
    if known:
        return _correction(known[0]), False
    _, content = inspections.fetch_picture(services, document.inspection, document.picture, actor)
    try:
        frame = decode(content, name=document.picture)
        shown = from_box(frame.bgr, document.box)
        kept = corrections.propose(
            gallery, id_, item, corrections.Kind(document.kind), shown, operator=document.operator,
            at=services.clock(), inspection=document.inspection, proposed_with=actor,
        )  # fmt: skip
    except FrameError as error:
        raise invalid(f"Nothing was stored. {error}.", pointer="/body/picture", slug="bad-picture") from error
    except ViewError as error:
        raise invalid(f"Nothing was stored: {error}.", pointer="/body/box", slug=error.code) from error
    except GalleryError as error:
        raise refused(error) from error
    return _correction(kept), True


def confirm(services: Services, item: str, id_: str, document: ConfirmDocument, actor: str) -> CorrectionAnswer:
    """A second person agrees: it is a reference or a counter-example from now on."""
    try:
        done = corrections.confirm(services.gallery.get(), item, id_, by=document.confirmed_by, at=services.clock())
    except corrections.NoCorrectionError as error:
        raise not_found("correction", id_, "GET /v1/items/{item}/corrections lists them.") from error
    except corrections.SamePersonError as error:
        raise refused(error, 409, "same-person") from error
    except GalleryError as error:
        raise refused(error) from error
    _say(services, ItemCorrected(actor, item, done.kind, done.operator, done.confirmed_by or "", done.reference or ""))
    return _correction(done)


def corrections_of(services: Services, item: str) -> list[CorrectionAnswer]:
    """Newest first."""
    return [_correction(one) for one in corrections.of_item(services.gallery.get(), item)]


def correction_picture(services: Services, item: str, id_: str) -> bytes:
    """The JPEG of what is to be confirmed."""
    try:
        return corrections.picture_of(services.gallery.get(), item, id_)
    except corrections.NoCorrectionError as error:
        raise not_found("correction", id_) from error


def dismiss(services: Services, item: str, id_: str) -> None:
    """Forget a correction that waits; 404 when none does."""
    if not corrections.dismiss(services.gallery.get(), item, id_):
        raise not_found("correction", id_, "Only those that wait can be dismissed.")


def handed_on(services: Services, since: str | None, limit: int, known: str | None) -> tuple[bytes | None, str]:
    """A zip file of what changed behind the cursor `since`, and its cursor; None when the caller has it (`known`)."""
    gallery = services.gallery.get()
    changes = gallery.changes(since, limit)
    if known == changes.until and changes.since is not None and not changes.items and not changes.removed:
        return None, changes.until
    file = io.BytesIO()
    write_archive(
        gallery, file, changes.items, at=services.clock(), since=changes.since, until=changes.until,
        more=changes.more, removed=changes.removed,
    )  # fmt: skip
    return file.getvalue(), changes.until


def take_over(services: Services, content: bytes, actor: str) -> ImportAnswer:
    """Add the items of an export. What is here already stays as it is, references are added, and what they look like is
    worked out here: vectors that somebody sent could make one item pass for another at every bench.
    """
    gallery = services.gallery.get()
    try:
        done = import_archive(gallery, io.BytesIO(content), trusted=False)
        gallery.reembed()
    except GalleryError as error:
        raise refused(error) from error
    if done.new_references:
        _say(services, ItemTaught(actor, f"import of {done.items} items", ()))
    return ImportAnswer(
        items=done.items, references=done.references, new_references=done.new_references, kept=list(done.kept)
    )


def etag(content: bytes) -> str:
    """Strong: of exactly these bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


class _StoppedError(Exception):
    """The process is about to end; what is embedded so far is kept."""


def _embed(services: Services, stop: threading.Event) -> None:
    """Describe what has no vector of the active embedder yet: after a change of the embedder, all references."""
    if not services.settings.gallery_file.exists():
        return  # nothing was ever taught; no reason to load an embedder

    def go_on(_done: int, _total: int) -> None:
        if stop.is_set():
            raise _StoppedError

    with contextlib.suppress(_StoppedError):
        services.gallery.get().reembed(go_on)


JOBS = (Job("embed items", timedelta(minutes=10), _embed),)


def _record(services: Services, item: str) -> ItemRecord:
    found = services.gallery.get().records([item]).get(item)
    if found is None:
        raise not_found("item", item, "Teach it: PUT /v1/items/{item}/references with a photo of it.")
    return found


def _answer(record: ItemRecord) -> ItemAnswer:
    base = f"/v1/items/{quote(record.item, safe='')}/references/"
    return ItemAnswer(
        id=record.item,
        name=record.name,
        weight_g=record.weight_g,
        weight_sd_g=record.weight_sd_g,
        accept=record.accept,
        taught_at=record.taught_at,
        taught_by=record.taught_by,
        references=[
            ReferenceAnswer(
                id=r.id, counter_example=r.counter, added_at=r.added_at, added_by=r.added_by, url=base + r.id
            )
            for r in record.references
        ],
    )


def _correction(one: corrections.Correction) -> CorrectionAnswer:
    url = f"/v1/items/{quote(one.item, safe='')}/corrections/{quote(one.id, safe='')}/picture"
    return CorrectionAnswer(
        id=one.id,
        item=one.item,
        kind=one.kind.value,
        inspection=one.inspection,
        operator=one.operator,
        at=one.at,
        confirmed_by=one.confirmed_by,
        confirmed_at=one.confirmed_at,
        reference=one.reference,
        url=url,
    )


def _kept(photos: Mapping[str, str], like: Mapping[str, Likeness]) -> list[KeptAnswer]:
    return [
        KeptAnswer(photo=photo, reference=reference, like=like[photo].item if photo in like else None)
        for photo, reference in photos.items()
    ]


def _another_view(lesson: Lesson) -> Problem:
    """422: which photo failed which check and what to do; what was kept of the others."""
    wrong = [
        {
            "photo": one.photo,
            "check": one.error.code,
            "detail": str(one.error),
            **({"like": one.error.like.item, "likeness": round(one.error.like.cosine, 3)} if one.error.like else {}),
        }
        for one in lesson.refused
    ]
    kept = f"Kept: {', '.join(lesson.kept)}." if lesson.kept else "Nothing was stored."
    told = "; ".join(f"{one.photo}: {one.error}" for one in lesson.refused)
    alike = " If they are two items that look alike, send it with though_alike=true, and give weights."
    return Problem(
        422, "another-view", "Another view is needed",
        f"{told}. {kept}{alike if any(one.error.code == 'alike' for one in lesson.refused) else ''}",
        errors=wrong,
        kept=[{"photo": photo, "reference": reference} for photo, reference in lesson.kept.items()],
    )  # fmt: skip


def _say(services: Services, event: ItemTaught | ItemRemoved | ItemCorrected) -> None:
    with services.database.writing() as session:
        record(session, event, services.clock())
