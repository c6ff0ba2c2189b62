"""How many late parcels the at-risk flag catches some days before the promise, on real orders.

    python -m bench.lateness ORDERS.csv [--days 3]

ORDERS.csv: one order a row, local times, columns handed_over_at, delivered_at (blank while unknown), promised_by (a
date), customer_zip2, seller_state. Olist's public orders have this shape. Nothing of such data ships with Lastlook.

What is measured: parcels handed over from 2017-12-01 on whose promise day ended by 2018-03-01, when the file ends. At
the moment of the question (`days` before the end of the promise day, or at the hand-over if that is later) every parcel
not delivered yet gets the probability of api/shipments/lateness.py, from what was known at that moment and no later:
parcels delivered or still under way then, at most 45 days back, on its lane (seller's state to two digits of the
postcode) and in the whole country. A parcel handed over after its promise is late at once and needs no prediction.
Recall: share of all late parcels that were contacted. Precision: share of the contacted that became late.
The budget of 10 % is a threshold chosen on the parcels of 2017-09 to 2017-11; by rank on the test parcels themselves is
given too, and is optimistic. Intervals: 95 %, bootstrap over parcels, 2,000 draws, seed 0.
"""

from __future__ import annotations

import argparse
import csv
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.shipments.flags import PAST_PARCELS
from api.shipments.lateness import THRESHOLD, WINDOW, Transit, comparable, deadline, probability

FILE_ENDS = datetime(2018, 3, 1, tzinfo=UTC)
BUDGET = 0.10


@dataclass(frozen=True, slots=True)
class Parcel:
    """One order of the file; its local times are taken as they stand."""

    sent: datetime
    due: datetime
    arrived: datetime | None
    lane: str | None

    @property
    def late(self) -> bool:
        """Not there by the end of the promise day."""
        return self.arrived is None or self.arrived >= self.due


class History:
    """Parcels by hand-over, for those questions that look back from one moment."""

    def __init__(self, parcels: Sequence[Parcel]) -> None:
        self._parcels = sorted(parcels, key=lambda parcel: parcel.sent)
        self._sent = [parcel.sent for parcel in self._parcels]

    def known(self, now: datetime, horizon: timedelta) -> list[Transit]:
        """What was known at `now` of the newest parcels old enough to tell."""
        first, last = bisect_right(self._sent, now - horizon - WINDOW), bisect_right(self._sent, now - horizon)
        newest = self._parcels[max(first, last - PAST_PARCELS) : last]
        return [Transit(p.sent, p.arrived if p.arrived is not None and p.arrived < now else None) for p in newest]


