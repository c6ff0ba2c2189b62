"""What is worked out once for each picture of an open box, whatever the order expects in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from inspector.cutout import proposals
from inspector.detector import Floats
from inspector.embedder import Embedder, unit
from inspector.frame import Pixels

MAP_SIDE = 640
"""Pixels of the longer side as the network sees the whole box."""
KEYPOINT_SIDE = 640
"""Pixels of the longer side on which keypoints are sought: prints a few millimetres high are read there."""
KEYPOINTS = 2500
CONTRAST = 0.02
COLOUR_BINS = (4, 6, 6)
"""Lightness, green to red, blue to yellow (Lab)."""
COLOURS = COLOUR_BINS[0] * COLOUR_BINS[1] * COLOUR_BINS[2]
SPANS = (4, 5, 7, 10, 14)
"""Sides of the windows, in cells."""
STEPS = 3
"""A window moves by this part of its side."""
SHAPES = ((1.0, 1.0), (1.5, 0.67), (0.67, 1.5), (2.0, 0.5), (0.5, 2.0))


@dataclass(frozen=True, slots=True)
class Keypoints:
    """places: float32 (n, 2), x and y in the picture's pixels. descriptors: float32 (n, 128), length 1 (RootSIFT).
    sizes, angles: float32 (n,), diameter in the picture's pixels and degrees.
    """

    places: Floats
    descriptors: Floats
    sizes: Floats
    angles: Floats

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture, ready to be searched.

    size: width and height in pixels. cells: float32 (rows, columns, dim), what lies in each cell, of length 1.
    rarity: float32 (bins,), how much a colour says here. windows: float32 (n, 4), xywh in cells:
    class-agnostic places where one thing may lie. looks: float32 (n, dim), the description of each window. hues:
    float32 (n, bins), the colours of each window, see `hues`. cell_sums, colour_sums: see `summed`.
    """

    size: tuple[int, int]
    cells: Floats
    rarity: Floats
    windows: Floats
    proposed: int
    looks: Floats
    hues: Floats
    keypoints: Keypoints
    cell_sums: Floats
    colour_sums: Floats

    def to_pixels(self, windows: Floats) -> Floats:
        """Windows xywh in cells -> boxes xywh in the picture's pixels, float32 (n, 4)."""
        rows, columns = self.cells.shape[:2]
        return np.asarray(windows * np.tile([self.size[0] / columns, self.size[1] / rows], 2), np.float32)

    def to_cells(self, boxes: Floats) -> Floats:
        """The other way round."""
        rows, columns = self.cells.shape[:2]
        return np.asarray(boxes / np.tile([self.size[0] / columns, self.size[1] / rows], 2), np.float32)

    def look_at(self, windows: Floats) -> Floats:
        """The description (n, dim) of windows xywh in cells."""
        return unit(within(self.cell_sums, windows))

    def hues_at(self, windows: Floats) -> Floats:
        """The colours (n, bins) of windows xywh in cells."""
        return hues(np.maximum(within(self.colour_sums, windows), 0), self.rarity)


def look(bgr: Pixels, embedder: Embedder) -> Scene:
    """Runs the network and the keypoints side by side: each takes one core, and both let go of the interpreter."""
    height, width = bgr.shape[:2]
    with ThreadPoolExecutor(1) as beside:
        later = beside.submit(keypoints, bgr, KEYPOINT_SIDE, KEYPOINTS)
        found = embedder.map(bgr, MAP_SIDE)
        shape = found.cells.shape[:2]
        colours = colour_cells(bgr, shape)
        proposed = np.asarray(proposals(bgr), np.float32).reshape(-1, 4)
        boxes = proposed / np.tile([width / shape[1], height / shape[0]], 2)
        windows = np.concatenate([boxes.astype(np.float32), grid(*shape)])
        rarity = np.asarray(1 / np.sqrt(colours.mean((0, 1)) + 0.01), np.float32)
        cell_sums, colour_sums = summed(found.cells), summed(colours)
        return Scene(
            size=(width, height),
            cells=unit(found.cells),
            rarity=rarity,
            windows=windows,
            proposed=len(boxes),
            looks=unit(within(cell_sums, windows)),
            hues=hues(np.maximum(within(colour_sums, windows), 0), rarity),
            cell_sums=cell_sums,
            colour_sums=colour_sums,
            keypoints=later.result(),
        )


def grid(rows: int, columns: int) -> Floats:
    """Windows xywh in cells of several sizes and shapes, overlapping, inside a grid: float32 (n, 4)."""
    found = []
    for span in SPANS:
        for wide, high in SHAPES:
            w, h = round(span * wide), round(span * high)
            if w < 2 or h < 2 or w > columns or h > rows:
                continue
            across, down = max(1, round(w / STEPS)), max(1, round(h / STEPS))
            x, y = np.meshgrid(np.arange(0, columns - w + 1, across), np.arange(0, rows - h + 1, down))
            found.append(np.stack([x, y, np.full_like(x, w), np.full_like(x, h)], -1).reshape(-1, 4))
    return np.concatenate(found).astype(np.float32) if found else np.zeros((0, 4), np.float32)


