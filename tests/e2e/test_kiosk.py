"""The kiosk in a real Chromium, on a real station, judged by the real eye."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from station.approval import hash_pin
from tests.browser import chromium, flags
from tests.e2e.recording_api import RecordingApi
from tests.e2e.station_process import StationProcess, camera_folder

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong
SETTINGS = f"""
name = "bench-7"
operators = ["Li Wei", "Anna"]

[camera]
kind = "folder"
path = "pictures"

[[approvers]]
name = "Wang Fang"
pin = "{hash_pin("4711")}"

[[approvers]]
name = "anna"
pin = "{hash_pin("2222")}"
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    assert path, "no Chromium; `python -m tests.browser` brings one"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=flags())
        yield started
        started.close()


@pytest.fixture
def api() -> Iterator[RecordingApi]:
    orders: dict[str, dict[str, Any]] = {
        "A-1": {},
        "A-2": {},
        "B-1": {"items": [{"item": "usb-cable", "quantity": 2}], "packaging": "carton"},
    }
    made = RecordingApi(orders)
    made.start()
    yield made
    made.stop()


class Kiosk:
    """The page as the packer has it: a scanner, keys, and what is to be read."""

    def __init__(self, page: Page, station: StationProcess, api: RecordingApi) -> None:
        self.page, self.station, self.api = page, station, api
        self.keys = page.context.new_cdp_session(page)
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def scan(self, text: str) -> None:
        """As a scanner does it: a key every 5 ms and Enter, by the browser's own clock however busy the machine is."""
        start = time.time()
        for n, key in enumerate([*text, "Enter"]):
            typed = {"key": key, "text": "\r" if key == "Enter" else key, "timestamp": start + n * 0.005}
            code = {"windowsVirtualKeyCode": 13} if key == "Enter" else {}
            self.keys.send("Input.dispatchKeyEvent", {"type": "keyDown", **typed, **code})
            self.keys.send(
                "Input.dispatchKeyEvent", {"type": "keyUp", "key": key, "timestamp": start + n * 0.005, **code}
            )

    def shows(self, word: str, colour: str, timeout: float = 30_000) -> None:
        expect(self.page.locator("#word span")).to_have_text(word, timeout=timeout)
        expect(self.page.locator("#verdict")).to_have_class(re.compile(rf"^{colour}\b"))

    @property
    def do(self) -> str:
        return self.page.locator("#do").inner_text()


@contextmanager
def opened(
    browser: Browser, api: RecordingApi, folder: Path, *decisions: str, size: tuple[int, int] = (1280, 800)
) -> Iterator[Kiosk]:
    camera_folder(folder / "pictures", *decisions)
    station = StationProcess(folder, api.address, SETTINGS)
    station.start()
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, locale="en-GB")
    try:
        page.goto(station.url)
        kiosk = Kiosk(page, station, api)
        kiosk.shows("Scan order", "action")
        expect(page.locator("#s-camera")).to_have_text("Camera live")
        yield kiosk
        assert kiosk.complaints == []
    finally:
        page.close()
        station.end()


@pytest.fixture
def kiosk(request: pytest.FixtureRequest, browser: Browser, api: RecordingApi, tmp_path: Path) -> Iterator[Kiosk]:
    """The fixture's parameter names what the camera's pictures show, one after the other."""
    with opened(browser, api, tmp_path, *request.param) as made:
        yield made


camera = pytest.mark.parametrize


@camera("kiosk", [("release", "hold")], indirect=True)
def test_a_shift_with_scanner_and_keys_alone(kiosk: Kiosk) -> None:
    page = kiosk.page
    kiosk.scan("A-1")
    kiosk.shows("Release", "release")
    assert kiosk.do == "All good. Put it on the belt."
    expect(page.locator("#order-shown b")).to_have_text("A-1")
    expect(page.locator("#checks li")).to_have_count(4)
    expect(page.locator("#overlay .parcel")).to_have_count(1)
    expect(page.get_by_role("img", name="Sealed parcel")).to_be_visible()

    kiosk.scan("A-2")
    kiosk.shows("Hold", "hold")
    assert kiosk.do != ""
    expect(page.locator('#checks [data-check="integrity"]')).to_have_class(re.compile("fail|unsure"))
    expect(page.locator("#overlay .fail, #overlay .unsure").first).to_be_attached()

    operator = page.locator("#operator-button")
    operator.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Li Wei").focus()
    page.keyboard.press("Enter")
    expect(operator).to_contain_text("Li Wei")
    page.get_by_role("button", name="Second person releases").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="A second person releases this parcel")
    expect(dialog).to_be_visible()
    page.keyboard.press("Space")
    expect(dialog.get_by_role("radio", name="Looked at it")).to_be_checked()
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("radio", name="The mark is on another side")).to_be_checked()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(dialog.get_by_role("radio", name="Wang Fang")).to_be_checked()
    expect(page.locator("#pin")).to_be_focused()
    page.keyboard.type("9999", delay=80)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("Wrong PIN.")
    kiosk.scan("A-1")
    expect(page.locator("#pin")).to_have_value("")
    page.keyboard.type("4711", delay=80)
    page.keyboard.press("Enter")
    kiosk.shows("Release", "release")
    assert kiosk.do == "Released by Wang Fang. Put it on the belt."
    expect(page.locator("#s-queue")).to_have_text("All sent")
    inspections = kiosk.api.inspections()
    assert len(inspections) == 2
    override = [(path, json.loads(body)) for path, body in kiosk.api.puts if path.endswith("/override")]
    assert len(override) == 1
    assert override[0][0].split("/")[3] in inspections
    told = override[0][1]
    assert (told["operator"], told["approved_by"]) == ("Li Wei", "Wang Fang")
    assert told["reason"] == "Looked at it: the parcel is sound"


