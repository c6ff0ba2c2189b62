"""The shortest stave: the one step that cost most customers that day. Pure: figures in, one step out.

A barrel holds as much water as its shortest stave allows. The rule, in full:

1. Every step is charged with the parcels on which it failed that day, and one parcel weighs one, whatever the step: a
   parcel late weighs like a parcel torn.
2. The steps are the kinds of defect at the packing bench and the carriers. A kind of defect is charged with every
   parcel on which it stands, stopped at the bench or not: overruled by a person, it is no defect. A carrier is charged
   with every parcel whose promise ended that day undelivered, once, on that day. Doubts and retakes cost time, not
   customers, and are told elsewhere.
3. The step with most parcels is the shortest stave. When two have the same number, the one with the greater share of
   its own parcels (presented, or due); then by name, so that the same day reads the same.
4. It is honest about small numbers: fewer than FEW parcels may be chance and is said to be; a runner-up that is not
   clearly behind is named. Clearly behind: (a - b)^2 > 1.96^2 (a + b), McNemar's test of two counts at 5 %.
5. Where and when is told only if it says something: at least LOCATED parcels and more than half of all at one station,
   and of these at least half within WINDOW hours on the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from api.reports.deliveries import CarrierLine
from api.reports.figures import Z95, Defect, Parcel, ParetoLine, Share, share

FEW = 5
LOCATED = 3
WINDOW = 2


class Step(StrEnum):
    """Where a parcel can be lost."""

    DEFECT = "defect"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Place:
    """Where most of it happened. from_hour, to_hour: on the clock of the report's zone, 0..24; None when spread out."""

    station: str
    parcels: int
    from_hour: int | None
    to_hour: int | None


@dataclass(frozen=True, slots=True)
class Rival:
    """The runner-up, when it is not clearly behind."""

    step: Step
    name: str
    parcels: int


@dataclass(frozen=True, slots=True)
class Stave:
    """The step that cost most. name: the kind of defect, or the carrier. parcels: of those presented, or due."""

    step: Step
    name: str
    parcels: Share
    place: Place | None
    rival: Rival | None
    few: bool


def shortest(
    parcels: Sequence[Parcel], pareto: Sequence[ParetoLine], lines: Sequence[CarrierLine], zone: ZoneInfo
) -> Stave | None:
    """The shortest stave by the rule above; None when no step failed on any parcel."""
    charged = [(Step.DEFECT, line.kind, share(line.standing, len(parcels))) for line in pareto if line.standing]
    charged += [(Step.LATE, line.carrier, share(line.became_late, line.due)) for line in lines if line.became_late]
    ranked = sorted(charged, key=lambda c: (-c[2].count, -(c[2].rate or 0), c[0], c[1]))
    if not ranked:
        return None
    step, name, cost = ranked[0]
    rival = None
    if len(ranked) > 1 and not _clearly(cost.count, ranked[1][2].count):
        rival = Rival(ranked[1][0], ranked[1][1], ranked[1][2].count)
    standing = [d for parcel in parcels for d in parcel.defects if d.kind == name and not d.overruled]
    place = _place(standing, zone) if step is Step.DEFECT else None
    return Stave(step, name, cost, place, rival, few=cost.count < FEW)


def _clearly(a: int, b: int) -> bool:
    return (a - b) ** 2 > Z95**2 * (a + b)


def _place(defects: Sequence[Defect], zone: ZoneInfo) -> Place | None:
    counted = Counter(defect.station for defect in defects)
    station, there = min(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    if there < LOCATED or 2 * there <= len(defects):
        return None
    hours = Counter(d.captured_at.astimezone(zone).hour for d in defects if d.station == station)
    busiest = max(range(25 - WINDOW), key=lambda first: (sum(hours[first + h] for h in range(WINDOW)), -first))
    within = sum(hours[busiest + h] for h in range(WINDOW))
    if within < LOCATED or 2 * within < there:
        return Place(station, there, None, None)
    return Place(station, there, busiest, busiest + WINDOW)
