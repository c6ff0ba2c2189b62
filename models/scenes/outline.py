"""Where on a photo the parcel itself lies, when only a box was drawn around it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from models.scenes.art import Pixels

Mask = npt.NDArray[np.bool_]
SMALL = 144


def outline(picture: Pixels, box: tuple[float, float, float, float]) -> Mask:
    """Picture BGR uint8 (h, w, 3), box xyxy -> bool (h, w), the parcel's own pixels as GrabCut sees them.

    Where GrabCut finds nothing that could be a parcel (less than 45 % or more than 98 % of the box), the answer is a
    rounded shape that lies well inside the box, so that what is composed there stays on the parcel.
    """
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box
    pad = 0.15 * max(x2 - x1, y2 - y1)
    left, top = max(0, int(x1 - pad)), max(0, int(y1 - pad))
    right, bottom = min(width, int(x2 + pad) + 1), min(height, int(y2 + pad) + 1)
    part = picture[top:bottom, left:right]
    scale = min(1.0, SMALL / max(part.shape[:2]))
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rect = [(x1 - left) * scale, (y1 - top) * scale, (x2 - x1) * scale, (y2 - y1) * scale]
    x, y = max(1, round(rect[0])), max(1, round(rect[1]))
    w, h = min(round(rect[2]), small.shape[1] - x - 1), min(round(rect[3]), small.shape[0] - y - 1)
    whole = np.zeros((height, width), bool)
    if w < 8 or h < 8:
        return whole
    found = np.zeros(small.shape[:2], np.uint8)
    cv2.setRNGSeed(1)  # GrabCut's clustering draws from OpenCV's own generator
    cv2.grabCut(small, found, (x, y, w, h), np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_RECT)
    parcel = _largest(np.isin(found, (cv2.GC_FGD, cv2.GC_PR_FGD)))
    if not 0.45 < parcel.sum() / (w * h) < 0.98:
        parcel = _rounded(small.shape[:2], (x, y, w, h))
    back = cv2.resize(parcel.astype(np.uint8), (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    whole[top:bottom, left:right] = back > 0
    return whole


def _largest(mask: Mask) -> Mask:
    """The largest connected part, its holes filled and its edge smoothed."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros_like(closed)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, -1)
    return np.asarray(cv2.morphologyEx(filled, cv2.MORPH_OPEN, kernel) > 0)


def _rounded(shape: tuple[int, ...], rect: tuple[int, int, int, int]) -> Mask:
    x, y, w, h = rect
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    u, v = (columns - x - w / 2) / (w / 2), (rows - y - h / 2) / (h / 2)
    return np.asarray(np.abs(u) ** 3 + np.abs(v) ** 3 < 0.7)
