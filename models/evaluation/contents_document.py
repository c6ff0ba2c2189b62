"""`lastlook evaluate contents`: which lessons a folder gives, and their figures as one document."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inspector.contents import MEMORY, check_contents
from inspector.embedder import Embedder
from inspector.frame import Frame
from inspector.gallery import Item
from inspector.scene import look
from inspector.spec import ExpectedItem, PackingSpec, Stage
from inspector.teaching import from_box
from models.evaluation import contents, lessons
from models.evaluation.labelled import LabelsError

SHOTS = 3
ROUNDS = 3
"""Orders drawn for each picture where presence is measured: other absent things each time."""
TIMED = 10
SEED = 0

Progress = Callable[[str], None]


def contents_document(folder: Path, embedder: Embedder, *, limit: int | None, progress: Progress) -> dict[str, Any]:
    """All figures of a folder: of rendered open boxes, or of photos of things by family (`family/thing`).

    A family whose things all have reference photos is measured on presence; one with many pictures is counted, taught
    from a few crops. limit: pictures of each family. Raises LabelsError.
    """
    try:
        told = json.loads((folder / "annotations.json").read_text("utf-8"))
        images = told["images"]
    except (OSError, ValueError, KeyError) as error:
        raise LabelsError(f"{folder}: no annotations.json that can be read ({error})") from error
    document: dict[str, Any] = {
        "folder": str(folder),
        "model": {"name": "embedder", "version": embedder.version, "sha256": embedder.sha256},
    }
    if any(image.get("scene") == "open_box" for image in images):
        return document | {"rendered": _rendered(folder, embedder, limit, progress)}
    names = {c["id"]: c["name"] for c in told["categories"]}
    scenes = {image["id"] for image in images if not image.get("is_reference")}
    pictures: Counter[str] = Counter()
    for family, _ in {
        (names[a["category_id"]].split("/")[0], a["image_id"]) for a in told["annotations"] if a["image_id"] in scenes
    }:
        pictures[family] += 1
    referred = {names[int(c)] for c in told.get("references", {})}
    document["families"] = {}
    for family, count in sorted(pictures.items()):
        things = {n for n in names.values() if n.startswith(f"{family}/")}
        figures: dict[str, Any] = {"pictures": count}
        if things <= referred:
            figures["presence"] = _presence(folder, family, embedder, limit, progress)
            if (corrected := _corrected(folder, family, embedder, limit, progress)) is not None:
                figures["presence_after_corrections"] = corrected
        if count > 2 * len(things):
            figures["counting"] = _counting(folder, family, embedder, limit, progress)
        document["families"][family] = figures
    return document


def _presence(folder: Path, family: str, embedder: Embedder, limit: int | None, progress: Progress) -> dict[str, Any]:
    taught, given = lessons.registered(folder, family=family)
    items = contents.taught_items(taught, embedder)
    rng = np.random.default_rng(SEED)
    rows: list[contents.Row] = []
    seconds = []
    for lesson in _some(given, limit):
        progress(f"{family}: presence in {lesson.group}")
        scene = look(lesson.bgr, embedder)
        orders = contents.presence_orders(lesson, rng, ROUNDS)
        for order in orders:
            rows += contents.run(scene, lesson, order, items, embedder)
        seconds.append(_timed(lesson, orders[0][:TIMED], items, embedder))
    return {"taught": _shown(items), **contents.presence(rows), f"ms_for_an_order_of_{TIMED}": _milliseconds(seconds)}


def _corrected(
    folder: Path, family: str, embedder: Embedder, limit: int | None, progress: Progress
) -> dict[str, Any] | None:
    """The same orders where packers have shown each thing in every other picture in which it lies: only the lines of
    things of which there is such a view; None where there is none.
    """
    taught, given = lessons.registered(folder, family=family)
    pictures = _some(given, limit)
    cut = [{name: [from_box(one.bgr, box) for box in boxes] for name, boxes in one.truth.items()} for one in pictures]
    rng = np.random.default_rng(SEED)
    rows: list[contents.Row] = []
    for number, lesson in enumerate(pictures):
        progress(f"{family}: presence in {lesson.group} after corrections in the others")
        others = [views for other, views in enumerate(cut) if other != number]
        shown = {name: [view for views in others for view in views[name]] for name in taught}
        items = contents.taught_items(taught, embedder, corrections=shown)
        scene = look(lesson.bgr, embedder)
        for order in contents.presence_orders(lesson, rng, ROUNDS):
            told = contents.run(scene, lesson, order, items, embedder)
            rows += [row for row in told if shown[row.seen.item]]
    return contents.presence(rows) if rows else None


def _counting(folder: Path, family: str, embedder: Embedder, limit: int | None, progress: Progress) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    taught, given = lessons.photos(folder, rng, family=family, shots=SHOTS)
    items = contents.taught_items(taught, embedder)
    rows: list[contents.Row] = []
    for lesson in _some(given, limit):
        progress(f"{family}: counting in {lesson.group}")
        order = contents.count_order(lesson, rng)
        rows += contents.run(look(lesson.bgr, embedder), lesson, order, items, embedder)
    return {"taught": _shown(items), **contents.counting(rows)}


def _rendered(folder: Path, embedder: Embedder, limit: int | None, progress: Progress) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    taught, given = lessons.renders(folder, rng)
    chosen = _some(given, limit)
    used = {name for lesson in chosen for name in lesson.truth}
    taught = {name: shown for name, shown in taught.items() if name in used}
    items = contents.taught_items(taught, embedder, contents.drawn_weights(taught, rng))
    trials: list[contents.Trial] = []
    for lesson in chosen:
        progress(f"rendered boxes: {lesson.group}")
        scene = look(lesson.bgr, embedder)
        for change in contents.CHANGES:
            trials += contents.try_order(scene, lesson, change, items, embedder, rng)
    return {"pictures": len(chosen), "taught": _shown(items), **contents.trials_told(trials)}


def _timed(lesson: lessons.Lesson, order: Sequence[ExpectedItem], items: dict[str, Item], embedder: Embedder) -> float:
    """Seconds of the whole check, with every reference photo remembered."""
    for line in order:
        MEMORY.template(items[line.item], embedder)
    frame = Frame(lesson.bgr, lesson.group, Stage.OPEN)
    started = time.perf_counter()
    check_contents([frame], PackingSpec(items=tuple(order)), items, embedder)
    return time.perf_counter() - started


def _milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    return {"median": round(1e3 * float(np.median(seconds)), 1), "worst": round(1e3 * max(seconds), 1)}


def _shown(items: dict[str, Item]) -> dict[str, int]:
    return {"items": len(items), "photos": sum(len(item.references) for item in items.values())}


def _some(given: list[lessons.Lesson], limit: int | None) -> list[lessons.Lesson]:
    if limit is None or limit >= len(given):
        return given
    return [given[i * len(given) // limit] for i in range(limit)]


def as_text(document: dict[str, Any]) -> str:
    """The document, one figure a line."""
    model = document["model"]
    return "\n".join([f"{model['name']}/{model['version']} on {document['folder']}", *_lines(document, 0)])


def _lines(told: dict[str, Any], depth: int) -> list[str]:
    lines = []
    for name, value in told.items():
        words = "  " * depth + name.replace("_", " ")
        if depth == 0 and name in ("folder", "model"):
            continue
        if isinstance(value, dict) and {"value", "low", "high", "n"} <= value.keys():
            said = "not known" if value["value"] is None else f"{value['value']:.3f}"
            if value["low"] is not None:
                said += f" ({value['low']:.3f} to {value['high']:.3f})"
            lines.append(f"{words:34} {said}, n = {value['n']}")
        elif isinstance(value, dict):
            lines += [words, *_lines(value, depth + 1)]
        else:
            lines.append(f"{words:34} {value}")
    return lines
