"""Bench tops: what lies under the parcel, as colour and roughness pictures that cover some metres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from models.scenes.blender.paint import Array, Rng, noise

SIDE = 2048


@dataclass(frozen=True)
class Top:
    """rgb (SIDE, SIDE, 3) and rough (SIDE, SIDE) 0..1 over a square of `metres`."""

    kind: str
    rgb: Array
    rough: Array
    metres: float
    metallic: float = 0.0


def _flat(colour: tuple[float, float, float]) -> Array:
    return np.ones((SIDE, SIDE, 3), np.float32) * np.array(colour, np.float32)


def _scratch(rgb: Array, rng: Rng, count: int, strength: float) -> None:
    for _ in range(count):
        layer = np.zeros((SIDE, SIDE), np.uint8)
        start, turn, length = rng.uniform(0, SIDE, 2), rng.uniform(0, 2 * np.pi), rng.uniform(0.02, 0.2) * SIDE
        end = start + length * np.array([np.cos(turn), np.sin(turn)])
        cv2.line(layer, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), 255, 1, cv2.LINE_AA)
        rows = slice(*_span(start[1], end[1])), slice(*_span(start[0], end[0]))
        rgb[rows] += (layer[rows].astype(np.float32) / 255)[..., None] * rng.uniform(-strength, strength)


def _span(a: float, b: float) -> tuple[int, int]:
    return max(0, int(min(a, b)) - 2), int(max(a, b)) + 3


def _planks(rng: Rng, count: int, colour: tuple[float, float, float]) -> Array:
    rgb = np.zeros((SIDE, SIDE, 3), np.float32)
    edges = np.linspace(0, SIDE, count + 1).astype(int)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    for low, high in pairwise(edges):
        rows = high - low
        stretch = cv2.resize(noise((rows, SIDE // 8), 5, rng, 3), (SIDE, rows), interpolation=cv2.INTER_CUBIC)
        rings = y[low:high] * rng.uniform(50, 110) + 2.2 * stretch + rng.uniform(0, 9)
        rings += 0.5 * np.sin(x[low:high] * rng.uniform(3, 8) + rng.uniform(0, 6))
        late = (rings - np.floor(rings)) ** 3
        fine = cv2.resize(rng.standard_normal((rows, SIDE // 40)).astype(np.float32), (SIDE, rows))
        tone = rng.uniform(0.86, 1.10) * np.array([1, rng.uniform(0.99, 1.03), rng.uniform(0.95, 1.03)])
        piece = np.array(colour) * tone * (1.03 - 0.16 * late + 0.035 * fine)[..., None]
        piece[:2] *= 0.6
        rgb[low:high] = piece
    return rgb


def wood(rng: Rng) -> Top:
    """An oiled beech work top glued from staves."""
    colour = ((0.74, 0.56, 0.37), (0.66, 0.50, 0.34), (0.80, 0.66, 0.48))[int(rng.integers(3))]
    rgb = _planks(rng, int(rng.integers(18, 26)), colour)
    _scratch(rgb, rng, 25, 0.05)
    return Top("wood", rgb, np.clip(0.42 + 0.06 * noise((SIDE, SIDE), 8, rng), 0.2, 0.8), 1.1)


def laminate(rng: Rng) -> Top:
    """Light grey or white laminate with fine speckle and wear."""
    colour = ((0.78, 0.78, 0.76), (0.62, 0.63, 0.63), (0.70, 0.66, 0.58))[int(rng.integers(3))]
    speckle = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), 1.1)
    rgb = _flat(colour) * (1 + 0.012 * noise((SIDE, SIDE), 5, rng) + 0.05 * speckle)[..., None]
    _scratch(rgb, rng, 60, 0.07)
    return Top("laminate", rgb, np.clip(0.38 + 0.06 * noise((SIDE, SIDE), 9, rng, 5), 0.2, 0.8), 1.2)


def mat(rng: Rng) -> Top:
    """A cutting mat with a centimetre grid."""
    colour = ((0.045, 0.20, 0.15), (0.10, 0.17, 0.27), (0.20, 0.21, 0.22))[int(rng.integers(3))]
    rgb = _flat(colour) * (1 + 0.05 * noise((SIDE, SIDE), 90, rng, 2))[..., None]
    line = np.clip(np.array(colour) + 0.22, 0, 1)
    step = SIDE / 60
    for number in range(61):
        at = int(number * step)
        wide, cover = (3, 0.75) if number % 5 == 0 else (2, 0.35)
        for rows in (np.s_[at : at + wide, :], np.s_[:, at : at + wide]):
            rgb[rows] = rgb[rows] * (1 - cover) + line * cover
    _scratch(rgb, rng, 120, 0.06)
    return Top("mat", rgb, np.full((SIDE, SIDE), 0.62, np.float32), 0.72)


def rubber(rng: Rng) -> Top:
    """A plain antistatic mat."""
    colour = ((0.23, 0.30, 0.36), (0.30, 0.31, 0.31), (0.16, 0.26, 0.22))[int(rng.integers(3))]
    grain = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), 1.4)
    rgb = _flat(colour) * (1 + 0.07 * grain + 0.03 * noise((SIDE, SIDE), 6, rng))[..., None]
    _scratch(rgb, rng, 70, 0.04)
    return Top("rubber", rgb, np.full((SIDE, SIDE), 0.7, np.float32), 1.0)


def steel(rng: Rng) -> Top:
    """Brushed steel."""
    brush = cv2.resize(rng.standard_normal((SIDE, 32)).astype(np.float32), (SIDE, SIDE))
    brush = brush[:, :] + 0.5 * cv2.resize(rng.standard_normal((SIDE, 200)).astype(np.float32), (SIDE, SIDE))
    rgb = _flat((0.60, 0.61, 0.62)) * (1 + 0.03 * brush + 0.03 * noise((SIDE, SIDE), 5, rng))[..., None]
    _scratch(rgb, rng, 90, 0.10)
    rough = np.clip(0.42 + 0.03 * brush + 0.05 * noise((SIDE, SIDE), 6, rng, 5), 0.25, 0.7)
    return Top("steel", rgb, rough.astype(np.float32), 1.0, 0.9)


def concrete(rng: Rng) -> Top:
    """A screed floor, for parcels looked at on the ground."""
    rgb = _flat((0.50, 0.495, 0.48)) * (1 + 0.08 * noise((SIDE, SIDE), 5, rng, 6, 0.65))[..., None]
    rgb *= (1 + 0.04 * rng.standard_normal((SIDE, SIDE)).astype(np.float32))[..., None]
    return Top("concrete", rgb, np.full((SIDE, SIDE), 0.8, np.float32), 1.4)


TOPS: dict[str, Callable[[Rng], Top]] = {f.__name__: f for f in (wood, laminate, mat, rubber, steel, concrete)}
