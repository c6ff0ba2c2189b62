"""The server's own eye: loaded once, shared by all requests, and honest about not being there."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from anyio import CapacityLimiter

from api.errors import Problem
from inspector.shadow import Shadows
from models.registry import Registry, site_folder

if TYPE_CHECKING:
    from api.context import Clock
    from api.settings import Settings
    from inspector.eye import InspectorSettings
    from inspector.frame import Frame
    from inspector.gallery import Gallery
    from inspector.spec import PackingSpec
    from inspector.verdict import ModelRef, Verdict
    from models import Card, Model

log = logging.getLogger(__name__)


class Eye(Protocol):
    """What the API needs of `inspector.Inspector`. Thread-safe."""

    def inspect(self, frames: Sequence[Frame], spec: PackingSpec = ..., weight_g: float | None = ...) -> Verdict:
        """Judge all pictures of one parcel together."""
        ...

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """Which weights speak."""
        ...

    def golden(self) -> None:
        """Judge the golden frames again; raises when a verdict is not what the model's card says."""
        ...


def active_model(settings: Settings) -> Callable[[str], Model[Card]]:
    """The site's model in use, by its name; raises ModelError where it cannot be used."""
    return lambda name: Registry(site_folder(settings.models, settings.data)).active(name)


def load_inspector(settings: Settings, gallery: Gallery) -> Eye:
    """The active models. gallery: the taught items.

    Imported late: the API can keep orders and inspections also where no model is installed.
    """
    from inspector import Inspector  # noqa: PLC0415 - see above

    eye: Eye = Inspector.load(
        _settings(settings, settings.threads),
        active=active_model(settings),
        gallery=gallery,
    )
    return eye


def _settings(settings: Settings, threads: int) -> InspectorSettings:
    from inspector import InspectorSettings  # noqa: PLC0415 - see above

    return InspectorSettings(
        engine=settings.engine, threads=threads, providers=settings.providers, side_view=settings.side_view
    )


def shadows_of(settings: Settings, gallery: Callable[[], Gallery], clock: Clock) -> Shadows:
    """The shadows of the site's models; nothing is loaded, not even looked up, before the first parcel."""

    def load(ref: str) -> Eye:
        from inspector import Inspector  # noqa: PLC0415 - as above

        # one thread: what the shadow computes must not take the processor from the next answer
        eye: Eye = Inspector.load(_settings(settings, 1), active=registry.standing_in(ref), gallery=gallery())
        return eye

    registry = Registry(settings.models or settings.data / "models")
    return Shadows(registry, load, clock)


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
                            "still taken. Check the models on the server: `lastlook models verify` shows the cause.",
                            headers={"Retry-After": "30"},
                        ) from error  # fmt: skip
        return self._eye
