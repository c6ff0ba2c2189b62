"""What the inspections of one local day add up to. Pure: records in, figures out.

Words that are counted here:

- A parcel is an order: however many pictures and inspections it had that day, it is presented once.
- First pass: judged at least once, every judgement a release, on no earlier day held, and nobody overrode anything.
  A picture that had to be taken again is no rework of the parcel; retakes are counted on their own.
- A defect is a kind of finding of a failed check on a parcel, once a parcel. It is overruled when a person overrode the
  latest inspection that showed it (a false stop), else it stands. Findings of an unsure check are doubts, not defects.
- Each check counts once a parcel, with its worst answer of the day: failed, unsure, passed, not made.
- DPMO = failed / made x 1e6, where a check is an opportunity only if it was really made (passed, unsure or failed).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import accumulate
from math import sqrt

from inspector.spec import Check
from inspector.verdict import Decision, Result

Z95 = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""
WORST_FIRST = (Result.FAIL, Result.UNSURE, Result.PASS, Result.SKIPPED)


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision against the eye's. approved_by: the second person, who must be another than the operator."""

    reason: str
    operator: str | None
    approved_by: str | None
    at: datetime

    @property
    def confirmed(self) -> bool:
        """True when a second person stands for it."""
        return bool(self.approved_by) and self.approved_by != self.operator


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection, as far as the day needs it. kinds: of the findings of its failed checks.

    captured_at: when its pictures were taken, whenever they arrived.
    """

    id: str
    order: str
    station: str
    captured_at: datetime
    decision: Decision
    results: Mapping[Check, Result]
    kinds: frozenset[str] = frozenset()
    override: Override | None = None


class Outcome(StrEnum):
    """Where a presented parcel stands after its last inspection of the day; each parcel has exactly one."""

    FIRST_PASS = "first_pass"  # noqa: S105 - no password
    REWORKED = "reworked"
    OVERRIDDEN = "overridden"
    HELD = "held"
    RETAKE = "retake"


@dataclass(frozen=True, slots=True)
class Defect:
    """One kind of defect on one parcel: where and when it was first seen that day."""

    kind: str
    order: str
    station: str
    captured_at: datetime
    overruled: bool


@dataclass(frozen=True, slots=True)
class Parcel:
    """All inspections of one order on one day, folded. station: where it was presented first."""

    order: str
    station: str
    last_at: datetime
    outcome: Outcome
    held: bool
    retakes: int
    overrides: tuple[Override, ...]
    results: Mapping[Check, Result]
    defects: tuple[Defect, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A count of a whole, with its rate and 95 % Wilson interval, all in [0, 1]; None where the whole is nothing."""

    count: int
    of: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Totals:
    """The day in one line. first_pass + reworked + overridden + held + retake = presented.

    held_once: parcels held at least once that day. retakes: inspections whose picture had to be taken again.
    overrides: inspections that a person overrode; unconfirmed: of these, without a second person.
    """

    inspections: int
    presented: int
    first_pass: Share
    reworked: int
    overridden: int
    held: int
    retake: int
    held_once: int
    retakes: int
    overrides: int
    unconfirmed: int


