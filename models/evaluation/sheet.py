"""The worst mistakes on one picture: what was judged, how, and where the eye was looking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from inspector import FrameError, decode
from inspector.annotate import AMBER, BLUE, GREEN, GREY, INK, RED
from inspector.frame import Pixels
from inspector.verdict import Box, Result
from models.evaluation.boxes import invented
from models.evaluation.parcels import is_wrong, with_invented, worst_damaged, worst_intact
from models.evaluation.seen import Seen

WIDE, HIGH, CAPTION, HEADING, GAP = 240, 180, 36, 34, 8
COLUMNS = 5
PAPER = (250, 250, 248)
COLOURS = {Result.PASS: GREEN, Result.FAIL: RED, Result.UNSURE: AMBER, Result.SKIPPED: GREY}
"""Of the box around the judged parcel: what the check said. The word stands in the caption."""


def contact_sheet(seen: Sequence[Seen], title: str, read: Callable[[Seen], bytes] | None = None) -> Pixels:
    """Up to ten pictures of each kind of mistake, worst first: uint8 (h, w, 3) BGR.

    Each tile shows the picture with the judged parcel (and invented marks) drawn in, and below it the probability of
    damage, the check's answer and the file; on red where that answer is wrong.
    read: the bytes of a picture's file; by default from its path.
    """
    read = read or (lambda s: s.photo.path.read_bytes())
    looked = any(s.photo.marks_checked for s in seen)
    rows = [
        ("Intact, in order of how damaged they look", worst_intact(seen), "no intact picture with a parcel"),
        ("Damaged, in order of how intact they look", worst_damaged(seen), "no damaged picture"),
        ("Marks seen where there are none", with_invented(seen), "none" if looked else "nobody looked"),
    ]
    heights = [HEADING + (-(-len(found) // COLUMNS)) * (HIGH + CAPTION + GAP) for _, found, _ in rows]
    sheet = Image.new("RGB", (GAP + COLUMNS * (WIDE + GAP), HEADING + sum(heights) + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, HEADING / 2), title, font=_font(17), fill=INK, anchor="lm")
    top = HEADING
    for (heading, found, nothing), height in zip(rows, heights, strict=True):
        told = heading if found else f"{heading}: {nothing}"
        pen.text((GAP, top + HEADING / 2), told, font=_font(14), fill=INK, anchor="lm")
        for i, s in enumerate(found):
            left = GAP + i % COLUMNS * (WIDE + GAP)
            _tile(sheet, pen, s, read(s), left, top + HEADING + i // COLUMNS * (HIGH + CAPTION + GAP))
        top += height
    return np.ascontiguousarray(np.asarray(sheet, np.uint8)[:, :, ::-1])


def _tile(sheet: Image.Image, pen: ImageDraw.ImageDraw, seen: Seen, data: bytes, left: int, top: int) -> None:
    try:
        bgr = decode(data, name=seen.photo.name).bgr
    except FrameError:  # it could be read when it was judged; the sheet does without the pixels
        bgr = np.full((HIGH, WIDE, 3), 128, np.uint8)
    height, width = bgr.shape[:2]
    scale = min(WIDE / width, HIGH / height)
    small = cv2.resize(bgr, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
    x, y = left + (WIDE - small.shape[1]) // 2, top + (HIGH - small.shape[0]) // 2
    pen.rectangle((left, top, left + WIDE - 1, top + HIGH - 1), fill=(225, 225, 222))
    sheet.paste(Image.fromarray(np.ascontiguousarray(small[:, :, ::-1])), (x, y))
    if seen.main:
        pen.rectangle(_on_tile(seen.main, scale, x, y), outline=COLOURS[seen.result], width=2)
    wrong = invented(seen)
    for mark in wrong:
        pen.rectangle(_on_tile(mark.box, scale, x, y), outline=BLUE, width=2)
    score = "no parcel found" if seen.score is None else f"p = {seen.score:.3f}"
    said = ", ".join(f"{mark.mark.replace('_', ' ')} {mark.score:.2f}" for mark in wrong)
    answer = "" if seen.score is None else f"  {seen.result}"
    verdict = f"   {'missed' if seen.photo.damaged else 'false stop'}" if is_wrong(seen) else ""
    line = f"{score}{answer}{verdict}" + (f"   invented: {said}" if said else "")
    colour = RED if wrong or verdict else INK
    pen.rectangle((left, top + HIGH, left + WIDE - 1, top + HIGH + CAPTION - 1), fill=colour)
    pen.text((left + 5, top + HIGH + 10), _fitting(pen, line, WIDE - 10), font=_font(12), fill="white", anchor="lm")
    name = _fitting(pen, seen.photo.name, WIDE - 10)
    pen.text((left + 5, top + HIGH + 26), name, font=_font(12), fill="white", anchor="lm")


def _on_tile(box: Box, scale: float, x: int, y: int) -> tuple[float, float, float, float]:
    left, top, wide, high = (v * scale for v in box)
    return x + left, y + top, x + left + max(wide, 2), y + top + max(high, 2)


def _fitting(pen: ImageDraw.ImageDraw, text: str, width: float) -> str:
    """The text, its front cut away where it is too long: files differ at their end, and the mistake stands there."""
    cut = text
    while len(cut) > 1 and pen.textlength(cut, font=_font(12)) > width:
        cut = "…" + cut.removeprefix("…")[1:]
    return cut


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
