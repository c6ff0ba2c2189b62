"""Operating points chosen by cost, with a promise: how many damaged parcels pass at most, and how sure that is.

    points = choose(p, damaged, groups, Costs(escape=50), Asked(miss_rate=0.1), chosen_on="90 photos of this bench")
    card["thresholds"]["integrity"] = points.told()

A parcel whose probability is below `unsure` passes, from `fail` on it is stopped, between the two a person looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.evaluation.bounds import Kind, allowed, dkw_margin, group_worst, supports
from models.evaluation.metrics import Array, Bools


@dataclass(frozen=True, slots=True)
class Costs:
    """What a wrong decision costs, in any one unit (the unit of the defaults is one false stop).

    escape: a damaged parcel that passes.  false_stop: an intact one that is stopped.  look: a person looking at one
    that is unsure.  damaged_share: of the parcels that come to this bench, 0..1.  The defaults are assumptions, no
    findings: who knows better says so.
    """

    escape: float = 50.0
    false_stop: float = 1.0
    look: float = 0.2
    damaged_share: float = 0.02

    def __post_init__(self) -> None:
        if min(self.escape, self.false_stop, self.look) < 0 or not 0 < self.damaged_share < 1:
            raise ValueError(f"costs must not be negative, and the damaged share lies between 0 and 1: {self}")
        if self.look > min(self.escape, self.false_stop):
            raise ValueError(f"a look that costs more than the mistake it prevents is never taken: {self}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What shall be promised; None asks for nothing.

    miss_rate: of the damaged parcels at most this share passes.  false_stop_rate: of the intact ones at most this share
    is stopped.  confidence: that the promise holds, over all draws of the photos it rests on.
    kind: `binomial` (exact, holds with `confidence`) or `conformal` (holds on average over such draws; needs fewer
    photos and says less; `confidence` is then not used).
    """

    miss_rate: float | None = 0.1
    false_stop_rate: float | None = None
    confidence: float = 0.95
    kind: Kind = "binomial"

    def __post_init__(self) -> None:
        rates = [r for r in (self.miss_rate, self.false_stop_rate) if r is not None]
        if not all(0 < rate < 1 for rate in (*rates, self.confidence)):
            raise ValueError(f"rates and confidence lie between 0 and 1: {self}")


@dataclass(frozen=True, slots=True)
class Promise:
    """What holds at an operating point.

    kind: `binomial`, `conformal`, or `dkw` where what was asked could not be promised and the point was chosen by cost.
    rate_at_most: share that is judged wrongly, at most.  confidence: None for `conformal`, which holds on average.
    photos, groups, wrong: how many of the class were there, and how many photos of it are judged wrongly here.
    asked: the rate that was asked for.  supports: what it would take when it is not promised: groups, or another point.
    """

    kind: str
    rate_at_most: float
    confidence: float | None
    photos: int
    groups: int
    wrong: int
    asked: float | None = None
    supports: str | None = None

    @property
    def kept(self) -> bool:
        """Whether it is what was asked for."""
        return self.supports is None


@dataclass(frozen=True, slots=True)
class Points:
    """Two operating points on the calibrated probability, and what is promised of them. unsure <= fail."""

    fail: float
    unsure: float
    costs: Costs
    misses: Promise | None
    false_stops: Promise | None
    expected_cost: float
    unsure_share: dict[str, float]
    chosen_on: str

    def told(self) -> dict[str, Any]:
        """For the card: `thresholds.integrity`."""
        told: dict[str, Any] = {
            "fail": self.fail,
            "unsure": self.unsure,
            "costs": asdict(self.costs),
            "expected_cost": round(self.expected_cost, 4),
            "unsure_share": {k: round(v, 3) for k, v in self.unsure_share.items()},
        }
        if self.misses:
            told["promise"] = _told(self.misses, "miss_rate_at_most", "missed")
        if self.false_stops:
            told["promise_of_false_stops"] = _told(self.false_stops, "false_stop_rate_at_most", "stopped")
        return told | {"chosen_on": self.chosen_on}


