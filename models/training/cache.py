"""Views and their features of the early, frozen blocks on disk, which then run once per view, not once per epoch."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.format import open_memmap

from models.training.backbone import LEVEL_CHANNELS
from models.training.data import Pixels
from models.training.losses import Target
from models.training.network import FIRST_MARK, POOLED, SIDE, STRIDES, ParcelNet
from models.training.views import View

SHAPES = tuple((c, SIDE // s, SIDE // s) for c, s in zip(LEVEL_CHANNELS[:2], STRIDES[:2], strict=True))
SIZES = tuple(int(np.prod(shape)) for shape in SHAPES)


class Rows:
    """Several arrays on disk read as one, row by row."""

    def __init__(self, *parts: npt.NDArray[Any]) -> None:
        self.parts = parts
        self._ends = np.cumsum([len(part) for part in parts])

    def __getitem__(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """The rows (n,) in the order asked for."""
        out = np.empty((len(indices), *self.parts[0].shape[1:]), self.parts[0].dtype)
        which = np.searchsorted(self._ends, indices, side="right")
        for number, part in enumerate(self.parts):
            mine = np.flatnonzero(which == number)
            out[mine] = part[indices[mine] - (self._ends[number] - len(part))]
        return out


@dataclass(frozen=True, slots=True)
class Shelf:
    """Views with their features. features: float16 (n, 108800), the two early levels.

    pooled: float32 (n, 2896), as the late blocks with ImageNet's weights have it.

    views: without their canvases, which are in `canvases` uint8 (n, 320, 320, 3).
    """

    views: list[View]
    canvases: Rows
    features: Rows
    pooled: Rows

    def batch(self, indices: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor, list[Target]]:
        """The two early levels float32 of some views, and what is true of them."""
        rows = torch.from_numpy(self.features[np.asarray(indices)]).float()
        levels = [
            part.reshape(-1, *shape).contiguous(memory_format=torch.channels_last)
            for part, shape in zip(torch.split(rows, list(SIZES), 1), SHAPES, strict=True)
        ]
        return levels[0], levels[1], [target_of(self.views[i]) for i in indices]


def joined(*shelves: Shelf) -> Shelf:
    """Several shelves as one; the indices of the first stay."""
    return Shelf(
        [view for shelf in shelves for view in shelf.views],
        Rows(*(part for shelf in shelves for part in shelf.canvases.parts)),
        Rows(*(part for shelf in shelves for part in shelf.features.parts)),
        Rows(*(part for shelf in shelves for part in shelf.pooled.parts)),
    )


def without_marks(shelf: Shelf) -> Shelf:
    """The shelf, asked for parcels and labels only: no marks, no damage."""
    views = []
    for view in shelf.views:
        kept = view.classes < FIRST_MARK
        judged = view.judged.copy()
        judged[FIRST_MARK:] = False
        asked = replace(view, judged=judged, damage=None, damaged=None, boxes=view.boxes[kept])
        views.append(replace(asked, classes=view.classes[kept], turns=view.turns[kept]))
    return replace(shelf, views=views)


def target_of(view: View) -> Target:
    """A view's truth as tensors."""
    return Target(
        boxes=torch.from_numpy(view.boxes),
        classes=torch.from_numpy(view.classes),
        turns=torch.from_numpy(view.turns),
        judged=torch.from_numpy(view.judged),
        damage=None if view.damage is None else torch.from_numpy(view.damage),
        damaged=view.damaged if view.look == "parcel" else None,
    )


def as_input(canvases: Sequence[Pixels] | npt.NDArray[np.uint8]) -> torch.Tensor:
    """Canvases BGR uint8 (n, 320, 320, 3) -> float32 (n, 3, 320, 320) RGB in [-1, 1]."""
    rgb = torch.from_numpy(np.ascontiguousarray(np.asarray(canvases)[..., ::-1]))
    return ((rgb.float() - 127.5) / 127.5).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def fill(folder: Path, views: Iterable[View], count: int, net: ParcelNet, batch: int = 16) -> Shelf:
    """Writes views and their features below `folder` and opens them. A folder that is complete is only opened."""
    done = folder / "views.pickle"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        canvases = open_memmap(folder / "canvases.npy", "w+", np.uint8, (count, SIDE, SIDE, 3))
        features = open_memmap(folder / "features.npy", "w+", np.float16, (count, sum(SIZES)))
        pooled = open_memmap(folder / "pooled.npy", "w+", np.float32, (count, POOLED))
        kept: list[View] = []
        net.eval()
        for view in views:
            canvases[len(kept)] = view.canvas
            kept.append(replace(view, canvas=np.zeros((0, 0, 3), np.uint8)))
            if len(kept) % batch == 0 or len(kept) == count:
                start = (len(kept) - 1) // batch * batch
                seen = net.features(as_input(canvases[start : len(kept)]))
                levels = torch.cat([seen.p3.flatten(1), seen.p4.flatten(1)], 1)
                features[start : len(kept)] = levels.numpy()
                pooled[start : len(kept)] = seen.pooled.numpy()
                if len(kept) % (batch * 20) == 0:
                    print(f"  {len(kept)} of {count} views", flush=True)
        if len(kept) != count:
            raise ValueError(f"{count} views were planned and {len(kept)} were made")
        for array in (canvases, features, pooled):
            array.flush()
        done.write_bytes(pickle.dumps(kept))
    return Shelf(
        views=pickle.loads(done.read_bytes()),  # noqa: S301  # our own file, written above
        canvases=Rows(np.load(folder / "canvases.npy", mmap_mode="r")),
        features=Rows(np.load(folder / "features.npy", mmap_mode="r")),
        pooled=Rows(np.load(folder / "pooled.npy", mmap_mode="r")),
    )
