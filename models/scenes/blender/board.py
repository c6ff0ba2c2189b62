"""Corrugated board: what its outer liner looks like."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from models.scenes.blender.paint import Array, Rng, noise
from models.scenes.blender.typeface import fit

FLUTE = 0.0065
"""Pitch of a B or C flute in metres; its ribs show through the liner."""


@dataclass(frozen=True)
class Board:
    """colour (3,) sRGB 0..1 of the liner; inside (3,) of the back; fibre is how speckled it is."""

    colour: tuple[float, float, float]
    inside: tuple[float, float, float]
    fibre: float = 0.05


KRAFT = Board((0.68, 0.52, 0.345), (0.66, 0.50, 0.33))
KRAFT_DARK = Board((0.58, 0.425, 0.27), (0.60, 0.45, 0.30), 0.06)
KRAFT_LIGHT = Board((0.75, 0.60, 0.43), (0.68, 0.52, 0.35))
WHITE = Board((0.87, 0.86, 0.84), (0.66, 0.50, 0.34), 0.025)
BOARDS = (KRAFT, KRAFT_DARK, KRAFT_LIGHT, WHITE)


def liner(
    board: Board, height: int, width: int, metres_per_texel: float, rng: Rng, *, ribs: str
) -> tuple[Array, Array]:
    """Colour (h, w, 3) 0..1 and relief (h, w) millimetres of a clean liner; `ribs` run `up` or `across` the piece."""
    rgb = np.ones((height, width, 3), np.float32) * np.array(board.colour, np.float32)
    clouds = noise((height, width), 3, rng, 4, 0.6)
    grain = rng.standard_normal((height, width)).astype(np.float32)
    fibre = cv2.blur(cv2.GaussianBlur(grain, (0, 0), 0.8), (11, 2)) + 0.6 * cv2.GaussianBlur(grain, (0, 0), 1.6)
    axis = np.arange(width if ribs == "up" else height, dtype=np.float32) * metres_per_texel
    wave = np.sin(axis * 2 * np.pi / FLUTE).astype(np.float32)
    wave = np.broadcast_to(wave[None] if ribs == "up" else wave[:, None], (height, width))
    strength = np.clip(0.6 + 0.5 * noise((height, width), 4, rng, 2), 0, 1.4)
    rgb *= (1 + 0.02 * clouds + board.fibre * fibre + 0.007 * wave * strength)[..., None]
    flecks = cv2.GaussianBlur((rng.random((height, width)) > 0.9993).astype(np.float32), (0, 0), 1.0)
    rgb -= (flecks * rng.choice([0.5, -0.35]))[..., None] * np.array([0.9, 0.9, 0.8], np.float32)
    relief = 0.045 * wave * strength + 0.02 * fibre + 0.02 * clouds
    return np.clip(rgb, 0, 1), relief.astype(np.float32)


def print_words(
    shape: tuple[int, int], box: tuple[float, float, float, float], text: str, rng: Rng, kind: str = "bold"
) -> Array:
    """Flexographic lettering: ink cover (h, w) 0..1; box (x0, y0, x1, y1) in shares of the piece."""
    height, width = shape
    image = Image.new("L", (width, height), 0)
    place = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
    fit(ImageDraw.Draw(image), place, text, 255, kind)
    cover = cv2.GaussianBlur(np.asarray(image, np.float32) / 255, (0, 0), 0.7)
    return np.asarray(cover * np.clip(0.86 + 0.05 * noise((height, width), 30, rng, 2), 0, 1))
