"""Draws training scenes: which parcel, where it lies, what is around it, who looks at it from where, in what light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.scenes.blender.bench import TOPS
from models.scenes.blender.camera_light import ENVIRONMENTS, Lamp, Light
from models.scenes.blender.film import Film
from models.scenes.blender.goods import Goods, carton, mailer
from models.scenes.blender.ground import GROUNDS, WALLS
from models.scenes.blender.mishap import damaged
from models.scenes.blender.paint import Array, Rng
from models.scenes.blender.parcel import Parcel
from models.scenes.blender.props import TOOLS
from models.scenes.blender.scene import Placed, Scene, View, Wall


@dataclass(frozen=True)
class Group:
    """One parcel to be seen in several views: its name, the parcel where it lies, and what lies around it."""

    name: str
    placed: Placed
    neighbours: tuple[Placed, ...] = ()
    looks: tuple[str, ...] = ()

    @property
    def parcel(self) -> Parcel:
        """The parcel that the picture is of."""
        return self.placed.parcel


def group(number: int, seed: int) -> Group:
    """Group `number` of a set: half of the parcels are damaged, a seventh are mailers, a third are not alone."""
    rng = np.random.default_rng([seed, number])
    name = f"b{seed:03d}-{number:05d}"
    main = (mailer if rng.random() < 0.15 else carton)(rng, damaged=damaged(number))
    placed = Placed(main.parcel, turn=float(rng.uniform(0, 2 * np.pi)), inside=main.inside)
    others: list[Placed] = []
    if rng.random() < 0.32:
        others = _others(main, rng)
        if others and others[0].parcel.size[2] == -others[0].z:  # it stands on the first of them
            high = others[0].parcel.size[2]
            others = [replace(others[0], z=0.0), *others[1:]]
            placed = replace(placed, z=high)
    return Group(name, placed, tuple(others), main.looks)


def _others(main: Goods, rng: Rng) -> list[Placed]:
    """One to three intact parcels: beside it, or (told by z = -height) under it."""
    reach = float(np.hypot(*main.parcel.half[:2]))
    out: list[Placed] = []
    if rng.random() < 0.35:
        under = carton(rng, damaged=False, first_code=100, scale=1.0)
        grow = 1.15 * reach / float(min(under.parcel.half[:2]))
        if grow < 2.2:
            out.append(
                Placed(under.parcel, turn=float(rng.normal(0, 0.3)), z=-under.parcel.size[2], inside=under.inside)
            )
    for number in range(int(rng.integers(0 if out else 1, 3))):
        other = (
            carton(rng, damaged=False, first_code=100)
            if rng.random() < 0.85
            else mailer(rng, damaged=False, first_code=100)
        )
        far = (reach + float(np.hypot(*other.parcel.half[:2]))) * rng.uniform(1.0, 1.2)
        turn = rng.uniform(0, np.pi) + np.pi * number
        place = (float(far * np.cos(turn)), float(far * np.sin(turn)))
        if not out or out[0].z == 0:
            out.append(Placed(other.parcel, *place, float(rng.uniform(0, 6.28)), inside=other.inside))
    return out


def seen(group: Group, view: int, seed: int) -> Scene:
    """View number `view` of a group: its own ground, light, camera and clutter."""
    rng = np.random.default_rng([seed, view, *group.name.encode()])
    benched = rng.random() < 0.3
    grounds = TOPS if benched else GROUNDS
    ground = grounds[str(rng.choice(list(grounds)))](rng)
    sight = _facing(group.placed, _view(rng, benched=benched), rng)
    if rng.random() < 0.14:
        sight = replace(sight, near=_close(group.parcel, rng), fill=float(rng.uniform(0.7, 1.1)))
    walls: tuple[Wall, ...] = ()
    if sight.elevation < 48 or rng.random() < 0.15:
        walls = _walls(rng, sight, float(np.hypot(*group.parcel.half[:2])), alone=not group.neighbours)
    alone = benched and not group.neighbours
    return Scene(
        [group.placed, *group.neighbours], ground, light(rng), sight, _film(rng),
        tools=_tools(rng, float(np.hypot(*group.parcel.half[:2]))) if alone else (),
        top_turn=float(rng.uniform(0, 2 * np.pi)), walls=walls, shades=_shades(rng),
        hands=_hands(rng),
    )  # fmt: skip


def _hands(rng: Rng) -> tuple[tuple[float, float], ...]:
    """Nobody, one hand or two."""
    if rng.random() > 0.12:
        return ()
    sides = (-1.0, 1.0) if rng.random() < 0.6 else (float(rng.choice([-1, 1])),)
    return tuple((side, float(rng.uniform(-0.5, 0.5))) for side in sides)


def _facing(placed: Placed, view: View, rng: Rng) -> View:
    """People photograph what is wrong: seven in ten views of a damaged parcel are from where most of it shows."""
    if not placed.parcel.damages or rng.random() > 0.7:
        return view
    surfaces = {sheet.surface.name: sheet.surface for sheet in placed.parcel.sheets}
    turn = placed.pose[:3, :3]
    harm = sum(
        float((surface.damage > 0).sum()) * surface.metres_per_texel**2 * np.array([*(turn @ surface.normal)])
        for surface in surfaces.values()
    )
    way = np.asarray(harm)[:2]
    if float(np.linalg.norm(way)) < 1e-6:
        return view
    aim = float(np.degrees(np.arctan2(way[1], way[0])))
    return replace(view, azimuth=aim + float(rng.normal(0, 35)))


def _close(parcel: Parcel, rng: Rng) -> tuple[float, float, float, float]:
    """Where a close-up looks: at the damage, or anywhere on an intact parcel; metres, and a radius."""
    surfaces = [sheet.surface for sheet in parcel.sheets]
    marked = max(surfaces, key=lambda surface: int((surface.damage > 0).sum()))
    spots = marked.rest[marked.damage > 0] if marked.damage.any() else surfaces[0].rest.reshape(-1, 3)
    middle: Array = spots.mean(0) if marked.damage.any() else spots[int(rng.integers(len(spots)))]
    radius = float(rng.uniform(0.45, 0.8)) * float(np.linalg.norm(parcel.half))
    return float(middle[0]), float(middle[1]), float(middle[2]), radius


def _walls(rng: Rng, view: View, reach: float, *, alone: bool) -> tuple[Wall, ...]:
    """A wall behind the parcel as the camera sees it, sometimes two that make a corner."""
    behind = np.radians(view.azimuth) + np.pi + rng.normal(0, 0.35)
    far = reach * float(rng.uniform(1.05, 2.5)) + (0.0 if alone else 0.45)
    kinds = rng.choice(list(WALLS), 2)
    walls = [_wall(str(kinds[0]), behind, far, rng)]
    if rng.random() < 0.3:
        walls.append(_wall(str(kinds[1]), behind + float(rng.choice([-1, 1])) * np.pi / 2, 1.4 * far, rng))
    return tuple(walls)


def _wall(kind: str, way: float, far: float, rng: Rng) -> Wall:
    foot = (float(far * np.cos(way)), float(far * np.sin(way)))
    return Wall(WALLS[kind](rng), foot, float(way) + np.pi)


def _shades(rng: Rng) -> tuple[tuple[float, float, float, float, float, float], ...]:
    """Laths that throw shadows across the parcel: blinds, a railing, a branch, a person's arm."""
    if rng.random() > 0.28:
        return ()
    turn = float(rng.uniform(0, np.pi))
    return tuple(
        (
            float(rng.uniform(-0.4, 0.4)), float(rng.uniform(-0.4, 0.4)), float(rng.uniform(0.5, 0.8)),
            float(rng.uniform(0.2, 0.9)), float(rng.uniform(0.02, 0.12)), turn + float(rng.normal(0, 0.3)),
        )
        for _ in range(int(rng.integers(1, 6)))
    )  # fmt: skip


