"""What lies in an open box and where: designs of items, orders that go wrong, places that do not collide."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from models.scenes.blender.paint import Array, Rng

SIZES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "box": ((0.06, 0.04, 0.02), (0.15, 0.10, 0.06)),
    "book": ((0.09, 0.12, 0.004), (0.14, 0.19, 0.022)),
    "card": ((0.08, 0.055, 0.001), (0.15, 0.105, 0.001)),
    "sheet": ((0.10, 0.14, 0.008), (0.15, 0.21, 0.014)),
    "bottle": ((0.11, 0.03, 0.03), (0.19, 0.062, 0.062)),
    "jar": ((0.04, 0.04, 0.035), (0.08, 0.08, 0.075)),
    "cable": ((0.07, 0.06, 0.010), (0.11, 0.10, 0.018)),
    "plug": ((0.05, 0.035, 0.022), (0.08, 0.055, 0.034)),
    "pouch": ((0.08, 0.06, 0.012), (0.16, 0.12, 0.035)),
    "garment": ((0.10, 0.08, 0.015), (0.20, 0.15, 0.035)),
    "tool": ((0.12, 0.014, 0.014), (0.21, 0.032, 0.032)),
    "tin": ((0.05, 0.05, 0.014), (0.09, 0.09, 0.028)),
    "bricks": ((0.05, 0.026, 0.018), (0.10, 0.052, 0.030)),
}
"""Least and largest length, width and height in metres of each kind."""
DENSITY = {
    "book": 750.0,
    "card": 700.0,
    "sheet": 25.0,
    "garment": 200.0,
    "pouch": 350.0,
    "jar": 1000.0,
    "bottle": 950.0,
    "tin": 700.0,
    "plug": 700.0,
    "tool": 900.0,
}
FAULTS = ("none", "missing", "extra", "doubled", "wrong")


@dataclass(frozen=True)
class Design:
    """One item of a shop's range: kind, size in metres and weight follow from its number."""

    number: int
    kind: str
    size: tuple[float, float, float]
    weight_g: float

    @classmethod
    def of(cls, number: int) -> Design:
        """Design `number`; the same wherever it is drawn."""
        rng = np.random.default_rng([41, number])
        kind = list(SIZES)[number % len(SIZES)]
        low, high = (np.array(side) for side in SIZES[kind])
        size = low + rng.random(3) * (high - low)
        if kind in ("bottle", "tool"):
            size[2] = size[1]
        if kind in ("jar", "tin"):
            size[1] = size[0]
        weight = float(np.prod(size)) * DENSITY.get(kind, 300.0) * 1000 * rng.uniform(0.8, 1.2) + 1.5
        return cls(number, kind, (float(size[0]), float(size[1]), float(size[2])), round(weight, 1))

    @property
    def item(self) -> str:
        """The name that orders and annotations use."""
        return f"{self.kind}-{self.number:04d}"


@dataclass(frozen=True)
class Packing:
    """What the order wants and what the packer put in, as designs' numbers, and what went wrong on the way."""

    expected: tuple[int, ...]
    packed: tuple[int, ...]
    fault: str

    @property
    def difference(self) -> dict[str, dict[int, int]]:
        """`missing` and `extra` numbers with how many."""
        want, have = Counter(self.expected), Counter(self.packed)
        return {"missing": dict(want - have), "extra": dict(have - want)}


def drawn(rng: Rng, range_size: int, fault: str) -> Packing:
    """An order of 1 to 12 items out of `range_size` designs, some wanted twice, packed with one `fault` of FAULTS."""
    count = int(rng.integers(1, 13))
    kinds = rng.permutation(range_size)
    wanted = [int(number) for number in kinds[:count]]
    if count > 2 and rng.random() < 0.3:
        wanted[-1] = wanted[0]
    others = [int(number) for number in kinds[count:]]
    packed = list(wanted)
    spot = int(rng.integers(count))
    if fault in ("extra", "wrong") and not others:
        raise ValueError(f"a range of {range_size} designs has none left to be {fault}; give a larger range")
    if fault == "missing":
        packed.pop(spot)
    elif fault == "extra":
        packed.append(others[0])
    elif fault == "doubled":
        packed.append(packed[spot])
    elif fault == "wrong":  # preferably of the same kind, as a picker confuses it
        alike = [number for number in others if number % len(SIZES) == packed[spot] % len(SIZES)]
        packed[spot] = (alike or others)[0]
    elif fault != "none":
        raise ValueError(f"there is no fault {fault}; take one of {', '.join(FAULTS)}")
    return Packing(tuple(wanted), tuple(packed), fault)


