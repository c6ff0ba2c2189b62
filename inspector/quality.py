"""The quality gate: is this picture good enough to judge a parcel from?"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from inspector.detector import PAD
from inspector.frame import Pixels
from inspector.verdict import Fault
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


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Where a picture stops being good enough; bench/quality.py shows what real photos measure.

    sharpness: see `sharpness`. dark, bright: median grey level of the parcel, 0..255. glare: share of the parcel that
    is burnt out to white while the rest is not bright. cut_sides: a parcel touching this many picture borders is cut
    off. None switches a limit off.
    """

    sharpness: float | None = 0.045
    dark: float | None = 18.0
    bright: float | None = 250.0
    glare: float | None = 0.30
    cut_sides: int | None = 3


def quality(view: View, doubtful_below: float, limits: QualityLimits) -> list[Fault]:
    """What speaks against judging from this picture; empty when nothing does.

    doubtful_below: the score from which a parcel is surely one.
    """
    index = view.index
    if view.main is None or view.close is None or view.main.score < doubtful_below:
        return [Fault("no_parcel", "no parcel to be seen: lay it in the middle of the picture", index)]
    grey = cv2.cvtColor(_without_padding(view), cv2.COLOR_BGR2GRAY)
    faults = []
    level = float(np.median(grey))
    if limits.dark is not None and level < limits.dark:
        faults.append(Fault("too_dark", "too dark: more light on the parcel", index))
    elif limits.bright is not None and level > limits.bright:
        faults.append(Fault("too_bright", "too bright: less light, or a shorter exposure", index))
    elif limits.glare is not None and level < 200 and float((grey >= 254).mean()) > limits.glare:
        faults.append(Fault("glare", "glare on the parcel: turn it or move the lamp", index))
    if limits.sharpness is not None and not faults and sharpness(np.asarray(grey, np.uint8)) < limits.sharpness:
        faults.append(Fault("blurred", "blurred: hold the parcel still and clean the lens", index))
    if limits.cut_sides is not None and _sides_touched(view) >= limits.cut_sides:
        faults.append(Fault("cut_off", "the parcel is cut off: move it into the picture", index))
    return faults


def sharpness(grey: Pixels) -> float:
    """How steep edges are in the direction where they are flattest, against the whole contrast; 0 to about 1.

    grey: uint8 (h, w). The 99.8th percentile of the second derivative along each of four directions, the least of
    them, over the spread of grey levels. Unlike the plain variance of the Laplacian it does not call an unprinted
    carton blurred only because it has few edges, and it sees motion blur, which leaves edges along the motion sharp.
    """
    spread = float(np.percentile(grey, 99.5) - np.percentile(grey, 0.5))
    if spread < 4:
        return 0.0
    bends = (np.percentile(np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel)), 99.8) for kernel in BENDS)
    return float(min(bends) / (2 * spread))


def _without_padding(view: View) -> Pixels:
    """The close look's canvas without its grey bars: what the network judged, at the resolution it judged it."""
    if view.close is None:
        raise ValueError("a view without a parcel has no close look")
    canvas, placement = view.close.canvas, view.close.placement
    dx, dy = int(placement.dx), int(placement.dy)
    side = canvas.shape[0]
    inner = canvas[dy : side - dy, dx : side - dx]
    return inner if inner.size else np.full((1, 1, 3), PAD, np.uint8)


def _sides_touched(view: View) -> int:
    if view.main is None:
        return 0
    (x, y, w, h), (width, height) = view.main.box, view.frame.size
    near = 0.005 * max(width, height)
    return sum((x <= near, y <= near, x + w >= width - near, y + h >= height - near))
