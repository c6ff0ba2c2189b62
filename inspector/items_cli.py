"""`lastlook teach` and `lastlook items`: show items to the eye, and look after what it was shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from inspector.cutout import cut_out
from inspector.embedder import Embedder
from inspector.gallery import Gallery, GalleryError
from inspector.gallery_archive import import_archive, write_archive
from inspector.gallery_file import default_gallery
from inspector.item_records import ItemRecord, item_id
from inspector.runtime import EngineError
from inspector.teaching import Lesson, Photo
from inspector.teaching import teach as teach_item
from models import ModelError
from models.registry import Registry, site_in

DONE, ANOTHER_VIEW, UNUSABLE = 0, 1, 2


def gallery_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that all commands about taught items share."""
    return click.option(
        "--gallery",
        "path",
        type=click.Path(path_type=Path, dir_okay=False),
        default=lambda: default_gallery(os.environ),
        help="File of the taught items (or LASTLOOK_GALLERY).  [default: lastlook-data/gallery.sqlite]",
    )(command)


@click.command()
@click.argument("item")
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path))
@click.option("--name", help="What people call it.")
@click.option("--weight-g", type=float, help="Grams of one piece.")
@click.option("--weight-sd-g", type=float, help="How much pieces differ: standard deviation in grams.")
@click.option("--by", help="Who teaches it.", envvar="USER")
@click.option("--though-alike", is_flag=True, help="Keep it though it looks like another item: they are two.")
@gallery_option
def teach(
    item: str,
    photos: tuple[Path, ...],
    name: str | None,
    weight_g: float | None,
    weight_sd_g: float | None,
    by: str | None,
    path: Path,
    *,
    though_alike: bool,
) -> None:
    """Teach ITEM from photos that show it alone on a plain ground: one is enough, five from all sides are better.

    Without photos, a known item's name and weight are set. Exit code: 0 all kept, 1 another view is asked for (the
    good ones are kept), 2 nothing could be done.
    """
    with _gallery(path, create=True) as gallery:
        lesson = teach_item(
            gallery,
            item,
            [Photo(str(photo), _bytes(photo)) for photo in photos],
            cut_out,
            name=name,
            weight_g=weight_g,
            weight_sd_g=weight_sd_g,
            by=by,
            at=datetime.now(UTC),
            though_alike=though_alike,
        )
        _tell(lesson, gallery)
    sys.exit(ANOTHER_VIEW if lesson.refused else DONE)


@click.group()
def items() -> None:
    """List, show, remove, export and import taught items."""


@items.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@gallery_option
def list_items(path: Path, *, as_json: bool) -> None:
    """All taught items."""
    with _gallery(path, embedder=False) as gallery:
        after, any_ = "", False
        while page := gallery.listing(after):
            for record, references, counters in page:
                any_ = True
                click.echo(_line(record, references, counters, as_json=as_json))
            after = page[-1][0].item
    if not any_ and not as_json:
        click.echo("No item is taught yet: lastlook teach ITEM PHOTO")


@items.command()
@click.argument("item")
@click.option("--json", "as_json", is_flag=True)
@click.option("--pictures", type=click.Path(path_type=Path, file_okay=False), help="Folder for the cut-out pictures.")
@gallery_option
def show(item: str, path: Path, pictures: Path | None, *, as_json: bool) -> None:
    """One item with its references."""
    with _gallery(path, embedder=False) as gallery:
        record = _found(gallery, item)
        references = sum(not reference.counter for reference in record.references)
        click.echo(_line(record, references, len(record.references) - references, as_json=as_json))
        for reference in record.references if not as_json else ():
            role = "not this item" if reference.counter else "this item"
            who = f" by {reference.added_by}" if reference.added_by else ""
            click.echo(f"  {reference.id}  {role}, added {reference.added_at}{who}")
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
            for reference in record.references:
                (pictures / f"{reference.id}.jpg").write_bytes(reference.picture)
                (pictures / f"{reference.id}-mask.png").write_bytes(reference.mask)
            click.echo(f"{len(record.references)} pictures with their masks are in {pictures}", err=True)


@items.command()
@click.argument("item")
@click.option("--reference", help="Only this reference (its id is in `lastlook items show`).")
@gallery_option
def remove(item: str, reference: str | None, path: Path) -> None:
    """Forget an item, or one of its references."""
    with _gallery(path, embedder=False) as gallery:
        what = f"the reference {reference} of {item}" if reference else item
        if not gallery.remove(item, reference):
            raise GalleryError(f"there is no {what}; `lastlook items list` shows what there is")
        click.echo(f"forgot {what}")