@camera("kiosk", [("hold", "retake", "release")], indirect=True)
def test_typing_touching_and_the_second_language(kiosk: Kiosk) -> None:
    page = kiosk.page
    page.keyboard.type("B-1", delay=90)
    expect(page.get_by_role("textbox", name="Order number")).to_have_value("B-1")
    page.keyboard.press("Enter")
    kiosk.shows("Hold", "hold")
    page.get_by_role("button", name="Open box").click()
    expect(page.get_by_role("img", name="Open box")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    kiosk.shows("重拍" if "retake" in (page.locator("#verdict").get_attribute("class") or "") else "拦下", "")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.evaluate("document.body.innerText.match(/Hold|Packaging|Cancel|Camera live/)") is None
    page.reload()
    expect(page.get_by_role("button", name="English")).to_be_visible()


@camera("kiosk", [("retake", "release")], indirect=True)
def test_a_picture_without_a_parcel_is_taken_again_with_the_space_bar(kiosk: Kiosk) -> None:
    kiosk.scan("A-1")
    expect(kiosk.page.locator("#notice")).to_contain_text("No parcel seen", timeout=30_000)
    judged, word = kiosk.page.locator("#judged-picture"), kiosk.page.locator("#word span")
    # The picture without a parcel may still be the camera's newest; taking it again moves the folder past the other
    # one, and round to itself once more.
    for _ in range(4):
        before = judged.get_attribute("src") or ""
        kiosk.page.keyboard.press("Space")
        expect(judged).not_to_have_attribute("src", before, timeout=30_000)  # until then the old word stands there
        expect(word).to_have_text(re.compile("Release|Take again"), timeout=30_000)
        if word.inner_text() == "Release":
            break
        assert "No parcel seen" in kiosk.do
    kiosk.shows("Release", "release")


@camera("kiosk", [("release", "hold")], indirect=True)
def test_without_the_api_packing_goes_on_and_nothing_is_lost(kiosk: Kiosk) -> None:
    page = kiosk.page
    kiosk.scan("A-1")
    kiosk.shows("Release", "release")
    expect(page.locator("#s-queue")).to_have_text("All sent")
    kiosk.api.stop()
    kiosk.scan("A-1")
    kiosk.shows("Hold", "hold")
    expect(page.locator("#s-api")).to_contain_text("API offline since", timeout=30_000)
    expect(page.locator("#s-queue")).to_contain_text("1 to send")
    kiosk.scan("A-2")
    kiosk.shows("Stop", "blocked")
    assert "cannot be looked up" in kiosk.do
    kiosk.api.start()
    page.locator("#s-queue").click()
    page.get_by_role("button", name="Send again now").click()
    expect(page.locator("#s-queue")).to_have_text("All sent", timeout=30_000)
    expect(page.locator("#s-api")).to_have_text("API connected")
    assert len(kiosk.api.inspections()) == 2
    page.get_by_role("button", name="Try again").click()
    kiosk.shows("Release", "release")


@camera("kiosk", [("hold", "release")], indirect=True)
def test_a_hold_calls_until_somebody_is_there_and_never_flashes_fast(kiosk: Kiosk) -> None:
    page = kiosk.page
    kiosk.scan("A-1")
    kiosk.shows("Hold", "hold")
    verdict = page.locator("#verdict")
    expect(verdict).to_have_class("hold unseen-yet")
    flashes = page.evaluate("""() => document.getAnimations().filter(a => a.effect.pseudoElement === '::after')
        .map(a => a.effect.getComputedTiming().duration)""")
    assert flashes
    assert min(flashes) >= 1000 / 1.5
    page.mouse.click(400, 400)
    expect(verdict).to_have_class("hold")


CONTRAST = """() => {
  const rgb = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(v => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const ground = (node, ink) => {
    for (let at = node; at; at = at.parentElement) {
      const [r, g, b, alpha] = rgb(getComputedStyle(at).backgroundColor);
      if (alpha === 0) continue;
      const worst = light(ink) > .5 ? 255 : 0;  // what might shine through
      return [r, g, b].map(v => v * alpha + worst * (1 - alpha));
    }
    return [0, 0, 0];
  };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !node.checkVisibility() || node.closest('svg, .unseen')) continue;
    const style = getComputedStyle(node);
    const ink = rgb(style.color);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const found = ratio(ink, ground(node, ink));
    if (found < needed) poor.push(`${walk.currentNode.textContent.trim()}: ${found.toFixed(2)}`);
  }
  return poor;
}"""
SMALL = """() => [...document.querySelectorAll('button, input')].filter(node => node.checkVisibility())
  .map(node => [node.innerText || node.id, node.getBoundingClientRect()])
  .filter(([, box]) => box.width < 64 || box.height < 64)
  .map(([name, box]) => `${name} ${box.width} x ${box.height}`)"""
NAMELESS = """() => [...document.querySelectorAll('button, input, [role=img], img, dialog[open]')]
  .filter(node => node.checkVisibility()).filter(node => {
    const label = node.getAttribute('aria-label') || node.alt || node.innerText || node.labels?.[0]?.textContent
      || document.getElementById(node.getAttribute('aria-labelledby'))?.textContent;
    return !label || !label.trim();
  }).map(node => node.outerHTML.slice(0, 100))"""
CUT = """() => [...document.querySelectorAll(
    'html, #verdict, #panel, #actions button, #checks li, header, footer')]
  .filter(node => node.checkVisibility())
  .filter(node => node.scrollHeight > node.clientHeight + 1 || node.scrollWidth > node.clientWidth + 1)
  .map(node => `${node.id || node.tagName} ${node.textContent.slice(0, 40)}`)"""


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_every_state_can_be_seen_read_and_reached(
    browser: Browser, api: RecordingApi, tmp_path: Path, size: tuple[int, int]
) -> None:
    """By hand what axe looks at: contrast, names, target sizes; and that nothing is cut off or scrolls."""
    with opened(browser, api, tmp_path, "release", "hold", "release", size=size) as kiosk:
        look_at_every_state(kiosk)


def look_at_every_state(kiosk: Kiosk) -> None:
    page = kiosk.page

    def look(state: str) -> None:
        page.wait_for_timeout(150)
        for question in (CONTRAST, SMALL, NAMELESS, CUT):
            assert page.evaluate(question) == [], (state, question[:60])

    assert page.locator("#verdict").get_attribute("aria-live") == "assertive"
    for language in ("en", "zh"):
        look(f"idle {language}")
        page.locator("#operator-button").click()
        look(f"operator {language}")
        page.locator("#list-body .choice").first.click()
        kiosk.scan("A-1")
        page.wait_for_selector("#verdict.release, #verdict.hold", timeout=30_000)
        look(f"first {language}")
        kiosk.scan("B-1")
        page.wait_for_selector("#verdict.hold", timeout=30_000)
        look(f"second {language}")
        page.locator("[data-act=override]").click()
        look(f"override {language}")
        page.keyboard.press("Escape")
        kiosk.scan("X-404")
        page.wait_for_selector("#verdict.blocked", timeout=30_000)
        look(f"blocked {language}")
        page.locator("#s-queue").click()
        look(f"queue {language}")
        page.keyboard.press("Escape")
        page.locator("[data-act=cancel]").click()
        page.wait_for_selector("#verdict.action")
        page.locator("#language-button").click()


def test_focus_is_visible_wherever_the_tab_key_goes(browser: Browser, api: RecordingApi, tmp_path: Path) -> None:
    with opened(browser, api, tmp_path, "hold") as kiosk:
        kiosk.scan("A-1")
        kiosk.shows("Hold", "hold")
        visited = set()
        for _ in range(14):
            kiosk.page.keyboard.press("Tab")
            name, width, somewhere = kiosk.page.evaluate("""() => { const node = document.activeElement;
                return [node.id || node.textContent, parseFloat(getComputedStyle(node).outlineWidth),
                    node !== document.body]; }""")
            if somewhere:
                assert width >= 3, name
                visited.add(name)
    wanted = {"order-input", "operator-button", "language-button", "sound-button", "s-queue"}
    assert wanted <= visited
    assert any("Look again" in name for name in visited)
