"""A regular slotted carton as real sheets of board: four walls, four top flaps that meet at a seam, a bottom.

The carton stands on z = 0, its middle over the origin, length along x, width along y. The seam runs along x.
Every piece knows where it lies undamaged (its rest points); damage moves, tears and paints by those.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.scenes.blender.board import KRAFT, Board, liner
from models.scenes.blender.damage import Damage
from models.scenes.blender.faces import FACES
from models.scenes.blender.paint import Array, Rng, Surface
from models.scenes.blender.parcel import Parcel
from models.scenes.blender.sheet import Sheet, grid_faces, lines, patch

THICK = 0.0035
ROUND = 0.0028
GAP = 0.0009


def rounded(points: Array, low: Array, high: Array, radius: float = ROUND) -> Array:
    """Points (n, 3) of a sharp box pulled onto one with round edges; infinite bounds leave an axis alone."""
    inner = np.clip(points, low + radius, high - radius)
    out = points - inner
    length = np.linalg.norm(out, axis=-1, keepdims=True)
    return np.where(length > 1e-12, inner + out / np.maximum(length, 1e-12) * radius, points)


class Carton(Parcel):
    """Builds sheets and surfaces of one carton.

    `flaps` opens the two outer top flaps (front, back) by angles in radians; `minor` the inner ones (left, right).
    `texels` is the number of texels a metre of the board's surfaces.
    """

    kind = "carton"

    def __init__(
        self,
        size: tuple[float, float, float],
        rng: Rng,
        *,
        board: Board = KRAFT,
        damages: Sequence[Damage] = (),
        flaps: tuple[float, float] = (0.0, 0.0),
        minor: tuple[float, float] = (0.0, 0.0),
        texels: float = 5000,
        step: float = 0.0025,
        first_code: int = 1,
    ) -> None:
        super().__init__(size, rng, FACES, damages=damages, step=step, first_code=first_code)
        self.board, self.flaps, self.minor = board, flaps, minor
        self.bow = {name: float(rng.uniform(-0.0008, 0.0018)) for name in FACES}
        self.texels = texels
        self.surfaces = {name: self._liner(name) for name in FACES}

    # -- faces

    def extent(self, name: str) -> tuple[float, float]:
        """Width and height of a face in metres."""
        face = FACES[name]
        return float(2 * abs(face.right @ self.half)), float(2 * abs(face.up @ self.half))

    def _liner(self, name: str) -> Surface:
        width, height = self.extent(name)
        rows, columns = round(height * self.texels), round(width * self.texels)
        rgb, relief = liner(self.board, rows, columns, 1 / self.texels, self.rng, ribs="up")
        rest = self.texel_rest(name, rows, columns, (width, height), (0, 0), 0)
        surface = Surface.blank(
            name, rgb, rest, FACES[name].normal, rough=0.78, instance=self.first_code, finish="board"
        )
        surface.relief += relief
        edge = np.minimum.reduce(
            [np.abs(rest @ FACES[name].right + s * width / 2) for s in (-1, 1)]
            + [np.abs((rest - [0, 0, self.half[2]]) @ FACES[name].up + s * height / 2) for s in (-1, 1)]
        )
        surface.shade((1 - 0.10 * np.exp(-edge / 0.0025)).astype(np.float32))
        return surface

    # -- from rest to place

    def place(self, name: str, rest: Array, *, lift: float | Array = 0.0, hold: int = 0) -> Array:
        """Where rest points (n, 3) of a face lie: edges rounded, faces bowed, flaps turned, damage done.

        `lift` metres raises what is glued on; `hold` -1 or 1 glues all of it to the front or back flap.
        """
        face = FACES[name]
        h = self.half
        points = rest
        flap = name == "top"
        inf = np.inf
        if flap:
            low, high = np.array([-inf, -h[1], -inf]), np.array([inf, h[1], 2 * h[2]])
        elif name in ("front", "back"):
            low, high = np.array([-h[0], -h[1], 0]), np.array([h[0], h[1], 2 * h[2]])
        else:
            low, high = np.array([-h[0], -h[1], 0]), np.array([h[0], h[1], inf])
        outward = face.normal
        points = rounded(points, low, high)
        across = np.clip(rest @ face.right / abs(face.right @ h), -1, 1)
        up = np.clip((rest - [0, 0, h[2]]) @ face.up / abs(face.up @ h), -1, 1)
        bulge = self.bow[name] * (1 - across**2) * (1 - up**2)
        points = points + (bulge + lift)[:, None] * outward if np.ndim(bulge) else points
        if flap:
            points = self._turn_flaps(points, rest, hold)
        for damage in self.damages:
            points = damage.move(points, rest, face.normal)
        points[:, 2] = np.maximum(points[:, 2], 0.0004)
        return np.asarray(points)

    def _turn_flaps(self, points: Array, rest: Array, hold: int) -> Array:
        out = points.copy()
        for side, angle in zip((-1, 1), self.flaps, strict=True):
            if not angle or hold == -side:
                continue
            mine = rest[:, 1] * side > 0 if not hold else np.ones(len(rest), bool)
            hinge_y, hinge_z = side * (self.half[1] - ROUND), 2 * self.half[2] - ROUND
            reach = np.clip((self.half[1] - side * rest[mine, 1]) / 0.006, 0, 1)
            turn = angle * reach
            dy, dz = points[mine, 1] - hinge_y, points[mine, 2] - hinge_z
            c, s = np.cos(turn), np.sin(turn) * side
            out[mine, 1] = hinge_y + dy * c + dz * s
            out[mine, 2] = hinge_z - dy * s + dz * c
        return out

    def tape(
        self, colour: tuple[float, float, float], *, width: float = 0.05, clear: bool = False, overhang: float = 0.055
    ) -> None:
        """Close the seam: a strip along the top that runs down both short walls."""
        length = 2 * self.half[0]
        kind = "tape_clear" if clear else "tape_brown"
        for face, span, at in (("top", length, 0.0), ("left", overhang, 1.0), ("right", overhang, 1.0)):
            drop = min(overhang, 2 * self.half[2] * 0.8)
            size = (span, width) if face == "top" else (width, drop)
            spot = (0.0, 0.0) if face == "top" else (0.0, at * (self.half[2] - drop / 2))
            rows, columns = round(size[1] * 3000), round(size[0] * 3000)
            rgb = np.ones((rows, columns, 3), np.float32) * np.array(colour, np.float32)
            if face == "top":
                rgb *= 1 + 0.03 * self.rng.standard_normal((1, columns, 1)).astype(np.float32).cumsum(1) / np.sqrt(
                    columns
                )
            self.glue(
                face,
                "tape",
                rgb,
                size,
                spot,
                0.0,
                finish="tape_clear" if clear else "tape",
                rough=0.16,
                lift=0.0002,
                kind=kind,
            )

    # -- assembly

    def build(self) -> list[Sheet]:
        """Every sheet of the carton, painted."""
        h = self.half
        out = []
        for name in ("front", "back", "left", "right"):
            width, height = self.extent(name)
            across = lines(-width / 2, width / 2, self.step, (-width / 2, width / 2))
            top = height / 2 if name in ("front", "back") else height / 2 - THICK - 0.0005
            up = lines(-height / 2, top, self.step, (-height / 2, height / 2))
            out.append(self._wall(name, across, up))
        for low, high in ((-h[1], -GAP), (GAP, h[1])):
            across = lines(-h[0] + 0.0006, h[0] - 0.0006, self.step)
            up = lines(low, high, self.step, (-h[1], h[1]))
            out.append(self._wall("top", across, up))
        out += self._inner_flaps()
        for damage in self.damages:
            self.extra += damage.pieces(self)
            for surface in [*self.surfaces.values(), *(sheet.surface for sheet in self.decals)]:
                damage.paint(surface)
        return [*out, *self.decals, *self.extra]

    def _wall(self, name: str, across: Array, up: Array) -> Sheet:
        def spread(a: Array, b: Array) -> Array:
            return self.on(name, a, b)

        return patch(
            name,
            self.surfaces[name],
            across,
            up,
            spread,
            self.extent(name),
            keep=lambda rest: self.kept(rest, name),
            bend=lambda p: self.place(name, p),
            thickness=THICK,
        )

    def _minor(self, side: int) -> Surface:
        """The skin of an inner flap that stands up: it belongs to the lid."""
        small = self.surfaces["left"]
        shape = (small.rough.shape[0] // 2, small.rough.shape[1] // 2)
        rgb, relief = liner(self.board, *shape, 2 / self.texels, np.random.default_rng(3 + side), ribs="up")
        rest = np.broadcast_to(np.array([side * self.half[0], 0.0, 2 * self.half[2]]), (*shape, 3))
        made = Surface.blank(
            f"minor{side}", rgb, rest, FACES["top"].normal, rough=0.78, instance=self.first_code, finish="board"
        )
        made.relief += relief
        for damage in self.damages:
            if damage.kind == "open_flap":
                damage.paint(made)
        return made

    def _inner_flaps(self) -> list[Sheet]:
        """The minor flaps, seen where the carton is open or torn, and the bottom."""
        h = self.half
        out = []
        surface = self.surfaces["left"]
        length = min(h[1], h[0] * 0.95)
        for side, angle in zip((-1, 1), self.minor, strict=True):
            across = np.linspace(-h[1] + 0.004, h[1] - 0.004, 40)
            along = np.linspace(0, length, 24)
            b, t = np.meshgrid(across if side > 0 else -across, along)
            x = side * (h[0] - 0.002 - t * np.cos(angle))
            z = 2 * h[2] - THICK - 0.0015 + t * np.sin(angle)
            points = np.stack([x, b, np.maximum(z, 0.006)], -1).reshape(-1, 3)
            for damage in self.damages:
                points = damage.move(points, points, FACES["top"].normal)
            uv = np.stack([b / (2 * h[1]) + 0.5, 0.2 + 0.6 * t / length], -1).reshape(-1, 2)
            over = np.stack([x, b, np.full_like(x, 2 * h[2])], -1)
            there = None if angle else self.kept(over, "top")
            if angle > 0:  # it stands up and is seen: a skin of its own, so that masks do not follow the wall's
                surface = self._minor(side)
            out.append(Sheet(f"minor{side}", points, grid_faces(24, 40, there), uv, surface, THICK))
        x, y = np.meshgrid(np.linspace(-h[0] + 0.004, h[0] - 0.004, 8), np.linspace(-h[1] + 0.004, h[1] - 0.004, 8))
        floor = np.stack([x, y, np.full_like(x, 0.004)], -1).reshape(-1, 3)
        uv = np.stack([x / (2 * h[0]) + 0.5, y / (2 * h[1]) + 0.5], -1).reshape(-1, 2)
        out.append(Sheet("bottom", floor, grid_faces(8, 8), uv, self.surfaces["top"], 0.003))
        return out
