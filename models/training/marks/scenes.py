"""Pictures of parcels with marks on them, composed on the fly from real and rendered parcels and drawn marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from inspector.detector import crop_around
from inspector.frame import Pixels
from inspector.spec import MARKS
from inspector.verdict import Box
from models.scenes.art import Art
from models.scenes.paste import Spot, corners, paste, worn
from models.training.data import Floats, Photo
from models.training.marks.bank import Bank
from models.training.marks.camera import taken
from models.training.network import CLASSES, FIRST_MARK

MARGIN = 0.05
"""How much of its surroundings a parcel brings along, at inference too."""
LONGER, SHORTER = 20.0, 10.0
"""A mark whose sides are shorter, in pixels of the picture, is neither asked for nor held to be absent."""
PICTURE = (22.0, 12.0)
FULL = (48.0, 20.0)
"""Longer and shorter side from which on a drawn mark is put down: a lone picture of one ink, and whatever has words."""
FAINT = 32.0
"""Grey levels: what changes its ground by less, where it changes it most, is not asked for."""
LEGIBLE = 24.0, 12.0
"""Longer and shorter side, in its picture's pixels, of what can be read of a rendered mark: the rest may be hidden."""
HIDDEN = 0.3
"""Share of a rendered mark's box below which other things cover it, or it is seen from its edge."""
PLAIN = 26.0
"""Grey levels between the darkest and the lightest twentieth of a mark: with less it cannot be read."""
HALF_SEEN, COVERED = 0.3, 0.9
"""Covered shares between which nobody is asked for a mark: what is left of it may still tell which one it is."""
IOU = 0.3
"""Overlap from which on a reading is of a mark: marks are small, and a box that is 3 pixels off is still the mark's."""
UNTOLD = {("renders", "g0035")}
"""Source and group of renders with marks that nobody wrote down: printed on the carton beside."""
Label = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ground:
    """A parcel as it is, with the marks it has already.

    pixels: BGR uint8 (h, w, 3). boxes: float32 (m, 4) xyxy of every known print. says: float32 (m, 7) in the order of
    MARKS, all 0 for what is no mark we know. turns: clockwise degrees, NaN where nobody should be asked. group: never
    to be split.
    """

    pixels: Pixels
    boxes: Floats
    says: Label
    turns: Floats
    group: str
    source: str

    @property
    def told(self) -> npt.NDArray[np.bool_]:
        """Which boxes are marks of which it is known how they stand."""
        return np.asarray(np.isfinite(self.turns) & (self.says.max(axis=1, initial=0.0) > 0), np.bool_)


@dataclass(slots=True)
class Scene:
    """One picture and its truth; the same fields as `Ground`, and which boxes nobody should be asked about."""

    pixels: Pixels
    boxes: Floats
    says: Label
    turns: Floats
    ignored: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))

    @property
    def whole(self) -> Box:
        """The whole picture's box: a scene is a parcel with its margin."""
        height, width = self.pixels.shape[:2]
        return 0.0, 0.0, float(width), float(height)

    @property
    def positive(self) -> npt.NDArray[np.bool_]:
        """Which boxes are marks that must be found."""
        return np.asarray((self.says.max(axis=1, initial=0.0) > 0) & ~self.ignored)


def grounds(photos: Sequence[Photo]) -> Iterator[Ground]:
    """Every parcel of the photos on which somebody looked for marks, cut out, and the pictures of signs as they are."""
    for photo in photos:
        if not photo.judged[FIRST_MARK:-1].all() or (photo.source, photo.group) in UNTOLD:
            continue
        pixels = photo.read()
        prints = photo.classes != 0
        boxes, classes, turns = photo.boxes[prints], photo.classes[prints], photo.turns[prints]
        says = np.array([[CLASSES[c] == mark for mark in MARKS] for c in classes], np.float32).reshape(-1, len(MARKS))
        if photo.source == "renders":  # their boxes are exact, and also told of what only a sliver is seen
            hidden = illegible(pixels, boxes, LEGIBLE) | (photo.shown[prints] < HIDDEN)
            turns = np.where(hidden, np.float32(np.nan), turns)
        if photo.source == "signs":
            small = np.asarray(cv2.resize(pixels, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), np.uint8)
            yield Ground(small, boxes * 0.6, says, turns, photo.group, photo.source)
            continue
        for x1, y1, x2, y2 in photo.boxes[photo.classes == 0].tolist():
            if min(x2 - x1, y2 - y1) < 60:
                continue
            part, left, top = crop_around(pixels, (x1, y1, x2 - x1, y2 - y1), MARGIN)
            height, width = part.shape[:2]
            moved = boxes - np.array([left, top, left, top], np.float32)
            middle = (moved[:, :2] + moved[:, 2:]) / 2
            inside = ((middle > 0) & (middle < (width, height))).all(axis=1)
            yield Ground(part.copy(), moved[inside], says[inside], turns[inside], photo.group, photo.source)


def teaching(places: Sequence[Ground], weights: npt.NDArray[np.float64]) -> list[Ground]:
    """Those that are drawn at all."""
    return [place for place, weight in zip(places, weights, strict=True) if weight > 0]


