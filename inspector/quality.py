"""The quality gate: is this picture good enough to judge a parcel from?"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from inspector.detector import Floats, Look, crop_around
from inspector.frame import Frame, Pixels
from inspector.verdict import Fault, Parcel
from inspector.view import View

BENDS = tuple(
    np.array(rows, np.float32)
    for rows in (
        [[0, 0, 0], [1, -2, 1], [0, 0, 0]],
        [[0, 1, 0], [0, -2, 0], [0, 1, 0]],
        [[1, 0, 0], [0, -2, 0], [0, 0, 1]],
        [[0, 0, 1], [0, -2, 0], [1, 0, 0]],
    )
)
"""Second derivative along the rows, the columns and both diagonals."""

WHITE = 254
"""A grey level at which the sensor has nothing more to tell, JPEG's rounding allowed for."""
MIDDLE = 200
"""Of a parcel brighter than this (white board) burnt-out parts are no glare."""

FLAT = 4
"""Grey levels: a picture with less contrast shows nothing that could be sharp."""
WHOLE = 640
"""Longest side, in pixels, at which whole pictures are measured; bench/quality.py prints what they reach there."""
UNSEEN = 0.8
"""A picture in which no parcel is found is called blurred below this many times the limit of sharpness: of 118 sharp
renders and licensed photos, measured whole, none lies below 0.04."""

