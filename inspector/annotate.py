"""Pictures for people: what was found, drawn on the frame it was found in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from inspector.frame import Frame, Pixels
from inspector.spec import Check, Stage
from inspector.verdict import Box, Decision, ItemSeen, Result, Verdict, shared

RGB = tuple[int, int, int]
GREEN, RED, AMBER, BLUE = (22, 128, 60), (196, 30, 30), (190, 110, 0), (20, 90, 190)
INK, GREY, PAPER = (20, 24, 28), (150, 150, 150), (244, 243, 240)
COLOURS: dict[Decision, RGB] = {Decision.RELEASE: GREEN, Decision.HOLD: RED, Decision.RETAKE: AMBER}
"""IEC 60073: red act now, amber abnormal, green normal. The word beside it says the same for who cannot tell them."""

ITEM_COLOURS = {"present": GREEN, "missing": RED, "extra": RED, "wrong": RED, "unsure": AMBER}
LACKING = ("missing", "wrong", "unsure")
LIST_WIDTH = 120
"""Of the list beside an open box, in units that grow with the picture."""
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

PASSED = {
    Check.INTEGRITY: "packaging whole",
    Check.CONTENTS: "contents complete",
    Check.MARKS: "marks in place",
    Check.LABEL: "label right",
}


@dataclass(frozen=True, slots=True)
class _Named:
    """A box to draw with its name. unit: how large lines and letters are."""

    box: Box
    text: str
    colour: RGB
    unit: float


def draw(frame: Frame, verdict: Verdict, index: int = 0, shown: Mapping[str, Pixels] | None = None) -> Pixels:
    """A copy of the picture with parcel, findings, marks, codes and items of picture `index` drawn in.

    shown: by item, a picture of it, uint8 (h, w, 3) BGR, for those that are not all in the box (`Inspector.shown`).
    uint8 (h + strip, w + list, 3) BGR: the verdict and its reasons stand on a strip below the picture, items that are
    missing or doubtful in a list beside it, so that they hide nothing. Lines and letters grow with the picture.
    """
    height, width = frame.bgr.shape[:2]
    unit = max(1.0, min(width, height) / 360)
    lacking = [item for item in verdict.checks[Check.CONTENTS].items if item.result in LACKING]
    beside = round(LIST_WIDTH * unit) if lacking and frame.stage is Stage.OPEN else 0
    canvas = Image.new("RGB", (width + beside, height + round(26 * unit)), INK)
    canvas.paste(Image.fromarray(np.ascontiguousarray(frame.bgr[:, :, ::-1])))
    pen = ImageDraw.Draw(canvas)
    colour = COLOURS[verdict.decision]
    named = list[_Named]()
    for number, parcel in enumerate(p for p in verdict.parcels if p.frame == index):
        pen.rectangle(_corners(parcel.box), outline=colour if number == 0 else GREY, width=round(2 * unit))
    for mark in verdict.checks[Check.MARKS].marks:
        if mark.frame == index:
            named.append(_Named(mark.box, mark.mark.replace("_", " "), BLUE, unit))
    for code in verdict.checks[Check.LABEL].codes:
        if code.frame == index:
            named.append(_Named(code.box, code.text[:24], BLUE, unit))
    for item in verdict.checks[Check.CONTENTS].items:
        for box in item.boxes if item.frame == index else ():
            named.append(_Named(box, _called(item), _of(item), unit))
    for check in verdict.checks.values():
        for finding in check.findings:
            if finding.frame == index and finding.box is not None:
                kind = finding.kind.replace("_", " ")
                named.append(_Named(finding.box, kind, _colour(check.result), 1.4 * unit))
    _name(pen, named, (width, height))
    if beside:
        _list(canvas, (width, 0, width + beside, height), lacking, shown or {}, unit)
    _strip(pen, height, canvas.size, verdict, unit)
    return np.ascontiguousarray(np.asarray(canvas, np.uint8)[:, :, ::-1])


def _called(item: ItemSeen) -> str:
    """The item's name as it stands at its box; doubt is said, and that something else lies there."""
    return f"{item.item}?" if item.result == "unsure" else f"not {item.item}" if item.result == "wrong" else item.item


