"""Handling marks are taught what is true: scenes know their marks, lessons ask what can be answered, graphs agree."""

# ruff: noqa: E402  # torch is an extra: nothing of training is imported before it is known to be there
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

import models
from inspector.markreader import Look, Readings, candidates
from inspector.spec import MARKS
from models import MarkThreshold
from models.evaluation.metrics import Matched
from models.scenes import marks
from models.scenes.art import Art, opaque
from models.training.marks.bank import KINDS, Bank, drawn
from models.training.marks.curriculum import crop, strip, upright, wide
from models.training.marks.glimpses import glimpses
from models.training.marks.glyphs import Glyph, View, crops
from models.training.marks.judge import (
    Judged,
    Unseen,
    draft,
    figures,
    invented,
    judge,
    of_length,
    stages,
    threshold,
)
from models.training.marks.lessons import GRID, finder_batch, search
from models.training.marks.networks import READER_SIDE, STRIDE, STRIP, Networks, build, fitted
from models.training.marks.release import shown, story, write_cards, write_graphs, written
from models.training.marks.scenes import LEGIBLE, Ground, Scene, _cover, compose, illegible
from models.training.marks.train import (
    Schedule,
    first_glimpses,
    train_finder,
    train_reader,
    train_strips,
    train_upright,
    trained,
    wide_glimpses,
)

NO_BOXES = np.zeros((0, 4), np.float32)
NO_SAYS = np.zeros((0, len(MARKS)), np.float32)


def board(side: int = 360, group: str = "a") -> Ground:
    pixels = np.full((side, side, 3), (110, 150, 185), np.uint8)
    return Ground(pixels, NO_BOXES, NO_SAYS, np.zeros(0, np.float32), group, "photos")


def bank() -> Bank:
    """One thing of each kind, quickly drawn."""
    art = {mark: (Art(mark, opaque(np.full((60, 60, 3), 20 * i + 40, np.uint8))),) for i, mark in enumerate(MARKS)}
    other = {kind: (Art(kind, opaque(np.full((50, 80, 3), 90, np.uint8))),) for kind in ("no_mark", "shipping_label")}
    all_of_it = {
        **art,
        **other,
        "other_mark": other["no_mark"],
        "row": art["fragile"],
        "words": art["fragile"],
        **dict.fromkeys(("strange_words", "strange_picture", "paragraph"), other["no_mark"]),
    }
    return Bank({kind: [thing] for kind, thing in all_of_it.items()})


def scene(*boxes: tuple[float, float, float, float], mark: str = "fragile", turn: float = 0.0) -> Scene:
    says = np.array([[name == mark for name in MARKS]] * len(boxes), np.float32).reshape(-1, len(MARKS))
    turns = np.full(len(boxes), turn, np.float32)
    pixels = np.full((320, 320, 3), 127, np.uint8)
    return Scene(pixels, np.array(boxes, np.float32).reshape(-1, 4), says, turns, np.zeros(len(boxes), bool))


@pytest.mark.parametrize("seed", range(12))
def test_composed_marks_lie_in_the_picture_and_are_large_enough_to_be_asked_for(seed: int) -> None:
    made = compose(np.random.default_rng(seed), board(), bank())
    height, width = made.pixels.shape[:2]
    assert len(made.boxes) == len(made.says) == len(made.turns) == len(made.ignored)
    assert (made.boxes[:, :2] >= 0).all()
    assert (made.boxes[:, 2:] <= (width, height)).all()
    sides = (made.boxes[:, 2:] - made.boxes[:, :2])[made.positive]
    assert (sides >= 6).all()


def test_the_same_seed_composes_the_same_scene() -> None:
    first, second = (compose(np.random.default_rng(4), board(), bank()) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.boxes, second.boxes)


