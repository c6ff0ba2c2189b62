"""Finds handling marks on a parcel and reads them: where may one be, then which one is it and how is it turned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, inf

import cv2
import numpy as np
import numpy.typing as npt

from inspector.detector import Floats, crop_around, place, to_input
from inspector.frame import Pixels
from inspector.runtime import Engine, OnnxEngine
from inspector.verdict import Box, MarkSeen, ModelRef
from models import Model
from models.cards import FinderCard, MarksCard, MarkThreshold, StripCard

ROOM = 1.3
"""A crop's side against the longer side of the mark that is thought to be in it; the reader was trained with it."""
GLANCE = 0.03
"""Probability of any mark from which on closer looks are worth their time."""
TURN_KNOWN = 0.6
"""Of `Look.certain`: from here on one turn is tried."""
INSIDE = 0.7
"""Share of the smaller box's area from which on it lies in the larger."""
DOUBTFUL = 0.5
"""From here on a mark without a threshold of its own is told to the check, which leaves it to a person anyway."""
SUREST = 1e-6
"""No look is surer than this, so that one alone does not decide."""
DIAGONAL = 2**0.5
LARGEST = 5.0
"""No mark is e^5 times larger or smaller than a cell or crop; keeps exp() finite whatever the network says."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a mark may be. boxes: float32 (n, 4). chances: float32 (n,), the finder's probability, best first."""

    boxes: Floats
    chances: Floats


@dataclass(frozen=True, slots=True)
class Readings:
    """What may be marks on one parcel, as arrays of one length n.

    boxes: float32 (n, 4), x y w h in picture pixels. says: float32 (n, m), the probability of each mark of the card;
    one sticker may say several. rotations: float32 (n,), degrees clockwise from upright, 0..360.
    """

    boxes: Floats
    says: Floats
    rotations: Floats

    def __len__(self) -> int:
        return len(self.boxes)

    def of(self, mark: int, at_least: float, iou: float) -> list[int]:
        """Rows that say this mark (its place in the card), best first; of two that overlap by more than iou, one.

        A reading that lies for the most part in a better one is part of it: a word on a sticker, a picture on a tape.
        """
        scores = self.says[:, mark]
        corners = np.concatenate([self.boxes[:, :2], self.boxes[:, :2] + self.boxes[:, 2:]], axis=1)
        kept: list[int] = []
        for i in np.argsort(-scores, kind="stable").tolist():
            if scores[i] < at_least:
                break
            if all(not _same(corners[i], corners[j], iou) for j in kept):
                kept.append(i)
        return kept


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at n places tells.

    middles: float32 (n, 2), in picture pixels. sizes: float32 (n, 2), width and height along the mark's own axes. says,
    rotations: see `Readings`. certain: float32 (n,), how sure it is of the rotation: about 1 when quite sure, 0 where
    any would do. The reader tells the mean of all directions that it holds possible, which is short where they differ.
    """

    middles: Floats
    sizes: Floats
    says: Floats
    rotations: Floats
    certain: Floats

    def only(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Look:
        """These rows of it."""
        return Look(self.middles[rows], self.sizes[rows], self.says[rows], self.rotations[rows], self.certain[rows])

    def wide(self, at_least: float) -> npt.NDArray[np.bool_]:
        """Which rows are so many times as wide as they are high."""
        return np.asarray(self.sizes[:, 0] >= at_least * self.sizes[:, 1], np.bool_)

    def strips(self, tall: float) -> Floats:
        """The same for a look at the middle of it only: so wide that a third or so of it holds the mark's height."""
        width, height = np.hsplit(self.sizes, 2)
        return np.concatenate([self.middles, np.maximum(width * ROOM, height * tall)], axis=1)

    def squares(self) -> Floats:
        """Where to cut for a closer look: middle x, middle y, side, float32 (n, 3)."""
        return np.concatenate([self.middles, self.sizes.max(axis=1, keepdims=True) * ROOM], axis=1)

    def readings(self) -> Readings:
        """The same with upright boxes around the turned marks."""
        angle = np.deg2rad(self.rotations)[:, None]
        width, height = np.hsplit(self.sizes, 2)
        across, down = np.abs(np.cos(angle)), np.abs(np.sin(angle))
        extent = np.concatenate([width * across + height * down, width * down + height * across], axis=1)
        return Readings(
            np.asarray(np.concatenate([self.middles - extent / 2, extent], axis=1), np.float32),
            self.says,
            self.rotations,
        )


