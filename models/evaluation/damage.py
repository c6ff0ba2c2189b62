"""How well damage is told from none: ranking, what the card's thresholds do, and whether probabilities hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from inspector import Result
from models.evaluation.bounds import settled, upper_bound
from models.evaluation.metrics import (
    Array,
    Bools,
    Figure,
    auroc,
    average_precision,
    bootstrap,
    brier,
    calibration_error,
    even_odds,
    recall_at_false_stops,
    reliability,
)
from models.evaluation.seen import Seen

FALSE_STOPS = (0.01, 0.05, 0.10)
FEWEST_SCORED = 20
NO_PARCEL = -1.0
"""Stands for the score of a picture in which no parcel was found: below every probability."""
STOPPED = (Result.FAIL, Result.UNSURE)


def integrity_figures(seen: Sequence[Seen], rounds: int) -> dict[str, Any]:
    """All figures of the integrity check, for JSON. Pictures whose state is doubtful count neither way.

    A picture in which the eye found no parcel has no score: for the ranking it comes last, so a damaged parcel that was
    not found is a miss, and an intact one no false stop (the bench asks for another picture of both). `without_score`
    says how many there are; the calibration leaves them out.
    """
    judged = [s for s in seen if s.photo.damaged is not None]
    types = sorted({kind for s in judged for kind in s.photo.damage_types})
    sources = sorted({s.photo.source for s in judged})
    intact = [s for s in judged if not s.photo.damaged]
    return {
        **ranking(judged, rounds),
        "without_score": {
            "damaged": sum(s.score is None for s in judged if s.photo.damaged),
            "intact": sum(s.score is None for s in intact),
        },
        "by_damage_type": {
            kind: ranking([*(s for s in judged if kind in s.photo.damage_types), *intact], rounds) for kind in types
        },
        "by_source": {
            source: ranking(mine, rounds) | stopped(mine, rounds)
            for source in sources
            if (mine := [s for s in judged if s.photo.source == source])
        },
        "at_the_card's_thresholds": at_thresholds(judged, rounds),
        "calibration": calibration(judged, rounds),
    }


def ranking(seen: Sequence[Seen], rounds: int) -> dict[str, Any]:
    """AUROC, average precision, and recall at shares of false stops, with intervals by group."""
    scores, damaged, groups = _columns(seen)
    of_damaged, of_intact = (len({s.photo.group for s in seen if s.photo.damaged is state}) for state in (True, False))

    def figure(of: Callable[[Array, Bools], float], independent: int) -> dict[str, Any]:
        whole = bootstrap(lambda i: of(scores[i], damaged[i]), groups, rounds)
        return settled(whole, independent).told()

    return {
        "damaged": int(damaged.sum()),
        "intact": int((~damaged).sum()),
        "groups": len(set(groups)),
        "auroc": figure(auroc, min(of_damaged, of_intact)),
        "average_precision": figure(average_precision, of_damaged),
        "recall_at_false_stops": {
            f"{share:g}": figure(partial(recall_at_false_stops, share=share), of_damaged) for share in FALSE_STOPS
        },
    }


def stopped(seen: Sequence[Seen], rounds: int) -> dict[str, Any]:
    """What share of the damaged and of the intact a person is asked to look at; null where there are none."""
    told = {}
    for name, state in (("damaged_stopped", True), ("intact_stopped", False)):
        mine = [s for s in seen if s.photo.damaged is state]
        told[name] = share_of([s.result in STOPPED for s in mine], [s.photo.group for s in mine], rounds).told()
    return told


def at_thresholds(seen: Sequence[Seen], rounds: int) -> dict[str, Any]:
    """What the check answers at the thresholds of the model's card, damaged and intact apart.

    stopped: fail or unsure, that is, a person looks.  misses_at_most: of damaged groups passed, with 95 % confidence
    (Clopper and Pearson, one-sided; a group counts as missed when one of its pictures is).  retake: what the quality
    gate would have taken again, whatever the check says.
    """
    told: dict[str, Any] = {}
    for name, state in (("damaged", True), ("intact", False)):
        mine = [s for s in seen if s.photo.damaged is state]
        groups = [s.photo.group for s in mine]
        told[name] = {
            "photos": len(mine),
            **{
                word: share_of([s.result in results for s in mine], groups, rounds).told()
                for word, results in {
                    "stopped": STOPPED,
                    "failed": (Result.FAIL,),
                    "unsure": (Result.UNSURE,),
                    "passed": (Result.PASS,),
                    "no_parcel": (Result.SKIPPED,),
                }.items()
            },
            "retake": share_of([bool(s.retake) for s in mine], groups, rounds).told(),
        }
    wrong = {s.photo.group for s in seen if s.photo.damaged and s.result is Result.PASS}
    of = {s.photo.group for s in seen if s.photo.damaged}
    told["damaged"]["misses_at_most"] = {
        "rate": round(upper_bound(len(wrong), len(of)), 3) if of else None,
        "confidence": 0.95,
        "groups": len(of),
        "missed": len(wrong),
    }
    told["unsure"] = share_of([s.result is Result.UNSURE for s in seen], [s.photo.group for s in seen], rounds).told()
    told["retake_reasons"] = dict(Counter(kind for s in seen for kind in s.retake).most_common())
    return told


def calibration(seen: Sequence[Seen], rounds: int) -> dict[str, Any]:
    """Whether of parcels that get 0.8 eight in ten are damaged.

    at_even_odds: damaged and intact weigh the same in all, which is what the card's calibration is made for.
    as_found: every picture weighs the same; the mix of this folder then shifts what is seen. Neither is there with one
    class alone, or with too few pictures for two bins.
    """
    scored = [s for s in seen if s.score is not None]
    p, damaged, groups = _columns(scored)
    told: dict[str, Any] = {"photos": len(scored)}
    if not 0 < damaged.sum() < len(damaged) or len(scored) < FEWEST_SCORED:
        return told
    told["at_even_odds"] = {
        "ece": bootstrap(lambda i: _even(calibration_error, p[i], damaged[i]), groups, rounds).told(),
        "brier": bootstrap(lambda i: _even(brier, p[i], damaged[i]), groups, rounds).told(),
        "reliability": [
            {"said": round(b.said, 3), "was": round(b.was, 3), "photos": b.n}
            for b in reliability(p, damaged, even_odds(damaged))
        ],
    }
    told["as_found"] = {
        "ece": bootstrap(lambda i: calibration_error(p[i], damaged[i]), groups, rounds).told(),
        "brier": bootstrap(lambda i: brier(p[i], damaged[i]), groups, rounds).told(),
    }
    return told


def share_of(events: Sequence[bool], groups: Sequence[str], rounds: int) -> Figure:
    """A share with its interval by group; NaN of nothing."""
    values = np.array(events, np.float64)
    figure = bootstrap(lambda i: float(values[i].mean()) if len(i) else float("nan"), groups, rounds)
    return settled(figure, len(set(groups)))


def _even(of: Any, p: Array, damaged: Bools) -> float:
    if not 0 < damaged.sum() < len(damaged):
        return float("nan")
    return float(of(p, damaged, even_odds(damaged)))


def _columns(seen: Sequence[Seen]) -> tuple[Array, Bools, list[str]]:
    scores = np.array([NO_PARCEL if s.score is None else s.score for s in seen], np.float64)
    return scores, np.array([bool(s.photo.damaged) for s in seen], bool), [s.photo.group for s in seen]
