"""What is printed on an undamaged carton: brands, patterns, pictures, small print.

All of it is painted into the liner, so it bends, tears and soaks with the board. None of it is damage: these are the
things that a judge of damage must learn to overlook.
"""

from __future__ import annotations

import cv2
import numpy as np
import zxingcpp
from PIL import Image, ImageDraw

from models.scenes.blender.carton import Carton
from models.scenes.blender.label import TOWNS, symbol
from models.scenes.blender.paint import Array, Rng, Surface, noise
from models.scenes.blender.typeface import fit

BRANDS = (
    "NORDVELA", "Kestrel & Co", "OAKLINE", "Brightfold", "TERRAVOX", "mellow", "HAUSER 24", "Lumen", "PAKERIA", "VITA+",
    "Fable Foods", "ORBITA", "Stillwater", "QUADRANT", "zephyr", "BIRCH", "Solano Wines", "Marlowe",
    "优选家居", "山月茶",
)  # fmt: skip
LINES = (
    "OPEN HERE", "This box is 100% recyclable", "Please reuse or recycle", "MADE OF RECYCLED BOARD", "GROSS WT 12.4 KG",
    "QTY: 24 PCS", "CARTON NO. 3 / 8", "LOT 20931", "KEEP FROZEN", "DO NOT BEND", "Thank you!",
    "净重 8.5KG", "www.oakline.example",
)  # fmt: skip
INKS = (
    (0.08, 0.07, 0.07), (0.10, 0.20, 0.45), (0.62, 0.08, 0.10), (0.05, 0.36, 0.22), (0.85, 0.42, 0.05),
    (0.22, 0.08, 0.32), (0.93, 0.92, 0.90), (0.02, 0.45, 0.60),
)  # fmt: skip


