"""Handling marks as they are stuck and printed on parcels, and prints beside them that are none."""

from __future__ import annotations

import cv2
import numpy as np

from models.scenes.art import Art, Colour, Pen, Pixels, opaque, readable
from models.scenes.emblems import emblem
from models.scenes.pictograms import OTHERS, PICTURES, STRANGERS, Picture
from models.scenes.wording import NO_MARKS, TOGETHER, WORDS, babble

Oblong = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""
WHITE: Colour = (252, 252, 250)
BLACK: Colour = (16, 16, 18)
RED: Colour = (204, 24, 30)

PAPERS: tuple[tuple[Colour, Colour], ...] = (
    (RED, WHITE),
    (RED, WHITE),
    ((226, 30, 44), WHITE),
    (WHITE, RED),
    (WHITE, RED),
    (WHITE, BLACK),
    (WHITE, BLACK),
    (WHITE, BLACK),
    ((246, 120, 28), BLACK),
    ((250, 90, 30), WHITE),
    ((250, 212, 32), BLACK),
    ((250, 230, 60), RED),
    ((240, 60, 120), WHITE),
    ((24, 84, 170), WHITE),
    (WHITE, (24, 84, 170)),
    ((30, 130, 70), WHITE),
    (BLACK, WHITE),
    ((214, 186, 140), BLACK),
)
"""(paper, ink) of stickers as they are sold: white on red most of all."""
INKS: tuple[Colour, ...] = (
    BLACK,
    BLACK,
    BLACK,
    (40, 36, 34),
    (36, 52, 110),
    (150, 26, 28),
    (190, 30, 30),
    (66, 44, 28),
    (24, 92, 60),
    (96, 84, 74),
)
MARKS = (*PICTURES, "lithium_battery", "other_mark")
BABBLED = 0.5
"""Of other prints with words, the share that says what nobody has written down."""
TAPED = 0.1
"""How often words alone stand on tape."""
RIMS = {"none": 0.58, "plain": 0.3, "dashed": 0.06, "double": 0.06}
"""What goes round words."""
FINE = 0.22
"""How often a sticker says something else in small letters below its words."""
STRANGER = "no_mark"
"""The name of what is printed on parcels and is no handling mark."""


def draw(mark: str, rng: np.random.Generator) -> Art:
    """One handling mark, upright, as a random maker would have made it; it may say another mark too (`Art.also`).

    ValueError for one that is not drawn here.
    """
    if mark not in MARKS:
        raise ValueError(f"no drawing for the mark {mark!r}; there are {', '.join(MARKS)}")
    if mark == "lithium_battery":
        return _words(mark, rng) if rng.random() < 0.12 else Art(mark, opaque(_lithium(rng)))
    if mark == "other_mark":
        picture = OTHERS[int(rng.integers(len(OTHERS)))]
        return _printed(mark, picture, rng) if rng.random() < 0.5 else _sticker(mark, picture, rng)
    style = rng.choice(["sticker", "printed", "words", "tape", "together"], p=[0.38, 0.3, 0.18, 0.06, 0.08])
    if style == "tape" and mark in ("fragile", "handle_with_care"):
        return Art(mark, opaque(_tape(mark, rng)))
    if style == "together":
        return _together(mark, rng)
    if style == "words":
        return _words(mark, rng)
    return _printed(mark, PICTURES[mark], rng) if style == "printed" else _sticker(mark, PICTURES[mark], rng)


def words(rng: np.random.Generator) -> Art:
    """Any one mark in words alone, printed, on a sticker or on tape."""
    mark = str(rng.choice([name for name in MARKS if name in WORDS]))
    return Art(mark, opaque(_tape(mark, rng))) if rng.random() < TAPED else _words(mark, rng)


def strange_words(rng: np.random.Generator) -> Art:
    """What looks like a mark in words alone, and says something else."""
    return Art(STRANGER, opaque(_tape(STRANGER, rng))) if rng.random() < TAPED else _words(STRANGER, rng)


def strange_picture(rng: np.random.Generator) -> Art:
    """A print or sticker with a picture that nobody has seen."""
    return _printed(STRANGER, emblem, rng) if rng.random() < 0.7 else _sticker(STRANGER, emblem, rng)


