"""From a bench's photos to a head of its own, and whether it may take the place of the one in use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inspector.calibration import platt as probability
from inspector.head import DamageHead
from models import ParcelCard
from models.adaptation.features import Lessons
from models.adaptation.learning import TooFewError, groups_of_each, learn, out_of_fold
from models.adaptation.logistic import Array, Bools, platt, sigmoid
from models.adaptation.novelty import unusual, unusual_out_of_fold
from models.cards import Comparison
from models.evaluation.metrics import Figure, Rows, auroc, bootstrap, recall_at_false_stops
from models.evaluation.promise import Asked, Costs, choose

LEAST = 3
"""Parcels of each state, at least: one to be tested on while two are learnt from."""
INTACT_FOR_RECALL = 20
"""With fewer intact photos than this, 5 % of them is less than one, and recall there hangs on a single picture."""
STOPPED, LOOKED_AT = 0.05, 0.15
"""With intact photos only: the share of them that may reach `fail`, and the share that may reach `unsure`."""
Statistic = Callable[[Array, Bools], float]
FIGURES: tuple[tuple[str, str, Statistic], ...] = (
    ("auroc", "damaged ranked above intact (AUROC)", auroc),
    ("recall_at_5_percent_false_stops", "damaged caught at 5 % false stops", recall_at_false_stops),
)


@dataclass(frozen=True, slots=True)
class Rival:
    """A model that the candidate has to stand beside. ref: name/version. fair: (n,), photos it has not learnt from."""

    ref: str
    head: DamageHead
    card: ParcelCard
    fair: Bools


@dataclass(frozen=True, slots=True)
class Adapted:
    """What came of it.

    way: "corrected" (damaged and intact photos) or "unusual" (intact only).  a, b: calibration.  thresholds: for the
    card's `thresholds.integrity`.  figures: on held-out photos, by rival's name and "adapted".  comparison: its `worse`
    keeps the head from being used.  strength: of the draw to the base head; None for "unusual".
    """

    way: str
    head: DamageHead
    a: float
    b: float
    thresholds: dict[str, Any]
    figures: dict[str, Any]
    comparison: Comparison
    strength: float | None = None


def adapt(
    lessons: Lessons, base: Rival, others: Sequence[Rival] = (), *, costs: Costs, asked: Asked, seed: int = 0
) -> Adapted:
    """Teach the base's head this bench's photos. others: models the candidate must not do worse than, besides the base.

    Deterministic given its arguments. Raises TooFewError.
    """
    damaged, intact = groups_of_each(lessons.groups, lessons.damaged)
    if not damaged:
        return _from_intact(lessons, base, seed)
    if min(damaged, intact) < LEAST:
        short = " and ".join(
            f"{count} {state} parcel{'s' * (count != 1)}"
            for count, state in ((damaged, "damaged"), (intact, "intact"))
            if count < LEAST
        )
        alone = "" if damaged >= LEAST else ", or no damaged one at all to learn only what is usual here"
        raise TooFewError(
            f"photos of {short} are too few: what is learnt must be tested on parcels that were not learnt from. Take "
            f"photos of {LEAST} at least, better 20, of each{alone}"
        )
    return _corrected(lessons, base, others, costs, asked, seed)


def _corrected(
    lessons: Lessons, base: Rival, others: Sequence[Rival], costs: Costs, asked: Asked, seed: int
) -> Adapted:
    told = base.head.logits(lessons.features)
    args = lessons.features, told, lessons.damaged, lessons.groups
    unseen, _ = out_of_fold(*args, np.random.default_rng([seed, 0]))
    head = learn(*args, np.random.default_rng([seed, 1]))
    if not np.isfinite(head.strength):
        unseen = head(lessons.features, told)  # it ranks as the base does; two numbers of calibration are all it learnt
    a, b = platt(unseen, lessons.damaged)
    points = choose(
        sigmoid(a * unseen + b),
        lessons.damaged,
        lessons.groups,
        costs,
        asked,
        chosen_on=f"{len(told)} photos of this bench, each judged by a head that had not seen its group",
    )
    novelty = base.head.novelty
    own = DamageHead(
        head.scale * base.head.weights + head.weights,
        head.scale * base.head.bias + head.bias,
        novelty and replace(novelty, weight=head.scale * novelty.weight),
    )
    figures: dict[str, Any] = {"adapted": _figures(unseen, lessons)}
    verdicts = [_beside(rival, unseen, lessons, figures) for rival in (base, *others)]
    comparison = Comparison(
        against=(others[-1] if others else base).ref,
        worse=any(worse for worse, _ in verdicts),
        text=" ".join(text for _, text in verdicts),
    )
    figures["at_the_thresholds"] = _at(sigmoid(a * unseen + b), lessons.damaged, points.fail, points.unsure)
    return Adapted("corrected", own, a, b, points.told(), figures, comparison, head.strength)


def _beside(rival: Rival, unseen: Array, lessons: Lessons, figures: dict[str, Any]) -> tuple[bool, str]:
    """(whether the candidate does worse than the rival on the photos that are fair to both, the figures in words)."""
    mine = lessons.only(rival.fair)
    if min(groups_of_each(mine.groups, mine.damaged)) < LEAST:
        return False, (
            f"Beside {rival.ref} it cannot be measured: that has learnt from all but {len(mine.names)} of the photos."
        )
    theirs, ours = rival.head.logits(mine.features), unseen[rival.fair]
    figures[rival.ref] = _figures(theirs, mine)
    worse, said = False, []
    few = int((~mine.damaged).sum()) < INTACT_FOR_RECALL
    for key, words, statistic in FIGURES:
        now, then = statistic(ours, mine.damaged), statistic(theirs, mine.damaged)
        difference = _over_groups(statistic, mine, ours, theirs)
        figures[rival.ref][f"{key}_gained"] = difference.told()
        counts = key == "auroc" or not few
        worse = worse or (counts and now < then)
        said.append(f"{words} {now:.3f} against {then:.3f}{'' if counts else ' (too few intact photos to decide by)'}")
    return worse, f"On {len(mine.names)} photos held out by group, beside {rival.ref}: {'; '.join(said)}."


def _from_intact(lessons: Lessons, base: Rival, seed: int) -> Adapted:
    """The level is set so that the share STOPPED of the held-out photos reaches the base's own `fail` point."""
    head = unusual(base.head, lessons.features)
    unseen = unusual_out_of_fold(base.head, lessons.features, lessons.groups, np.random.default_rng([seed, 2]))
    card = base.card
    fail = min(max(card.thresholds.integrity.fail, 0.01), 0.99)  # a point at 0 or 1 has no logit
    a = card.calibration.a
    b = float(np.log(fail / (1 - fail))) - a * _reached_by(unseen, STOPPED)
    look = probability(_reached_by(unseen, LOOKED_AT), a, b)
    unsure = round(min(look, fail), 4)
    points = {
        "fail": fail,
        "unsure": unsure,
        "chosen_on": f"{len(unseen)} intact photos of this bench, each judged without its group: at most {STOPPED:.0%} "
        f"of them reach fail, {LOOKED_AT:.0%} unsure; no damaged photo was there, so nothing is promised of misses",
    }
    p = sigmoid(a * unseen + b)
    before = sigmoid(card.calibration.a * base.head.logits(lessons.features) + card.calibration.b)
    integrity = card.thresholds.integrity
    figures = {
        "adapted": _at(p, lessons.damaged, fail, unsure),
        base.ref: _at(before, lessons.damaged, integrity.fail, integrity.unsure),
    }
    return Adapted("unusual", head, a, b, points, figures, Comparison(against=base.ref, worse=False, text=""))


