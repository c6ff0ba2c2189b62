"""What a camera does to the light before it is a picture: exposure, noise, colour, motion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.scenes.blender.paint import Array, Rng


@dataclass(frozen=True)
class Film:
    """What the camera does to the light: sensor noise, vignette, balance (red, blue), colour, motion in pixels."""

    noise: float = 0.006
    vignette: float = 0.10
    balance: tuple[float, float] = (0.99, 1.04)
    saturation: float = 0.84
    motion: float = 0.0
    motion_turn: float = 20.0
    meter: float | None = None
    """What a camera that meters brings the middle tone to, sRGB 0..1; None takes the light as it is."""

    def develop(self, rgb: Array, rng: Rng) -> Array:
        """(h, w, 3) uint8 in and out."""
        if self.meter is not None:
            rgb = metered(rgb, self.meter)
        picture: Array = rgb.astype(np.float32) / 255 * np.array([self.balance[0], 1, self.balance[1]], np.float32)
        grey = picture @ np.array([0.30, 0.59, 0.11], np.float32)
        picture = grey[..., None] + self.saturation * (picture - grey[..., None])
        if self.motion:
            picture = cv2.filter2D(picture, -1, motion_kernel(self.motion, self.motion_turn))
        height, width = picture.shape[:2]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        off = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) * 2
        picture *= (1 - self.vignette * off)[..., None]
        grain = cv2.GaussianBlur(rng.standard_normal(picture.shape).astype(np.float32), (0, 0), 0.6)
        picture += grain * self.noise * 2
        return np.asarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))


def metered(rgb: Array, middle: float) -> Array:
    """A picture (h, w, 3) uint8 exposed so that its middle half, weighted, comes near `middle` (sRGB 0..1).

    At most two stops up and one down, like a phone that reaches the end of its range.
    """
    height, width = rgb.shape[:2]
    centre = rgb[height // 5 : -height // 5, width // 5 : -width // 5]
    tone = (0.7 * centre.mean() + 0.3 * rgb.mean()) / 255
    gain = float(np.clip((middle / max(tone, 0.01)) ** 2.2, 0.5, 4.0))
    bright = np.clip((np.arange(256) / 255) ** 2.2 * gain, 0, None)
    shoulder = np.where(bright > 0.8, 0.8 + 0.2 * np.tanh((bright - 0.8) / 0.2), bright)
    return np.asarray((shoulder ** (1 / 2.2) * 255 + 0.5).astype(np.uint8))[rgb]


def motion_kernel(length: float, turn: float) -> Array:
    """A line of `length` pixels at `turn` degrees, sum 1."""
    side = int(length) | 1
    kernel = np.zeros((side, side), np.float32)
    middle, way = side / 2 - 0.5, np.radians(turn)
    step = length / 2 * np.array([np.cos(way), -np.sin(way)])
    start, end = middle - step, middle + step
    cv2.line(kernel, (round(start[0]), round(start[1])), (round(end[0]), round(end[1])), 1.0, 1, cv2.LINE_AA)
    return np.asarray(kernel / kernel.sum())