def paste(
    surface: Surface, rgb: Array, cover: Array, at: tuple[float, float], width: float, turn: float = 0.0, *,
    rough: float | None = None, relief: float = 0.0,
) -> None:  # fmt: skip
    """Paint a picture (h, w, 3) with cover (h, w) 0..1, `width` metres wide, at metres from the surface's middle."""
    high, wide = surface.rough.shape
    per = 1 / surface.metres_per_texel
    scale = width * per / rgb.shape[1]
    if scale < 1:
        rgb, cover = (cv2.resize(v, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for v in (rgb, cover))
        scale = 1.0
    c, s = np.cos(turn) * scale, np.sin(turn) * scale
    mix = np.array([[c, s], [-s, c]])
    middle = np.array([wide / 2 + at[0] * per, high / 2 - at[1] * per])
    shift = middle - mix @ np.array([rgb.shape[1] / 2, rgb.shape[0] / 2])
    matrix = np.column_stack([mix, shift])
    over = cv2.warpAffine(np.ascontiguousarray(cover, np.float32), matrix, (wide, high))
    laid = cv2.warpAffine(np.ascontiguousarray(rgb, np.float32), matrix, (wide, high), borderMode=cv2.BORDER_REPLICATE)
    surface.tint(over, laid)
    if rough is not None:
        surface.rough += over * (rough - surface.rough)
    surface.relief += relief * over


def lettering(text: str, kind: str, height: int = 160) -> Array:
    """Ink 0..1 (height, w) of one line."""
    wide = int(height * (0.9 * len(text) + 0.6)) if text.isascii() else int(height * (1.2 * len(text) + 0.4))
    image = Image.new("L", (wide, height), 0)
    fit(ImageDraw.Draw(image), (4, 8, wide - 4, height - 8), text, 255, kind)
    cover = np.asarray(image, np.float32) / 255
    columns = np.flatnonzero(cover.any(0))
    return np.asarray(cover[:, max(0, columns[0] - 3) : columns[-1] + 4])


def flat(cover: Array, ink: tuple[float, float, float]) -> Array:
    """One ink as a picture."""
    return np.ones((*cover.shape, 3), np.float32) * np.array(ink, np.float32)


def worn(cover: Array, rng: Rng) -> Array:
    """Flexographic ink does not cover evenly."""
    return np.asarray(cover * np.clip(0.88 + 0.07 * noise(cover.shape, 24, rng, 2), 0, 1), np.float32)


def brand(surface: Surface, room: tuple[float, float], ink: tuple[float, float, float], rng: Rng) -> None:
    """Large words, sometimes with a device over or beside them."""
    text = str(rng.choice(BRANDS))
    cover = lettering(text, str(rng.choice(["bold", "heavy", "sans"])))
    width = min(float(rng.uniform(0.4, 0.9)) * room[0], 0.6 * room[1] * cover.shape[1] / cover.shape[0])
    turn = 0.0
    if rng.random() < 0.12:
        turn, width = float(rng.choice([np.pi / 2, -np.pi / 2])), min(width, 0.8 * room[1])
    at = (float(rng.uniform(-0.1, 0.1)) * room[0], float(rng.uniform(-0.25, 0.2)) * room[1])
    paste(surface, flat(cover, ink), worn(cover, rng), at, width, turn)
    if rng.random() < 0.5:
        device = emblem(rng)
        side = float(rng.uniform(0.18, 0.5)) * min(room)
        spot = (float(rng.uniform(-0.35, 0.35)) * room[0], float(rng.choice([-1, 1])) * 0.28 * room[1])
        paste(surface, flat(device, ink), worn(device, rng), spot, side, float(rng.normal(0, 0.02)))


def emblem(rng: Rng) -> Array:
    """A made-up device: ink 0..1 (300, 300)."""
    image = np.zeros((300, 300), np.uint8)
    kind = int(rng.integers(6))
    if kind == 0:  # an arc with an end like an arrow
        cv2.ellipse(image, (150, 60), (130, 120), 0, 20, 160, 255, 22, cv2.LINE_AA)
        cv2.fillPoly(image, [np.array([(250, 60), (290, 130), (215, 120)])], 255)
    elif kind == 1:
        for radius in range(140, 10, -36):
            cv2.circle(image, (150, 150), radius, 255 if (radius // 36) % 2 else 0, -1, cv2.LINE_AA)
    elif kind == 2:
        cv2.fillPoly(image, [np.array([(150, 10), (280, 270), (150, 200), (20, 270)])], 255)
    elif kind == 3:
        points = [
            (150 + r * np.cos(t), 150 + r * np.sin(t))
            for t, r in zip(np.linspace(0, 2 * np.pi, 24, endpoint=False), [140, 75] * 12, strict=True)
        ]
        cv2.fillPoly(image, [np.array(points, np.int32)], 255, cv2.LINE_AA)
    elif kind == 4:
        for x in range(20, 290, 50):
            cv2.rectangle(image, (x, 20), (x + 26, 280), 255, -1)
    else:
        cv2.circle(image, (150, 150), 140, 255, 14, cv2.LINE_AA)
        cv2.ellipse(image, (150, 150), (60, 110), float(rng.uniform(0, 90)), 0, 360, 255, -1, cv2.LINE_AA)
    return np.asarray(image, np.float32) / 255


def small_print(surface: Surface, room: tuple[float, float], ink: tuple[float, float, float], rng: Rng) -> None:
    """Lines of text, a stock number with its bars, a maker's round stamp."""
    for _ in range(int(rng.integers(1, 4))):
        what = rng.random()
        at = (float(rng.uniform(-0.38, 0.38)) * room[0], float(rng.uniform(-0.4, 0.4)) * room[1])
        if what < 0.6:
            cover = lettering(str(rng.choice(LINES)), str(rng.choice(["sans", "heavy", "mono"])), 80)
            width = float(rng.uniform(0.15, 0.45)) * room[0]
        elif what < 0.8:
            made = symbol(f"{rng.integers(10**12):012d}", zxingcpp.BarcodeFormat.Code128, 3).resize((600, 220))
            cover = 1 - np.asarray(made, np.float32) / 255
            width = float(rng.uniform(0.12, 0.3)) * room[0]
        else:
            image = Image.new("L", (300, 300), 0)
            draw = ImageDraw.Draw(image)
            draw.ellipse([6, 6, 293, 293], outline=255, width=8)
            draw.ellipse([60, 60, 239, 239], outline=255, width=4)
            fit(draw, (70, 110, 230, 150), str(rng.choice(TOWNS)), 255, "heavy")
            fit(draw, (80, 160, 220, 190), "B-FLUTE 32 ECT", 255, "sans")
            cover, width = np.asarray(image, np.float32) / 255, float(rng.uniform(0.03, 0.06))
        paste(surface, flat(cover, ink), worn(cover, rng), at, width)


def pattern(surface: Surface, colours: list[tuple[float, float, float]], rng: Rng) -> None:
    """A printed pattern over the whole piece: stripes, dots, chevrons, blotches, leaves."""
    rest = surface.rest
    axes = np.argsort(np.abs(surface.normal))[:2]
    turn = float(rng.choice([0, np.pi / 4, np.pi / 2, rng.uniform(0, np.pi)]))
    a = rest[..., axes[0]] * np.cos(turn) + rest[..., axes[1]] * np.sin(turn)
    b = -rest[..., axes[0]] * np.sin(turn) + rest[..., axes[1]] * np.cos(turn)
    pitch = float(rng.uniform(0.015, 0.07))
    kind = int(rng.integers(6))
    if kind == 0:
        cover = (a / pitch) % 1 < rng.uniform(0.2, 0.6)
    elif kind == 1:
        cover = np.hypot((a / pitch) % 1 - 0.5, (b / pitch) % 1 - 0.5) < rng.uniform(0.15, 0.42)
    elif kind == 2:
        cover = ((a + 0.6 * pitch * np.abs(2 * ((b / pitch) % 1) - 1)) / pitch) % 1 < 0.45
    elif kind == 3:
        cover = noise(a.shape, float(rng.uniform(3, 9)), rng, 3) > rng.uniform(-0.2, 0.6)
    elif kind == 4:
        cover = ((a / pitch) % 1 < 0.08) | ((b / pitch) % 1 < 0.08)
    else:
        u, v = (a / pitch) % 1 - 0.5, (b / pitch) % 1 - 0.5
        cover = (u + 0.25 * np.sign(v)) ** 2 * 5 + v**2 < 0.13
    soft = cv2.GaussianBlur(np.asarray(cover, np.float32), (0, 0), 0.8)
    surface.tint(soft * float(rng.uniform(0.5, 1)), np.array(colours[int(rng.integers(len(colours)))], np.float32))


def picture(surface: Surface, room: tuple[float, float], rng: Rng) -> None:
    """A full-colour print: a graded ground, soft shapes like a photo of goods, a caption."""
    high, wide = 300, max(100, round(300 * room[0] / room[1]))
    y, x = np.mgrid[:high, :wide].astype(np.float32) / high
    first, second = rng.uniform(0.05, 0.95, 3), rng.uniform(0.05, 0.95, 3)
    grade = np.clip(y * rng.uniform(0.3, 1) + x * rng.uniform(-0.4, 0.4) + 0.15 * noise((high, wide), 3, rng), 0, 1)
    rgb = first + grade[..., None] * (second - first)
    for _ in range(int(rng.integers(3, 9))):
        centre, size = rng.uniform(0, [wide / high, 1]), rng.uniform(0.06, 0.35, 2)
        far = np.hypot((x - centre[0]) / size[0], (y - centre[1]) / size[1])
        if rng.random() < 0.4:
            far = np.maximum(np.abs(x - centre[0]) / size[0], np.abs(y - centre[1]) / size[1])
        cover = np.clip((1 - far) * rng.choice([3, 30]), 0, 1)[..., None]
        light = np.clip(1.1 - 0.5 * ((x - centre[0]) / size[0] + (y - centre[1]) / size[1])[..., None], 0.4, 1.5)
        rgb += cover * (np.clip(rng.uniform(0.05, 0.95, 3) * light, 0, 1) - rgb)
    paste(surface, rgb.astype(np.float32), np.ones((high, wide), np.float32), (0, 0), room[0] * 1.002, rough=0.35)


def decorate(made: Carton, rng: Rng) -> str:
    """Print a carton, or leave it plain; answers which of `plain`, `lines`, `brand`, `pattern`, `picture`, `ground`."""
    kind = str(
        rng.choice(["plain", "lines", "brand", "pattern", "picture", "ground"], p=[0.22, 0.2, 0.28, 0.1, 0.08, 0.12])
    )
    if kind == "plain":
        return kind
    ink = INKS[int(rng.choice(len(INKS), p=[0.45, 0.1, 0.1, 0.08, 0.08, 0.04, 0.07, 0.08]))]
    ground = tuple(float(v) for v in np.clip(rng.uniform(0.02, 0.9, 3) * rng.choice([0.25, 1.0]), 0, 1))
    colours = [INKS[int(rng.integers(len(INKS)))] for _ in range(2)]
    faces = list(made.surfaces)
    for name in faces:
        surface, room = made.surfaces[name], made.extent(name)
        if kind in ("ground", "pattern", "picture") and rng.random() < 0.9:
            if kind != "pattern" or rng.random() < 0.5:
                gloss = float(rng.uniform(0.3, 0.7))
                surface.tint(np.full(surface.rough.shape, 0.93, np.float32), np.array(ground, np.float32))
                surface.rough[:] = gloss
                ink = (0.92, 0.91, 0.88) if np.mean(ground) < 0.45 else (0.07, 0.07, 0.08)
            if kind == "pattern":
                pattern(surface, colours, rng)
            elif kind == "picture" and rng.random() < 0.75:
                picture(surface, room, rng)
        if kind != "lines" and rng.random() < 0.75:
            brand(surface, room, ink, rng)
        if rng.random() < (0.8 if kind == "lines" else 0.45):
            small_print(surface, room, ink, rng)
    return kind
