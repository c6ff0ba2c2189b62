"""What is remembered of a taught item so that it is found in a box: worked out once for each reference photo."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

import cv2
import numpy as np

from inspector.detector import Floats
from inspector.embedder import Embedder, Mask, letterbox, unit
from inspector.frame import Pixels
from inspector.scene import COLOURS, Keypoints, colour_bins, keypoints, normalised, smoothed

if TYPE_CHECKING:
    from inspector.gallery import Item, Reference

TOKEN_SIDES = (96, 160)
"""Pixels at which a reference is shown for its cells: small and large in the box."""
TOKENS = 48
KEYPOINT_SIDE = 480
KEYPOINTS = 700
COVERED = 0.6
"""Share of a cell that must lie on the item for the cell to speak for it."""
REMEMBERED = 2000
"""Reference photos kept in memory: about 600 kB each at most."""


@dataclass(frozen=True, slots=True)
class View:
    """One reference photo.

    tokens: float32 (t, dim), length 1: what its parts look like, in four turns. palette: float32 (bins,): its colours.
    keypoints: in the photo's pixels. outline: float32 (4, 2), the corners of the item's box there. size: width and
    height of that box. in_box: see `Reference`.
    """

    tokens: Floats
    palette: Floats
    keypoints: Keypoints
    outline: Floats
    size: tuple[float, float]
    in_box: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """All that is known of an item's look. prototypes: float32 (n, dim), one for each view; against: (m, dim), what is
    not the item though it may look like it.
    """

    item: str
    prototypes: Floats
    against: Floats
    views: tuple[View, ...]

    def only(self, views: Sequence[int]) -> Template:
        """The same item, known by these of its views only."""
        return replace(self, prototypes=self.prototypes[list(views)], views=tuple(self.views[i] for i in views))


class Memory:
    """Views of reference photos, by photo and embedder: the oldest unused go first. Thread-safe."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._views: OrderedDict[tuple[str, str], View] = OrderedDict()
        self._most = most
        self._lock = Lock()

    def template(self, item: Item, embedder: Embedder) -> Template:
        """The item's template, worked out where it is not remembered."""
        counter = np.array([reference.counter for reference in item.references], np.bool_)
        shown = [reference for reference in item.references if not reference.counter]
        views = tuple(self._view(reference, embedder) for reference in shown)
        return Template(item.item, item.embeddings[~counter], item.embeddings[counter], views)

    def _view(self, reference: Reference, embedder: Embedder) -> View:
        key = (reference.id, embedder.version)
        with self._lock:
            if key in self._views:
                self._views.move_to_end(key)
                return self._views[key]
        view = describe(reference.bgr, reference.mask, embedder, in_box=reference.in_box)
        with self._lock:
            self._views[key] = view
            while len(self._views) > self._most:
                self._views.popitem(last=False)
        return view


def describe(bgr: Pixels, mask: Mask, embedder: Embedder, *, in_box: bool = False) -> View:
    """A reference photo uint8 (h, w, 3) with its mask bool (h, w) -> what is remembered of it."""
    inside = mask if mask.any() else np.ones_like(mask)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    left, right, top, bottom = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    bins = np.bincount(colour_bins(bgr)[inside], minlength=COLOURS).astype(np.float32)
    grown = cv2.dilate(inside.astype(np.uint8), np.ones((7, 7), np.uint8))
    return View(
        tokens=_tokens(bgr, inside, embedder),
        palette=smoothed(normalised(bins)),
        keypoints=keypoints(bgr, KEYPOINT_SIDE, KEYPOINTS, np.asarray(grown)),
        outline=np.asarray([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32),
        size=(float(right - left), float(bottom - top)),
        in_box=in_box,
    )


def _tokens(bgr: Pixels, mask: Mask, embedder: Embedder) -> Floats:
    """Cells of the item in four turns and two sizes, and of those that are alike one: float32 (t, dim), length 1."""
    kept = []
    for side in TOKEN_SIDES:
        pixels, inside = letterbox(bgr, mask, side)
        turned = [(np.rot90(pixels, k), np.ascontiguousarray(np.rot90(inside, k))) for k in range(4)]
        for cells, share in embedder.cells(turned):
            enough = share >= min(COVERED, float(share.max()))
            kept.append(unit(cells[enough]))
    every = np.concatenate(kept)
    if len(every) <= TOKENS:
        return every
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 8, 0.0)
    start = np.zeros((len(every), 1), np.int32)
    _, _, centres = cv2.kmeans(every, TOKENS, start, criteria, 1, cv2.KMEANS_PP_CENTERS)
    return unit(np.asarray(centres, np.float32))
