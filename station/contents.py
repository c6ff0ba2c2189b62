"""What the kiosk shows of the items an order lists, and how the packers teach the eye what it got wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from inspector.annotate import encode_jpeg
from inspector.corrections import Kind
from inspector.cutout import proposals
from inspector.frame import Pixels
from inspector.gallery import Gallery
from inspector.item_records import ReferenceRecord, item_id
from inspector.spec import Check
from inspector.teaching import SMALLEST_IN_BOX, ViewError, from_box
from inspector.verdict import Box
from station.bench import Approver, Bench, NotNowError

MOST_THINGS = 12
"""Offered to choose from: more than a packer looks through."""
WHITE = np.uint8(255)
LARGEST_THING = 0.2
"""Share of the picture; what is larger is the box itself."""
APART = 0.4
"""Two places that share more of the smaller one than this show the same thing."""


class CorrectionError(Exception):
    """The eye can learn nothing from it. code: a word for the kiosk's language file. str() says why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Expected:
    """An item of the order. name: what people call it. reference: id of the picture that shows it, None: not taught."""

    item: str
    name: str | None
    reference: str | None


class ContentsDesk:
    """The taught items as the packers at this bench meet them. Every method may be called from any thread.

    learnt: called when something was taught here.
    """

    def __init__(
        self,
        gallery: Gallery | None,
        bench: Bench,
        approver: Approver,
        clock: Callable[[], datetime],
        learnt: Callable[[], None],
    ) -> None:
        self._gallery = gallery
        self._bench = bench
        self._approver = approver
        self._clock = clock
        self._learnt = learnt

    def expected(self) -> list[Expected]:
        """What the order under the camera lists, and what the eye has seen that it does not, each item once."""
        listed = self._listed()
        known = self._gallery.records(item_id(item) for item in listed) if self._gallery is not None else {}
        told = []
        for item in listed:
            record = known.get(item_id(item))
            views = [r.id for r in record.references if not r.counter] if record else []
            told.append(Expected(item, record.name if record else None, views[0] if views else None))
        return told

    def picture(self, item: str, reference: str) -> bytes | None:
        """The JPEG of a reference, on white: only the item is to be looked for."""
        found = self._gallery.reference(item, reference) if self._gallery is not None else None
        if found is None:
            return None
        bgr, mask = found.pixels()
        return encode_jpeg(np.where(mask[..., None], bgr, WHITE), 90)

    def things(self, turn: int, frame: int) -> list[Box]:
        """Places in a judged picture where one thing lies, largest first, to choose from. Raises NotNowError."""
        return choices(self._picture(turn, frame))

    def correct(self, *, turn: int, item: str, kind: Kind, frame: int, box: Box, approver: str, pin: str) -> None:
        """A packer shows what the item is, or that it is not what was taken for it, and a second person confirms.

        Raises NotNowError, ApprovalError, CorrectionError, GalleryError.
        """
        bgr = self._picture(turn, frame)
        order, operator = self._bench.moment.order, self._bench.operator or ""
        if self._gallery is None or order is None or item not in self._listed():
            raise NotNowError("This order does not list that item.")
        self._approver.check(operator=operator, approver=approver, pin=pin)
        try:
            shown = from_box(bgr, box)
        except ViewError as error:
            raise CorrectionError(error.code, str(error)) from error
        at, by = self._clock(), f"{operator}, confirmed by {approver}"[:200]
        item = item_id(item)
        record = ReferenceRecord.of(item, *shown, at=at, by=by, source=None, counter=kind is Kind.WRONG)
        self._gallery.teach(item, [record], by=by, at=at)
        self._learnt()

    def _listed(self) -> list[str]:
        moment = self._bench.moment
        ordered = [line.item for line in moment.order.spec.items] if moment.order else []
        contents = moment.verdict.checks.get(Check.CONTENTS) if moment.verdict else None
        seen = [item.item for item in contents.items] if contents else []
        return list(dict.fromkeys([*ordered, *seen]))

    def _picture(self, turn: int, frame: int) -> Pixels:
        moment = self._bench.moment
        if self._bench.turn != turn or moment.verdict is None or not 0 <= frame < len(moment.pictures):
            raise NotNowError("That picture is not shown any more.")
        return moment.pictures[frame].frame.bgr


def choices(bgr: Pixels) -> list[Box]:
    """Proposed places, as far as they show different things; largest first."""
    area = bgr.shape[0] * bgr.shape[1]
    sized = [
        box for box in proposals(bgr) if box[2] * box[3] <= LARGEST_THING * area and max(box[2:]) >= SMALLEST_IN_BOX
    ]
    kept: list[Box] = []
    for box in sorted(sized, key=lambda one: -one[2] * one[3]):
        if len(kept) < MOST_THINGS and not any(_shared(box, other) > APART for other in kept):
            kept.append(box)
    return kept


def _shared(one: Sequence[float], other: Sequence[float]) -> float:
    """Of the smaller box's area, the share that lies in the other."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = one, other
    wide = max(0.0, min(ax + aw, bx + bw) - max(ax, bx))
    high = max(0.0, min(ay + ah, by + bh) - max(ay, by))
    return wide * high / max(1e-9, min(aw * ah, bw * bh))
