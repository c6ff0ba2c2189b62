"""`python -m models.training.marks`: from the data folder to a released model of handling marks, one command a step."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import click
import cv2
import numpy as np
import torch

import models
from inspector.markreader import MarkReader
from lastlook import keep_memory
from models.training.data import fold_of, read_renders, read_scenes, read_training
from models.training.marks import picture
from models.training.marks.bank import drawn
from models.training.marks.judge import Unseen, draft, measure
from models.training.marks.learning import learning_curve
from models.training.marks.networks import Networks, build, fitted
from models.training.marks.release import shown, write_cards, write_graphs, written
from models.training.marks.scenes import Ground, grounds, teaching
from models.training.marks.train import (
    Schedule,
    first_glimpses,
    stumbles_of,
    taken_over,
    train_finder,
    train_reader,
    train_strips,
    train_upright,
    trained,
    wide_glimpses,
)

SEED = 11
FOLDS = 4
EACH = 800
CHOOSE, REPORT, UNSEEN_EACH = 98, 99, 100
"""Drawings that teach nothing, to choose thresholds with and to measure with: another seed draws other ones."""
BEGINS_AS = {"upright": "reader", "strips": "upright"}
"""Which network one begins as, where it goes on from none of an earlier version."""
SHARES = {"photos": 3.0, "renders": 1.0, "open_renders": 0.0, "signs": 0.4}
"""How often a parcel of each source is drawn, against one render. What is printed on open boxes nobody wrote down."""


@click.group()
def main() -> None:
    """Make the model of handling marks. Each step finds what earlier ones left in the cache."""


@main.command("train")
@click.argument("network", type=click.Choice(Networks._fields))
@click.option("--data", required=True, envvar="LASTLOOK_TRAINING_DATA", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--scenes", "rendered", type=click.Path(path_type=Path, exists=True), help="More renders, a folder a set."
)
@click.option("--cache", default=Path.home() / ".cache" / "lastlook" / "marks", type=click.Path(path_type=Path))
@click.option("--fold", default=1, show_default=True, help="Leave this fold out, to measure with.")
@click.option("--steps", default=3000, show_default=True, help="Of 8 scenes (finder) or 64 crops (reader).")
@click.option(
    "--start",
    "begun",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Checkpoint of an earlier version to go on from, when this run has not begun yet.",
)
@click.option("--rate", default=1e-3, show_default=True, help="0.8 of it where a run goes on from an earlier version.")
@click.option("--threads", default=1, show_default=True, help="Cores to train on; one more draws what is taught.")
@click.option("--seed", default=SEED, show_default=True, help="Of the lessons; a run that goes on wants new ones.")
def train_command(
    network: str,
    data: Path,
    rendered: Path | None,
    cache: Path,
    fold: int,
    steps: int,
    begun: Path | None,
    rate: float,
    threads: int,
    seed: int,
) -> None:
    """Train one of the four networks: finder, reader, upright, strips; each learns from what came before it."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)  # before anything is composed: a forked process would wait for OpenCV's threads for ever
    bank = drawn(cache, SEED, EACH)
    places = all_grounds(data, rendered)
    weights = draw_weights(places, fold)
    out = run_folder(cache, fold) / network
    nets = build(SEED)
    going_on = (out / "checkpoint.pt").exists()
    before = Networks._fields[: Networks._fields.index(network)]
    for name in before:
        trained(getattr(nets, name), out.parent / name)
    net = getattr(nets, network)
    if begun is not None and not going_on:
        taken_over(net, begun)
    elif network in BEGINS_AS and not going_on:
        net.load_state_dict(fitted(getattr(nets, BEGINS_AS[network]).state_dict(), net))
    if network == "finder":
        schedule = Schedule(steps, batch=8, fresh=4, kept=1500, rate=2 * rate, seed=seed)
        train_finder(nets.finder, places, weights, bank, schedule, out)
        return
    schedule = Schedule(steps, batch=64, fresh=20, kept=8000, rate=rate, seed=seed)
    if network == "reader":
        # the taught reader tells what it falls for, so that it comes more often
        taught = trained(build(SEED).reader, out) if going_on else nets.reader
        stumbles = stumbles_of(nets.finder, taught, places, weights, bank, seed)
        train_reader(nets.reader, places, weights, bank, schedule, out, stumbles)
    elif network == "upright":
        seen = first_glimpses(nets.finder, nets.reader, places, weights, bank, seed)
        train_upright(nets.upright, places, weights, bank, schedule, out, seen)
    else:
        train_strips(
            nets.strips, places, weights, bank, schedule, out, wide_glimpses(nets, places, weights, bank, seed)
        )


