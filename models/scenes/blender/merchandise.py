"""Things that shops send, each a design drawn from its number: bottles, jars, books, cables, pouches, cards, toys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from models.scenes.blender.packing import Design
from models.scenes.blender.paint import Array, Rng, noise
from models.scenes.blender.props import BLACK, STEEL, WHITE_PLASTIC, Maker, document
from models.scenes.blender.stage import linear
from models.scenes.blender.typeface import fit

NAMES = (
    "AURELLE",
    "nordic bee",
    "TAMARA",
    "Pebble",
    "HEXA",
    "Old Mill",
    "LUMO",
    "Fenwick",
    "山月",
    "KORU",
    "Ivy & Ash",
    "PICO",
)


@dataclass
class Look:
    """Two colours (linear), a name and a seeded generator: all that a maker needs to draw the same thing again."""

    first: tuple[float, float, float]
    second: tuple[float, float, float]
    name: str
    rng: Rng

    @classmethod
    def of(cls, design: Design) -> Look:
        """The looks of a design; every call draws the same."""
        rng = np.random.default_rng([7, design.number])
        grey = rng.uniform(0.1, 0.85)
        first, second = (np.clip(grey + (rng.uniform(0.02, 0.95, 3) - grey) * 0.8, 0, 1) for _ in range(2))
        a, b = linear(first), linear(second)
        return cls((a[0], a[1], a[2]), (b[0], b[1], b[2]), str(rng.choice(NAMES)), rng)


def cover(look: Look, width: float, height: float) -> Array:
    """A printed front (h, w, 3) uint8: a ground, a device, a name."""
    w, h = 600, max(60, round(600 * height / width))
    rng = look.rng
    ground = tuple(int(255 * v) for v in rng.uniform(0.05, 0.95, 3))
    ink = (245, 244, 240) if sum(ground) < 380 else (24, 24, 28)
    image = np.zeros((h, w, 3), np.uint8) + np.array(ground, np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        colour = tuple(int(v) for v in rng.uniform(0, 255, 3))
        spot = (int(rng.uniform(0, w)), int(rng.uniform(0, h)))
        kind = int(rng.integers(3))
        if kind == 0:
            cv2.circle(image, spot, int(rng.uniform(0.1, 0.4) * min(w, h)), colour, -1, cv2.LINE_AA)
        elif kind == 1:
            corner = (int(spot[0] + rng.uniform(0.1, 0.6) * w), int(spot[1] + rng.uniform(0.1, 0.5) * h))
            cv2.rectangle(image, spot, corner, colour, -1)
        else:
            cv2.line(image, spot, (int(rng.uniform(0, w)), int(rng.uniform(0, h))), colour, int(rng.integers(8, 60)))
    page = Image.fromarray(image)
    draw = ImageDraw.Draw(page)
    top = float(rng.uniform(0.1, 0.6)) * h
    fit(draw, (w * 0.08, top, w * 0.92, top + 0.25 * h), look.name, ink, str(rng.choice(["heavy", "bold", "sans"])))
    fit(draw, (w * 0.2, top + 0.28 * h, w * 0.8, top + 0.36 * h), f"No. {rng.integers(1, 999)}", ink, "sans")
    return np.asarray(page)


def box(maker: Maker, design: Design) -> None:
    """A retail box."""
    x, y, z = design.size
    look = Look.of(design)
    maker.block((x, y, z), maker.printed(cover(look, x, y), 0.4), (0, 0, z / 2), bevel=0.0012)


def book(maker: Maker, design: Design) -> None:
    """A book or a manual: a cover over a block of pages."""
    x, y, z = design.size
    look = Look.of(design)
    pages = maker.stage.plain((0.80, 0.78, 0.72), rough=0.9)
    maker.block((x - 0.003, y - 0.004, z - 0.002), pages, (0.001, 0, z / 2), bevel=0.0004)
    printed = maker.printed(cover(look, x, y), 0.35)
    maker.block((x, y, 0.0012), printed, (0, 0, z - 0.0006), bevel=0.0003)
    maker.block((x, y, 0.0012), printed, (0, 0, 0.0006), bevel=0.0003)
    maker.block((0.0012, y, z), maker.stage.plain(look.first, rough=0.4), (-x / 2 + 0.0006, 0, z / 2), bevel=0.0003)


def card(maker: Maker, design: Design) -> None:
    """A thank-you card."""
    x, y, _ = design.size
    look = Look.of(design)
    maker.block((x, y, 0.0008), maker.printed(cover(look, x, y), 0.5), (0, 0, 0.0005), bevel=0)


def sheet(maker: Maker, design: Design) -> None:
    """A packing slip, slightly bent."""
    x, y, z = design.size
    look = Look.of(design)
    u, v = np.meshgrid(np.linspace(0, 1, 20), np.linspace(0, 1, 16))
    bend = 0.0006 + z * (np.clip(u - 0.55, 0, 1) ** 2 * 3 + np.clip(0.3 - v, 0, 1) ** 2 * 3)
    page = document(look.rng, str(look.rng.choice(["PACKING SLIP", "INVOICE", "RETURNS"])), x, y)
    maker.cloth(
        np.dstack([(u - 0.5) * x, (v - 0.5) * y, bend]), maker.printed(page, 0.8), np.stack([u, v], -1).reshape(-1, 2)
    )


def bottle(maker: Maker, design: Design) -> None:
    """A bottle that lies: body, shoulder, cap, a band of label."""
    x, y, _ = design.size
    look = Look.of(design)
    radius, turn = y / 2, (0.0, np.pi / 2, 0.0)
    clear = look.rng.random() < 0.4
    maker.rod(
        radius, 0.74 * x, maker.stage.plain(look.first, rough=0.12 if clear else 0.4), (-0.13 * x, 0, radius), turn
    )
    maker.rod(0.55 * radius, 0.12 * x, maker.stage.plain(look.first, rough=0.2), (0.28 * x, 0, radius), turn)
    maker.rod(0.62 * radius, 0.18 * x, maker.stage.plain(look.second, rough=0.4), (0.41 * x, 0, radius), turn)
    band = maker.stage.plain((0.85, 0.84, 0.8), rough=0.6)
    maker.rod(1.01 * radius, 0.40 * x, band, (-0.14 * x, 0, radius), turn)
    maker.rod(1.02 * radius, 0.08 * x, maker.stage.plain(look.second, rough=0.5), (-0.20 * x, 0, radius), turn)


def jar(maker: Maker, design: Design) -> None:
    """A jar that stands, its lid printed."""
    x, _, z = design.size
    look = Look.of(design)
    maker.rod(0.47 * x, 0.75 * z, maker.stage.plain(look.first, rough=0.2), (0, 0, 0.375 * z))
    maker.rod(0.50 * x, 0.25 * z, maker.stage.plain(look.second, rough=0.3, metal=0.4), (0, 0, 0.875 * z))
    maker.rod(0.30 * x, 0.002, maker.stage.plain((0.85, 0.84, 0.8), rough=0.6), (0, 0, z))
    maker.ring(0.33 * x, 0.36 * x, 0.002, maker.stage.plain(look.first, rough=0.5), (0, 0, z))


def cable(maker: Maker, design: Design) -> None:
    """A coiled cable of a colour with its plugs."""
    x, y, z = design.size
    look = Look.of(design)
    t = np.linspace(0, 1, 220)
    turn = 2 * np.pi * float(look.rng.uniform(2.5, 4.5)) * t
    ragged = 1 - 0.18 * np.abs(np.sin(turn * 0.37 + look.rng.uniform(0, 6)))
    path = np.stack([0.43 * x * ragged * np.cos(turn), 0.43 * y * ragged * np.sin(turn), 0.003 + (z - 0.006) * t], -1)
    maker.tube(path, 0.0022, maker.stage.plain(look.first, rough=0.45))
    for end in (path[0], path[-1]):
        maker.block((0.014, 0.024, 0.007), maker.stage.plain(look.second, rough=0.4), tuple(end), bevel=0.002)
        tip = (float(end[0]), float(end[1]) + 0.016, float(end[2]))
        maker.block((0.010, 0.010, 0.004), maker.stage.plain(STEEL, rough=0.25, metal=1), tip, bevel=0.0004)


def plug(maker: Maker, design: Design) -> None:
    """A charger."""
    x, y, z = design.size
    look = Look.of(design)
    shell = WHITE_PLASTIC if look.rng.random() < 0.5 else BLACK
    maker.block((0.8 * x, y, z), maker.stage.plain(shell, rough=0.32), (-0.1 * x, 0, z / 2), bevel=0.005, segments=4)
    for side in (-0.16 * y, 0.16 * y):
        maker.block((0.22 * x, 0.002, 0.006), maker.stage.plain(STEEL, rough=0.25, metal=1), (0.38 * x, side, z / 2))


def pouch(maker: Maker, design: Design) -> None:
    """A bag of film with something in it: coffee, screws, a garment."""
    x, y, z = design.size
    look = Look.of(design)
    u, v = np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 40))
    dome = np.clip(1 - u**6, 0, 1) * np.clip(1 - v**6, 0, 1)
    wrinkle = 0.10 * noise((40, 40), 5, look.rng, 3) * dome
    rise = z * np.clip(dome**0.7 * 0.9 + wrinkle, 0, 1) + 0.0008
    uv = np.stack([u / 2 + 0.5, v / 2 + 0.5], -1).reshape(-1, 2)
    maker.cloth(np.dstack([u * x / 2, v * y / 2, rise]), maker.printed(cover(look, x, y), 0.25), uv)


def garment(maker: Maker, design: Design) -> None:
    """Folded cloth: socks, gloves, a shirt."""
    x, y, z = design.size
    look = Look.of(design)
    u, v = np.meshgrid(np.linspace(-1, 1, 44), np.linspace(-1, 1, 44))
    edge = np.clip((1 - np.maximum(np.abs(u), np.abs(v))) / 0.12, 0, 1) ** 0.5
    fold = 0.2 * (u > look.rng.uniform(-0.3, 0.3)) + 0.12 * noise((44, 44), 4, look.rng, 3)
    stripes = (np.sin(v * float(look.rng.uniform(8, 40))) > look.rng.uniform(0, 1))[..., None]
    weave = 1 + 0.12 * look.rng.standard_normal((44, 44, 1))
    tone = np.where(stripes, np.array(look.second), np.array(look.first)) ** (1 / 2.2) * weave
    picture = cv2.resize((np.clip(tone, 0, 1) * 255).astype(np.uint8), (352, 352))
    uv = np.stack([u / 2 + 0.5, v / 2 + 0.5], -1).reshape(-1, 2)
    rise = z * edge * np.clip(0.75 + fold, 0, 1) + 0.0008
    maker.cloth(np.dstack([u * x / 2, v * y / 2, rise]), maker.printed(picture, 0.95), uv)


def tool(maker: Maker, design: Design) -> None:
    """A thing with a handle: a screwdriver, a brush, a pen."""
    x, y, _ = design.size
    look = Look.of(design)
    turn = (0.0, np.pi / 2, 0.0)
    maker.rod(y / 2, 0.45 * x, maker.stage.plain(look.first, rough=0.35), (-0.27 * x, 0, y / 2), turn)
    maker.rod(0.51 * y, 0.10 * x, maker.stage.plain(look.second, rough=0.4), (-0.10 * x, 0, y / 2), turn)
    metal = look.rng.random() < 0.6
    shaft = maker.stage.plain(STEEL if metal else look.second, rough=0.3, metal=float(metal))
    maker.rod(0.16 * y if metal else 0.35 * y, 0.55 * x, shaft, (0.22 * x, 0, y / 2), turn)


def tin(maker: Maker, design: Design) -> None:
    """A flat round tin with a printed lid."""
    x, _, z = design.size
    look = Look.of(design)
    maker.rod(0.5 * x, z, maker.stage.plain(STEEL, rough=0.3, metal=0.9), (0, 0, z / 2))
    maker.rod(0.46 * x, 0.001, maker.stage.plain(look.first, rough=0.4), (0, 0, z + 0.0003))
    maker.rod(0.30 * x, 0.001, maker.stage.plain(look.second, rough=0.4), (0, 0, z + 0.0009))
    maker.block((0.4 * x, 0.12 * x, 0.001), maker.stage.plain((0.9, 0.9, 0.88), rough=0.5), (0, 0, z + 0.0015), bevel=0)


def bricks(maker: Maker, design: Design) -> None:
    """A toy of studded blocks."""
    x, y, z = design.size
    look = Look.of(design)
    maker.block((x, y, 0.7 * z), maker.stage.plain(look.first, rough=0.25), (0, 0, 0.35 * z), bevel=0.001)
    for a in np.linspace(-0.36, 0.36, 4):
        for b in np.linspace(-0.3, 0.3, 2):
            spot = (float(a) * x, float(b) * y, 0.8 * z)
            maker.rod(0.09 * x, 0.2 * z, maker.stage.plain(look.second, rough=0.25), spot)


MAKERS: dict[str, Callable[[Maker, Design], None]] = {
    f.__name__: f for f in (box, book, card, sheet, bottle, jar, cable, plug, pouch, garment, tool, tin, bricks)
}
