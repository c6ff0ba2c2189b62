"""The demo's pictures: thirteen moments at a packing bench, each told once and rendered from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.scenes.blender import bench
from models.scenes.blender.board import KRAFT, KRAFT_DARK, KRAFT_LIGHT, WHITE, Board, print_words
from models.scenes.blender.camera_light import Lamp, Light
from models.scenes.blender.carton import Carton
from models.scenes.blender.cloth import inflated
from models.scenes.blender.damage import Damage
from models.scenes.blender.damage.flap import OpenFlap
from models.scenes.blender.damage.fold import crushed_corner
from models.scenes.blender.damage.stain import Wet
from models.scenes.blender.damage.tear import Tear
from models.scenes.blender.film import Film
from models.scenes.blender.label import shipping_label
from models.scenes.blender.mailer import Mailer
from models.scenes.blender.marks import printed, sticker
from models.scenes.blender.paint import Rng
from models.scenes.blender.props import ITEMS, Maker, crumpled_paper
from models.scenes.blender.scene import Placed, Scene, View
from models.scenes.blender.stage import Stage

BROWN_TAPE, TAN_TAPE, CLEAR_TAPE = (0.50, 0.33, 0.16), (0.66, 0.50, 0.30), (0.80, 0.74, 0.62)
MODULE = 0.9
"""Width of the narrow bar in millimetres: above 2 pixels in every picture."""


@dataclass(frozen=True)
class Story:
    """A picture of the demo. `title` says what a person sees; `build` makes the scene from a seeded generator."""

    file: str
    title: str
    seed: int
    build: Callable[[Rng], Scene]
    stage: str = "sealed"
    readable: bool = True
    facts: dict[str, Any] = field(default_factory=dict)


PANELS = Light(
    (Lamp(9, (-0.55, 0.45, 1.25), (1.1, 0.22)), Lamp(7, (0.75, 0.35, 1.3), (1.1, 0.22))),
    strength=0.40,
    turn=0.6,
    exposure=0.6,
)
DAYLIGHT = Light((Lamp(12, (-0.9, 0.5, 1.2), (0.9, 0.7), (0.92, 0.96, 1.0)),), "studio", 0.45, 2.2, 0.55)
SOFT = Light((Lamp(16, (0.3, 0.6, 1.5), (1.4, 1.0), (1.0, 0.98, 0.95)),), strength=0.45, turn=3.4, exposure=0.45)


def carton(
    rng: Rng,
    text: str,
    *,
    size: tuple[float, float, float] = (0.31, 0.215, 0.125),
    board: Board = KRAFT,
    damages: tuple[Damage, ...] = (),
    label_at: tuple[float, float] = (-0.07, -0.005),
    label_turn: float = 0.0,
    chinese: bool = False,
    tape: tuple[float, float, float] = BROWN_TAPE,
    taped: bool = True,
    **more: Any,
) -> Carton:
    """A sealed carton with its label."""
    made = Carton(size, rng, board=board, damages=damages, **more)
    if taped:
        made.tape(tape, clear=tape is CLEAR_TAPE)
    made.label(shipping_label(text, rng, chinese=chinese, module_mm=MODULE), "top", label_at, label_turn)
    return made


def _brand(
    made: Carton, face: str, text: str, rng: Rng, box: tuple[float, float, float, float] = (0.25, 0.3, 0.75, 0.7)
) -> None:
    surface = made.surfaces[face]
    surface.tint(print_words(surface.rough.shape, box, text, rng) * 0.9, (0.16, 0.12, 0.09))


def intact_carton(rng: Rng) -> Scene:
    """01: a brown carton with a fragile sticker on wood."""
    made = carton(rng, "LL000000001")
    made.mark(sticker("fragile", np.random.default_rng(1), layout="square", width=0.078), "top", (0.095, 0.05), 0.02)
    made.mark(printed("this_way_up", rng, np.array((0.14, 0.11, 0.09)), width=0.055), "front", (0.10, 0.01))
    _brand(made, "front", "DOCKSIDE", rng, (0.08, 0.35, 0.45, 0.65))
    tools = (("tape_roll", -0.30, 0.10, 0.4), ("marker", 0.27, -0.03, 1.1))
    return Scene([Placed(made, turn=0.05)], bench.wood(rng), PANELS, View(69, fill=0.86), tools=tools)


def intact_mailer(rng: Rng) -> Scene:
    """02: a white poly mailer on a cutting mat."""
    size = (0.33, 0.25)
    made = Mailer(inflated(size, rng), size, 0.055, rng, colour=(0.68, 0.69, 0.71))
    made.label(shipping_label("LL000000002", rng, chinese=True, module_mm=0.82), "top", (-0.02, 0.01), 0.04)
    tools = (("knife", 0.27, 0.06, 1.9), ("slip", -0.33, -0.02, 0.3))
    return Scene(
        [Placed(made, turn=-0.06)], bench.mat(np.random.default_rng(4)), SOFT, View(84, fill=0.88), tools=tools
    )


def crushed(rng: Rng) -> Scene:
    """03: a corner gave way under a blow."""
    size = (0.31, 0.215, 0.14)
    made = carton(
        rng,
        "LL000000003",
        size=size,
        board=KRAFT_DARK,
        damages=(crushed_corner(rng, np.array(size) / 2, 0.95, (1, -1, 1)),),
        tape=TAN_TAPE,
    )
    made.mark(sticker("fragile", np.random.default_rng(1), layout="wide", width=0.095), "top", (0.09, 0.058), -0.03)
    tools = (("scanner", -0.31, -0.03, 1.2),)
    return Scene(
        [Placed(made, turn=-0.07)], bench.rubber(np.random.default_rng(2)), PANELS, View(66, fill=0.84), tools=tools
    )


def torn(rng: Rng) -> Scene:
    """04: something went through the lid."""
    size = (0.30, 0.22, 0.12)
    hole = Tear.of(np.random.default_rng(11), "top", (0.074, -0.046), 0.038, 0.9, np.array(size) / 2, flaps=4)
    made = carton(rng, "LL000000004", size=size, board=KRAFT, damages=(hole,), label_at=(-0.072, 0.0), tape=BROWN_TAPE)
    made.mark(sticker("fragile", np.random.default_rng(1), layout="wide", width=0.085), "top", (0.095, 0.072), 0.02)
    tools = (("knife", -0.28, 0.02, 1.4),)
    return Scene(
        [Placed(made, turn=0.04)], bench.laminate(np.random.default_rng(3)), DAYLIGHT, View(70, fill=0.86), tools=tools
    )


def wet(rng: Rng) -> Scene:
    """05: water crept up from one side."""
    size = (0.30, 0.215, 0.125)
    stain = Wet.of(np.random.default_rng(5), np.array([0.13, -0.09, 0.08]), 0.135, 0.85, np.array(size) / 2)
    made = carton(
        rng,
        "LL000000005",
        size=size,
        board=KRAFT_LIGHT,
        damages=(stain,),
        label_at=(-0.072, 0.012),
        chinese=True,
        tape=TAN_TAPE,
    )
    made.mark(sticker("keep_dry", np.random.default_rng(9), layout="square", width=0.07), "top", (0.10, 0.055), 0.0)
    return Scene([Placed(made, turn=0.06)], bench.steel(rng), SOFT, View(68, fill=0.84))


def missing_mark(rng: Rng) -> Scene:
    """06: whole, but nobody put the fragile sticker on."""
    made = carton(rng, "LL000000006", size=(0.30, 0.21, 0.15), board=KRAFT, tape=TAN_TAPE)
    _brand(made, "front", "DOCKSIDE", rng)
    tools = (("tape_roll", 0.30, 0.05, 0.0), ("slip", -0.32, -0.06, -0.2))
    return Scene(
        [Placed(made, turn=-0.04)], bench.wood(np.random.default_rng(8)), SOFT, View(80, fill=0.84), tools=tools
    )


def wrong_label(rng: Rng) -> Scene:
    """07: whole, with the label of another order."""
    made = carton(rng, "LL000000099", size=(0.31, 0.22, 0.11), board=WHITE, tape=CLEAR_TAPE)
    made.mark(sticker("fragile", np.random.default_rng(1), layout="wide", width=0.092), "top", (0.095, 0.062), 0.02)
    tools = (("marker", -0.27, 0.03, 1.3),)
    return Scene(
        [Placed(made, turn=0.03)], bench.rubber(np.random.default_rng(5)), PANELS, View(78, fill=0.84), tools=tools
    )


def open_flap(rng: Rng) -> Scene:
    """08: the seam came open; one flap stands up."""
    size = (0.31, 0.225, 0.125)
    made = Carton(size, rng, board=KRAFT, damages=(OpenFlap(0.8),), flaps=(0.03, 0.75), minor=(-0.10, -0.03))
    made.label(shipping_label("LL000000008", rng, module_mm=0.85), "top", (-0.075, -0.057))
    made.glue(
        "top",
        "tape",
        np.ones((75, 480, 3), np.float32) * np.array(BROWN_TAPE, np.float32),
        (0.16, 0.024),
        (0.072, -0.0125),
        0.0,
        finish="tape",
        rough=0.16,
        lift=0.0003,
        kind="tape_brown",
    )
    made.mark(sticker("fragile", np.random.default_rng(1), layout="wide", width=0.095), "top", (0.095, -0.065), 0.02)
    tools = (("tape_roll", -0.29, 0.05, 0.0),)
    return Scene(
        [Placed(made, turn=0.05, inside=KRAFT.inside)],
        bench.wood(np.random.default_rng(12)),
        PANELS,
        View(58, fill=0.88),
        tools=tools,
    )


def this_way_up(rng: Rng) -> Scene:
    """09: whole, with arrows."""
    made = carton(rng, "LL000000009", size=(0.30, 0.215, 0.13), board=KRAFT_LIGHT, chinese=True, tape=CLEAR_TAPE)
    made.mark(sticker("this_way_up", np.random.default_rng(3), layout="square", width=0.075), "top", (0.10, 0.05), 0.0)
    made.mark(sticker("this_way_up", np.random.default_rng(3), layout="square", width=0.07), "front", (0.08, 0.0), 0.0)
    tools = (("scanner", 0.30, 0.0, 1.9),)
    return Scene(
        [Placed(made, turn=0.05)], bench.mat(np.random.default_rng(1)), DAYLIGHT, View(70, fill=0.85), tools=tools
    )


def blurred(rng: Rng) -> Scene:
    """10: pushed along while the picture was taken."""
    made = carton(rng, "LL000000010", size=(0.31, 0.215, 0.125))
    made.mark(sticker("fragile", np.random.default_rng(1), layout="square", width=0.078), "top", (0.095, 0.05), 0.02)
    return Scene(
        [Placed(made, turn=0.10)],
        bench.wood(np.random.default_rng(0)),
        PANELS,
        View(78, fill=0.84),
        Film(motion=46, motion_turn=14),
    )


def _open_carton(items: tuple[str, ...]) -> Callable[[Rng], Scene]:
    def build(rng: Rng) -> Scene:
        style = np.random.default_rng(77)  # both pictures show the same packing
        made = Carton((0.29, 0.21, 0.11), style, board=KRAFT, flaps=(3.45, 3.30), minor=(3.4, 3.5))
        made.instances[0].category, made.instances[0].facts = "open_box", {"kind": "carton"}
        spots = {
            "speaker": (-0.045, 0.035, 0.0),
            "manual": (0.082, 0.012, 1.53),
            "charger": (-0.085, -0.062, 0.3),
            "usb-cable": (0.0, -0.055, 0.5),
        }
        codes = {item: made.add(f"item_{item}", kind=item) for item in items}
        paper = made.add("void_fill", kind="kraft_paper")

        def fill_in(stage: Stage) -> None:
            for item, code in codes.items():
                maker = Maker(stage, (code, 1))
                ITEMS[item](maker, np.random.default_rng(5))
                x, y, turn = spots[item]
                maker.pose(x, y, 0.008, turn)
            maker = Maker(stage, (paper, 1))
            crumpled_paper(maker, np.random.default_rng(6), 0.085, 0.065, 0.05)
            maker.pose(0.098, -0.070, 0.007, 0.2)

        tools = ()
        return Scene(
            [Placed(made, turn=0.03 if len(items) == 4 else -0.05)],
            bench.wood(np.random.default_rng(21)),
            SOFT,
            View(86, fill=0.95),
            tools=tools,
            fill_in=fill_in,
        )

    return build


def fixed(rng: Rng) -> Scene:
    """13: the order of 04 in a new carton."""
    made = carton(rng, "LL000000004", size=(0.30, 0.22, 0.12), board=KRAFT, tape=BROWN_TAPE)
    made.mark(sticker("fragile", np.random.default_rng(1), layout="wide", width=0.085), "top", (0.095, 0.068), -0.02)
    tools = (("knife", -0.28, 0.05, 1.6),)
    return Scene(
        [Placed(made, turn=-0.03)], bench.laminate(np.random.default_rng(3)), DAYLIGHT, View(72, fill=0.85), tools=tools
    )


ALL_ITEMS = ("speaker", "manual", "charger", "usb-cable")
STORIES = (
    Story("01-intact-carton.jpg", "A whole carton, label and fragile mark in place", 1, intact_carton),
    Story("02-intact-mailer.jpg", "A whole poly mailer with its label", 2, intact_mailer),
    Story("03-crushed-corner.jpg", "A carton with a crushed corner", 3, crushed),
    Story("04-torn-hole.jpg", "A carton with a torn hole in its lid", 4, torn),
    Story("05-wet.jpg", "A carton that got wet", 5, wet),
    Story("06-missing-mark.jpg", "A whole carton without any handling mark", 6, missing_mark),
    Story("07-wrong-label.jpg", "A whole carton with the label of another order", 7, wrong_label),
    Story("08-open-flap.jpg", "A carton whose seam came open", 8, open_flap),
    Story("09-this-way-up.jpg", "A whole carton with this-way-up marks", 9, this_way_up),
    Story("10-blurred.jpg", "A carton that moved while the picture was taken", 10, blurred, readable=False),
    Story(
        "11-open-box.jpg", "An open carton with speaker, manual, charger and cable", 11, _open_carton(ALL_ITEMS), "open"
    ),
    Story(
        "12-open-box-missing.jpg",
        "The same packing without the cable",
        12,
        _open_carton(ALL_ITEMS[:3]),
        "open",
        facts={"missing": ["usb-cable"]},
    ),
    Story("13-fixed.jpg", "The torn parcel packed again in a new carton", 13, fixed),
)
