"""From answers of the eye to figures: what counts, what counts neither way, and what the sheet of mistakes shows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector import Result
from inspector.annotate import encode_jpeg
from inspector.verdict import Box, MarkSeen, ModelRef
from models.evaluation.boxes import box_figures, invented, mark_figures
from models.evaluation.damage import integrity_figures
from models.evaluation.labelled import Labelled, LabelledFolder, TrueBox
from models.evaluation.parcels import is_wrong, parcel_document, worst_damaged, worst_intact
from models.evaluation.report import as_text
from models.evaluation.seen import Seen, Unreadable, see
from models.evaluation.sheet import contact_sheet
from tests.inspector.scripted import CLASSES, PARCEL, Scripted, card, eye, frame

ROUNDS = 50
MAIN: Box = (60, 60, 200, 200)
numbers = itertools.count()


def seen(
    damaged: bool | None,
    score: float | None,
    *,
    marks: tuple[MarkSeen, ...] = (),
    parcels: tuple[tuple[Box, float], ...] = (),
    boxes: tuple[TrueBox, ...] = (),
    types: tuple[str, ...] = (),
    source: str = "bench",
    group: str | None = None,
    checked: bool = True,
) -> Seen:
    """An answer at thresholds of 0.4 (unsure) and 0.7 (fail)."""
    name = f"{next(numbers)}.jpg"
    photo = Labelled(
        path=Path(name),
        name=name,
        source=source,
        group=group or name,
        damaged=damaged,
        damage_types=types,
        boxes=boxes,
        parcels_drawn=any(box.name == "parcel" for box in boxes),
        labels_drawn=False,
        marks_checked=checked,
    )
    if score is None:
        result = Result.SKIPPED
    else:
        result = Result.FAIL if score >= 0.7 else Result.UNSURE if score >= 0.4 else Result.PASS
    retake = ("no_parcel",) if score is None else ()
    main = None if score is None else MAIN
    return Seen(photo, score, result, retake, main, parcels, (), marks, 1.0, 10.0)


def test_a_damaged_parcel_that_was_not_found_ranks_last_and_is_counted() -> None:
    figures = integrity_figures([seen(True, None), seen(True, 0.9), seen(False, 0.1), seen(False, 0.2)], ROUNDS)
    assert figures["without_score"] == {"damaged": 1, "intact": 0}
    assert figures["auroc"]["value"] == 0.5
    assert figures["recall_at_false_stops"]["0.05"]["value"] == 0.5
    damaged = figures["at_the_card's_thresholds"]["damaged"]
    assert (damaged["stopped"]["value"], damaged["no_parcel"]["value"], damaged["retake"]["value"]) == (0.5, 0.5, 0.5)
    assert damaged["misses_at_most"]["missed"] == 0  # nobody passed it: another picture is asked for
    assert figures["calibration"]["photos"] == 3


def test_a_few_pictures_tell_nothing_of_calibration() -> None:
    few = [seen(bool(i % 2), 0.1 * i) for i in range(9)]
    assert integrity_figures(few, ROUNDS)["calibration"] == {"photos": 9}
    many = integrity_figures([seen(bool(i % 2), 0.3 + 0.4 * (i % 2)) for i in range(40)], ROUNDS)["calibration"]
    assert many["at_even_odds"]["ece"]["value"] == 0.3
    assert many["as_found"]["brier"]["value"] == 0.09
    assert [(b["said"], b["was"]) for b in many["at_even_odds"]["reliability"]] == [(0.3, 0), (0.7, 1)]


def test_doubtful_pictures_count_neither_way() -> None:
    plain = [seen(True, 0.9), seen(False, 0.1), seen(False, 0.5)]
    doubtful = integrity_figures([*plain, seen(None, 0.99), seen(None, 0.01)], ROUNDS)
    assert doubtful == integrity_figures(plain, ROUNDS)


def test_each_kind_of_damage_is_held_against_all_intact() -> None:
    answers = [
        seen(True, 0.9, types=("tear",)),
        seen(True, 0.05, types=("wet", "tear")),
        seen(False, 0.1),
        seen(False, 0.2, source="dock"),
    ]
    figures = integrity_figures(answers, ROUNDS)
    assert {kind: told["auroc"]["value"] for kind, told in figures["by_damage_type"].items()} == {"tear": 0.5, "wet": 0}
    assert figures["by_damage_type"]["wet"]["intact"] == 2
    assert figures["by_source"]["dock"]["auroc"]["value"] is None
    assert figures["by_source"]["dock"]["intact_stopped"]["value"] == 0
    assert figures["by_source"]["bench"]["damaged"] == 2


def test_what_the_thresholds_do() -> None:
    answers = [seen(True, 0.9), seen(True, 0.5), seen(True, 0.1), seen(False, 0.8), seen(False, 0.1)]
    told = integrity_figures(answers, ROUNDS)["at_the_card's_thresholds"]
    assert {word: told["damaged"][word]["value"] for word in ("stopped", "failed", "unsure", "passed")} == {
        "stopped": 0.667,
        "failed": 0.333,
        "unsure": 0.333,
        "passed": 0.333,
    }
    assert told["intact"]["stopped"]["value"] == 0.5
    assert told["unsure"]["value"] == 0.2
    assert told["damaged"]["misses_at_most"] == {"rate": 0.865, "confidence": 0.95, "groups": 3, "missed": 1}


def mark(name: str, box: Box, score: float = 0.8, rotation: float = 0.0) -> MarkSeen:
    return MarkSeen(name, score, box, rotation)


FRAGILE = TrueBox("fragile", (100, 100, 20, 20), rotation=90)


def test_marks_are_right_wrong_or_neither() -> None:
    group = TrueBox("handling_mark_group", (150, 150, 50, 50), doubtful=True)
    answers = [
        seen(False, 0.1, boxes=(FRAGILE,), marks=(mark("fragile", (100, 100, 20, 18), rotation=100),)),
        seen(False, 0.1, boxes=(FRAGILE,), marks=(mark("fragile", (100, 100, 20, 8)),)),  # IoU 0.4
        seen(False, 0.1, boxes=(group,), marks=(mark("fragile", (155, 155, 20, 20)),)),  # nobody can say
        seen(False, 0.1, boxes=(FRAGILE,), marks=(mark("keep_dry", (100, 100, 20, 20)),)),  # another mark
        seen(False, 0.1, boxes=(), marks=(mark("fragile", (90, 90, 20, 20)),)),
        seen(False, 0.1, boxes=()),
        seen(False, 0.1, boxes=(), marks=(mark("fragile", (90, 90, 20, 20)),), checked=False),  # nobody looked
    ]
    told = mark_figures(answers, frozenset({"fragile", "keep_dry"}), ROUNDS)
    assert (told["photos_checked"], told["boxes"], told["elsewhere"]) == (6, 3, 0)
    at = {iou: told[f"at_iou_{iou}"]["fragile"] for iou in ("0.3", "0.5")}
    assert [(row["there"], row["said"], row["right"]) for row in at.values()] == [(3, 3, 2), (3, 3, 1)]
    assert told["at_iou_0.3"]["keep_dry"]["recall"]["value"] is None
    assert told["at_iou_0.3"]["keep_dry"]["precision"]["value"] == 0
    assert (told["at_iou_0.3"]["all"]["right"], told["at_iou_0.3"]["all"]["said"]) == (2, 4)
    assert told["orientation"] == {"fragile": {"marks": 2, "median_error_deg": 50.0, "share_within_45_deg": 0.5}}
    false = told["false_marks"]
    assert (false["photos_without_marks"], false["photos_with_an_invented_mark"]) == (2, 1)
    assert false["by_mark"] == {"fragile": 1}
    assert [len(invented(answer)) for answer in answers] == [0, 0, 0, 1, 1, 0, 0]


def test_a_mark_on_another_drawn_parcel_is_nobodys_miss() -> None:
    mine, other = TrueBox("parcel", (50, 60, 200, 200)), TrueBox("parcel", (300, 60, 100, 100))
    there = TrueBox("fragile", (320, 80, 20, 20))
    told = mark_figures([seen(False, 0.1, boxes=(mine, other, FRAGILE, there))], frozenset({"fragile"}), ROUNDS)
    assert told["elsewhere"] == 1
    assert told["at_iou_0.5"]["fragile"]["there"] == 1
    lost = mark_figures([seen(False, None, boxes=(mine, other, FRAGILE, there))], frozenset({"fragile"}), ROUNDS)
    assert lost["at_iou_0.5"]["fragile"]["there"] == 2  # no parcel was found at all: both are missed


def test_a_mark_the_model_leaves_to_people_is_told_apart() -> None:
    told = mark_figures([seen(False, 0.1, boxes=(FRAGILE,))], frozenset({"keep_dry"}), ROUNDS)
    assert told["not_judged"] == {"fragile": 1}
    assert told["at_iou_0.5"] == {}


def test_boxes_of_parcels_count_where_people_drew_them() -> None:
    drawn = TrueBox("parcel", (0, 0, 100, 100))
    answers = [
        seen(False, 0.1, boxes=(drawn,), parcels=(((0, 0, 100, 90), 0.9), ((200, 0, 50, 50), 0.3))),
        seen(False, 0.1, boxes=(drawn,), parcels=(((0, 0, 100, 20), 0.6),)),
        seen(False, 0.1, parcels=(((0, 0, 100, 90), 0.99),)),
    ]
    told = box_figures(answers, "parcel", 0.5, ROUNDS)
    assert told is not None
    assert (told["photos"], told["boxes"], told["found"], told["invented"]) == (2, 2, 1, 1)
    assert told["ap50"]["value"] == 0.5
    assert box_figures(answers, "shipping_label", 0.5, ROUNDS) is None


def test_mistakes_come_worst_first_and_not_finding_a_damaged_parcel_before_all() -> None:
    answers = [
        seen(False, 0.2),
        seen(False, 0.8),
        seen(False, None),
        seen(True, 0.3),
        seen(True, None),
        seen(True, 0.9),
    ]
    assert [s.score for s in worst_intact(answers)] == [0.8, 0.2]
    assert [s.score for s in worst_damaged(answers)] == [None, 0.3, 0.9]
    assert [is_wrong(s) for s in answers] == [False, True, False, True, False, False]


@pytest.fixture
def answers() -> list[Seen]:
    return [
        *(seen(True, 0.3 + 0.1 * i, types=("tear",)) for i in range(6)),
        *(seen(False, 0.1 * i, source="dock") for i in range(8)),
        seen(False, 0.2, boxes=(), marks=(mark("fragile", (90, 90, 20, 20)),)),
        seen(None, 0.5),
    ]


def told_of(folder: LabelledFolder, answers: list[Seen], unreadable: Sequence[Unreadable] = ()) -> dict[str, Any]:
    models = [ModelRef("parcel", "0.0.0", "0" * 64)]
    marks = frozenset({"fragile"})
    return parcel_document(card(), folder, answers, unreadable, models=models, marks_judged=marks, rounds=ROUNDS)


def test_the_document_is_json_and_the_same_every_time(answers: list[Seen]) -> None:
    folder = LabelledFolder(Path("bench"), tuple(s.photo for s in answers), {"no parcel": 2})
    broken = Unreadable(answers[0].photo, "the file is empty")
    told = told_of(folder, answers, [broken])
    text = json.dumps(told, allow_nan=False)
    assert text == json.dumps(told_of(folder, answers, [broken]))
    assert told["pictures"]["unreadable"] == [{"file": answers[0].photo.name, "reason": "the file is empty"}]
    assert told["worst"]["invented_marks"][0]["mark"] == "fragile"
    page = as_text(told)
    for words in ("6 damaged, 9 intact, 1 doubtful, 2 left out (no parcel)", "AUROC", "tear", "from dock", "fragile"):
        assert words in page


def test_a_folder_with_nothing_but_intact_pictures_is_measured_as_far_as_it_goes() -> None:
    answers = [seen(False, 0.1, checked=False), seen(False, 0.5, checked=False)]
    folder = LabelledFolder(Path("bench"), tuple(s.photo for s in answers))
    told = told_of(folder, answers)
    json.dumps(told, allow_nan=False)
    assert told["integrity"]["auroc"]["value"] is None
    assert told["parcels"] is None
    page = as_text(told)
    assert "of 2 intact: stopped 0.500" in page
    assert "nobody looked for them" in page


def test_the_sheet_shows_a_tile_a_mistake(answers: list[Seen]) -> None:
    grey = encode_jpeg(np.full((320, 480, 3), 90, np.uint8))
    sheet = contact_sheet(answers, "parcel/0.0.0 on a bench", lambda s: grey)
    assert sheet.dtype == np.uint8
    tiles = (np.abs(sheet.astype(int) - 90).max(axis=2) <= 2).any(axis=1)
    rows = int((np.diff(tiles.astype(int)) == 1).sum())
    assert rows >= 4  # two of intact ones, two of damaged ones, one of marks; caption bars part them
    small = contact_sheet(answers[:1], "one", lambda s: b"no picture any more")
    assert small.shape[0] < sheet.shape[0]


def test_the_eye_answers_picture_by_picture_and_names_what_it_cannot_read(tmp_path: Path) -> None:
    good, broken, gone = (tmp_path / name for name in ("good.jpg", "broken.jpg", "gone.jpg"))
    good.write_bytes(encode_jpeg(frame().bgr))
    broken.write_bytes(good.read_bytes()[:200])
    photos = [
        Labelled(path=path, name=path.name, source="s", group=path.name, damaged=False) for path in (good, broken, gone)
    ]
    small = ("parcel", 0.3, (270.0, 270.0, 300.0, 300.0), 0.0)
    ticks = itertools.count()
    fragile = mark("fragile", (100, 100, 30, 30), 0.9)
    inspector = eye(Scripted([PARCEL, small], damage=2.0), marks=[fragile])
    first, second, third = see(inspector, CLASSES, photos, lambda: 0.001 * next(ticks))
    assert isinstance(first, Seen)
    assert first.score == pytest.approx(0.8808, abs=1e-4)
    assert first.result is Result.FAIL
    assert [round(score, 2) for _, score in first.parcels] == [0.9, 0.3]  # also those below the card's threshold
    assert first.marks == (fragile,)
    assert (round(first.decode_ms, 6), round(first.judge_ms, 6)) == (1.0, 1.0)
    assert isinstance(second, Unreadable)
    assert "damaged picture file" in second.reason
    assert isinstance(third, Unreadable)
    assert third.reason == "No such file or directory"
