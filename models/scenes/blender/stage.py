"""The Blender scene: sheets, bench and light become objects, and two pictures are taken: colours and codes.

The only module, with camera_light and props, that imports bpy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy  # first: it makes bmesh and mathutils importable
import cv2
import numpy as np
from mathutils import Matrix

from models.scenes.blender.bench import Top
from models.scenes.blender.paint import Array, Surface
from models.scenes.blender.sheet import Sheet

RELIEF_SPAN = 0.010
"""Metres between black and white of a relief picture."""


class Stage:
    """One empty scene. `folder` takes the texture files; everything is metres."""

    def __init__(self, folder: Path, size: tuple[int, int], *, samples: int, threads: int = 1) -> None:
        self.folder, self.size = folder, size
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene: Any = bpy.context.scene
        self.scene = scene
        cycles = scene.cycles
        scene.render.engine = "CYCLES"
        cycles.device, cycles.samples, cycles.use_adaptive_sampling = "CPU", samples, False
        cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
        cycles.denoising_quality = "BALANCED"
        cycles.denoising_input_passes, cycles.denoising_prefilter = "RGB_ALBEDO_NORMAL", "ACCURATE"
        cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
        cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 12
        cycles.caustics_reflective = cycles.caustics_refractive = False
        cycles.filter_width = 1.15
        render = scene.render
        render.threads_mode, render.threads = "FIXED", threads
        render.resolution_x, render.resolution_y, render.resolution_percentage = *size, 100
        render.image_settings.file_format, render.image_settings.compression = "PNG", 5
        scene.view_settings.view_transform = "Khronos PBR Neutral"  # keeps the colours of print
        self.codes: dict[str, Any] = {}
        self.made = 0

    # -- materials

    def material(self, name: str) -> tuple[Any, Any, Any]:
        """A new material, its node tree and its principled shader."""
        made: Any = bpy.data.materials.new(name)
        made.use_nodes = True
        return made, made.node_tree, made.node_tree.nodes.get("Principled BSDF")

    def image(self, tree: Any, pixels: Array, *, colour: bool, closest: bool = False) -> Any:
        """A texture node of pixels: (h, w, 3 or 4) uint8 RGB(A) or (h, w) uint8/uint16."""
        self.made += 1
        file = self.folder / f"t{self.made}.png"
        order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
        if pixels.ndim == 3:
            pixels = cv2.cvtColor(np.ascontiguousarray(pixels), order[pixels.shape[2]])
        cv2.imwrite(str(file), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 0])
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image = bpy.data.images.load(str(file))
        node.image.colorspace_settings.name = "sRGB" if colour else "Non-Color"
        node.interpolation = "Closest" if closest else "Cubic"
        node.extension = "EXTEND"
        return node

    def painted(self, surface: Surface) -> Any:
        """The material of a surface."""
        made, tree, shader = self.material(surface.name)
        colour = byte(surface.rgb)
        if surface.alpha is not None:
            colour = np.dstack([colour, byte(surface.alpha)])
        picture = self.image(tree, colour, colour=True)
        if surface.alpha is not None:
            picture.image.alpha_mode = "CHANNEL_PACKED"
            tree.links.new(picture.outputs["Alpha"], shader.inputs["Alpha"])
        tree.links.new(picture.outputs["Color"], shader.inputs["Base Color"])
        if np.ptp(surface.rough) > 0.01:
            rough = self.image(tree, byte(surface.rough), colour=False)
            tree.links.new(rough.outputs["Color"], shader.inputs["Roughness"])
        else:
            shader.inputs["Roughness"].default_value = float(surface.rough.flat[0])
        if np.ptp(surface.relief) > 0.001:
            level = np.clip(surface.relief / 1000 / RELIEF_SPAN + 0.5, 0, 1)
            relief = self.image(tree, (level * 65535).astype(np.uint16), colour=False)
            bump = tree.nodes.new("ShaderNodeBump")
            bump.inputs["Distance"].default_value = RELIEF_SPAN
            tree.links.new(relief.outputs["Color"], bump.inputs["Height"])
            tree.links.new(bump.outputs["Normal"], shader.inputs["Normal"])
        gloss = {"board": 0.25, "paper": 0.4, "print": 0.25, "film": 0.5, "tape": 0.5, "tape_clear": 0.5}
        shader.inputs["Specular IOR Level"].default_value = gloss[surface.finish]
        if surface.finish == "tape_clear":
            see_through(tree, shader, 0.30)
        return made

    def back(self, colour: tuple[float, float, float]) -> Any:
        """The back of board: the liner's wrong side with a cloud of fibres."""
        return self.plain(tuple(linear(np.array(colour))), rough=0.9, cloud=0.10, scale=70)

    def rim(self, colour: tuple[float, float, float]) -> Any:
        """The cut edge of board: flutes between two liners."""
        made, tree, shader = self.material("rim")
        wave, ramp, where = (tree.nodes.new(f"ShaderNode{n}") for n in ("TexWave", "ValToRGB", "TexCoord"))
        wave.bands_direction = "DIAGONAL"
        wave.inputs["Scale"].default_value, wave.inputs["Distortion"].default_value = 95, 1.0
        base = linear(np.array(colour))
        ramp.color_ramp.elements[0].color = (*(base * 0.42), 1)
        ramp.color_ramp.elements[1].color = (*(base * 1.05), 1)
        tree.links.new(where.outputs["Object"], wave.inputs["Vector"])
        tree.links.new(wave.outputs["Fac"], ramp.inputs["Fac"])
        tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.9
        return made

    def plain(
        self,
        colour: tuple[float, ...],
        *,
        rough: float = 0.5,
        metal: float = 0.0,
        cloud: float = 0.0,
        scale: float = 30,
        cover: float | None = None,
    ) -> Any:
        """One linear colour; `cloud` varies it, `cover` below 1 lets the ground through."""
        made, tree, shader = self.material("plain")
        shader.inputs["Base Color"].default_value = (*[float(c) for c in colour], 1)
        shader.inputs["Roughness"].default_value, shader.inputs["Metallic"].default_value = rough, metal
        if cloud:
            grain, ramp, where = (tree.nodes.new(f"ShaderNode{n}") for n in ("TexNoise", "ValToRGB", "TexCoord"))
            grain.inputs["Scale"].default_value, grain.inputs["Detail"].default_value = scale, 6
            ramp.color_ramp.elements[0].color = (*[c * (1 - cloud) for c in colour], 1)
            ramp.color_ramp.elements[1].color = (*[min(1, c * (1 + cloud)) for c in colour], 1)
            tree.links.new(where.outputs["Object"], grain.inputs["Vector"])
            tree.links.new(grain.outputs[0], ramp.inputs["Fac"])
            tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
        if cover is not None:
            see_through(tree, shader, cover)
        return made

    def code(self, red: Array | int, green: Array | int, blue: int) -> Any:
        """An emitter of codes for the mask pass: one (red, green, blue) or a picture of them (h, w)."""
        made, tree, _ = self.material("code")
        emit = tree.nodes.new("ShaderNodeEmission")
        if isinstance(red, int):
            emit.inputs["Color"].default_value = (red / 255, float(green) / 255, blue / 255, 1)
        else:
            codes = np.dstack([red, green, np.full_like(red, blue)])
            node = self.image(tree, codes, colour=False, closest=True)
            tree.links.new(node.outputs["Color"], emit.inputs["Color"])
        tree.links.new(emit.outputs["Emission"], tree.nodes["Material Output"].inputs["Surface"])
        return made

    # -- objects

    def mesh(self, name: str, points: Array, faces: Array, uv: Array | None = None, *, smooth: bool = True) -> Any:
        """A mesh object of points (n, 3), faces (m, 4) and uv (n, 2)."""
        faces = np.asarray(faces, np.int32)
        made = bpy.data.meshes.new(name)
        made.vertices.add(len(points))
        made.vertices.foreach_set("co", np.asarray(points, np.float32).ravel())
        made.loops.add(faces.size)
        made.loops.foreach_set("vertex_index", faces.ravel())
        made.polygons.add(len(faces))
        made.polygons.foreach_set("loop_start", np.arange(len(faces), dtype=np.int32) * faces.shape[1])
        made.polygons.foreach_set("use_smooth", np.full(len(faces), smooth))
        if uv is not None:
            layer = made.uv_layers.new(name="uv")
            layer.data.foreach_set("uv", np.asarray(uv, np.float32)[faces.ravel()].ravel())
        made.update(calc_edges=True)
        made.validate()
        thing = bpy.data.objects.new(name, made)
        self.scene.collection.objects.link(thing)
        return thing

    def show(self, sheets: list[Sheet], inside: tuple[float, float, float], pose: Array, parcel: int) -> None:
        """Put sheets into the scene under pose (4, 4); `parcel` is the blue code of their masks."""
        outsides: dict[str, tuple[Any, Any]] = {}
        back, rim = self.back(inside), self.rim(inside)
        for sheet in sheets:
            surface = sheet.surface
            if surface.name not in outsides:
                outsides[surface.name] = (self.painted(surface), self.code(surface.damage, surface.instance, parcel))
            outside, codes = outsides[surface.name]
            thing = self.mesh(sheet.name, sheet.points, sheet.faces, sheet.uv)
            thing.data.materials.append(outside)
            if sheet.thickness:
                thing.data.materials.append(back)
                thing.data.materials.append(rim)
                solid = thing.modifiers.new("thickness", "SOLIDIFY")
                solid.thickness, solid.offset = sheet.thickness, -1
                solid.material_offset, solid.material_offset_rim = 1, 2
            thing.matrix_world = Matrix(pose.tolist())
            self.codes[thing.name] = codes

    def lay(
        self, top: Top, *, half: float = 2.5, turn: float = 0.0, shift: tuple[float, float] = (0.0, 0.0), z: float = 0.0
    ) -> Any:
        """Lay a bench top as a square of 2 `half` metres, repeated."""
        k = 2 * half / top.metres
        corners = np.array([(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)])
        uv = np.array([(0, 0), (k, 0), (k, k), (0, k)]) + np.array(shift)
        thing = self.mesh("bench", corners, np.array([[0, 1, 2, 3]]), uv, smooth=False)
        thing.data.materials.append(self.topped(top))
        thing.rotation_euler[2] = turn
        return thing

    def stand(self, top: Top, foot: tuple[float, float], turn: float, *, wide: float, high: float) -> Any:
        """A wall of `wide` by `high` metres whose foot is at x, y; it looks where `turn` radians points."""
        right = np.array([-np.sin(turn), np.cos(turn), 0.0]) * wide / 2
        middle = np.array([*foot, 0.0])
        rise = np.array([0, 0, high])
        corners = np.stack([middle - right, middle + right, middle + right + rise, middle - right + rise])
        k, m = wide / top.metres, high / top.metres
        uv = np.array([(0, 0), (k, 0), (k, m), (0, m)])
        thing = self.mesh("wall", corners, np.array([[0, 1, 2, 3]]), uv, smooth=False)
        thing.visible_shadow = False  # lamps are set without a thought for walls
        thing.data.materials.append(self.topped(top))
        return thing

    def topped(self, top: Top) -> Any:
        """The material of a bench top, a floor or a wall."""
        made, tree, shader = self.material("bench")
        colour, rough = self.image(tree, byte(top.rgb), colour=True), self.image(tree, byte(top.rough), colour=False)
        colour.extension = rough.extension = "MIRROR"
        tree.links.new(colour.outputs["Color"], shader.inputs["Base Color"])
        tree.links.new(rough.outputs["Color"], shader.inputs["Roughness"])
        shader.inputs["Metallic"].default_value = top.metallic
        return made

    # -- pictures

    def render(self, file: Path) -> Array:
        """Take the colour picture: (h, w, 3) uint8 RGB."""
        self.scene.render.filepath = str(file)
        bpy.ops.render.render(write_still=True)
        picture = cv2.imread(str(file))
        if picture is None:
            raise RuntimeError(f"Blender wrote no picture to {file}; is the disk full?")
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))

    def render_codes(self, file: Path) -> Array:
        """Take the mask picture: (h, w, 3) uint8 of damage, instance and parcel codes; 0 where there is nothing.

        Every material is replaced, so this is the last picture of a stage.
        """
        scene = self.scene
        nothing = self.code(0, 0, 0)
        for thing in scene.objects:
            if thing.type == "LIGHT":
                thing.hide_render = True
            if thing.type == "MESH":
                for slot in thing.material_slots:
                    slot.material = self.codes.get(thing.name, nothing)
                if not thing.material_slots:
                    thing.data.materials.append(nothing)
        scene.world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0
        scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = 1, False, 0
        scene.cycles.use_light_tree = False  # else every glowing face of a code becomes a lamp in it
        scene.cycles.pixel_filter_type = "BOX"
        scene.cycles.filter_width = 0.01
        scene.view_settings.view_transform, scene.view_settings.look = "Raw", "None"
        scene.view_settings.exposure = 0
        scene.render.dither_intensity = 0
        return self.render(file)


def see_through(tree: Any, shader: Any, cover: float) -> None:
    """Mix the shader with a transparent one."""
    clear, mix = tree.nodes.new("ShaderNodeBsdfTransparent"), tree.nodes.new("ShaderNodeMixShader")
    mix.inputs[0].default_value = cover
    tree.links.new(clear.outputs[0], mix.inputs[1])
    tree.links.new(shader.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], tree.nodes["Material Output"].inputs["Surface"])


def byte(values: Array) -> Array:
    """0..1 to uint8."""
    return np.asarray((np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8))


def linear(colour: Array) -> Array:
    """SRGB 0..1 to linear, as shaders count."""
    return np.asarray(np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4))