def paragraph(rng: np.random.Generator) -> Art:
    """A few lines that say no mark, printed below each other, each as large as its maker wanted it."""
    count = int(rng.integers(2, 6))
    highs = rng.uniform(10, 30, count) * (1 if rng.random() < 0.5 else np.where(np.arange(count) == 0, 1.6, 0.7))
    pen = Pen(200, round(2 * float(highs.sum() + 3 * count + 4)), WHITE)
    y = 2.0
    for high in highs.tolist():
        inset = float(rng.choice([0, 0, rng.uniform(0, 25)]))
        pen.text((2 + inset, y, 98 - inset, y + high), _strange_line(rng), BLACK, rng)
        y += high + 3
    bgr = pen.image()
    if rng.random() < 0.6:
        return Art(STRANGER, _as_ink(bgr, rng, _ink(rng)), ink=True)
    paper, ink = PAPERS[int(rng.integers(len(PAPERS)))]
    share = bgr.astype(np.float32) / 255
    mixed = share * np.array(paper[::-1], np.float32) + (1 - share) * np.array(ink[::-1], np.float32)
    sheet = np.clip(mixed, 0, 255).astype(np.uint8)
    _rim(sheet, ink, rng)
    return Art(STRANGER, opaque(sheet))


def row(rng: np.random.Generator) -> list[Art]:
    """Two to four prints of one ink and one frame, as they stand side by side on the boards of cartons."""
    kinds = rng.permutation(sorted(PICTURES))[: int(rng.integers(2, 5))]
    ink, framed = INKS[int(rng.integers(len(INKS)))], rng.random() < 0.6
    return [_printed(str(kind), PICTURES[str(kind)], rng, ink=ink, framed=framed) for kind in kinds]


def stranger(rng: np.random.Generator) -> Art:
    """A print or sticker that is no handling mark: words, signs, seals, boxes of small print."""
    style = rng.choice(["picture", "words", "small print", "plain"], p=[0.4, 0.34, 0.16, 0.1])
    if style == "picture":
        picture = STRANGERS[int(rng.integers(len(STRANGERS)))]
        return _printed(STRANGER, picture, rng) if rng.random() < 0.6 else _sticker(STRANGER, picture, rng)
    if style == "words":
        return _words(STRANGER, rng)
    paper, ink = PAPERS[int(rng.integers(len(PAPERS)))]
    pen = Pen(200, int(rng.integers(70, 260)), paper)
    if style == "small print":
        y = 6.0
        while y < pen.bottom - 12:
            high = float(rng.uniform(5, 14))
            letters = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVWXYZ 0123456789"), int(rng.integers(5, 18))))
            pen.text((5, y, float(rng.uniform(50, 96)), y + high), letters, ink, rng)
            y += high + float(rng.uniform(1, 8))
    if rng.random() < 0.5:
        pen.frame(1, 1, 99, pen.bottom - 1, ink, float(rng.uniform(1, 4)))
    if style == "small print" and rng.random() < 0.5:
        grey = np.where(pen.image().mean(2) > 128, 250, 16) if sum(paper) > sum(ink) else np.full((9, 9), 250)
        return Art(STRANGER, _as_ink(np.repeat(grey[..., None], 3, axis=2).astype(np.uint8), rng, _ink(rng)), ink=True)
    return Art(STRANGER, opaque(pen.image()))


def _sticker(mark: str, picture: Picture, rng: np.random.Generator) -> Art:
    paper, ink = PAPERS[int(rng.integers(len(PAPERS)))]
    text = _text(mark, rng) if rng.random() < 0.7 else None
    if rng.random() < 0.12:
        return Art(mark, _round_sticker(picture, paper, ink, rng))
    wide = text is not None and rng.random() < 0.45
    width, height = (300, int(rng.integers(120, 200))) if wide else (200, int(rng.integers(200, 290)) if text else 200)
    panel = rng.random() < 0.2  # the picture on a field of the other colour
    pen = Pen(width, height, paper)
    if rng.random() < 0.6:
        inset = float(rng.uniform(0, 5))
        pen.frame(inset, inset, 100 - inset, pen.bottom - inset, ink, float(rng.uniform(0.8, 5)))
    bgr = pen.image()
    side = int((height if wide else min(width, height - 60) if text else width) * rng.uniform(0.6, 0.86))
    ground, drawn = (ink, paper) if panel else (paper, ink)
    icon = Pen(side, side, ground)
    picture(icon, drawn, ground, rng)
    x = int(height * 0.1) if wide else (width - side) // 2
    if wide and rng.random() < 0.3:
        x = width - side - x
    below = wide or rng.random() < 0.75
    y = (height - side) // 2 if wide or text is None else int(rng.uniform(8, 16))
    if not below:
        y = height - side - y
    bgr[y : y + side, x : x + side] = icon.image()
    if text:
        if wide:
            free = (x + side + 8, width - 16) if x < width / 2 - side / 2 else (16, x - 8)
            where = (free[0], height * 0.18, free[1], height * 0.82)
        else:
            where = (12, y + side + 4, width - 12, height - 12) if below else (12, 12, width - 12, y - 4)
        _write(bgr, _beside_fine_print(bgr, where, ink, paper, rng), text, ink, paper, rng)
    return Art(mark, opaque(bgr))