def choose(
    probabilities: Array,
    damaged: Bools,
    groups: Sequence[str],
    costs: Costs | None = None,
    asked: Asked | None = None,
    *,
    chosen_on: str,
    weights: Array | None = None,
) -> Points:
    """The cheapest `fail` and `unsure`, moved apart as far as the promise needs.

    probabilities: (n,) calibrated, of photos that the answering model had not seen (out of fold).  damaged: (n,) bool.
    groups: (n,) photos of one thing or session; see `group_worst` for how they count.  weights: (n,) how much each
    photo counts in the costs (not in the promise, which counts groups); all the same without.
    chosen_on: for the card, which photos these were.  Raises ValueError unless both classes are there.

    Costs: the expected cost of a parcel, pi escape P(p < unsure | damaged) + (1 - pi) false_stop P(p >= fail | intact)
    + look P(unsure <= p < fail), with pi the bench's share of damaged ones, falls into a part of `unsure` alone and one
    of `fail` alone; each is minimised over the photos (Chow 1970 has the rule for known distributions).
    Promise: a lower `unsure` passes fewer of both, a higher `fail` stops fewer of both, so the promise only ever moves
    them that way, and what lies between goes to a person.
    """
    costs, asked = costs or Costs(), asked or Asked()
    if not 0 < damaged.sum() < len(damaged):
        raise ValueError("both damaged and intact photos are needed to choose by cost; see `pass_below`, `stop_from`")
    weights = np.ones(len(damaged)) if weights is None else weights
    names = np.asarray(groups)
    unsure, fail = _cheapest(probabilities, damaged, weights, costs)
    misses = false_stops = None
    if asked.miss_rate is not None:
        point = pass_below(probabilities[damaged], names[damaged], asked.miss_rate, asked.confidence, asked.kind)
        unsure = unsure if point is None else min(unsure, point)
    if asked.false_stop_rate is not None:
        point = stop_from(probabilities[~damaged], names[~damaged], asked.false_stop_rate, asked.confidence, asked.kind)
        fail = fail if point is None else max(fail, point)
    if asked.miss_rate is not None:
        misses = promised(probabilities[damaged], names[damaged], unsure, asked.miss_rate, asked, below=True)
    if asked.false_stop_rate is not None:
        false_stops = promised(
            probabilities[~damaged], names[~damaged], fail, asked.false_stop_rate, asked, below=False
        )
    between = (probabilities >= unsure) & (probabilities < fail)
    return Points(
        fail=fail,
        unsure=unsure,
        costs=costs,
        misses=misses,
        false_stops=false_stops,
        expected_cost=expected_cost(probabilities, damaged, weights, costs, unsure, fail),
        unsure_share={
            "damaged": float(np.average(between[damaged], weights=weights[damaged])),
            "intact": float(np.average(between[~damaged], weights=weights[~damaged])),
        },
        chosen_on=chosen_on,
    )


def pass_below(
    damaged: Array, groups: npt.ArrayLike, at_most: float, confidence: float = 0.95, kind: Kind = "binomial"
) -> float | None:
    """The highest threshold below which at most `at_most` of the damaged parcels lie; None when n cannot support it.

    damaged: (n,) probabilities of damaged photos.  It is an order statistic of the groups' lowest probabilities: that
    of rank k + 1, where k is the most misses for which the bound still holds. That k rests on n alone, never on the
    scores, so the promise is exact although the threshold is read off the same photos (Wilks 1941, tolerance limits).
    """
    worst = group_worst(damaged, groups, highest=False)
    k = allowed(len(worst), at_most, confidence, kind)
    return None if k is None else _floor(float(np.sort(worst)[k]))


def stop_from(
    intact: Array, groups: npt.ArrayLike, at_most: float, confidence: float = 0.95, kind: Kind = "binomial"
) -> float | None:
    """The lowest threshold from which on at most `at_most` of the intact parcels lie; None when they cannot support it.

    Needs no damaged photo, so it is what a bench with intact photos only can promise.
    """
    worst = group_worst(intact, groups, highest=True)
    k = allowed(len(worst), at_most, confidence, kind)
    if k is None:
        return None
    above = round(_floor(float(np.sort(worst)[::-1][k])) + 1e-4, 4)
    return above if above <= 1 else None


