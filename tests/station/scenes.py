"""Synthetic bench scenes: a hand moves a parcel in, it stays, a hand takes it away."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

import models
from inspector.frame import Pixels

WIDTH, HEIGHT = 640, 360
GOLDEN = models.HERE / "parcel" / models.ACTIVE["parcel"] / "golden"


@cache
def _wood(seed: int) -> Pixels:
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(0, 18, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 9, sigmaY=1.5)
    plain = np.array([96, 128, 158], np.float32) + grain[..., None] * 3
    return np.asarray(np.clip(plain, 0, 255), np.uint8)


def wood(seed: int = 1) -> Pixels:
    return np.array(_wood(seed), np.uint8)


@cache
def parcel() -> Pixels:
    """A render of a parcel, cut out of a golden picture of the model."""
    picture = cv2.imread(str(GOLDEN / "g0011_1.jpg"))
    assert picture is not None
    return np.asarray(cv2.resize(picture[40:270, 20:245], (200, 200)), np.uint8)


def paste(scene: Pixels, thing: Pixels, x: int, y: int) -> None:
    """Lay `thing` on the scene at (x, y); what lies outside is cut off."""
    left, top = max(0, x), max(0, y)
    right, bottom = min(WIDTH, x + thing.shape[1]), min(HEIGHT, y + thing.shape[0])
    if left < right and top < bottom:
        scene[top:bottom, left:right] = thing[top - y : bottom - y, left - x : right - x]


def hand(scene: Pixels, x: int, y: int) -> None:
    cv2.ellipse(scene, (x, y), (46, 30), 20, 0, 360, (120, 150, 205), -1)
    cv2.line(scene, (x + 20, y + 10), (x + 260, y + 160), (120, 150, 205), 46)


def noisy(scene: Pixels, rng: np.random.Generator, light: float = 1.0) -> Pixels:
    lit = cv2.convertScaleAbs(scene, alpha=light)
    return np.asarray(cv2.add(lit, _grain(int(rng.integers(16))), dtype=cv2.CV_8U), np.uint8)


@cache
def _grain(seed: int) -> npt.NDArray[np.int16]:
    """A sensor's noise, about two grey levels."""
    return np.random.default_rng(seed).normal(0, 2.0, (HEIGHT, WIDTH, 3)).round().astype(np.int16)


def visit(
    *, empty: int = 8, moving: int = 10, resting: int = 20, blurred: int = 0, light: float = 1.0, seed: int = 0
) -> Iterator[tuple[str, Pixels]]:
    """(what happens, picture) of one parcel's visit; blurred: pictures of the rest while the lens still focuses."""
    rng = np.random.default_rng(seed)
    bench, thing = wood(), parcel()
    for _ in range(empty):
        yield "empty", noisy(bench, rng)
    path = [(WIDTH - round((WIDTH - 220) * i / (moving - 1)), 80) for i in range(moving)]
    for x, y in path:
        scene = bench.copy()
        paste(scene, thing, x, y)
        hand(scene, x + 190, y + 150)
        yield "moving", noisy(scene, rng, light)
    for i in range(resting):
        scene = bench.copy()
        paste(scene, thing, *path[-1])
        sharp = noisy(scene, rng, light)
        yield (
            ("focusing", np.asarray(cv2.GaussianBlur(sharp, (0, 0), 4), np.uint8))
            if i < blurred
            else ("resting", sharp)
        )
    for x, y in reversed(path):
        scene = bench.copy()
        paste(scene, thing, x, y)
        hand(scene, x + 190, y + 150)
        yield "leaving", noisy(scene, rng, light)
    for _ in range(empty):
        yield "empty", noisy(bench, rng)