@items.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("names", metavar="[ITEM]...", nargs=-1)
@gallery_option
def export(file: Path, names: tuple[str, ...], path: Path) -> None:
    """Write all items, or those named, to one zip FILE."""
    with _gallery(path) as gallery:
        wanted = [_found(gallery, name).item for name in names] or gallery.ids()
        part = file.with_name(file.name + ".part")
        with part.open("wb") as opened:
            references = write_archive(gallery, opened, wanted, at=datetime.now(UTC))
        part.replace(file)
    click.echo(f"{len(wanted)} items with {references} references are in {file}")


@items.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Take names and weights from FILE also where there are some already.")
@gallery_option
def import_(file: Path, path: Path, *, replace: bool) -> None:
    """Add the items of an exported FILE. Everything in it is checked first; the same again changes nothing."""
    with _gallery(path, create=True) as gallery, _opened(file) as opened:
        done = import_archive(gallery, opened, theirs_first=replace, progress=_progress("imported"))
        gallery.reembed(_progress("embedded"))
    click.echo(f"{done.items} items with {done.references} references, of which {done.new_references} are new")
    if done.kept:
        click.echo(f"name or weight stayed as it was here: {', '.join(done.kept[:20])}; --replace takes the file's")


@items.command()
@gallery_option
def reembed(path: Path) -> None:
    """Describe all references anew after a change of the embedder. Goes on where it was interrupted."""
    with _gallery(path) as gallery:
        done = gallery.reembed(_progress("embedded"))
        click.echo(f"{done} references embedded with {gallery.embedder.version}; all are up to date")


def _embedder() -> Embedder:
    return Embedder.load(active=Registry(site_in(os.environ)).active)


@contextmanager
def _gallery(path: Path, *, create: bool = False, embedder: bool = True) -> Iterator[Gallery]:
    """The gallery of a command; what goes wrong ends the command with exit code 2 and the reason."""
    try:
        with Gallery.open(path, _embedder() if embedder else None, create=create) as gallery:
            yield gallery
    except (GalleryError, ModelError, EngineError) as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    try:
        with file.open("rb") as opened:
            yield opened
    except OSError as error:
        raise GalleryError(f"{file}: {error.strerror}; nothing was stored") from None


def _bytes(photo: Path) -> bytes:
    with _opened(photo) as opened:
        data: bytes = opened.read()
    return data


def _found(gallery: Gallery, item: str) -> ItemRecord:
    found = gallery.records([item_id(item)]).get(item_id(item))
    if found is None:
        raise GalleryError(f"there is no item {item!r}; `lastlook items list` shows what there is")
    return found


def _tell(lesson: Lesson, gallery: Gallery) -> None:
    for photo, reference in lesson.kept.items():
        click.echo(f"kept          {photo}  as {reference}")
        if photo in lesson.like:
            other = lesson.like[photo]
            click.echo(f"              it looks a little like {other.item!r}: if it is the same, remove one of the two")
    for photo in lesson.known:
        click.echo(f"known before  {photo}")
    for refused in lesson.refused:
        click.echo(f"another view  {refused.photo}: {refused.error}", err=True)
        if refused.error.code == "alike":
            click.echo(
                "              if they are two items that look alike: --though-alike, and give weights", err=True
            )
    record = gallery.records([lesson.item]).get(lesson.item)
    if record is None:
        click.echo(f"{lesson.item} is not taught yet: nothing was stored", err=True)
        return
    count = sum(not reference.counter for reference in record.references)
    weight = f", {record.weight_g:g} g" if record.weight_g else ""
    click.echo(f"{lesson.item} is known from {count} view{'s' * (count != 1)}{weight}")


def _line(record: ItemRecord, references: int, counters: int, *, as_json: bool) -> str:
    if as_json:
        told = {
            "item": record.item,
            "name": record.name,
            "weight_g": record.weight_g,
            "weight_sd_g": record.weight_sd_g,
            "references": references,
            "counter_examples": counters,
            "taught_at": record.taught_at,
            "taught_by": record.taught_by,
        }
        return json.dumps(told, ensure_ascii=False)
    name = f"  {record.name}" if record.name else ""
    weight = f"{record.weight_g:g} g" if record.weight_g else "-"
    wrong = f" and {counters} counter-example{'s' * (counters != 1)}" if counters else ""
    return f"{record.item:24} {references} view{'s' * (references != 1)}{wrong}, {weight}{name}"


def _progress(done_so: str) -> Callable[[int, int], None]:
    """One line that counts, where a person watches."""

    def tell(done: int, total: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{done_so} {done} of {total}", nl=done >= total, err=True)

    return tell
