"""How a carton is closed: strips of tape, plain, clear or printed, whole or torn, and bands around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from models.scenes.blender.carton import Carton
from models.scenes.blender.paint import Array, Rng, noise
from models.scenes.blender.typeface import fit

Colour = tuple[float, float, float]
WORDS = ("FRAGILE", "HANDLE WITH CARE", "易碎 轻放", "CAUTION", "OAKLINE", "SECURITY SEALED", "prima")


@dataclass(frozen=True)
class Tape:
    """colour sRGB; `words` are printed on it again and again in `ink`."""

    colour: Colour
    width: float = 0.05
    clear: bool = False
    words: str = ""
    ink: Colour = (0.75, 0.06, 0.08)

    @classmethod
    def drawn(cls, rng: Rng) -> Tape:
        """Brown, tan, clear, white, black or printed tape."""
        width = float(rng.choice([0.036, 0.048, 0.06, 0.072]))
        kind = rng.random()
        if kind < 0.22:
            ground, ink = (
                ((0.90, 0.90, 0.88), (0.75, 0.06, 0.08)),
                ((0.80, 0.08, 0.10), (0.95, 0.94, 0.92)),
                ((0.93, 0.80, 0.10), (0.05, 0.05, 0.05)),
                ((0.06, 0.07, 0.09), (0.25, 0.60, 0.80)),
                ((0.58, 0.42, 0.24), (0.10, 0.10, 0.10)),
            )[int(rng.integers(5))]
            return cls(ground, width, words=str(rng.choice(WORDS)), ink=ink)
        plain = ((0.50, 0.33, 0.16), (0.66, 0.50, 0.30), (0.80, 0.74, 0.62), (0.88, 0.88, 0.86), (0.07, 0.07, 0.08))
        number = int(rng.choice(5, p=[0.30, 0.22, 0.33, 0.08, 0.07]))
        return cls(plain[number], width, clear=number == 2)

    def film(self, length: float, rng: Rng, *, torn: bool = False) -> tuple[Array, Array | None]:
        """Picture (h, w, 3) of `length` metres of it, lying along the picture, and its cover where an edge is torn."""
        rows, columns = max(4, round(self.width * 1500)), max(4, round(length * 1500))
        rgb = np.ones((rows, columns, 3), np.float32) * np.array(self.colour, np.float32)
        rgb *= 1 + 0.03 * noise((rows, columns), 2, rng, 3)[..., None]
        if self.words:
            image = Image.new("L", (columns, rows), 0)
            draw = ImageDraw.Draw(image)
            step = rows * (0.75 * len(self.words) + 0.8)
            x = -float(rng.uniform(0, step))
            while x < columns:
                fit(draw, (x, rows * 0.2, x + step * 0.86, rows * 0.8), self.words, 255, "heavy")
                x += step
            ink = np.asarray(image, np.float32)[..., None] / 255
            rgb += ink * (np.array(self.ink, np.float32) - rgb)
        if not torn:
            return rgb, None
        cover = np.ones((rows, columns), np.float32)
        jag = cv2.resize(rng.uniform(0, 1, (1, 14)).astype(np.float32), (columns, 1))[0] * 0.16 * rows
        cover[np.arange(rows)[:, None] < jag[None]] = 0
        return rgb, cover


def peel(start: float, sense: int, radius: float, most: float) -> Callable[[Array], tuple[Array, Array]]:
    """Tape along x that rolls up beyond `start`: rest points (n, 3) to where they went and how high they stand (n,).

    It follows a circle of `radius` metres up to `most` radians and goes on straight from there.
    """

    def curl(rest: Array) -> tuple[Array, Array]:
        over = np.clip((rest[:, 0] - start) * sense, 0, None)
        turn = np.minimum(over / radius, most)
        tail = np.clip(over - radius * most, 0, None)
        out = rest.copy()
        out[:, 0] += sense * (radius * np.sin(turn) + tail * np.cos(turn) - over)
        return out, radius * (1 - np.cos(turn)) + tail * np.sin(turn)

    return curl


def strip(
    made: Carton, tape: Tape, face: str, at: tuple[float, float], length: float, rng: Rng, *, turn: float = 0.0,
    hold: int = 0, curl: Callable[[Array], tuple[Array, Array]] | None = None, torn: bool = False, lift: float = 0.0002,
) -> None:  # fmt: skip
    """Stick one piece of tape on a face."""
    rgb, cover = tape.film(length, rng, torn=torn)
    made.glue(
        face, "tape", rgb, (length, tape.width), at, turn, finish="tape_clear" if tape.clear else "tape",
        rough=float(rng.uniform(0.12, 0.35)), lift=lift, cover=cover, hold=hold, curl=curl,
        kind="tape_clear" if tape.clear else "tape_brown",
    )  # fmt: skip


def seal(made: Carton, tape: Tape, rng: Rng, *, skip: str = "") -> None:
    """Tape over the seam and down both short walls; `skip` names a wall where it came off."""
    strip(made, tape, "top", (0, 0), 2 * made.half[0], rng)
    _tails(made, tape, ("left", "right"), 0.0, rng, skip)


def _tails(made: Carton, tape: Tape, walls: tuple[str, str], at: float, rng: Rng, skip: str = "") -> None:
    drop = float(min(rng.uniform(0.04, 0.08), 1.6 * made.half[2]))
    for wall in walls:
        if wall != skip:
            across = at * (1 if wall in ("right", "front") else -1)
            strip(made, tape, wall, (across, made.half[2] - drop / 2), drop, rng, turn=np.pi / 2)


def cross(made: Carton, tape: Tape, at: float, rng: Rng) -> None:
    """One more strip across the seam at x metres, down both long walls."""
    strip(made, tape, "top", (at, 0), 2 * made.half[1], rng, turn=np.pi / 2, lift=0.0005)
    _tails(made, tape, ("front", "back"), at, rng)


def more_tape(made: Carton, tape: Tape, rng: Rng) -> str:
    """Strips beyond the one on the seam: along the edges (an H), crossed, doubled, askew, or none."""
    kind = str(rng.choice(["one", "cross", "h", "double", "askew"], p=[0.62, 0.13, 0.09, 0.08, 0.08]))
    other = tape if rng.random() < 0.6 else Tape.drawn(rng)
    if kind == "cross":
        for at in rng.uniform(-0.6, 0.6, int(rng.integers(1, 3))) * made.half[0]:
            cross(made, other, float(at), rng)
    elif kind == "h":
        for side in (-1, 1):
            cross(made, other, side * (float(made.half[0]) - 0.3 * other.width), rng)
    elif kind == "double":
        strip(
            made, other, "top", (0, float(rng.uniform(-0.5, 0.5)) * tape.width), 2 * made.half[0], rng,
            turn=float(rng.normal(0, 0.02)), lift=0.0005,
        )  # fmt: skip
    elif kind == "askew":
        for _ in range(int(rng.integers(1, 4))):
            at = rng.uniform(-0.5, 0.5, 2) * made.half[:2]
            strip(
                made, other, "top", (float(at[0]), float(at[1])), float(rng.uniform(0.4, 0.9) * made.half[1]), rng,
                turn=float(rng.uniform(0, np.pi)), lift=0.0005,
            )  # fmt: skip
    return kind


def strap(made: Carton, rng: Rng) -> None:
    """One to four bands of polypropylene around the carton, sometimes crossed."""
    colour = ((0.08, 0.08, 0.09), (0.92, 0.80, 0.12), (0.90, 0.90, 0.88), (0.12, 0.35, 0.70), (0.15, 0.50, 0.28))[
        int(rng.choice(5, p=[0.3, 0.25, 0.25, 0.1, 0.1]))
    ]
    width = float(rng.choice([0.009, 0.012, 0.015]))
    for axis in (0,) if rng.random() < 0.7 else (0, 1):
        for share in ((0.0,), (-0.45, 0.45), (-0.5, 0.55))[int(rng.integers(3))]:
            _band(made, axis, share * float(made.half[axis]), colour, width, rng)


def _band(made: Carton, axis: int, at: float, colour: Colour, width: float, rng: Rng) -> None:
    """A band in the plane where x (axis 0) or y (axis 1) is `at` metres."""
    walls = ("front", "back") if axis == 0 else ("left", "right")
    for face in ("top", *walls):
        length = 2 * float(made.half[1 - axis] if face == "top" else made.half[2])
        rows, columns = max(4, round(width * 1500)), round(length * 1500)
        y, x = np.mgrid[:rows, :columns]
        weave = 1 + 0.10 * np.sin(x * 1.6) * np.sin(y * 1.6) + 0.04 * rng.standard_normal((rows, columns))
        rgb = (np.array(colour)[None, None] * weave[..., None]).astype(np.float32)
        across = at * (1 if face in ("top", "front", "right") else -1)
        spot, turn = ((across, 0.0), np.pi / 2) if axis == 0 or face != "top" else ((0.0, across), 0.0)
        made.glue(face, "strap", rgb, (length, width), spot, turn, finish="film", rough=0.35, lift=0.0009, kind="strap")
