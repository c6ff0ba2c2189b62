"""The server's taught items: one gallery file, opened when first needed, shared by its eye and the API."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from api.database import refuse_network_file_system
from api.errors import Problem
from inspector.gallery import Gallery, GalleryError
from models import Card, Model

log = logging.getLogger(__name__)


def open_gallery(path: Path, threads: int, active: Callable[[str], Model[Card]]) -> Gallery:
    """With the embedder that compares the items. Imported late: the API can do much where no model is installed."""
    from inspector.embedder import Embedder  # noqa: PLC0415 - see above

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_network_file_system(path)
    return Gallery.open(path, Embedder.load(threads=threads, active=active))


class SharedGallery:
    """Opens the gallery once, by the first who needs it. Thread-safe."""

    def __init__(self, load: Callable[[], Gallery]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._gallery: Gallery | None = None

    def get(self) -> Gallery:
        """The gallery. Raises Problem 503 when it cannot be opened; the next call tries again."""
        with self._lock:
            if self._gallery is None:
                try:
                    self._gallery = self._load()
                except Exception as error:
                    # whatever keeps it from opening (file, schema, disk, model): the API stays up
                    log.exception("the taught items could not be opened")
                    raise Problem(
                        503, "no-gallery", "This server's taught items cannot be used now",
                        f"{error}. Nothing was stored. `lastlook items list` on the server shows the cause.",
                        headers={"Retry-After": "30"},
                    ) from error  # fmt: skip
            return self._gallery

    def close(self) -> None:
        """Give the file free."""
        with self._lock:
            if self._gallery is not None:
                self._gallery.close()
                self._gallery = None


def refused(error: GalleryError, status: int = 422, slug: str = "gallery") -> Problem:
    """A gallery's own words as a problem."""
    text = str(error)
    return Problem(status, slug, "The taught items stay as they are", text[:1].upper() + text[1:] + ".")
