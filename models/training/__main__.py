"""`python -m models.training`: from the data folder to a released parcel model, one command a step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from inspector import Inspector
from lastlook import keep_memory
from models import ParcelCard
from models.evaluation.labelled import read_labelled
from models.evaluation.parcels import parcel_document
from models.evaluation.seen import Seen, see
from models.training.cache import Shelf, fill, joined, without_marks
from models.training.calibrate import Linear
from models.training.conclude import conclude, conclude_far, damage_head, unseen_answers
from models.training.curves import draw
from models.training.data import Photo, fold_of, read_scenes, read_training
from models.training.integrity import start
from models.training.learning import learning_curve
from models.training.plan import Job, close_ups, crowd, far_looks, make_ahead, mosaics, plan, shaken_looks
from models.training.quantise import calibration_views
from models.training.release import FarFindings, release, release_again
from models.training.train import Schedule, build, take_over, train, trained

SEED = 7
FOLDS = 3
FAR_LATE_RATE = 3e-4
"""The far look's late blocks have nothing to keep but what ImageNet taught them."""
SHARES = {
    "close": {"photos": 2.0, "renders": 1.0, "open_renders": 0.5, "signs": 0.7},
    "far": {"photos": 1.5, "renders": 1.0, "open_renders": 0.5, "signs": 0.7},
}
"""How often a view is drawn for a look, by its source, against one of a render."""


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that every step takes."""
    command = click.option(
        "--scenes",
        envvar="LASTLOOK_SCENES",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="Rendered sets, one folder each (docs/scenes.md).",
    )(command)
    command = click.option("--threads", default=2, show_default=True, help="Threads of torch.")(command)
    command = click.option(
        "--cache",
        default=Path.home() / ".cache" / "lastlook",
        show_default=True,
        type=click.Path(path_type=Path),
        help="Where views, features and checkpoints are kept; never in the repository.",
    )(command)
    return click.option(
        "--data",
        required=True,
        envvar="LASTLOOK_TRAINING_DATA",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="The folder that holds parcels/licensed and renders.",
    )(command)


@click.group()
def main() -> None:
    """Make the parcel model. Each step finds what earlier ones left in the cache, and goes on where it stopped."""


@main.command()
@_shared
def prepare(data: Path, scenes: Path | None, cache: Path, threads: int) -> None:
    """Draw all views and run the early blocks over them once."""
    torch.set_num_threads(threads)
    views = [*shelf_of(data, scenes, cache).views, *far_shelf_of(data, scenes, cache).views]
    print(f"{len(views)} views are ready in {cache}")


@main.command("train")
@_shared
@click.option(
    "--look",
    type=click.Choice(["close", "far"]),
    default="close",
    show_default=True,
    help="close: damage, in 8 bits later. far: where parcels and labels are, and nothing else.",
)
@click.option(
    "--fold", type=int, help="Leave this fold out and train a model to measure with; without it, the real one."
)
@click.option("--steps", default=3000, show_default=True, help="Steps of 16 views.")
@click.option("--rate", default=2e-3, show_default=True, help="Highest learning rate of neck and heads.")
@click.option(
    "--start",
    "begun",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Checkpoint of an earlier version to go on from, when this run has not begun yet.",
)
def train_command(
    data: Path,
    scenes: Path | None,
    cache: Path,
    threads: int,
    look: str,
    fold: int | None,
    steps: int,
    rate: float,
    begun: Path | None,
) -> None:
    """Train the late blocks, neck and heads."""
    torch.set_num_threads(threads)
    net, out = build(SEED), run_folder(cache, look, fold)
    shelf = (far_shelf_of if look == "far" else shelf_of)(data, scenes, cache)
    schedule = Schedule(steps=steps, seed=SEED, rate=rate)
    fresh = not (out / "checkpoint.pt").exists()
    taken_over = fresh and begun is not None and take_over(net, begun)
    if look == "far":
        schedule = replace(schedule, late_rate=FAR_LATE_RATE)
    elif fresh and not taken_over:
        start(shelf, FOLDS, fold).into(net.state)
    train(net, shelf, draw_weights(shelf, look, fold), schedule, out)
    print(f"trained; the checkpoint is {out / 'checkpoint.pt'}")


_measured = click.option(
    "--measured", required=True, type=click.Path(path_type=Path, exists=True), help="Photos only measured on."
)
_out = click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The model's folder, models/parcel/VERSION."
)
_created = click.option(
    "--created", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day to write on the card."
)
_how_far = click.option("--how-far", required=True, help="In words, for the card: how the far look was trained.")


@main.command("release")
@_shared
@_out
@_measured
@click.option("--golden", multiple=True, required=True, help="File names of renders that go with the model.")
@click.option("--how", required=True, help="In words, for the card: which folds, how many steps.")
@_how_far
@click.option("--curves", type=click.Path(path_type=Path), help="Where to draw how training went (PNG).")
@_created
def release_command(
    data: Path,
    scenes: Path | None,
    cache: Path,
    threads: int,
    out: Path,
    measured: Path,
    golden: tuple[str, ...],
    how: str,
    how_far: str,
    curves: Path | None,
    created: datetime,
) -> None:
    """Choose thresholds on unseen views, measure, and write the model's folder."""
    torch.set_num_threads(threads)
    shelf = shelf_of(data, scenes, cache)
    runs = [run_folder(cache, "close", fold) for fold in range(FOLDS)]
    told = unseen_answers(shelf, runs, len(jobs_of(data, scenes)), SEED)
    net = trained(run_folder(cache, "close", None), SEED)
    head, compared = damage_head(shelf, told, Linear.of(net.state), FOLDS)
    photos = read_training(data)
    card = release(
        trained(run_folder(cache, "far", None), SEED),
        net,
        head.layer,
        conclude(shelf, told, head, compared, far_findings(data, scenes, cache, how_far), how),
        [data / "renders" / "images" / name for name in golden],
        out,
        canvases=calibration_views(photos),
        compare=[photo.path for photo in photos if photo.source == "photos"],
        version=out.name,
        created=created.date(),
        measure=partial(measured_on, folder=measured),
    )
    if curves is not None:
        draw([run for run in (run_folder(cache, "close", None), *runs) if run.exists()], curves)
    print(json.dumps(card["metrics"], indent=1))


