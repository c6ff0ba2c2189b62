"""A contact sheet: all pictures of a folder in one, to look at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def contact_sheet(
    pictures: list[Path], out: Path, *, columns: int = 4, width: int = 400, largest: int = 250_000
) -> None:
    """Write a JPEG of at most `largest` bytes; every picture `width` pixels wide."""
    tiles = []
    for file in pictures:
        picture = cv2.imread(str(file))
        if picture is None:
            raise ValueError(f"{file} is not a picture; leave it out")
        height = round(width * picture.shape[0] / picture.shape[1])
        tiles.append(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    whole = np.vstack(rows)
    for quality in range(90, 30, -4):
        data = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])[1]
        if data.size <= largest:
            break
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(data.tobytes())
