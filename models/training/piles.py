"""Parcels cut out of their pictures and heaped up elsewhere: what few training photos show and a bench often does.

Copy-paste (arXiv:2012.07177), with the truth kept true: a parcel's box is that of what is seen of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from models.training.data import Floats, Mask, Pixels
from models.training.network import CLASSES
from models.training.views import Shot

PARCEL = CLASSES.index("parcel")
SEEN = 0.4
"""A parcel of which less than this share would be left to see is not covered any further."""
SIZES = (0.09, 0.45)
"""Longer side of the first parcel of a pile, against the longer side of the picture."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """A parcel without its surroundings. pixels: BGR uint8 (h, w, 3).  mask: bool (h, w), its own pixels."""

    pixels: Pixels
    mask: Mask


def cutout(pixels: Pixels, outline: Mask) -> Cutout | None:
    """The parcel whose pixels are `outline`, bool like the picture; None where that is next to nothing."""
    if outline.sum() < 400:
        return None
    left, top, right, bottom = _bounds(outline).astype(int)
    window = np.s_[top:bottom, left:right]
    return Cutout(pixels[window], outline[window])


def piled(ground: Shot, parcels: Sequence[Cutout], rng: np.random.Generator) -> Shot:
    """The ground with the parcels on it: stacked, heaped, or each somewhere.

    Labels on them are not asked for, nor damage. One that would hide another parcel almost wholly is left out.
    """
    height, width = ground.pixels.shape[:2]
    pixels = ground.pixels.copy()
    # Which parcel a pixel shows: those of the ground are known by their boxes only.
    shown = np.full((height, width), -1, np.int16)
    whole: list[int] = []
    for x1, y1, x2, y2 in ground.boxes[ground.classes == PARCEL].round().astype(int).tolist():
        place = np.s_[max(y1, 0) : y2, max(x1, 0) : x2]
        shown[place] = len(whole)
        whole.append(shown[place].size)
    manner = str(rng.choice(["stack", "heap", "anywhere"], p=[0.45, 0.3, 0.25]))
    longer = float(np.exp(rng.uniform(*np.log(SIZES)))) * max(height, width)
    before: tuple[float, float, float, float] | None = None
    for parcel in parcels:
        turned = _changed(parcel, longer * float(rng.uniform(0.6, 1.25)), rng)
        size = (turned.mask.shape[1], turned.mask.shape[0])
        left, top = _place(manner, size, before, (width, height), rng)
        after = _laid(shown, turned.mask, left, top, len(whole))
        if _hidden(shown, after, whole):
            continue
        _draw(pixels, turned, left, top, rng)
        shown = after
        whole.append(int(turned.mask.sum()))
        before = (left, top, size[0], size[1])
    boxes = [_bounds(shown == number) for number, area in enumerate(whole) if (shown == number).sum() >= SEEN * area]
    judged = np.zeros_like(ground.judged)
    judged[PARCEL] = ground.judged[PARCEL]
    return replace(
        ground,
        pixels=pixels,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        classes=np.full(len(boxes), PARCEL, np.int64),
        turns=np.full(len(boxes), np.nan, np.float32),
        judged=judged,
        damage=None,
        damaged=None,
    )


def _changed(parcel: Cutout, longer: float, rng: np.random.Generator) -> Cutout:
    """In another size and light, and turned by quarters, mirrored or sheared a little."""
    pixels, mask = parcel.pixels, parcel.mask
    if rng.random() < 0.35:
        times = int(rng.integers(1, 4))
        pixels, mask = np.rot90(pixels, times), np.rot90(mask, times)
    if rng.random() < 0.5:
        pixels, mask = pixels[:, ::-1], mask[:, ::-1]
    scale = max(8.0, longer) / max(mask.shape)
    size = (max(6, round(mask.shape[1] * scale)), max(6, round(mask.shape[0] * scale * float(rng.uniform(0.8, 1.2)))))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=how).astype(np.float32)
    tint = np.exp(rng.normal(0, 0.08, 3)) * float(np.exp(rng.normal(0, 0.25)))
    flat = cv2.resize(np.ascontiguousarray(mask).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR) > 0
    return Cutout(np.clip(small * tint, 0, 255).astype(np.uint8), np.asarray(flat))


def _place(
    manner: str,
    size: tuple[int, int],
    before: tuple[float, float, float, float] | None,
    picture: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[int, int]:
    """Upper left corner of the next parcel: anywhere, or on top of or beside the one before."""
    (w, h), (width, height) = size, picture
    if before is None or manner == "anywhere":
        low = 0.25 * height if manner == "stack" else -0.1 * h
        return int(rng.uniform(-0.1 * w, width - 0.9 * w)), int(rng.uniform(low, max(low + 1, height - 0.9 * h)))
    x, y, bw, bh = before
    if manner == "stack":
        left = x + (bw - w) / 2 + float(rng.normal(0, 0.15)) * bw
        return int(left), int(y - h + float(rng.uniform(0, 0.3)) * h)
    angle = float(rng.uniform(0, 2 * np.pi))
    reach = float(rng.uniform(0.65, 1.05))
    across, down = np.cos(angle) * reach * (bw + w) / 2, np.sin(angle) * reach * (bh + h) / 2
    return int(x + bw / 2 + across - w / 2), int(y + bh / 2 + down - h / 2)


def _laid(shown: npt.NDArray[np.int16], mask: Mask, left: int, top: int, number: int) -> npt.NDArray[np.int16]:
    """Which parcel each pixel shows once another lies on it."""
    out = shown.copy()
    here, part = _windows(shown.shape[:2], mask.shape, left, top)
    out[here][mask[part]] = number
    return out


def _hidden(shown: npt.NDArray[np.int16], after: npt.NDArray[np.int16], whole: Sequence[int]) -> bool:
    """Whether too little of a parcel that could be seen before is left, or next to nothing of the new one."""
    left = np.bincount(after[after >= 0].ravel(), minlength=len(whole) + 1)
    had = np.bincount(shown[shown >= 0].ravel(), minlength=len(whole) + 1)
    lost = any(left[i] < SEEN * area and left[i] < had[i] for i, area in enumerate(whole))
    return lost or int(left[len(whole)]) < 30


def _draw(pixels: Pixels, parcel: Cutout, left: int, top: int, rng: np.random.Generator) -> None:
    """The parcel over the picture, with a soft edge and the shadow that it throws."""
    soft = max(0.5, 0.01 * max(parcel.mask.shape))
    if rng.random() < 0.6:
        reach = max(2, round(0.08 * max(parcel.mask.shape)))
        shade = np.pad(parcel.mask.astype(np.float32), 2 * reach)
        shade = cv2.GaussianBlur(shade, (0, 0), reach / 1.5) * float(rng.uniform(0.2, 0.6))
        aside, below = int(rng.integers(-reach, reach + 1)), int(rng.integers(0, reach + 1))
        here, part = _windows(pixels.shape[:2], shade.shape, left - 2 * reach + aside, top - 2 * reach + below)
        pixels[here] = (pixels[here] * (1 - shade[part][..., None])).astype(np.uint8)
    alpha = cv2.GaussianBlur(parcel.mask.astype(np.float32), (0, 0), soft)
    alpha = np.clip(2 * alpha - 1, 0, 1)[..., None]  # nothing of its old surroundings comes along
    here, part = _windows(pixels.shape[:2], parcel.mask.shape, left, top)
    pixels[here] = (pixels[here] * (1 - alpha[part]) + parcel.pixels[part] * alpha[part]).astype(np.uint8)


def _windows(
    picture: tuple[int, ...], part: tuple[int, ...], left: int, top: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The same pixels in the picture and in a part of it whose corner lies at (left, top); both empty outside."""
    here, there = [], []
    for whole, size, start in ((picture[0], part[0], top), (picture[1], part[1], left)):
        a, b = max(0, start), max(0, min(whole, start + size))
        here.append(slice(min(a, b), b))
        there.append(slice(min(a, b) - start, b - start))
    return (here[0], here[1]), (there[0], there[1])


def _bounds(mask: Mask) -> Floats:
    """The mask's box, xyxy."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
