"""Views and their frozen features on disk, so that the trunk runs once per view and not once per epoch."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.format import open_memmap

from models.training.backbone import LEVEL_CHANNELS
from models.training.data import Pixels
from models.training.losses import Target
from models.training.network import POOLED, SIDE, STRIDES, Features, ParcelNet
from models.training.views import View

SHAPES = tuple((c, SIDE // s, SIDE // s) for c, s in zip(LEVEL_CHANNELS, STRIDES, strict=True))
SIZES = tuple(int(np.prod(shape)) for shape in SHAPES)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Views with their features. features: float16 (n, 140800), all three levels; pooled: float32 (n, 2896).

    views: without their canvases, which are in `canvases` uint8 (n, 320, 320, 3).
    """

    views: list[View]
    canvases: npt.NDArray[np.uint8]
    features: npt.NDArray[np.float16]
    pooled: npt.NDArray[np.float32]

    def batch(self, indices: Sequence[int]) -> tuple[Features, list[Target]]:
        """Features float32 of some views, and what is true of them."""
        rows = torch.from_numpy(self.features[np.asarray(indices)]).float()
        levels = [
            part.reshape(-1, *shape).contiguous(memory_format=torch.channels_last)
            for part, shape in zip(torch.split(rows, list(SIZES), 1), SHAPES, strict=True)
        ]
        pooled = torch.from_numpy(self.pooled[np.asarray(indices)])
        return Features(levels[0], levels[1], levels[2], pooled), [target_of(self.views[i]) for i in indices]


def target_of(view: View) -> Target:
    """A view's truth as tensors."""
    return Target(
        boxes=torch.from_numpy(view.boxes),
        classes=torch.from_numpy(view.classes),
        turns=torch.from_numpy(view.turns),
        judged=torch.from_numpy(view.judged),
        damage=None if view.damage is None else torch.from_numpy(view.damage),
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
                levels = torch.cat([seen.p3.flatten(1), seen.p4.flatten(1), seen.p5.flatten(1)], 1)
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
        canvases=np.load(folder / "canvases.npy", mmap_mode="r"),
        features=np.load(folder / "features.npy", mmap_mode="r"),
        pooled=np.load(folder / "pooled.npy", mmap_mode="r"),
    )