@main.command("again")
@_shared
@click.option(
    "--base", required=True, type=click.Path(path_type=Path, exists=True), help="Folder of a released version."
)
@click.option(
    "--close",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Checkpoint of the network that judges damage in that version.",
)
@_out
@_measured
@_how_far
@_created
def again_command(
    data: Path,
    scenes: Path | None,
    cache: Path,
    threads: int,
    base: Path,
    close: Path,
    out: Path,
    measured: Path,
    how_far: str,
    created: datetime,
) -> None:
    """Give a released model another far look, and leave its judgement of damage as it is."""
    torch.set_num_threads(threads)
    judge = build(SEED)
    take_over(judge, close)
    card = release_again(
        base,
        trained(run_folder(cache, "far", None), SEED),
        judge,
        far_findings(data, scenes, cache, how_far),
        out,
        # what graphs say of a photo is compared with what networks say of it: nothing is learnt of either
        compare=[
            *(photo.path for photo in read_training(data) if photo.source == "photos"),
            *sorted((measured / "images").iterdir()),
        ],
        created=created.date(),
        measure=partial(measured_on, folder=measured),
    )
    print(json.dumps({name: card[name] for name in ("eight_bits", "metrics")}, indent=1))


@main.command("curve")
@_shared
def curve_command(data: Path, scenes: Path | None, cache: Path, threads: int) -> None:
    """Tell what more rendered parcels would be worth: a learning curve of the damage probe."""
    torch.set_num_threads(threads)
    print("share  parcels  AUROC on unseen renders    on unseen photos with composed damage")
    for point in learning_curve(shelf_of(data, scenes, cache), FOLDS):
        print(f"{point.share:5.3f}  {point.parcels:7d}  {point.renders}     {point.photos}", flush=True)