@main.command("release")
@click.option("--data", required=True, envvar="LASTLOOK_TRAINING_DATA", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--scenes", "rendered", type=click.Path(path_type=Path, exists=True), help="More renders, a folder a set."
)
@click.option("--cache", default=Path.home() / ".cache" / "lastlook" / "marks", type=click.Path(path_type=Path))
@click.option("--fold", default=1, show_default=True, help="The fold that was left out, to choose and measure on.")
@click.option(
    "--pictures",
    "scenes",
    default=600,
    show_default=True,
    help="Composed scenes; a half to choose on, a half to measure.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder, models/marks/VERSION.")
@click.option("--how", required=True, help="In words, for the card: how long it was trained.")
@click.option("--created", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day to write on the card.")
def release_command(
    data: Path, rendered: Path | None, cache: Path, fold: int, scenes: int, out: Path, how: str, created: datetime
) -> None:
    """Choose thresholds on what the fold's networks have not seen, measure, write the model's folder."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    places = [p for p in all_grounds(data, rendered) if fold_of(p.group, FOLDS) == fold]
    halves = [[p for p in places if fold_of(p.group, 2 * FOLDS) == part] for part in (fold, fold + FOLDS)]
    choose, report = (
        Unseen(half, evenly(half, draw_weights(half, None)), drawn(cache, seed, UNSEEN_EACH))
        for half, seed in zip(halves, (CHOOSE, REPORT), strict=True)
    )
    others = all_grounds(data, rendered)
    write_graphs(
        networks_of(run_folder(cache, fold)), shown(others, draw_weights(others, fold), drawn(cache, SEED, EACH)), out
    )
    found = measure(written(draft(out.name, {}), out), choose, report, scenes)
    card = draft(out.name, found.thresholds)
    told = write_cards(card, out, created.date(), how, found.chosen_on, found.metrics)
    print(json.dumps(told["thresholds"], indent=1), json.dumps(told["metrics"], indent=1))


@main.command("curve")
@click.option("--data", required=True, envvar="LASTLOOK_TRAINING_DATA", type=click.Path(path_type=Path, exists=True))
@click.option("--cache", default=Path.home() / ".cache" / "lastlook" / "marks", type=click.Path(path_type=Path))
@click.option("--fold", default=1, show_default=True, help="Leave this fold out, to measure with.")
@click.option("--threads", default=2, show_default=True)
def curve_command(data: Path, cache: Path, fold: int, threads: int) -> None:
    """Tell what more drawings, parcels or crops would be worth: a learning curve of a reader's head."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    places = all_grounds(data, None)
    weights = draw_weights(places, fold)
    unseen = [p for p in places if fold_of(p.group, 2 * FOLDS) == fold]
    print("taught   count  average precision of unseen crops, mean over marks")
    learning_curve(teaching(places, weights), drawn(cache, SEED, EACH), unseen, drawn(cache, CHOOSE, UNSEEN_EACH), SEED)


@main.command("picture")
@click.option("--data", required=True, envvar="LASTLOOK_TRAINING_DATA", type=click.Path(path_type=Path, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the two pictures.")
def picture_command(data: Path, out: Path) -> None:
    """Draw what docs/marks.md shows: the drawings, and what the shipped model reads on renders."""
    cv2.imwrite(str(out / "marks-drawn.jpg"), picture.drawn(), [cv2.IMWRITE_JPEG_QUALITY, 82])
    renders = [place for place in grounds(list(read_renders(data / "renders"))) if place.says.any()]
    reader = MarkReader.open(models.load("marks"), 1, ("CPUExecutionProvider",))
    cv2.imwrite(str(out / "marks-read.jpg"), picture.read(reader, renders[:: len(renders) // 12][:12]))


def all_grounds(data: Path, rendered: Path | None) -> list[Ground]:
    """Every parcel that may teach, of the data folder and of further rendered sets."""
    more = [photo for photos in read_scenes(rendered).values() for photo in photos] if rendered else []
    return list(grounds([*read_training(data), *more]))


def run_folder(cache: Path, fold: int) -> Path:
    """Where the networks of a run are kept."""
    return cache / f"fold{fold}"


def networks_of(folder: Path) -> Networks:
    """The networks of a run."""
    return Networks(*(trained(net, folder / name) for name, net in build(SEED)._asdict().items()))


def draw_weights(places: list[Ground], fold: int | None) -> np.ndarray:
    """How often each ground is drawn; nothing of the fold left out, more often where it has marks of its own."""
    weights = np.array([SHARES[p.source] * (2.0 if p.says.any() else 1.0) for p in places])
    if fold is not None:
        weights[[fold_of(p.group, FOLDS) == fold for p in places]] = 0
    return weights


def evenly(places: list[Ground], weights: np.ndarray) -> np.ndarray:
    """The same weights shared out among all pictures of one parcel: a print on one carton, of which there are twenty
    photos, must not decide where a threshold lies.
    """
    pictures = Counter((place.source, place.group) for place in places)
    return np.asarray(weights / np.array([pictures[place.source, place.group] for place in places]))


if __name__ == "__main__":
    keep_memory()
    main()