class MarkReader:
    """Small networks: the finder looks at the whole parcel, the reader at crops at full resolution, the upright reader
    at the same ones set upright, and what is wide, as words are, is read by one that sees strips.
    """

    def __init__(
        self,
        finder: Engine,
        reader: Engine,
        card: MarksCard,
        sha256: str = "",
        *,
        upright: Engine | None = None,
        strips: Engine | None = None,
    ) -> None:
        self._finder = finder
        self._reader = reader
        self._upright = upright or reader
        self._strips = strips
        self._card = card
        self.ref = ModelRef(card.name, card.version, sha256)

    @classmethod
    def open(cls, model: Model[MarksCard], threads: int, providers: Sequence[str]) -> MarkReader:
        """The reader of this model, warmed up. Raises EngineError.

        Always on ONNX Runtime: it reads all crops of a look as one batch, and is faster at that than OpenVINO.
        """
        card = model.card

        def warm(file: str) -> OnnxEngine:
            engine = OnnxEngine(model.folder / file, side=card.input.side, threads=threads, providers=providers)
            engine.warm_up()
            return engine

        upright = warm(card.upright.file) if card.upright else None
        strips = warm(card.strips.file) if card.strips else None
        finder, reader = warm(card.finder.file), warm(model.onnx.name)
        return cls(finder, reader, card, model.sha256, upright=upright, strips=strips)

    @property
    def thresholds(self) -> Mapping[str, MarkThreshold | str]:
        """The card's operating points by mark."""
        return self._card.thresholds.marks

    def propose(self, bgr: Pixels, parcel: Box) -> Places:
        """Where on the parcel (x, y, w, h) a mark may be, in a picture BGR uint8 (h, w, 3): boxes are xywh in it."""
        crop, left, top = crop_around(bgr, parcel, self._card.crop_margin)
        canvas, placement = place(crop, self._card.finder.side, left, top)
        sought = self._finder.infer(to_input(canvas))
        found = candidates(sought["heat"][0], sought["spans"][0], self._card.finder)
        return Places(placement.to_picture(found.boxes), found.chances)

    def read(self, bgr: Pixels, places: Places) -> Readings:
        """What is in places of the picture, their boxes xywh.

        A proposal is a rough place, and a mark may be turned anyhow; from the second look on it fills the crop and
        stands upright, which is how it is read best, by a reader who knows nothing else; where it is not clear which
        way is up, every way is tried. After a third look what is said is the mean of all three, in log odds: what is
        no mark seldom looks like the same one three times. What is wide is left to the strip reader, who takes two. The
        finder's word is added: it alone has seen what lies around. What is none at the first look is not looked at
        again, and not told.
        """
        promising, first, second = self.closer(bgr, places)
        strips = self._card.strips
        wide = second.wide(strips.wide if self._strips and strips else inf)
        looks = [first.only(~wide), second.only(~wide)]
        looks.append(self._closer(bgr, looks[1]))
        told, says = [looks[2].readings()], [agreed(looks)]
        if self._strips and strips and wide.any():
            once = self._strip(bgr, second.only(wide), self._strips, strips)
            twice = self._strip(bgr, once, self._strips, strips)
            told.append(twice.readings())
            says.append(agreed([once, twice]))
        order = np.argsort(np.argsort(wide, kind="stable"), kind="stable")
        boxes = np.concatenate([one.boxes for one in told])[order]
        rotations = np.concatenate([one.rotations for one in told])[order]
        found = self._card.finder.weight * log_odds(places.chances[promising])
        return Readings(boxes, chances(np.concatenate(says)[order] + found[:, None]), rotations)

    def closer(self, bgr: Pixels, places: Places) -> tuple[npt.NDArray[np.bool_], Look, Look]:
        """Which places are promising at the first look, that look at them, and a second one, set upright."""
        promising, first = self.glance(bgr, places)
        return promising, first, self._second(bgr, first)

    def glance(self, bgr: Pixels, places: Places) -> tuple[npt.NDArray[np.bool_], Look]:
        """Which places are promising at the first look, and that look at them."""
        first = self.look(bgr, squares_around(places.boxes))
        promising = first.says.max(axis=1, initial=0.0) >= GLANCE
        return promising, first.only(promising)

    def _second(self, bgr: Pixels, first: Look) -> Look:
        """A closer look; where the first could not tell how the mark is turned, one at each quarter turn from what it
        thought, of which the one counts that shows a mark best. A quarter is fine enough: the third look sets it right.
        """
        count = len(first.says)
        doubtful = np.flatnonzero(first.certain < TURN_KNOWN)
        places = np.concatenate([np.arange(count), np.tile(doubtful, 3)])
        quarters = np.repeat(np.arange(4), [count, *[len(doubtful)] * 3])
        turns = np.asarray((first.rotations[places] + 90 * quarters) % 360, np.float32)
        tried = self._closer(bgr, replace(first.only(places), rotations=turns))
        says, rows = np.full((4, count), -1.0), np.zeros((4, count), np.intp)
        says[quarters, places], rows[quarters, places] = tried.says.max(axis=1), np.arange(len(places))
        return tried.only(rows[says.argmax(axis=0), np.arange(count)])

    def _closer(self, bgr: Pixels, seen: Look) -> Look:
        side = self._card.input.side
        return self._look(self._upright, (side, side), bgr, seen.squares(), seen.rotations)

    def _strip(self, bgr: Pixels, seen: Look, reader: Engine, card: StripCard) -> Look:
        return self._look(reader, (card.width, card.height), bgr, seen.strips(card.tall), seen.rotations)

    def marks(self, bgr: Pixels, parcel: Box, frame: int = 0) -> list[MarkSeen]:
        """The marks on a parcel, one entry for each that is not told twice, down to each one's doubtful score.

        frame: index of the picture, to be told with them.
        """
        readings = self.read(bgr, self.propose(bgr, parcel))
        found = []
        for index, mark in enumerate(self._card.marks):
            threshold = self._card.thresholds.marks.get(mark)
            least = threshold.doubtful if isinstance(threshold, MarkThreshold) else DOUBTFUL
            for i in readings.of(index, least, self._card.nms_iou):
                x, y, w, h = (float(v) for v in readings.boxes[i])
                if not _centre_on((x, y, w, h), parcel):  # it lies on what stands beside the parcel
                    continue
                score, rotation = float(readings.says[i, index]), float(readings.rotations[i])
                found.append(MarkSeen(mark, score, (x, y, w, h), rotation, frame))
        return found

    def look(self, bgr: Pixels, squares: Floats) -> Look:
        """The first look at each square (middle x, middle y, side), float32 (n, 3), of the picture."""
        side = self._card.input.side
        return self._look(self._reader, (side, side), bgr, squares, np.zeros(len(squares), np.float32))

    def _look(self, reader: Engine, size: tuple[int, int], bgr: Pixels, squares: Floats, turns: Floats) -> Look:
        if not len(squares):
            return Look(squares[:, :2], squares[:, :2], np.zeros((0, len(self._card.marks)), np.float32), turns, turns)
        crops = np.stack([cut(bgr, *pair, *size) for pair in zip(squares, turns.tolist(), strict=True)])
        seen = reader.infer(to_batch(crops))
        sides, spans = squares[:, 2:], np.clip(seen["spans"], -LARGEST, LARGEST)
        middles = squares[:, :2] + turned(spans[:, :2] * sides, turns)
        rotations, certain = (degrees(seen["turns"]) + turns) % 360, np.linalg.norm(seen["turns"], axis=1)
        return Look(middles, np.exp(spans[:, 2:]) * sides, seen["says"], rotations, certain)


