"""What cartons and mailers share: faces, what is glued on them, and the list of things that annotations name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from models.scenes.blender.damage import Damage
from models.scenes.blender.faces import Face
from models.scenes.blender.label import ShippingLabel
from models.scenes.blender.marks import Mark
from models.scenes.blender.paint import Array, Rng, Surface
from models.scenes.blender.sheet import Sheet, lines, patch


@dataclass
class Instance:
    """One thing that the annotations name: what it is and where it sits on its face."""

    code: int
    category: str
    facts: dict[str, object] = field(default_factory=dict)
    spot: Array | None = None
    up: Array | None = None
    corners: Array | None = None


class Parcel:
    """A parcel that stands on z = 0 with its middle over the origin. Subclasses say where rest points lie.

    `step` is the mesh spacing in metres. `first_code` is the code of the parcel itself in the mask pass.
    """

    kind = "parcel"
    category = "carton"

    def __init__(
        self,
        size: tuple[float, float, float],
        rng: Rng,
        faces: dict[str, Face],
        *,
        damages: Sequence[Damage],
        step: float,
        first_code: int,
    ) -> None:
        self.size, self.rng, self.faces, self.step = size, rng, faces, step
        self.half = np.array(size) / 2
        self.damages = list(damages)
        for code, damage in enumerate(self.damages, 1):
            damage.code = code
        self.instances = [Instance(first_code, self.category, {"kind": self.kind})]
        self.first_code = first_code
        self.decals: list[Sheet] = []
        self.extra: list[Sheet] = []
        self.cuts: list[Callable[[Array, Array], Array]] = []
        """What was cut out on purpose, as hand holes are: (rest, normal) -> still there."""

    def on(self, name: str, across: Array, up: Array) -> Array:
        """Rest points (..., 3) for face coordinates in metres from its centre."""
        face = self.faces[name]
        centre = face.normal * self.half + np.array([0, 0, self.half[2]])
        return np.asarray(centre + across[..., None] * face.right + up[..., None] * face.up)

    def place(self, name: str, rest: Array, *, lift: float | Array = 0.0, hold: int = 0) -> Array:
        """Where rest points (n, 3) of a face lie; `lift` metres (of all or each) raises what is glued on.

        `hold` -1 or 1: it sticks to the front or the back flap only and goes where that goes.
        """
        raise NotImplementedError

    @cached_property
    def sheets(self) -> list[Sheet]:
        """Every sheet, with what is glued on, bent, torn and painted. Built once; add nothing afterwards."""
        return self.build()

    def build(self) -> list[Sheet]:
        """Make the sheets."""
        raise NotImplementedError

    def texel_rest(
        self, name: str, rows: int, columns: int, size: tuple[float, float], at: tuple[float, float], turn: float
    ) -> Array:
        """Rest points (rows, columns, 3) of a picture of this size on a face, turned `turn` radians anticlockwise."""
        x = ((np.arange(columns) + 0.5) / columns - 0.5) * size[0]
        y = (0.5 - (np.arange(rows) + 0.5) / rows) * size[1]
        x, y = np.meshgrid(x, y)
        c, s = np.cos(turn), np.sin(turn)
        return self.on(name, at[0] + x * c - y * s, at[1] + x * s + y * c)

    # -- what is glued on

    def add(
        self,
        category: str,
        spot: Array | None = None,
        up: Array | None = None,
        corners: Array | None = None,
        **facts: object,
    ) -> int:
        """A new instance; answers its code."""
        code = self.first_code + len(self.instances)
        self.instances.append(Instance(code, category, facts, spot, up, corners))
        return code

    def glue(
        self,
        face: str,
        category: str,
        rgb: Array,
        size: tuple[float, float],
        at: tuple[float, float],
        turn: float,
        *,
        finish: str = "paper",
        cover: Array | None = None,
        rough: float = 0.45,
        lift: float = 0.0004,
        hold: int = 0,
        curl: Callable[[Array], tuple[Array, Array]] | None = None,
        **facts: object,
    ) -> Surface:
        """Stick a picture (h, w, 3) of `size` metres on a face at metres from its centre, turned by `turn` radians.

        `curl` takes rest points (n, 3) to where they peeled to and how high (n,); `hold` see `place`.
        """
        rest = self.texel_rest(face, rgb.shape[0], rgb.shape[1], size, at, turn)
        middle = self.on(face, np.array(at[0]), np.array(at[1]))
        upward = self.faces[face].up * np.cos(turn) - self.faces[face].right * np.sin(turn)
        corners = np.stack([rest[0, 0], rest[0, -1], rest[-1, -1], rest[-1, 0]])
        code = self.add(
            category,
            middle,
            upward,
            corners,
            face="top" if face == "top" else "side",
            side=face,
            angle_on_face_deg=round(-np.degrees(turn) % 360, 1),
            **facts,
        )
        surface = Surface.blank(
            f"{category}-{code}", rgb, rest, self.faces[face].normal, rough=rough, instance=code, finish=finish
        )
        surface.alpha = cover
        c, s = np.cos(turn), np.sin(turn)

        def spread(a: Array, b: Array) -> Array:
            return self.on(face, at[0] + a * c - b * s, at[1] + a * s + b * c)

        def bend(points: Array) -> Array:
            rest, rise = (points, 0.0) if curl is None else curl(points)
            return self.place(face, rest, lift=lift + rise, hold=hold)

        across, up = lines(-size[0] / 2, size[0] / 2, self.step), lines(-size[1] / 2, size[1] / 2, self.step)
        self.decals.append(
            patch(
                surface.name,
                surface,
                across,
                up,
                spread,
                size,
                keep=lambda rest: self.kept(rest, face),
                bend=bend,
            )
        )
        return surface

    def label(self, label: ShippingLabel, face: str, at: tuple[float, float], turn: float = 0.0) -> None:
        """Stick a shipping label on a face."""
        self.glue(
            face, "shipping_label", label.rgb, label.size, at, turn, kind="shipping_label", text=label.text, wear=0.0
        )

    def mark(self, mark: Mark, face: str, at: tuple[float, float], turn: float = 0.0) -> None:
        """Stick or print a handling mark on a face."""
        finish = "print" if mark.style == "printed" else "paper"
        self.glue(
            face,
            f"mark_{mark.kind}",
            mark.rgb,
            mark.size,
            at,
            turn,
            finish=finish,
            cover=mark.cover,
            rough=0.7 if finish == "print" else 0.35,
            lift=0.00025 if finish == "print" else 0.0004,
            kind=mark.kind,
            style=mark.style,
            text=mark.text,
            wear=0.0,
        )

    def kept(self, rest: Array, face: str) -> Array:
        """Which rest points (..., 3) of a face were not torn away."""
        there = np.ones(rest.shape[:-1], bool)
        for damage in self.damages:
            there &= damage.keep(rest, self.faces[face].normal)
        for cut in self.cuts:
            there &= cut(rest, self.faces[face].normal)
        return there
