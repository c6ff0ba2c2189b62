"""One decoded picture: from bytes that nobody vouches for to pixels with a fixed meaning."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from inspector.spec import Stage

Pixels = npt.NDArray[np.uint8]
"""uint8 (height, width, 3), blue green red, 0..255: the order in which OpenCV's cameras and files arrive."""


FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
"""What cameras and phones write. Pillow's other readers are old, rarely tested code that no parcel needs."""

BROKEN = (OSError, SyntaxError, ValueError, TypeError, struct.error, EOFError, LookupError, OverflowError, Warning)
"""What Pillow's readers raise on damaged files; warnings are among them where Python runs with -W error."""


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

    Plain 8-bit JPEG goes through OpenCV (fast); everything else that Pillow can read goes through Pillow: alpha is
    laid on white, 16 bits are scaled to 8, CMYK and grey become BGR. Only the first picture of an animation is read.
    Raises FrameError for empty, truncated, too large, too small and unreadable files.
    """
    if not data:
        raise FrameError(name, "the file is empty; take the picture again")
    if len(data) > limits.bytes:
        raise FrameError(name, f"{len(data):,} bytes are more than the limit of {limits.bytes:,}; send a smaller file")
    picture = _open(data, name, limits)
    bgr = _decode_jpeg(data, name) if _is_plain_jpeg(picture, data) else None
    if bgr is None:
        bgr = _decode_with_pillow(picture, name)
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


def _is_plain_jpeg(picture: Image.Image, data: bytes) -> bool:
    """OpenCV reads these as we want them; it also fills what a truncated file lacks with grey, hence the end marker."""
    return picture.format in ("JPEG", "MPO") and picture.mode in ("RGB", "L") and b"\xff\xd9" in data[-4096:]


def _decode_jpeg(data: bytes, name: str) -> Pixels | None:
    """None when OpenCV cannot; Pillow then says why."""
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)  # applies the EXIF orientation
    except cv2.error as error:
        raise FrameError(name, f"damaged picture file ({error.err}); take or export it again") from None
    return None if bgr is None else np.asarray(bgr, np.uint8)


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
