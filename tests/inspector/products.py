"""Drawn products and boxes: pictures of which the tests know everything."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from inspector.cutout import cut_out
from inspector.embedder import Embedder
from inspector.frame import Pixels
from inspector.gallery import Item, Reference

SIDE = 200


def product(seed: int) -> Pixels:
    """A printed pack, uint8 (h, w, 3), that looks like no other: colours, shapes and letters drawn by its seed."""
    rng = np.random.default_rng(seed)
    height = int(rng.integers(120, SIDE))
    picture = np.empty((height, SIDE, 3), np.uint8)
    picture[:] = rng.integers(30, 226, 3)
    for _ in range(7):
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        centre = (int(rng.integers(SIDE)), int(rng.integers(height)))
        if rng.random() < 0.5:
            cv2.circle(picture, centre, int(rng.integers(8, 32)), colour, -1, cv2.LINE_AA)
        else:
            corner = (centre[0] + int(rng.integers(10, 60)), centre[1] + int(rng.integers(10, 40)))
            cv2.rectangle(picture, centre, corner, colour, -1)
    letters = "".join(chr(65 + int(v)) for v in rng.integers(0, 26, 6))
    cv2.putText(picture, letters, (12, height // 2), cv2.FONT_HERSHEY_DUPLEX, 1.3, (0, 0, 0), 6, cv2.LINE_AA)
    cv2.putText(picture, letters, (12, height // 2), cv2.FONT_HERSHEY_DUPLEX, 1.3, (255, 255, 255), 2, cv2.LINE_AA)
    return picture


def photo(pack: Pixels, ground: int = 235) -> Pixels:
    """A reference photo: the pack in the middle of a plain ground."""
    height, width = pack.shape[:2]
    picture = np.full((height + 120, width + 120, 3), ground, np.uint8)
    picture[60 : 60 + height, 60 : 60 + width] = pack
    return picture


def box(placed: list[tuple[Pixels, tuple[int, int], float]], seed: int = 0) -> Pixels:
    """An open carton 480 x 640 from above with packs at (x, y), turned by degrees."""
    rng = np.random.default_rng(seed)
    picture = np.empty((480, 640, 3), np.uint8)
    picture[:] = (120, 160, 190)
    picture[30:-30, 30:-30] = (105, 145, 175)
    for pack, (x, y), degrees in placed:
        height, width = pack.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.8)
        turn[:, 2] += (x - width / 2, y - height / 2)
        cover = cv2.warpAffine(np.ones((height, width), np.float32), turn, (640, 480))[..., None]
        shown = cv2.warpAffine(pack, turn, (640, 480))
        picture = np.asarray(cover * shown + (1 - cover) * picture, np.uint8)
    noisy = picture * 0.9 + rng.normal(0, 4, picture.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def taught_from_photos(packs: Mapping[str, Pixels], embedder: Embedder) -> dict[str, Item]:
    """An item of 50 g for each pack, taught from one photo."""
    items = {}
    for name, pack in packs.items():
        ((crop, mask),) = cut_out(photo(pack))
        reference = Reference(f"{name}-1", name, crop, mask)
        items[name] = Item(name, None, 50.0, 0.5, (reference,), embedder.embed([crop], [mask]), None)
    return items
