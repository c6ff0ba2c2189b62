"""Things freed from what they lie on: the item of a reference photo, and things in an open box."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from inspector.detector import suppress
from inspector.embedder import Mask
from inspector.frame import Pixels
from inspector.verdict import Box

WORKING_SIDE = 320
"""Pixels of the longer side on which outlines are sought; masks come back at the size of the photo."""
BORDER = 0.03
"""Share of the shorter side at the photo's edge that is taken for background."""
PLAIN = 14.0
"""Lab units: where half of the border differs less than this from its main colours, the background is plain."""
LEAST_AREA = 0.004
LEAST_OF_LARGEST = 0.25
MARGIN = 0.04
AROUND = 0.25
"""Of a box's sides, what is looked at beyond each of them when the thing in it is cut out."""
BOX_SIDE = 240
ENOUGH_PIXELS = 20
"""Of what is ground, and of what may be the thing, for GrabCut to learn what they look like."""
LEAST_OF_BOX = 0.15
"""Share of a box from which on what is cut out is the thing in it."""

Floats = npt.NDArray[np.float32]


def cut_out(bgr: Pixels) -> list[tuple[Pixels, Mask]]:
    """The items of a reference photo, freed from a plain background, largest first.

    Each is a crop uint8 (h, w, 3) BGR with a small margin and its mask bool (h, w). The background is what the photo's
    border looks like, which may drift over the photo; the outline is refined by GrabCut. A photo without a plain
    border, or where nothing or nearly everything stands out, comes back whole: what the packer framed is then the item.
    """
    small = _small(bgr, WORKING_SIDE)
    found = _parts(bgr, _foreground(small, _unlike_main_colours))
    if len(found) != 1:
        # metal under a lamp falls apart into its shades, or has no main colours at all
        on_drift = _parts(bgr, _foreground(small, _unlike_drift))
        if len(on_drift) == 1 or not found:
            found = on_drift
    return found or [(bgr, np.ones(bgr.shape[:2], np.bool_))]


def cut_from_box(bgr: Pixels, box: Box) -> tuple[Pixels, Mask]:
    """What lies in a box (x, y, w, h, inside the picture) among other things: its crop uint8 (h, w, 3) and its pixels.

    By GrabCut: what lies around the box is not it, what the box holds is, unless it looks like what lies around. Where
    hardly anything is left, what the box shows is taken as it is.
    """
    x, y, w, h = box
    height, width = bgr.shape[:2]
    left, top, right, bottom = int(x), int(y), int(np.ceil(x + w)), int(np.ceil(y + h))
    wide, high = AROUND * w, AROUND * h
    x0, y0 = max(0, int(x - wide)), max(0, int(y - high))
    around = bgr[y0 : min(height, int(bottom + high)), x0 : min(width, int(right + wide))]
    small = _small(around, BOX_SIDE)
    scale = small.shape[1] / around.shape[1], small.shape[0] / around.shape[0]
    marks = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    columns = slice(round((left - x0) * scale[0]), max(1, round((right - x0) * scale[0])))
    rows = slice(round((top - y0) * scale[1]), max(1, round((bottom - y0) * scale[1])))
    marks[rows, columns] = cv2.GC_PR_FGD
    crop = bgr[top:bottom, left:right]
    if min((marks == cv2.GC_BGD).sum(), (marks == cv2.GC_PR_FGD).sum()) < ENOUGH_PIXELS:
        return crop, np.ones(crop.shape[:2], np.bool_)  # nothing lies around it, or it is next to nothing
    cut = _opened(_grabbed(small, marks, 4), 3)
    large = cv2.resize(cut, around.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    inside = np.asarray(large[top - y0 : bottom - y0, left - x0 : right - x0], np.bool_)
    return crop, inside if inside.mean() >= LEAST_OF_BOX else np.ones(crop.shape[:2], np.bool_)


def _parts(bgr: Pixels, mask: Mask | None) -> list[tuple[Pixels, Mask]]:
    """The pieces of a small mask that are large enough for things, cut from the photo, largest first."""
    if mask is None:
        return []
    height, width = bgr.shape[:2]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    largest = max((int(stats[i, cv2.CC_STAT_AREA]) for i in range(1, count)), default=0)
    least = max(LEAST_AREA * mask.size, LEAST_OF_LARGEST * largest)
    parts = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= least]
    found = []
    for i in sorted(parts, key=lambda part: -int(stats[part, cv2.CC_STAT_AREA])):
        part = cv2.resize((labels == i).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
        found.append(_cropped(bgr, np.asarray(part, np.bool_)))
    return found


def _foreground(bgr: Pixels, unlike: Callable[[Floats, Mask], Floats]) -> Mask | None:
    """Where the picture differs from its border, bool (h, w); None where the border is no plain background.

    unlike: how far each pixel is from a ground of which (lab, rim) shows the rim.
    """
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB).astype(np.float32)
    height, width = lab.shape[:2]
    rim = np.zeros((height, width), np.bool_)
    thick = max(2, round(BORDER * min(height, width)))
    rim[:thick], rim[-thick:], rim[:, :thick], rim[:, -thick:] = True, True, True, True
    away = unlike(lab, rim)
    spread = float(np.percentile(away[rim], 75))
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
        cut = _grabbed(bgr, marks, 2)
        # GrabCut may fall for a print in the colour of the background; it may trim the first guess, not lose it.
        if cut.sum() > 0.7 * likely.sum():
            refined = cut
    return _filled(_closed(refined, 3))