def test_a_turned_parcel_turns_its_marks() -> None:
    """A light bar in the upper left, told as a mark that points up, wherever the parcel is turned to."""
    ground = board()
    ground.pixels[40:80, 20:40] = 255
    says = np.array([[name == "this_way_up" for name in MARKS]], np.float32)
    marked = Ground(
        ground.pixels, np.array([[20, 40, 40, 80]], np.float32), says, np.zeros(1, np.float32), "a", "photos"
    )
    empty = Bank({kind: bank().things["no_mark"] for kind in bank().things})
    turns = set()
    for seed in range(25):
        made = compose(np.random.default_rng(seed), marked, empty)
        x1, y1, x2, y2 = made.boxes[0]
        turns.add(round(float(made.turns[0])))
        tall = (y2 - y1) > (x2 - x1)
        assert tall == (round(float(made.turns[0])) % 180 == 0)
    assert turns <= {0, 90, 180, 270}
    assert len(turns) > 1


def test_the_bank_is_drawn_once_and_read_again(tmp_path: Path) -> None:
    first = drawn(tmp_path, 5, 1)
    second = drawn(tmp_path, 5, 1)
    assert first.things.keys() == second.things.keys()
    for kind, things in first.things.items():
        for one, other in zip(things[0], second.things[kind][0], strict=True):
            assert np.array_equal(one.bgra, other.bgra)
            assert (one.name, one.ink, one.also) == (other.name, other.ink, other.also)


def test_a_sticker_that_says_two_marks_teaches_both() -> None:
    arts = [marks.draw("fragile", np.random.default_rng(seed)) for seed in range(60)]
    assert {name for art in arts for name in art.also} <= {"handle_with_care", "this_way_up"}
    assert any(art.also for art in arts)


@pytest.mark.parametrize("draw", [marks.strange_picture, marks.paragraph])
def test_what_nobody_has_seen_is_always_another_thing_and_never_a_mark(
    draw: Callable[[np.random.Generator], Art],
) -> None:
    arts = [draw(np.random.default_rng(seed)) for seed in range(20)]
    assert {(art.name, art.also) for art in arts} == {("no_mark", ())}
    assert len({art.bgra.tobytes() for art in arts}) == 20
    assert all(np.ptp(art.bgra.astype(int), axis=(0, 1)).max() > 60 for art in arts), "something is drawn"


def test_small_print_stands_beside_the_words_and_leaves_them_most_of_the_room() -> None:
    box = (10.0, 20.0, 190.0, 120.0)
    smaller = 0
    for seed in range(60):
        bgr = np.full((140, 200, 3), 255, np.uint8)
        left = marks._beside_fine_print(bgr, box, marks.BLACK, marks.WHITE, np.random.default_rng(seed))
        x1, y1, x2, y2 = (round(v) for v in left)
        assert (bgr[y1:y2, x1:x2] == 255).all(), "nothing is written where the words will stand"
        assert y2 - y1 > 0.6 * 100
        smaller += left != box
        assert (left != box) == bool((bgr < 128).any())
    assert 3 < smaller < 30


def test_the_finder_is_taught_boxes_that_decode_to_the_marks() -> None:
    made = scene((40, 60, 104, 92), (200, 200, 216, 232))
    _, heat, _, spans, _ = finder_batch([search(made)])
    finder = draft("test", {}).finder.model_copy(update={"found": 0.99})
    found = candidates(heat[0].numpy(), spans[0].numpy(), finder).boxes
    assert found[np.argsort(found[:, 0])] == pytest.approx(made.boxes, abs=0.05)
    assert heat.shape == (1, 1, GRID, GRID)
    assert finder.side == STRIDE * GRID


def test_nobody_asks_the_finder_about_what_is_ignored() -> None:
    made = scene((40, 60, 104, 92))
    made.ignored[:] = True
    _, heat, weight, _, taught = finder_batch([search(made)])
    assert heat.max() == 0
    assert weight[0, 0, 9, 8] == 0
    assert taught.sum() == 0


