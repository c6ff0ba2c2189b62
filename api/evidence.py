"""Pictures as evidence: kept by their content's SHA-256, durable before anybody is told that they are kept."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from api.settings import Settings


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
        """Store a picture and return its key. When this returns, a power cut cannot lose it."""
        digest = hashlib.sha256(picture).hexdigest()
        key = f"{digest[:2]}/{digest}{suffix}"
        obstore.put(self._store, key, picture)  # a new file beside it, then renamed: never half a picture
        if self._folder is not None:
            path = self._folder / key
            _sync(path)
            _sync(path.parent)
        return key

    def fetch(self, key: str) -> bytes | None:
        """A picture's bytes; None when the store has lost it."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            return None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
