"""How sure a rate is: exact binomial and conformal bounds, counted over independent groups."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.evaluation.metrics import Array, Figure

Kind = Literal["binomial", "conformal"]


def group_worst(probabilities: Array, groups: npt.ArrayLike, *, highest: bool) -> Array:
    """One probability a group, (g,): its lowest, or its highest.

    Photos of one thing or session are no independent draws, and an exact bound counts independent draws. A group counts
    as wrong when its worst photo is wrong; the chance of that is no less than the chance that a photo of it is wrong,
    so the bound holds for photos too (each group weighing the same), and n is the number of groups: less than the
    photos, never flattering.
    """
    names = np.asarray(groups)
    best = np.maximum if highest else np.minimum
    _, place = np.unique(names, return_inverse=True)
    out = np.full(int(place.max()) + 1 if len(place) else 0, -np.inf if highest else np.inf)
    best.at(out, place, probabilities)
    return out


def allowed(n: int, at_most: float, confidence: float = 0.95, kind: Kind = "binomial") -> int | None:
    """How many of n independent groups may be wrong while the promise holds; None when not even none suffices.

    binomial: the largest k whose upper Clopper-Pearson limit is <= at_most, that is P(Binomial(n, at_most) <= k) <=
    1 - confidence.  conformal: the largest k with (k + 1) / (n + 1) <= at_most (Angelopoulos et al., Conformal Risk
    Control, arXiv:2208.02814, eq. 4 with B = 1).
    """
    if kind == "conformal":
        k = math.floor(at_most * (n + 1) - 1 + 1e-9)
        return k if n and 0 <= k < n else None
    if not n or binomial_tail(0, n, at_most) > 1 - confidence:
        return None
    low, high = 0, n  # the tail at low is small enough, at high it is 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if binomial_tail(middle, n, at_most) <= 1 - confidence else (low, middle)
    return low


def supports(n: int, at_most: float, confidence: float = 0.95, kind: Kind = "binomial") -> str:
    """What n independent groups could promise at best, none of them being wrong, and how many the wish would need."""
    if not n:
        return "no photo of this kind: nothing can be promised"
    if kind == "conformal":
        return f"{n} groups support at most {1 / (n + 1):.1%}; {at_most:.1%} needs {math.ceil(1 / at_most - 1)}"
    best = 1 - (1 - confidence) ** (1 / n)
    sure = 1 - (1 - at_most) ** n
    needed = math.ceil(math.log(1 - confidence) / math.log(1 - at_most))
    return (
        f"{n} groups support at most {best:.1%} with {confidence:.0%} confidence, or at most {at_most:.1%} with "
        f"{sure:.0%} confidence; {at_most:.1%} with {confidence:.0%} confidence needs {needed} groups"
    )


def upper_bound(wrong: int, n: int, confidence: float = 0.95) -> float:
    """Upper Clopper-Pearson limit of a rate: the p at which P(Binomial(n, p) <= wrong) = 1 - confidence.

    Clopper and Pearson 1934, one-sided. It holds for a threshold that was fixed before these photos were seen.
    """
    if not 0 <= wrong <= n:
        raise ValueError(f"{wrong} of {n} cannot be wrong")
    if wrong == n:
        return 1.0
    low, high = wrong / n, 1.0
    for _ in range(60):  # halves the interval down to the last bit of a double
        middle = (low + high) / 2
        low, high = (middle, high) if binomial_tail(wrong, n, middle) > 1 - confidence else (low, middle)
    return high


def lower_bound(right: int, n: int, confidence: float = 0.95) -> float:
    """Lower Clopper-Pearson limit of a rate, one-sided."""
    return 1 - upper_bound(n - right, n, confidence)


def binomial_tail(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) <= k), summed in logarithms: exact to about 1e-12 for n up to millions."""
    if k >= n or p <= 0:
        return 1.0
    if k < 0 or p >= 1:
        return 0.0
    i = np.arange(k + 1)
    steps = np.log(n - i[1:] + 1.0) - np.log(i[1:])
    terms = np.concatenate([[0.0], np.cumsum(steps)]) + i * math.log(p) + (n - i) * math.log1p(-p)
    top = float(terms.max())
    return min(1.0, math.exp(top) * float(np.exp(terms - top).sum()))


def dkw_margin(n: int, confidence: float = 0.95) -> float:
    """What to add to a share of n so that it bounds the true one at all thresholds at once, one-sided.

    sqrt(ln(1 / (1 - confidence)) / (2 n)): Dvoretzky, Kiefer and Wolfowitz 1956 with Massart's constant (1990), for a
    confidence of at least one half.
    """
    return math.sqrt(math.log(1 / (1 - confidence)) / (2 * n)) if n else 1.0


def settled(figure: Figure, groups: int) -> Figure:
    """The figure with an interval that says something where the bootstrap cannot.

    Where all that was seen is right (or wrong), every draw says the same, and the interval would be a point: 0 of 3 is
    not surely 0. The exact two-sided 95 % interval of that many groups (Clopper and Pearson 1934) takes its place.
    Anything else that one group shows tells nothing of others: no interval.
    groups: those the figure's events come from, of the scarcer class where it ranks two.
    """
    if figure.value in (0.0, 1.0) and figure.low == figure.high and groups:
        edge = upper_bound(0, groups, 0.975)
        low, high = (0.0, edge) if figure.value == 0 else (1 - edge, 1.0)
        return Figure(figure.value, low, high, figure.n)
    return figure if groups > 1 else Figure(figure.value, math.nan, math.nan, figure.n)