def _round_sticker(picture: Picture, paper: Colour, ink: Colour, rng: np.random.Generator) -> Pixels:
    pen = Pen(200, 200, paper)
    if rng.random() < 0.7:
        pen.arc(2, 2, 98, 98, 0, 360, ink, float(rng.uniform(2, 6)))
    bgr = pen.image()
    icon = Pen(124, 124, paper)
    picture(icon, ink, paper, rng)
    bgr[38:162, 38:162] = icon.image()
    bgra = opaque(bgr)
    disc = np.zeros((200, 200), np.uint8)
    cv2.circle(disc, (100, 100), 99, 255, -1, cv2.LINE_AA)
    bgra[..., 3] = disc
    return bgra


def _printed(
    mark: str,
    picture: Picture,
    rng: np.random.Generator,
    *,
    ink: Colour | None = None,
    framed: bool | None = None,
) -> Art:
    """Flexo print: one ink on the board, sometimes in a frame, sometimes with its words below."""
    width = int(rng.integers(130, 201))
    pen = Pen(200, 200, WHITE)
    picture(pen, BLACK, WHITE, rng)
    bgr = np.asarray(cv2.resize(pen.image(), (width, 200), interpolation=cv2.INTER_AREA), np.uint8)
    texts = readable(WORDS.get(mark, []))
    if texts and rng.random() < 0.15:
        text = Pen(width, int(rng.integers(30, 60)), WHITE)
        _lines(text, texts[int(rng.integers(len(texts)))], BLACK, rng)
        bgr = np.concatenate([bgr, text.image()])
    if rng.random() < 0.5 if framed is None else framed:
        pad = int(rng.integers(6, 30))
        bgr = cv2.copyMakeBorder(bgr, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(250, 252, 252)).astype(np.uint8)
        cv2.rectangle(bgr, (3, 3), (bgr.shape[1] - 4, bgr.shape[0] - 4), (18, 16, 16), int(rng.integers(2, 9)))
        if rng.random() < 0.1:
            bgr = 255 - bgr
    return Art(mark, _as_ink(bgr, rng, ink or _ink(rng)), ink=True)


def _words(mark: str, rng: np.random.Generator) -> Art:
    """A mark in words only, printed or on a sticker."""
    return _worded(mark, (), _text(mark, rng) or "", rng)


def _together(mark: str, rng: np.random.Generator) -> Art:
    """A sticker that says this mark and another one, in words and sometimes in pictures."""
    fitting = [(names, text) for names, text in TOGETHER if mark in names and readable([text])]
    names, text = fitting[int(rng.integers(len(fitting)))] if fitting else ((mark,), _text(mark, rng) or "")
    also = tuple(name for name in names if name != mark)
    words = _worded(mark, also, text, rng)
    if rng.random() < 0.5:
        return words
    paper, ink = PAPERS[int(rng.integers(len(PAPERS)))]
    side = int(rng.integers(90, 130))
    shown = names if rng.random() < 0.6 else names[:1]
    sheet = np.full((side + int(rng.integers(60, 110)), max(220, len(shown) * side + 20), 3), paper[::-1], np.uint8)
    for i, name in enumerate(shown):
        icon = Pen(side - 16, side - 16, paper)
        PICTURES[name](icon, ink, paper, rng)
        left = int(sheet.shape[1] * (i + 0.5) / len(shown) - (side - 16) / 2)
        sheet[10 : side - 6, left : left + side - 16] = icon.image()
    _write(sheet, (10, side, sheet.shape[1] - 10, sheet.shape[0] - 8), text, ink, paper, rng)
    return Art(mark, opaque(sheet), also=also)


