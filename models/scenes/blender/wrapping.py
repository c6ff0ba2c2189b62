"""What is printed on all sides of a ware in one style: fronts, backs, bands, patterns."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp
from PIL import Image, ImageDraw

from models.scenes.blender.artwork import BRANDS, LINES, NAMES, emblem
from models.scenes.blender.label import symbol
from models.scenes.blender.paint import Array, Rng, noise
from models.scenes.blender.typeface import fit

FACES = ("bold", "sans", "heavy", "mono")
TEXELS = 320
"""Of a print's longer side."""


@dataclass
class Style:
    """What is the same on all sides of a ware. inks: sRGB 0..1, (n, 3), the first its ground. name: what it is called.
    face: its typeface. gloss: how rough its print is, 0..1.
    """

    inks: Array
    name: str
    face: str
    gloss: float
    rng: Rng

    @classmethod
    def of(cls, rng: Rng) -> Style:
        """One ware's style; white, black and grey are about as usual for its ground as one strong colour."""
        inks = np.stack([_ink(rng) for _ in range(int(rng.integers(2, 6)))])
        name = str(rng.choice(NAMES + BRANDS))
        return cls(inks, name, str(rng.choice(FACES)), float(rng.uniform(0.08, 0.8)), rng)

    def ink(self, but: int | None = None) -> Array:
        """One of the inks, at random, not number `but`."""
        numbers = [i for i in range(len(self.inks)) if i != but]
        return np.asarray(self.inks[int(self.rng.choice(numbers))])


def _ink(rng: Rng) -> Array:
    if rng.random() < 0.4:
        return np.asarray(np.clip(rng.choice([0.06, 0.25, 0.55, 0.8, 0.93]) + rng.normal(0, 0.04, 3), 0.01, 0.97))
    hsv = np.array([[[rng.uniform(0, 360), rng.uniform(0.15, 0.95), rng.uniform(0.15, 0.95)]]], np.float32)
    return np.asarray(np.clip(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float64), 0.01, 0.97))


def art(style: Style, proportion: float, side: str) -> Array:
    """One side, (h, w, 3) uint8: `front` with name and picture, `back` with text and bars, `band` in between.

    proportion: width by height.
    """
    rng = style.rng
    w, h = (TEXELS, round(TEXELS / proportion)) if proportion > 1 else (round(TEXELS * proportion), TEXELS)
    w, h = max(24, w), max(24, h)
    sheet = np.ones((h, w, 3), np.float32) * style.inks[0].astype(np.float32)
    if rng.random() < 0.35:
        sheet = patterned(sheet, style)
    for _ in range(int(rng.integers(0, 4 if side == "front" else 2))):
        _shape(sheet, style)
    if side == "front" and rng.random() < 0.6:
        _picture(sheet, style)
    page = Image.fromarray((np.clip(sheet, 0, 1) * 255).astype(np.uint8))
    if side == "front" or (side == "band" and rng.random() < 0.7):
        _named(page, style)
    if side == "back" or rng.random() < 0.25:
        _small_print(page, style)
    return np.asarray(page)


def patterned(sheet: Array, style: Style) -> Array:
    """Stripes, checks, dots, clouds or a slope of another ink over a sheet (h, w, 3)."""
    rng = style.rng
    h, w = sheet.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    turn = float(rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)]))
    a, b = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    pitch = float(np.exp(rng.uniform(np.log(6), np.log(90))))
    kind = int(rng.integers(6))
    cover: Array
    if kind == 0:
        cover = np.asarray(np.sin(2 * np.pi * a / pitch) > rng.uniform(-0.7, 0.7), np.float32)
    elif kind == 1:
        cover = np.asarray((np.sin(2 * np.pi * a / pitch) > 0.3) | (np.sin(2 * np.pi * b / pitch) > 0.3), np.float32)
    elif kind == 2:
        cover = np.asarray(
            np.sin(2 * np.pi * a / pitch) * np.sin(2 * np.pi * b / pitch) > rng.uniform(0.2, 0.8), np.float32
        )
    elif kind == 3:
        cover = np.asarray(noise((h, w), float(rng.uniform(3, 14)), rng, 3) > rng.uniform(-0.4, 0.6), np.float32)
    elif kind == 4:
        cover = np.clip((a - a.min()) / max(1.0, float(np.ptp(a))), 0, 1)
    else:
        cover = np.clip(0.5 + 0.5 * noise((h, w), float(rng.uniform(6, 40)), rng, 3), 0, 1) * 0.6
    return np.asarray(sheet + cover[..., None] * (style.ink(0) - sheet), np.float32)


