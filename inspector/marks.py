"""The marks check: are the handling marks that this parcel must carry there, and do they stand as they must?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inspector.spec import Check, PackingSpec
from inspector.verdict import CheckResult, Finding, MarkSeen, Result, skipped
from models.cards import MarkThreshold

NAMES = {
    "fragile": "fragile",
    "this_way_up": "this way up",
    "keep_dry": "keep dry",
    "handle_with_care": "handle with care",
    "do_not_stack": "do not stack",
    "lithium_battery": "lithium battery",
    "keep_away_from_sun": "keep away from sun",
}
UPRIGHT_WITHIN = 45.0
"""Degrees: turned by less, an arrow still points up more than sideways."""

Thresholds = Mapping[str, MarkThreshold | str]


def check_marks(
    found: Sequence[MarkSeen], spec: PackingSpec, thresholds: Thresholds, *, upright: bool = False
) -> CheckResult:
    """Compare the marks found in all pictures of the sealed parcel, however doubtful, with those the spec asks for.

    upright: the pictures show the parcel from its side. There up in the picture is up, and arrows that point elsewhere
    are a finding; seen from above, a turned mark is as good as any, and its rotation is only told.
    A mark that cannot be read, or is read only doubtfully, is unsure: a person looks. Without marks in the spec the
    check is skipped, and what was seen is still told.
    """
    seen = _sure(found, thresholds)
    if not spec.marks:
        return CheckResult(Check.MARKS, Result.SKIPPED, reason="the order asks for no marks", marks=seen)
    findings: list[Finding] = []
    doubts: list[str] = []
    for mark in sorted(spec.marks):
        threshold = thresholds.get(mark)
        best = max((m.score for m in found if m.mark == mark), default=0.0)
        if not isinstance(threshold, MarkThreshold):
            doubts.append(f"the camera cannot check the mark '{NAMES[mark]}': look for it")
        elif best < threshold.doubtful:
            findings.append(missing(mark, 1.0 - best))
        elif best < threshold.present:
            doubts.append(f"the mark '{NAMES[mark]}' is hard to see: look for it")
    if upright and "this_way_up" in spec.marks:
        findings.extend(_not_upright([m for m in seen if m.mark == "this_way_up"]))
    if findings:
        return CheckResult(Check.MARKS, Result.FAIL, findings=tuple(findings), marks=seen)
    if doubts:
        return CheckResult(Check.MARKS, Result.UNSURE, reason="; ".join(doubts), marks=seen)
    return CheckResult(Check.MARKS, Result.PASS, marks=seen)


def no_marks_looked_for(spec: PackingSpec) -> CheckResult:
    """The check's answer when no picture shows a sealed parcel."""
    if not spec.marks:
        return skipped(Check.MARKS, "the order asks for no marks")
    return skipped(Check.MARKS, "no picture of the sealed parcel")


def missing(mark: str, score: float) -> Finding:
    """The finding that a mark is not there."""
    return Finding("missing_mark", 1.0, score, None, f"the mark '{NAMES[mark]}' is missing: put it on", mark=mark)


def _sure(found: Sequence[MarkSeen], thresholds: Thresholds) -> tuple[MarkSeen, ...]:
    """Every mark that is surely there, best first."""
    seen = []
    for mark in found:
        threshold = thresholds.get(mark.mark)
        if isinstance(threshold, MarkThreshold) and mark.score >= threshold.present:
            seen.append(mark)
    return tuple(sorted(seen, key=lambda m: -m.score))


def _not_upright(arrows: Sequence[MarkSeen]) -> list[Finding]:
    """One finding when all arrows seen from the side point elsewhere: one upright is enough, others may be on top."""
    if not arrows or any(min(m.rotation, 360 - m.rotation) <= UPRIGHT_WITHIN for m in arrows):
        return []
    best = arrows[0]
    way = {1: "right", 2: "down", 3: "left"}[round(best.rotation / 90) % 4 or 2]
    text = f"the arrows of 'this way up' point {way}: turn the parcel"
    return [Finding("wrong_orientation", 1.0, best.score, best.box, text, best.frame, mark=best.mark)]
