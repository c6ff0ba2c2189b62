"""Handling marks: what the check says of what was found, and how the reader finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.detector import Floats
from inspector.markreader import ROOM, Look, MarkReader, Places, Readings, agreed, candidates, chances, cut, turned
from inspector.spec import Check, PackingSpec
from inspector.verdict import Decision, MarkSeen, Result
from inspector.wire import VerdictDocument
from models.cards import StripCard
from tests.inspector.scripted import MARKS_CARD, PARCEL, Scripted, ScriptedMarks, eye, frame

FRAGILE = PackingSpec(marks=frozenset({"fragile"}))
UP = PackingSpec(marks=frozenset({"this_way_up"}))
HERE = (100.0, 100.0, 30.0, 30.0)


@pytest.mark.parametrize(
    ("score", "result", "told"),
    [(0.8, Result.PASS, None), (0.4, Result.UNSURE, "hard to see"), (0.1, Result.FAIL, "is missing")],
)
def test_a_required_mark_is_there_doubtful_or_missing(score: float, result: Result, told: str | None) -> None:
    verdict = eye(Scripted([PARCEL]), marks=[MarkSeen("fragile", score, HERE, 90)]).inspect([frame()], FRAGILE)
    assert verdict.checks[Check.MARKS].result is result
    assert (verdict.decision is Decision.RELEASE) == (result is Result.PASS)
    assert told is None or told in verdict.reasons[0]


def test_the_finding_names_the_mark_also_in_json() -> None:
    verdict = eye(Scripted([PARCEL])).inspect([frame()], PackingSpec(marks=frozenset({"fragile", "this_way_up"})))
    assert [f.mark for f in verdict.findings] == ["fragile", "this_way_up"]
    document = VerdictDocument.of(verdict)
    assert [f.mark for f in document.checks.marks.findings] == ["fragile", "this_way_up"]
    assert document.to_verdict().findings == verdict.findings
    old = document.model_dump(mode="json")
    for told in old["checks"]["marks"]["findings"]:
        del told["mark"]
    assert VerdictDocument.model_validate(old).checks.marks.findings[0].mark is None, "what was kept before is read"


def test_marks_nobody_asked_for_are_told_with_their_rotation() -> None:
    judged = eye(Scripted([PARCEL]), marks=[MarkSeen("this_way_up", 0.9, HERE, 270)]).inspect([frame()])
    (mark,) = judged.checks[Check.MARKS].marks
    assert (mark.mark, mark.rotation) == ("this_way_up", 270)
    assert judged.decision is Decision.RELEASE


def test_a_mark_the_model_never_learnt_is_for_a_person() -> None:
    verdict = eye(Scripted([PARCEL])).inspect([frame()], PackingSpec(marks=frozenset({"keep_dry"})))
    assert verdict.checks[Check.MARKS].result is Result.UNSURE
    assert "cannot check the mark 'keep dry'" in verdict.reasons[0]


def test_one_picture_that_shows_the_mark_is_enough() -> None:
    inspector = eye(Scripted([PARCEL]), marks=[MarkSeen("fragile", 0.9, HERE, 0)], only_frame=1)
    verdict = inspector.inspect([frame(), frame()], FRAGILE)
    assert [mark.frame for mark in verdict.checks[Check.MARKS].marks] == [1]
    assert verdict.decision is Decision.RELEASE


def test_what_goes_wrong_while_marks_are_read_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    inspector = eye(Scripted([PARCEL]))

    def broken(*_: object) -> list[MarkSeen]:
        raise RuntimeError("the reader broke")

    monkeypatch.setattr(ScriptedMarks, "marks", broken)
    with pytest.raises(RuntimeError, match="the reader broke"):
        inspector.inspect([frame()])


def seen_from(camera: str, *rotations: float) -> tuple[Decision, tuple[str, ...]]:
    marks = [MarkSeen("this_way_up", 0.9 - i / 100, HERE, turn) for i, turn in enumerate(rotations)]
    verdict = eye(Scripted([PARCEL]), marks=marks, side_view=camera == "side").inspect([frame()], UP)
    return verdict.decision, verdict.reasons


@pytest.mark.parametrize(("turn", "way"), [(180, "down"), (90, "right"), (271, "left"), (50, "right"), (310, "left")])
def test_arrows_that_point_elsewhere_hold_what_is_seen_from_the_side(turn: float, way: str) -> None:
    decision, reasons = seen_from("side", turn)
    assert decision is Decision.HOLD
    assert reasons == (f"the arrows of 'this way up' point {way}: turn the parcel",)


@pytest.mark.parametrize("turn", [0, 30, 330, 44])
def test_arrows_that_point_up_do_not(turn: float) -> None:
    assert seen_from("side", turn) == (Decision.RELEASE, ())


def test_one_upright_mark_is_enough_for_the_others_may_lie_on_the_top() -> None:
    assert seen_from("side", 180, 10)[0] is Decision.RELEASE


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_from_above_a_turned_mark_is_as_good_as_any(turn: float) -> None:
    assert seen_from("top", turn)[0] is Decision.RELEASE


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 200, 270, 355])
def test_a_mark_is_read_upright_whichever_way_the_parcel_lies(degrees: float) -> None:
    """The reader knows how a mark is turned by its light upper half, and tells it a little to the left."""
    seen: list[float] = []

    class ByItsLight(Networks):
        def infer(self, batch: Floats) -> Mapping[str, Floats]:
            told = dict(super().infer(batch))
            if batch.shape[-1] == MARKS_CARD.input.side:
                across, down = (np.linspace(-1, 1, batch.shape[-1]) for _ in range(2))
                grey = batch.mean(axis=1) * (np.hypot(across, down[:, None]) < 1)
                x, y = (grey * across).mean((1, 2)), (grey * down[:, None]).mean((1, 2))
                length = np.hypot(x, y)
                told["turns"] = np.stack([x / length, -y / length], axis=1).astype(np.float32)
                told["spans"] = np.tile(np.array([-0.1, 0.0, np.log(0.7), np.log(0.35)], np.float32), (len(batch), 1))
                seen.extend(np.degrees(np.arctan2(x, -y)).tolist())
            return told

    angle = np.deg2rad(degrees)
    up = np.array([np.sin(angle), -np.cos(angle)])
    rows, columns = np.mgrid[:320, :320] - 159.5
    picture = np.repeat(((columns * up[0] + rows * up[1] > 0) * 255).astype(np.uint8)[..., None], 3, axis=2)
    place = np.array([[139.5, 139.5, 40, 40]], np.float32)
    readings = reader(ByItsLight({})).read(picture, Places(place, np.array([0.5], np.float32)))
    off = (np.array([seen[0] - degrees, *seen[1:]]) + 180) % 360 - 180
    assert len(seen) == 3
    assert np.abs(off).max() < 4, "turned at the first look, upright at the others"
    assert abs((readings.rotations[0] - degrees + 180) % 360 - 180) < 4
    first = 40 * ROOM
    second = 0.7 * first * ROOM
    third = 0.7 * second * ROOM
    width, height = 0.7 * third, 0.35 * third
    across, down = abs(np.cos(angle)), abs(np.sin(angle))
    box = readings.boxes[0]
    assert box[2:] == pytest.approx((width * across + height * down, width * down + height * across), rel=0.1)
    left = -np.array([np.cos(angle), np.sin(angle)])
    expected = np.array([159.5, 159.5]) + (-0.1 * first, 0.0) + left * 0.1 * (second + third)
    assert box[:2] + box[2:] / 2 == pytest.approx(expected, abs=1.0)


@dataclass
class Networks:
    """A finder that sees one place, and a reader that sees one mark wherever it looks, a little lower each time."""

    heat: Mapping[tuple[int, int], float]
    says: tuple[float, float, float] = (0.9, 0.05, 0.0)
    spans: tuple[float, float, float, float] = (0.0, 0.0, float(np.log(1 / ROOM)), float(np.log(1 / ROOM)))
    crops: list[Floats] = field(default_factory=list)

    def warm_up(self) -> None: ...

    def infer(self, batch: Floats) -> Mapping[str, Floats]:
        n, side = len(batch), batch.shape[-1]
        if side == MARKS_CARD.finder.side:
            heat, spans = np.zeros((1, 1, 40, 40), np.float32), np.zeros((1, 4, 40, 40), np.float32)
            spans[0, 2:] = np.log(4)  # 32 pixels of the canvas
            for (row, column), p in self.heat.items():
                heat[0, 0, row, column] = p
            return {"heat": heat, "spans": spans}
        self.crops.append(batch)
        return {
            "says": np.tile(np.array(self.says, np.float32), (n, 1)),
            "spans": np.tile(np.array(self.spans, np.float32), (n, 1)),
            "turns": np.tile(np.array([1, 0], np.float32), (n, 1)),
        }


def reader(networks: Networks) -> MarkReader:
    return MarkReader(networks, networks, MARKS_CARD)


def test_a_mark_is_told_where_it_is_in_the_picture_and_how_it_is_turned() -> None:
    networks = Networks({(20, 20): 0.8})
    picture = np.zeros((720, 1280, 3), np.uint8)
    # the parcel with 5 % around it is 704 pixels a side: 2.2 pixels of the picture to one of the canvas
    (mark,) = reader(networks).marks(picture, (400.0, 40.0, 640.0, 640.0), frame=2)
    assert (mark.mark, mark.frame, mark.rotation) == ("fragile", 2, 270)
    assert mark.score == pytest.approx(0.9)
    left, top = 400 - 32, 40 - 32
    middle = 20.5 * 8 * 2.2
    assert mark.box == pytest.approx((left + middle - 35.2, top + middle - 35.2, 70.4, 70.4), abs=1.5)


def test_each_look_is_cut_where_the_last_saw_the_mark() -> None:
    networks = Networks({(20, 20): 0.8}, spans=(0.1, 0.0, float(np.log(0.5)), float(np.log(0.25))))
    (mark,) = reader(networks).marks(np.zeros((320, 320, 3), np.uint8), (16.0, 16.0, 288.0, 288.0))
    first = 32 * ROOM
    second = first * 0.5 * ROOM
    assert len(networks.crops) == 3
    third = second * 0.5 * ROOM
    assert mark.rotation == 270, "a right angle at each look"
    assert mark.box[2:] == pytest.approx((third * 0.25, third * 0.5), rel=0.02)


def test_no_look_alone_decides() -> None:
    def look(*says: float) -> Look:
        nothing = np.zeros((1, 2), np.float32)
        return Look(nothing, nothing, np.array([says], np.float32), nothing[0], nothing[0])

    assert chances(agreed([look(1.0, 0.5), look(0.5, 0.5), look(0.0, 0.5)])) == pytest.approx(0.5, abs=0.01)
    assert chances(agreed([look(0.8)] * 3)) == pytest.approx(0.8)


def test_the_finders_word_counts_as_much_as_the_card_says() -> None:
    weighed = MARKS_CARD.model_copy(update={"finder": MARKS_CARD.finder.model_copy(update={"weight": 0.5})})
    scores = []
    for heat in (0.2, 0.5, 0.9):
        networks = Networks({(20, 20): heat})
        eye = MarkReader(networks, networks, weighed)
        (mark,) = eye.marks(np.zeros((320, 320, 3), np.uint8), (0.0, 0.0, 320.0, 320.0))
        scores.append(np.log(mark.score / (1 - mark.score)) - np.log(9))  # the reader says 0.9
    assert scores == pytest.approx([-0.5 * np.log(4), 0, 0.5 * np.log(9)], abs=0.01)


def test_what_is_no_mark_is_not_looked_at_twice() -> None:
    networks = Networks({(20, 20): 0.8}, says=(0.01, 0.02, 0.0))
    assert reader(networks).marks(np.zeros((320, 320, 3), np.uint8), (0.0, 0.0, 320.0, 320.0)) == []
    assert len(networks.crops) == 1


def test_without_a_place_nothing_is_read() -> None:
    networks = Networks({(3, 3): 0.05})
    assert reader(networks).marks(np.zeros((320, 320, 3), np.uint8), (0.0, 0.0, 320.0, 320.0)) == []
    assert networks.crops == []


def test_a_mark_beside_the_parcel_does_not_count() -> None:
    networks = Networks({(0, 0): 0.9})
    picture = np.zeros((400, 400, 3), np.uint8)
    assert reader(networks).marks(picture, (100.0, 100.0, 200.0, 200.0)) == []


def test_one_sticker_may_say_two_marks() -> None:
    networks = Networks({(20, 20): 0.8}, says=(0.9, 0.8, 0.0))
    told = reader(networks).marks(np.zeros((320, 320, 3), np.uint8), (0.0, 0.0, 320.0, 320.0))
    assert {mark.mark for mark in told} == {"fragile", "this_way_up"}


def test_only_the_best_places_are_read() -> None:
    heat = np.zeros((1, 40, 40), np.float32)
    heat[0, ::4, ::4] = np.linspace(0.2, 0.9, 100).reshape(10, 10)
    found = candidates(heat, np.zeros((4, 40, 40), np.float32), MARKS_CARD.finder)
    assert len(found.boxes) == len(found.chances) == MARKS_CARD.finder.most
    assert found.chances[0] == pytest.approx(0.9)
    assert found.boxes[0] == pytest.approx([36 * 8, 36 * 8, 37 * 8, 37 * 8], abs=0.01)


def test_two_readings_of_one_mark_are_one() -> None:
    boxes = np.array([[0, 0, 100, 100], [5, 0, 100, 100], [40, 40, 20, 20], [300, 0, 50, 50]], np.float32)
    says = np.array([[0.9], [0.8], [0.7], [0.6]], np.float32)
    assert Readings(boxes, says, np.zeros(4, np.float32)).of(0, 0.5, 0.4) == [0, 3]
    assert Readings(boxes, says, np.zeros(4, np.float32)).of(0, 0.65, 0.4) == [0]


@given(
    x=st.floats(-50, 250),
    y=st.floats(-50, 250),
    side=st.floats(0.1, 900),
    turn=st.floats(-400, 400),
    shape=st.tuples(*[st.integers(4, 200)] * 2),
)
def test_a_square_can_be_cut_wherever_it_lies(
    x: float, y: float, side: float, turn: float, shape: tuple[int, int]
) -> None:
    picture = np.full((*shape, 3), 77, np.uint8)
    crop = cut(picture, np.array([x, y, side], np.float32), turn, 64)
    assert crop.shape == (64, 64, 3)
    assert (crop == 77).all(), "the picture's border goes on beyond it"


@pytest.mark.parametrize("quarters", range(4))
def test_a_square_that_stands_turned_is_cut_upright(quarters: int) -> None:
    picture = np.random.default_rng(3).integers(0, 255, (64, 64, 3), np.uint8)
    square = np.array([32, 32, 64], np.float32)
    upright = cut(np.rot90(picture, -quarters).copy(), square, 90.0 * quarters, 64)
    inner = slice(1, -1)
    assert np.abs(upright.astype(int) - picture)[inner, inner].max() <= 1


@pytest.mark.parametrize("turn", [0.0, 30.0])
@pytest.mark.parametrize("length", [100, 200, 500, 790])
def test_a_square_of_any_size_is_seen_whole_and_in_its_place(length: int, turn: float) -> None:
    rows, columns = np.mgrid[:1200, :1200]
    angle = np.deg2rad(turn)
    along = ((columns - 600) * np.cos(angle) + (rows - 600) * np.sin(angle)) / length  # -0.5..0.5 over the square
    slope = np.clip(128 + 200 * along, 0, 255)
    stripes = 40.0 * ((rows + columns) % 2)  # finer than the crop's pixels, as soon as the square is halved
    picture = np.repeat(np.rint(slope + stripes - 20)[..., None], 3, axis=2).clip(0, 255).astype(np.uint8)
    crop = cut(picture, np.array([600.5, 600.5, length], np.float32), turn, 100)
    ideal = 128 + 200 * ((np.arange(100) + 0.5) / 100 - 0.5)
    off = crop[..., 0].astype(float) - ideal
    assert np.abs(off.mean()) <= 1, "what 8 bits round"
    assert length < 200 or np.abs(off)[4:-4, 4:-4].max() < 6, "what is too fine to be shown is averaged, not skipped"


@given(st.lists(st.tuples(*[st.floats(8, 500)] * 4), min_size=1, max_size=5), st.floats(0, 360))
def test_the_box_around_a_turned_mark_holds_it_just_so(
    told: list[tuple[float, float, float, float]], turn: float
) -> None:
    rows = np.array(told, np.float32)
    turns = np.full(len(rows), turn, np.float32)
    look = Look(rows[:, :2], rows[:, 2:], np.zeros((len(rows), 3), np.float32), turns, turns)
    for box, (x, y, width, height) in zip(look.readings().boxes, rows, strict=True):
        half = np.array([[-width, -height], [width, -height], [width, height], [-width, height]], np.float32)
        corners = turned((half / 2).astype(np.float32), np.full(4, turn, np.float32)) + np.array([x, y])
        assert box[:2] == pytest.approx(corners.min(axis=0), abs=0.05)
        assert box[:2] + box[2:] == pytest.approx(corners.max(axis=0), abs=0.05)


STRIPS = StripCard(file="strips.onnx", width=96, height=32, wide=2.0, tall=3.4)


@dataclass
class TwoPlaces:
    """Sees two places, of which the second is wide; as the strip reader it is surer. crops: what it was shown."""

    says: float = 0.8
    crops: list[Floats] = field(default_factory=list)

    def warm_up(self) -> None: ...

    def infer(self, batch: Floats) -> Mapping[str, Floats]:
        self.crops.append(batch)
        n = len(batch)
        spans = np.log(np.array([[0.7, 0.7], [0.7, 0.1]], np.float32))[-n:]
        return {
            "says": np.full((n, 3), self.says, np.float32),
            "spans": np.concatenate([np.zeros((n, 2), np.float32), spans], axis=1),
            "turns": np.tile(np.array([0, 1], np.float32), (n, 1)),
        }


def test_what_is_wide_is_read_in_strips() -> None:
    reading, strips = TwoPlaces(), TwoPlaces(says=0.99)
    card = MARKS_CARD.model_copy(update={"strips": STRIPS})
    both = MarkReader(reading, reading, card, strips=strips)
    picture = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    boxes = np.array([[20, 20, 60, 60], [150, 150, 60, 60]], np.float32)
    told = both.read(picture, Places(boxes, np.full(2, 0.5, np.float32)))
    assert [crops.shape for crops in reading.crops] == [(2, 3, 64, 64), (2, 3, 64, 64), (1, 3, 64, 64)]
    assert [crops.shape for crops in strips.crops] == [(1, 3, 32, 96)] * 2
    assert told.says[0].tolist() == pytest.approx([0.8] * 3, abs=0.001)
    assert told.says[1].tolist() == pytest.approx([0.99] * 3, abs=0.001)
    assert told.boxes[:, :2] + told.boxes[:, 2:] / 2 == pytest.approx(np.array([[50, 50], [180, 180]]), abs=1)
    assert told.boxes[1, 2:] == pytest.approx(60 * (0.7 * ROOM) ** 4 * np.array([1, 1 / 7]), rel=0.02)


def test_who_looks_closer_is_shown_what_was_set_upright() -> None:
    reading, upright = TwoPlaces(), TwoPlaces(says=0.99)
    eyes = MarkReader(reading, reading, MARKS_CARD, upright=upright)
    picture = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    boxes = np.array([[20, 20, 60, 60], [150, 150, 60, 60]], np.float32)
    eyes.read(picture, Places(boxes, np.full(2, 0.5, np.float32)))
    assert [crops.shape for crops in reading.crops] == [(2, 3, 64, 64)]
    assert [crops.shape for crops in upright.crops] == [(2, 3, 64, 64)] * 2


@dataclass
class Compass:
    """Sees the mark only where light is above, and cannot tell how it is turned but where it is told so."""

    certain: float
    crops: list[Floats] = field(default_factory=list)

    def warm_up(self) -> None: ...

    def infer(self, batch: Floats) -> Mapping[str, Floats]:
        self.crops.append(batch)
        upright = batch[:, 0, :16].mean(axis=(1, 2)) - batch[:, 0, -16:].mean(axis=(1, 2)) > 1
        return {
            "says": np.repeat(np.where(upright, 0.9, 0.1)[:, None], 3, axis=1).astype(np.float32),
            "spans": np.tile(np.array([0, 0, -0.26, -0.26], np.float32), (len(batch), 1)),
            "turns": np.tile(np.array([0, self.certain], np.float32), (len(batch), 1)),
        }


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("doubtful", [True, False])
def test_where_it_is_not_clear_which_way_is_up_every_way_is_tried(quarters: int, doubtful: bool) -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:100] = 255
    picture = np.rot90(picture, -quarters).copy()
    reading, upright = Compass(0.1 if doubtful else 1.0), Compass(1.0)
    eyes = MarkReader(reading, reading, MARKS_CARD, upright=upright)
    told = eyes.read(picture, Places(np.array([[60, 60, 80, 80]], np.float32), np.full(1, 0.5, np.float32)))
    assert [len(crops) for crops in upright.crops] == [4 if doubtful else 1, 1]
    sees = doubtful or quarters == 0
    assert (told.says[0] > 0.3).all() == sees
    if sees:
        assert told.rotations[0] == pytest.approx(90 * quarters, abs=1)


def test_a_strip_is_the_middle_of_its_square() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8)
    square = np.array([140, 160, 150], np.float32)
    whole = cut(picture, square, 25.0, 96)
    off = np.abs(cut(picture, square, 25.0, 96, 32).astype(int) - whole[32:64])
    assert off.max() <= 20, "places are told to a thirty-second of a pixel, and this is noise"


@given(st.floats(1, 300), st.floats(1, 300))
def test_a_strip_holds_the_whole_mark(width: float, height: float) -> None:
    nothing = np.zeros((1, 2), np.float32)
    look = Look(nothing, np.array([[width, height]], np.float32), nothing, nothing[0], nothing[0])
    side = look.strips(STRIPS.tall)[0, 2]
    assert side >= width
    assert side * STRIPS.height / STRIPS.width >= height
    assert look.wide(2.0).tolist() == [np.float32(width) >= 2 * np.float32(height)]
