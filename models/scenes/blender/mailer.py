"""A poly mailer: two films welded at the rim, puckered by what is in it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from models.scenes.blender.damage import Damage
from models.scenes.blender.faces import FACES
from models.scenes.blender.paint import Array, Rng, Surface, noise
from models.scenes.blender.parcel import Parcel
from models.scenes.blender.sheet import Sheet, grid_faces

WELD = 0.009


class Mailer(Parcel):
    """`bag` (rows, columns, 3) is the upper film as cloth.inflated makes it; `colour` sRGB 0..1 of the film.

    `content` is the colour of what shows through a hole; None where nothing lies in it.
    """

    kind = "poly_mailer"
    category = "mailer"

    def __init__(
        self,
        bag: Array,
        size: tuple[float, float],
        height: float,
        rng: Rng,
        *,
        colour: tuple[float, float, float] = (0.86, 0.86, 0.85),
        content: tuple[float, float, float] | None = None,
        rough: float = 0.27,
        damages: Sequence[Damage] = (),
        texels: float = 4000,
        first_code: int = 1,
    ) -> None:
        super().__init__((*size, height), rng, FACES, damages=damages, step=0.0025, first_code=first_code)
        smooth = cv2.resize(
            cv2.GaussianBlur(bag.astype(np.float32), (0, 0), 0.7), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC
        )
        rise = smooth[..., 2] - smooth[..., 2].min()
        rise *= height / rise.max()
        plateau = height * (0.62 + 0.05 * noise(rise.shape, 3, rng, 2))
        soft = 0.12 * height
        rise = -soft * np.logaddexp(-rise / soft, -plateau / soft)
        rise = rise - rise.min() + 0.0006
        crinkle = noise(rise.shape, 22, rng, 3) * 0.0012 - np.abs(noise(rise.shape, 8, rng, 2)) * 0.0030
        self.content = content
        self.film = np.dstack([smooth[..., 0], smooth[..., 1], rise + crinkle]).astype(np.float32)
        width, depth = size
        rows, columns = round(depth * texels), round(width * texels)
        rgb = np.ones((rows, columns, 3), np.float32) * np.array(colour, np.float32)
        rgb *= 1 + 0.012 * noise((rows, columns), 4, rng)[..., None]
        rest = self.texel_rest("top", rows, columns, size, (0, 0), 0)
        self.face = Surface.blank(
            "film", rgb, rest, FACES["top"].normal, rough=rough, instance=first_code, finish="film"
        )
        self.surfaces = {"top": self.face}
        x, y = np.abs(rest[..., 0]), np.abs(rest[..., 1])
        weld = (np.maximum(x - width / 2, y - depth / 2) > -WELD).astype(np.float32)
        ribs = np.sin((rest[..., 0] + rest[..., 1]) * 2 * np.pi / 0.0022)
        self.face.relief += weld * 0.08 * ribs
        self.face.shade(1 - 0.05 * weld)

    def place(self, name: str, rest: Array, *, lift: float | Array = 0.0, hold: int = 0) -> Array:
        """Points of the film under rest points (n, 3)."""
        del name, hold
        rows, columns = self.film.shape[:2]
        x = (rest[:, 0] / self.size[0] + 0.5) * (columns - 1)
        y = (rest[:, 1] / self.size[1] + 0.5) * (rows - 1)
        wide = 1024  # remap takes no rows longer than 32767
        pad = -len(x) % wide
        where = [np.pad(v, (0, pad), mode="edge").astype(np.float32).reshape(-1, wide) for v in (x, y)]
        at = cv2.remap(self.film, where[0], where[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        points = np.asarray(at.reshape(-1, 3)[: len(x)], float)
        if np.any(lift):
            points[:, 2] += lift + 0.0004
        for damage in self.damages:
            points = damage.move(points, rest, FACES["top"].normal)
        return points

    def extent(self, name: str) -> tuple[float, float]:
        """Width and height of the bag in metres."""
        del name
        return self.size[0], self.size[1]

    def build(self) -> list[Sheet]:
        """The upper film, what is glued on it, and tears."""
        rows, columns = self.film.shape[:2]
        u, v = np.meshgrid(np.linspace(-0.5, 0.5, columns), np.linspace(-0.5, 0.5, rows))
        rest = self.on("top", u * self.size[0], v * self.size[1])
        points = self.place("top", rest.reshape(-1, 3))
        uv = np.stack([u + 0.5, v + 0.5], -1).reshape(-1, 2)
        for damage in self.damages:
            self.extra += damage.pieces(self)
            for surface in [self.face, *(sheet.surface for sheet in self.decals)]:
                damage.paint(surface)
        film = Sheet("film", points, grid_faces(rows, columns, self.kept(rest, "top")), uv, self.face)
        if self.content is not None and any(damage.kind == "tear_hole" for damage in self.damages):
            self.extra.append(self._filling(rest))
        return [film, *self.decals, *self.extra]

    def _filling(self, rest: Array) -> Sheet:
        """What lies in the bag, close under its film."""
        points = self.place("top", rest.reshape(-1, 3)) * [0.93, 0.93, 0.78]
        rows, columns = self.film.shape[:2]
        u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
        rgb = np.ones((120, 160, 3), np.float32) * np.array(self.content, np.float32)
        rgb *= 1 + 0.10 * noise((120, 160), 6, self.rng)[..., None]
        where = self.texel_rest("top", 120, 160, (self.size[0], self.size[1]), (0, 0), 0)
        surface = Surface.blank(
            "filling", rgb, where, FACES["top"].normal, rough=0.6, instance=self.first_code, finish="paper"
        )
        return Sheet("filling", points, grid_faces(rows, columns), np.stack([u, v], -1).reshape(-1, 2), surface)
