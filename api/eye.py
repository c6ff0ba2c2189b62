"""The server's own eye: loaded once, shared by all requests, and honest about not being there."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from anyio import CapacityLimiter

from api.errors import Problem

if TYPE_CHECKING:
    from inspector.frame import Frame
    from inspector.spec import PackingSpec
    from inspector.verdict import Verdict

log = logging.getLogger(__name__)


class Eye(Protocol):
    """What the API needs of `inspector.Inspector`. Thread-safe."""

    def inspect(self, frames: Sequence[Frame], spec: PackingSpec = ...) -> Verdict:
        """Judge all pictures of one parcel together."""
        ...

    def golden(self) -> None:
        """Judge the golden frames again; raises when a verdict is not what the model's card says."""
        ...


def load_inspector(threads: int, providers: tuple[str, ...]) -> Eye:
    """The packaged model. Imported late: the API can keep orders and inspections also where no model is installed."""
    from inspector import Inspector, InspectorSettings  # noqa: PLC0415 - see above

    eye: Eye = Inspector.load(InspectorSettings(threads=threads, providers=providers))
    return eye


class SharedEye:
    """Loads the eye once, by the first who needs it; who comes meanwhile waits."""

    def __init__(self, load: Callable[[], Eye]) -> None:
        self.limiter = CapacityLimiter(os.cpu_count() or 1)
        """How many parcels are judged at once: more would only take memory (a decoded picture has up to 150 MB) and
        the threads of the other addresses."""
        self._load = load
        self._lock = threading.Lock()
        self._eye: Eye | None = None

    def get(self) -> Eye:
        """The eye. Raises Problem 503 when it cannot be loaded; the next call tries again."""
        if self._eye is None:
            with self._lock:
                if self._eye is None:
                    try:
                        self._eye = self._load()
                    except Exception as error:
                        # whatever keeps a model from loading (file, digest, golden frame, runtime): the API stays up
                        log.exception("the server's eye could not be loaded")
                        raise Problem(
                            503, "no-eye", "This server cannot judge pictures now",
                            f"The model could not be loaded: {error}. Orders and the stations' own inspections are "
                            "still taken. Check the models on the server; `lastlook inspect PICTURE` shows the cause.",
                            headers={"Retry-After": "30"},
                        ) from error  # fmt: skip
        return self._eye
