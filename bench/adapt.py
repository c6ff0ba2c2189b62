"""What a bench's own photos are worth: adapt on a part of a folder, tested on the other photos, over random splits.

    python -m bench.adapt --data DIR [--model parcel/VERSION] [--splits 20] [--json]

DIR: as `lastlook adapt --data` takes it. Whole groups are dealt into two halves, those with damage and the others
apart, and each half is taught once and tested once: two splits a deal, so that all photos are tested equally often. For
the learning curve only so many photos of the taught half are taught, in proportion; the same other half is tested.
Everything that is chosen (strength, calibration, thresholds, whether to refuse) is chosen inside the taught part, by
the code of the command. Where the command would refuse, the base stays in use, and that counts. Photos are looked at
once and their features kept (--cache), so that a second run is quick.
Intervals of a mean over splits: its 2.5 and 97.5 percentiles when groups are drawn with replacement (200 draws), each
with what was said of it in the splits in which it was tested. The spread over splits would say less: they share photos.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models import ParcelCard, of_kind
from models.adaptation.adapting import Rival, adapt
from models.adaptation.features import Lessons, Shelf, lessons
from models.adaptation.logistic import Array, Bools, sigmoid
from models.adaptation.teaching import rival
from models.evaluation.labelled import read_labelled
from models.evaluation.metrics import auroc, recall_at_false_stops
from models.evaluation.promise import Asked, Costs
from models.registry import Registry, site_in

SIZES = (10, 20, 40)


STATISTICS = {"auroc": auroc, "recall_at_5_percent_false_stops": recall_at_false_stops}
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """One split. rows: those tested.  base, own: their logits by the base's head and by the one that was taught.

    refused: the command would not have registered it.  strength: of the draw to the base.  stopped, passed: of the
    tested, at the thresholds chosen on the taught part.
    """

    rows: Rows
    base: Array
    own: Array
    refused: bool
    strength: float | None
    stopped: Bools
    passed: Bools

    def scores(self, who: str) -> Array:
        """`base`, `taught` (whatever it is worth), or `adapted`: what the bench has then, the base where refused."""
        return self.base if who == "base" or (who == "adapted" and self.refused) else self.own


def deal(learnt: Lessons, seed: int) -> Bools:
    """Which rows are taught: half of the groups with damage, half of the others; seeds 2k and 2k + 1 are one deal."""
    rng = np.random.default_rng(seed // 2)
    names = np.asarray(learnt.groups)
    with_damage = sorted(set(names[learnt.damaged].tolist()))
    without = sorted(set(names.tolist()) - set(with_damage))
    taught = {n for part in (with_damage, without) for n in rng.permutation(part)[: round(len(part) / 2)].tolist()}
    return np.array([(name in taught) is (seed % 2 == 0) for name in names.tolist()], bool)


def some(learnt: Lessons, taught: Bools, count: int, seed: int) -> Bools:
    """`count` of those rows, damaged and intact in the proportion in which they are there, three of each at least."""
    rng = np.random.default_rng([seed, count])
    damaged = min(max(3, round(count * float(learnt.damaged[taught].mean()))), count - 3)
    out = np.zeros(len(taught), bool)
    for state, n in ((True, damaged), (False, count - damaged)):
        out[rng.permutation(np.flatnonzero(taught & (learnt.damaged == state)))[:n]] = True
    return out


def taught_on(learnt: Lessons, base: Rival, taught: Bools, tested: Bools) -> Split:
    """Teach some rows and judge others."""
    fair = replace(base, fair=np.ones(int(taught.sum()), bool))
    told = adapt(learnt.only(taught), fair, costs=Costs(), asked=Asked())
    features = learnt.features[tested]
    own = told.head.logits(features)
    p = sigmoid(told.a * own + told.b)
    return Split(
        rows=np.flatnonzero(tested),
        base=base.head.logits(features),
        own=own,
        refused=told.comparison.worse,
        strength=told.strength,
        stopped=p >= told.thresholds["fail"],
        passed=p < told.thresholds["unsure"],
    )


def summary(learnt: Lessons, splits: Sequence[Split]) -> dict[str, Any]:
    """Means over the splits with intervals, in how many the adapted is no worse, and what its thresholds do."""
    out: dict[str, Any] = {
        "splits": len(splits),
        "refused": sum(s.refused for s in splits),
        "strengths": sorted(str(s.strength) for s in splits),
    }
    for name, statistic in STATISTICS.items():

        def each(who: str, times: npt.NDArray[np.int64] | None = None, of: Any = statistic) -> Array:
            """Of each split; times: how often each row of all was drawn."""
            kept = [
                np.arange(len(s.rows)) if times is None else np.repeat(np.arange(len(s.rows)), times[s.rows])
                for s in splits
            ]
            return np.array(
                [of(s.scores(who)[rows], learnt.damaged[s.rows][rows]) for s, rows in zip(splits, kept, strict=True)]
            )

        drawn = [{who: each(who, times) for who in ("base", "adapted")} for times in draws(learnt.groups)]
        found = {who: each(who) for who in ("base", "adapted", "taught")}
        out[name] = {
            "base": told(found["base"], [d["base"] for d in drawn]),
            "adapted": told(found["adapted"], [d["adapted"] for d in drawn]),
            "gain": told(found["adapted"] - found["base"], [d["adapted"] - d["base"] for d in drawn]),
            "lowest_adapted": round(float(found["adapted"].min()), 4),
            "no_worse": int((found["adapted"] >= found["base"]).sum()),
            "without_refusing": {
                "mean": round(float(found["taught"].mean()), 4),
                "no_worse": int((found["taught"] >= found["base"]).sum()),
            },
        }
    kept = [(s, learnt.damaged[s.rows]) for s in splits if not s.refused]
    out["at_thresholds_of_the_taught_part"] = {
        f"{state}_{what}": round(
            float(np.mean([getattr(s, what)[d == (state == "damaged")].mean() for s, d in kept])), 3
        )
        for state in ("damaged", "intact")
        for what in ("stopped", "passed")
        if kept
    }
    return out


def draws(groups: Sequence[str], count: int = 200) -> list[npt.NDArray[np.int64]]:
    """How often each row counts when groups are drawn with replacement."""
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    rng, n = np.random.default_rng(0), int(place.max()) + 1
    return [np.bincount(rng.integers(0, n, n), minlength=n)[place] for _ in range(count)]


def told(values: Array, drawn: Sequence[Array]) -> dict[str, float]:
    """Mean over splits and its 95 % interval over draws of groups."""
    low, high = np.nanpercentile([np.nanmean(d) for d in drawn], [2.5, 97.5])
    return {"mean": round(float(values.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def measure(learnt: Lessons, base: Rival, splits: int) -> dict[str, Any]:
    """The half, the learning curve, and intact photos only."""
    halves = [deal(learnt, seed) for seed in range(splits)]
    ways = {
        "half": halves,
        **{f"{n} photos": [some(learnt, half, n, seed) for seed, half in enumerate(halves)] for n in SIZES},
        "intact only": [half & ~learnt.damaged for half in halves],
    }
    out = {}
    for way, taught in ways.items():
        done = [taught_on(learnt, base, rows, ~half) for rows, half in zip(taught, halves, strict=True)]
        out[way] = {"photos_taught": round(float(np.mean([rows.sum() for rows in taught])), 1), **summary(learnt, done)}
    return out


def as_text(document: dict[str, Any]) -> str:
    """The table."""
    lines = [
        f"{document['model']} on {document['photos']} photos ({document['damaged']} damaged) of {document['groups']} "
        f"groups, {document['splits']} splits, {document['seconds']} s ({document['looked']} photos looked at)"
    ]
    for name in STATISTICS:
        lines += ["", f"{name:34}  base{'':21}adapted{'':18}gain{'':22}no worse  refused"]
        for way, told_of in document["ways"].items():
            of = told_of[name]
            cells = [
                f"{of[k]['mean']:{'+' if k == 'gain' else ''}.3f} ({of[k]['low']:.3f} to {of[k]['high']:.3f})"
                for k in ("base", "adapted", "gain")
            ]
            lines.append(
                f"  {way:12} {told_of['photos_taught']:5.1f} photos{'':7} {cells[0]:25}{cells[1]:25}{cells[2]:26}"
                f"{of['no_worse']:2} of {told_of['splits']}  {told_of['refused']:2}"
            )
    lines += ["", "at the thresholds of the taught part (not refused), share of the tested"]
    for way, told_of in document["ways"].items():
        at = told_of["at_thresholds_of_the_taught_part"]
        lines.append(f"  {way:12} " + "  ".join(f"{k.replace('_', ' ')} {v:.3f}" for k, v in at.items()))
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="parcel", help="parcel/VERSION; the active one unless given")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "lastlook" / "looks")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    started = time.perf_counter()
    model = of_kind(Registry(site_in(os.environ)).get(given.model), ParcelCard)
    shelf = Shelf(given.cache, model)
    learnt = lessons(read_labelled(given.data).photos, shelf)
    for name, reason in learnt.left_out:
        print(f"left out: {name}: {reason}", file=sys.stderr)
    ways = measure(learnt, rival(model, learnt), given.splits)
    document = {
        "model": f"{model.card.name}/{model.card.version}",
        "photos": len(learnt.names),
        "damaged": int(learnt.damaged.sum()),
        "groups": len(set(learnt.groups)),
        "splits": given.splits,
        "looked": shelf.looked,
        "seconds": round(time.perf_counter() - started, 1),
        "ways": ways,
    }
    print(json.dumps(document, indent=2) if given.json else as_text(document))


if __name__ == "__main__":
    main()