def illegible(pixels: Pixels, boxes: Floats, least: tuple[float, float]) -> npt.NDArray[np.bool_]:
    """Which boxes (m, 4) xyxy are smaller than `least` (longer, shorter side) or so plain that nothing can be read."""
    sides = np.sort(boxes[:, 2:] - boxes[:, :2], axis=1)
    out = (sides[:, 1] < least[0]) | (sides[:, 0] < least[1])
    for i, (x1, y1, x2, y2) in enumerate(boxes.astype(int).tolist()):
        part = pixels[max(0, y1) : y2 + 1, max(0, x1) : x2 + 1]
        if part.size:
            dark, light = np.percentile(part.mean(axis=2), (5, 95))
            out[i] |= light - dark < PLAIN
    return out


def compose(rng: np.random.Generator, ground: Ground, bank: Bank) -> Scene:
    """The ground, turned and scaled, with marks, prints and labels put on it, some covered, seen by some camera."""
    scene = _placed(ground, rng)
    busy = rng.random() < 0.4
    for _ in range(int(rng.choice([0, 1, 2, 3, 5], p=[0.2, 0.2, 0.25, 0.2, 0.15]))):
        scene = _add(scene, bank.take(str(rng.choice(_KINDS, p=_SHARES)), rng), rng)
    for _ in range(int(rng.integers(0, 4 if busy else 2))):
        scene = _add(scene, bank.take("no_mark", rng), rng)
    if rng.random() < 0.3:
        scene = _add(scene, bank.take("shipping_label", rng), rng, (0.25, 0.6))
    scene.pixels = taken(scene.pixels, rng)
    scene.ignored |= illegible(scene.pixels, scene.boxes, (LONGER, SHORTER))
    return scene


_KINDS = (*sorted(MARKS), "other_mark", "row")
_SHARES = np.array([1.2, 1.2, 1.1, 1.0, 1.0, 1.6, 1.0, 0.7, 1.2])
_SHARES /= _SHARES.sum()


def _placed(ground: Ground, rng: np.random.Generator) -> Scene:
    """Turned by right angles, scaled to what a parcel is in a bench's picture."""
    pixels, boxes, turns = ground.pixels, ground.boxes, ground.turns
    for _ in range(int(rng.integers(4)) if rng.random() < 0.6 else 0):  # clockwise by 90 degrees
        height = pixels.shape[0]
        pixels = cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE).astype(np.uint8, copy=False)
        x1, y1, x2, y2 = boxes.T
        boxes = np.stack([height - y2, x1, height - y1, x2], axis=1)
        turns = (turns + 90) % 360
    longer = max(pixels.shape[:2])
    scale = float(np.exp(rng.uniform(np.log(280), np.log(640)))) / longer
    # What is small already is not made smaller: its marks are at the edge of what can be read.
    scale = float(np.clip(scale, 1.0 if longer < 320 else 0.6, 2.5)) if len(boxes) else min(scale, 3.0)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how), np.uint8)
    hidden = np.isnan(turns) & (ground.says.max(axis=1, initial=0.0) > 0)
    return Scene(pixels, boxes * scale, ground.says.copy(), turns.copy(), hidden)


def _add(
    scene: Scene, arts: tuple[Art, ...], rng: np.random.Generator, sizes: tuple[float, float] = (0.08, 0.55)
) -> Scene:
    """Puts arts side by side on a free place; nothing when six tries find none."""
    height, width = scene.pixels.shape[:2]
    wear = float(rng.uniform(0, 1) ** 2)
    arts = tuple(worn(art, rng, wear) for art in arts)
    for _ in range(6):
        spots = _spots(arts, (width, height), sizes, rng)
        quads = [corners(spot, art) for spot, art in zip(spots, arts, strict=True)]
        bounds = np.concatenate([np.r_[q.min(0), q.max(0)][None] for q in quads])
        fits = bounds[:, :2].min() > 1 and bounds[:, 2].max() < width - 1 and bounds[:, 3].max() < height - 1
        sides = np.sort(bounds[:, 2:] - bounds[:, :2], axis=1)[:, ::-1]
        readable = all((side >= _least(art)).all() for side, art in zip(sides, arts, strict=True))
        if fits and readable and not _touches(bounds, scene.boxes):
            break
    else:
        return scene
    for spot, art in zip(spots, arts, strict=True):
        try:
            pixels, pasted = paste(scene.pixels, art, spot, rng)
        except ValueError:  # squeezed to nothing
            continue
        says = np.array([mark in (art.name, *art.also) for mark in MARKS], np.float32)
        box = np.array(pasted.box, np.float32)
        scene = Scene(
            pixels,
            np.concatenate([scene.boxes, box[None]]),
            np.concatenate([scene.says, says[None]]),
            np.append(scene.turns, np.float32(pasted.turn % 360)),
            np.append(scene.ignored, _faint(scene.pixels, pixels, box)),
        )
        if says.any() and rng.random() < 0.14:
            _cover(scene, box, rng)
    return scene


