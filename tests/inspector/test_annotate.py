"""Pictures for people: every name can be read."""

from __future__ import annotations

import numpy as np
import pytest

from inspector.annotate import draw
from inspector.frame import Frame
from inspector.spec import Check, Stage
from inspector.verdict import Box, CheckResult, Decision, ItemSeen, Result, Verdict, skipped

FRAME = Frame(np.full((480, 640, 3), 90, np.uint8), "box.jpg", Stage.SEALED)


def drawn(*items: ItemSeen) -> np.ndarray:
    contents = CheckResult(Check.CONTENTS, Result.UNSURE, items=items)
    checks = {check: contents if check is Check.CONTENTS else skipped(check, "") for check in Check}
    return draw(FRAME, Verdict(Decision.RELEASE, (), checks))[:480]


def letters(picture: np.ndarray) -> int:
    """White pixels: nothing but letters on tags."""
    return int((picture > 200).all(2).sum())


@pytest.mark.parametrize(
    "box",
    [(200, 200, 90, 60), (0, 0, 90, 60), (540, 0, 99, 60), (540, 410, 99, 69), (0, 410, 90, 69), (10, 10, 620, 460)],
)
def test_names_of_things_at_one_place_do_not_hide_each_other(box: Box) -> None:
    sure = ItemSeen("flashlight", 1, 1, "present", 0.9, (box,))
    doubtful = ItemSeen("glue_sticks", 1, 0, "unsure", 0.3, ((box[0] + 3, box[1] + 3, *box[2:]),))
    assert letters(drawn(sure, doubtful)) == letters(drawn(sure)) + letters(drawn(doubtful))


def test_where_there_is_no_room_names_are_drawn_all_the_same() -> None:
    many = [ItemSeen(f"item-{i}", 1, 1, "present", 0.9, ((0, 0, 640, 480),)) for i in range(9)]
    assert letters(drawn(*many)) > letters(drawn(many[0]))