def measured_on(inspector: Inspector, card: ParcelCard, folder: Path) -> dict[str, Any]:
    """What `lastlook evaluate parcels` tells of a folder of photos that nothing was learnt from."""
    labelled = read_labelled(folder)
    seen = [answer for answer in see(inspector, card.classes, labelled.photos) if isinstance(answer, Seen)]
    document = parcel_document(card, labelled, seen, [], models=inspector.models, marks_judged=frozenset())
    return {"photos_from_the_web_dev_eval": {k: document[k] for k in ("pictures", "integrity", "parcels", "labels")}}


def shelf_of(data: Path, scenes: Path | None, cache: Path) -> Shelf:
    """All views with their features, made now unless they are cached: those of `jobs_of`, then others."""
    photos = read_training(data)
    parts = {"views": plan(photos, SEED)}
    parts |= {f"views-{name}": plan(rendered, SEED) for name, rendered in sets_of(scenes).items()}
    parts["crowd"] = crowd(photos, SEED + 1)
    parts["mosaics"] = mosaics(photos, SEED + 2, FOLDS)
    parts["shaken"] = shaken_looks(all_photos(data, scenes), SEED + 3)
    return filled(cache, parts)


def far_shelf_of(data: Path, scenes: Path | None, cache: Path) -> Shelf:
    """The views that the far look's network is taught with, and their features; each picture as it is comes first."""
    photos = all_photos(data, scenes)
    parts = {"far": far_looks(photos, SEED + 4, FOLDS), "far-close": close_ups(photos, SEED + 5)}
    return without_marks(filled(cache, parts))


def filled(cache: Path, parts: Mapping[str, Sequence[Job]]) -> Shelf:
    """The views of all jobs with their features, a folder a part."""
    net = build(SEED)
    return joined(*(fill(cache / name, make_ahead(jobs), len(jobs), net) for name, jobs in parts.items()))


def all_photos(data: Path, scenes: Path | None) -> list[Photo]:
    """All pictures of the data folder, then of the rendered sets."""
    return [*read_training(data), *(photo for part in sets_of(scenes).values() for photo in part)]


def jobs_of(data: Path, scenes: Path | None) -> list[Job]:
    """What the first views of the shelf show, in its order; the others are not measured on."""
    sets = [read_training(data), *sets_of(scenes).values()]
    return [job for photos in sets for job in plan(photos, SEED)]


def sets_of(scenes: Path | None) -> dict[str, list[Photo]]:
    """The rendered sets beyond those of the data folder."""
    return {} if scenes is None else read_scenes(scenes)


def run_folder(cache: Path, look: str, fold: int | None) -> Path:
    """Where a training run keeps its log and checkpoint. look: "close" or "far"."""
    return cache / ("runs" if look == "close" else f"runs-{look}") / ("final" if fold is None else f"fold{fold}")


def far_findings(data: Path, scenes: Path | None, cache: Path, how: str) -> FarFindings:
    """Thresholds and figures of the far look: each picture as it is, from the network that has not seen its group."""
    shelf = far_shelf_of(data, scenes, cache)
    runs = [run_folder(cache, "far", fold) for fold in range(FOLDS)]
    told = unseen_answers(shelf, runs, len(all_photos(data, scenes)), SEED)
    return conclude_far(shelf, told, how)


def draw_weights(shelf: Shelf, look: str, fold: int | None) -> np.ndarray:
    """How often each view is drawn: photos more often than renders, looks at a parcel of which nobody knows whether it
    is damaged more seldom, nothing of the fold left out.
    """
    share = SHARES[look]
    weights = np.array([share[v.source] for v in shelf.views])
    weights[[v.look == "parcel" and v.damaged is None for v in shelf.views]] *= 0.3
    if fold is not None:
        weights[[fold_of(v.group, FOLDS) == fold for v in shelf.views]] = 0
    return weights


if __name__ == "__main__":
    keep_memory()
    main()
