"""The contents on the kiosk's page in a real Chromium: seen, reachable by keys, and taught by two packers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from inspector.gallery import Gallery
from inspector.spec import Check
from inspector.verdict import ItemSeen, Result
from tests.browser import chromium, flags
from tests.inspector.likeness import BLUE, NOW, ColourEmbedder, reference
from tests.station.benchside import WrittenEye
from tests.station.test_kiosk_app import Kiosk
from tests.station.test_kiosk_contents import RED_BOX, open_box

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    made = Gallery.open(tmp_path / "gallery.sqlite", ColourEmbedder())
    made.teach("usb-cable", [reference("usb-cable", BLUE)], name="USB cable, 1 m", at=NOW)
    return made


@pytest.fixture
def kiosk(tmp_path: Path, gallery: Gallery) -> Iterator[Kiosk]:
    items = (
        ItemSeen("usb-cable", 1, 0, "missing", 0.1),
        ItemSeen("ball/蓝", 2, 1, "unsure", 0.5, (RED_BOX,)),
    )
    eye = WrittenEye({Check.CONTENTS: Result.FAIL}, items=items)
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
