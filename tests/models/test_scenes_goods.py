"""What scenes are made of, as far as it needs no Blender: new damages, tape, prints, exposure, balance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.scenes.blender.artwork import decorate, paste
from models.scenes.blender.carton import Carton
from models.scenes.blender.closing import Tape, more_tape, peel, seal, strap
from models.scenes.blender.damage.collapse import collapsed_top
from models.scenes.blender.damage.fold import crushed_end
from models.scenes.blender.damage.split import Rip, Split, TornCorner
from models.scenes.blender.faces import FACES, before
from models.scenes.blender.film import Film, metered
from models.scenes.blender.ground import GROUNDS, WALLS
from models.scenes.blender.mishap import MAKERS, damaged, mishap
from models.scenes.blender.paint import Array, Rng, Surface
from models.scenes.blender.stuck import slot, stick

HALF = np.array([0.15, 0.1, 0.06])
SEEDS = st.integers(0, 10_000)


def small(rng: Rng, **more: object) -> Carton:
    """A carton with coarse textures, quick to build."""
    return Carton((0.30, 0.20, 0.12), rng, texels=300, step=0.01, **more)  # type: ignore[arg-type]  # passed on as is


def blank(width: float = 0.3, height: float = 0.2) -> Surface:
    """The lid of such a carton in one grey."""
    rows, columns = round(height * 1000), round(width * 1000)
    x, y = np.meshgrid(np.linspace(-width / 2, width / 2, columns), np.linspace(height / 2, -height / 2, rows))
    rest = np.stack([x, y, np.full_like(x, 0.12)], -1)
    grey = np.full((rows, columns, 3), 0.5, np.float32)
    return Surface.blank("top", grey, rest, FACES["top"].normal, rough=0.8, instance=1, finish="board")


@pytest.mark.parametrize(("first", "stride"), [(0, 1), (0, 2), (1, 2), (0, 3), (2, 4), (5, 6)])
def test_every_shard_has_as_many_damaged_as_intact(first: int, stride: int) -> None:
    share = np.mean([damaged(number) for number in range(first, 3000, stride)])
    assert share == pytest.approx(0.5, abs=0.03)


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.floats(0.2, 1.0))
def test_a_collapsed_lid_sinks_and_the_foot_stays(seed: int, severity: float) -> None:
    crush = collapsed_top(np.random.default_rng(seed), HALF, severity)
    x, y = np.meshgrid(np.linspace(-0.145, 0.145, 25), np.linspace(-0.095, 0.095, 25))
    lid = np.stack([x, y, np.full_like(x, 0.12)], -1).reshape(-1, 3)
    sunk = lid[:, 2] - crush.work(lid)[0][:, 2]
    assert sunk.max() <= crush.deepest + 0.01
    assert sunk.min() > -0.01
    foot = lid * [1, 1, 0]
    assert crush.work(foot)[0] == pytest.approx(foot, abs=1e-9)


def test_most_collapsed_lids_sink_by_a_centimetre() -> None:
    x, y = np.meshgrid(np.linspace(-0.145, 0.145, 25), np.linspace(-0.095, 0.095, 25))
    lid = np.stack([x, y, np.full_like(x, 0.12)], -1).reshape(-1, 3)
    depths = []
    for seed in range(30):
        crush = collapsed_top(np.random.default_rng(seed), HALF, 0.8)
        depths.append(float((lid[:, 2] - crush.work(lid)[0][:, 2]).max()))
    assert np.median(depths) > 0.01


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.floats(0.3, 1.0))
def test_a_crushed_end_moves_the_middle_of_one_top_edge_and_no_bottom_edge(seed: int, severity: float) -> None:
    crush = crushed_end(np.random.default_rng(seed), HALF, severity)
    edge = crush.centre[None]
    assert np.linalg.norm(crush.work(edge)[0] - edge) > 0.005
    far = -edge * [1, 1, 0]
    assert crush.work(far)[0] == pytest.approx(far, abs=1e-4)


def test_a_burst_edge_gapes_at_its_own_corner_only() -> None:
    split = Split.of(np.random.default_rng(5), HALF, 0.9)
    normal = np.array([split.corner[0], 0, 0], float)
    near = np.array([[split.corner[0] * 0.15, split.corner[1] * 0.097, 0.115]])
    far = near * [1, -1, 1]
    axis_gape = split.gape[0]
    moved = (split.move(near, near, normal) - near) @ normal
    assert np.sign(moved[0]) == np.sign(axis_gape)
    assert split.move(far, far, normal) == pytest.approx(far)
    assert split.move(near, near, -normal) == pytest.approx(near)


def test_a_torn_corner_is_gone_and_the_others_are_there() -> None:
    torn = TornCorner.of(np.random.default_rng(2), HALF, 1.0)
    corners = np.array([[x, y, z] for x in (-0.15, 0.15) for y in (-0.1, 0.1) for z in (0.0, 0.12)])
    assert (~torn.keep(corners, FACES["top"].normal)).sum() == 1


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.sampled_from(sorted(FACES)))
def test_a_rip_runs_inside_its_face_and_marks_a_part_of_it(seed: int, face: str) -> None:
    rip = Rip.of(np.random.default_rng(seed), face, 0.7, HALF)
    room = np.array([abs(FACES[face].right @ HALF), abs(FACES[face].up @ HALF)])
    assert (np.abs(rip.path) < room).all()
    other = "front" if face != "front" else "back"
    anywhere = np.zeros((4, 3))
    assert rip.keep(anywhere, FACES[other].normal).all()


def test_a_rip_leaves_a_gap_and_bares_the_flutes() -> None:
    rip = Rip.of(np.random.default_rng(1), "top", 1.0, HALF)
    rip.code = 7
    surface = blank()
    gap = ~rip.keep(surface.rest, surface.normal)
    rip.paint(surface)
    marked = surface.damage == 7
    assert 0 < gap.mean() < 0.2
    assert marked[gap].mean() > 0.9
    assert 0 < marked.mean() < 0.4
    assert (surface.rgb[marked & ~gap] > 0.55).any()


@given(st.floats(0.005, 0.05), st.floats(0.3, 2.6), st.sampled_from([-1, 1]))
def test_peeled_tape_keeps_its_length(radius: float, most: float, sense: int) -> None:
    x = np.linspace(-0.15, 0.15, 4001)
    rest = np.stack([x, np.zeros_like(x), np.full_like(x, 0.12)], -1)
    out, rise = peel(0.02 * sense, sense, radius, most)(rest)
    steps = np.hypot(np.diff(out[:, 0]), np.diff(rise))
    assert steps.sum() == pytest.approx(0.3, rel=1e-3)
    assert (rise >= 0).all()
    assert rise[(x - 0.02 * sense) * sense <= 0] == pytest.approx(0)


def test_a_picture_is_painted_where_it_was_told() -> None:
    surface = blank()
    paste(surface, np.zeros((40, 80, 3), np.float32), np.ones((40, 80), np.float32), (0.05, -0.02), 0.04)
    dark = surface.rgb.mean(-1) < 0.25
    middle = surface.rest[dark].mean(0)
    assert middle[:2] == pytest.approx([0.05, -0.02], abs=0.002)
    assert dark.sum() * 1e-6 == pytest.approx(0.04 * 0.02, rel=0.1)
    assert not surface.damage.any()


def test_a_hand_hole_is_cut_through_its_wall_only() -> None:
    cut = slot(FACES["left"], 0.08, 0.04, 0.012)
    points = np.array([[-0.15, 0.0, 0.08], [-0.15, 0.035, 0.08], [-0.15, 0.0, 0.10], [-0.15, 0.05, 0.08]])
    assert cut(points, FACES["left"].normal).tolist() == [False, False, True, True]
    assert cut(points, FACES["right"].normal).all()


@pytest.mark.parametrize("seed", range(6))
def test_no_print_tape_or_strap_counts_as_damage(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = small(rng)
    decorate(made, rng)
    stick(made, rng)
    tape = Tape.drawn(rng)
    seal(made, tape, rng)
    more_tape(made, tape, rng)
    strap(made, rng)
    sheets = made.sheets
    assert not any(sheet.surface.damage.any() for sheet in sheets)
    assert all(np.isfinite(sheet.points).all() for sheet in sheets)
    assert {"tape", "strap"} <= {thing.category for thing in made.instances}
    assert len(made.instances) < 255


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_each_mishap_marks_its_carton_and_leaves_it_finite(name: str) -> None:
    rng = np.random.default_rng(11)
    made = small(rng, damages=[MAKERS[name][0](rng, HALF, 0.9)])
    sheets = made.sheets
    assert all(np.isfinite(sheet.points).all() for sheet in sheets)
    assert all(sheet.points[:, 2].min() > -0.02 for sheet in sheets)
    assert any(sheet.surface.damage.any() for sheet in sheets)


@settings(deadline=None, max_examples=60)
@given(SEEDS)
def test_a_mishap_is_never_nothing(seed: int) -> None:
    fate = mishap(np.random.default_rng(seed), HALF)
    assert fate.damages or fate.tape == "peeled"
    assert (fate.tape == "whole") == (fate.flaps == (0.0, 0.0))


@pytest.mark.parametrize(("level", "way"), [(20, 1), (250, -1)])
def test_a_metering_camera_brings_tones_to_the_middle(level: int, way: int) -> None:
    rgb = np.full((40, 60, 3), level, np.uint8)
    out = metered(rgb, 0.5)
    assert way * (float(out.mean()) - level) > 10
    assert Film().meter is None


@pytest.mark.parametrize("name", sorted({**GROUNDS, **WALLS}))
def test_grounds_and_walls_are_pictures_of_plausible_tone(name: str) -> None:
    top = {**GROUNDS, **WALLS}[name](np.random.default_rng(4))
    rgb: Array = np.asarray(top.rgb)
    assert rgb.ndim == 3
    assert np.isfinite(rgb).all()
    assert 0.02 < float(np.clip(rgb, 0, 1).mean()) < 0.98
    assert top.rough.shape == rgb.shape[:2]


def test_a_wall_with_the_camera_behind_it_is_not_put_up() -> None:
    camera = np.array([0.24, 0.35, 0.44])
    assert not before(camera, (-0.0655, 0.2704), 4.95)  # the wall of a picture that came out black
    assert before(camera, (-0.1931, -0.0468), 6.52)