def summed(cells: Floats) -> Floats:
    """The summed-area table (rows + 1, columns + 1, k) of a map (rows, columns, k): Crow 1984."""
    rows, columns, width = cells.shape
    total = np.zeros((rows + 1, columns + 1, width), np.float32)
    np.cumsum(cells, axis=0, out=total[1:, 1:])
    np.cumsum(total[1:, 1:], axis=1, out=total[1:, 1:])
    return total


def within(total: Floats, windows: Floats) -> Floats:
    """Sums (n, k) over windows xywh in cells, at least one cell each, from a summed-area table."""
    x0, y0, x1, y1 = corners(windows, total.shape[0] - 1, total.shape[1] - 1)
    return np.asarray(total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0], np.float32)


def corners(windows: Floats, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Left, top, right, bottom of windows in whole cells, inside the grid, right and bottom exclusive."""
    x0 = np.clip(np.round(windows[:, 0]), 0, columns - 1).astype(np.intp)
    y0 = np.clip(np.round(windows[:, 1]), 0, rows - 1).astype(np.intp)
    x1 = np.clip(np.round(windows[:, 0] + windows[:, 2]), x0 + 1, columns).astype(np.intp)
    y1 = np.clip(np.round(windows[:, 1] + windows[:, 3]), y0 + 1, rows).astype(np.intp)
    return x0, y0, x1, y1


def colour_bins(bgr: Pixels) -> np.ndarray:
    """The colour of each pixel as one number, int (h, w), 0..COLOURS - 1."""
    lab = cv2.cvtColor(cv2.GaussianBlur(bgr, (3, 3), 0), cv2.COLOR_BGR2LAB).astype(np.int32)
    light = lab[..., 0] * COLOUR_BINS[0] // 256
    red = np.clip((lab[..., 1] - 128 + 45) * COLOUR_BINS[1] // 90, 0, COLOUR_BINS[1] - 1)
    yellow = np.clip((lab[..., 2] - 128 + 45) * COLOUR_BINS[2] // 90, 0, COLOUR_BINS[2] - 1)
    return np.asarray((light * COLOUR_BINS[1] + red) * COLOUR_BINS[2] + yellow)


def colour_cells(bgr: Pixels, shape: tuple[int, int]) -> Floats:
    """Share of each colour in each cell of a grid: float32 (rows, columns, COLOURS)."""
    rows, columns = shape
    small = cv2.resize(bgr, (columns * 8, rows * 8), interpolation=cv2.INTER_AREA)
    cell = np.repeat(np.repeat(np.arange(rows * columns).reshape(rows, columns), 8, 0), 8, 1)
    counts = np.bincount(
        (cell * COLOURS + colour_bins(np.asarray(small, np.uint8))).ravel(), minlength=rows * columns * COLOURS
    )
    return smoothed(np.asarray(counts.reshape(rows, columns, COLOURS) / 64, np.float32))


def smoothed(shares: Floats) -> Floats:
    """Colours spill a little into their neighbours, as light and white balance make them: same shape."""
    cube = shares.reshape(*shares.shape[:-1], *COLOUR_BINS)
    for axis in (-3, -2, -1):
        spilled = 0.7 * cube
        low, high = np.take(cube, range(cube.shape[axis] - 1), axis), np.take(cube, range(1, cube.shape[axis]), axis)
        up = [(0, 0)] * cube.ndim
        down = [(0, 0)] * cube.ndim
        up[axis], down[axis] = (1, 0), (0, 1)
        cube = np.asarray(spilled + 0.15 * (np.pad(low, up) + np.pad(high, down)), np.float32)
    return cube.reshape(shares.shape)


def normalised(shares: Floats) -> Floats:
    """Scaled to sum 1 along the last axis."""
    return np.asarray(shares / np.maximum(shares.sum(-1, keepdims=True), 1e-9), np.float32)


def hues(shares: Floats, rarity: Floats) -> Floats:
    """Square roots of what each colour (..., bins) has of the whole, rare colours counting more. The scalar product of
    two is their Bhattacharyya coefficient.
    """
    return np.sqrt(normalised(shares * rarity))


def keypoints(bgr: Pixels, side: int, most: int, mask: np.ndarray | None = None) -> Keypoints:
    """RootSIFT keypoints (Arandjelović and Zisserman 2012) of a picture shown with `side` pixels on its longer side."""
    scale = side / max(bgr.shape[:2])
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    size = (max(8, round(bgr.shape[1] * scale)), max(8, round(bgr.shape[0] * scale)))
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    inside = None if mask is None else cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    sift = cv2.SIFT.create(most, contrastThreshold=CONTRAST)
    found, raw = sift.detectAndCompute(grey, inside)
    if raw is None or not found:
        nothing = np.zeros(0, np.float32)
        return Keypoints(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32), nothing, nothing)
    descriptors = np.sqrt(raw / np.maximum(raw.sum(1, keepdims=True), 1e-9)).astype(np.float32)
    return Keypoints(
        places=np.asarray([k.pt for k in found], np.float32) / np.float32(scale),
        descriptors=descriptors,
        sizes=np.asarray([k.size for k in found], np.float32) / np.float32(scale),
        angles=np.asarray([k.angle for k in found], np.float32),
    )