def _worded(mark: str, also: tuple[str, ...], text: str, rng: np.random.Generator) -> Art:
    printed = rng.random() < 0.45
    paper, ink = (WHITE, BLACK) if printed else PAPERS[int(rng.integers(len(PAPERS)))]
    lines = text.split("\n")
    longest = max(len(line) * (1.0 if line.isascii() else 1.6) for line in lines)
    height = int(rng.integers(60, 110)) * min(3, len(lines))
    width = int(height / len(lines) * max(1.4, min(7.0, longest * float(rng.uniform(0.5, 0.75)))))
    bgr = np.full((height, width, 3), paper[::-1], np.uint8)
    free = width * 0.05, height * 0.1, width * 0.95, height * 0.9
    _write(bgr, _beside_fine_print(bgr, free, ink, paper, rng), text, ink, paper, rng)
    _rim(bgr, ink, rng)
    return Art(mark, _as_ink(bgr, rng, _ink(rng)) if printed else opaque(bgr), ink=printed, also=also)


def _rim(bgr: Pixels, ink: Colour, rng: np.random.Generator) -> None:
    """A line, two lines or dashes round the sheet, or nothing."""
    height, width = bgr.shape[:2]
    kind = str(rng.choice(list(RIMS), p=list(RIMS.values())))
    if kind == "none":
        return
    thick = int(rng.integers(2, 6))
    cv2.rectangle(bgr, (2, 2), (width - 3, height - 3), ink[::-1], thick)
    if kind == "double":
        inset = 2 * thick + 3
        cv2.rectangle(bgr, (inset, inset), (width - 1 - inset, height - 1 - inset), ink[::-1], max(1, thick // 2))
    if kind == "dashed":
        paper, gap = bgr[height // 2, 3 + 2 * thick].tolist(), int(rng.integers(5, 14))
        deep = 3 + thick
        for x in range(gap, width - gap, 2 * gap):
            bgr[:deep, x : x + gap], bgr[height - deep :, x : x + gap] = paper, paper
        for y in range(gap, height - gap, 2 * gap):
            bgr[y : y + gap, :deep], bgr[y : y + gap, width - deep :] = paper, paper


def _tape(mark: str, rng: np.random.Generator) -> Pixels:
    """A strip of printed tape: the word, mostly with the picture, again and again."""
    paper, ink = PAPERS[int(rng.integers(6))]
    texts = [text for text in readable(WORDS.get(mark, [])) if "\n" not in text] or [_strange_line(rng)]
    unit = np.full((60, 300, 3), paper[::-1], np.uint8)
    pictured = mark in PICTURES and rng.random() < 0.6
    if pictured:
        icon = Pen(48, 48, paper)
        PICTURES[mark](icon, ink, paper, rng)
        unit[6:54, 8:56] = icon.image()
    _write(unit, (66 if pictured else 12, 10, 290, 50), texts[int(rng.integers(len(texts)))], ink, paper, rng)
    strip = np.tile(unit, (1, 4, 1))
    start, length = int(rng.integers(0, 300)), int(rng.integers(340, 900))
    return strip[:, start : start + length]


def _lithium(rng: np.random.Generator) -> Pixels:
    """The UN lithium battery mark: red hatched border, batteries with a flame, UN number, sometimes a telephone."""
    pen = Pen(200, int(rng.integers(130, 270)), WHITE)
    bottom = pen.bottom
    red: Colour = BLACK if rng.random() < 0.08 else (int(rng.integers(180, 236)), int(rng.integers(10, 50)), 34)
    border = float(rng.uniform(5, 11))
    pitch = float(rng.uniform(5, 12))
    lean = float(rng.choice([-1, 1]))
    for x in np.arange(-bottom, 100 + bottom, pitch):
        pen.line([(x, bottom), (x + lean * bottom, 0)], red, pitch * float(rng.uniform(0.42, 0.5)))
    pen.oblong(border, border, 100 - border, bottom - border, WHITE)
    if rng.random() < 0.5:
        pen.frame(border, border, 100 - border, bottom - border, red, 1.2)
    if rng.random() < 0.5:
        pen.frame(0, 0, 100, bottom, red, 1.2)
    top, foot = border + 4, bottom * float(rng.uniform(0.55, 0.66))
    unit = (foot - top) / 44
    middle = float(rng.uniform(38, 46))
    count = int(rng.integers(2, 4))
    wide = float(rng.uniform(7, 11)) * min(1.0, unit)
    for i in range(count):
        x = middle - (count - i) * (wide + 3)
        pen.oblong(x, top + 18 * unit, x + wide, foot, BLACK)
        pen.oblong(x + wide / 3, top + 14 * unit, x + 2 * wide / 3, top + 18 * unit, BLACK)
    at = middle + 12

    def placed(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(at + (x - 56), top + (y - 16) * unit) for x, y in points]

    pen.polygon(placed([(56, 40), (82, 38), (84, 48), (70, 49), (67, 44), (56, 49)]), BLACK)
    pen.polygon(placed([(56, 52), (70, 52), (85, 51), (84, 60), (56, 60)]), BLACK)
    pen.polygon(placed([(66, 38), (60, 26), (66, 29), (68, 16), (73, 26), (79, 22), (75, 38)]), BLACK)
    number = f"UN{int(rng.choice([3480, 3481, 3090, 3091, 3551, 3552]))}"
    if rng.random() < 0.9:
        phone = rng.random() < 0.5
        lowest = bottom - border - (float(rng.uniform(7, 10)) if phone else 2)
        pen.text((20, foot + 3, 80, lowest), number, BLACK, rng)
        if phone:
            pen.text((18, lowest + 1, 82, bottom - border - 1), f"+86 {rng.integers(10**9, 10**10)}", BLACK, rng)
    return pen.image()


def _text(mark: str, rng: np.random.Generator) -> str | None:
    if mark == STRANGER and rng.random() < BABBLED:
        return next(iter(readable([babble(rng)])), NO_MARKS[0])
    texts = readable(NO_MARKS if mark == STRANGER else WORDS.get(mark, []))
    return texts[int(rng.integers(len(texts)))] if texts else None


def _strange_line(rng: np.random.Generator) -> str:
    return (_text(STRANGER, rng) or NO_MARKS[0]).replace("\n", " ")


def _ink(rng: np.random.Generator) -> Colour:
    return INKS[int(rng.integers(len(INKS)))]


def _beside_fine_print(bgr: Pixels, box: Oblong, ink: Colour, paper: Colour, rng: np.random.Generator) -> Oblong:
    """Sometimes writes a small line at the foot of the box or, seldom, at its head; returns what is left of the box."""
    if rng.random() >= FINE:
        return box
    x1, y1, x2, y2 = box
    high, inset = (y2 - y1) * float(rng.uniform(0.14, 0.26)), (x2 - x1) * float(rng.uniform(0, 0.2))
    line = _strange_line(rng) if rng.random() < 0.7 else f"{rng.integers(10**3, 10**4)}-{rng.integers(10**6, 10**8)}"
    above = rng.random() < 0.2
    y = y1 if above else y2 - high
    _write(bgr, (x1 + inset, y, x2 - inset, y + high), line, ink, paper, rng)
    return (x1, y1 + high * 1.2, x2, y2) if above else (x1, y1, x2, y2 - high * 1.2)


def _write(bgr: Pixels, box: Oblong, text: str, ink: Colour, paper: Colour, rng: np.random.Generator) -> None:
    """Text into a box of the picture, in its pixels."""
    x1, y1, x2, y2 = (int(v) for v in box)
    if x2 - x1 < 8 or y2 - y1 < 6:
        return
    pen = Pen(x2 - x1, y2 - y1, paper)
    _lines(pen, text, ink, rng)
    bgr[y1:y2, x1:x2] = pen.image()


def _lines(pen: Pen, text: str, ink: Colour, rng: np.random.Generator) -> None:
    """The text's lines over the whole sheet, each as large as it fits."""
    lines = text.split("\n")
    high = pen.bottom / len(lines)
    for i, line in enumerate(lines):
        pen.text((0, i * high + high * 0.05, 100, (i + 1) * high - high * 0.05), line, ink, rng)


def _as_ink(bgr: Pixels, rng: np.random.Generator, ink: Colour) -> Pixels:
    """Dark on white -> one ink with its coverage as alpha, worn as flexo print is: pinholes and faint patches."""
    cover = 255 - cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    height, width = cover.shape
    speckle = cv2.resize(rng.random((height // 2 + 1, width // 2 + 1)).astype(np.float32), (width, height))
    patches = cv2.resize(rng.random((5, 5)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    cover *= np.clip(rng.uniform(0.75, 1.0) - 0.5 * (speckle > 0.94) - 0.5 * np.clip(patches - 0.7, 0, 1), 0, 1)
    out = np.empty((height, width, 4), np.uint8)
    out[..., :3] = ink[::-1]
    out[..., 3] = np.clip(cover, 0, 255)
    return out
