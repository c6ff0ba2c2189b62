"""Pictures as evidence: kept by their content's SHA-256, durable before anybody is told that they are kept."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from api.errors import Problem
from api.settings import Settings

log = logging.getLogger(__name__)


class Evidence:
    """A store of pictures. The key is the content's own name, so storing twice is storing once. Thread-safe."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def of(cls, settings: Settings) -> Evidence:
        """A folder in the data folder, or wherever `evidence_url` says."""
        if settings.evidence_url is not None:
            return cls(from_url(settings.evidence_url))
        folder = settings.data.resolve() / "pictures"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for byte in range(256):  # made here once, so that keeping a picture need not make folders durable
            (folder / f"{byte:02x}").mkdir(exist_ok=True)
        _sync(folder)
        return cls(LocalStore(prefix=folder), folder)

    def keep(self, picture: bytes, suffix: str) -> str:
        """Store a picture and return its key. When this returns, a power cut cannot lose it.

        Raises a 503 Problem when the store does not take it (disk full, bucket away).
        """
        digest = hashlib.sha256(picture).hexdigest()
        key = f"{digest[:2]}/{digest}{suffix}"
        try:
            obstore.put(self._store, key, picture)  # a new file beside it, then renamed: never half a picture
            if self._folder is not None:
                _sync(self._folder / key)
                _sync((self._folder / key).parent)
        except (OSError, BaseError) as error:
            raise _away("Nothing of this inspection was stored. Send it again") from error
        return key

    def fetch(self, key: str) -> bytes | None:
        """A picture's bytes; None when the store has lost it. Raises a 503 Problem when the store does not answer."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (FileNotFoundError, NotFoundError):
            return None
        except (OSError, BaseError) as error:
            raise _away("The picture was not read. Ask again") from error


def _away(kept: str) -> Problem:
    log.exception("the evidence store failed")
    return Problem(
        503, "no-evidence-store", "The evidence store does not answer",
        f"{kept} when the server's evidence store has room and answers; the server's log names the cause.",
        headers={"Retry-After": "30"},
    )  # fmt: skip


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
