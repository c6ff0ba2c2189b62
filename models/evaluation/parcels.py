"""A parcel model measured on a labelled folder: every figure as one document for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from inspector import Result
from inspector.verdict import ModelRef
from models import ParcelCard
from models.evaluation.boxes import box_figures, invented, mark_figures
from models.evaluation.damage import STOPPED, integrity_figures
from models.evaluation.labelled import LabelledFolder
from models.evaluation.seen import Seen, Unreadable

WORST = 10


def parcel_document(
    card: ParcelCard,
    folder: LabelledFolder,
    seen: Sequence[Seen],
    unreadable: Sequence[Unreadable],
    *,
    models: Sequence[ModelRef],
    marks_judged: frozenset[str],
    rounds: int = 1000,
) -> dict[str, Any]:
    """All figures, with 95 % intervals from `rounds` seeded draws of whole groups: the same input, the same document.

    card: of the parcel model.  models: whose answers these are.  marks_judged: the marks they can tell to be there
    (`Inspector.models`, `Inspector.marks_judged`).
    Only `timings_ms` differs between two runs. A figure that the pictures cannot tell is null.
    """
    thresholds = card.thresholds
    return {
        "models": [asdict(model) for model in models],
        "folder": str(folder.folder),
        "pictures": {
            "judged": len(seen),
            "groups": len({s.photo.group for s in seen}),
            "damaged": sum(s.photo.damaged is True for s in seen),
            "intact": sum(s.photo.damaged is False for s in seen),
            "doubtful": sum(s.photo.damaged is None for s in seen),
            "left_out": dict(folder.left_out),
            "unreadable": [{"file": u.photo.name, "reason": u.reason} for u in unreadable],
        },
        "integrity": integrity_figures(seen, rounds),
        "marks": mark_figures(seen, marks_judged, rounds),
        "parcels": box_figures(seen, "parcel", thresholds.parcel.found, rounds),
        "labels": box_figures(seen, "shipping_label", thresholds.shipping_label.found, rounds),
        "worst": {
            "intact_scored_highest": [_named(s) for s in worst_intact(seen)],
            "damaged_scored_lowest": [_named(s) for s in worst_damaged(seen)],
            "invented_marks": [
                {"file": s.photo.name, "mark": mark.mark, "score": round(mark.score, 3)}
                for s in with_invented(seen)
                for mark in invented(s)
            ],
        },
        "timings_ms": {
            "decode": _times([s.decode_ms for s in seen]),
            "judge": _times([s.judge_ms for s in seen]),
            "total": _times([s.decode_ms + s.judge_ms for s in seen]),
        },
    }


def worst_intact(seen: Sequence[Seen], most: int = WORST) -> list[Seen]:
    """The intact pictures that look most damaged to the eye, worst first."""
    scored = [s for s in seen if s.photo.damaged is False and s.score is not None]
    return sorted(scored, key=lambda s: -(s.score or 0.0))[:most]


def worst_damaged(seen: Sequence[Seen], most: int = WORST) -> list[Seen]:
    """The damaged pictures that look most intact to the eye, worst first; those without a parcel before all."""
    return sorted((s for s in seen if s.photo.damaged), key=lambda s: -1.0 if s.score is None else s.score)[:most]


def with_invented(seen: Sequence[Seen], most: int = WORST) -> list[Seen]:
    """Pictures on which a mark was seen that is not there, the surest first."""
    wrong = [(max(mark.score for mark in marks), s) for s in seen if (marks := invented(s))]
    return [s for _, s in sorted(wrong, key=lambda pair: -pair[0])[:most]]


def is_wrong(seen: Seen) -> bool:
    """Whether the check stopped an intact parcel, or let a damaged one pass; a retake of no parcel is neither."""
    if seen.photo.damaged is None:
        return False
    return seen.result is Result.PASS if seen.photo.damaged else seen.result in STOPPED


def _named(seen: Seen) -> dict[str, Any]:
    return {
        "file": seen.photo.name,
        "score": None if seen.score is None else round(seen.score, 3),
        "result": str(seen.result),
        "wrong": is_wrong(seen),
    }


def _times(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {"median": round(float(np.median(values)), 1), "p95": round(float(np.percentile(values, 95)), 1)}
