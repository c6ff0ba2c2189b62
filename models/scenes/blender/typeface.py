"""Typefaces of this machine, found with fontconfig, and text fitted into a box."""

from __future__ import annotations

import subprocess
from functools import cache

from PIL import ImageDraw, ImageFont

FACES = {
    "bold": "DejaVu Sans:bold",
    "sans": "Liberation Sans",
    "heavy": "Liberation Sans:bold",
    "mono": "DejaVu Sans Mono:bold",
    "han": "Noto Sans CJK SC",
    "han_bold": "Noto Sans CJK SC:bold",
}
Box = tuple[float, float, float, float]


@cache
def _found(pattern: str) -> tuple[str, int]:
    command = ["fc-match", "-f", "%{file}|%{index}", pattern]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  a fixed command
    file, index = answer.split("|")
    return file, int(index)


@cache
def typeface(kind: str, size: int) -> ImageFont.FreeTypeFont:
    """A typeface of FACES at a size in pixels."""
    file, index = _found(FACES[kind])
    return ImageFont.truetype(file, max(4, size), index=index)


def is_han(text: str) -> bool:
    """True when the text needs a Chinese typeface."""
    return any(ord(letter) > 0x2E80 for letter in text)


def fit(
    draw: ImageDraw.ImageDraw, box: Box, text: str, fill: object, kind: str = "bold", align: str = "centre"
) -> None:
    """Write one line as large as it fits into box (x0, y0, x1, y1)."""
    if is_han(text) and not kind.startswith("han"):
        kind = "han" if kind == "sans" else "han_bold"
    width, height = box[2] - box[0], box[3] - box[1]
    size = height
    left, top, right, bottom = draw.textbbox((0, 0), text, font=typeface(kind, int(size)))
    size *= min(width / max(1, right - left), height / max(1, bottom - top))
    face = typeface(kind, int(size))
    left, top, right, bottom = draw.textbbox((0, 0), text, font=face)
    x = box[0] + ((width - right + left) / 2 if align == "centre" else 0) - left
    draw.text((x, box[1] + (height - bottom + top) / 2 - top), text, font=face, fill=fill)  # type: ignore[arg-type]  # PIL's colour
