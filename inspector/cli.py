"""`lastlook inspect`: judge picture files and print the verdicts."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from inspector import Frame, Inspector, PackingSpec, Verdict
    from inspector.eye import Active
    from inspector.gallery import Gallery
    from inspector.runtime import EngineName

PICTURES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".png", ".webp", ".bmp", ".tif", ".tiff"})
RELEASED, HELD, UNUSABLE = 0, 1, 2
HEAVIEST_G = 1e6


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--order", type=click.Path(path_type=Path), help="Packing spec as JSON (see docs/contract.md).")
@click.option(
    "--stage",
    type=click.Choice(["open", "sealed"]),
    default="sealed",
    show_default=True,
    help="What the pictures show.",
)
@click.option("--gallery", type=click.Path(path_type=Path, dir_okay=False), help="File of the taught items.")
@click.option("--weight-g", type=click.FloatRange(min=0), help="What the filled box weighs, for one picture.")
@click.option("--side-view", is_flag=True, help="The pictures show sides: the arrows of 'this way up' must point up.")
@click.option("--annotate", type=click.Path(path_type=Path), help="Folder for copies with the findings drawn in.")
@click.option(
    "--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True, help="How to answer."
)
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Of one inference.")
@click.option(
    "--engine",
    type=click.Choice(["onnxruntime", "openvino"]),
    default="onnxruntime",
    show_default=True,
    envvar="LASTLOOK_ENGINE",
    help="What runs the networks; openvino is an extra.",
)
def inspect(
    paths: tuple[Path, ...],
    order: Path | None,
    stage: str,
    gallery: Path | None,
    weight_g: float | None,
    side_view: bool,  # noqa: FBT001  # click hands over every option by its name
    annotate: Path | None,
    form: str,
    threads: int,
    engine: EngineName,
) -> None:
    """Judge pictures: files, or folders of them.

    Exit code: 0 all released, 1 something held or to be retaken, 2 an input could not be used (it is named on stderr;
    the other pictures are still judged).
    """
    from inspector import FrameError
    from inspector.annotate import draw, encode_jpeg

    spec = _spec(order)
    pictures, code = _pictures(paths)
    if weight_g is not None and (len(pictures) != 1 or not 0 <= weight_g <= HEAVIEST_G):
        raise click.UsageError("--weight-g is what one parcel weighs: 0 to 1,000,000 grams, and one picture")
    eye = _eye(gallery, spec, threads, engine, side_view=side_view)
    taken = {path.resolve() for path in pictures}
    if annotate:
        annotate.mkdir(parents=True, exist_ok=True)
    for path in pictures:
        try:
            frame, verdict = _judge(eye, path, stage, spec, weight_g)
            click.echo(_as_json(verdict, path) if form == "jsonl" else _as_text(verdict, path))
            if annotate:
                _unused(annotate, path.stem, taken).write_bytes(
                    encode_jpeg(draw(frame, verdict, shown=eye.shown(verdict)))
                )
        except FrameError as error:
            click.echo(str(error), err=True)
            code = UNUSABLE
        except OSError as error:
            click.echo(f"{path}: {error.strerror}", err=True)
            code = UNUSABLE
        except Exception as error:  # noqa: BLE001, RUF100 -- one picture's boundary: a fault of ours costs no other its verdict
            click.echo(f"{path}: not judged, a fault of Lastlook ({error!r}); please report it", err=True)
            code = UNUSABLE
        else:
            if verdict.decision != "release" and code == RELEASED:
                code = HELD
    sys.exit(code)


def _eye(gallery: Path | None, spec: PackingSpec, threads: int, engine: EngineName, *, side_view: bool) -> Inspector:
    """The eye with the models that are active here. One that cannot be used ends the command: nothing was judged."""
    from inspector import EngineError, GoldenError, Inspector, InspectorSettings
    from models import ModelError
    from models.registry import Registry, site_in

    try:
        active = Registry(site_in(os.environ)).active
        taught = _gallery(gallery, spec, threads, active)
        settings = InspectorSettings(engine=engine, threads=threads, side_view=side_view)
        return Inspector.load(settings, active=active, gallery=taught)
    except (ModelError, EngineError, GoldenError) as error:
        click.echo(f"Nothing was judged: {error}", err=True)
        sys.exit(UNUSABLE)


def _gallery(path: Path | None, spec: PackingSpec, threads: int, active: Active) -> Gallery | None:
    """The taught items, where the order lists any; a gallery that is named must be there."""
    from inspector.embedder import Embedder
    from inspector.gallery import Gallery, GalleryError
    from inspector.gallery_file import default_gallery

    wanted = path or default_gallery(os.environ)
    if not spec.items or (path is None and not wanted.exists()):
        return None
    try:
        gallery = Gallery.open(wanted, Embedder.load(threads=threads, active=active), create=False)
    except GalleryError as error:
        raise click.UsageError(str(error)) from None
    click.get_current_context().call_on_close(gallery.close)
    return gallery


def _judge(eye: Inspector, path: Path, stage: str, spec: PackingSpec, weight_g: float | None) -> tuple[Frame, Verdict]:
    from inspector import Stage, decode

    started = time.perf_counter()
    frame = decode(path.read_bytes(), name=str(path), stage=Stage(stage))
    decode_ms = 1e3 * (time.perf_counter() - started)
    verdict = eye.inspect([frame], spec, weight_g)
    total_ms = decode_ms + verdict.timings_ms["total"]
    return frame, replace(verdict, timings_ms={"decode": decode_ms, **verdict.timings_ms, "total": total_ms})


def _spec(order: Path | None) -> PackingSpec:
    from pydantic import ValidationError

    from inspector import PackingSpec
    from inspector.wire import OrderDocument

    if order is None:
        return PackingSpec()
    try:
        return OrderDocument.model_validate_json(order.read_bytes()).spec()
    except OSError as error:
        raise click.UsageError(f"cannot read the order {order}: {error.strerror}") from None
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise click.UsageError(f"the order {order} cannot be used: {told} (see docs/contract.md)") from None


def _pictures(paths: tuple[Path, ...]) -> tuple[list[Path], int]:
    """Files as they are named, whatever their ending; of a folder its pictures in order of name.

    A folder without any is an input that cannot be used: "nothing held" must not be said of nothing.
    """
    pictures: list[Path] = []
    code = RELEASED
    for path in paths:
        if not path.is_dir():
            pictures.append(path)
            continue
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES)
        pictures += inside
        if not inside:
            click.echo(f"{path}: no pictures in this folder ({', '.join(sorted(PICTURES))})", err=True)
            code = UNUSABLE
    return pictures, code


def _as_json(verdict: Verdict, path: Path) -> str:
    from inspector.wire import VerdictDocument

    name = os.fsencode(path).decode("utf-8", "replace")  # a file's name need not be text; JSON must be
    return VerdictDocument.of(verdict, image=name).model_dump_json()


def _as_text(verdict: Verdict, path: Path) -> str:
    from inspector import Check

    score = verdict.checks[Check.INTEGRITY].score
    told = "; ".join(verdict.reasons) or "whole"
    damaged = "" if score is None else f", damaged with p = {score:.2f}"
    return f"{verdict.decision.upper():8} {path}  {told}  ({verdict.timings_ms['total']:.0f} ms{damaged})"


def _unused(folder: Path, stem: str, taken: set[Path]) -> Path:
    """STEM-judged.jpg in the folder; numbered where a picture of this call has that name. Never one of the inputs."""
    number, copy = 1, folder / f"{stem}-judged.jpg"
    while copy.resolve() in taken:
        number += 1
        copy = folder / f"{stem}-judged-{number}.jpg"
    taken.add(copy.resolve())
    return copy
