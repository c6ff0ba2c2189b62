"""Pictures for people: what was found, drawn on the frame it was found in."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from inspector.frame import Frame, Pixels
from inspector.spec import Check
from inspector.verdict import Box, Decision, Result, Verdict

RGB = tuple[int, int, int]
GREEN, RED, AMBER, BLUE, INK = (22, 128, 60), (196, 30, 30), (190, 110, 0), (20, 90, 190), (20, 24, 28)
COLOURS: dict[Decision, RGB] = {Decision.RELEASE: GREEN, Decision.HOLD: RED, Decision.RETAKE: AMBER}
"""IEC 60073: red act now, amber abnormal, green normal. The word beside it says the same for who cannot tell them."""


def draw(frame: Frame, verdict: Verdict, index: int = 0) -> Pixels:
    """A copy of the picture, uint8 (h, w, 3) BGR, with parcel, findings, marks and codes of picture `index` drawn in.

    The picture keeps its size; lines and letters grow with it. The verdict stands below the picture's upper edge.
    """
    canvas = Image.fromarray(np.ascontiguousarray(frame.bgr[:, :, ::-1]))
    pen = ImageDraw.Draw(canvas)
    unit = max(1.0, min(canvas.size) / 360)
    colour = COLOURS[verdict.decision]
    for number, parcel in enumerate(p for p in verdict.parcels if p.frame == index):
        pen.rectangle(_corners(parcel.box), outline=colour if number == 0 else (150, 150, 150), width=round(2 * unit))
    for mark in verdict.checks[Check.MARKS].marks:
        if mark.frame == index:
            _boxed(pen, mark.box, mark.mark.replace("_", " "), BLUE, unit)
    for code in verdict.checks[Check.LABEL].codes:
        if code.frame == index:
            _boxed(pen, code.box, code.text[:24], BLUE, unit)
    for check in verdict.checks.values():
        for finding in check.findings:
            if finding.frame == index and finding.box is not None:
                _boxed(pen, finding.box, finding.kind.replace("_", " "), _colour(check.result), 1.4 * unit)
    _banner(pen, canvas.size, verdict, colour, unit)
    return np.ascontiguousarray(np.asarray(canvas, np.uint8)[:, :, ::-1])


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


def _boxed(pen: ImageDraw.ImageDraw, box: Box, text: str, colour: RGB, unit: float) -> None:
    """A box with its name on a filled tag, above the box where there is room."""
    pen.rectangle(_corners(box), outline=colour, width=round(2 * unit))
    font = _font(round(11 * unit))
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    width, height = right - left + 6 * unit, bottom - top + 5 * unit
    x = max(0.0, min(box[0], pen.im.size[0] - width))
    y = box[1] - height if box[1] >= height else box[1]
    pen.rectangle((x, y, x + width, y + height), fill=colour)
    pen.text((x + 3 * unit - left, y + 2 * unit - top), text, font=font, fill="white")


def _banner(pen: ImageDraw.ImageDraw, size: tuple[int, int], verdict: Verdict, colour: RGB, unit: float) -> None:
    """The verdict's word and its first reason, on one line at the lower edge."""
    font, small = _font(round(17 * unit)), _font(round(12 * unit))
    word = verdict.decision.upper()
    height = 26 * unit
    top = size[1] - height
    width = pen.textlength(word, font=font) + 16 * unit
    pen.rectangle((0, top, size[0], size[1]), fill=INK)
    pen.rectangle((0, top, width, size[1]), fill=colour)
    pen.text((8 * unit, top + height / 2), word, font=font, fill="white", anchor="lm")
    told = "; ".join(verdict.reasons) or "whole, marked and labelled as asked"
    while told and pen.textlength(told, font=small) > size[0] - width - 12 * unit:
        told = told[:-2].rstrip(" ;,.") + "…" if not told.endswith("…") else told[:-3] + "…"
    pen.text((width + 6 * unit, top + height / 2), told, font=small, fill="white", anchor="lm")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
