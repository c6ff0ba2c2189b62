"""The spool reaches the API: in order, patiently, each entry once."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.sender import LONGEST_PAUSE, ApiState, Sender, retry_after
from station.spool import Spool
from tests.station.benchside import START, Clock

Handler = Callable[[httpx.Request], httpx.Response]


class Net:
    """An API that answers what the test says and remembers what it got."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.answer: Handler = lambda request: httpx.Response(201)
        self.keys: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/healthz":
            return self.answer(request) if getattr(self, "down", False) else httpx.Response(200)
        self.got.append((request.url.path, request.read()))
        self.keys.append(request.headers.get("authorization"))
        return self.answer(request)

    @property
    def paths(self) -> list[str]:
        return [path.removeprefix("/v1/inspections/") for path, _ in self.got]


class Desk:
    """A sender with all its surroundings."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.net, self.spool = Clock(), Net(), Spool(folder)
        self.key = "ll_a_b"
        self.client = httpx.Client(base_url="http://api", transport=httpx.MockTransport(self.net))
        self.sender = self.again()

    def again(self) -> Sender:
        return Sender(
            self.spool,
            self.client,
            lambda: {"Authorization": f"Bearer {self.key}"},
            clock=self.clock,
            monotonic=self.clock.monotonic,
            rng=lambda: 0.0,
        )

    def state(self) -> ApiState:
        return self.sender.status.state

    def run(self, seconds: float) -> None:
        """Let the sender work for so long."""
        end = self.clock.seconds + seconds
        while self.clock.seconds < end:
            pause = self.sender.work()
            assert pause > 0
            self.clock.pass_by(min(pause, end - self.clock.seconds) or 0.001)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.client.close()
    made.spool.close()


def add(desk: Desk, *names: str) -> None:
    for name in names:
        desk.spool.add(name, f'{{"order": "{name}"}}', [("包裹.jpg", b"\xff\xd8pic"), ("b.jpg", b"2")], START)


def test_inspections_go_out_in_order_as_multipart_with_every_picture(desk: Desk) -> None:
    add(desk, "i1", "i2")
    desk.spool.add_override("i1", '{"reason": "ok"}', START)
    desk.sender.work()
    assert desk.net.paths == ["i1", "i2", "i1/override"]
    assert desk.net.keys[0] == "Bearer ll_a_b"
    assert desk.spool.queue().waiting == 0
    boundary = desk.net.got[0][1].split(b"\r\n", 1)[0][2:]
    head = b'Content-Type: multipart/form-data; boundary="' + boundary + b'"\r\n\r\n'
    message = email.message_from_bytes(head + desk.net.got[0][1], policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    parts = [(p.get_param("name", header="content-disposition"), p.get_content_type()) for p in message.iter_parts()]
    assert parts == [("inspection", "application/json"), ("pictures", "image/jpeg"), ("pictures", "image/jpeg")]
    assert desk.net.got[2][1] == b'{"reason": "ok"}'
    assert desk.state() is ApiState.ONLINE


def test_an_api_that_is_away_loses_nothing_and_is_asked_ever_more_rarely(desk: Desk) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    desk.net.answer = refuse
    add(desk, "i1", "i2")
    desk.run(300)
    tries = len(desk.net.got)
    assert 8 <= tries <= 12
    assert set(desk.net.paths) == {"i1"}, "in order: the second does not overtake the first"
    assert desk.state() is ApiState.OFFLINE
    assert desk.spool.queue().waiting == 2
    desk.net.answer = lambda request: httpx.Response(200)
    desk.run(LONGEST_PAUSE)
    assert desk.net.paths[tries:] == ["i1", "i2"]
    assert desk.state() is ApiState.ONLINE


def test_a_person_need_not_wait_for_the_pause(desk: Desk) -> None:
    desk.net.answer = lambda request: httpx.Response(503)
    add(desk, "i1")
    desk.run(200)
    desk.net.answer = lambda request: httpx.Response(201)
    desk.sender.try_now()
    desk.sender.work()
    assert desk.spool.queue().waiting == 0


@pytest.mark.parametrize(("header", "wait"), [("120", 120), ("Sun, 22 Nov 2026 08:01:30 GMT", 90)])
def test_retry_after_is_kept(desk: Desk, header: str, wait: int) -> None:
    desk.net.answer = lambda request: httpx.Response(429, headers={"Retry-After": header})
    add(desk, "i1")
    desk.sender.work()
    desk.net.answer = lambda request: httpx.Response(201)
    desk.clock.pass_by(wait - 2)
    desk.sender.work()
    assert len(desk.net.got) == 1
    desk.clock.pass_by(4)
    desk.sender.work()
    assert desk.spool.queue().waiting == 0


@pytest.mark.parametrize("code", [400, 409, 413, 415, 422])
def test_what_will_never_be_taken_is_parked_and_the_rest_goes_on(desk: Desk, code: int) -> None:
    desk.net.answer = lambda request: (
        httpx.Response(code, json={"detail": "frames missing"})
        if request.url.path.endswith("/bad")
        else httpx.Response(201)
    )
    add(desk, "bad", "good")
    desk.sender.work()
    queue = desk.spool.queue()
    assert (queue.waiting, queue.parked) == (0, 1)
    assert queue.parked_latest[0].note == f"{code}: frames missing"
    assert desk.net.paths == ["bad", "good"]


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_stops_sending_and_says_so_until_the_key_is_replaced(desk: Desk, code: int) -> None:
    desk.net.answer = lambda request: httpx.Response(201 if "new" in request.headers["authorization"] else code)
    add(desk, "i1", "i2")
    desk.run(30)
    assert set(desk.net.paths) == {"i1"}
    assert desk.state() is ApiState.KEY_REFUSED
    assert desk.spool.queue().parked == 0
    desk.key = "new"
    desk.run(LONGEST_PAUSE)
    assert desk.spool.queue().waiting == 0
    assert desk.state() is ApiState.ONLINE


def test_an_entry_over_which_the_api_stumbles_does_not_block_the_rest(desk: Desk) -> None:
    desk.net.answer = lambda request: httpx.Response(500 if "/poison" in request.url.path else 201)
    add(desk, "poison", "i2")
    desk.spool.add_override("poison", "{}", START)
    add(desk, "i3")
    desk.sender.work()
    assert desk.net.paths == ["poison", "i2", "i3"], "the override waits for its inspection"
    assert desk.spool.queue().waiting == 2
    desk.net.answer = lambda request: httpx.Response(201)
    desk.run(LONGEST_PAUSE)
    assert desk.net.paths[-2:] == ["poison", "poison/override"]


def test_a_whole_page_of_such_entries_does_not_either(desk: Desk) -> None:
    desk.net.answer = lambda request: httpx.Response(500 if "/poison" in request.url.path else 201)
    add(desk, *(f"poison{n}" for n in range(60)), "good")
    desk.sender.work()
    assert desk.net.paths[-1] == "good"
    assert desk.spool.queue().waiting == 60


def test_the_same_content_is_sent_again_after_a_crash_between_answer_and_note(desk: Desk) -> None:
    add(desk, "i1")

    def answered_but_lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("connection reset")

    desk.net.answer = answered_but_lost
    desk.sender.work()
    desk.net.answer = lambda request: httpx.Response(200)
    desk.sender = desk.again()
    desk.sender.work()
    first, second = (body.split(b"\r\n", 1)[0] for _, body in desk.net.got)
    assert desk.net.got[0][1].replace(first, b"") == desk.net.got[1][1].replace(second, b"")


def test_a_key_file_that_cannot_be_read_is_an_offline_state_not_a_crash(desk: Desk) -> None:
    def broken() -> dict[str, str]:
        raise PermissionError(13, "Permission denied")

    desk.sender._authorize = broken
    add(desk, "i1")
    desk.sender.work()
    assert "key file" in (desk.sender.status.reason or "")
    assert desk.spool.queue().waiting == 1


def test_with_nothing_to_send_the_api_is_still_looked_after(desk: Desk) -> None:
    desk.sender.work()
    assert desk.state() is ApiState.ONLINE
    desk.net.down = True  # type: ignore[attr-defined]
    desk.net.answer = lambda request: httpx.Response(502)
    desk.run(15)
    assert desk.state() is ApiState.OFFLINE


@given(st.text(max_size=40))
def test_no_retry_after_header_can_break_the_sender(header: str) -> None:
    wait = retry_after(header, START)
    assert wait is None or wait >= 0


def test_a_retry_after_in_the_past_means_now() -> None:
    assert retry_after("Sun, 22 Nov 2026 07:00:00 GMT", datetime(2026, 11, 22, 8, tzinfo=UTC)) == 0
