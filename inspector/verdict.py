"""What the eye says of one parcel, and how four checks become one verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from inspector.spec import Check, PackingSpec

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels of the original picture."""


def shared(one: Sequence[float], other: Sequence[float]) -> float:
    """The area that two boxes x, y, width, height have in common."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, down)


class Result(StrEnum):
    """The answer of one check."""

    PASS = "pass"  # noqa: S105 -- an answer, not a password
    FAIL = "fail"
    UNSURE = "unsure"
    SKIPPED = "skipped"


class Decision(StrEnum):
    """What happens with the parcel now."""

    RELEASE = "release"
    HOLD = "hold"
    RETAKE = "retake"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong.

    kind: the word of the design (crush, tear, missing_mark, wrong_label ...). severity and score: 0..1.
    box: where, or None when it is nowhere to be seen (a missing mark). text: a plain sentence for the packer.
    frame: index of the picture it was seen in. mark: which handling mark it is about, None when about none.
    """

    kind: str
    severity: float
    score: float
    box: Box | None
    text: str
    frame: int = 0
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a picture is not good enough to judge.

    kind: blurred, too_dark, too_bright, glare, no_parcel, cut_off or several_parcels.
    text: what the packer should do about it.
    """

    kind: str
    text: str
    frame: int = 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel in a picture. score: 0..1."""

    box: Box
    score: float
    frame: int = 0


@dataclass(frozen=True, slots=True)
class MarkSeen:
    """A handling mark in a picture. rotation: degrees clockwise from upright, 0..360."""

    mark: str
    score: float
    box: Box
    rotation: float
    frame: int = 0


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """A barcode that was read. format: the name zxing-cpp gives it (Code128, QRCode ...)."""

    format: str
    text: str
    box: Box
    frame: int = 0


@dataclass(frozen=True, slots=True)
class ItemSeen:
    """One line of the packing list and what was found of it. result: present, missing, extra, wrong or unsure."""

    item: str
    expected: int
    found: int
    result: str
    score: float | None = None
    boxes: tuple[Box, ...] = ()
    frame: int = 0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check says of one parcel.

    score: integrity: calibrated probability in [0, 1] that the parcel is damaged; None where a check has no score.
    threshold: the score from which the check fails. findings: worst first. reason: why it is unsure or skipped.
    marks, codes, items: what was seen, whether wrong or not.
    """

    check: Check
    result: Result
    score: float | None = None
    threshold: float | None = None
    findings: tuple[Finding, ...] = ()
    reason: str | None = None
    marks: tuple[MarkSeen, ...] = ()
    codes: tuple[CodeSeen, ...] = ()
    items: tuple[ItemSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which weights said it."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one parcel: the decision, why, and everything it rests on.

    quality: why a picture must be taken again; empty unless the decision is retake.
    weight_g: what the bench's scale said, None where there is none.
    timings_ms: wall milliseconds per step; the one part that differs between two runs on the same input.
    """

    decision: Decision
    reasons: tuple[str, ...]
    checks: Mapping[Check, CheckResult]
    parcels: tuple[Parcel, ...] = ()
    models: tuple[ModelRef, ...] = ()
    quality: tuple[Fault, ...] = ()
    weight_g: float | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything wrong, in the order of the checks."""
        return tuple(finding for check in Check for finding in self.checks[check].findings)


def skipped(check: Check, reason: str) -> CheckResult:
    """A check that could not be made, and why."""
    return CheckResult(check, Result.SKIPPED, reason=reason)


def combine(
    checks: Sequence[CheckResult], spec: PackingSpec, quality: Sequence[Fault] = ()
) -> tuple[Decision, tuple[str, ...]]:
    """One decision from all checks, with its reasons, most important first.

    A picture that is not good enough to judge is taken again, whatever was seen in it. Release only when every check
    that the spec requires was made and passed and no other check failed. A required check that was skipped or is
    unsure holds the parcel: a person decides, the machine does not guess.
    """
    if quality:
        return Decision.RETAKE, tuple(dict.fromkeys(fault.text for fault in quality))
    failed = [c for c in checks if c.result is Result.FAIL]
    undecided = [c for c in checks if c.check in spec.required and c.result in (Result.UNSURE, Result.SKIPPED)]
    absent = sorted(spec.required - {c.check for c in checks})
    reasons = [*_reasons([*failed, *undecided]), *(f"{check} was not checked" for check in absent)]
    if failed or undecided or absent:
        return Decision.HOLD, tuple(reasons)
    return Decision.RELEASE, ()


def _reasons(checks: Sequence[CheckResult]) -> list[str]:
    texts: dict[str, None] = {}
    for check in checks:
        said = [finding.text for finding in check.findings] or [check.reason or f"{check.check} is {check.result}"]
        texts.update(dict.fromkeys(said))
    return list(texts)