@dataclass(frozen=True, slots=True)
class Quality:
    """Defects per million opportunities. made: checks really made; failed: of these; dpmo: None when none was made."""

    made: int
    failed: int
    dpmo: float | None


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check over all parcels; the four counts add up to the parcels presented."""

    check: Check
    passed: int
    failed: int
    unsure: int
    not_made: int


@dataclass(frozen=True, slots=True)
class StationLine:
    """One station; a parcel counts where it was presented first. retakes and overrides as in `Totals`."""

    station: str
    presented: int
    first_pass: Share
    held_once: int
    retakes: int
    overrides: int


@dataclass(frozen=True, slots=True)
class ParetoLine:
    """One kind of defect, most frequent first. parcels = standing + overruled. cumulative: in (0, 1], 1 at the end."""

    kind: str
    parcels: int
    standing: int
    overruled: int
    share: float
    cumulative: float


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """How often a reason was given for an override."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class OverrideLine:
    """One override, for the list on paper."""

    order: str
    station: str
    reason: str
    operator: str | None
    approved_by: str | None
    at: datetime
    confirmed: bool


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A parcel that was still held after its last inspection of the day. kinds: what was seen; empty for a doubt."""

    order: str
    station: str
    since: datetime
    kinds: tuple[str, ...]


def share(count: int, of: int) -> Share:
    """A rate with its 95 % Wilson score interval (Wilson 1927), which stays honest for few parcels and near 0 and 1."""
    if of == 0:
        return Share(count, of, None, None, None)
    p, z2 = count / of, Z95**2
    centre = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 / (1 + z2 / of) * sqrt(p * (1 - p) / of + z2 / (4 * of**2))
    return Share(count, of, p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)))


def fold(inspections: Iterable[Inspection], held_before: Collection[str] = frozenset()) -> list[Parcel]:
    """The day's parcels, by order id. An inspection that is given twice (same id) counts once.

    held_before: orders that were held or overridden on an earlier day.
    """
    by_order: dict[str, dict[str, Inspection]] = defaultdict(dict)
    for inspection in inspections:
        by_order[inspection.order][inspection.id] = inspection
    return [_parcel(sorted(by_order[order].values(), key=_when), order in held_before) for order in sorted(by_order)]


def totals(parcels: Sequence[Parcel], inspections: int) -> Totals:
    """The headline. inspections: how many the parcels were folded from."""
    outcomes = Counter(parcel.outcome for parcel in parcels)
    overrides = [override for parcel in parcels for override in parcel.overrides]
    return Totals(
        inspections=inspections,
        presented=len(parcels),
        first_pass=share(outcomes[Outcome.FIRST_PASS], len(parcels)),
        reworked=outcomes[Outcome.REWORKED],
        overridden=outcomes[Outcome.OVERRIDDEN],
        held=outcomes[Outcome.HELD],
        retake=outcomes[Outcome.RETAKE],
        held_once=sum(parcel.held for parcel in parcels),
        retakes=sum(parcel.retakes for parcel in parcels),
        overrides=len(overrides),
        unconfirmed=sum(not override.confirmed for override in overrides),
    )


def checks(parcels: Sequence[Parcel]) -> tuple[CheckLine, ...]:
    """The four checks in the order of the design."""
    lines = []
    for check in Check:
        answers = Counter(parcel.results[check] for parcel in parcels)
        lines.append(
            CheckLine(
                check, answers[Result.PASS], answers[Result.FAIL], answers[Result.UNSURE], answers[Result.SKIPPED]
            )
        )
    return tuple(lines)


def quality(lines: Sequence[CheckLine]) -> Quality:
    """DPMO over all checks that were really made."""
    made = sum(line.passed + line.failed + line.unsure for line in lines)
    failed = sum(line.failed for line in lines)
    return Quality(made, failed, failed / made * 1e6 if made else None)


def stations(parcels: Sequence[Parcel]) -> tuple[StationLine, ...]:
    """Every station that was the first to see a parcel, by name."""
    by_station: dict[str, list[Parcel]] = defaultdict(list)
    for parcel in parcels:
        by_station[parcel.station].append(parcel)
    return tuple(
        StationLine(
            station=station,
            presented=len(seen),
            first_pass=share(sum(parcel.outcome is Outcome.FIRST_PASS for parcel in seen), len(seen)),
            held_once=sum(parcel.held for parcel in seen),
            retakes=sum(parcel.retakes for parcel in seen),
            overrides=sum(len(parcel.overrides) for parcel in seen),
        )
        for station, seen in sorted(by_station.items())
    )


def pareto(parcels: Sequence[Parcel]) -> tuple[ParetoLine, ...]:
    """Defects by kind, most parcels first; equal counts by name, so that the same day reads the same."""
    flagged = Counter(defect.kind for parcel in parcels for defect in parcel.defects)
    overruled = Counter(defect.kind for parcel in parcels for defect in parcel.defects if defect.overruled)
    ranked = sorted(flagged.items(), key=lambda pair: (-pair[1], pair[0]))
    whole = sum(flagged.values())
    running = accumulate(count for _, count in ranked)
    return tuple(
        ParetoLine(kind, count, count - overruled[kind], overruled[kind], count / whole, sofar / whole)
        for (kind, count), sofar in zip(ranked, running, strict=True)
    )


def reasons(lines: Sequence[OverrideLine]) -> tuple[ReasonLine, ...]:
    """Why parcels were released against the eye, most frequent first."""
    ranked = sorted(Counter(line.reason for line in lines).items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(ReasonLine(reason, count) for reason, count in ranked)


def overrides(inspections: Iterable[Inspection]) -> tuple[OverrideLine, ...]:
    """Every override of the day's inspections, in the order they were made."""
    lines = {
        i.id: OverrideLine(
            i.order, i.station, o.reason, o.operator, o.approved_by, o.at, o.confirmed
        )
        for i in inspections
        if (o := i.override) is not None
    }  # fmt: skip
    return tuple(sorted(lines.values(), key=lambda line: (line.at, line.order)))


def still_held(parcels: Sequence[Parcel]) -> tuple[HeldLine, ...]:
    """The parcels that somebody has to look at, longest waiting first."""
    lines = (
        HeldLine(p.order, p.station, p.last_at, tuple(sorted(d.kind for d in p.defects)))
        for p in parcels
        if p.outcome is Outcome.HELD
    )
    return tuple(sorted(lines, key=lambda line: (line.since, line.order)))


def _when(inspection: Inspection) -> tuple[datetime, int, str]:
    # of two at the same moment the release comes first: a doubt about the order is not settled in the parcel's favour
    return inspection.captured_at, inspection.decision is not Decision.RELEASE, inspection.id


def _parcel(seen: Sequence[Inspection], held_before: bool) -> Parcel:  # noqa: FBT001 - private, one caller
    judged = [inspection for inspection in seen if inspection.decision is not Decision.RETAKE]
    given = tuple(inspection.override for inspection in seen if inspection.override is not None)
    held = any(inspection.decision is Decision.HOLD for inspection in judged)
    last = seen[-1]
    if last.override is not None:
        outcome = Outcome.OVERRIDDEN
    elif last.decision is Decision.RELEASE:
        outcome = Outcome.REWORKED if held or held_before or given else Outcome.FIRST_PASS
    else:
        outcome = Outcome.HELD if last.decision is Decision.HOLD else Outcome.RETAKE
    return Parcel(
        order=last.order,
        station=seen[0].station,
        last_at=last.captured_at,
        outcome=outcome,
        held=held,
        retakes=len(seen) - len(judged),
        overrides=given,
        results={check: _worst(check, judged) for check in Check},
        defects=_defects(judged),
    )


def _worst(check: Check, judged: Sequence[Inspection]) -> Result:
    answers = {inspection.results.get(check, Result.SKIPPED) for inspection in judged}
    return next((result for result in WORST_FIRST if result in answers), Result.SKIPPED)


def _defects(judged: Sequence[Inspection]) -> tuple[Defect, ...]:
    first: dict[str, Inspection] = {}
    latest: dict[str, Inspection] = {}
    for inspection in judged:
        for kind in inspection.kinds:
            first.setdefault(kind, inspection)
            latest[kind] = inspection
    return tuple(
        Defect(kind, seen.order, seen.station, seen.captured_at, latest[kind].override is not None)
        for kind, seen in sorted(first.items())
    )