def _spots(
    arts: tuple[Art, ...], size: tuple[int, int], sizes: tuple[float, float], rng: np.random.Generator
) -> list[Spot]:
    """One place for each art, in a line along their common turn."""
    width, height = size
    longer = float(np.sqrt(width * height)) * float(np.exp(rng.uniform(*np.log(sizes))))
    least = max(float(_least(art)[0]) for art in arts) * 1.1
    longer = max(longer / (1 if len(arts) == 1 else 1.5), least * float(rng.uniform(1, 1.4)))
    way = float(rng.choice([0, 0, 0, 90, 180, 270])) + float(rng.normal(0, 10))
    turn = way if rng.random() < 0.7 else float(rng.uniform(0, 360))
    squeeze = 1.0 if rng.random() < 0.3 else float(rng.uniform(0.4, 1.0))
    lean = float(rng.uniform(0, 180))
    x, y = float(rng.uniform(0.08, 0.92)) * width, float(rng.uniform(0.08, 0.92)) * height
    gap = float(rng.uniform(1.02, 1.4))
    spots = []
    for i, art in enumerate(arts):
        h, w = art.bgra.shape[:2]
        share = longer * w / max(h, w) if len(arts) == 1 else longer * w / 224
        along = np.array([(i - (len(arts) - 1) / 2) * longer * gap, 0.0])
        a, b = np.deg2rad(turn), np.deg2rad(lean)
        along = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ along
        axis = np.array([np.cos(b), np.sin(b)])
        along = along - (1 - squeeze) * axis * float(axis @ along)
        spots.append(Spot(x + along[0], y + along[1], max(share, 4.0), turn % 360, squeeze, lean))
    return spots


def _least(art: Art) -> npt.NDArray[np.float64]:
    height, width, _ = art.bgra.shape
    return np.array(PICTURE if art.ink and 0.5 < width / height < 1.6 else FULL)


def _touches(bounds: npt.NDArray[np.floating], boxes: Floats) -> bool:
    x1, y1, x2, y2 = bounds[:, 0].min(), bounds[:, 1].min(), bounds[:, 2].max(), bounds[:, 3].max()
    return bool(((boxes[:, 0] < x2) & (boxes[:, 2] > x1) & (boxes[:, 1] < y2) & (boxes[:, 3] > y1)).any())


def _faint(before: Pixels, after: Pixels, box: Floats) -> bool:
    """Whether a thing can hardly be told from what it was put on, as dark ink in the dark."""
    x1, y1, x2, y2 = (int(v) for v in box)
    change = np.abs(after[y1 : y2 + 1, x1 : x2 + 1].astype(np.int16) - before[y1 : y2 + 1, x1 : x2 + 1]).max(axis=2)
    return bool(np.percentile(change, 92) < FAINT)


def _cover(scene: Scene, box: Floats, rng: np.random.Generator) -> None:
    """Lays something over a part of the box; of what else it covers nobody is asked either."""
    pixels = scene.pixels
    share = float(rng.uniform(0.1, 0.9))
    x1, y1, x2, y2 = box
    a = float(rng.choice([0, 90, 180, 270])) + float(rng.normal(0, 15))
    normal = np.array([np.cos(np.deg2rad(a)), np.sin(np.deg2rad(a))])
    middle = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
    reach = (abs(normal[0]) * (x2 - x1) + abs(normal[1]) * (y2 - y1)) / 2
    along = np.array([-normal[1], normal[0]])
    far = max(x2 - x1, y2 - y1) * float(rng.uniform(0.8, 2))
    depth = max(x2 - x1, y2 - y1) * float(rng.uniform(0.7, 2))
    edge = middle + normal * reach * (1 - 2 * share)
    quad = np.array([edge + along * far, edge + along * far + normal * depth])
    quad = np.concatenate([quad, [edge - along * far + normal * depth, edge - along * far]])
    mask = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(mask, [quad.astype(np.int32)], 255)
    kind = rng.choice(["tape", "paper", "board", "hand"])
    if kind == "board":  # from the other end of the picture, and so blurred that no mark can be read on it
        moved = np.roll(pixels, (int(pixels.shape[0] // 2), int(pixels.shape[1] // 2)), (0, 1))
        fill = cv2.GaussianBlur(moved, (0, 0), max(pixels.shape[:2]) / 12).astype(np.float32)
    else:
        colour = {"tape": (90, 140, 175), "paper": (225, 228, 230), "hand": (120, 150, 200)}[str(kind)]
        fill = np.broadcast_to(np.array(colour, np.float32) * float(rng.uniform(0.5, 1.1)), pixels.shape)
    strength = (cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None] / 255).astype(np.float32)
    mixed = pixels * (1 - strength) + fill * strength
    scene.pixels = np.clip(mixed, 0, 255).astype(np.uint8)
    for i, (left, top, right, bottom) in enumerate(scene.boxes.astype(int).tolist()):
        inside = mask[max(0, top) : bottom + 1, max(0, left) : right + 1]
        hidden = float((inside > 0).mean()) if inside.size else 1.0
        scene.ignored[i] |= bool(scene.says[i].any()) and HALF_SEEN < hidden < COVERED
        scene.says[i] *= hidden < COVERED