def many_glyphs(of: Callable[..., Glyph], count: int = 300) -> list[Glyph]:
    rng = np.random.default_rng(0)
    light = Bank({kind: bank().things["fragile"] for kind in KINDS})
    marked = Ground(
        np.full((200, 200, 3), 90, np.uint8),
        np.array([[60, 80, 120, 110]], np.float32),
        np.array([[name == "keep_dry" for name in MARKS]], np.float32),
        np.array([100], np.float32),
        "m",
        "photos",
    )
    return [of(rng, light, [board()], [marked]) for _ in range(count)]


@pytest.mark.parametrize(("of", "least", "most"), [(crop, 0.15, 0.4), (upright, 0.85, 0.99)])
def test_the_reader_learns_marks_turned_anyhow_and_the_upright_reader_mostly_upright_ones(
    of: Callable[..., Glyph], least: float, most: float
) -> None:
    told = many_glyphs(of)
    for one in told:
        assert one.pixels.shape == (READER_SIDE, READER_SIDE, 3)
        if one.says.any():
            width, height = np.exp(one.spans[2:])
            assert 0.15 < max(width, height) < 1.7
            assert np.abs(one.spans[:2]).max() < 0.5
    turns = np.array([abs((one.turn + 180) % 360 - 180) for one in told if one.says.any()])
    assert len(turns) > 80
    assert least < (turns < 45).mean() < most
    assert (turns > 90).any(), "the first look may have been wrong about it"


def arrow() -> Scene:
    """A sheet with a light bar at its top, turned by 100 degrees, told as keep_dry."""
    flat = np.full((200, 200, 3), 60, np.uint8)
    cv2.rectangle(flat, (80, 60), (119, 69), (255, 255, 255), -1)
    turn = cv2.getRotationMatrix2D((100, 90), -100, 1)
    turned = np.asarray(cv2.warpAffine(flat, turn, (200, 200), borderValue=(60, 60, 60)), np.uint8)
    across, down = abs(np.cos(np.deg2rad(100))), abs(np.sin(np.deg2rad(100)))
    half = np.array([40 * across + 60 * down, 40 * down + 60 * across]) / 2
    box = np.array([[100 - half[0], 90 - half[1], 100 + half[0], 90 + half[1]]], np.float32)
    says = np.array([[name == "keep_dry" for name in MARKS]], np.float32)
    return Scene(turned, box, says, np.array([100], np.float32), np.zeros(1, bool))


@pytest.mark.parametrize("seed", range(6))
def test_a_mark_of_a_scene_turns_with_its_crop(seed: int) -> None:
    """Where the crop says that the mark's top is, there is the light bar."""
    (one,) = crops(np.random.default_rng(seed), arrow(), View.CLOSER)
    assert one.says[MARKS.index("keep_dry")] == 1
    assert np.exp(one.spans[2] - one.spans[3]) == pytest.approx(40 / 60, abs=0.02)
    grey = one.pixels.mean(axis=2)
    rows, columns = np.nonzero(grey > 180)
    bar = np.array([columns.mean(), rows.mean()]) / READER_SIDE - 0.5
    angle = np.deg2rad(one.turn)
    top = one.spans[:2] + np.array([np.sin(angle), -np.cos(angle)]) * np.exp(one.spans[3]) * 25 / 60
    assert bar == pytest.approx(top, abs=0.04)


def test_what_nobody_is_asked_about_makes_no_crop() -> None:
    made = arrow()
    made.ignored[:] = True
    assert crops(np.random.default_rng(0), made, View.FIRST) == []


def test_slivers_and_plain_patches_of_renders_are_not_asked_for() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    pixels[:50] = 120
    boxes = np.array([[10, 60, 50, 90], [10, 10, 50, 40], [10, 60, 90, 66]], np.float32)
    assert illegible(pixels, boxes, LEGIBLE).tolist() == [False, True, True]


def reading(says: dict[str, float], box: tuple[float, float, float, float], turn: float = 0.0) -> Readings:
    row = np.array([[says.get(mark, 0.0) for mark in MARKS]], np.float32)
    return Readings(np.array([box], np.float32), row, np.array([turn], np.float32))


