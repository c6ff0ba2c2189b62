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
GREEN, RED, AMBER, BLUE = (22, 128, 60), (196, 30, 30), (190, 110, 0), (20, 90, 190)
INK, GREY = (20, 24, 28), (150, 150, 150)
COLOURS: dict[Decision, RGB] = {Decision.RELEASE: GREEN, Decision.HOLD: RED, Decision.RETAKE: AMBER}
"""IEC 60073: red act now, amber abnormal, green normal. The word beside it says the same for who cannot tell them."""

PASSED = {
    Check.INTEGRITY: "packaging whole",
    Check.CONTENTS: "contents complete",
    Check.MARKS: "marks in place",
    Check.LABEL: "label right",
}


def draw(frame: Frame, verdict: Verdict, index: int = 0) -> Pixels:
    """A copy of the picture with parcel, findings, marks and codes of picture `index` drawn in.

    uint8 (h + strip, w, 3) BGR: the verdict and its reasons stand on a strip below the picture, so that they hide
    nothing. Lines and letters grow with the picture.
    """
    height, width = frame.bgr.shape[:2]
    unit = max(1.0, min(width, height) / 360)
    canvas = Image.new("RGB", (width, height + round(26 * unit)), INK)
    canvas.paste(Image.fromarray(np.ascontiguousarray(frame.bgr[:, :, ::-1])))
    pen = ImageDraw.Draw(canvas)
    colour = COLOURS[verdict.decision]
    for number, parcel in enumerate(p for p in verdict.parcels if p.frame == index):
        pen.rectangle(_corners(parcel.box), outline=colour if number == 0 else GREY, width=round(2 * unit))
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
    _strip(pen, height, canvas.size, verdict, unit)
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


def _strip(pen: ImageDraw.ImageDraw, top: int, size: tuple[int, int], verdict: Verdict, unit: float) -> None:
    """The verdict's word on its colour, then why, on one line."""
    word, small = _font(round(17 * unit)), _font(round(12 * unit))
    middle, width = (top + size[1]) / 2, pen.textlength(verdict.decision.upper(), font=word) + 16 * unit
    pen.rectangle((0, top, width, size[1]), fill=COLOURS[verdict.decision])
    pen.text((8 * unit, middle), verdict.decision.upper(), font=word, fill="white", anchor="lm")
    told = "; ".join(verdict.reasons) or ", ".join(
        said for check, said in PASSED.items() if verdict.checks[check].result is Result.PASS
    )
    while len(told) > 1 and pen.textlength(told, font=small) > size[0] - width - 12 * unit:
        told = told.removesuffix("…")[:-1].rstrip(" ;,.") + "…"
    pen.text((width + 6 * unit, middle), told, font=small, fill="white", anchor="lm")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
