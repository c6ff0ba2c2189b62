"""Small things made of Blender primitives: bench tools around the parcel, accessories in an open carton."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bmesh  # type: ignore[import-not-found]  # bpy brings it and ships no types
import bpy
import cv2
import numpy as np
from mathutils import Matrix
from PIL import Image, ImageDraw

from models.scenes.blender.paint import Array, Rng, noise
from models.scenes.blender.sheet import grid_faces
from models.scenes.blender.stage import Stage
from models.scenes.blender.typeface import fit

Colour = tuple[float, float, float]
BLACK, GREY, WHITE_PLASTIC, STEEL = (0.012, 0.012, 0.013), (0.20, 0.20, 0.21), (0.75, 0.75, 0.74), (0.55, 0.55, 0.56)


class Maker:
    """Builds one thing in its own frame and puts it under a pose; `code` (instance, parcel) is for the mask pass."""

    def __init__(self, stage: Stage, code: tuple[int, int] | None = None) -> None:
        self.stage, self.parts, self.code = stage, [], code  # type: ignore[var-annotated]  # bpy objects

    def _own(self, thing: Any, material: Any, at: tuple[float, ...], turn: tuple[float, ...]) -> Any:
        thing.data.materials.append(material)
        thing.location, thing.rotation_euler = at, turn
        if self.code is not None:
            self.stage.codes[thing.name] = self.stage.code(0, *self.code)
        self.parts.append(thing)
        return thing

    def _of(self, name: str, build: Callable[[Any], None]) -> Any:
        made: Any = bpy.data.meshes.new(name)
        shape = bmesh.new()
        build(shape)
        shape.to_mesh(made)
        shape.free()
        thing = bpy.data.objects.new(name, made)
        self.stage.scene.collection.objects.link(thing)
        return thing

    def block(
        self,
        size: tuple[float, float, float],
        material: Any,
        at: tuple[float, ...] = (0, 0, 0),
        turn: tuple[float, ...] = (0, 0, 0),
        *,
        bevel: float = 0.002,
        segments: int = 3,
    ) -> Any:
        """A box with rounded edges; its upper face carries a picture of the whole material."""

        def build(shape: Any) -> None:
            bmesh.ops.create_cube(shape, size=1)
            bmesh.ops.scale(shape, vec=size, verts=shape.verts)
            if bevel:
                bmesh.ops.bevel(
                    shape,
                    geom=shape.edges[:],
                    offset=min(bevel, 0.45 * min(size)),
                    segments=segments,
                    affect="EDGES",
                    profile=0.5,
                )
            layer = shape.loops.layers.uv.new()
            for face in shape.faces:
                top = face.normal.z > 0.5
                for loop in face.loops:
                    place = loop.vert.co
                    loop[layer].uv = (place.x / size[0] + 0.5, place.y / size[1] + 0.5) if top else (0.02, 0.02)

        return self._own(self._of("block", build), material, at, turn)

    def rod(
        self,
        radius: float,
        height: float,
        material: Any,
        at: tuple[float, ...] = (0, 0, 0),
        turn: tuple[float, ...] = (0, 0, 0),
    ) -> Any:
        """A cylinder along z."""

        def build(shape: Any) -> None:
            bmesh.ops.create_cone(shape, cap_ends=True, segments=48, radius1=radius, radius2=radius, depth=height)
            for face in shape.faces:
                face.smooth = len(face.verts) == 4

        return self._own(self._of("rod", build), material, at, turn)

    def ring(self, inner: float, outer: float, height: float, material: Any, at: tuple[float, ...] = (0, 0, 0)) -> Any:
        """A flat ring around z."""
        turns = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        circles = [(outer, -height / 2), (outer, height / 2), (inner, height / 2), (inner, -height / 2)]
        points = np.concatenate(
            [np.stack([r * np.cos(turns), r * np.sin(turns), np.full(64, z)], -1) for r, z in circles]
        )
        i, k = np.meshgrid(np.arange(64), np.arange(4))
        faces = np.stack([k * 64 + i, k * 64 + (i + 1) % 64, (k + 1) % 4 * 64 + (i + 1) % 64, (k + 1) % 4 * 64 + i], -1)
        return self._own(self.stage.mesh("ring", points, faces.reshape(-1, 4), smooth=False), material, at, (0, 0, 0))

    def tube(self, path: Array, radius: float, material: Any) -> Any:
        """A round cord along path (n, 3)."""
        along = np.gradient(path, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        side = np.cross(along, [0, 0, 1.0])
        side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
        other = np.cross(along, side)
        turns = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        points = path[:, None] + radius * (
            side[:, None] * np.cos(turns)[:, None] + other[:, None] * np.sin(turns)[:, None]
        )
        i, j = np.meshgrid(np.arange(len(path) - 1), np.arange(10), indexing="ij")
        faces = np.stack([i * 10 + j, i * 10 + (j + 1) % 10, (i + 1) * 10 + (j + 1) % 10, (i + 1) * 10 + j], -1)
        return self._own(
            self.stage.mesh("tube", points.reshape(-1, 3), faces.reshape(-1, 4)), material, (0, 0, 0), (0, 0, 0)
        )

    def cloth(self, points: Array, material: Any, uv: Array | None = None, *, smooth: bool = True) -> Any:
        """A grid (rows, columns, 3) as a sheet."""
        rows, columns = points.shape[:2]
        return self._own(
            self.stage.mesh("cloth", points.reshape(-1, 3), grid_faces(rows, columns), uv, smooth=smooth),
            material,
            (0, 0, 0),
            (0, 0, 0),
        )

    def printed(self, picture: Array, rough: float) -> Any:
        """A material with a picture (h, w, 3) uint8."""
        made, tree, shader = self.stage.material("printed")
        tree.links.new(self.stage.image(tree, picture, colour=True).outputs["Color"], shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = rough
        return made

    def pose(self, x: float, y: float, z: float = 0.0, turn: float = 0.0) -> None:
        """Put the parts where they belong."""
        matrix = Matrix.Translation((x, y, z)) @ Matrix.Rotation(turn, 4, "Z")
        for part in self.parts:
            part.matrix_world = matrix @ part.matrix_basis


# -- bench tools


def tape_roll(maker: Maker, rng: Rng) -> None:
    """A roll of brown or clear tape."""
    film = ((0.30, 0.17, 0.06), (0.66, 0.60, 0.46))[int(rng.integers(2))]
    maker.ring(0.039, 0.054, 0.048, maker.stage.plain(film, rough=0.22), (0, 0, 0.024))
    maker.ring(0.036, 0.039, 0.050, maker.stage.plain((0.42, 0.31, 0.19), rough=0.85), (0, 0, 0.025))


def knife(maker: Maker, rng: Rng) -> None:
    """A safety knife."""
    colour = ((0.70, 0.42, 0.02), (0.02, 0.16, 0.42), (0.60, 0.04, 0.03))[int(rng.integers(3))]
    maker.block((0.145, 0.022, 0.014), maker.stage.plain(colour, rough=0.35), (0, 0, 0.007), bevel=0.005)
    maker.block((0.05, 0.013, 0.004), maker.stage.plain(BLACK, rough=0.5), (0.015, 0, 0.0145), bevel=0.0015)
    maker.block((0.03, 0.012, 0.0008), maker.stage.plain(STEEL, rough=0.2, metal=1), (0.085, 0, 0.007), bevel=0)


def marker(maker: Maker, rng: Rng) -> None:
    """A felt pen."""
    del rng
    maker.rod(0.008, 0.10, maker.stage.plain((0.03, 0.03, 0.03), rough=0.35), (0, 0, 0.008), (0, np.pi / 2, 0))
    maker.rod(0.0087, 0.042, maker.stage.plain((0.02, 0.02, 0.02), rough=0.3), (0.06, 0, 0.0087), (0, np.pi / 2, 0))
    maker.rod(0.0082, 0.02, maker.stage.plain((0.7, 0.7, 0.7), rough=0.4), (0, 0, 0.0082), (0, np.pi / 2, 0))


def scanner(maker: Maker, rng: Rng) -> None:
    """A hand scanner lying on its side."""
    del rng
    maker.block(
        (0.085, 0.068, 0.045),
        maker.stage.plain((0.72, 0.52, 0.02), rough=0.4),
        (0.03, 0, 0.024),
        bevel=0.012,
        segments=5,
    )
    maker.block((0.12, 0.036, 0.034), maker.stage.plain(BLACK, rough=0.45), (-0.055, 0, 0.018), bevel=0.013, segments=5)


def slip(maker: Maker, rng: Rng) -> None:
    """A picking list."""
    picture = document(rng, "PICKING LIST", 0.148, 0.105)
    u, v = np.meshgrid(np.linspace(0, 1, 24), np.linspace(0, 1, 18))
    z = 0.0006 + 0.004 * (np.clip(u - 0.6, 0, 1) ** 2 + 0.4 * np.clip(0.3 - v, 0, 1) ** 2)
    points = np.dstack([(u - 0.5) * 0.148, (v - 0.5) * 0.105, z])
    maker.cloth(points, maker.printed(picture, 0.8), np.stack([u, v], -1).reshape(-1, 2))


TOOLS: dict[str, Callable[[Maker, Rng], None]] = {f.__name__: f for f in (tape_roll, knife, marker, scanner, slip)}


# -- accessories


def document(rng: Rng, title: str, width: float, height: float) -> Array:
    """A printed page (h, w, 3) uint8."""
    w, h = 1200, int(1200 * height / width)
    page = Image.new("RGB", (w, h), (246, 245, 241))
    draw = ImageDraw.Draw(page)
    fit(draw, (60, 50, w * 0.6, 50 + h * 0.09), title, (20, 20, 24), "heavy", "left")
    y = 0.24 * h
    while y < h * 0.92:
        x = 60.0
        while x < w * rng.uniform(0.6, 0.95):
            run = rng.uniform(25, 110)
            draw.line([(x, y), (x + run, y)], fill=(95, 95, 100), width=7)
            x += run + 14
        y += h * 0.052
    return np.asarray(page)


def usb_cable(maker: Maker, rng: Rng) -> None:
    """A coiled cable with a tie."""
    jacket = maker.stage.plain(BLACK, rough=0.42)
    t = np.linspace(0, 1, 260)
    wobble = cv2.GaussianBlur(rng.normal(0, 1, (1, 260)).astype(np.float32), (0, 0), 14)[0] * 0.35
    radius = 1 + 0.07 * np.sin(t * 23) + wobble
    turn = 2 * np.pi * 3.6 * t
    path = np.stack(
        [
            0.042 * radius * np.cos(turn),
            0.034 * radius * np.sin(turn),
            0.0045 + 0.004 * np.sin(turn * 0.5 + 1) + 0.004 * t,
        ],
        -1,
    )
    maker.tube(path, 0.0021, jacket)
    for end, way in ((path[0], 1), (path[-1], -1)):
        maker.block((0.016, 0.030, 0.007), jacket, (end[0], end[1] + way * 0.015, end[2] + 0.001), bevel=0.002)
        maker.block(
            (0.012, 0.013, 0.0045),
            maker.stage.plain(STEEL, rough=0.25, metal=1),
            (end[0], end[1] + way * 0.034, end[2] + 0.001),
            bevel=0.0005,
        )
    maker.block((0.020, 0.010, 0.016), maker.stage.plain((0.03, 0.03, 0.03), rough=0.7), (0.043, 0, 0.008), bevel=0.003)


def charger(maker: Maker, rng: Rng) -> None:
    """A white plug-in charger."""
    del rng
    maker.block(
        (0.052, 0.048, 0.028), maker.stage.plain(WHITE_PLASTIC, rough=0.32), (0, 0, 0.015), bevel=0.006, segments=5
    )
    for y in (-0.0065, 0.0065):
        maker.block((0.016, 0.0016, 0.0065), maker.stage.plain(STEEL, rough=0.25, metal=1), (0.034, y, 0.015), bevel=0)
    maker.block((0.001, 0.012, 0.005), maker.stage.plain(BLACK, rough=0.5), (-0.026, 0, 0.015), bevel=0)


def manual(maker: Maker, rng: Rng) -> None:
    """A stapled booklet."""
    page = document(rng, "Quick Start Guide", 0.105, 0.148).copy()
    page[: int(0.62 * len(page))] = (28, 74, 128)
    image = Image.fromarray(page)
    draw = ImageDraw.Draw(image)
    fit(draw, (80, 160, 1120, 330), "QUICK START", "white", "heavy", "left")
    fit(draw, (80, 380, 800, 450), "Please read before use", (200, 215, 235), "sans", "left")
    draw.ellipse([640, 540, 1000, 900], fill=(232, 236, 240))
    draw.ellipse([730, 630, 910, 810], fill=(28, 74, 128))
    maker.block((0.105, 0.148, 0.0032), maker.printed(np.asarray(image), 0.4), (0, 0, 0.002), bevel=0.0006, segments=1)


def product_box(maker: Maker, rng: Rng) -> None:
    """The retail box of the thing sold."""
    del rng
    w, h = 1200, 800
    image = Image.new("RGB", (w, h), (236, 237, 238))
    draw = ImageDraw.Draw(image)
    draw.rectangle([0, 0, w, 130], fill=(18, 96, 92))
    fit(draw, (60, 30, 620, 100), "AURELLE  P2", "white", "heavy", "left")
    draw.rounded_rectangle([380, 220, 860, 640], 120, fill=(38, 40, 44))
    draw.ellipse([430, 270, 610, 590], fill=(58, 62, 68))
    draw.ellipse([650, 290, 810, 450], fill=(120, 126, 132))
    fit(draw, (60, 690, 640, 750), "Portable speaker, 20 h", (60, 62, 66), "sans", "left")
    maker.block((0.165, 0.110, 0.058), maker.printed(np.asarray(image), 0.35), (0, 0, 0.029), bevel=0.0012)


ITEMS: dict[str, Callable[[Maker, Rng], None]] = {
    "usb-cable": usb_cable,
    "charger": charger,
    "manual": manual,
    "speaker": product_box,
}


def crumpled_paper(maker: Maker, rng: Rng, width: float, depth: float, height: float) -> None:
    """A lump of kraft paper about as large as told, in metres."""
    u, v = np.meshgrid(np.linspace(-1, 1, 90), np.linspace(-1, 1, 90))
    dome = np.clip(1 - (u**4 + v**4) / 1.15, 0, 1) ** 0.5
    facets = np.zeros((90, 90))
    for weight in (1.0, 0.8, 0.6, 0.45, 0.35, 0.25):  # crossing folds, each finer than the last
        turn, fine = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.1) / weight
        way = (u * np.cos(turn) + v * np.sin(turn)) * fine + 0.15 * noise((90, 90), 4, rng, 2)
        way += rng.uniform()
        facets += weight * np.abs(2 * (way - np.floor(way)) - 1)
    z = dome * height * (0.35 + 0.65 * (facets - facets.min()) / np.ptp(facets))
    x = u * width / 2 * (1 + 0.08 * noise((90, 90), 4, rng))
    y = v * depth / 2 * (1 + 0.08 * noise((90, 90), 4, rng))
    points = np.dstack([x, y, np.maximum(z, 0.0)])
    maker.cloth(points, maker.stage.plain((0.42, 0.29, 0.17), rough=0.9, cloud=0.08, scale=60), smooth=False)
