"""The JSON that enters and leaves: packing specs in, verdicts out. The shapes are a contract (docs/contract.md)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from inspector.spec import MARKS, Check, ExpectedItem, PackingSpec
from inspector.verdict import (
    Box,
    CheckResult,
    CodeSeen,
    Decision,
    Fault,
    Finding,
    ItemSeen,
    MarkSeen,
    ModelRef,
    Parcel,
    Result,
    Verdict,
)


class _Document(BaseModel):
    """Unknown fields are refused, so that a typo never becomes a silent pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_mark(mark: str) -> str:
    if mark not in MARKS:
        raise ValueError(f"unknown mark {mark!r}; known marks are {', '.join(MARKS)}")
    return mark


def _known_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone {zone!r}; use an IANA name such as Asia/Shanghai") from None
    return zone


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""A short text that a person wrote; any language, no control characters."""
Zone = Annotated[str, AfterValidator(_known_zone)]
Unit = Annotated[float, Field(ge=0, le=1)]


class ItemLine(_Document):
    """One line of the packing list."""

    item: Name
    quantity: Annotated[int, Field(ge=1, le=10_000)] = 1


class Destination(_Document):
    """Where it goes, as far as transit times depend on it."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    postcode: Annotated[str, Field(max_length=20)] | None = None


class Customer(_Document):
    """Whom to contact when it is late."""

    name: Name | None = None
    email: Name | None = None
    phone: Name | None = None
    language: Annotated[str, Field(max_length=35)] | None = None


class OrderDocument(_Document):
    """An order's packing spec as JSON, with where it goes and whom to contact."""

    items: Annotated[tuple[ItemLine, ...], Field(max_length=500)] = ()
    marks: tuple[Annotated[str, AfterValidator(_known_mark)], ...] = ()
    packaging: Literal["carton", "mailer"] | None = None
    tracking_number: Name | None = None
    promised_by: date | None = None
    zone: Zone | None = None
    destination: Destination | None = None
    customer: Customer | None = None

    def spec(self) -> PackingSpec:
        """The part that the eye needs."""
        return PackingSpec(
            items=tuple(ExpectedItem(line.item, line.quantity) for line in self.items),
            marks=frozenset(self.marks),
            packaging=self.packaging,
            tracking_number=self.tracking_number,
            promised_by=self.promised_by,
            zone=self.zone,
        )


class FindingDocument(_Document):
    """See `Finding`."""

    kind: str
    severity: Unit
    score: Unit
    box: Box | None
    text: str
    frame: int = 0
    mark: str | None = None


class FaultDocument(_Document):
    """See `Fault`."""

    kind: str
    text: str
    frame: int = 0


class ParcelDocument(_Document):
    """See `Parcel`."""

    box: Box
    score: Unit
    frame: int = 0


class MarkDocument(_Document):
    """See `MarkSeen`."""

    mark: str
    score: Unit
    box: Box
    rotation: float
    frame: int = 0


class CodeDocument(_Document):
    """See `CodeSeen`."""

    format: str
    text: str
    box: Box
    frame: int = 0


class ItemDocument(_Document):
    """See `ItemSeen`."""

    item: str
    expected: int
    found: int
    result: str
    score: Unit | None
    boxes: tuple[Box, ...]
    frame: int = 0


class IntegrityDocument(_Document):
    """score: calibrated probability that the parcel is damaged, whenever a parcel was seen."""

    result: Result
    score: Unit | None = None
    threshold: Unit | None = None
    findings: tuple[FindingDocument, ...]
    reason: str | None = None


class MarksDocument(_Document):
    """detections: every mark seen, asked for or not."""

    result: Result
    findings: tuple[FindingDocument, ...]
    detections: tuple[MarkDocument, ...]
    reason: str | None = None


class ContentsDocument(_Document):
    """items: every line of the packing list."""

    result: Result
    findings: tuple[FindingDocument, ...]
    items: tuple[ItemDocument, ...]
    reason: str | None = None


class LabelDocument(_Document):
    """codes: everything that was read."""

    result: Result
    findings: tuple[FindingDocument, ...]
    codes: tuple[CodeDocument, ...]
    reason: str | None = None


class ChecksDocument(_Document):
    """The four checks."""

    integrity: IntegrityDocument
    marks: MarksDocument
    contents: ContentsDocument
    label: LabelDocument


class ModelDocument(_Document):
    """See `ModelRef`."""

    name: str
    version: str
    sha256: str