def read(path: Path) -> list[Parcel]:
    """The file's parcels that were handed over."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [_parcel(row) for row in csv.DictReader(lines) if row["handed_over_at"]]


def _parcel(row: dict[str, str]) -> Parcel:
    def moment(text: str) -> datetime | None:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None

    sent = moment(row["handed_over_at"])
    if sent is None:
        raise ValueError("an order that was not handed over")
    lane = (
        f"{row['seller_state']} to BR {row['customer_zip2']}" if row["customer_zip2"] and row["seller_state"] else None
    )
    due = deadline(date.fromisoformat(row["promised_by"][:10]), None, "UTC")
    return Parcel(sent, due, moment(row["delivered_at"]), lane)


def scores(
    asked: Sequence[Parcel], everything: Sequence[Parcel], before: timedelta, *, by_lane: bool = True
) -> NDArray[np.float64]:
    """P(late) of each parcel at its question, 2 when it is late already, -1 when it has arrived: no contact then."""
    overall = History(everything)
    grouped: dict[str, list[Parcel]] = defaultdict(list)
    for parcel in everything:
        if parcel.lane is not None:
            grouped[parcel.lane].append(parcel)
    lanes = {lane: History(parcels) for lane, parcels in grouped.items()}
    nobody = History([])
    return np.array([_score(p, before, overall, lanes.get(p.lane or "", nobody) if by_lane else nobody) for p in asked])


def _score(parcel: Parcel, before: timedelta, overall: History, lane: History) -> float:
    now = max(parcel.due - before, parcel.sent)
    if now >= parcel.due:
        return 2.0
    if parcel.arrived is not None and parcel.arrived <= now:
        return -1.0
    age, left = now - parcel.sent, parcel.due - now
    here = comparable(lane.known(now, age + left), now, age, left)
    return probability(here, comparable(overall.known(now, age + left), now, age, left))


def handed_over(parcels: Sequence[Parcel], first: str, end: str) -> list[Parcel]:
    """Those handed over from `first` on and before `end` whose promise is over when the file ends."""
    start, stop = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (first, end))
    return [parcel for parcel in parcels if start <= parcel.sent < stop and parcel.due <= FILE_ENDS]


def budget_threshold(score: NDArray[np.float64]) -> float:
    """The lowest score that is still contacted when BUDGET of all parcels are."""
    ranked = np.sort(score)[::-1]
    return float(max(ranked[max(round(BUDGET * len(score)) - 1, 0)], 0.0))


def interval(
    late: NDArray[np.bool_],
    contacted: NDArray[np.bool_],
    figure: Callable[[NDArray[np.bool_], NDArray[np.bool_]], float],
) -> str:
    """The figure with its bootstrap interval."""
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(2000):
        pick = rng.integers(0, len(late), len(late))
        draws.append(figure(late[pick], contacted[pick]))
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{figure(late, contacted):.3f} ({low:.3f} to {high:.3f})"


def recall(late: NDArray[np.bool_], contacted: NDArray[np.bool_]) -> float:
    """Share of the late that were contacted."""
    return float((late & contacted).sum() / max(late.sum(), 1))


def precision(late: NDArray[np.bool_], contacted: NDArray[np.bool_]) -> float:
    """Share of the contacted that were late."""
    return float((late & contacted).sum() / max(contacted.sum(), 1))


def top(score: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The BUDGET with the highest scores, of those that can be contacted at all."""
    order = np.argsort(-score, kind="stable")[: round(BUDGET * len(score))]
    chosen = np.zeros(len(score), dtype=bool)
    chosen[order] = score[order] >= 0
    return chosen


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("orders", type=Path)
    parser.add_argument("--days", type=float, default=3, help="days before the end of the promise day")
    options = parser.parse_args()
    parcels, before = read(options.orders), timedelta(days=options.days)
    chosen_on = handed_over(parcels, "2017-09-01", "2017-12-01")
    test = handed_over(parcels, "2017-12-01", "2018-03-01")
    late = np.array([parcel.late for parcel in test])
    score = scores(test, parcels, before)
    reachable = score >= 0
    threshold = budget_threshold(scores(chosen_on, parcels, before))
    chance = np.clip(score[reachable], 0, 1)

    print(f"{len(test)} parcels, {late.sum()} late ({late.mean():.1%}).")
    print(f"{options.days:g} days before the end of the promise day {reachable.sum()}", end=" ")
    print(f"({reachable.mean():.1%}) had not arrived, and {late[reachable].mean():.1%} of those became late.")
    print(f"mean probability of those {chance.mean():.3f}, happened {late[reachable].mean():.3f};")
    print(f"Brier {np.mean((chance - late[reachable]) ** 2):.4f}, of the mean alone {late[reachable].var():.4f}\n")
    print(f"{'contacted':<58}{'share':>7}  {'recall':<24}{'precision'}")
    ways = {
        "everybody not arrived": reachable,
        f"P >= {THRESHOLD} (the product's rule, not tuned)": score >= THRESHOLD,
        f"P >= {threshold:.3f} (10 % of 2017-09..11)": score >= threshold,
        "highest 10 % of the test parcels (optimistic)": top(score),
        "highest 10 %, whole country only, no lanes (optimistic)": top(scores(test, parcels, before, by_lane=False)),
        "10 % at random of those not arrived": _at_random(reachable),
    }
    for name, contacted in ways.items():
        share = contacted.mean()
        print(f"{name:<58}{share:>7.1%}  {interval(late, contacted, recall):<24}{interval(late, contacted, precision)}")


def _at_random(reachable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    rng = np.random.default_rng(1)
    return top(np.where(reachable, rng.random(len(reachable)), -1.0))


if __name__ == "__main__":
    main()
