"""From a network's raw score to a probability that can be compared with a cost."""

from __future__ import annotations

import math


def platt(logit: float, a: float, b: float) -> float:
    """Probability in [0, 1] = sigmoid(a * logit + b) (Platt, Probabilistic Outputs for SVMs, 1999)."""
    z = a * logit + b
    if z >= 0:
        return 1.0 / (1.0 + math.exp(-z))
    e = math.exp(z)
    return e / (1.0 + e)
