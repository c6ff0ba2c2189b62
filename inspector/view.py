"""What one picture showed: both looks at it, put together, on which all checks are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

import cv2
import numpy as np

from inspector.detector import Detections, Floats, Look, Placement, crop_around, decode_boxes, merge, place, to_input
from inspector.frame import Frame, Pixels
from inspector.head import DamageHead
from inspector.runtime import Engine
from inspector.verdict import Box, Parcel
from models import MarkThreshold, ParcelCard

COARSE, BLANK = 32, 3.0
"""Cells a side, and the spread of their grey levels from which on a picture shows something."""


@dataclass(frozen=True, slots=True)
class View:
    """One picture as the network saw it.

    index: of the picture among those of the parcel. detections: of both looks together. parcels: best first.
    main: the parcel that is judged, or None when the picture shows none. close: the second look, at that parcel.
    """

    index: int
    frame: Frame
    detections: Detections
    parcels: tuple[Parcel, ...]
    main: Parcel | None
    close: Look | None

    @property
    def region(self) -> Box:
        """The main parcel's box; the whole picture when there is no parcel."""
        width, height = self.frame.size
        return self.main.box if self.main else (0.0, 0.0, float(width), float(height))

    @property
    def crop(self) -> Pixels:
        """The main parcel's own pixels, at full resolution; the whole picture when there is no parcel."""
        if self.main is None:
            return self.frame.bgr
        return crop_around(self.frame.bgr, self.main.box, 0.0)[0]


class Looker:
    """Looks twice: at the whole picture to find the parcel, then close at that parcel.

    The close look is where damage is judged: a parcel that fills a third of the picture is seen at three times the
    resolution. Labels count from both looks. Each has a graph of its own: the far look places the box that the close
    one is cut by, and needs to be exact; the close one may compute in 8 bits.
    """

    def __init__(self, far: Engine, close: Engine, head: DamageHead, card: ParcelCard) -> None:
        self._far = far
        self._close = close
        self._head = head
        self._card = card
        self._parcel = card.classes.index("parcel")
        thresholds = card.thresholds
        marks = [t.doubtful for t in thresholds.marks.values() if isinstance(t, MarkThreshold)]
        self._floor = min([thresholds.parcel.doubtful, thresholds.shipping_label.found, *marks])

    def view(self, frame: Frame, index: int) -> View:
        """Both looks at one picture."""
        return self.closer(self.far(frame, index))

    def far(self, frame: Frame, index: int) -> View:
        """The first look alone. In a picture that shows nothing the network is not believed when it sees a parcel."""
        canvas, placement = place(frame.bgr, self._card.input.side)
        seen = self._detections(self._far.infer(to_input(canvas)), placement)
        if _blank(canvas, placement, frame.size):
            return View(index, frame, seen.of(self._parcel, inf), (), None, None)  # none at all
        parcels = tuple(
            Parcel(_clipped(_box(box), *frame.size), float(score), index)
            for box, score in self._parcels(seen, self._card.thresholds.parcel.found)
        )
        main = self._main(seen, frame.size, index)
        return View(index, frame, seen, parcels or ((main,) if main else ()), main, None)

    def closer(self, far: View) -> View:
        """The same with a second look, where there is a parcel to look at."""
        if far.main is None:
            return far
        crop, left, top = crop_around(far.frame.bgr, far.main.box, self._card.crop_margin)
        close = self._look_closely(crop, left, top)
        # The close look's parcel boxes are cut at the crop's border, so parcels count from the far look only.
        near = close.detections
        others = near.classes != self._parcel
        near = Detections(near.boxes[others], near.scores[others], near.classes[others], near.rotations[others])
        return replace(far, detections=merge(far.detections, near, self._card.nms_iou), close=close)

    def _look_closely(self, bgr: Pixels, left: int, top: int) -> Look:
        canvas, placement = place(bgr, self._card.input.side, left, top)
        raw = self._close.infer(to_input(canvas))
        features = raw["features"][0]
        seen = self._detections(raw, placement)
        return Look(seen, features, self._head.logit(features), raw["damage_map"][0], canvas, placement)

    def _detections(self, raw: Mapping[str, Floats], placement: Placement) -> Detections:
        boxes, scores, turns = (raw[name][0] for name in ("boxes", "scores", "rotations"))
        return decode_boxes(boxes, scores, turns, placement, floor=self._floor, iou=self._card.nms_iou)

    def _parcels(self, detections: Detections, at_least: float) -> zip[tuple[np.ndarray, np.float32]]:
        found = detections.of(self._parcel, at_least)
        return zip(found.boxes, found.scores, strict=True)

    def _main(self, detections: Detections, size: tuple[int, int], index: int) -> Parcel | None:
        """The parcel on the bench: large, central and sure. A doubtful one is judged too, and said to be doubtful."""
        width, height = size
        best, parcel = 0.0, None
        for xywh, score in self._parcels(detections, self._card.thresholds.parcel.doubtful):
            x, y, w, h = _clipped(_box(xywh), width, height)
            off_centre = np.hypot((x + w / 2) / width - 0.5, (y + h / 2) / height - 0.5)
            weight = float(score) * (w * h / (width * height)) ** 0.5 * (1 - off_centre)
            if w >= 1 and h >= 1 and weight > best:
                best, parcel = weight, Parcel((x, y, w, h), float(score), index)
        return parcel


def _blank(canvas: Pixels, placement: Placement, size: tuple[int, int]) -> bool:
    """Whether nothing can be told apart in a picture of this size: a covered lens, the dark, a bare wall. Noise is
    averaged away. Asked of the canvas, on which the picture is small already.
    """
    left, top = int(placement.dx), int(placement.dy)
    width, height = (max(1, round(side * placement.scale)) for side in size)
    shown = canvas[top : top + height, left : left + width]
    coarse = cv2.resize(shown, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    return float(coarse.reshape(-1, 3).std(axis=0).max()) < BLANK


def _box(xywh: np.ndarray) -> Box:
    x, y, w, h = (float(v) for v in xywh)
    return x, y, w, h


def _clipped(box: Box, width: int, height: int) -> Box:
    x, y, w, h = box
    left, top = max(0.0, x), max(0.0, y)
    return left, top, min(float(width), x + w) - left, min(float(height), y + h) - top
