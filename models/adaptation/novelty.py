"""What a bench learns from intact parcels alone: its own level, and what is unusual here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inspector.head import DamageHead, Novelty
from models.adaptation.learning import FOLDS, TooFewError, deal
from models.adaptation.logistic import Array

WEIGHT = 2.0
"""What it says to be twice as far from the bench's intact parcels as these are themselves, in standard deviations of
what the base head says of them. Chosen on renders judged by a head that knew photos only, and on photos with composed
damage judged by one that knew renders only: 1.5 to 3 rank both better than 0 does, 6 ranks the renders worse."""
FEWEST = 10
"""Intact parcels with which a centre and a spread can be told."""


def unusual(base: DamageHead, features: Array) -> DamageHead:
    """The base head with a term for distance from the intact features (n, f) of a bench, n at least 2."""
    centre = features.mean(0)
    variance = features.var(0)
    # With the typical spread mixed in, so that what hardly varies among few photos does not speak loudest.
    spread = np.sqrt((variance + np.median(variance)) / 2) + 1e-12
    novelty = Novelty(centre, spread, 0.0)
    plain = replace(base, novelty=None)
    usual = float(np.sqrt((novelty(features) ** 2).mean())) or 1.0
    return replace(plain, novelty=replace(novelty, weight=WEIGHT * float(plain.logits(features).std()) / usual))


def unusual_out_of_fold(base: DamageHead, features: Array, groups: Sequence[str], rng: np.random.Generator) -> Array:
    """What `unusual` answers to photos of groups that it was not taught with: logits (n,).

    Raises TooFewError with fewer than ten groups.
    """
    if len(set(groups)) < FEWEST:
        raise TooFewError(
            f"photos of {len(set(groups))} intact parcels are too few to tell what is usual here; take {FEWEST} or more"
        )
    fold = deal(groups, np.zeros(len(groups), bool), FOLDS, rng)
    logits = np.zeros(len(groups))
    for held in range(FOLDS):
        logits[fold == held] = unusual(base, features[fold != held]).logits(features[fold == held])
    return logits