@dataclass(frozen=True)
class Seat:
    """A design at x, y on the box's floor, z over it (metres), turned by `turn` radians."""

    design: Design
    x: float
    y: float
    z: float
    turn: float


CELL = 0.004


class Floor:
    """A map of how high a box of half sizes (2,) metres is filled."""

    def __init__(self, half: tuple[float, float]) -> None:
        self.half = half
        x = np.arange(-half[0] + CELL / 2, half[0], CELL)
        y = np.arange(-half[1] + CELL / 2, half[1], CELL)
        self.x, self.y = np.meshgrid(x, y)
        self.high = np.zeros_like(self.x)

    def under(self, size: tuple[float, float, float], x: float, y: float, turn: float) -> Array:
        """Cells (h, w) bool below a piece."""
        c, s = np.cos(turn), np.sin(turn)
        a, b = (self.x - x) * c + (self.y - y) * s, -(self.x - x) * s + (self.y - y) * c
        return np.asarray((np.abs(a) <= size[0] / 2) & (np.abs(b) <= size[1] / 2))

    def seat(self, design: Design, rng: Rng, tries: int = 60) -> Seat | None:
        """The lowest of some places where it fits between the walls; None if it fits nowhere."""
        best: Seat | None = None
        covered = np.inf
        for _ in range(tries):
            turn = float(rng.choice([0, np.pi / 2, np.pi, -np.pi / 2]) + rng.normal(0, 0.35))
            c, s = abs(np.cos(turn)), abs(np.sin(turn))
            reach = (design.size[0] * c + design.size[1] * s) / 2, (design.size[0] * s + design.size[1] * c) / 2
            room = self.half[0] - reach[0], self.half[1] - reach[1]
            if min(room) < 0:
                continue
            x, y = float(rng.uniform(-room[0], room[0])), float(rng.uniform(-room[1], room[1]))
            cells = self.high[self.under(design.size, x, y, turn)]
            hidden = float((cells > 0.002).mean()) if cells.size else 0.0
            if hidden < covered:
                best, covered = Seat(design, x, y, float(cells.max()) if cells.size else 0.0, turn), hidden
            if covered < 0.02:
                break
        if best is not None:
            cells_under = self.under(design.size, best.x, best.y, best.turn)
            self.high[cells_under] = best.z + design.size[2]
        return best


def arranged(numbers: tuple[int, ...], half: tuple[float, float], rng: Rng) -> list[Seat]:
    """Seats of designs in a box of half sizes (2,): large ones first, later ones on top where it is full.

    A piece that fits nowhere raises ValueError; take a larger box.
    """
    floor = Floor(half)
    seats = []
    for design in sorted((Design.of(number) for number in numbers), key=lambda d: -d.size[0] * d.size[1]):
        seat = floor.seat(design, rng)
        if seat is None:
            raise ValueError(f"{design.item} is longer than the box; take a larger box")
        seats.append(seat)
    return seats


def box_for(numbers: tuple[int, ...], rng: Rng) -> tuple[float, float, float]:
    """Inner length, width and height in metres of a carton that takes these items with some air."""
    sizes = [Design.of(number).size for number in numbers] or [(0.1, 0.08, 0.02)]
    area = sum(size[0] * size[1] for size in sizes) * rng.uniform(1.2, 2.2)
    longest = max(float(np.hypot(size[0], size[1])) for size in sizes)
    length = float(np.clip(np.sqrt(area * 1.35), longest + 0.02, 0.6))
    width = float(np.clip(area / length, max(0.75 * length, longest * 0.9), length))
    width = max(width, longest + 0.01)
    return max(length, width), width, float(max(size[2] for size in sizes) + rng.uniform(0.03, 0.10))


def told(packing: Packing, tare_g: float, annotations: list[dict[str, object]]) -> dict[str, object]:
    """What the record says of a packing: order and contents by item, what is wrong, what is out of sight, grams."""
    want, have = Counter(packing.expected), Counter(packing.packed)
    shown = Counter(str(a["item"]) for a in annotations if "item" in a)
    wrong = packing.difference
    contents = {Design.of(number).item: count for number, count in have.items()}
    return {
        "fault": packing.fault,
        "order": [
            {"item": Design.of(number).item, "quantity": count, "weight_g": Design.of(number).weight_g}
            for number, count in want.items()
        ],
        "packed": contents,
        "missing": {Design.of(number).item: count for number, count in wrong["missing"].items()},
        "extra": {Design.of(number).item: count for number, count in wrong["extra"].items()},
        "out_of_sight": {item: count - shown[item] for item, count in contents.items() if count > shown[item]},
        "tare_g": round(tare_g, 1),
        "weight_g": round(tare_g + sum(Design.of(number).weight_g for number in packing.packed), 1),
    }
