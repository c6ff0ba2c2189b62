"""The candidate as files: the base's network with the bench's own head, its golden frames, and its cards."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspector.calibration import platt
from inspector.verdict import Result
from models import Model, ParcelCard
from models.adaptation.adapting import FIGURES, Adapted
from models.adaptation.features import Lessons, Shelf

GOLDEN = "golden/golden.json"


@dataclass(frozen=True, slots=True)
class Golden:
    """The base's golden frames as the new head judges them. passed: those the base stops and the new head passes."""

    text: bytes
    passed: tuple[str, ...]


def golden(base: Model[ParcelCard], adapted: Adapted, shelf: Shelf) -> Golden:
    """What the candidate must answer to the base's golden frames. Boxes are the network's, so they stay as they are."""
    frames, passed = [], []
    points = adapted.thresholds
    for frame in base.golden:
        data = (base.folder / "golden" / frame["file"]).read_bytes()
        score = platt(adapted.head.logit(shelf.features(data, frame["file"])), adapted.a, adapted.b)
        result = Result.FAIL if score >= points["fail"] else Result.UNSURE if score >= points["unsure"] else Result.PASS
        if result is Result.PASS and frame["result"] == Result.FAIL:
            passed.append(frame["file"])
        frames.append({**frame, "result": str(result), "score": round(score, 4)})
    return Golden((json.dumps({"frames": frames}, indent=2) + "\n").encode(), tuple(passed))


def candidate(
    base: Model[ParcelCard],
    adapted: Adapted,
    lessons: Lessons,
    golden_frames: Golden,
    *,
    version: str,
    created: str,
) -> tuple[dict[str, Path | bytes], dict[str, Any]]:
    """(files by their paths, what card.json tells), as `Registry.add` takes them. created: the day, for the card."""
    told: dict[str, Any] = json.loads((base.folder / "card.json").read_text("utf-8"))
    head = io.BytesIO()
    adapted.head.write(head)
    ref = f"{base.card.name}/{base.card.version}"
    counts = {"photos": len(lessons.names), "groups": len(set(lessons.groups)), "damaged": int(lessons.damaged.sum())}
    card = {
        **{key: value for key, value in told.items() if key not in ("state", "metrics", "files")},
        "version": version,
        "created": created,
        "calibration": {
            "kind": "platt",
            "a": round(adapted.a, 6),
            "b": round(adapted.b, 6),
            "chosen_on": adapted.thresholds["chosen_on"],
        },
        "thresholds": {**told["thresholds"], "integrity": adapted.thresholds},
        "comparison": adapted.comparison.model_dump(),
        "adapted": {
            "base": ref,
            "base_sha256": base.sha256,
            "network_sha256": base.card.files["model.onnx"],
            "way": adapted.way,
            "strength": None if adapted.strength is None else str(adapted.strength),
            **counts,
            "pictures": list(lessons.pictures),
        },
        "metrics": {"this_bench": adapted.figures, "all_else": f"parcels, marks and labels are judged as by {ref}"},
        "sources": [
            *told.get("sources", []),
            {"name": "photos of one bench", "licence": "the site's own", "use": "damage head, calibration, thresholds"},
        ],
        "never_seen": ["any other bench than the one it was adapted to", *told.get("never_seen", [])],
    }
    files: dict[str, Path | bytes] = {file: base.folder / file for file in base.card.files}
    files[base.card.head.file] = head.getvalue()
    files[GOLDEN] = golden_frames.text
    files["CARD.md"] = page(card).encode()
    return files, card


def page(card: Mapping[str, Any]) -> str:
    """CARD.md."""
    made, points = card["adapted"], card["thresholds"]["integrity"]
    learnt = (
        f"from {made['photos']} photos of {made['groups']} parcels or sessions, {made['damaged']} of them damaged"
        if made["damaged"]
        else f"from {made['photos']} photos of intact parcels ({made['groups']} parcels or sessions) and no damaged one"
    )
    return "\n".join(
        [
            f"# parcel/{card['version']}",
            "",
            f"The network of {made['base']} with a damage head that this bench taught itself, {learnt}.",
            f"Made {card['created']} by `lastlook adapt`. Base: {made['base']}, card sha256 `{made['base_sha256']}`,",
            f"model.onnx sha256 `{made['network_sha256']}`. The photos did not leave this computer;",
            "card.json has their digests.",
            "",
            "## What changed",
            "",
            *_changed(card),
            "",
            "## How good it is here",
            "",
            card["comparison"]["text"],
            "",
            *_figures(card["metrics"]["this_bench"]),
            "",
            "## Thresholds",
            "",
            f"fail from {points['fail']}, unsure from {points['unsure']}; chosen on {points['chosen_on']}.",
            *_promise(points),
            "",
            "## Never seen",
            "",
            *(f"- {line}" for line in card["never_seen"]),
            "",
            f"Parcels, marks and labels are found as by {made['base']}; its card tells how well.",
            "",
        ]
    )


def _changed(card: Mapping[str, Any]) -> list[str]:
    if card["adapted"]["way"] == "unusual":
        return [
            "Only the probability of damage: to the base's logit comes the distance from this bench's intact parcels,",
            "and the level is this bench's own. What is unusual here is suspect, whether it is damage or not.",
        ]
    strength = card["adapted"]["strength"]
    if strength == "inf":
        return [
            "Only calibration and thresholds: on photos held out, no correction of the base's head was worth making.",
        ]
    return [
        "Only the probability of damage: the base's linear head plus a correction learnt by logistic regression, drawn",
        f"towards no correction with strength {strength} (chosen by cross-validation), then calibrated after Platt.",
    ]


def _figures(figures: Mapping[str, Any]) -> list[str]:
    """A table of ranking where there were damaged photos, then what the thresholds do."""
    rivals = [who for who, told in figures.items() if "auroc" in told and who != "adapted"]
    rows = [
        f"| {words} | {who} | {_interval(figures[who][key])} | {_interval(figures['adapted'][key])} | "
        f"{_interval(figures[who][key + '_gained'])} | {figures[who][key]['n']} |"
        for who in rivals
        for key, words, _ in FIGURES
    ]
    head = ["| figure | beside | of that model | of this one | gained | photos |", "|---|---|---|---|---|---|"]
    counts = figures.get("at_the_thresholds") or figures["adapted"]
    stops = [
        f"{state.capitalize()} photos, each judged without its group: {told['photos']}; stopped {told['fail']}, "
        f"for a person to look at {told['unsure']}, passed {told['pass']}."
        for state, told in counts.items()
    ]
    return [*head, *rows, "", "Intervals: 95 %, bootstrap over groups.", "", *stops] if rows else stops


def _interval(value: Mapping[str, Any]) -> str:
    if value["value"] is None:
        return "not known"
    if value["low"] is None:
        return f"{value['value']:.3f}"
    return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"


def _promise(points: Mapping[str, Any]) -> list[str]:
    told = points.get("promise")
    if not told:
        return []
    sure = f"with {told['confidence']:.0%} confidence" if told["confidence"] else "on average"
    line = f"At most {told['miss_rate_at_most']:.1%} of damaged parcels pass, {sure}, from {told['groups']} groups."
    return [line] if told.get("kept", True) else [line, f"Asked was {told['asked']:.1%}: {told['why']}."]