def _list(
    canvas: Image.Image,
    room: tuple[int, int, int, int],
    lacking: Sequence[ItemSeen],
    shown: Mapping[str, Pixels],
    unit: float,
) -> None:
    """What is not surely in the box, each with its picture where there is one; how many more when room ends."""
    left, top, right, bottom = room
    pen, font, gap = ImageDraw.Draw(canvas), _font(round(11 * unit)), round(6 * unit)
    pen.rectangle((left, top, right, bottom), fill=PAPER)
    line, side = round(15 * unit), round(46 * unit)
    y = top + gap
    for number, item in enumerate(lacking):
        tall = line + (side if item.item in shown else 0) + gap
        others = line if number < len(lacking) - 1 else 0  # room to tell that there are more
        if number and y + tall + others > bottom:  # the first is named on the smallest picture too
            pen.text((left + gap, y), f"and {len(lacking) - number} more", font=font, fill=INK)
            break
        count = f"{item.found} of {item.expected} " if item.expected > 1 else ""
        name = f"{item.result}: {count}{item.item}"
        pen.text((left + gap, y), _short(pen, name, right - left - 2 * gap, font), font=font, fill=_of(item))
        if item.item in shown:
            picture = Image.fromarray(np.ascontiguousarray(shown[item.item][:, :, ::-1]))
            picture.thumbnail((right - left - 2 * gap, side))
            canvas.paste(picture, (left + gap, y + line))
        y += tall


def _of(item: ItemSeen) -> RGB:
    return ITEM_COLOURS.get(item.result, AMBER)


def _short(pen: ImageDraw.ImageDraw, text: str, width: float, font: Font) -> str:
    """The text, or as much of it as the width holds."""
    while len(text) > 1 and pen.textlength(text, font=font) > width:
        text = text.removesuffix("…")[:-1].rstrip(" ;,.") + "…"
    return text


def encode_jpeg(bgr: Pixels, quality: int = 85) -> bytes:
    """Pixels (h, w, 3) BGR -> JPEG file."""
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"cannot write a picture of shape {bgr.shape} as JPEG")
    return bytes(data)


def _colour(result: Result) -> RGB:
    return RED if result is Result.FAIL else AMBER


def _corners(box: Box) -> tuple[float, float, float, float]:
    x, y, w, h = box
    return x, y, x + w, y + h


def _name(pen: ImageDraw.ImageDraw, named: Sequence[_Named], room: tuple[int, int]) -> None:
    """Boxes with their names on filled tags, each where it hides no other as far as there is room.

    room: width and height of the picture. Those named last have the first choice.
    """
    for one in named:
        pen.rectangle(_corners(one.box), outline=one.colour, width=round(2 * one.unit))
    taken = list[Box]()
    for one in reversed(named):
        font, unit = _font(round(11 * one.unit)), one.unit
        left, top, right, bottom = pen.textbbox((0, 0), one.text, font=font)
        size = right - left + 6 * unit, bottom - top + 5 * unit
        x, y, w, h = tag = min(_beside(one.box, size, room), key=lambda place: sum(shared(place, t) for t in taken))
        taken.append(tag)
        pen.rectangle((x, y, x + w, y + h), fill=one.colour)
        pen.text((x + 3 * unit - left, y + 2 * unit - top), one.text, font=font, fill="white")


def _beside(box: Box, size: tuple[float, float], room: tuple[int, int]) -> list[Box]:
    """Where a box's tag may stand, best first: above it, within it at the top, below it, within it at the bottom; from
    its left edge, then up to its right edge.
    """
    (x, y, w, h), (wide, high) = box, size
    most = max(0.0, room[0] - wide)
    across = [min(most, max(0.0, at)) for at in (x, x + w - wide)]
    down = [at for at in (y - high, y, y + h, y + h - high) if 0 <= at <= room[1] - high] or [max(0.0, y)]
    return [(left, top, wide, high) for left in across for top in down]


def _strip(pen: ImageDraw.ImageDraw, top: int, size: tuple[int, int], verdict: Verdict, unit: float) -> None:
    """The verdict's word on its colour, then why, on one line."""
    word, small = _font(round(17 * unit)), _font(round(12 * unit))
    middle, width = (top + size[1]) / 2, pen.textlength(verdict.decision.upper(), font=word) + 16 * unit
    pen.rectangle((0, top, width, size[1]), fill=COLOURS[verdict.decision])
    pen.text((8 * unit, middle), verdict.decision.upper(), font=word, fill="white", anchor="lm")
    told = "; ".join(verdict.reasons) or ", ".join(
        said for check, said in PASSED.items() if verdict.checks[check].result is Result.PASS
    )
    told = _short(pen, told, size[0] - width - 12 * unit, small)
    pen.text((width + 6 * unit, middle), told, font=small, fill="white", anchor="lm")


@cache
def _font(size: int) -> Font:
    return ImageFont.load_default(size)
