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
    "NotoSansCJK-Black.ttc",
    "NotoSerifCJK-Bold.ttc",
    "NotoSerifCJK-Black.ttc",
    "NotoSansCJK-Medium.ttc",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJK-DemiLight.ttc",
    "NotoSansCJK-Light.ttc",
    "NotoSerifCJK-SemiBold.ttc",
    "NotoSerifCJK-Medium.ttc",
    "NotoSerifCJK-Regular.ttc",
    "wqy-zenhei.ttc",
    "wqy-microhei.ttc",
    "ukai.ttc",
    "gkai00mp.ttf",
    "uming.ttc",
    "LXGWWenKai-Bold.ttf",
    "LXGWWenKai-Regular.ttf",
    "SmileySans-Oblique.ttf",
    "PingFang.ttc",
    "msyhbd.ttc",
)
LATIN_FONTS = (
    "LiberationSans-Bold.ttf",
    "LiberationSansNarrow-Bold.ttf",
    "LiberationSans-Regular.ttf",
    "LiberationSerif-Bold.ttf",
    "NimbusSansNarrow-Bold.otf",
    "BebasNeue-Bold.otf",
    "LeagueSpartan-Black.otf",
    "LeagueSpartan-Bold.otf",
    "InterDisplay-Black.otf",
    "Roboto-Black.ttf",
    "RobotoCondensed-Bold.ttf",
    "RobotoSlab-Bold.otf",
    "OpenSans-CondBold.ttf",
    "OpenSans-ExtraBold.ttf",
    "Lato-Black.ttf",
    "Cabin-Bold.otf",
    "YanoneKaffeesatz-Bold.otf",
    "UniversalisADFStd-BoldCond.otf",
    "TribunADFStd-ExtraBold.otf",
    "OSP-DIN.ttf",
    "allerta_stencil.otf",
    "allerta_stencil.otf",
    "RG2014E.ttf",
    "FreeSerifBold.ttf",
    "C059-Bold.otf",
    "P052-Bold.otf",
    "NimbusRoman-Bold.otf",
    "OldStandard-Bold.ttf",
    "OldStandard-Regular.ttf",
    "EBGaramond12-Bold.otf",
    "Courier Prime Bold.otf",
    "Roboto-Medium.ttf",
    "RobotoCondensed-Medium.ttf",
    "RobotoSlab-Regular.otf",
    "Lato-Medium.ttf",
    "OpenSans-Regular.ttf",
    "InterDisplay-Medium.otf",
    "Cabin-Medium.otf",
    "BebasNeue-Regular.otf",
    "LeagueSpartan-Medium.otf",
    "YanoneKaffeesatz-Medium.otf",
    "URWGothic-Book.otf",
    "NimbusSansNarrow-Regular.otf",
    "NimbusRoman-Regular.otf",
    "LiberationSerif-Regular.ttf",
    "LiberationSansNarrow-Regular.ttf",
    "NimbusMonoPS-Bold.otf",
    "URWBookman-Demi.otf",
    "URWGothic-Demi.otf",
    "arialbd.ttf",
)
"""Sought by name; docs/marks.md tells which packages of Debian bring them. Stencils are common: twice as often."""
SPACED_OUT = 0.1
"""How often a space is put between all letters."""
STRETCH = 0.35
"""By how much at most the logarithm of a line's width differs from what its font has."""


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
        """One line of text, as large as the box allows, centred in it; sometimes spaced out, wide or narrow."""
        files = fonts(han=has_han(text))
        file = str(files[int(rng.integers(len(files)))])
        if text.isascii() and rng.random() < SPACED_OUT:
            text = ("\u2009" if rng.random() < 0.5 else "\u00a0").join(text)
        stretch = float(np.exp(rng.uniform(-STRETCH, STRETCH))) if rng.random() < 0.5 else 1.0
        x1, y1, x2, y2 = (v * self._scale for v in box)
        font = ImageFont.truetype(file, 64)
        left, top, right, bottom = self._draw.textbbox((0, 0), text, font=font)
        width, height = max(1.0, (right - left) * stretch), max(1.0, bottom - top)
        scale = min((x2 - x1) / width, (y2 - y1) / height)
        if scale <= 0:
            return
        font = ImageFont.truetype(file, max(6, round(64 * scale)))
        left, top, right, bottom = (round(v) for v in self._draw.textbbox((0, 0), text, font=font))
        stencil = Image.new("L", (max(1, right - left), max(1, bottom - top)))
        ImageDraw.Draw(stencil).text((-left, -top), text, font=font, fill=255)
        stencil = stencil.resize((max(1, round(width * scale)), max(1, round(height * scale))))
        self._image.paste(
            colour, (round((x1 + x2 - stencil.width) / 2), round((y1 + y2 - stencil.height) / 2)), stencil
        )

    def image(self) -> Pixels:
        """The sheet as BGR uint8 (height, width, 3)."""
        small = self._image.resize((self.width, self.height), Image.Resampling.LANCZOS)
        return np.asarray(small, np.uint8)[:, :, ::-1].copy()


def opaque(bgr: Pixels) -> Pixels:
    """BGR uint8 (h, w, 3) -> BGRA that covers everything."""
    return np.dstack([bgr, np.full(bgr.shape[:2], 255, np.uint8)])
