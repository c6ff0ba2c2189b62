"""The checks on a network whose answers the test writes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from inspector.frame import Frame
from inspector.integrity import where
from inspector.quality import QualityLimits, sharpness
from inspector.spec import Check, ExpectedItem, PackingSpec, Stage
from inspector.verdict import Decision, Result
from tests.inspector.scripted import ANY_PICTURE, PARCEL, SIDE, Scripted, card, eye, frame

CLOSE_LOOK_CANVAS = 320 / 40  # pixels of a damage map's cell on the canvas


def test_a_whole_parcel_is_released_and_told_how_sure() -> None:
    verdict = eye(Scripted([PARCEL], damage=-3.0)).inspect([frame()])
    integrity = verdict.checks[Check.INTEGRITY]
    assert verdict.decision is Decision.RELEASE
    assert integrity.score == pytest.approx(1 / (1 + np.exp(3.0)))
    assert integrity.threshold == 0.7
    assert verdict.parcels[0].box == pytest.approx((60, 60, 200, 200))
    assert verdict.checks[Check.CONTENTS].result is Result.SKIPPED


def test_the_close_look_sees_the_parcel_and_not_the_bench() -> None:
    picture = np.zeros((400, 640, 3), np.uint8)
    # canvas scale 0.5, 60 px of grey above: canvas (60, 60, 260, 260) is (120, 0, 520, 400) in the picture
    picture[:, 120:520] = (10, 200, 90)
    engine = Scripted([PARCEL])
    eye(engine).inspect([Frame(picture, "a.jpg")])
    close = engine.looks[1][0]
    assert np.allclose(close[0], (90 - 127.5) / 127.5, atol=0.02), "red comes first for the network"
    assert np.allclose(close[2], (10 - 127.5) / 127.5, atol=0.02)


def test_damage_is_found_named_and_placed_in_the_picture() -> None:
    engine = Scripted([PARCEL], damage=3.0, spots={"tear": (slice(16, 24), slice(0, 8), 0.9)})
    verdict = eye(engine).inspect([frame()])
    finding = verdict.checks[Check.INTEGRITY].findings[0]
    assert verdict.decision is Decision.HOLD
    assert verdict.reasons == ("torn on the left side",)
    # the close look shows the parcel's 200 px on 320; cells 0..8 and 16..24 of 40
    assert finding.box == pytest.approx((60, 140, 40, 40), abs=1.5)
    assert finding.severity == pytest.approx(0.2, abs=0.01), "40 of the parcel's 200 pixels a side"
    assert finding.score == pytest.approx(0.9, abs=0.01)


def test_between_the_bounds_the_answer_is_unsure_and_holds() -> None:
    engine = Scripted([PARCEL], damage=0.0, spots={"crush": (slice(0, 4), slice(0, 4), 0.8)})
    verdict = eye(engine).inspect([frame()])
    assert verdict.checks[Check.INTEGRITY].result is Result.UNSURE
    assert verdict.decision is Decision.HOLD
    assert verdict.reasons == ("perhaps crushed at the upper left corner: look at it",)


def test_damage_without_an_area_still_says_where_to_look_first() -> None:
    engine = Scripted([PARCEL], damage=3.0, spots={"crush": (slice(39, 40), slice(39, 40), 0.3)})
    (finding,) = eye(engine).inspect([frame()]).checks[Check.INTEGRITY].findings
    assert finding.text == "crushed at the lower right corner"


@pytest.mark.parametrize(("faint", "told"), [(0.4, ["tear"]), (0.6, ["tear", "crush"])])
def test_a_place_less_than_half_as_sure_as_the_surest_is_not_told(faint: float, told: list[str]) -> None:
    spots = {"tear": (slice(16, 24), slice(0, 8), 0.9), "crush": (slice(16, 24), slice(20, 28), faint)}
    low = {**card().thresholds.model_dump(), "damage_map": {"crush": 0.2, "tear": 0.5}}
    verdict = eye(Scripted([PARCEL], damage=3.0, spots=spots), thresholds=low).inspect([frame()])
    assert [finding.kind for finding in verdict.findings] == told


def test_damage_in_one_of_two_pictures_is_damage() -> None:
    class Turned(Scripted):
        def infer(self, batch):  # type: ignore[no-untyped-def]
            answer = dict(super().infer(batch))
            answer["features"] = np.array([[3.0 if len(self.looks) > 2 else -3.0]], np.float32)
            return answer

    verdict = eye(Turned([PARCEL])).inspect([frame(), frame(name="b.jpg")])
    assert verdict.decision is Decision.HOLD
    assert {f.frame for f in verdict.findings} == {1}


def test_no_parcel_is_a_retake_without_a_score() -> None:
    verdict = eye(Scripted([])).inspect([frame()])
    assert verdict.decision is Decision.RETAKE
    assert verdict.quality[0].kind == "no_parcel"
    assert verdict.checks[Check.INTEGRITY].score is None


def test_a_doubtful_parcel_is_scored_but_taken_again() -> None:
    verdict = eye(Scripted([("parcel", 0.3, PARCEL[2], 0)], damage=-5)).inspect([frame()])
    assert verdict.decision is Decision.RETAKE
    assert verdict.checks[Check.INTEGRITY].score is not None


def test_items_in_the_spec_hold_until_contents_are_judged() -> None:
    spec = PackingSpec(items=(ExpectedItem("usb-cable", 2),))
    both = [frame(stage=Stage.OPEN), frame()]
    for frames in ([frame()], both):
        verdict = eye(Scripted([PARCEL])).inspect(frames, spec)
        assert verdict.decision is Decision.HOLD
        assert "2 x usb-cable" in verdict.reasons[0]


def test_only_the_open_box_was_shown() -> None:
    verdict = eye(Scripted([PARCEL])).inspect([frame(stage=Stage.OPEN)])
    assert verdict.decision is Decision.HOLD
    assert verdict.reasons == ("no picture of the sealed parcel",)


def test_without_a_picture_there_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="no picture"):
        eye(Scripted()).inspect([])


def test_the_large_central_parcel_is_judged() -> None:
    small = ("parcel", 0.95, (0.0, 0.0, 60.0, 60.0), 0.0)
    verdict = eye(Scripted([small, PARCEL])).inspect([frame()])
    assert verdict.parcels[0].box == pytest.approx((60, 60, 200, 200))
    assert len(verdict.parcels) == 2


def _board(blur: int) -> Frame:
    rng = np.random.default_rng(3)
    board = np.full((SIDE, SIDE, 3), (90, 130, 170), np.uint8)
    for _ in range(30):
        x, y = rng.integers(70, 240, 2)
        board[y : y + 8, x : x + 12] = 40
    if blur:
        kernel = np.ones(blur) / blur
        smear = np.apply_along_axis(lambda row: np.convolve(row, kernel, mode="same"), 1, board[:, :, 0])
        board = np.repeat(smear[:, :, None], 3, axis=2).astype(np.uint8)
    return Frame(board, "board.jpg")


def test_a_smeared_picture_is_taken_again_and_a_sharp_one_not() -> None:
    gate = QualityLimits(cut_sides=None)
    assert eye(Scripted([PARCEL]), gate).inspect([_board(0)]).decision is Decision.RELEASE
    smeared = eye(Scripted([PARCEL]), gate).inspect([_board(25)])
    assert [fault.kind for fault in smeared.quality] == ["blurred"]


@pytest.mark.parametrize(("level", "kind"), [(4, "too_dark"), (255, "too_bright")])
def test_wrong_light_is_named(level: int, kind: str) -> None:
    gate = QualityLimits(sharpness=None, cut_sides=None)
    pixels = np.full((SIDE, SIDE, 3), level, np.uint8)
    pixels[:, : SIDE // 8] = level + (12 if level < 128 else -12)
    picture = Frame(pixels, "a.jpg")
    assert [f.kind for f in eye(Scripted([PARCEL]), gate).inspect([picture]).quality] == [kind]


def test_a_parcel_that_leaves_the_picture_on_three_sides_is_cut_off() -> None:
    wide = ("parcel", 0.9, (0.0, 100.0, 320.0, 320.0), 0.0)
    gate = QualityLimits(None, None, None, None)
    assert [f.kind for f in eye(Scripted([wide]), gate).inspect([frame()]).quality] == ["cut_off"]
    assert eye(Scripted([wide]), ANY_PICTURE).inspect([frame()]).quality == ()


def test_sharpness_of_a_flat_picture_is_nought() -> None:
    assert sharpness(np.full((50, 50), 100, np.uint8)) == 0.0


@pytest.mark.parametrize(
    ("box", "told"),
    [
        ((0, 40, 10, 10), "on the left side"),
        ((85, 0, 10, 10), "at the upper right corner"),
        ((45, 85, 10, 10), "on the lower side"),
        ((45, 45, 10, 10), "in the middle"),
        ((5, 5, 90, 90), "all over"),
    ],
)
def test_places_in_plain_words(box: tuple[float, float, float, float], told: str) -> None:
    assert where(box, (0, 0, 100, 100)) == told


@pytest.mark.parametrize(
    ("other", "kinds"),
    [
        ((0.0, 0.0, 140.0, 300.0), ["several_parcels"]),
        ((0.0, 0.0, 40.0, 40.0), []),
        ((170.0, 40.0, 310.0, 280.0), []),
    ],
    ids=["as large", "a small thing", "the same parcel twice"],
)
def test_a_second_parcel_is_taken_away_first(other: tuple[float, float, float, float], kinds: list[str]) -> None:
    main = ("parcel", 0.9, (160.0, 20.0, 320.0, 300.0), 0.0)
    judged = eye(Scripted([main, ("parcel", 0.8, other, 0.0)]), QualityLimits(None, None, None, None, None, 0.25))
    assert [f.kind for f in judged.inspect([frame()]).quality] == kinds


def _clutter(smear: int) -> Frame:
    rng = np.random.default_rng(3)
    bgr = np.full((SIDE, SIDE, 3), 120, np.uint8)
    for _ in range(60):
        x, y, w, h = rng.integers(0, 300, 2).tolist() + rng.integers(10, 80, 2).tolist()
        bgr[y : y + h, x : x + w] = rng.integers(20, 235, 3)
    return Frame(np.asarray(cv2.blur(bgr, (smear, 1)), np.uint8), "clutter.jpg")


def test_a_smeared_picture_in_which_no_parcel_is_found_is_called_blurred() -> None:
    gate = QualityLimits(cut_sides=None)
    doubtful = ("parcel", 0.3, PARCEL[2], 0.0)
    for found in ([doubtful], []):
        assert [f.kind for f in eye(Scripted(found), gate).inspect([_clutter(31)]).quality] == ["blurred"]
        assert [f.kind for f in eye(Scripted(found), gate).inspect([_clutter(1)]).quality] == ["no_parcel"]


def test_nothing_on_the_bench_is_not_called_blurred() -> None:
    bare = Frame(np.full((SIDE, SIDE, 3), 128, np.uint8), "a.jpg")
    assert [f.kind for f in eye(Scripted([]), QualityLimits()).inspect([bare]).quality] == ["no_parcel"]


@pytest.mark.parametrize("noise", [0, 12])
@pytest.mark.parametrize("level", [0, 60, 128, 255])
def test_where_nothing_can_be_seen_there_is_no_parcel_whatever_the_network_says(level: int, noise: int) -> None:
    grain = np.random.default_rng(level).normal(level, noise, (SIDE, SIDE, 3))
    nothing = Frame(np.clip(grain, 0, 255).astype(np.uint8), "a.jpg")
    verdict = eye(Scripted([PARCEL]), QualityLimits()).inspect([nothing])
    assert verdict.parcels == ()
    assert verdict.decision is not Decision.RELEASE


@pytest.mark.parametrize(("level", "kind"), [(0, "too_dark"), (255, "too_bright"), (128, "blurred")])
def test_an_open_box_is_not_judged_on_a_picture_that_shows_nothing(level: int, kind: str) -> None:
    blank = Frame(np.full((SIDE, SIDE, 3), level, np.uint8), "open.jpg", Stage.OPEN)
    verdict = eye(Scripted([PARCEL]), QualityLimits(cut_sides=None)).inspect([_clutter(1), blank])
    assert (verdict.decision, [(f.kind, f.frame) for f in verdict.quality]) == (Decision.RETAKE, [(kind, 1)])


def test_an_open_box_in_a_smeared_picture_is_taken_again_and_in_a_sharp_one_not() -> None:
    judge = eye(Scripted([]), QualityLimits())
    kinds = [[f.kind for f in judge.inspect([replace(_clutter(b), stage=Stage.OPEN)]).quality] for b in (1, 31)]
    assert kinds == [[], ["blurred"]]