def _reached_by(logits: Array, share: float) -> float:
    """The point that at most this share of them reach: half way down from the last that does, or above them all."""
    ranked = np.sort(logits)[::-1]
    count = int(np.floor(share * len(ranked) + 1e-9))
    return float((ranked[count - 1] + ranked[count]) / 2 if count else 1.5 * ranked[0] - 0.5 * ranked[1])


def _figures(logits: Array, lessons: Lessons) -> dict[str, Any]:
    return {key: _over_groups(statistic, lessons, logits).told() for key, _, statistic in FIGURES}


def _over_groups(statistic: Statistic, lessons: Lessons, logits: Array, less: Array | None = None) -> Figure:
    """The statistic with its interval; with `less`, how much more it is of these logits than of those, pair by pair."""

    def of(rows: Rows) -> float:
        damaged = lessons.damaged[rows]
        return statistic(logits[rows], damaged) - (0.0 if less is None else statistic(less[rows], damaged))

    return bootstrap(of, lessons.groups, rounds=1000)


def _at(p: Array, damaged: Bools, fail: float, unsure: float) -> dict[str, dict[str, int]]:
    """How many photos of each state are stopped, looked at by a person, and passed."""
    return {
        state: {
            "photos": int(mine.sum()),
            "fail": int((p[mine] >= fail).sum()),
            "unsure": int(((p[mine] >= unsure) & (p[mine] < fail)).sum()),
            "pass": int((p[mine] < unsure).sum()),
        }
        for state, mine in (("damaged", damaged), ("intact", ~damaged))
        if mine.any()
    }
