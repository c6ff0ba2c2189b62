"""What was stuck on, written on, pressed and cut into an undamaged carton: stickers, residue, handwriting, grips."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import zxingcpp
from PIL import Image, ImageDraw

from models.scenes.blender.artwork import LINES, flat, paste
from models.scenes.blender.carton import Carton
from models.scenes.blender.faces import Face
from models.scenes.blender.label import STREETS, symbol
from models.scenes.blender.paint import Array, Rng, Surface, noise
from models.scenes.blender.typeface import fit


def note(rng: Rng) -> tuple[Array, float]:
    """A small sticker: a dot, a tick list, a number, a second courier's slip. Picture (h, w, 3) and width in metres."""
    what = int(rng.integers(4))
    ground = ((250, 250, 246), (252, 226, 60), (250, 120, 30), (60, 170, 80), (225, 40, 60))[
        int(rng.choice(5, p=[0.5, 0.15, 0.15, 0.1, 0.1]))
    ]
    wide = float(rng.uniform(0.025, 0.09))
    image = Image.new("RGB", (420, int(rng.integers(180, 420))), ground)
    draw = ImageDraw.Draw(image)
    high = image.height
    if what == 0:
        fit(draw, (30, 40, 390, high - 40), str(rng.choice(LINES)), (20, 20, 22), "heavy")
    elif what == 1:
        bars = symbol(f"{rng.integers(10**9):09d}", zxingcpp.BarcodeFormat.Code128, 2).convert("RGB")
        image.paste(bars.resize((340, int(high * 0.45))), (40, int(high * 0.15)))
        fit(draw, (60, high * 0.68, 360, high * 0.88), f"{rng.choice(STREETS)}", (20, 20, 22), "mono")
    elif what == 2:
        fit(draw, (40, 30, 380, high - 30), f"{rng.integers(1, 99)}", (20, 20, 22), "heavy")
    else:
        for y in np.linspace(40, high - 30, 5):
            draw.line([(30, y), (30 + float(rng.uniform(120, 350)), y)], fill=(60, 60, 66), width=10)
    return np.asarray(image, np.float32) / 255, wide


def residue(rng: Rng) -> tuple[Array, Array]:
    """What is left of a label that was pulled off: paper fibres in ragged islands. Picture and cover (200, 300)."""
    shape = (200, 300)
    cover = np.clip(5 * (noise(shape, 3, rng, 5, 0.6) + rng.uniform(-0.5, 0.5)), 0, 1)
    edge = np.zeros(shape, np.float32)
    cv2.rectangle(edge, (6, 6), (293, 193), 1.0, -1)
    shade = 0.90 + 0.05 * noise(shape, 30, rng, 2)
    rgb = np.ones((*shape, 3), np.float32) * np.array((0.93, 0.91, 0.87), np.float32) * shade[..., None]
    return rgb.astype(np.float32), np.asarray(cover * edge, np.float32)


def scribble(rng: Rng) -> Array:
    """Handwriting with a thick pen: ink 0..1 (200, 600)."""
    image = np.zeros((200, 600), np.uint8)
    x = 30.0
    while x < 540:
        steps = np.cumsum(rng.normal(0, 34, (int(rng.integers(4, 8)), 2)), 0)
        steps = np.clip(steps - steps.mean(0), -70, 70) * [0.55, 1.0] + [x + 35, 100]
        points = cv2.approxPolyDP(steps.astype(np.float32)[:, None], 1, False)
        cv2.polylines(image, [points.astype(np.int32)], False, 255, int(rng.integers(7, 13)), cv2.LINE_AA)
        x += float(rng.uniform(60, 95))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.float32) / 255


