"""Pictures of the same box joined: seen once is seen, but one thing that two pictures show counts for one item only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log

import numpy as np

from inspector.detector import Floats
from inspector.embedder import Embedder
from inspector.matching import candidates, overlap
from inspector.scene import Scene
from inspector.sightings import FLOOR, SAME_PLACE, Sighting, Wanted, log_odds

TOLD_APART = 0.0
"""Log odds from which on a piece counts as seen: two that one picture shows at two places are both there."""
ALIKE = 2.0
"""Log odds by which a look-alike may be less likely than the claimant at its place and still be what lies there."""
LOOKS_IT = 3.0
"""Log odds (0.95) from which on it may be that in any case, however sure the claimant: odds above say little."""
UNDECIDED = -1.5
"""Log odds that the lesser of two claims keeps: that both are one thing is likely, not sure."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """The surest sighting of one piece over all pictures."""

    row: int
    piece: int
    frame: int
    sighting: Sighting


def joined(
    scenes: Sequence[Scene],
    pictures: Sequence[Sequence[Sequence[Sighting]]],
    wanted: Sequence[Wanted],
    embedder: Embedder,
) -> list[list[float]]:
    """Log odds of each piece of each line, surest first: of the picture that shows it best.

    pictures: of each picture, the sightings of each line, surest first. Within a picture each place was given to one
    line. Where two lines have their best sightings in two pictures, each place may as well show the other one, and no
    picture shows both, they share the thing: of two look-alikes neither is then sure, a clear winner hardly notices.
    """

    @cache
    def found(row: int, frame: int) -> tuple[Floats, Floats]:
        """Where a line's item may be in a picture, whoever claims it, and the log odds of it: (n, 4) and (n,)."""
        want = wanted[row]
        places = candidates(want.template, scenes[frame], embedder.cohort, want.quantity)
        return places.boxes, log_odds(places, embedder.card.contents) + want.shift

    pieces = [max(want.quantity, *(len(p[row]) for p in pictures)) for row, want in enumerate(wanted)]
    odds = [[FLOOR] * count for count in pieces]
    claims = []
    for row, count in enumerate(pieces):
        for piece in range(count):
            shown = [(p[row][piece], frame) for frame, p in enumerate(pictures) if piece < len(p[row])]
            if shown:
                sighting, frame = max(shown, key=lambda one: one[0].odds)
                claims.append(_Claim(row, piece, frame, sighting))
    for claim in claims:
        own = claim.sighting.odds
        rivals = [
            other.sighting.odds
            for other in claims
            if other.row != claim.row
            and other.frame != claim.frame
            and min(own, other.sighting.odds) >= TOLD_APART
            and not _told_apart(claim, other, pictures)
            and _may_be(claim, *found(other.row, claim.frame))
            and _may_be(other, *found(claim.row, other.frame))
        ]
        odds[claim.row][claim.piece] = max(_contested(own, rivals), min(own, UNDECIDED)) if rivals else own
    return [sorted(row, reverse=True) for row in odds]


def _told_apart(one: _Claim, other: _Claim, pictures: Sequence[Sequence[Sequence[Sighting]]]) -> bool:
    """Whether some picture shows both pieces, each at a place of its own."""
    return any(
        all(c.piece < len(p[c.row]) and p[c.row][c.piece].odds >= TOLD_APART for c in (one, other)) for p in pictures
    )


def _may_be(claim: _Claim, boxes: Floats, odds: Floats) -> bool:
    """Whether what lies at the claimed place may as well be the item with these places."""
    there = odds[overlap(boxes, np.asarray(claim.sighting.box, np.float32)) > SAME_PLACE]
    return bool(len(there)) and float(there.max()) >= min(LOOKS_IT, claim.sighting.odds - ALIKE)


def _contested(odds: float, rivals: Sequence[float]) -> float:
    """The log odds of the item's probability times its share among all claims; see `inspector.sightings`."""
    chance = 1 / (1 + sum(exp(min(30.0, rival - odds)) for rival in rivals)) / (1 + exp(-max(-30.0, odds)))
    return max(FLOOR, log(chance / (1 - chance))) if 0 < chance < 1 else odds
