"""`lastlook evaluate`: measure a model on labelled pictures."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from inspector.eye import Active
    from models.evaluation.labelled import Labelled

MEASURED, UNUSABLE = 0, 2
KINDS = ("parcel", "marks")
"""Of models that take part in judging a sealed parcel."""


@click.group()
def evaluate() -> None:
    """Measure a model on labelled pictures, with intervals."""


@evaluate.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="All figures as one JSON object.")
@click.option(
    "--model",
    "named",
    help="NAME/VERSION as in `lastlook models list`, or a model's folder; without it the active one.",
)
@click.option("--sheet", type=click.Path(path_type=Path), help="Write the worst mistakes as a picture to this file.")
@click.option("--limit", type=click.IntRange(1), help="Only so many pictures, spread evenly over the folder.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Of one inference.")
def parcels(
    folder: Path, *, as_json: bool, named: str | None, sheet: Path | None, limit: int | None, threads: int
) -> None:
    """Measure the parcel model on FOLDER: annotations.json with images, or intact/ and damaged/ (docs/evaluate.md).

    Exit code: 0 measured, 2 something could not be used: the folder, the model, or a picture (it is named on stderr;
    the figures are of the others).
    """
    from inspector import EngineError, GoldenError, Inspector, InspectorSettings
    from inspector.annotate import encode_jpeg
    from models import ModelError, ParcelCard, of_kind
    from models.evaluation.labelled import LabelsError, read_labelled
    from models.evaluation.parcels import parcel_document
    from models.evaluation.report import as_text
    from models.evaluation.seen import Seen, see
    from models.evaluation.sheet import contact_sheet

    if sheet and not sheet.absolute().parent.is_dir():  # told before the minutes of work, not after them
        click.echo(f"{sheet}: no folder for the sheet to lie in; make it first", err=True)
        sys.exit(UNUSABLE)
    try:
        labelled = read_labelled(folder)
        active = _choice(named)
        model = of_kind(active("parcel"), ParcelCard)
        eye = Inspector.load(InspectorSettings(threads=threads), model, active=active)
    except (LabelsError, ModelError, EngineError, GoldenError) as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)
    photos = _some(labelled.photos, limit)
    seen, unreadable = [], []
    with click.progressbar(see(eye, model.card.classes, photos), len(photos), "Judging", file=sys.stderr) as answers:
        for answer in answers:
            if isinstance(answer, Seen):
                seen.append(answer)
            else:
                unreadable.append(answer)
    for picture in unreadable:
        click.echo(f"{picture.photo.path}: {picture.reason}", err=True)
    if not seen:
        click.echo(f"{folder}: no picture could be read, so nothing was measured", err=True)
        sys.exit(UNUSABLE)
    document = parcel_document(model.card, labelled, seen, unreadable, models=eye.models, marks_judged=eye.marks_judged)
    click.echo(json.dumps(document, indent=2, ensure_ascii=False) if as_json else as_text(document))
    if sheet:
        judges = ", ".join(f"{ref.name}/{ref.version}" for ref in eye.models)
        title = f"{judges} on {folder.resolve().name}: {len(seen)} pictures"
        sheet.write_bytes(encode_jpeg(contact_sheet(seen, title)))
    sys.exit(UNUSABLE if unreadable else MEASURED)


@evaluate.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="All figures as one JSON object.")
@click.option("--limit", type=click.IntRange(1), help="Only so many pictures of each family, spread evenly.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Of one inference.")
def contents(folder: Path, *, as_json: bool, limit: int | None, threads: int) -> None:
    """Measure the contents check on FOLDER: photos of things, some of them to teach from, or rendered open boxes.

    Exit code: 0 measured, 2 the folder or the model cannot be used.
    """
    from inspector import EngineError
    from inspector.embedder import Embedder
    from models import ModelError
    from models.evaluation.contents_document import as_text, contents_document
    from models.evaluation.labelled import LabelsError

    try:
        embedder = Embedder.load(threads=threads)
        document = contents_document(folder, embedder, limit=limit, progress=lambda line: click.echo(line, err=True))
    except (LabelsError, ModelError, EngineError) as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)
    click.echo(json.dumps(document, indent=2, ensure_ascii=False) if as_json else as_text(document))


def _choice(named: str | None) -> Active:
    """Which models judge: the active ones, with the named one (a folder, or NAME/VERSION) in the place of its kind."""
    import models
    from models.registry import Registry, site_in

    registry = Registry(site_in(os.environ))
    if named is None:
        return registry.active
    model = models.read(Path(named)) if (Path(named) / "card.json").is_file() else registry.get(named)
    if model.card.name not in KINDS:
        raise models.ModelError(f"{named} does not judge sealed parcels; name a model of {' or '.join(KINDS)}")
    return lambda name: model if name == model.card.name else registry.active(name)


def _some(photos: tuple[Labelled, ...], limit: int | None) -> tuple[Labelled, ...]:
    """`limit` of the pictures, evenly spread, so that a part of a sorted folder is still a mixed one."""
    if limit is None or limit >= len(photos):
        return photos
    return tuple(photos[i * len(photos) // limit] for i in range(limit))
