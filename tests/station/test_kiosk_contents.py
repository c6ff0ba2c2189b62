"""The kiosk's contents: what the packer is shown of each item, and what two packers teach the eye."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector.frame import Pixels, decode
from inspector.gallery import Gallery
from inspector.spec import Check
from inspector.verdict import ItemSeen, Result
from station.contents import APART, choices
from tests.inspector.likeness import BLUE, GREEN, NOW, RED, ColourEmbedder, reference, thing
from tests.station.benchside import WrittenEye
from tests.station.test_kiosk_app import ORDERS, Kiosk

ORDERS["C1"] = {"items": [{"item": "usb-cable", "quantity": 1}, {"item": "ball/蓝", "quantity": 2}]}
RED_BOX, GREEN_BOX = (60.0, 100.0, 120.0, 120.0), (300.0, 100.0, 120.0, 120.0)


def open_box() -> Pixels:
    """A grey box with a red and a green thing in it."""
    picture = np.full((400, 600, 3), 170, np.uint8)
    for (left, top, w, h), colour in ((RED_BOX, RED), (GREEN_BOX, GREEN)):
        bgr, mask = thing(colour)
        picture[int(top) : int(top + h), int(left) : int(left + w)][mask] = bgr[mask]
    return picture


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    made = Gallery.open(tmp_path / "gallery.sqlite", ColourEmbedder())
    made.teach("usb-cable", [reference("usb-cable", BLUE)], name="USB cable, 1 m", at=NOW)
    return made


@pytest.fixture
def kiosk(tmp_path: Path, gallery: Gallery) -> Iterator[Kiosk]:
    eye = WrittenEye(
        {Check.CONTENTS: Result.FAIL},
        items=(
            ItemSeen("usb-cable", 1, 0, "missing", 0.1),
            ItemSeen("ball/蓝", 2, 1, "unsure", 0.5, (RED_BOX,)),
        ),
    )
    with Kiosk(tmp_path, eye, gallery=gallery, shown=open_box()) as made:
        made.post("operator", {"name": "li"})
        made.post("scan", {"text": "C1"})
        made.post("take")
        yield made


def correction(kiosk: Kiosk, **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"item": "usb-cable", "kind": "there", "frame": 0, "box": GREEN_BOX, "approver": "wang"}
    return told | {"turn": kiosk.told()["turn"], "pin": "4711"} | changes


def test_the_page_is_told_names_and_pictures_of_what_the_order_lists(kiosk: Kiosk) -> None:
    told = kiosk.web.get("/contents").json()
    assert told == [
        {"item": "usb-cable", "name": "USB cable, 1 m", "reference": reference("usb-cable", BLUE).id},
        {"item": "ball/蓝", "name": None, "reference": None},
    ]
    picture = kiosk.web.get("/reference", params={"item": "usb-cable", "id": told[0]["reference"]})
    assert decode(picture.content, name="reference").bgr[60, 60, 0] > 150
    assert kiosk.web.get("/reference", params={"item": "usb-cable", "id": "0" * 32}).status_code == 404


def test_things_in_the_picture_are_offered_to_choose_from(kiosk: Kiosk) -> None:
    turn = kiosk.told()["turn"]
    boxes = kiosk.web.get(f"/things/{turn}/0").json()

    def near(wanted: tuple[float, ...]) -> bool:
        return any(np.allclose(box, wanted, atol=45) for box in boxes)

    assert near((64, 120, 112, 80)), boxes
    assert near((304, 120, 112, 80)), boxes
    assert kiosk.web.get(f"/things/{turn + 1}/0").status_code == 409
    assert kiosk.web.get(f"/things/{turn}/9").status_code == 409


def test_what_two_packers_say_is_learnt_and_told_to_the_server(kiosk: Kiosk, gallery: Gallery) -> None:
    assert kiosk.post("correct", correction(kiosk)).status_code == 204
    cable = gallery.items(["usb-cable"])["usb-cable"]
    assert [r.counter for r in cable.references] == [False, False]
    green = cable.references[1]
    assert green.bgr[green.mask].mean(axis=0)[1] > 150
    assert not green.mask.all(), "cut out of the box, not a rectangle of it"
    (record,) = gallery.records(["usb-cable"]).values()
    assert record.references[1].added_by == "li, confirmed by wang"
    assert green.id in gallery.untold()["usb-cable"]


def test_a_counter_example_and_an_item_nobody_had_taught(kiosk: Kiosk, gallery: Gallery) -> None:
    assert kiosk.post("correct", correction(kiosk, kind="wrong", box=RED_BOX)).status_code == 204
    assert kiosk.post("correct", correction(kiosk, item="ball/蓝", box=RED_BOX)).status_code == 204
    found = gallery.items(["usb-cable", "ball/蓝"])
    assert [r.counter for r in found["usb-cable"].references] == [False, True]
    assert len(found["ball/蓝"].references) == 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"pin": "0000"}, 403, "wrong_pin"),
        ({"approver": "li"}, 403, "same_person"),
        ({"turn": 0}, 409, "not_now"),
        ({"frame": 5}, 409, "not_now"),
        ({"item": "something else"}, 409, "not_now"),
        ({"box": [0, 0, 4, 4]}, 422, "view_too_small"),
        ({"box": [5000, 0, 90, 90]}, 422, "view_too_small"),
    ],
)
def test_nothing_is_learnt_otherwise(
    kiosk: Kiosk, gallery: Gallery, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = kiosk.post("correct", correction(kiosk, **changes))
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert len(gallery.items(["usb-cable"])["usb-cable"].references) == 1


def test_choices_show_different_things() -> None:
    boxes = choices(open_box())
    assert 2 <= len(boxes) <= 12
    for at, one in enumerate(boxes):
        for other in boxes[:at]:
            wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
            high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
            assert max(0, wide) * max(0, high) <= APART * min(one[2] * one[3], other[2] * other[3]) + 1
