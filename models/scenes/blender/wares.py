"""Wares with a back: packs, bottles, bags, cloth, tools, toys drawn from a number, printed on every side.

What an order's things in an open box need (`merchandise.py`) is a top; here a thing is turned any way, so that it can
be learnt that its front and its back are one thing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

from models.scenes.blender.paint import Array, Rng, noise
from models.scenes.blender.props import Maker
from models.scenes.blender.stage import linear
from models.scenes.blender.wrapping import TEXELS, Style, art, patterned

# -- stuff


def stuff(maker: Maker, style: Style, *, printed: float = 0.4) -> Any:
    """What a part is made of: one ink, dull, glossy, of metal or mottled, or, at the chance `printed`, a pattern."""
    rng = style.rng
    if rng.random() < printed:
        sheet = np.ones((TEXELS, TEXELS, 3), np.float32) * style.ink().astype(np.float32)
        sheet = patterned(sheet, style)
        if rng.random() < 0.3:
            sheet *= 1 + 0.12 * rng.standard_normal((TEXELS, TEXELS, 1)).astype(np.float32)
        return maker.printed((np.clip(sheet, 0, 1) * 255).astype(np.uint8), float(rng.uniform(0.2, 0.95)))
    tone = linear(style.ink())
    colour = (float(tone[0]), float(tone[1]), float(tone[2]))
    if rng.random() < 0.2:
        return maker.stage.plain(colour, rough=float(rng.uniform(0.12, 0.5)), metal=1.0)
    mottled = float(rng.uniform(0.1, 0.5)) if rng.random() < 0.3 else 0.0
    return maker.stage.plain(
        colour, rough=float(rng.uniform(0.08, 0.9)), cloud=mottled, scale=float(rng.uniform(20, 150))
    )


# -- shapes: each puts sheets into the maker


def _spread(points: Array) -> Array:
    """Texture places (r * c, 2) of a grid (r, c, 3)."""
    rows, columns = points.shape[:2]
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    return np.stack([u, v], -1).reshape(-1, 2)


def _lay(maker: Maker, points: Array, material: Any, *, smooth: bool = True) -> None:
    maker.cloth(points, material, _spread(points), smooth=smooth)


def block(maker: Maker, size: Array, sides: Sequence[Any], at: Array) -> None:
    """Six faces of size (3,) around `at`, with the materials of front, back, right, left, top, bottom."""
    x, y, z = np.asarray(size) / 2
    faces = (
        ((-x, -y, z), (2 * x, 0, 0), (0, 2 * y, 0)),
        ((x, -y, -z), (-2 * x, 0, 0), (0, 2 * y, 0)),
        ((x, -y, z), (0, 0, -2 * z), (0, 2 * y, 0)),
        ((-x, -y, -z), (0, 0, 2 * z), (0, 2 * y, 0)),
        ((-x, y, z), (2 * x, 0, 0), (0, 0, -2 * z)),
        ((-x, -y, -z), (2 * x, 0, 0), (0, 0, 2 * z)),
    )
    for (corner, across, up), material in zip(faces, sides, strict=True):
        u, v = np.meshgrid([0, 1], [0, 1])
        points = np.asarray(corner) + u[..., None] * np.asarray(across) + v[..., None] * np.asarray(up) + at
        _lay(maker, points, material, smooth=False)


def turned(maker: Maker, radii: Array, heights: Array, material: Any, at: Array, flat: float = 1.0) -> None:
    """A body around z, closed by discs: radii (k,) at heights (k,); `flat` squeezes it along y."""
    radii, heights = np.r_[0, radii, 0], np.r_[heights[0], heights, heights[-1]]
    angle = np.linspace(0, 2 * np.pi, 41)
    points = np.stack(
        [
            radii[:, None] * np.cos(angle),
            flat * radii[:, None] * np.sin(angle),
            np.repeat(heights[:, None], len(angle), 1),
        ],
        -1,
    )
    _lay(maker, points + at, material)


def rounded(maker: Maker, size: Array, power: tuple[float, float], material: Any, at: Array) -> None:
    """A superellipsoid (Barr 1981) of size (3,): balls, soaps, pillows, cubes with soft edges."""
    a, b = np.meshgrid(np.linspace(-np.pi, np.pi, 41), np.linspace(-np.pi / 2, np.pi / 2, 25))

    def bent(value: Array, by: float) -> Array:
        return np.asarray(np.sign(value) * np.abs(value) ** by)

    points = np.stack(
        [
            bent(np.cos(b), power[0]) * bent(np.cos(a), power[1]),
            bent(np.cos(b), power[0]) * bent(np.sin(a), power[1]),
            bent(np.sin(b), power[0]),
        ],
        -1,
    )
    _lay(maker, points * np.asarray(size) / 2 + at, material)


def ring(maker: Maker, radius: float, thick: float, tall: float, material: Any, at: Array) -> None:
    """A torus around z, its section `thick` wide and `tall` high."""
    a, b = np.meshgrid(np.linspace(0, 2 * np.pi, 49), np.linspace(0, 2 * np.pi, 17))
    far = radius + thick / 2 * np.cos(b)
    _lay(maker, np.stack([far * np.cos(a), far * np.sin(a), tall / 2 * np.sin(b)], -1) + at, material)


def pillow(maker: Maker, size: Array, front: Any, back: Any, rng: Rng) -> None:
    """Two sheets welded at the rim, blown up and wrinkled, size (3,)."""
    u, v = np.meshgrid(np.linspace(-1, 1, 36), np.linspace(-1, 1, 36))
    edge = float(rng.choice([2, 4, 8]))
    dome = np.clip(1 - np.abs(u) ** edge, 0, 1) * np.clip(1 - np.abs(v) ** edge, 0, 1)
    for material, sense in ((front, 1), (back, -1)):
        wrinkle = float(rng.uniform(0.02, 0.25)) * noise((36, 36), float(rng.uniform(3, 8)), rng, 3) * dome
        rise = sense * size[2] / 2 * np.clip(dome**0.6 + wrinkle, 0, None)
        points = np.dstack([sense * u * size[0] / 2, v * size[1] / 2, rise + sense * 0.0002])
        _lay(maker, points, material)


# -- wares


def pack(maker: Maker, style: Style) -> None:
    """A folding box, a book, a game: print on all six sides."""
    rng = style.rng
    size = np.exp(rng.uniform(np.log([0.04, 0.04, 0.006]), np.log([0.16, 0.16, 0.09])))
    shown = [
        *(art(style, size[0] / size[1], side) for side in ("front", "back")),
        *(art(style, size[2] / size[1], "band") for _ in range(2)),
        *(art(style, size[0] / size[2], "band") for _ in range(2)),
    ]
    if rng.random() < 0.3:  # the same picture on both large sides
        shown[1] = shown[0]
    block(maker, size, [maker.printed(picture, style.gloss) for picture in shown], np.zeros(3))


def bottle(maker: Maker, style: Style) -> None:
    """A bottle, a can, a tube, a jar: a body, its cap, mostly a label around it."""
    rng = style.rng
    tall, wide = float(rng.uniform(0.05, 0.2)), float(rng.uniform(0.015, 0.045))
    flat = float(rng.choice([1.0, rng.uniform(0.4, 0.9)]))
    shoulder = float(rng.uniform(0.6, 0.95)) * tall
    neck = wide * float(rng.uniform(0.25, 1.0))
    foot = wide * float(rng.uniform(0.8, 1.05))
    here = np.array([0.0, 0.0, -tall / 2])
    turned(
        maker,
        np.array([foot, wide, wide, neck, neck]),
        np.array([0, 0.04 * tall, shoulder, shoulder + 0.4 * (tall - shoulder), tall]),
        stuff(maker, style, printed=0.15),
        here,
        flat,
    )
    cap = neck * float(rng.uniform(1.0, 1.3))
    top = tall * float(rng.uniform(0.06, 0.3))
    turned(
        maker,
        np.array([cap, cap * float(rng.uniform(0.7, 1))]),
        np.array([tall - 0.2 * top, tall + top]),
        stuff(maker, style, printed=0.1),
        here,
        flat,
    )
    if rng.random() < 0.85:
        low, high = np.sort(rng.uniform(0.06, 0.98, 2)) * shoulder
        high = max(high, low + 0.25 * shoulder)
        sides = [art(style, 1.57 * wide / (high - low), side) for side in ("front", "back")]
        tallest = max(picture.shape[0] for picture in sides)
        around = np.concatenate([cv2.resize(picture, (picture.shape[1], tallest)) for picture in sides], 1)
        angle = np.linspace(0, 2 * np.pi, 49)
        ends = np.array([[low], [min(high, shoulder)]])
        points = np.stack(
            [
                1.012 * wide * np.cos(angle) + 0 * ends,
                1.012 * flat * wide * np.sin(angle) + 0 * ends,
                np.repeat(ends, 49, 1),
            ],
            -1,
        )
        _lay(maker, points + here, maker.printed(around, style.gloss))


def bag(maker: Maker, style: Style) -> None:
    """A pouch of film with a front and a back."""
    size = np.exp(style.rng.uniform(np.log([0.06, 0.06, 0.012]), np.log([0.18, 0.18, 0.05])))
    front, back = (maker.printed(art(style, size[0] / size[1], side), style.gloss) for side in ("front", "back"))
    pillow(maker, size, front, back, style.rng)


def textile(maker: Maker, style: Style) -> None:
    """Folded or rolled cloth, one pattern all over, sometimes with a paper band around it."""
    rng = style.rng
    cloth = stuff(maker, style, printed=0.7)
    size = np.exp(rng.uniform(np.log([0.06, 0.06, 0.02]), np.log([0.16, 0.14, 0.05])))
    if rng.random() < 0.4:
        turned(maker, np.array([1, 1.05, 1]) * size[2], np.array([-0.5, 0, 0.5]) * size[0], cloth, np.zeros(3))
    elif rng.random() < 0.5:
        pillow(maker, size, cloth, cloth, rng)
    else:
        rounded(maker, size, (float(rng.uniform(0.3, 1)), float(rng.uniform(0.2, 0.6))), cloth, np.zeros(3))
    if rng.random() < 0.3:
        band = size[0] * float(rng.uniform(0.2, 0.5))
        front = maker.printed(art(style, band / size[1], "front"), 0.7)
        block(maker, np.array([band, size[1] * 1.03, size[2] * 1.05]), [front] * 6, np.zeros(3))


def tool(maker: Maker, style: Style) -> None:
    """A thing with a handle: a profile around an axis in two or three stuffs, and a head across it."""
    rng = style.rng
    start = -0.09
    for _ in range(int(rng.integers(2, 5))):
        end = start + float(rng.uniform(0.02, 0.09))
        knots = int(rng.integers(2, 6))
        radii = rng.uniform(0.003, 0.018) * rng.uniform(0.7, 1.3, knots)
        flat = float(rng.choice([1.0, rng.uniform(0.25, 0.8)]))
        turned(maker, radii, np.linspace(start, end, knots), stuff(maker, style, printed=0.15), np.zeros(3), flat)
        start = end
    if rng.random() < 0.6:
        size = rng.uniform([0.02, 0.008, 0.01], [0.09, 0.03, 0.04])
        rounded(maker, size, (0.4, 0.4), stuff(maker, style, printed=0.2), np.array([0, 0, start]))


def toy(maker: Maker, style: Style) -> None:
    """Anything: two to six simple bodies that touch, of a few stuffs."""
    rng = style.rng
    stuffs = [stuff(maker, style) for _ in range(int(rng.integers(1, 4)))]
    at = np.zeros(3)
    for _ in range(int(rng.integers(2, 7))):
        size = np.exp(rng.uniform(np.log(0.015), np.log(0.09), 3))
        material = stuffs[int(rng.integers(len(stuffs)))]
        kind = int(rng.integers(4))
        if kind == 0:
            block(maker, size, [material] * 6, at)
        elif kind == 1:
            rounded(maker, size, (float(rng.uniform(0.2, 1)), float(rng.uniform(0.2, 1))), material, at)
        elif kind == 2:
            turned(maker, rng.uniform(0.4, 1, 4) * size[0] / 2, np.linspace(-0.5, 0.5, 4) * size[2], material, at)
        else:
            ring(maker, size[0] / 2, size[1] / 3, size[2] / 2, material, at)
        at = at + rng.normal(0, 0.35, 3) * size


def roll(maker: Maker, style: Style) -> None:
    """A ring with a core: tape, wire, a bracelet."""
    rng = style.rng
    radius, thick = float(rng.uniform(0.02, 0.05)), float(rng.uniform(0.006, 0.03))
    ring(maker, radius, thick, float(rng.uniform(0.008, 0.05)), stuff(maker, style), np.zeros(3))
    if rng.random() < 0.5:
        inner = radius - thick / 2
        turned(maker, np.array([inner, inner]), np.array([-0.008, 0.008]), stuff(maker, style), np.zeros(3))


def cord(maker: Maker, style: Style) -> None:
    """A cable, a strap, a lead: wound, with something at its ends."""
    rng = style.rng
    t = np.linspace(0, 1, 200)
    turn = 2 * np.pi * float(rng.uniform(1, 5)) * t
    wave = 1 + 0.25 * np.sin(turn * float(rng.uniform(0.2, 0.7)) + rng.uniform(0, 6))
    x, y = rng.uniform(0.02, 0.06, 2)
    path = np.stack([x * wave * np.cos(turn), y * wave * np.sin(turn), 0.02 * (t - 0.5)], -1)
    maker.tube(path, float(rng.uniform(0.0015, 0.006)), stuff(maker, style, printed=0))
    end = stuff(maker, style, printed=0.1)
    for at in (path[0], path[-1]):
        rounded(maker, rng.uniform(0.008, 0.03, 3), (0.3, 0.3), end, at)


WARES: tuple[Callable[[Maker, Style], None], ...] = (
    pack, pack, pack, bottle, bottle, bottle, bag, bag, textile, tool, toy, toy, roll, cord,
)  # fmt: skip


def ware(maker: Maker, number: int, seed: int) -> str:
    """Puts ware `number` into the maker, the same at every call, and names its kind."""
    rng = np.random.default_rng([seed, number, 17])
    make = WARES[number % len(WARES)]
    make(maker, Style.of(rng))
    return make.__name__