class VerdictDocument(_Document):
    """One verdict as JSON: what `lastlook inspect` prints for a picture and what an inspection carries."""

    image: str | None = None
    verdict: Decision
    reasons: tuple[str, ...]
    quality: tuple[FaultDocument, ...] = ()
    parcels: tuple[ParcelDocument, ...]
    checks: ChecksDocument
    models: tuple[ModelDocument, ...]
    weight_g: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    timings_ms: dict[str, float] = Field(default_factory=dict)

    @classmethod
    def of(cls, verdict: Verdict, image: str | None = None) -> VerdictDocument:
        """The document of a verdict; image: the name of the one picture it was made from."""
        return cls(
            image=image,
            verdict=verdict.decision,
            reasons=verdict.reasons,
            quality=tuple(FaultDocument(kind=f.kind, text=f.text, frame=f.frame) for f in verdict.quality),
            parcels=tuple(
                ParcelDocument(box=_rounded(p.box), score=round(p.score, 4), frame=p.frame) for p in verdict.parcels
            ),
            checks=_checks(verdict),
            models=tuple(ModelDocument(name=m.name, version=m.version, sha256=m.sha256) for m in verdict.models),
            weight_g=verdict.weight_g,
            timings_ms={name: round(value, 2) for name, value in verdict.timings_ms.items()},
        )

    def to_verdict(self) -> Verdict:
        """The verdict that this document tells of; numbers as rounded as they were written."""
        integrity, marks, contents, label = (
            self.checks.integrity,
            self.checks.marks,
            self.checks.contents,
            self.checks.label,
        )
        checks = {
            Check.INTEGRITY: CheckResult(
                Check.INTEGRITY,
                integrity.result,
                integrity.score,
                integrity.threshold,
                _findings_in(integrity.findings),
                integrity.reason,
            ),
            Check.MARKS: CheckResult(
                Check.MARKS,
                marks.result,
                findings=_findings_in(marks.findings),
                reason=marks.reason,
                marks=tuple(MarkSeen(**dict(d)) for d in marks.detections),
            ),
            Check.CONTENTS: CheckResult(
                Check.CONTENTS,
                contents.result,
                findings=_findings_in(contents.findings),
                reason=contents.reason,
                items=tuple(ItemSeen(**dict(i)) for i in contents.items),
            ),
            Check.LABEL: CheckResult(
                Check.LABEL,
                label.result,
                findings=_findings_in(label.findings),
                reason=label.reason,
                codes=tuple(CodeSeen(**dict(c)) for c in label.codes),
            ),
        }
        return Verdict(
            decision=self.verdict,
            reasons=self.reasons,
            checks=checks,
            parcels=tuple(Parcel(**dict(p)) for p in self.parcels),
            models=tuple(ModelRef(**dict(m)) for m in self.models),
            quality=tuple(Fault(**dict(f)) for f in self.quality),
            weight_g=self.weight_g,
            timings_ms=self.timings_ms,
        )


def _rounded(box: Box) -> Box:
    x, y, w, h = box
    return round(x, 1), round(y, 1), round(w, 1), round(h, 1)


def _findings(check: CheckResult) -> tuple[FindingDocument, ...]:
    return tuple(
        FindingDocument(
            kind=f.kind,
            severity=round(f.severity, 3),
            score=round(f.score, 4),
            box=None if f.box is None else _rounded(f.box),
            text=f.text,
            frame=f.frame,
            mark=f.mark,
        )
        for f in check.findings
    )


def _findings_in(findings: tuple[FindingDocument, ...]) -> tuple[Finding, ...]:
    return tuple(Finding(**dict(f)) for f in findings)


def _checks(verdict: Verdict) -> ChecksDocument:
    integrity, marks, contents, label = (
        verdict.checks[check] for check in (Check.INTEGRITY, Check.MARKS, Check.CONTENTS, Check.LABEL)
    )
    return ChecksDocument(
        integrity=IntegrityDocument(
            result=integrity.result,
            score=None if integrity.score is None else round(integrity.score, 4),
            threshold=integrity.threshold,
            findings=_findings(integrity),
            reason=integrity.reason,
        ),
        marks=MarksDocument(
            result=marks.result,
            findings=_findings(marks),
            reason=marks.reason,
            detections=tuple(
                MarkDocument(
                    mark=m.mark,
                    score=round(m.score, 4),
                    box=_rounded(m.box),
                    rotation=round(m.rotation, 1),
                    frame=m.frame,
                )
                for m in marks.marks
            ),
        ),
        contents=ContentsDocument(
            result=contents.result,
            findings=_findings(contents),
            reason=contents.reason,
            items=tuple(
                ItemDocument(
                    item=i.item,
                    expected=i.expected,
                    found=i.found,
                    result=i.result,
                    score=i.score,
                    boxes=tuple(_rounded(b) for b in i.boxes),
                    frame=i.frame,
                )
                for i in contents.items
            ),
        ),
        label=LabelDocument(
            result=label.result,
            findings=_findings(label),
            reason=label.reason,
            codes=tuple(
                CodeDocument(format=c.format, text=c.text, box=_rounded(c.box), frame=c.frame) for c in label.codes
            ),
        ),
    )
