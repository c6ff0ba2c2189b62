"""Things freed from what they lie on: the item of a reference photo, and whatever may be a thing in an open box."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from inspector.embedder import Mask
from inspector.frame import Pixels

WORKING_SIDE = 320
"""Pixels of the longer side on which outlines are sought; masks come back at the size of the photo."""
BORDER = 0.03
"""Share of the shorter side at the photo's edge that is taken for background."""
PLAIN = 14.0
"""Lab units: where half of the border differs less than this from its main colours, the background is plain."""
LEAST_AREA = 0.004
LEAST_OF_LARGEST = 0.25
MARGIN = 0.04

Floats = npt.NDArray[np.float32]


def cut_out(bgr: Pixels) -> list[tuple[Pixels, Mask]]:
    """The items of a reference photo, freed from a plain background, largest first.

    Each is a crop uint8 (h, w, 3) BGR with a small margin and its mask bool (h, w). The background is what the photo's
    border looks like; the outline is refined by GrabCut. A photo without a plain border, or where nothing or nearly
    everything stands out, comes back whole: what the packer framed is then the item.
    """
    height, width = bgr.shape[:2]
    small = _small(bgr, WORKING_SIDE)
    mask = _foreground(small)
    found = []
    if mask is not None:
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        largest = max((int(stats[i, cv2.CC_STAT_AREA]) for i in range(1, count)), default=0)
        least = max(LEAST_AREA * mask.size, LEAST_OF_LARGEST * largest)
        parts = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= least]
        for i in sorted(parts, key=lambda part: -int(stats[part, cv2.CC_STAT_AREA])):
            part = cv2.resize((labels == i).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
            found.append(_cropped(bgr, np.asarray(part, np.bool_)))
    return found or [(bgr, np.ones((height, width), np.bool_))]


def _foreground(bgr: Pixels) -> Mask | None:
    """Where the picture differs from its border, bool (h, w); None where the border is no plain background."""
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB).astype(np.float32)
    height, width = lab.shape[:2]
    rim = np.zeros((height, width), np.bool_)
    thick = max(2, round(BORDER * min(height, width)))
    rim[:thick], rim[-thick:], rim[:, :thick], rim[:, -thick:] = True, True, True, True
    away, spread = _distance(lab, rim)
    if spread > PLAIN:
        return None
    limit = max(6.0, 3.5 * spread)
    likely = away > limit
    likely = _closed(likely, 5)
    # What touches the rim there is the item too, if it differs; most of the rim, by the test above, does not.
    if not 0.01 < likely.mean() < 0.97:
        return None
    marks = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[away > 3 * limit] = cv2.GC_FGD
    marks[away < 0.5 * limit] = cv2.GC_BGD
    inner = cv2.morphologyEx(likely.astype(np.uint8), cv2.MORPH_ERODE, np.ones((5, 5), np.uint8)) > 0
    marks[inner & (marks == cv2.GC_BGD)] = cv2.GC_PR_FGD  # a print in the colour of the background is still the item
    refined = likely
    if (marks == cv2.GC_FGD).sum() > 20 and (marks == cv2.GC_BGD).sum() > 20:
        cv2.setRNGSeed(0)
        cv2.grabCut(bgr, marks, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
        cut = (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)
        # GrabCut may fall for a print in the colour of the background; it may trim the first guess, not lose it.
        if cut.sum() > 0.7 * likely.sum():
            refined = cut
    return _filled(_closed(refined, 3))


def _distance(lab: Floats, rim: Mask) -> tuple[Floats, float]:
    """Each pixel's distance (h, w) in Lab to the rim's nearest main colour, and the median of it on the rim itself,
    plus what brightness drifts along the rim.
    """
    samples = lab[rim]
    samples = samples[:: max(1, len(samples) // 2000)]
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    cv2.setRNGSeed(0)
    _, labels, centres = cv2.kmeans(
        samples, min(4, len(samples)), np.zeros((len(samples), 1), np.int32), criteria, 1, cv2.KMEANS_PP_CENTERS
    )
    shares = np.bincount(labels.ravel(), minlength=len(centres)) / len(labels)
    main = centres[shares >= 0.12] if (shares >= 0.12).any() else centres[shares.argmax()][None]
    away = np.min([np.linalg.norm(lab - centre, axis=2) for centre in main], axis=0).astype(np.float32)
    return away, float(np.median(away[rim])) + float(np.percentile(away[rim], 75) - np.median(away[rim]))


def _closed(mask: Mask, size: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel), np.bool_)


def _filled(mask: Mask) -> Mask:
    """Without holes that are small beside the item: a ring stays a ring, a glint is filled."""
    outlines, tree = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    filled = mask.astype(np.uint8)
    for outline, (_, _, _, parent) in zip(outlines, tree[0] if tree is not None else (), strict=True):
        if parent >= 0 and cv2.contourArea(outline) < 0.15 * cv2.contourArea(outlines[parent]):
            cv2.drawContours(filled, [outline], -1, 1, cv2.FILLED)
    return np.asarray(filled, np.bool_)


def _cropped(bgr: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    pad = round(MARGIN * max(np.ptp(rows), np.ptp(columns)))
    y = slice(max(0, int(rows[0]) - pad), int(rows[-1]) + pad + 1)
    x = slice(max(0, int(columns[0]) - pad), int(columns[-1]) + pad + 1)
    return np.ascontiguousarray(bgr[y, x]), np.ascontiguousarray(mask[y, x])


def _small(bgr: Pixels, side: int) -> Pixels:
    """The picture with at most `side` pixels on its longer side."""
    scale = min(1.0, side / max(bgr.shape[:2]))
    if scale == 1.0:
        return bgr
    size = (max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale)))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
