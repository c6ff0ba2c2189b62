"""What light, lens and file do to a picture: shadow, colour cast, blur, noise, JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from inspector.frame import Pixels


def taken(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """The picture BGR uint8 (h, w, 3) as a bench's camera might have taken it; sizes and places stay."""
    height, width = pixels.shape[:2]
    seen = pixels.astype(np.float32)
    seen *= rng.normal(1, 0.06, 3).clip(0.8, 1.2).astype(np.float32)
    if rng.random() < 0.3:  # one side lies in the dark
        ramp = np.linspace(float(rng.uniform(0.4, 1)), float(rng.uniform(0.8, 1.25)), width, dtype=np.float32)
        seen *= ramp[None, :, None] if rng.random() < 0.5 else cv2.resize(ramp[:, None], (1, height))[:, :, None]
    if rng.random() < 0.2:  # the edge of a shadow
        mask = np.ones((height, width), np.float32)
        points = (rng.uniform(-0.3, 1.3, (4, 2)) * (width, height)).astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(points), float(rng.uniform(0.45, 0.85)))
        seen *= cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.5, 8)))[..., None]
    if rng.random() < 0.7:
        gain, lift = float(rng.uniform(0.7, 1.3)), float(rng.uniform(-20, 20))
        seen = (seen - 128) * gain + 128 + lift
    if rng.random() < 0.12:
        seen = np.repeat(seen.mean(2, keepdims=True), 3, axis=2)
    if rng.random() < 0.2:  # a coarser sensor
        scale = float(rng.uniform(0.6, 0.9))
        small = cv2.resize(seen, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        seen = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    if rng.random() < 0.3:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), float(rng.uniform(0.3, 1.2))), np.float32)
    elif rng.random() < 0.15:
        seen = _moved(seen, int(rng.integers(3, 6)), float(rng.uniform(0, 180)))
    if rng.random() < 0.5:
        noise = rng.normal(0, float(rng.uniform(1, 9)), (height, width, 1 if rng.random() < 0.5 else 3))
        seen = seen + noise.astype(np.float32)
    out = np.clip(seen, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        _, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))])
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return out


def _moved(seen: np.ndarray, length: int, degrees: float) -> np.ndarray:
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), degrees, 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    return np.asarray(cv2.filter2D(seen, -1, kernel / max(float(kernel.sum()), 1e-6)), np.float32)