def _shape(sheet: Array, style: Style) -> None:
    rng = style.rng
    h, w = sheet.shape[:2]
    ink = tuple(float(v) for v in style.ink())
    spot = (int(rng.uniform(0, w)), int(rng.uniform(0, h)))
    kind = int(rng.integers(4))
    if kind == 0:
        cv2.circle(sheet, spot, int(rng.uniform(0.1, 0.45) * min(w, h)), ink, -1, cv2.LINE_AA)
    elif kind == 1:
        corner = (int(spot[0] + rng.uniform(0.1, 0.8) * w), int(spot[1] + rng.uniform(0.1, 0.5) * h))
        cv2.rectangle(sheet, spot, corner, ink, -1)
    elif kind == 2:
        low = int(rng.uniform(0, h))
        cv2.rectangle(sheet, (0, low), (w, low + int(rng.uniform(0.08, 0.4) * h)), ink, -1)
    else:
        points = (rng.uniform(-0.1, 1.1, (int(rng.integers(3, 6)), 2)) * [w, h]).astype(np.int32)
        cv2.fillPoly(sheet, [points], ink, cv2.LINE_AA)


def _picture(sheet: Array, style: Style) -> None:
    """Soft shaded bodies, as a photo of what is inside, or a device."""
    rng = style.rng
    h, w = sheet.shape[:2]
    if rng.random() < 0.3:
        side = int(rng.uniform(0.25, 0.8) * min(h, w))
        mark = cv2.resize(np.asarray(emblem(rng), np.float32), (side, side))
        x, y = int(rng.uniform(0, w - side)), int(rng.uniform(0, h - side))
        place = sheet[y : y + side, x : x + side]
        place += mark[..., None] * (style.ink(0).astype(np.float32) - place)
        return
    y, x = np.mgrid[:h, :w].astype(np.float32) / max(h, w)
    middle = rng.uniform(0.25, 0.75, 2) * [w, h] / max(h, w)
    tone = _ink(rng)
    for _ in range(int(rng.integers(1, 7))):
        centre = middle + rng.normal(0, 0.12, 2)
        size = rng.uniform(0.04, 0.28, 2)
        turn = rng.uniform(0, np.pi)
        u, v = x - centre[0], y - centre[1]
        a = (u * np.cos(turn) + v * np.sin(turn)) / size[0]
        b = (v * np.cos(turn) - u * np.sin(turn)) / size[1]
        cover = np.clip((1 - np.hypot(a, b)) * 12, 0, 1)[..., None]
        light = np.clip(1.05 - 0.45 * (a + b) / 1.4, 0.35, 1.5)[..., None]
        shade = np.clip(np.clip(tone + rng.normal(0, 0.12, 3), 0.02, 0.97) * light, 0, 1)
        sheet += (cover * (shade - sheet)).astype(np.float32)


def _named(page: Image.Image, style: Style) -> None:
    rng = style.rng
    w, h = page.size
    draw = ImageDraw.Draw(page)
    top = float(rng.uniform(0.03, 0.65)) * h
    tall = float(rng.uniform(0.1, 0.3)) * h
    left = float(rng.uniform(0.03, 0.2)) * w
    back = np.asarray(page)[int(top) : int(top + tall)].mean() / 255 if tall >= 1 else 0.5
    fill = (24, 24, 28) if back > 0.5 else (245, 244, 240)
    if rng.random() < 0.4:
        red, green, blue = (int(255 * v) for v in style.ink(0))
        fill = red, green, blue
    fit(draw, (left, top, w - left, top + tall), style.name, fill, style.face)
    if rng.random() < 0.7:
        fit(draw, (left, top + 1.1 * tall, w - left, top + 1.5 * tall), str(rng.choice(LINES)), fill, "sans")


def _small_print(page: Image.Image, style: Style) -> None:
    rng = style.rng
    w, h = page.size
    draw = ImageDraw.Draw(page)
    ground = style.inks[0].mean() > 0.5
    fill = (30, 30, 34) if ground else (235, 235, 230)
    line = float(rng.uniform(0.025, 0.06)) * h
    y = float(rng.uniform(0.05, 0.4)) * h
    wide = float(rng.uniform(0.4, 0.9)) * w
    for _ in range(int(rng.integers(3, 10))):
        words = " ".join(str(rng.choice(LINES)) for _ in range(2))
        fit(draw, (0.05 * w, y, 0.05 * w + wide * rng.uniform(0.6, 1), y + line), words, fill, "sans", align="left")
        y += 1.35 * line
    if rng.random() < 0.7:
        across = int(max(20, rng.uniform(0.25, 0.6) * w))
        bars = symbol(f"{rng.integers(10**12):012d}", zxingcpp.BarcodeFormat.Code128, 2).convert("RGB")
        at = (int(rng.uniform(0, max(1, w - across))), int(rng.uniform(0.5, 0.85) * h))
        page.paste(bars.resize((across, max(8, int(0.4 * across)))), at)
