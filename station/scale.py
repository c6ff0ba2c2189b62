"""What the bench's scale says: the newest weight of the open, filled box, from a scale's program or typed in."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

HEAVIEST_G = 100_000.0
"""What one person lifts, many times over: more is a slip of the keys."""
LIGHTEST_G = 2.0
"""Less is a scale with nothing on it: the box was lifted off to be looked at."""
FRESH = timedelta(minutes=2)
"""An older weight says nothing of what lies in the box now."""


class WeightError(ValueError):
    """That is no weight of a box. str() says why."""


class Scale:
    """Holds one weight until it is cleared or too old: what was weighed long ago, before the order was scanned or
    before the box was last looked at may be of another content. Thread-safe.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._weighed: tuple[float, datetime] | None = None

    def put(self, weight_g: float) -> None:
        """The box weighs this, net, in grams. Raises WeightError."""
        if not math.isfinite(weight_g) or not LIGHTEST_G <= weight_g <= HEAVIEST_G:
            raise WeightError(f"{weight_g:g} g is no weight of a box; give {LIGHTEST_G:g} to {HEAVIEST_G:,.0f} g.")
        with self._lock:
            self._weighed = weight_g, self._clock()

    def clear(self) -> None:
        """Another box comes, or another content."""
        with self._lock:
            self._weighed = None

    @property
    def weight_g(self) -> float | None:
        """What would be used now; None where nothing was weighed lately."""
        with self._lock:
            if self._weighed is None or self._clock() - self._weighed[1] > FRESH:
                return None
            return self._weighed[0]
