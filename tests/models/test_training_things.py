"""The fit behind `inspector.things`: what separates is found, and scales and offsets of the evidence do not matter."""

from __future__ import annotations

import numpy as np

from models.training.things import fit


def test_the_fit_finds_the_odds_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 3)) * (1, 10, 0.1) + (0, 50, -3)
    odds = 2 * rows[:, 0] - 0.1 * (rows[:, 1] - 50) - 1
    weights, bias = fit(rows, rng.random(len(rows)) < 1 / (1 + np.exp(-odds)))
    assert np.allclose(weights * (1, 10, 0.1), (2, -1, 0), atol=0.1)
    assert np.allclose(rows @ weights + bias, odds, atol=0.3)
