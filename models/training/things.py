"""Fits what tells a thing in an open box from what it lies on (`inspector.things`), and says how often it is right.

python -m models.training.things RENDERS CONTENTS: annotations.json with images in both; one half teaches, by group, the
other half measures. The weights it prints stand in `inspector/things.py`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from inspector.detector import Floats
from inspector.embedder import Embedder
from inspector.frame import decode
from inspector.matching import overlap
from inspector.scene import look
from inspector.things import WEIGHTS, evidence
from models.evaluation import lessons
from models.evaluation.contents import taught_items

Array = npt.NDArray[np.float64]
FAMILIES = ("card", "nuts", "fruit")
ON, OFF = 0.5, 0.2
"""Intersection over union with a thing from which on a place is one, and below which it is none; between, neither."""
SURE = float(np.log(0.95 / 0.05))
RIDGE = 1e-4
"""Of the mean loss, on standardised evidence."""


@dataclass(frozen=True, slots=True)
class Places:
    """The proposed places of one picture. evidence: (n, k). best: (n,) intersection over union with the best thing.
    inside: (n,) share that lies in one thing: a part of a thing is no proof of anything. found: for each thing in good
    view, the places that are it.
    """

    kind: str
    teaches: bool
    evidence: Floats
    best: Floats
    inside: Floats
    found: tuple[npt.NDArray[np.intp], ...]


def gather(renders: Path, contents: Path, embedder: Embedder, every: int) -> Iterator[Places]:
    """Rendered boxes and photos, with what a shop would have taught of other groups."""
    told = json.loads((renders / "annotations.json").read_text("utf-8"))
    taught, _ = lessons.renders(renders, np.random.default_rng(0))
    views = {name: item.embeddings for name, item in taught_items(taught, embedder).items()}
    boxes = _boxes(told)
    for image in (i for i in told["images"] if i["scene"] == "open_box"):
        others = [v for name, v in views.items() if not name.startswith(f"{image['group_id']}/")]
        things = [b for b in boxes[image["id"]] if b["category"].startswith("item_")]
        seen = [b for b in things if b["visible_fraction"] > 0.5]
        teaches = int(image["group_id"][1:]) % 2 == 0
        path = renders / "images" / image["file_name"]
        yield _places("renders", path, things, seen, np.concatenate(others), embedder, teaches=teaches)
    told = json.loads((contents / "annotations.json").read_text("utf-8"))
    boxes, names = _boxes(told), {c["id"]: c["name"].split("/")[0] for c in told["categories"]}
    pictures = [i for i in told["images"] if not i["is_reference"] and boxes[i["id"]]]
    pictures = [i for i in pictures if names[boxes[i["id"]][0]["category_id"]] in FAMILIES][::every]
    for number, image in enumerate(pictures):
        things = boxes[image["id"]]
        kind, path = names[things[0]["category_id"]], contents / image["file_name"]
        all_views = np.concatenate(list(views.values()))
        yield _places(kind, path, things, things, all_views, embedder, teaches=number % 2 == 0)


def fit(rows: Array, labels: npt.NDArray[np.bool_], steps: int = 50) -> tuple[Array, float]:
    """Logistic regression by Newton's method: weights (k,) and bias."""
    mean, spread = rows.mean(0), rows.std(0)
    x = np.column_stack([(rows - mean) / spread, np.ones(len(rows))])
    ridge = 2 * RIDGE * len(rows) * np.diag([*np.ones(rows.shape[1]), 0.0])
    w = np.zeros(x.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + ridge, x.T @ (p - labels) + ridge @ w)
        w -= step
        if np.abs(step).max() < 1e-6:
            break
    weights = w[:-1] / spread
    return weights, float(w[-1] - mean @ weights)


@click.command()
@click.argument("renders", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("contents", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--every", type=click.IntRange(1), default=3, show_default=True, help="Of the photos only each so-manyth."
)
def main(renders: Path, contents: Path, every: int) -> None:
    """Print weights, bias, and what the other half says of them."""
    embedder = Embedder.load()
    every_place = list(gather(renders, contents, embedder, every))
    lessons_ = [p for p in every_place if p.teaches and len(p.best)]
    clear = [(p.best > ON) | ((p.best < OFF) & (p.inside < ON)) for p in lessons_]
    rows = np.concatenate([p.evidence[c] for p, c in zip(lessons_, clear, strict=True)]).astype(np.float64)
    labels = np.concatenate([p.best[c] > ON for p, c in zip(lessons_, clear, strict=True)])
    weights, bias = fit(rows, labels)
    click.echo(f"embedder {embedder.version}, {len(rows)} places of which {int(labels.sum())} are things")
    click.echo(json.dumps(dict(zip(WEIGHTS, np.round(weights, 3).tolist(), strict=True)), indent=4))
    click.echo(f"bias {bias:.3f}")
    for kind in ("renders", *FAMILIES):
        held_out = [p for p in every_place if p.kind == kind and not p.teaches]
        click.echo(_measured(kind, held_out, weights, bias))


def _measured(kind: str, pictures: Sequence[Places], weights: Array, bias: float) -> str:
    wrong = there = found = 0
    for p in pictures:
        sure = p.evidence @ weights + bias >= SURE
        wrong += bool((sure & (p.best < OFF) & (p.inside < ON)).any())
        there += len(p.found)
        found += sum(bool(sure[places].any()) for places in p.found)
    return (
        f"{kind}: surely a thing where none is in {wrong} of {len(pictures)} pictures; {found} of {there} things found"
    )


def _places(
    kind: str,
    path: Path,
    things: Sequence[dict[str, Any]],
    seen: Sequence[dict[str, Any]],
    taught: Floats,
    embedder: Embedder,
    *,
    teaches: bool,
) -> Places:
    scene = look(decode(path.read_bytes(), name=path.name).bgr, embedder)
    boxes = scene.to_pixels(scene.windows[: scene.proposed])
    best, inside = np.zeros(len(boxes), np.float32), np.zeros(len(boxes), np.float32)
    for thing in things:
        box = np.asarray(thing["bbox"], np.float32)
        best = np.maximum(best, overlap(boxes, box))
        near, far = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
        inside = np.maximum(inside, np.clip(far - near, 0, None).prod(1) / boxes[:, 2:].prod(1))
    found = tuple(np.flatnonzero(overlap(boxes, np.asarray(thing["bbox"], np.float32)) > ON) for thing in seen)
    return Places(kind, teaches, evidence(scene, taught), best, inside, found)


def _boxes(told: dict[str, Any]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in told["annotations"]:
        found[annotation["image_id"]].append(annotation)
    return found


if __name__ == "__main__":
    main()
