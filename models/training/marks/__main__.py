"""`python -m models.training.marks`: from the data folder to a released model of handling marks, one command a step."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click
import cv2
import numpy as np
import torch

import models
from inspector.markreader import MarkReader
from models.training.__main__ import keep_memory
from models.training.data import fold_of, read_renders, read_training
from models.training.marks import picture
from models.training.marks.bank import drawn
from models.training.marks.judge import Torch, draft, measure
from models.training.marks.networks import build
from models.training.marks.release import write_cards, write_graphs
from models.training.marks.scenes import Ground, grounds
from models.training.marks.train import Pair, Schedule, train, trained

SEED = 11
FOLDS = 2
EACH = 240
UNSEEN, UNSEEN_EACH = 99, 60
"""Drawings that teach nothing: another seed draws other ones."""
SHARES = {"photos": 3.0, "renders": 1.0, "open_renders": 0.3, "signs": 0.4}
"""How often a parcel of each source is drawn, against one render."""


@click.group()
def main() -> None:
    """Make the model of handling marks. Each step finds what earlier ones left in the cache."""


@main.command("train")
@click.option("--data", required=True, envvar="LASTLOOK_TRAINING_DATA", type=click.Path(path_type=Path, exists=True))
@click.option("--cache", default=Path.home() / ".cache" / "lastlook" / "marks", type=click.Path(path_type=Path))
@click.option("--fold", type=int, help="Leave this fold out, to measure with; without it, the real one.")
@click.option("--steps", default=3000, show_default=True)
def train_command(data: Path, cache: Path, fold: int | None, steps: int) -> None:
    """Train finder and reader."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)  # before anything is composed: a forked process would wait for OpenCV's threads for ever
    bank = drawn(cache, SEED, EACH)
    places = list(grounds(read_training(data)))
    weights = draw_weights(places, fold)
    out = cache / ("final" if fold is None else f"fold{fold}")
    train(Pair(*build(SEED)), places, weights, bank, Schedule(steps=steps, seed=SEED), out)


@main.command("release")
@click.option("--data", required=True, envvar="LASTLOOK_TRAINING_DATA", type=click.Path(path_type=Path, exists=True))
@click.option("--cache", default=Path.home() / ".cache" / "lastlook" / "marks", type=click.Path(path_type=Path))
@click.option("--fold", default=1, show_default=True, help="The fold that was left out, to choose and measure on.")
@click.option(
    "--scenes", default=600, show_default=True, help="Composed scenes; a half to choose on, a half to measure."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder, models/marks/VERSION.")
@click.option("--how", required=True, help="In words, for the card: how long it was trained.")
@click.option("--created", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day to write on the card.")
def release_command(data: Path, cache: Path, fold: int, scenes: int, out: Path, how: str, created: datetime) -> None:
    """Choose thresholds on what the fold's networks have not seen, measure, write the model's folder."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    places = [p for p in grounds(read_training(data)) if fold_of(p.group, FOLDS) == fold]
    unseen = reader_of(cache / f"fold{fold}")
    found = measure(unseen, places, draw_weights(places, None), drawn(cache, UNSEEN, UNSEEN_EACH), scenes)
    final = cache / "final"
    pair = trained(Pair(*build(SEED)), final if final.exists() else cache / f"fold{fold}")
    write_graphs(pair, out)
    card = draft(out.name, found.thresholds)
    told = write_cards(card, out, created.date(), how, found.chosen_on, found.metrics)
    print(json.dumps(told["thresholds"], indent=1), json.dumps(told["metrics"], indent=1))


@main.command("picture")
@click.option("--data", required=True, envvar="LASTLOOK_TRAINING_DATA", type=click.Path(path_type=Path, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the two pictures.")
def picture_command(data: Path, out: Path) -> None:
    """Draw what docs/marks.md shows: the drawings, and what the shipped model reads on renders."""
    cv2.imwrite(str(out / "marks-drawn.png"), picture.drawn())
    renders = [place for place in grounds(list(read_renders(data / "renders"))) if place.says.any()]
    reader = MarkReader.open(models.load("marks"), 1, ("CPUExecutionProvider",))
    cv2.imwrite(str(out / "marks-read.jpg"), picture.read(reader, renders[:: len(renders) // 12][:12]))


def reader_of(folder: Path) -> MarkReader:
    """The networks of a training run, as the inspector uses them."""
    pair = trained(Pair(*build(SEED)), folder)
    return MarkReader(Torch(pair.finder), Torch(pair.reader), draft("draft", {}))


def draw_weights(places: list[Ground], fold: int | None) -> np.ndarray:
    """How often each ground is drawn; nothing of the fold left out, more often where it has marks of its own."""
    weights = np.array([SHARES[p.source] * (2.0 if p.says.any() else 1.0) for p in places])
    if fold is not None:
        weights[[fold_of(p.group, FOLDS) == fold for p in places]] = 0
    return weights


if __name__ == "__main__":
    keep_memory()
    main()
