"""The marks check: are the handling marks that this parcel must carry there?"""

from __future__ import annotations

from collections.abc import Sequence

from inspector.spec import Check, PackingSpec
from inspector.verdict import CheckResult, Finding, MarkSeen, Result, skipped
from inspector.view import View
from models import MarkThreshold, ParcelCard

NAMES = {
    "fragile": "fragile",
    "this_way_up": "this way up",
    "keep_dry": "keep dry",
    "handle_with_care": "handle with care",
    "do_not_stack": "do not stack",
    "lithium_battery": "lithium battery",
    "keep_away_from_sun": "keep away from sun",
}


def check_marks(views: Sequence[View], spec: PackingSpec, card: ParcelCard) -> CheckResult:
    """Compare the marks seen in all pictures of the sealed parcel with those that the spec asks for.

    A mark that the model has not learnt, or sees only doubtfully, is unsure: a person looks. Without marks in the spec
    the check is skipped, and what was seen is still told.
    """
    if not views:
        return skipped(Check.MARKS, "no picture of the sealed parcel")
    seen = marks_seen(views, card)
    if not spec.marks:
        return CheckResult(Check.MARKS, Result.SKIPPED, reason="the order asks for no marks", marks=seen)
    findings: list[Finding] = []
    doubts: list[str] = []
    for mark in sorted(spec.marks):
        threshold = card.thresholds.marks.get(mark)
        best = max((m.score for m in _candidates(views, mark, card)), default=0.0)
        if not isinstance(threshold, MarkThreshold):
            doubts.append(f"the camera cannot check the mark '{NAMES[mark]}': look for it")
        elif best < threshold.doubtful:
            findings.append(
                Finding("missing_mark", 1.0, 1.0 - best, None, f"the mark '{NAMES[mark]}' is missing: put it on")
            )
        elif best < threshold.present:
            doubts.append(f"the mark '{NAMES[mark]}' is hard to see: look for it")
    if findings:
        return CheckResult(Check.MARKS, Result.FAIL, findings=tuple(findings), marks=seen)
    if doubts:
        return CheckResult(Check.MARKS, Result.UNSURE, reason="; ".join(doubts), marks=seen)
    return CheckResult(Check.MARKS, Result.PASS, marks=seen)


def marks_seen(views: Sequence[View], card: ParcelCard) -> tuple[MarkSeen, ...]:
    """Every mark that is surely there, best first."""
    seen = [
        candidate
        for mark, threshold in card.thresholds.marks.items()
        if isinstance(threshold, MarkThreshold)
        for candidate in _candidates(views, mark, card)
        if candidate.score >= threshold.present
    ]
    return tuple(sorted(seen, key=lambda m: -m.score))


def _candidates(views: Sequence[View], mark: str, card: ParcelCard) -> list[MarkSeen]:
    """Whatever the network calls this mark, however doubtful, on the parcel that is judged."""
    if mark not in card.classes:
        return []
    candidates = []
    for view in views:
        found = view.detections.of(card.classes.index(mark), 0.0)
        for box, score, rotation in zip(found.boxes, found.scores, found.rotations, strict=True):
            x, y, w, h = (float(v) for v in box)
            if view.main is None or _centre_on((x, y, w, h), view.main.box):
                candidates.append(MarkSeen(mark, float(score), (x, y, w, h), float(rotation), view.index))
    return candidates


def _centre_on(box: tuple[float, float, float, float], parcel: tuple[float, float, float, float]) -> bool:
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return parcel[0] <= x <= parcel[0] + parcel[2] and parcel[1] <= y <= parcel[1] + parcel[3]
