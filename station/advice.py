"""The one thing to do next, from a verdict: what the packer reads in one glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inspector.spec import Check, PackingSpec
from inspector.verdict import CheckResult, Decision, Finding, ItemSeen, Result, Verdict

MEND = {"tape_fault": "tape_again", "open_flap": "close_flaps", "dirty": "clean_or_repack"}
"""Integrity findings that can be put right without a new box."""


@dataclass(frozen=True, slots=True)
class Advice:
    """code: a sentence in the kiosk's language files. words: what fills its gaps (marks, a number, a count). Among them
    `over`: what is to be taken out besides.
    """

    code: str
    words: Mapping[str, object] = field(default_factory=dict)


def advise(verdict: Verdict, spec: PackingSpec) -> Advice:
    """The first thing to do. What means a new box comes first, for it undoes everything else; then what is inside,
    the label, the marks; what only a person can decide comes last.
    """
    if verdict.decision is Decision.RELEASE:
        return Advice("ship")
    if verdict.decision is Decision.RETAKE:
        return Advice(f"retake_{verdict.quality[0].kind}" if verdict.quality else "retake")
    order = (Check.INTEGRITY, Check.CONTENTS, Check.LABEL, Check.MARKS)
    for check in order:
        result = verdict.checks.get(check)
        if result is not None and result.result is Result.FAIL:
            return _mend(check, result)
    for check in order:
        result = verdict.checks.get(check)
        if check in spec.required and (result is None or result.result in (Result.UNSURE, Result.SKIPPED)):
            return _decide(check, spec)
    return Advice("ask")


def _mend(check: Check, result: CheckResult) -> Advice:
    worst = max(result.findings, key=lambda f: f.severity, default=None)
    kind = worst.kind if worst else ""
    match check:
        case Check.INTEGRITY:
            return Advice(_mend_box(result.findings), {"kind": kind})
        case Check.CONTENTS:
            return _mend_contents(result.items)
        case Check.LABEL:
            return Advice(kind if kind in ("missing_label", "unreadable_label", "wrong_label") else "check_label")
        case Check.MARKS:
            missing = missing_marks(result)
            return Advice("add_marks", {"marks": missing}) if missing else Advice(kind or "check_marks")


def _mend_box(findings: tuple[Finding, ...]) -> str:
    """A new box as soon as one finding needs it."""
    if not findings or any(f.kind not in MEND for f in findings):
        return "repack"
    return MEND[max(findings, key=lambda f: f.severity).kind]


def _mend_contents(lines: tuple[ItemSeen, ...]) -> Advice:
    """What to put in and what to take out; of a line that is unsure, only a person can say whether it is there."""
    items = [
        {"item": i.item, "count": i.expected - i.found}
        for i in lines
        if i.found < i.expected and i.result in ("missing", "wrong")
    ]
    over = [{"item": i.item, "count": i.found - i.expected} for i in lines if i.found > i.expected]
    if items:
        code = "swap_items" if any(i.result == "wrong" for i in lines) else "add_items"
        return Advice(code, {"items": items, **({"over": over} if over else {})})
    return Advice("take_out", {"items": over}) if over else Advice("check_items")


def _decide(check: Check, spec: PackingSpec) -> Advice:
    if check is Check.CONTENTS:
        return Advice("count_items", {"items": [{"item": i.item, "count": i.quantity} for i in spec.items]})
    return Advice(f"look_{check}")


def missing_marks(result: CheckResult) -> list[str]:
    """The marks that the eye found missing, sorted; a doubtful one is not among them."""
    return sorted(finding.mark for finding in result.findings if finding.kind == "missing_mark" and finding.mark)
