"""What is stuck on or printed on a parcel: a flat picture with its transparency, and the pen that draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "C:/Windows/Fonts", "~/.fonts")
HAN_FONTS = (
    "NotoSansCJK-Bold.ttc",
    "NotoSerifCJK-Bold.ttc",
    "NotoSansCJK-Regular.ttc",
    "wqy-zenhei.ttc",
    "PingFang.ttc",
    "msyhbd.ttc",
)
LATIN_FONTS = (
    "LiberationSans-Bold.ttf",
    "LiberationSansNarrow-Bold.ttf",
    "LiberationSans-Regular.ttf",
    "LiberationSerif-Bold.ttf",
    "arialbd.ttf",
)


@dataclass(frozen=True, slots=True)
class Art:
    """A flat thing to be put on a parcel.

    bgra: uint8 (h, w, 4), the alpha channel says where it covers. ink: printed into the board, so that the board
    shines through; otherwise it is paper or film of its own. name: the class it teaches ("fragile", ...). also: further
    marks that the same thing says.
    """

    name: str
    bgra: Pixels
    ink: bool = False
    also: tuple[str, ...] = ()


@cache
def fonts(*, han: bool) -> tuple[Path, ...]:
    """Font files of this machine for Chinese or Latin text; Latin always has DejaVu from matplotlib."""
    wanted = HAN_FONTS if han else LATIN_FONTS
    folders = [Path(f).expanduser() for f in FONT_FOLDERS]
    found = [path for f in folders if f.is_dir() for name in wanted for path in sorted(f.rglob(name))]
    if not han:
        found += [
            Path(get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{s}.ttf"
            for s in ("-Bold", "Mono-Bold", "-BoldOblique")
        ]
    return tuple(found)


def has_han(text: str) -> bool:
    """True when the text needs a Chinese font."""
    return any("\u2e80" <= character <= "\uffef" for character in text)


def readable(texts: Sequence[str]) -> list[str]:
    """The texts for which this machine has a font."""
    return [text for text in texts if fonts(han=has_han(text))]


class Pen:
    """Draws on a square or oblong sheet in units of 0..100 of its width, three times finer than the result."""

    FINER = 3

    def __init__(self, width: int, height: int, paper: Colour) -> None:
        self.width, self.height = width, height
        self._scale = width * self.FINER / 100
        self._image = Image.new("RGB", (width * self.FINER, height * self.FINER), paper)
        self._draw = ImageDraw.Draw(self._image)
        self.bottom = 100 * height / width

    def _at(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x * self._scale, y * self._scale) for x, y in points]

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        """A filled polygon."""
        self._draw.polygon(self._at(points), fill=colour)

    def oblong(self, x1: float, y1: float, x2: float, y2: float, colour: Colour) -> None:
        """A filled rectangle."""
        self._draw.rectangle(self._at([(x1, y1), (x2, y2)]), fill=colour)

    def frame(self, x1: float, y1: float, x2: float, y2: float, colour: Colour, width: float) -> None:
        """The outline of a rectangle, drawn inwards."""
        self._draw.rectangle(self._at([(x1, y1), (x2, y2)]), outline=colour, width=max(1, round(width * self._scale)))

    def oval(self, x1: float, y1: float, x2: float, y2: float, colour: Colour) -> None:
        """A filled ellipse in a box."""
        self._draw.ellipse(self._at([(x1, y1), (x2, y2)]), fill=colour)

    def slice(self, x1: float, y1: float, x2: float, y2: float, start: float, end: float, colour: Colour) -> None:
        """A slice of an ellipse, clockwise from the right in degrees."""
        self._draw.pieslice(self._at([(x1, y1), (x2, y2)]), start, end, fill=colour)

    def arc(
        self, x1: float, y1: float, x2: float, y2: float, start: float, end: float, colour: Colour, width: float
    ) -> None:
        """A part of an ellipse's outline."""
        box = self._at([(x1, y1), (x2, y2)])
        self._draw.arc(box, start, end, fill=colour, width=max(1, round(width * self._scale)))

    def line(self, points: Sequence[tuple[float, float]], colour: Colour, width: float) -> None:
        """A polyline."""
        self._draw.line(self._at(points), fill=colour, width=max(1, round(width * self._scale)), joint="curve")

    def text(self, box: tuple[float, float, float, float], text: str, colour: Colour, rng: np.random.Generator) -> None:
        """One line of text, as large as the box allows, centred in it."""
        files = fonts(han=has_han(text))
        file = str(files[int(rng.integers(len(files)))])
        x1, y1, x2, y2 = (v * self._scale for v in box)
        size = max(6.0, y2 - y1)
        for _ in range(2):  # the second pass fits what the first has measured
            font = ImageFont.truetype(file, max(6, int(size)))
            left, top, right, bottom = self._draw.textbbox((0, 0), text, font=font)
            size *= min((x2 - x1) / max(1, right - left), (y2 - y1) / max(1, bottom - top))
        font = ImageFont.truetype(file, max(6, int(size)))
        left, top, right, bottom = self._draw.textbbox((0, 0), text, font=font)
        origin = ((x1 + x2 - right - left) / 2, (y1 + y2 - bottom - top) / 2)
        self._draw.text(origin, text, font=font, fill=colour)

    def image(self) -> Pixels:
        """The sheet as BGR uint8 (height, width, 3)."""
        small = self._image.resize((self.width, self.height), Image.Resampling.LANCZOS)
        return np.asarray(small, np.uint8)[:, :, ::-1].copy()


def opaque(bgr: Pixels) -> Pixels:
    """BGR uint8 (h, w, 3) -> BGRA that covers everything."""
    return np.dstack([bgr, np.full(bgr.shape[:2], 255, np.uint8)])