def promised(
    probabilities: Array, groups: npt.ArrayLike, threshold: float, rate: float, asked: Asked, *, below: bool
) -> Promise:
    """What holds for one class at a threshold that was chosen on these very photos.

    below: wrong are those below it (damaged that pass), otherwise those from it on (intact that are stopped).
    Where the threshold is at least as strict as `pass_below` or `stop_from` tells for this rate, the rate is promised.
    Where it is not, because n does not support that or because the promise was not asked to move it, the threshold
    rests on the costs alone, that is on these photos; then the bound is one that holds for all thresholds at once
    (`dkw_margin`): wider, but true.
    """
    worst = group_worst(probabilities, groups, highest=not below)
    n = len(worst)
    wrong = int((probabilities < threshold).sum() if below else (probabilities >= threshold).sum())
    limit = (pass_below if below else stop_from)(probabilities, groups, rate, asked.confidence, asked.kind)
    if limit is not None and (threshold <= limit if below else threshold >= limit):
        confidence = asked.confidence if asked.kind == "binomial" else None
        return Promise(asked.kind, rate, confidence, len(probabilities), n, wrong, rate)
    seen = float((worst < threshold).mean() if below else (worst >= threshold).mean())
    bound = min(1.0, seen + dkw_margin(n, asked.confidence))
    told = supports(n, rate, asked.confidence, asked.kind)
    if limit is not None:
        told = f"the point was chosen by cost; at most {rate:.1%} would need {'unsure' if below else 'fail'} at {limit}"
    return Promise("dkw", bound, asked.confidence, len(probabilities), n, wrong, rate, told)


def expected_cost(
    probabilities: Array, damaged: Bools, weights: Array, costs: Costs, unsure: float, fail: float
) -> float:
    """What a parcel costs on average at these points, in the unit of `costs`, at the bench's share of damaged ones."""
    between = (probabilities >= unsure) & (probabilities < fail)

    def rate(event: Bools, of: Bools) -> float:
        return float(np.average(event[of], weights=weights[of]))

    on_damaged = costs.escape * rate(probabilities < unsure, damaged) + costs.look * rate(between, damaged)
    on_intact = costs.false_stop * rate(probabilities >= fail, ~damaged) + costs.look * rate(between, ~damaged)
    return costs.damaged_share * on_damaged + (1 - costs.damaged_share) * on_intact


def _cheapest(p: Array, damaged: Bools, weights: Array, costs: Costs) -> tuple[float, float]:
    """(unsure, fail) of the least expected cost, in the middle between the probabilities it lies between."""
    pi = costs.damaged_share
    share = np.where(damaged, pi / weights[damaged].sum(), (1 - pi) / weights[~damaged].sum()) * weights
    order = np.argsort(p, kind="stable")
    ranked = p[order]
    starts = np.concatenate([[0], np.flatnonzero(np.diff(ranked)) + 1, [len(p)]])  # a threshold never parts equals
    below_d = np.concatenate([[0.0], np.cumsum((share * damaged)[order])])[starts]
    below_i = np.concatenate([[0.0], np.cumsum((share * ~damaged)[order])])[starts]
    # cost(unsure, fail) = passing(unsure) + stopping(fail): each look starts at one and ends at the other
    passing = (costs.escape - costs.look) * below_d - costs.look * below_i
    stopping = costs.look * below_d + (costs.look - costs.false_stop) * below_i
    u, f = int(passing.argmin()), len(stopping) - 1 - int(stopping[::-1].argmin())
    if u > f:  # nothing worth a look: one point for both
        u = f = int((passing + stopping).argmin())
    edges = np.concatenate([[0.0], (ranked[starts[1:-1] - 1] + ranked[starts[1:-1]]) / 2, [1.0]])
    return _floor(float(edges[u])), _floor(float(edges[f]))


def _floor(value: float) -> float:
    """To the card's four digits, downwards: a threshold just above an order statistic would pass one more."""
    down = round(math.floor(value * 1e4) / 1e4, 4)
    return down if down <= value else round(down - 1e-4, 4)


def _told(told: Promise, rate: str, wrong: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "kind": told.kind,
        rate: round(math.ceil(told.rate_at_most * 1e4) / 1e4, 4),
        "confidence": told.confidence,
        "photos": told.photos,
        "groups": told.groups,
        wrong: told.wrong,
    }
    if told.supports:
        out |= {"asked": told.asked, "kept": False, "why": told.supports}
    return out