def _grabbed(bgr: Pixels, marks: Pixels, rounds: int) -> Mask:
    """What GrabCut takes for the thing, bool (h, w). marks: its classes, uint8 (h, w); written over."""
    cv2.setRNGSeed(0)
    cv2.grabCut(bgr, marks, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD), np.bool_)


def _unlike_main_colours(lab: Floats, rim: Mask) -> Floats:
    """Each pixel's distance (h, w) in Lab to the rim's nearest main colour: a cutting mat, boards, plain paper."""
    samples = lab[rim]
    samples = samples[:: max(1, len(samples) // 2000)]
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    cv2.setRNGSeed(0)
    _, labels, centres = cv2.kmeans(
        samples, min(4, len(samples)), np.zeros((len(samples), 1), np.int32), criteria, 1, cv2.KMEANS_PP_CENTERS
    )
    shares = np.bincount(labels.ravel(), minlength=len(centres)) / len(labels)
    main = centres[shares >= 0.12] if (shares >= 0.12).any() else centres[shares.argmax()][None]
    return np.asarray(np.min([np.linalg.norm(lab - centre, axis=2) for centre in main], axis=0), np.float32)


def _unlike_drift(lab: Floats, rim: Mask) -> Floats:
    """Each pixel's distance (h, w) to the quadratic in x and y that fits the rim, fitted twice, since what lies on the
    rim may be the item.
    """
    height, width = lab.shape[:2]
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)
    kept = rim.copy()
    away = np.zeros(lab.shape[:2])
    for _ in range(2):
        fitted, *_ = np.linalg.lstsq(terms[kept], lab[kept].astype(np.float64), rcond=None)
        away = np.linalg.norm(lab - terms @ fitted, axis=2)
        kept = rim & (away <= np.percentile(away[rim], 80))
    return np.asarray(away, np.float32)


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


def proposals(bgr: Pixels, most: int = 200) -> list[Box]:
    """Places in a picture of an open box where one thing may lie, whatever it is: boxes xywh in pixels.

    Two views of the picture are cut into pieces: its main colours (things of one colour), and the strength of its edges
    at several levels (things that stand out from what they lie on). Pieces that are nearly the same are given once.
    """
    small = _small(bgr, WORKING_SIDE)
    area = small.shape[0] * small.shape[1]
    lab = np.asarray(cv2.cvtColor(cv2.medianBlur(small, 5), cv2.COLOR_BGR2LAB), np.uint8)
    masks = [*_colour_layers(lab), *_edge_layers(lab)]
    pieces = np.concatenate([cv2.connectedComponentsWithStats(mask, connectivity=4)[2][1:] for mask in masks])
    boxes, sizes = pieces[:, :4], pieces[:, 4]
    around = boxes[:, 2] * boxes[:, 3]
    likely = (around >= LEAST_PIECE * area) & (around <= LARGEST_PIECE * area)
    likely &= (sizes >= 0.2 * around) & (boxes[:, 2:].min(1) >= 5)
    kept = _distinct(boxes[likely].astype(np.float32), most)
    scale = bgr.shape[1] / small.shape[1]
    return [(float(x * scale), float(y * scale), float(w * scale), float(h * scale)) for x, y, w, h in kept]


LEAST_PIECE, LARGEST_PIECE = 0.0012, 0.5
MAIN_COLOURS = (4, 9)


def _colour_layers(lab: Pixels) -> list[Pixels]:
    """One mask uint8 (h, w) for each main colour, and for all that is not the most common one."""
    pixels = np.asarray(lab.reshape(-1, 3), np.float32)
    samples = np.ascontiguousarray(pixels[::7])
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 8, 1.0)
    layers = []
    for count in MAIN_COLOURS:
        cv2.setRNGSeed(0)
        start = np.zeros((len(samples), 1), np.int32)
        _, _, centres = cv2.kmeans(samples, count, start, criteria, 1, cv2.KMEANS_PP_CENTERS)
        # |p - c|^2 without |p|^2, which is the same for every centre: one product of matrices
        nearest = ((-2 * centres) @ pixels.T + (centres**2).sum(1)[:, None]).argmin(0).reshape(lab.shape[:2])
        common = np.bincount(nearest.ravel(), minlength=count).argmax()
        layers += [(nearest == i).astype(np.uint8) for i in range(count)]
        layers.append(_opened(nearest != common))
        away = ((pixels - centres[common]) ** 2 @ np.ones(3, np.float32)).reshape(lab.shape[:2])
        layers += [_opened(away > level**2) for level in (25, 45)]
    return layers


def _edge_layers(lab: Pixels) -> list[Pixels]:
    """Masks uint8 (h, w) of what edges enclose: the gradient at several levels, turned inside out."""
    gradient = np.zeros(lab.shape[:2], np.float32)
    for channel in range(3):
        plane = lab[:, :, channel].astype(np.float32)
        dx, dy = cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)
        gradient = np.maximum(gradient, cv2.magnitude(dx, dy))
    layers = []
    for level in (24.0, 48.0, 90.0):
        edges = cv2.dilate((gradient > level).astype(np.uint8), np.ones((3, 3), np.uint8))
        layers.append(np.asarray(1 - edges, np.uint8))
        layers.append(_opened(cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)) > 0))
    return layers


def _opened(mask: Mask, size: int = 5) -> Pixels:
    kernel = np.ones((size, size), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel), np.uint8)


def _distinct(boxes: Floats, most: int, iou: float = 0.8) -> Floats:
    """Boxes xywh without those that another one nearly equals, larger ones first."""
    return boxes[suppress(boxes, boxes[:, 2:].prod(1), np.zeros(len(boxes), np.int64), iou)[:most]]
