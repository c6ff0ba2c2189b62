"""The contents on the kiosk's page in a real Chromium: seen, reachable by keys, and taught by two packers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from inspector.gallery import Gallery
from inspector.spec import Check
from inspector.verdict import Finding, ItemSeen, Result
from tests.browser import chromium, flags
from tests.inspector.likeness import BLUE, NOW, ColourEmbedder, reference
from tests.station.benchside import WrittenEye
from tests.station.test_kiosk_app import Kiosk, until
from tests.station.test_kiosk_contents import GREEN_BOX, RED_BOX, open_box

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    made = Gallery.open(tmp_path / "gallery.sqlite", ColourEmbedder())
    made.teach("usb-cable", [reference("usb-cable", BLUE)], name="USB cable, 1 m", at=NOW)
    return made


@pytest.fixture
def eye() -> WrittenEye:
    items = (
        ItemSeen("usb-cable", 1, 0, "missing", 0.1),
        ItemSeen("ball/蓝", 2, 1, "unsure", 0.5, (RED_BOX,)),
    )
    return WrittenEye({Check.CONTENTS: Result.FAIL}, items=items)


@pytest.fixture
def kiosk(tmp_path: Path, gallery: Gallery, eye: WrittenEye) -> Iterator[Kiosk]:
    with Kiosk(tmp_path, eye, gallery=gallery, shown=open_box()) as made:
        made.post("operator", {"name": "li"})
        made.post("scan", {"text": "C1"})
        made.post("take")
        yield made


@pytest.fixture
def page(kiosk: Kiosk) -> Iterator[Page]:
    path = chromium()
    assert path, "no Chromium; `python -m tests.browser` brings one"
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags())
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"http://{kiosk.host}/")
        expect(page.locator("#items li")).to_have_count(2)
        yield page
        browser.close()
    assert complaints == []


def test_each_item_is_told_with_the_picture_of_what_is_missing(page: Page) -> None:
    cable, ball = page.locator('[data-item="usb-cable"]'), page.locator('[data-item="ball/蓝"]')
    expect(cable).to_have_text(re.compile("USB cable, 1 m.*missing"))
    expect(cable.locator("img")).to_have_attribute("alt", "What USB cable, 1 m looks like")
    assert cable.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 50
    expect(ball).to_have_text(re.compile("ball/蓝.*not sure 1 of 2"))
    expect(page.locator("#do")).to_contain_text("1 × USB cable, 1 m")
    for chip in (cable, ball):
        box = chip.bounding_box()
        assert box is not None
        assert box["height"] >= 64
        assert box["x"] + box["width"] <= 1280
    page.click("#language-button")
    expect(ball).to_have_text(re.compile("不确定"))


def test_two_packers_teach_it_by_keys_alone(page: Page, kiosk: Kiosk, gallery: Gallery) -> None:
    page.locator('[data-item="usb-cable"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#item-dialog")).to_be_visible()
    expect(page.locator("#item-wrong")).to_be_hidden()
    thing = page.get_by_role("button", name="Thing 1 in the picture")
    thing.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#override-title")).to_have_text("A second person confirms: this is USB cable, 1 m")
    expect(page.locator("#reasons")).to_be_hidden()
    page.locator("#pin").fill("0000")
    page.keyboard.press("Enter")
    expect(page.locator("#override-error")).to_have_text("Wrong PIN.")
    page.locator("#pin").fill("4711")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_have_text("Learnt. Look again.")
    assert [r.counter for r in gallery.items(["usb-cable"])["usb-cable"].references] == [False, False]


def test_what_was_taken_for_the_item_and_is_not(page: Page, gallery: Gallery) -> None:
    page.click('[data-item="ball/蓝"]')
    expect(page.locator("#item-unknown")).to_have_text("Nobody has shown this item to the machine yet.")
    page.click("#item-wrong")
    expect(page.locator("#override-title")).to_have_text("A second person confirms: this is not ball/蓝")
    page.locator("#pin").fill("4711")
    page.click("#override-submit")
    expect(page.locator("#notice")).to_have_text("Learnt. Look again.")
    (record,) = gallery.records(["ball/蓝"]).values()
    assert [r.counter for r in record.references] == [True]


def test_what_lies_there_instead_and_what_nobody_ordered_is_shown(page: Page, kiosk: Kiosk, eye: WrittenEye) -> None:
    eye.items = (ItemSeen("usb-cable", 1, 0, "wrong", 0.1, (GREEN_BOX,)), ItemSeen("ball/蓝", 2, 2, "present", 0.9))
    kiosk.post("take")
    cable = page.locator('[data-item="usb-cable"]')
    expect(cable).to_have_text(re.compile("USB cable, 1 m.*another in its place"))
    expect(cable.locator("img")).to_be_visible()
    expect(page.locator("#do")).to_have_text("Wrong item in the box: take it out, put in 1 × USB cable, 1 m.")
    green = "canvas => [...canvas.getContext('2d').getImageData(56, 56, 1, 1).data]"
    # asked from here: the page's own policy forbids to evaluate text in it, as waiting for a function does
    until(lambda: cable.locator("canvas").evaluate(green)[1] > 150)
    assert cable.locator("canvas").evaluate(green)[0] < 120, "the green thing, not the blue cable"
    eye.items = (ItemSeen("usb-cable", 1, 0, "missing", 0.1), ItemSeen("mug", 0, 1, "extra", 0.99, (RED_BOX,)))
    kiosk.post("take")
    expect(page.locator("#do")).to_have_text("Put in what is missing: 1 × USB cable, 1 m. Take out: 1 × mug.")
    eye.items = (ItemSeen("usb-cable", 1, 1, "present", 0.9), ItemSeen("mug", 0, 1, "extra", 0.99, (RED_BOX,)))
    kiosk.post("take")
    mug = page.locator('[data-item="mug"]')
    expect(mug).to_have_text(re.compile("mug.*not ordered"))
    expect(mug.locator("canvas")).to_be_visible()
    expect(page.locator("#do")).to_have_text("Take out: 1 × mug.")
    mug.click()
    expect(page.locator("#item-wrong")).to_have_text("What is marked is not mug")
    expect(page.locator("#things-title")).to_be_hidden()
    page.click("#item-close")
    strange = Finding("extra_item", 0.3, 0.97, RED_BOX, "something nobody ordered")
    eye.results, eye.findings = {Check.CONTENTS: Result.UNSURE}, {Check.CONTENTS: (strange,)}
    eye.items = (ItemSeen("usb-cable", 1, 1, "present", 0.9),)
    kiosk.post("take")
    expect(page.locator("#items .thing")).to_have_text(re.compile("Not ordered.*not sure"))
    expect(page.locator("#do")).to_have_text("Compare the contents with the order.")


def test_the_weight_is_typed_in_where_the_scale_has_no_cable(page: Page, kiosk: Kiosk, eye: WrittenEye) -> None:
    field = page.locator("#s-weight")
    expect(field).to_have_text("Not weighed")
    field.click()
    for key in "512":
        page.locator("#weigh-pad").get_by_role("button", name=key, exact=True).click()
    page.locator("#weigh-input").press("End")
    page.locator("#weigh-input").press_sequentially(",5,", delay=90)
    page.click("#weigh-submit")
    expect(page.locator("#weigh-error")).to_have_text("That is no weight of a box. Give grams.")
    page.get_by_role("button", name="Erase the last digit").click()
    page.click("#weigh-submit")
    expect(field).to_have_text("512.5 g")
    expect(page.locator("#weigh-dialog")).to_be_hidden()
    kiosk.post("take")
    expect(field).to_have_text("Not weighed")
    assert eye.weights[-1] == 512.5
    expect(page.locator("#models")).to_have_text("parcel/9.9.9")
