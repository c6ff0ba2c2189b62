"""What the scale says of the contents: which items' absence, or presence, explains the weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import exp, log, pi, sqrt

SCALE_SD_G = 1.0
"""Spread of the scale and of what it cannot know (tape, paper), where nothing else is told."""
UNKNOWN_SD = 0.02
"""Spread of a piece's weight as a share of it, where it was taught without."""
TOLERANCE = 3.0
"""Standard deviations from which on a weight does not fit."""
MOST_ABSENT = 3
MOST_HYPOTHESES = 4000
STRANGE = 0.01
"""Prior probability that something is in the box that nobody expects, or that the tare is wrong."""
STRANGE_RANGE_G = 1000.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the packing list on the scale. weight_g, sd_g: of one piece. odds: for each expected piece, the log
    odds by the picture that it is there, surest first.
    """

    item: str
    weight_g: float
    sd_g: float
    odds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What weight and picture say together.

    expected_g, tolerance_g: of the complete contents. present: by item, each expected piece's probability to be there,
    by weight and picture, surest first. explains: the likeliest absent pieces, (item, count), empty when the complete
    contents are likeliest. fits: the weight is that of the complete contents. explained: it is that of some
    hypothesis that was weighed.
    """

    expected_g: float
    tolerance_g: float
    present: Mapping[str, tuple[float, ...]]
    explains: tuple[tuple[str, int], ...]
    fits: bool
    explained: bool


def weigh(lines: Sequence[Line], weight_g: float, scale_sd_g: float = SCALE_SD_G) -> Weighed:
    """Bayes: each way in which up to three pieces may be absent has a prior by the picture, a likelihood by the scale.

    That something strange is in the box is a hypothesis too: its weight may be anything up to a kilogram either way, so
    it leaves the picture's word as it is. Weights are net: of what lies in the tared box.
    """
    expected = sum(line.weight_g * len(line.odds) for line in lines)
    spread = _spread(lines, (), scale_sd_g)
    scores: list[float] = []
    ways: list[tuple[int, ...]] = []
    for absent in _ways(lines):
        lighter = sum(lines[i].weight_g for i in absent)
        scores.append(
            _prior(lines, absent) + _normal(weight_g - expected + lighter, _spread(lines, absent, scale_sd_g))
        )
        ways.append(absent)
    strange = log(STRANGE) - log(2 * STRANGE_RANGE_G)
    top = max(*scores, strange)
    shares = [exp(score - top) for score in scores]
    unknown = exp(strange - top)
    total = sum(shares) + unknown
    present = {}
    for i, line in enumerate(lines):
        pieces = []
        for piece, odds in enumerate(line.odds):
            # the least sure pieces are the absent ones, so this piece is there when fewer than the rest are absent
            there = sum(s for s, way in zip(shares, ways, strict=True) if way.count(i) < len(line.odds) - piece)
            pieces.append((there + unknown * _sigmoid(odds)) / total)
        present[line.item] = tuple(pieces)
    best = max(range(len(ways)), key=scores.__getitem__)
    tolerance = TOLERANCE * spread
    return Weighed(
        expected_g=expected,
        tolerance_g=tolerance,
        present=present,
        explains=tuple((lines[i].item, ways[best].count(i)) for i in sorted(set(ways[best]))),
        fits=abs(weight_g - expected) <= tolerance,
        explained=abs(weight_g - expected + sum(lines[i].weight_g for i in ways[best])) <= tolerance,
    )


def _ways(lines: Sequence[Line]) -> Iterator[tuple[int, ...]]:
    """Nothing absent, then every multiset of one, two, three absent pieces, as long as there are not too many."""
    yield ()
    count = 1
    for size in range(1, MOST_ABSENT + 1):
        n = len(lines)
        grown = 1
        for k in range(size):
            grown = grown * (n + k) // (k + 1)
        count += grown
        if size > 1 and count > MOST_HYPOTHESES:
            return
        for way in combinations_with_replacement(range(n), size):
            if all(way.count(i) <= len(lines[i].odds) for i in set(way)):
                yield way


def _prior(lines: Sequence[Line], absent: tuple[int, ...]) -> float:
    """Log probability by the picture that exactly these pieces are absent, the least sure of each line first."""
    score = 0.0
    for i, line in enumerate(lines):
        there = len(line.odds) - absent.count(i)
        score += sum(_log_sigmoid(odds if piece < there else -odds) for piece, odds in enumerate(line.odds))
    return score


def _spread(lines: Sequence[Line], absent: tuple[int, ...], scale_sd_g: float) -> float:
    variance = sum(line.sd_g**2 * len(line.odds) for line in lines) - sum(lines[i].sd_g ** 2 for i in absent)
    return sqrt(variance + scale_sd_g**2)


def _normal(off: float, sd: float) -> float:
    return -0.5 * (off / sd) ** 2 - log(sd * sqrt(2 * pi))


def _sigmoid(x: float) -> float:
    return exp(_log_sigmoid(x))


def _log_sigmoid(x: float) -> float:
    return -log(1 + exp(-x)) if x > -30 else x
