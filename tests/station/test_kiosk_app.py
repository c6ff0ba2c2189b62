"""The kiosk's server: what the page is told, what it may do, and who else may not."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets import Origin
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from inspector.frame import Frame, Pixels, decode
from inspector.gallery import Gallery
from inspector.spec import Check, PackingSpec
from inspector.verdict import Fault, Result, Verdict
from station.approval import hash_pin
from station.kiosk.app import WEB, kiosk_app
from station.kiosk.guard import is_loopback
from station.running import Station
from station.serving import kiosk_server
from station.settings import Approver, StationSettings, TriggerSettings
from station.sources import PictureFolder
from tests.station.benchside import WrittenEye, torn

TOKEN = "of-this-start"
MINE = {"X-Lastlook-Token": TOKEN}
ORDERS: dict[str, dict[str, Any]] = {
    "A1": {"marks": ["fragile"]},
    "B1": {"items": [{"item": "usb-cable", "quantity": 1}]},
}


def api(request: httpx.Request) -> httpx.Response:
    if request.method == "GET" and request.url.path.startswith("/v1/orders/"):
        order = request.url.path.rpartition("/")[2]
        if order not in ORDERS:
            return httpx.Response(404, headers={"content-type": "application/problem+json"}, text="{}")
        return httpx.Response(200, json={"id": order, "revision": 1, **ORDERS[order]})
    return httpx.Response(200)


class Kiosk:
    """A running station behind its kiosk app."""

    def __init__(
        self,
        folder: Path,
        eye: WrittenEye,
        *,
        auto: bool = False,
        gallery: Gallery | None = None,
        shown: Pixels | None = None,
    ) -> None:
        pictures = folder / "pictures"
        pictures.mkdir()
        for n in range(3):
            picture = np.full((120, 160, 3), 60 + 60 * n, np.uint8)
            picture[30:70, 30:90] = (0, 0, 255)
            cv2.imwrite(str(pictures / f"{n}.png"), picture if shown is None else shown)
        self.settings = StationSettings(
            camera=PictureFolder(path=pictures),
            data=folder / "data",
            operators=("li", "anna"),
            approvers=(Approver(name="wang", pin=hash_pin("4711")),),
            trigger=TriggerSettings(auto=auto),
        )
        self.put: list[tuple[str, bytes]] = []
        self.station = Station(self.settings, eye, transport=httpx.MockTransport(self.api), gallery=gallery)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.web = httpx.Client(base_url=f"http://{self.host}", trust_env=False, timeout=60)
        self.server = kiosk_server(kiosk_app(self.station, TOKEN))

    def api(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            self.put.append((request.url.path, request.read()))
        return api(request)

    def __enter__(self) -> Kiosk:
        self.station.__enter__()
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})
        self.thread.start()
        until(lambda: self.server.started and self.station.capture.newest() is not None)
        return self

    def __exit__(self, *told: object) -> None:
        self.web.close()
        self.server.should_exit = True
        self.thread.join(10)
        self.listener.close()
        self.station.__exit__(None, None, None)

    def post(self, name: str, body: dict[str, Any] | None = None) -> httpx.Response:
        return self.web.post(f"/api/{name}", json=body or {}, headers=MINE)

    def live(self) -> ClientConnection:
        return connect(f"ws://{self.host}/live", origin=Origin(f"http://{self.host}"), proxy=None)

    def told(self) -> dict[str, Any]:
        with self.live() as live:
            told: dict[str, Any] = json.loads(live.recv(timeout=60))
            return told


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


@pytest.fixture
def eye() -> WrittenEye:
    return WrittenEye()


@pytest.fixture
def kiosk(tmp_path: Path, eye: WrittenEye) -> Iterator[Kiosk]:
    made = Kiosk(tmp_path, eye)
    with made:
        yield made


def test_a_parcel_is_scanned_taken_and_released(kiosk: Kiosk) -> None:
    assert kiosk.post("scan", {"text": "A1"}).status_code == 204
    told = kiosk.told()
    assert (told["parcel"]["phase"], told["parcel"]["order"], told["parcel"]["marks"]) == ("waiting", "A1", ["fragile"])
    assert kiosk.post("take").status_code == 204
    told = kiosk.told()
    assert (told["parcel"]["phase"], told["parcel"]["do"]["code"]) == ("released", "ship")
    jpeg = kiosk.web.get(f"/judged/{told['turn']}/0.jpg")
    assert jpeg.headers["content-type"] == "image/jpeg"
    assert decode(jpeg.content, name="judged").size == (160, 120)
    until(lambda: kiosk.station.spool.queue().waiting == 0)
    assert kiosk.web.get(f"/judged/{told['turn']}/7.jpg").status_code == 404


def test_a_held_parcel_is_released_by_a_second_person(kiosk: Kiosk, eye: WrittenEye) -> None:
    eye.results, eye.findings = torn().results, torn().findings
    kiosk.post("scan", {"text": "A1"})
    kiosk.post("take")
    asked = {"reason": "only a scuff", "approver": "wang", "pin": "4711"}
    refused = kiosk.post("override", asked)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_operator")
    assert kiosk.post("operator", {"name": "nobody"}).status_code == 422
    assert kiosk.post("operator", {"name": "li"}).status_code == 204
    refused = kiosk.post("override", {**asked, "pin": "0000"})
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_pin")
    assert kiosk.post("override", {**asked, "reason": ""}).json()["code"] == "reason"
    assert kiosk.told()["parcel"]["phase"] == "held"
    assert kiosk.post("override", asked).status_code == 204
    parcel = kiosk.told()["parcel"]
    assert (parcel["phase"], parcel["override"]) == ("released", {"approved_by": "wang", "reason": "only a scuff"})


def test_the_machine_was_wrong_keeps_the_pictures_as_an_example(kiosk: Kiosk) -> None:
    kiosk.post("scan", {"text": "A1"})
    kiosk.post("take")
    inspection = kiosk.told()["parcel"]["inspection"]
    for _ in range(2):
        assert kiosk.post("wrong", {"inspection": inspection}).status_code == 204
    example = kiosk.settings.data / "examples" / inspection
    told = json.loads((example / "example.json").read_text())
    assert (told["order"], told["should_have_been"]) == ("A1", "hold")
    assert (example / "sealed.jpg").read_bytes().startswith(b"\xff\xd8")
    assert kiosk.told()["parcel"]["marked_wrong"]
    assert kiosk.post("wrong", {"inspection": "../../etc"}).status_code == 409


def test_scanning_the_same_order_again_takes_the_picture(kiosk: Kiosk) -> None:
    kiosk.post("scan", {"text": "A1"})
    kiosk.post("scan", {"text": "A1"})
    assert kiosk.told()["parcel"]["phase"] == "released"


def test_what_cannot_be_done_now_is_said(kiosk: Kiosk) -> None:
    refused = kiosk.post("take")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_now")
    assert kiosk.post("scan", {"text": "nope"}).status_code == 204
    assert kiosk.told()["parcel"]["do"] == {"code": "order_unknown", "words": {"order": "nope"}}
    assert kiosk.post("scan", {"words": "A1"}).status_code == 422


def test_pictures_come_one_for_one_asked(kiosk: Kiosk) -> None:
    with kiosk.live() as live:
        json.loads(live.recv(timeout=60))
        for _ in range(2):
            live.send("next")
            while isinstance(message := live.recv(timeout=60), str):
                pass
            assert message.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Lastlook-Token": "guess"},
        {**MINE, "Host": "evil.example"},
        {**MINE, "Host": "127.0.0.1.evil.example:8322"},
        {**MINE, "Origin": "http://evil.example"},
        {**MINE, "Origin": "null"},
        {**MINE, "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_another_page_can_change_nothing(kiosk: Kiosk, headers: dict[str, str]) -> None:
    answer = kiosk.web.post("/api/scan", json={"text": "A1"}, headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert kiosk.told()["parcel"]["phase"] == "idle"


def test_a_rebound_name_cannot_even_read_the_page(kiosk: Kiosk) -> None:
    assert TOKEN not in kiosk.web.get("/", headers={"Host": "evil.example"}).text
    assert TOKEN in kiosk.web.get("/").text


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
def test_another_page_cannot_watch(kiosk: Kiosk, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{kiosk.host}/live", origin=None if origin is None else Origin(origin), proxy=None)
    assert refused.value.response.status_code == 403


def test_the_page_runs_only_its_own_scripts_and_in_no_frame(kiosk: Kiosk) -> None:
    for path in ("/", "/main.js", "/zh.json"):
        answer = kiosk.web.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
    for page in ("/../app.py", "/%2e%2e/app.py", "/docs", "/openapi.json"):
        assert kiosk.web.get(page).status_code == 404


@given(st.text(max_size=30))
def test_no_odd_host_header_counts_as_loopback(host: str) -> None:
    if is_loopback(host):
        assert re.fullmatch(r"(localhost|127(\.\d+){3}|\[[0:.]*1[0-9a-f:.%]*\])(:.*)?", host.rpartition("@")[2].lower())


def words(language: str) -> dict[str, str]:
    told: dict[str, str] = json.loads((WEB / f"{language}.json").read_text(encoding="utf-8"))
    return told


def test_both_languages_say_the_same_things_with_the_same_gaps() -> None:
    english, chinese = words("en"), words("zh")
    assert english.keys() == chinese.keys()
    for key, sentence in english.items():
        if key in ("refused.not_now", "refused.camera"):
            continue  # the reason in brackets is English only
        assert set(re.findall(r"\{\w+\}", sentence)) == set(re.findall(r"\{\w+\}", chinese[key])), key


def test_the_page_uses_no_word_that_is_not_there() -> None:
    english = words("en")
    page = (WEB / "index.html").read_text()
    used = set(re.findall(r'data-(?:t|name|placeholder)="([^"]+)"', page))
    for script in WEB.glob("*.js"):
        used |= set(re.findall(r"""\bt\(["']([\w.]+)["']""", script.read_text()))
    assert used <= english.keys()


def test_every_code_that_python_can_say_has_words() -> None:
    english = words("en")
    said = set()
    for source in (Path(WEB).parents[1]).rglob("*.py"):
        text = source.read_text()
        said |= {f"do.{code}" for code in re.findall(r'Advice\("(\w+)"', text)}
        said |= {f"refused.{code}" for code in re.findall(r'ApprovalError\("(\w+)"', text)}
        said |= {f"do.order_{code}" for code in re.findall(r'OrderError\("(\w+)"', text)}
    for kind in ("blurred", "too_dark", "too_bright", "glare", "no_parcel", "cut_off"):
        said.add(f"do.retake_{kind}")
    for check in Check:
        said |= {f"check.{check}", f"pass.{check}", f"skipped.{check}", f"unsure.{check}", f"do.look_{check}"}
    from inspector.integrity import WORDS
    from inspector.spec import MARKS

    said |= {f"finding.{kind}" for kind in WORDS} | {f"mark.{mark}" for mark in MARKS}
    assert said <= english.keys()


def test_a_picture_that_is_no_good_asks_for_another(kiosk: Kiosk, eye: WrittenEye) -> None:
    eye.faults = (Fault("blurred", "blurred"),)
    kiosk.post("scan", {"text": "A1"})
    kiosk.post("take")
    assert kiosk.told()["parcel"]["do"]["code"] == "retake_blurred"
    eye.faults = ()
    kiosk.post("take")
    assert kiosk.told()["parcel"]["phase"] == "released"


def test_a_retake_after_a_release_reaches_the_api_with_its_pictures(kiosk: Kiosk, eye: WrittenEye) -> None:
    kiosk.post("scan", {"text": "A1"})
    kiosk.post("take")
    eye.faults = (Fault("blurred", "blurred"),)
    kiosk.post("scan", {"text": "A1"})
    kiosk.post("take")
    parcel = kiosk.told()["parcel"]
    assert parcel["phase"] == "retake"
    refused = kiosk.post("wrong", {"inspection": parcel["inspection"]})
    assert refused.status_code == 409, "a picture that shows nothing is no example of a sound parcel"
    kiosk.post("clear")
    until(lambda: kiosk.station.spool.queue().waiting == 0)
    released, retaken = kiosk.put
    assert released[0] != retaken[0]
    assert b'"verdict": "release"' in released[1]
    assert retaken[0] == f"/v1/inspections/{parcel['inspection']}"
    assert b'"verdict": "retake"' in retaken[1]
    assert retaken[1].count(b"\xff\xd8\xff") == 2, "as judged and as annotated"


def test_an_eye_that_fails_by_itself_is_told_and_the_next_look_works(tmp_path: Path) -> None:
    class Stumbling(WrittenEye):
        def inspect(self, frames: Sequence[Frame], spec: PackingSpec, weight_g: float | None = None) -> Verdict:
            if not self.seen:
                self.seen.append(())
                raise RuntimeError("out of memory")
            return super().inspect(frames, spec, weight_g)

    with Kiosk(tmp_path, Stumbling(), auto=True) as kiosk:
        kiosk.post("scan", {"text": "A1"})
        until(lambda: kiosk.station.bench.moment.notice is not None)
        parcel = kiosk.told()["parcel"]
        assert (parcel["phase"], parcel["notice"]["code"]) == ("waiting", "not_judged")
        assert kiosk.put == []
        assert kiosk.post("take").status_code == 204
        parcel = kiosk.told()["parcel"]
        assert (parcel["phase"], parcel["notice"]) == ("released", None)


def test_an_order_with_items_walks_through_both_stages(kiosk: Kiosk, eye: WrittenEye) -> None:
    eye.results = {Check.CONTENTS: Result.SKIPPED}
    kiosk.post("scan", {"text": "B1"})
    assert kiosk.told()["parcel"]["stage"] == "open"
    kiosk.post("take")
    assert kiosk.told()["parcel"]["stage"] == "sealed"
    kiosk.post("take")
    parcel = kiosk.told()["parcel"]
    assert (parcel["phase"], parcel["do"]["code"]) == ("held", "count_items")
    assert [p["name"] for p in parcel["pictures"]] == ["open.jpg", "sealed.jpg"]


def test_a_scales_program_tells_the_weight_and_no_web_page_can(kiosk: Kiosk, eye: WrittenEye) -> None:
    kiosk.post("scan", {"text": "B1"})
    for browser in ({"Origin": f"http://{kiosk.host}"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://evil.example"}):
        assert kiosk.web.put("/weight", json={"weight_g": 1.0}, headers=browser).status_code == 403
    assert kiosk.web.post("/weight", json={"weight_g": 1.0}).status_code == 403
    assert kiosk.web.put("/weight", json={"weight_g": 512.5}, headers={"Host": "evil.example"}).status_code == 403
    assert kiosk.told()["weight_g"] is None
    assert kiosk.web.put("/weight", json={"weight_g": 512.5}).status_code == 204
    assert kiosk.told()["weight_g"] == 512.5
    kiosk.post("take")
    assert eye.weights == [512.5]
    assert kiosk.told()["weight_g"] is None


def test_a_typed_weight_and_what_is_none(kiosk: Kiosk, eye: WrittenEye) -> None:
    kiosk.post("scan", {"text": "B1"})
    for wrong in (-1, 1e9):
        refused = kiosk.post("weigh", {"weight_g": wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, "weight")
    assert kiosk.post("weigh", {"weight_g": "12"}).status_code == 422
    assert kiosk.post("weigh", {"weight_g": 80.0}).status_code == 204
    kiosk.post("scan", {"text": "A1"})
    assert kiosk.told()["weight_g"] is None, "it was of the order before"
    kiosk.post("take")
    assert eye.weights == [None]


def test_a_weight_that_would_never_be_used_is_refused(kiosk: Kiosk, eye: WrittenEye) -> None:
    for text, taken in (("B1", True), ("A1", False)):  # to be sealed now, and an order that lists nothing
        kiosk.post("scan", {"text": text})
        if taken:
            kiosk.post("take")
        for refused in (kiosk.post("weigh", {"weight_g": 80.0}), kiosk.web.put("/weight", json={"weight_g": 80.0})):
            assert (refused.status_code, refused.json()["code"]) == (409, "not_now")
        kiosk.post("clear")
    assert eye.weights == [None]


def test_the_trigger_waits_while_the_weight_is_typed(tmp_path: Path, eye: WrittenEye) -> None:
    with Kiosk(tmp_path, eye, auto=True) as kiosk:
        assert kiosk.post("typing", {"now": True}).status_code == 204
        kiosk.post("scan", {"text": "B1"})
        until(lambda: kiosk.station.trigger.ready)
        seen = kiosk.station.capture.newest()
        assert seen is not None
        until(lambda: (later := kiosk.station.capture.newest()) is not None and later.seq > seen.seq + 3)
        assert kiosk.post("weigh", {"weight_g": 80.0}).status_code == 204
        kiosk.post("typing", {"now": False})
        until(lambda: bool(eye.weights))
        assert eye.weights[0] == 80.0


def test_the_empty_scale_does_not_take_the_weight_away(kiosk: Kiosk) -> None:
    kiosk.post("scan", {"text": "B1"})
    assert kiosk.web.put("/weight", json={"weight_g": 512.5}).status_code == 204
    assert kiosk.web.put("/weight", json={"weight_g": 0}).status_code == 422
    assert kiosk.told()["weight_g"] == 512.5


def test_what_is_no_json_number_is_told_as_the_senders_mistake(kiosk: Kiosk) -> None:
    kind = {"Content-Type": "application/json"}
    answer = kiosk.web.put("/weight", content=b'{"weight_g": 5, "x": NaN}', headers=kind)
    assert answer.status_code == 422
    assert answer.json()["text"] == "body.x: Extra inputs are not permitted"


def test_the_page_is_told_which_models_judge(kiosk: Kiosk) -> None:
    assert kiosk.told()["models"] == ["parcel/9.9.9"]
