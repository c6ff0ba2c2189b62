"""Pictures as they come in: named, measured by their header, never decoded here."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from api.errors import Problem, invalid
from api.fields import file_name
from inspector.frame import Limits

_PNG = b"\x89PNG\r\n\x1a\n"
_LONGEST_SIDE = 30_000
_SUFFIX = {"image/jpeg": ".jpg", "image/png": ".png"}


@dataclass(frozen=True, slots=True)
class Received:
    """A picture that came in and looks like one. sha256: of the bytes, in hex."""

    name: str
    content: bytes
    media_type: str
    sha256: str

    @property
    def suffix(self) -> str:
        """For the file it is kept in."""
        return _SUFFIX[self.media_type]


def receive(name: str | None, content: bytes, most_bytes: int) -> Received:
    """A picture part as it was sent. Raises a Problem (413 or 422) that names the picture and says what to do."""
    try:
        name = file_name(name or "")
    except ValueError as error:
        raise invalid(f"The picture's file name {name!r} cannot be used: {error}.", pointer="/pictures") from error
    if len(content) > most_bytes:
        raise Problem(
            413, "too-large", "The picture is too large",
            f"Nothing was stored. {name}: {len(content)} bytes are more than the limit of {most_bytes}; send a "
            "smaller picture.",
            limit=most_bytes,
        )  # fmt: skip
    trouble = trouble_of(content)
    if trouble is not None:
        raise invalid(f"Nothing was stored. {name}: {trouble}.", pointer="/pictures", slug="bad-picture")
    return Received(name, content, media_type_of(content) or "", hashlib.sha256(content).hexdigest())


def media_type_of(content: bytes) -> str | None:
    """By the first bytes: JPEG, PNG or None. Names and headers of requests are not believed."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/png" if content.startswith(_PNG) else None


def trouble_of(content: bytes, limits: Limits = Limits()) -> str | None:
    """What keeps these bytes from being evidence, with what to do; None when their frame is in order."""
    if not content:
        return "the file is empty; take the picture again"
    kind = media_type_of(content)
    if kind is None:
        return "this is neither JPEG nor PNG, whatever its name says; send one of these"
    whole = b"\xff\xd9" in content[-4096:] if kind == "image/jpeg" else b"IEND" in content[-64:]
    if not whole:
        return "the end of the file is missing; send it again whole"
    size = _png_size(content) if kind == "image/png" else _jpeg_size(content)
    if size is None:
        return "its header is damaged; take or export the picture again"
    width, height = size
    if not (0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE and width * height <= limits.pixels):
        return f"it claims {width} x {height} pixels; send a picture of at most {limits.pixels} pixels"
    return None


def _png_size(content: bytes) -> tuple[int, int] | None:
    if len(content) < 33 or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Width and height from the frame header (ITU T.81, B.2.2), found by walking the segments."""
    at = 2
    while at + 9 < len(content):
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        if marker == 0xDA:  # pixels before any frame header
            return None
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return None
