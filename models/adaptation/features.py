"""What the network says of each photo, kept on disk by picture and network, so that it looks only once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inspector import FrameError, Inspector, decode
from models import Model, ParcelCard
from models.evaluation.labelled import Labelled, LabelsError

WAY_OF_LOOKING = "1"
"""Changes when inspector/ looks at the same picture in another way, so that no old features are taken for new ones."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Photos that can be learnt from, row by row.

    features: float64 (n, f), the close look's.  damaged: bool (n,).  groups, names, pictures: (n,), pictures being
    sha256 of the files.  left_out: names of those that cannot, with the reason.
    """

    features: npt.NDArray[np.float64]
    damaged: npt.NDArray[np.bool_]
    groups: tuple[str, ...]
    names: tuple[str, ...]
    pictures: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    def only(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Lessons:
        """Some of them; nothing is left out."""
        kept = np.arange(len(self.names))[rows].tolist()
        return Lessons(
            self.features[kept],
            self.damaged[kept],
            tuple(self.groups[i] for i in kept),
            tuple(self.names[i] for i in kept),
            tuple(self.pictures[i] for i in kept),
        )


@dataclass(slots=True)
class Shelf:
    """Features on disk, one small file a picture, written whole or not at all: an interrupted run goes on where it was.

    folder: may hold those of any number of networks.  looked, recalled: how many pictures the network had to look at,
    and how many it had looked at before.
    """

    folder: Path
    model: Model[ParcelCard]
    looked: int = 0
    recalled: int = 0
    _eye: Inspector | None = field(default=None, repr=False)

    def features(self, data: bytes, name: str) -> npt.NDArray[np.float32]:
        """Of a picture file: float32 (f,), or (0,) when no parcel is found. Raises FrameError when it is no picture."""
        path = self._place / f"{hashlib.sha256(data).hexdigest()}.npy"
        try:
            with path.open("rb") as file:
                found = np.asarray(np.load(file, allow_pickle=False), np.float32)
            self.recalled += 1
            return found  # noqa: TRY300
        except FileNotFoundError:
            pass
        except (OSError, ValueError, EOFError):
            path.unlink(missing_ok=True)  # not ours, or of a disk that lost its power: look again
        if self._eye is None:
            self._eye = Inspector.open(self.model)
        close = self._eye.look(decode(data, name=name)).close
        self.looked += 1
        found = np.zeros(0, np.float32) if close is None else np.asarray(close.features, np.float32)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        with beside.open("wb") as file:
            np.save(file, found, allow_pickle=False)
        beside.replace(path)
        return found

    @property
    def _place(self) -> Path:
        """One folder for each network and way of looking; a head of one's own changes neither."""
        card = self.model.card
        networks = [card.files["model.onnx"], *([card.files[card.close.file]] if card.close else [])]
        way = " ".join([WAY_OF_LOOKING, *networks, str(card.crop_margin), str(card.thresholds.parcel.doubtful)])
        return self.folder / hashlib.sha256(way.encode()).hexdigest()[:16]


def lessons(photos: Sequence[Labelled], shelf: Shelf, progress: Callable[[int, int], None] | None = None) -> Lessons:
    """Look at all photos whose state is known. progress: told after each (how many are done, of how many).

    What cannot be used is left out, each with its reason; the others count. The same file twice counts once.
    Raises LabelsError when one picture is called intact in one place and damaged in another.
    """
    known = [photo for photo in photos if photo.damaged is not None]
    left_out = [(photo.name, "nobody can say whether it is damaged") for photo in photos if photo.damaged is None]
    rows: dict[str, tuple[npt.NDArray[np.float32], Labelled]] = {}
    for done, photo in enumerate(known, 1):
        try:
            data = photo.path.read_bytes()
            found = shelf.features(data, photo.name)
        except FrameError as error:
            left_out.append((photo.name, error.reason))
        except OSError as error:
            left_out.append((photo.name, str(error.strerror)))
        else:
            picture = hashlib.sha256(data).hexdigest()
            if picture in rows:
                _agree(photo, rows[picture][1])
                left_out.append((photo.name, f"the same picture as {rows[picture][1].name}"))
            elif len(found):
                rows[picture] = (found, photo)
            else:
                left_out.append((photo.name, "no parcel is found in it"))
        if progress:
            progress(done, len(known))
    told = [photo for _, photo in rows.values()]
    return Lessons(
        np.stack([found for found, _ in rows.values()]).astype(np.float64) if rows else np.zeros((0, 0)),
        np.array([bool(photo.damaged) for photo in told], bool),
        tuple(photo.group for photo in told),
        tuple(photo.name for photo in told),
        tuple(rows),
        tuple(left_out),
    )


def _agree(photo: Labelled, other: Labelled) -> None:
    if photo.damaged is not other.damaged:
        raise LabelsError(
            f"{photo.name} and {other.name} are the same picture, called intact once and damaged once; "
            "take one of them away"
        )