def judged(made: Scene, readings: Readings, group: str = "a") -> Judged:
    return Judged(made, group, readings.boxes, readings)


AT = {"fragile": MarkThreshold(present=0.5, doubtful=0.1)}


def test_what_covers_one_mark_takes_its_neighbours_along_and_shows_no_copies() -> None:
    pixels = np.full((200, 200, 3), 120, np.uint8)
    for left in (60, 105):
        pixels[80:120:2, left : left + 40] = 255  # stripes: easily read
    boxes = np.array([[60, 80, 100, 120], [105, 80, 145, 120]], np.float32)
    struck = 0
    for seed in range(40):
        made = Scene(
            pixels.copy(), boxes, np.eye(len(MARKS), dtype=np.float32)[:2], np.zeros(2, np.float32), np.zeros(2, bool)
        )
        _cover(made, boxes[0], np.random.default_rng(seed))
        gone = [float((made.pixels[80:120:2, x : x + 40] != 255).any(axis=2).mean()) for x in (60, 105)]
        for hidden, says, ignored in zip(gone, made.says.max(axis=1), made.ignored, strict=True):
            assert says == 1 or hidden > 0.8, "what is not hidden is asked for"
            assert hidden < 0.4 or ignored or says == 0, "what is hidden is not"
        struck += gone[1] > 0.4
        outside = np.ones((200, 200), bool)
        outside[78:122, 58:147] = False
        rows = made.pixels.astype(np.int16)[..., 0]
        assert np.abs(np.diff(rows, axis=0))[outside[1:]].max() < 120, "no stripes where there were none"
    assert struck


def test_figures_count_what_was_read_right() -> None:
    right = judged(scene((10, 10, 50, 50), turn=350), reading({"fragile": 0.9}, (10, 10, 40, 40), 5.0), "a")
    beside = judged(scene((10, 10, 50, 50)), reading({"fragile": 0.9}, (200, 10, 40, 40)), "b")
    told = figures([right, beside], AT, rounds=20)
    assert told["fragile"]["recall"]["value"] == told["fragile"]["precision"]["value"] == 0.5
    assert told["fragile"]["median_turn_error_deg"] == 15
    assert told["all"]["there"] == 2


def test_what_is_said_of_a_bare_parcel_is_invented() -> None:
    bare = judged(scene(), reading({"fragile": 0.9}, (10, 10, 40, 40)))
    quiet = judged(scene(), reading({"fragile": 0.4}, (10, 10, 40, 40)))
    assert invented([bare, quiet, judged(scene((1, 1, 9, 9)), reading({}, (0, 0, 5, 5)))], AT) == [("a", 1), ("a", 0)]


def test_a_part_of_a_mark_that_is_there_is_neither_right_nor_wrong() -> None:
    part = judged(scene((10, 10, 90, 90)), reading({"fragile": 0.9}, (20, 20, 30, 20)))
    told = figures([part], AT, rounds=20)["fragile"]
    assert (told["there"], told["recall"]["value"]) == (1, 0.0)
    assert np.isnan(told["precision"]["value"] or np.nan), "nothing was said that counts"
    everywhere = judged(scene((10, 10, 90, 90)), reading({"fragile": 0.9}, (0, 0, 300, 300)))
    assert figures([everywhere], AT, rounds=20)["fragile"]["precision"]["value"] == 0.0


def test_marks_are_told_apart_by_their_length() -> None:
    small = judged(scene((10, 10, 40, 30)), reading({}, (10, 10, 30, 20)))
    large = judged(scene((10, 10, 110, 30)), reading({"fragile": 0.9}, (10, 10, 100, 20)))
    found = [figures(of_length([small, large], *sides), AT, rounds=20)["all"] for sides in ((0, 64), (64, 200))]
    assert [(told["there"], told["recall"]["value"]) for told in found] == [(1, 0.0), (1, 1.0)]