def candidates(heat: Floats, spans: Floats, finder: FinderCard) -> Places:
    """The finder's answer to one canvas -> what may be marks, boxes xyxy on the canvas, best first.

    heat: (1, h, w), the probability that a mark's middle lies in this cell, 0 where a neighbour's is greater.
    spans: (4, h, w), the middle's offset in cells, the logarithms of width and height in cells.
    """
    rows, columns = np.nonzero(heat[0] >= finder.found)
    best = np.argsort(-heat[0, rows, columns], kind="stable")[: finder.most]
    rows, columns = rows[best], columns[best]
    cell = finder.side / heat.shape[-1]
    dx, dy, *logs = spans[:, rows, columns]
    middle = np.stack([columns + 0.5 + dx, rows + 0.5 + dy], axis=1)
    half = np.exp(np.clip(np.stack(logs, axis=1), -LARGEST, LARGEST)) / 2
    boxes = np.concatenate([middle - half, middle + half], axis=1) * cell
    return Places(np.asarray(boxes, np.float32), np.asarray(heat[0, rows, columns], np.float32))


def _centre_on(box: Box, parcel: Box) -> bool:
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return parcel[0] <= x <= parcel[0] + parcel[2] and parcel[1] <= y <= parcel[1] + parcel[3]


def _same(one: Floats, other: Floats, iou: float) -> bool:
    """Whether two boxes xyxy (4,) are of one thing: they overlap by more than iou, or one lies in the other."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    both = float(np.clip(high - low, 0, None).prod())
    areas = float((one[2:] - one[:2]).prod()), float((other[2:] - other[:2]).prod())
    return both > iou * (sum(areas) - both) or both > INSIDE * min(areas)


def squares_around(boxes: Floats) -> Floats:
    """Boxes xywh float32 (n, 4) -> the squares that are cut around them: middle x, middle y, side, float32 (n, 3)."""
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    return np.concatenate([middle, boxes[:, 2:].max(axis=1, keepdims=True) * ROOM], axis=1)


def cut(bgr: Pixels, square: Floats, turn: float, side: int, height: int | None = None) -> Pixels:
    """A square (middle x, middle y, side) of the picture as uint8 (side, side, 3); borders go on beyond the picture.

    height: of the square only its middle, (height, side, 3). turn: degrees clockwise by which the square stands turned
    in the picture; the crop is upright. A large square is halved first, as often as leaves more pixels than are wanted,
    so that nothing of it is skipped: averaging over pairs is many times faster than over shares of pixels.
    """
    rows, columns = bgr.shape[:2]
    x, y = (float(np.clip(v, 0, limit)) for v, limit in zip(square[:2], (columns, rows), strict=True))
    length = float(np.clip(square[2], 4, 2 * max(rows, columns)))
    reach = length / 2 * (DIAGONAL if turn % 360 else 1.0) + 2
    left, top = max(0, floor(x - reach)), max(0, floor(y - reach))
    part = bgr[top : ceil(y + reach), left : ceil(x + reach)]
    x, y, scale = x - left, y - top, side / length
    while scale <= 0.5 and min(part.shape[:2]) > 3:
        rows, columns = part.shape[0] // 2, part.shape[1] // 2
        halved = cv2.resize(part[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
        part = np.asarray(halved, np.uint8)
        x, y, scale = x / 2, y / 2, 2 * scale
    size = side, height or side
    middle = (np.array(size) - 1) / 2
    across, down = np.cos(np.deg2rad(turn)) / scale, np.sin(np.deg2rad(turn)) / scale
    spun = np.array([[across, -down], [down, across]])
    back = np.concatenate([spun, (np.array([x, y]) - 0.5 - spun @ middle)[:, None]], axis=1)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(part, back, size, flags=how, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def to_batch(crops: Pixels) -> Floats:
    """Crops uint8 (n, s, s, 3) BGR -> network input float32 (n, 3, s, s) RGB in [-1, 1]."""
    images = cv2.dnn.blobFromImages(list(crops), 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
    return np.asarray(images, np.float32)


def log_odds(chances: Floats) -> Floats:
    """Of probabilities, of which none counts as quite sure; the same shape."""
    sure = np.clip(chances, SUREST, 1 - SUREST)
    return np.asarray(np.log(sure / (1 - sure)), np.float32)


def agreed(looks: Sequence[Look]) -> Floats:
    """What looks at the same n places say together: the mean of their log odds, float32 (n, m)."""
    return np.asarray(np.mean([log_odds(look.says) for look in looks], axis=0), np.float32)


def chances(odds: Floats) -> Floats:
    """Probabilities of log odds; the same shape."""
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def turned(offsets: Floats, degrees: Floats) -> Floats:
    """Offsets (n, 2), x to the right and y down, turned clockwise by `degrees` (n,)."""
    angle = np.deg2rad(degrees)
    across, down = offsets.T
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(np.stack([across * cos - down * sin, across * sin + down * cos], axis=1), np.float32)


def degrees(turns: Floats) -> Floats:
    """Sines and cosines (n, 2) -> degrees clockwise from upright, 0..360, float32 (n,)."""
    return np.asarray(np.degrees(np.arctan2(turns[:, 0], turns[:, 1])) % 360, np.float32)
