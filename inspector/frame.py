"""One decoded picture: from bytes that nobody vouches for to pixels with a fixed meaning."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageOps, UnidentifiedImageError

from inspector.spec import Stage

Pixels = npt.NDArray[np.uint8]
"""uint8 (height, width, 3), blue green red, 0..255: the order in which OpenCV's cameras and files arrive."""


FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
"""What cameras and phones write. Pillow's other readers are old, rarely tested code that no parcel needs."""

BROKEN = (OSError, SyntaxError, ValueError, TypeError, struct.error, EOFError, LookupError, OverflowError, Warning)
"""What Pillow's readers raise on damaged files; warnings are among them where Python runs with -W error."""


HARMLESS = "extraneous bytes"
"""What some cameras leave between two segments; nothing of the picture is missing."""

ORIENTATION = 0x0112
UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: stored.transpose(1, 0, 2)[:, ::-1],
    7: lambda stored: stored.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda stored: stored.transpose(1, 0, 2)[::-1],
}
"""How a stored picture becomes upright, by the EXIF orientation (Exif 2.32, tag 0112)."""


class FrameError(ValueError):
    """A picture that cannot be used. str() names the picture, what is wrong and what to do."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What is decoded at all. bytes: of the file. pixels: width x height. side: the shorter side, at least."""

    bytes: int = 30_000_000
    pixels: int = 50_000_000
    side: int = 64


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture with camera, stage and capture time. bgr: see `Pixels`; never written to."""

    bgr: Pixels
    name: str
    stage: Stage = Stage.SEALED
    camera: str = ""
    captured_at: datetime | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return int(self.bgr.shape[1]), int(self.bgr.shape[0])


def decode(
    data: bytes,
    *,
    name: str,
    stage: Stage = Stage.SEALED,
    camera: str = "",
    captured_at: datetime | None = None,
    limits: Limits = Limits(),
) -> Frame:
    """Bytes of a picture file -> Frame, upright (EXIF orientation applied).

    Plain 8-bit JPEG goes through libjpeg-turbo, strictly: OpenCV and Pillow fill what a damaged file lacks with flat
    grey, and a flat grey parcel looks whole. All else that Pillow can read goes through Pillow: alpha is laid on white,
    16 bits are scaled to 8, CMYK and grey become BGR. Only the first picture of an animation is read.
    Raises FrameError for empty, truncated, too large, too small and unreadable files.
    """
    if not data:
        raise FrameError(name, "the file is empty; take the picture again")
    if len(data) > limits.bytes:
        raise FrameError(name, f"{len(data):,} bytes are more than the limit of {limits.bytes:,}; send a smaller file")
    picture = _open(data, name, limits)
    plain = picture.format in ("JPEG", "MPO") and picture.mode in ("RGB", "L")
    bgr = _decode_jpeg(data, picture, name) if plain else _decode_with_pillow(picture, name)
    return Frame(bgr=bgr, name=name, stage=stage, camera=camera, captured_at=captured_at)


def _open(data: bytes, name: str, limits: Limits) -> Image.Image:
    """Header only: format and size are known before a single pixel is decoded."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise FrameError(name, f"more than {limits.pixels:,} pixels; send a smaller picture") from None
    except UnidentifiedImageError:
        raise FrameError(name, "not a picture that can be read (JPEG, PNG, WebP, TIFF and BMP can)") from None
    except BROKEN as error:
        raise FrameError(name, f"damaged picture file ({error}); take or export it again") from None
    width, height = picture.size
    if width * height > limits.pixels:
        raise FrameError(name, f"{width} x {height} is more than {limits.pixels:,} pixels; send a smaller picture")
    if min(width, height) < limits.side:
        raise FrameError(name, f"{width} x {height} is too small to judge; at least {limits.side} pixels a side")
    return picture


def _decode_jpeg(data: bytes, picture: Image.Image, name: str) -> Pixels:
    try:
        try:
            stored = simplejpeg.decode_jpeg(data, "BGR", strict=True)
        except ValueError as error:
            if HARMLESS not in str(error):
                raise
            stored = simplejpeg.decode_jpeg(data, "BGR", strict=False)
    except ValueError as error:
        raise FrameError(name, f"truncated or damaged picture file ({error}); take or export it again") from None
    try:
        turn = UPRIGHT.get(picture.getexif().get(ORIENTATION, 1))
    except BROKEN:  # a damaged EXIF block costs the orientation, not the picture
        turn = None
    return np.ascontiguousarray(turn(stored) if turn else stored)


def _decode_with_pillow(picture: Image.Image, name: str) -> Pixels:
    try:
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        rgb = np.asarray(_to_rgb(upright), np.uint8)
    except BROKEN as error:
        raise FrameError(name, f"truncated or damaged picture file ({error}); take or export it again") from None
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        levels = np.asarray(picture, np.float64)
        top = 65535.0 if picture.mode.startswith("I") else max(float(levels.max()), 1.0)
        return Image.fromarray(np.clip(levels / top * 255.0, 0, 255).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return picture.convert("RGB")