def stick(made: Carton, rng: Rng) -> list[str]:
    """Stickers, residue, handwriting and perforation lines, or nothing; answers what was put on."""
    out = []
    faces = list(made.surfaces)
    things: dict[str, Callable[[Surface, tuple[float, float]], None]] = {
        "sticker": lambda surface, room: _note(surface, room, rng),
        "residue": lambda surface, room: _residue(surface, room, rng),
        "handwriting": lambda surface, room: _hand(surface, room, rng),
        "score": lambda surface, room: score(surface, room, rng),
        "perforation": lambda surface, room: perforation(surface, room, rng),
    }
    for name, share in (
        ("sticker", 0.3),
        ("residue", 0.15),
        ("handwriting", 0.14),
        ("perforation", 0.08),
        ("score", 0.1),
    ):
        if rng.random() < share:
            for _ in range(int(rng.integers(1, 4))):
                face = "top" if rng.random() < 0.45 else str(rng.choice(faces))
                things[name](made.surfaces[face], made.extent(face))
            out.append(name)
    return out


def _spot(room: tuple[float, float], rng: Rng) -> tuple[float, float]:
    return float(rng.uniform(-0.4, 0.4)) * room[0], float(rng.uniform(-0.4, 0.4)) * room[1]


def _note(surface: Surface, room: tuple[float, float], rng: Rng) -> None:
    rgb, width = note(rng)
    cover = np.ones(rgb.shape[:2], np.float32)
    paste(surface, rgb, cover, _spot(room, rng), width, float(rng.normal(0, 0.2)), rough=0.4, relief=0.08)


def _residue(surface: Surface, room: tuple[float, float], rng: Rng) -> None:
    rgb, cover = residue(rng)
    width = float(rng.uniform(0.05, 0.11))
    paste(surface, rgb, cover, _spot(room, rng), width, float(rng.normal(0, 0.15)), rough=0.85, relief=0.05)


def _hand(surface: Surface, room: tuple[float, float], rng: Rng) -> None:
    cover = scribble(rng)
    width = float(rng.uniform(0.25, 0.7)) * room[0]
    paste(surface, flat(cover, (0.05, 0.05, 0.07)), 0.9 * cover, _spot(room, rng), width, float(rng.normal(0, 0.1)))


def perforation(surface: Surface, room: tuple[float, float], rng: Rng) -> None:
    """A tear-open strip: two rows of cuts across the piece."""
    image = np.zeros((60, 900), np.float32)
    for x in range(0, 900, 18):
        image[10:14, x : x + 11] = image[46:50, x : x + 11] = 1
    at = (0.0, float(rng.uniform(-0.35, 0.35)) * room[1])
    paste(surface, flat(image, (0.22, 0.15, 0.09)), 0.8 * image, at, room[0], relief=-0.3)


def score(surface: Surface, room: tuple[float, float], rng: Rng) -> None:
    """A pressed line that board was meant to be folded on and was not."""
    image = np.full((16, 600), 0.0, np.float32)
    image[6:10] = 1.0
    turn = float(rng.choice([0.0, np.pi / 2]))
    at = float(rng.uniform(-0.4, 0.4))
    spot = (0.0, at * room[1]) if not turn else (at * room[0], 0.0)
    paste(
        surface,
        flat(image, (0.35, 0.25, 0.15)),
        0.25 * image,
        spot,
        room[0] if not turn else room[1],
        turn,
        relief=-1.2,
    )


def slot(face: Face, up: float, wide: float, high: float) -> Callable[[Array, Array], Array]:
    """A cut with round ends: half `wide` and `high` metres, `up` metres over the ground, in the middle of a face."""

    def cut(rest: Array, normal: Array) -> Array:
        if normal @ face.normal < 0.9:
            return np.ones(rest.shape[:-1], bool)
        x = np.abs(rest @ face.right)
        return np.asarray(np.hypot(np.clip(x - wide + high, 0, None), rest[..., 2] - up) > high)

    return cut


def hand_hole(made: Carton, rng: Rng) -> None:
    """Punched grips in two opposite walls, as removal cartons have them."""
    faces = ("left", "right") if rng.random() < 0.7 else ("front", "back")
    wide, high = float(rng.uniform(0.035, 0.05)), float(rng.uniform(0.011, 0.016))
    for name in faces:
        face = made.faces[name]
        room = made.extent(name)
        if room[0] < 3 * wide or room[1] < 6 * high:
            continue
        up = room[1] / 2 - max(0.035, 0.22 * room[1])
        made.cuts.append(slot(face, made.half[2] + up, wide, high))