def test_a_threshold_needs_examples_and_precision() -> None:
    def rows(right: int, wrong: int, at: float = 0.9) -> list[Matched]:
        one = Matched(np.array([at]), np.array([True]), 1, np.array([0.0]))
        other = Matched(np.array([0.3]), np.array([False]), 0, np.zeros(0))
        return [one] * right + [other] * wrong

    good = threshold(rows(60, 30))
    assert isinstance(good, MarkThreshold)
    assert (good.present, good.doubtful) == (0.9, 0.45)
    assert "30 examples" in str(threshold(rows(10, 0)))
    assert isinstance(threshold(rows(60, 60, at=0.2)), str)


def test_networks_train_resume_and_leave_as_graphs_that_agree(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    places, weights = [board(), board(300, "b")], np.ones(2)
    for steps in (2, 3):
        schedule = Schedule(steps=steps, batch=2, fresh=1, kept=8)
        nets = build(1)
        finder = train_finder(nets.finder, places, weights, bank(), schedule, tmp_path / "finder")
        reader = train_reader(nets.reader, places, weights, bank(), schedule, tmp_path / "reader")
        seen = first_glimpses(finder, reader, places, weights, bank(), 1, scenes=2)
        closer = train_upright(nets.upright, places, weights, bank(), schedule, tmp_path / "upright", seen)
        nets = Networks(finder, reader, closer, nets.strips)
        seen = wide_glimpses(nets, places, weights, bank(), 1, scenes=2)
        strips = train_strips(nets.strips, places, weights, bank(), schedule, tmp_path / "strips", seen)
    for name in Networks._fields:
        done = [json.loads(line)["step"] for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        assert done == [0, 1, 2]
    again = trained(build(2)[0], tmp_path / "finder")
    assert all(
        torch.equal(a, b) for a, b in zip(again.state_dict().values(), finder.state_dict().values(), strict=True)
    )
    out = tmp_path / "0.0.1"
    write_graphs(nets._replace(strips=strips), shown(places, weights, bank()), out)
    eye = written(draft("0.0.1", AT), out)
    told = judge(eye, Unseen(places, weights, bank()).scenes(1, 3))
    measured = figures(told, AT, rounds=10)
    card = draft("0.0.1", {mark: AT.get(mark, "not learnt") for mark in MARKS})
    told_card = write_cards(card, out, date(2026, 11, 22), "three steps", "nothing", {"composed": measured})
    assert (out / "CARD.md").read_text("utf-8") == story(told_card)
    assert stages(eye, told)["marks"] == sum(int(one.scene.positive.sum()) for one in told)
    assert models.read(out, "marks").card.files.keys() == {
        *("finder.onnx", "model.onnx", "upright.onnx", "strips.onnx")
    }


def words_on(turn: float) -> Scene:
    """A wide sheet that is dark on its left and light on its right, turned, told as keep_dry."""
    flat = np.full((300, 300, 3), 110, np.uint8)
    flat[138:162, 90:150], flat[138:162, 150:210] = 10, 245
    spin = cv2.getRotationMatrix2D((149.5, 149.5), -turn, 1)
    pixels = np.asarray(cv2.warpAffine(flat, spin, (300, 300), borderValue=(110, 110, 110)), np.uint8)
    across, down = abs(np.cos(np.deg2rad(turn))), abs(np.sin(np.deg2rad(turn)))
    half = np.array([120 * across + 24 * down, 120 * down + 24 * across]) / 2
    box = np.array([[150 - half[0], 150 - half[1], 150 + half[0], 150 + half[1]]], np.float32)
    says = np.array([[name == "keep_dry" for name in MARKS]], np.float32)
    return Scene(pixels, box, says, np.array([turn % 360], np.float32), np.zeros(1, bool))


def looked(x: float, y: float, width: float, height: float, turn: float = 0.0) -> Look:
    """One place as a look tells it."""
    of = np.array([[x, y]], np.float32), np.array([[width, height]], np.float32)
    return Look(*of, np.full((1, len(MARKS)), 0.5, np.float32), np.array([turn], np.float32), np.ones(1, np.float32))


SQUARE = np.array([[150, 150, 156]], np.float32)


@pytest.mark.parametrize("turn", [0.0, 20.0, 160.0, 280.0])
@pytest.mark.parametrize("view", [View.CLOSER, View.STRIP])
def test_the_next_look_at_a_glimpse_shows_the_mark_level_and_whole(turn: float, view: View) -> None:
    (one,) = glimpses(words_on(turn), looked(150, 150, 120, 24, turn), SQUARE)
    assert one.says.sum() == one.says[MARKS.index("keep_dry")] == 1
    told = [one.glyph(np.random.default_rng(seed), view) for seed in range(12)]
    for seen in told:
        width, height = view.size
        assert seen.pixels.shape == (height, width, 3)
        along = np.array([np.cos(np.deg2rad(seen.turn)), np.sin(np.deg2rad(seen.turn))]) * np.exp(seen.spans[2]) / 4
        (x1, y1), (x2, y2) = (
            np.array([width, height]) / 2 + (seen.spans[:2] + side * along) * width for side in (-1, 1)
        )
        assert seen.pixels[round(y1), round(x1), 0] < 60, "what is written runs from left to right"
        assert seen.pixels[round(y2), round(x2), 0] > 200
        if turn in (0.0, 20.0):
            assert np.exp(seen.spans[2:]) == pytest.approx([120 / 156, 24 / 156], rel=0.25)
    assert np.mean([seen.turn for seen in told]) == pytest.approx(0, abs=4), "it looks a little beside it"
    assert np.std([seen.turn for seen in told]) > 1


def test_what_nobody_knows_is_no_glimpse_and_what_is_bare_says_nothing() -> None:
    made = words_on(0.0)
    (nothing,) = glimpses(made, looked(50, 30, 40, 40), np.array([[50, 30, 60]], np.float32))
    assert not nothing.glyph(np.random.default_rng(0), View.CLOSER).says.any()
    assert not glimpses(made, looked(230, 150, 60, 20), np.array([[210, 150, 100]], np.float32)), "half on it"
    made.ignored[:] = True
    assert not glimpses(made, looked(150, 150, 120, 24), SQUARE)


def test_strips_hold_their_marks_and_some_stand_on_their_heads() -> None:
    rng = np.random.default_rng(0)
    word = Art("keep_dry", opaque(np.full((30, 120, 3), (20, 200, 240), np.uint8)))
    things = bank().things | {"words": [(word,)], "strange_words": [(Art("no_mark", word.bgra),)]}
    told = [strip(rng, wide(Bank(things)), [board()], ()) for _ in range(200)]
    marked = [one for one in told if one.says.any()]
    assert 40 < len(marked) < 140
    for one in marked:
        assert one.pixels.shape == (STRIP[1], STRIP[0], 3)
        width, height = np.exp(one.spans[2:])
        assert 0.3 < width < 1.6
        assert height < 0.6, "a strip shows a third of its square"
    down = [abs((one.turn + 180) % 360 - 180) > 90 for one in marked]
    assert 0 < sum(down) < len(down) / 3


def test_what_is_looked_for_in_a_crop_is_looked_for_in_the_middle_of_a_strip() -> None:
    _, reader, _, strips = build(3)
    across = torch.linspace(-1, 1, 7).expand(192, 96, 7, 7)  # the more to the right, the more it counts
    reader.load_state_dict(reader.state_dict() | {"gathered.5.weight": across.reshape(192, -1)})
    weights = fitted(reader.state_dict(), strips)
    strips.load_state_dict(weights)
    grid = weights["gathered.5.weight"].reshape(192, 96, strips.rows, strips.columns)
    assert torch.allclose(grid, grid[:1, :1, :1].expand_as(grid), atol=1e-5)
    assert (grid[0, 0, 0].diff() > 0).all()
    assert grid[0, 0, 0, -1].item() == pytest.approx(49 / 144)
