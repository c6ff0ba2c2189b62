"""Handling marks in the manner of ISO 780, drawn here: pictograms, stickers, prints, words and tape."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from models.scenes.art import Art, Colour, Pen, Pixels, opaque, readable

WHITE: Colour = (252, 252, 250)
BLACK: Colour = (16, 16, 18)
RED: Colour = (204, 24, 30)

WORDS = {
    "fragile": ["FRAGILE", "FRAGILE", "FRAGILE", "易碎", "易碎品", "易碎物品", "HANDLE: FRAGILE", "FRÁGIL"],
    "this_way_up": ["THIS SIDE UP", "THIS WAY UP", "UP", "此面向上", "向上", "UP THIS SIDE"],
    "keep_dry": ["KEEP DRY", "KEEP DRY", "怕雨", "防潮", "请勿受潮"],
    "handle_with_care": ["HANDLE WITH CARE", "HANDLE WITH CARE", "小心轻放", "轻拿轻放", "WITH CARE"],
    "do_not_stack": ["DO NOT STACK", "禁止堆码", "NO STACKING", "请勿叠放"],
    "keep_away_from_sun": ["KEEP AWAY FROM SUN", "怕晒", "PROTECT FROM HEAT"],
}
# (paper, ink) of stickers as they are sold: white on red most of all.
PAPERS: tuple[tuple[Colour, Colour], ...] = (
    (RED, WHITE),
    (RED, WHITE),
    (WHITE, RED),
    (WHITE, BLACK),
    (WHITE, BLACK),
    ((246, 120, 28), BLACK),
    ((250, 212, 32), BLACK),
    ((240, 60, 120), WHITE),
    ((24, 84, 170), WHITE),
    ((30, 130, 70), WHITE),
)
INKS: tuple[Colour, ...] = (BLACK, BLACK, (40, 36, 34), (36, 52, 110), (150, 26, 28), (66, 44, 28))
Picture = Callable[[Pen, Colour, Colour], None]


def _fragile(pen: Pen, ink: Colour, paper: Colour) -> None:
    pen.slice(26, -34, 74, 58, 0, 180, ink)
    pen.oblong(26, 8, 74, 14, ink)
    pen.oblong(46, 54, 54, 86, ink)
    pen.polygon([(50, 78), (72, 92), (72, 95), (28, 95), (28, 92)], ink)
    pen.polygon([(44, 7), (53, 18), (46, 25), (57, 38), (51, 26), (59, 19), (52, 7)], paper)


def _this_way_up(pen: Pen, ink: Colour, paper: Colour) -> None:
    for x in (29.0, 71.0):
        pen.polygon([(x - 19, 38), (x, 6), (x + 19, 38)], ink)
        pen.oblong(x - 8, 36, x + 8, 80, ink)
    pen.oblong(8, 87, 92, 95, ink)


def _keep_dry(pen: Pen, ink: Colour, paper: Colour) -> None:
    pen.slice(10, 26, 90, 106, 180, 360, ink)
    for i in range(4):
        pen.oval(10 + 20 * i, 61, 30 + 20 * i, 72, paper)
    pen.oblong(48, 20, 52, 88, ink)
    pen.arc(36, 80, 52, 96, 0, 180, ink, 4)
    for x, y in ((16, 8), (34, 3), (54, 3), (73, 6), (90, 14), (6, 26)):
        pen.line([(x, y), (x - 5, y + 13)], ink, 3.4)


def _handle_with_care(pen: Pen, ink: Colour, paper: Colour) -> None:
    pen.oblong(32, 8, 68, 44, ink)
    pen.oblong(36, 12, 64, 40, paper)
    for mirror in (False, True):
        hand = [(6, 30), (15, 27), (25, 50), (47, 50), (47, 57), (30, 60), (47, 66), (46, 78), (26, 78), (8, 58)]
        pen.polygon([(100 - x, y) if mirror else (x, y) for x, y in hand], ink)
        cuff = [(20, 82), (44, 82), (44, 95), (20, 95)]
        pen.polygon([(100 - x, y) if mirror else (x, y) for x, y in cuff], ink)


def _do_not_stack(pen: Pen, ink: Colour, paper: Colour) -> None:
    for top in (8, 54):
        pen.oblong(24, top, 76, top + 38, ink)
        pen.oblong(29, top + 5, 71, top + 33, paper)
    pen.line([(10, 2), (90, 52)], ink, 8)
    pen.line([(90, 2), (10, 52)], ink, 8)


def _keep_away_from_sun(pen: Pen, ink: Colour, paper: Colour) -> None:
    pen.oval(38, 8, 62, 32, ink)
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        c, s = float(np.cos(angle)), float(np.sin(angle))
        pen.line([(50 + 15 * c, 20 + 15 * s), (50 + 23 * c, 20 + 23 * s)], ink, 3)
    pen.polygon([(10, 64), (50, 44), (90, 64), (86, 70), (50, 52), (14, 70)], ink)
    pen.oblong(32, 68, 68, 95, ink)
    pen.oblong(37, 73, 63, 95, paper)


def _stack_limit(pen: Pen, ink: Colour, paper: Colour) -> None:
    pen.oblong(18, 4, 82, 9, ink)
    pen.oblong(46, 9, 54, 24, ink)
    pen.polygon([(36, 22), (64, 22), (50, 36)], ink)
    for top in (42, 66):
        pen.frame(28, top, 72, top + 22, ink, 4)
    pen.oblong(18, 92, 82, 97, ink)


def _temperature(pen: Pen, ink: Colour, paper: Colour) -> None:
    pen.oblong(44, 8, 56, 70, ink)
    pen.oval(36, 64, 64, 92, ink)
    for y in (16, 30, 44, 58):
        pen.line([(62, y), (74, y)], ink, 4)
    pen.line([(10, 30), (38, 30)], ink, 4)
    pen.line([(10, 58), (38, 58)], ink, 4)


def _centre_of_gravity(pen: Pen, ink: Colour, paper: Colour) -> None:
    pen.oval(20, 20, 80, 80, ink)
    pen.oval(25, 25, 75, 75, paper)
    pen.slice(25, 25, 75, 75, 0, 90, ink)
    pen.slice(25, 25, 75, 75, 180, 270, ink)
    pen.line([(50, 4), (50, 96)], ink, 4)
    pen.line([(4, 50), (96, 50)], ink, 4)


def _no_hooks(pen: Pen, ink: Colour, paper: Colour) -> None:
    pen.line([(50, 6), (50, 44)], ink, 8)
    pen.oblong(34, 4, 66, 12, ink)
    pen.arc(32, 36, 72, 88, 270, 150, ink, 8)
    pen.line([(10, 10), (90, 92)], ink, 7)
    pen.line([(90, 10), (10, 92)], ink, 7)


PICTURES: dict[str, Picture] = {
    "fragile": _fragile,
    "this_way_up": _this_way_up,
    "keep_dry": _keep_dry,
    "handle_with_care": _handle_with_care,
    "do_not_stack": _do_not_stack,
    "keep_away_from_sun": _keep_away_from_sun,
}
OTHERS: tuple[Picture, ...] = (_stack_limit, _temperature, _centre_of_gravity, _no_hooks)
MARKS = (*PICTURES, "lithium_battery", "other_mark")


def draw(mark: str, rng: np.random.Generator) -> Art:
    """One handling mark, upright, as a random maker would have made it. ValueError for one that is not drawn here."""
    if mark not in MARKS:
        raise ValueError(f"no drawing for the mark {mark!r}; there are {', '.join(MARKS)}")
    if mark == "lithium_battery":
        return Art(mark, opaque(_lithium(rng)))
    if mark == "other_mark":
        picture = OTHERS[int(rng.integers(len(OTHERS)))]
        return _printed(mark, picture, rng) if rng.random() < 0.5 else _sticker(mark, picture, rng)
    style = rng.choice(["sticker", "printed", "words", "tape"], p=[0.5, 0.24, 0.18, 0.08])
    if style == "tape" and mark in ("fragile", "handle_with_care"):
        return Art(mark, opaque(_tape(mark, rng)))
    if style == "words":
        return _words(mark, rng)
    return _printed(mark, PICTURES[mark], rng) if style == "printed" else _sticker(mark, PICTURES[mark], rng)


def _sticker(mark: str, picture: Picture, rng: np.random.Generator) -> Art:
    paper, ink = PAPERS[int(rng.integers(len(PAPERS)))]
    texts = readable(WORDS.get(mark, []))
    text = texts[int(rng.integers(len(texts)))] if texts and rng.random() < 0.8 else None
    wide = text is not None and rng.random() < 0.45
    width, height = (300, int(rng.integers(130, 190))) if wide else (200, int(rng.integers(200, 270)) if text else 200)
    pen = Pen(width, height, paper)
    if rng.random() < 0.7:
        pen.frame(2.5, 2.5, 97.5, pen.bottom - 2.5, ink, float(rng.uniform(0.8, 2.5)))
    bgr = pen.image()
    side = int((height if wide else min(width, height - 60) if text else width) * rng.uniform(0.66, 0.84))
    icon = Pen(side, side, paper)
    picture(icon, ink, paper)
    x = int(height * 0.1) if wide else (width - side) // 2
    y = (height - side) // 2 if wide or text is None else int(rng.uniform(10, 20))
    bgr[y : y + side, x : x + side] = icon.image()
    if text:
        where = (
            (x + side + 8, height * 0.24, width - 22, height * 0.76)
            if wide
            else (14, y + side + 4, width - 14, height - 14)
        )
        _write(bgr, where, text, ink, paper, rng)
    return Art(mark, opaque(bgr))


def _printed(mark: str, picture: Picture, rng: np.random.Generator) -> Art:
    """Flexo print: one ink on the board, sometimes in a frame."""
    pen = Pen(200, 200, WHITE)
    picture(pen, BLACK, WHITE)
    bgr = pen.image()
    if rng.random() < 0.55:
        pad = int(rng.integers(10, 26))
        bgr = cv2.copyMakeBorder(bgr, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(250, 252, 252)).astype(np.uint8)
        cv2.rectangle(bgr, (3, 3), (bgr.shape[1] - 4, bgr.shape[0] - 4), (18, 16, 16), int(rng.integers(3, 8)))
    return Art(mark, _as_ink(bgr, rng), ink=True)


def _words(mark: str, rng: np.random.Generator) -> Art:
    """A mark in words only, printed or on a sticker."""
    texts = readable(WORDS[mark])
    text = texts[int(rng.integers(len(texts)))]
    printed = rng.random() < 0.45
    paper, ink = (WHITE, BLACK) if printed else PAPERS[int(rng.integers(len(PAPERS)))]
    height = int(rng.integers(60, 110))
    width = int(height * max(1.6, min(6.0, 0.62 * len(text) * (1.6 if not text.isascii() else 1))))
    bgr = np.full((height, width, 3), paper[::-1], np.uint8)
    _write(bgr, (width * 0.06, height * 0.16, width * 0.94, height * 0.84), text, ink, paper, rng)
    if rng.random() < 0.5:
        cv2.rectangle(bgr, (2, 2), (width - 3, height - 3), ink[::-1], int(rng.integers(2, 6)))
    return Art(mark, _as_ink(bgr, rng), ink=True) if printed else Art(mark, opaque(bgr))


def _tape(mark: str, rng: np.random.Generator) -> Pixels:
    """A strip of printed tape: the word and the picture, again and again."""
    paper, ink = PAPERS[int(rng.integers(4))]
    texts = readable(WORDS[mark])
    unit = np.full((60, 300, 3), paper[::-1], np.uint8)
    icon = Pen(48, 48, paper)
    PICTURES[mark](icon, ink, paper)
    unit[6:54, 8:56] = icon.image()
    _write(unit, (66, 10, 290, 50), texts[int(rng.integers(len(texts)))], ink, paper, rng)
    strip = np.tile(unit, (1, 4, 1))
    start, length = int(rng.integers(0, 300)), int(rng.integers(340, 900))
    return strip[:, start : start + length]


def _lithium(rng: np.random.Generator) -> Pixels:
    """The UN lithium battery mark: red hatched border, batteries with a flame, UN number, sometimes a telephone."""
    pen = Pen(200, int(rng.integers(180, 260)), WHITE)
    bottom = pen.bottom
    for x in np.arange(-bottom, 100, 9.0):
        pen.line([(x, bottom), (x + bottom, 0)], RED, 4.2)
    pen.oblong(8, 8, 92, bottom - 8, WHITE)
    pen.frame(8, 8, 92, bottom - 8, RED, 1.2)
    pen.frame(0, 0, 100, bottom, RED, 1.2)
    for x in (18, 30, 42):
        pen.oblong(x, 34, x + 9, 60, BLACK)
        pen.oblong(x + 3, 30, x + 6, 34, BLACK)
    pen.polygon([(56, 40), (82, 38), (84, 48), (70, 49), (67, 44), (56, 49)], BLACK)
    pen.polygon([(56, 52), (70, 52), (85, 51), (84, 60), (56, 60)], BLACK)
    pen.polygon([(66, 38), (60, 26), (66, 29), (68, 16), (73, 26), (79, 22), (75, 38)], BLACK)
    number = f"UN{int(rng.choice([3480, 3481, 3090, 3091]))}"
    pen.text((22, 64, 78, bottom - 20), number, BLACK, rng)
    if rng.random() < 0.5:
        pen.text((20, bottom - 18, 80, bottom - 11), f"+86 {rng.integers(10**9, 10**10)}", BLACK, rng)
    return pen.image()


def _write(
    bgr: Pixels, box: tuple[float, float, float, float], text: str, ink: Colour, paper: Colour, rng: np.random.Generator
) -> None:
    """One line of text into a box of the picture, in its pixels."""
    x1, y1, x2, y2 = (int(v) for v in box)
    if x2 - x1 < 8 or y2 - y1 < 6:
        return
    pen = Pen(x2 - x1, y2 - y1, paper)
    pen.text((0, 0, 100, pen.bottom), text, ink, rng)
    bgr[y1:y2, x1:x2] = pen.image()


def _as_ink(bgr: Pixels, rng: np.random.Generator) -> Pixels:
    """Dark on white -> one ink with its coverage as alpha, worn as flexo print is: pinholes and faint patches."""
    cover = 255 - cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    height, width = cover.shape
    speckle = cv2.resize(rng.random((height // 2 + 1, width // 2 + 1)).astype(np.float32), (width, height))
    patches = cv2.resize(rng.random((5, 5)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    cover *= np.clip(rng.uniform(0.75, 1.0) - 0.5 * (speckle > 0.94) - 0.5 * np.clip(patches - 0.7, 0, 1), 0, 1)
    ink = INKS[int(rng.integers(len(INKS)))]
    out = np.empty((height, width, 4), np.uint8)
    out[..., :3] = ink[::-1]
    out[..., 3] = np.clip(cover, 0, 255)
    return out