TOO_DARK = "too dark: more light on the parcel"
TOO_BRIGHT = "too bright: less light, or a shorter exposure"
BLURRED = "blurred: hold the parcel still and clean the lens"


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Where a picture stops being good enough; bench/quality.py shows what real photos measure.

    sharpness: see `sharpness`. dark, bright: median grey level of the parcel, 0..255. glare: share of the parcel that
    is burnt out to white while the rest is not bright. cut_sides: a parcel touching this many picture borders is cut
    off. second: another parcel beside it, with at least this share of its area. None switches a limit off.
    """

    sharpness: float | None = 0.05
    dark: float | None = 18.0
    bright: float | None = 250.0
    glare: float | None = 0.40
    cut_sides: int | None = 3
    second: float | None = 0.25


@dataclass(frozen=True, slots=True)
class Quality:
    """What the gate measures on the parcel: see `QualityLimits` for the units."""

    sharpness: float
    level: float
    glare: float
    sides: int


def quality(view: View, doubtful_below: float, limits: QualityLimits) -> list[Fault]:
    """What speaks against judging from this picture; empty when nothing does.

    doubtful_below: the score from which a parcel is surely one.
    """
    index = view.index
    if view.main is None or view.main.score < doubtful_below:
        return _why_unseen(view, limits)
    seen = measure(view)
    faults = []
    if limits.dark is not None and seen.level < limits.dark:
        faults.append(Fault("too_dark", TOO_DARK, index))
    elif limits.bright is not None and seen.level > limits.bright:
        faults.append(Fault("too_bright", TOO_BRIGHT, index))
    elif limits.glare is not None and seen.level < MIDDLE and seen.glare > limits.glare:
        faults.append(Fault("glare", "glare on the parcel: turn it or move the lamp", index))
    elif limits.sharpness is not None and seen.sharpness < limits.sharpness:
        faults.append(Fault("blurred", BLURRED, index))
    if limits.cut_sides is not None and seen.sides >= limits.cut_sides:
        faults.append(Fault("cut_off", "the parcel is cut off: move it into the picture", index))
    if limits.second is not None and any(_beside(p, view.main) >= limits.second for p in view.parcels):
        faults.append(Fault("several_parcels", "two parcels in the picture: take the other one away", index))
    return faults


def frame_quality(frame: Frame, index: int, limits: QualityLimits, strictness: float = 1.0) -> list[Fault]:
    """What speaks against judging from a picture as a whole, as that of an open box; empty when nothing does.

    Benches are dark or white on purpose: too dark is what has no light parts, too bright what has hardly anything else.
    strictness: times the limit of sharpness.
    """
    grey = _small_grey(frame.bgr)
    levels = _histogram(grey)
    if limits.dark is not None and _quantile(levels, 0.9) < limits.dark:
        return [Fault("too_dark", TOO_DARK, index)]
    if limits.bright is not None and _quantile(levels, 0.1) > limits.bright:
        return [Fault("too_bright", TOO_BRIGHT, index)]
    if limits.sharpness is not None and sharpness(grey) < strictness * limits.sharpness:
        return [Fault("blurred", BLURRED, index)]
    return []


def _why_unseen(view: View, limits: QualityLimits) -> list[Fault]:
    """A parcel is not found, or doubtfully: told is what kept it from being seen, if anything did."""
    faults = frame_quality(view.frame, view.index, limits, UNSEEN) if np.ptp(view.frame.bgr) >= FLAT else []
    return faults or [Fault("no_parcel", "no parcel to be seen: lay it in the middle of the picture", view.index)]


def measure(view: View) -> Quality:
    """Sharpness over the parcel and a little around it, light on its middle alone: the corners of its box are bench.

    Raises ValueError for a view without a parcel.
    """
    if view.main is None or view.close is None:
        raise ValueError("a view without a parcel has nothing to measure")
    x, y, w, h = view.main.box
    middle, _, _ = crop_around(view.frame.bgr, (x + 0.2 * w, y + 0.2 * h, 0.6 * w, 0.6 * h), 0.0)
    grey = cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY)
    around = np.asarray(cv2.cvtColor(_without_padding(view.close), cv2.COLOR_BGR2GRAY), np.uint8)
    levels = _histogram(np.asarray(grey, np.uint8))
    glare = float(levels[WHITE:].sum() / levels.sum())
    return Quality(sharpness(around), float(_quantile(levels, 0.5)), glare, _sides_touched(view))


def sharpness(grey: Pixels) -> float:
    """How steep edges are in the direction where they are flattest, against the whole contrast; 0 to about 1.

    grey: uint8 (h, w). The 99.8th percentile of the second derivative along each of four directions, the least of
    them, over the spread of grey levels. Unlike the plain variance of the Laplacian it does not call an unprinted
    carton blurred only because it has few edges, and it sees motion blur, which leaves edges along the motion sharp.
    """
    levels = _histogram(grey)
    spread = _quantile(levels, 0.995) - _quantile(levels, 0.005)
    if spread < FLAT:
        return 0.0
    bends = (np.abs(cv2.filter2D(grey, cv2.CV_16S, kernel)).astype(np.uint16) for kernel in BENDS)
    return min(_quantile(_histogram(bend), 0.998) for bend in bends) / (2 * spread)


def whole_sharpness(frame: Frame) -> float:
    """`sharpness` of a whole picture, at the size at which whole pictures are measured."""
    return sharpness(_small_grey(frame.bgr))


def _small_grey(bgr: Pixels) -> Pixels:
    scale = WHOLE / max(bgr.shape[:2])
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else bgr
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def _histogram(values: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> Floats:
    """How often each value 0..511 occurs: one pass, where sorting for quantiles cost more than the checks together."""
    return np.asarray(cv2.calcHist([values], [0], None, [512], [0, 512]), np.float32).ravel()


def _quantile(histogram: Floats, share: float) -> int:
    """The least value that is not exceeded by `share` of all."""
    cumulated = np.cumsum(histogram, dtype=np.float64)
    return int(np.searchsorted(cumulated, share * cumulated[-1]))


def _beside(other: Parcel, main: Parcel) -> float:
    """The other parcel's area as a share of the main one's; 0 for a second box on one and the same parcel."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = other.box, main.box
    shared = max(0.0, min(ax + aw, bx + bw) - max(ax, bx)) * max(0.0, min(ay + ah, by + bh) - max(ay, by))
    return aw * ah / (bw * bh) if shared < 0.3 * min(aw * ah, bw * bh) else 0.0


def _without_padding(look: Look) -> Pixels:
    """The close look's canvas without its grey bars: what the network judged, at the resolution it judged it."""
    dx, dy, side = int(look.placement.dx), int(look.placement.dy), look.canvas.shape[0]
    return look.canvas[dy : side - dy, dx : side - dx]


def _sides_touched(view: View) -> int:
    if view.main is None:
        return 0
    (x, y, w, h), (width, height) = view.main.box, view.frame.size
    near = 0.005 * max(width, height)
    return sum((x <= near, y <= near, x + w >= width - near, y + h >= height - near))
