"""`lastlook inspect`: judge picture files and print the verdicts."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from inspector import PackingSpec, Verdict

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
RELEASED, HELD, UNUSABLE = 0, 1, 2


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
@click.option("--annotate", type=click.Path(path_type=Path), help="Folder for copies with the findings drawn in.")
@click.option(
    "--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True, help="How to answer."
)
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Of one inference.")
def inspect(
    paths: tuple[Path, ...], order: Path | None, stage: str, annotate: Path | None, form: str, threads: int
) -> None:
    """Judge pictures: files, or folders of them.

    Exit code: 0 all released, 1 something held or to be retaken, 2 an input could not be used (it is named on stderr;
    the other pictures are still judged).
    """
    from inspector import FrameError, Inspector, InspectorSettings, Stage, decode
    from inspector.annotate import draw, encode_jpeg

    spec = _spec(order)
    eye = Inspector.load(InspectorSettings(threads=threads))
    code = RELEASED
    written: set[Path] = set()
    if annotate:
        annotate.mkdir(parents=True, exist_ok=True)
    for path in _pictures(paths):
        started = time.perf_counter()
        try:
            frame = decode(path.read_bytes(), name=str(path), stage=Stage(stage))
        except (FrameError, OSError) as error:
            click.echo(str(error) if isinstance(error, FrameError) else f"{path}: {error.strerror}", err=True)
            code = UNUSABLE
            continue
        decode_ms = 1e3 * (time.perf_counter() - started)
        verdict = eye.inspect([frame], spec)
        total_ms = decode_ms + verdict.timings_ms["total"]
        verdict = replace(verdict, timings_ms={"decode": decode_ms, **verdict.timings_ms, "total": total_ms})
        click.echo(_as_json(verdict, path) if form == "jsonl" else _as_text(verdict, path))
        if annotate:
            copy = _unused(annotate, path.stem, written)
            copy.write_bytes(encode_jpeg(draw(frame, verdict)))
        if verdict.decision != "release" and code == RELEASED:
            code = HELD
    sys.exit(code)


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


def _pictures(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Files as they are named, whatever their ending; of a folder its pictures in order of name."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES)
        else:
            yield path


def _as_json(verdict: Verdict, path: Path) -> str:
    from inspector.wire import VerdictDocument

    return VerdictDocument.of(verdict, image=str(path)).model_dump_json()


def _as_text(verdict: Verdict, path: Path) -> str:
    from inspector import Check

    score = verdict.checks[Check.INTEGRITY].score
    told = "; ".join(verdict.reasons) or "whole"
    damaged = "" if score is None else f", damaged with p = {score:.2f}"
    return f"{verdict.decision.upper():8} {path}  {told}  ({verdict.timings_ms['total']:.0f} ms{damaged})"


def _unused(folder: Path, stem: str, written: set[Path]) -> Path:
    """STEM.jpg in the folder, or STEM-2.jpg ... when two pictures of this call bear one name."""
    number, copy = 1, folder / f"{stem}.jpg"
    while copy in written:
        number += 1
        copy = folder / f"{stem}-{number}.jpg"
    written.add(copy)
    return copy