def light(rng: Rng) -> Light:
    """Panels in a room, or one small hard lamp like sun, a porch light or a flash; some of it warm, some cold."""
    lamps = []
    hard = rng.random() < 0.4
    for _ in range(1 if hard else int(rng.integers(1, 4))):
        warm = float(rng.uniform(-1, 1))
        colour = (1.0, 0.97, 1 - 0.25 * warm) if warm > 0 else (1 + 0.14 * warm, 0.97, 1.0)
        if hard:
            turn, low = rng.uniform(0, 2 * np.pi), rng.uniform(0.45, 1.35)
            flat = 2.2 * np.cos(low)
            spot = (float(flat * np.cos(turn)), float(flat * np.sin(turn)), float(2.2 * np.sin(low)))
            lamps.append(Lamp(float(rng.uniform(60, 170)), spot, (0.08, 0.08), colour))
            continue
        place = (float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1)), float(rng.uniform(0.9, 1.7)))
        side = float(rng.choice([0.12, 0.3, 0.8]))
        lamps.append(Lamp(float(rng.uniform(5, 13)), place, (float(rng.uniform(0.3, 1.3)), side), colour))
    return Light(
        tuple(lamps),
        str(rng.choice(list(ENVIRONMENTS))),
        float(rng.uniform(0.45, 1.0)),
        float(rng.uniform(0, 6.28)),
        float(rng.uniform(-0.25, 0.7)),
    )


def _view(rng: Rng, *, benched: bool) -> View:
    """Straight down over a bench, or as a phone is held: 18 to 65 degrees up, seldom quite level."""
    down = rng.random() < (0.6 if benched else 0.15)
    elevation = float(rng.uniform(68, 90) if down else np.clip(rng.normal(38, 13), 16, 70))
    return View(
        elevation, float(rng.uniform(0, 360)), float(rng.uniform(0.4, 0.98)), float(rng.uniform(32, 68)),
        float(rng.normal(0, 5)), (float(rng.normal(0, 0.04)), float(rng.normal(0, 0.04))),
    )  # fmt: skip


def _film(rng: Rng) -> Film:
    motion = float(rng.uniform(2, 4)) if rng.random() < 0.12 else 0.0
    balance = (float(rng.uniform(0.90, 1.10)), float(rng.uniform(0.88, 1.12)))
    return Film(
        noise=float(rng.uniform(0.002, 0.016)),
        vignette=float(rng.uniform(0, 0.3)),
        balance=balance,
        saturation=float(rng.uniform(0.7, 1.15)),
        motion=motion,
        meter=float(np.clip(rng.normal(0.48, 0.09), 0.22, 0.75)) if rng.random() < 0.85 else None,
        motion_turn=float(rng.uniform(0, 180)),
    )


def _tools(rng: Rng, reach: float) -> tuple[tuple[str, float, float, float], ...]:
    out = []
    for name in rng.permutation(list(TOOLS))[: int(rng.choice([0, 1, 2, 3], p=[0.4, 0.3, 0.2, 0.1]))]:
        turn, far = rng.uniform(0, 2 * np.pi), reach + rng.uniform(0.05, 0.14)
        out.append((str(name), float(far * np.cos(turn)), float(far * np.sin(turn)), float(rng.uniform(0, 6.28))))
    return tuple(out)
