"""Handling marks drawn in the manner of ISO 780, as stickers or printed on the board. No third-party artwork."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from models.scenes.blender.paint import Array, Rng
from models.scenes.blender.typeface import fit

SIZE = 600
RED, WHITE, BLACK, ORANGE, YELLOW = (200, 22, 30), (252, 252, 250), (16, 16, 16), (238, 96, 24), (250, 212, 36)


class _Pen:
    """Draws in a square of 100 x 100 units on a mask (SIZE, SIZE)."""

    def __init__(self) -> None:
        self.image = Image.new("L", (SIZE, SIZE), 0)
        self.draw = ImageDraw.Draw(self.image)
        self.unit = SIZE / 100

    def shape(self, *points: tuple[float, float], ink: int = 255) -> None:
        self.draw.polygon([(x * self.unit, y * self.unit) for x, y in points], fill=ink)

    def bar(self, x0: float, y0: float, x1: float, y1: float, ink: int = 255) -> None:
        self.draw.rectangle([v * self.unit for v in (x0, y0, x1, y1)], fill=ink)

    def disc(self, x0: float, y0: float, x1: float, y1: float, ink: int = 255) -> None:
        self.draw.ellipse([v * self.unit for v in (x0, y0, x1, y1)], fill=ink)

    def line(self, *points: tuple[float, float], width: float = 3) -> None:
        self.draw.line([(x * self.unit, y * self.unit) for x, y in points], fill=255, width=int(width * self.unit))

    def arc(self, box: tuple[float, ...], start: float, end: float, width: float) -> None:
        self.draw.arc([v * self.unit for v in box], start, end, fill=255, width=int(width * self.unit))


def _fragile(pen: _Pen) -> None:
    pen.disc(26, -6, 74, 58)
    pen.bar(20, -8, 80, 6, 0)
    pen.bar(26, 6, 74, 26)
    pen.shape((47, 5), (56, 17), (49, 23), (57, 36), (51, 25), (59, 18), (53, 5), ink=0)
    pen.bar(46.5, 56, 53.5, 84)
    pen.shape((46, 78), (54, 78), (73, 91), (27, 91))
    pen.bar(27, 90, 73, 95)


def _this_way_up(pen: _Pen) -> None:
    for x in (30, 70):
        pen.shape((x - 18, 38), (x, 6), (x + 18, 38))
        pen.bar(x - 7, 36, x + 7, 78)
    pen.bar(10, 85, 90, 93)


def _keep_dry(pen: _Pen) -> None:
    pen.draw.pieslice([v * pen.unit for v in (12, 26, 88, 102)], 180, 360, fill=255)
    for scallop in range(4):
        pen.disc(12 + 19 * scallop, 59, 31 + 19 * scallop, 69, 0)
    pen.bar(48, 22, 52, 87)
    pen.arc((36, 78, 52, 95), 0, 180, 4)
    for x, y in ((20, 6), (38, 3), (58, 3), (78, 7), (9, 24), (90, 26)):
        pen.line((x, y), (x - 4, y + 13), width=3.2)


def _handle_with_care(pen: _Pen) -> None:
    pen.bar(33, 10, 67, 44)
    pen.bar(37.5, 14.5, 62.5, 39.5, 0)
    palm = [(7, 34), (16, 31), (27, 51), (48, 57), (48, 65), (30, 63), (48, 71), (48, 84), (24, 80), (8, 60)]
    pen.shape(*palm)
    pen.shape(*[(100 - x, y) for x, y in palm])


def _keep_away_from_sun(pen: _Pen) -> None:
    pen.disc(36, 4, 64, 32)
    for angle in np.linspace(0, 2 * np.pi, 13)[:-1]:
        x, y = float(np.cos(angle)), float(np.sin(angle))
        pen.line((50 + 18 * x, 18 + 18 * y), (50 + 28 * x, 18 + 28 * y))
    pen.shape((13, 63), (50, 42), (87, 63), (83, 69), (50, 51), (17, 69))
    pen.bar(33, 69, 67, 95)
    pen.bar(38, 74, 62, 95, 0)


def _stack_limit(pen: _Pen) -> None:
    pen.bar(20, 4, 80, 9)
    pen.bar(46, 9, 54, 24)
    pen.shape((33, 21), (67, 21), (50, 38))
    for y in (43, 67):
        pen.bar(28, y, 72, y + 22)
        pen.bar(33, y + 5, 67, y + 17, 0)
    pen.bar(20, 92, 80, 97)


DRAWN: dict[str, Callable[[_Pen], None]] = {
    "fragile": _fragile,
    "this_way_up": _this_way_up,
    "keep_dry": _keep_dry,
    "handle_with_care": _handle_with_care,
    "keep_away_from_sun": _keep_away_from_sun,
    "stack_limit": _stack_limit,
}
KINDS = (*DRAWN, "lithium_battery")
WORDS = {
    "fragile": (("FRAGILE", "HANDLE WITH CARE"), ("易碎物品", "小心轻放")),
    "this_way_up": (("THIS WAY UP", "DO NOT INVERT"), ("此面向上", "请勿倒置")),
    "keep_dry": (("KEEP DRY", "PROTECT FROM RAIN"), ("怕湿", "防潮防雨")),
    "handle_with_care": (("HANDLE WITH CARE", "THANK YOU"), ("小心轻放", "轻拿轻放")),
    "keep_away_from_sun": (("KEEP AWAY FROM HEAT", "STORE COOL"), ("怕晒", "避免日光")),
    "stack_limit": (("STACK MAX 4", "DO NOT OVERLOAD"), ("堆码层数极限 4", "请勿超限")),
}


@dataclass(frozen=True)
class Mark:
    """rgb (h, w, 3) float32 0..1, cover (h, w) 0..1, size in metres; `text` is what it says, empty for a pictogram."""

    kind: str
    style: str
    text: str
    size: tuple[float, float]
    rgb: Array
    cover: Array


def pictogram(kind: str, size: int) -> Array:
    """Ink 0..1 (size, size)."""
    pen = _Pen()
    DRAWN[kind](pen)
    return np.asarray(pen.image.resize((size, size), Image.Resampling.LANCZOS), np.float32) / 255


def sticker(kind: str, rng: Rng, *, chinese: bool = False, width: float = 0.09, layout: str | None = None) -> Mark:
    """A paper sticker `width` metres wide. Layouts: square, wide, tall, words."""
    if kind == "lithium_battery":
        return lithium_battery(rng, width)
    words, small = WORDS[kind][int(chinese)]
    layout = layout or str(rng.choice(["square", "wide", "tall", "words"], p=[0.3, 0.35, 0.15, 0.2]))
    ground, ink = ((RED, WHITE), (WHITE, RED), (ORANGE, BLACK), (YELLOW, BLACK), (WHITE, BLACK))[
        int(rng.choice(5, p=[0.4, 0.25, 0.1, 0.1, 0.15]))
    ]
    w, h = {"square": (620, 620), "wide": (900, 560), "tall": (560, 820), "words": (900, 420)}[layout]
    paper = Image.new("RGB", (w, h), ground)
    draw = ImageDraw.Draw(paper)
    draw.rounded_rectangle([18, 18, w - 19, h - 19], 22, outline=ink, width=9)

    def icon(x: float, y: float, side: float) -> None:
        ink_mask = Image.fromarray((pictogram(kind, int(side)) * 255).astype(np.uint8))
        paper.paste(Image.new("RGB", ink_mask.size, ink), (int(x), int(y)), ink_mask)

    if layout == "wide":
        icon(45, 90, h - 180)
        fit(draw, (h - 90, 120, w - 50, h * 0.55), words, ink)
        fit(draw, (h - 90, h * 0.64, w - 50, h * 0.78), small, ink, "sans")
    elif layout == "words":
        fit(draw, (60, 70, w - 60, h * 0.6), words, ink)
        fit(draw, (110, h * 0.68, w - 110, h * 0.84), small, ink, "sans")
    else:
        side = w * (0.62 if layout == "square" else 0.74)
        icon((w - side) / 2, 55, side)
        fit(draw, (60, 75 + side, w - 60, h - 60), words, ink)
    cover = np.zeros((h, w), np.uint8)
    cv2.rectangle(cover, (8, 0), (w - 9, h), 255, -1)
    cv2.rectangle(cover, (0, 8), (w, h - 9), 255, -1)
    return Mark(kind, "sticker", words, (width, width * h / w), _rgb(paper), cover.astype(np.float32) / 255)


def printed(kind: str, rng: Rng, ink: Array, *, width: float = 0.06) -> Mark:
    """Flexographic print straight on the board: a framed pictogram with uneven ink."""
    side = 480
    cover = np.zeros((side, side), np.float32)
    inner = pictogram(kind, side - 100)
    cover[50 : 50 + inner.shape[0], 50 : 50 + inner.shape[1]] = inner
    cv2.rectangle(cover, (8, 8), (side - 9, side - 9), 1.0, 12)
    grain = cv2.resize(rng.random((side // 3, side // 3)).astype(np.float32), (side, side))
    cover *= np.clip(0.94 - 0.45 * (grain > 0.93), 0, 1)
    return Mark(
        kind, "printed", "", (width, width), np.ones((side, side, 3), np.float32) * ink.astype(np.float32), cover
    )


def lithium_battery(rng: Rng, width: float) -> Mark:
    """The lithium battery mark: red hatched border, cells with a flame, the UN number."""
    w, h = 600, 600
    paper = Image.new("RGB", (w, h), WHITE)
    hatched = Image.new("RGB", (w, h), WHITE)
    draw = ImageDraw.Draw(hatched)
    for x in range(-h, w + h, 40):
        draw.line([(x, h), (x + h, 0)], fill=RED, width=19)
    border = Image.new("L", (w, h), 255)
    ImageDraw.Draw(border).rectangle([50, 50, w - 51, h - 51], fill=0)
    paper.paste(hatched, (0, 0), border)
    draw = ImageDraw.Draw(paper)
    draw.rectangle([50, 50, w - 51, h - 51], outline=RED, width=5)
    for x in (110, 180, 250):
        draw.rectangle([x, 200, x + 52, 340], fill=BLACK)
        draw.rectangle([x + 16, 184, x + 36, 200], fill=BLACK)
    draw.polygon([(338, 215), (470, 200), (478, 270), (402, 276), (410, 246), (340, 276)], fill=BLACK)
    draw.polygon([(338, 286), (410, 286), (482, 284), (480, 340), (338, 340)], fill=BLACK)
    draw.polygon([(398, 204), (366, 148), (392, 160), (402, 100), (424, 152), (450, 130), (434, 204)], fill=BLACK)
    number = f"UN{rng.choice([3480, 3481, 3090, 3091])}"
    fit(draw, (120, 385, w - 120, 470), number, BLACK)
    return Mark("lithium_battery", "sticker", number, (width, width * h / w), _rgb(paper), np.ones((h, w), np.float32))


def _rgb(image: Any) -> Array:
    return np.asarray(image, np.float32) / 255
