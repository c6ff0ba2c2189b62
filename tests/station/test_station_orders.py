"""Which packing list belongs to a scan, with and without the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.spec import ExpectedItem
from station.orders import OrderBook, OrderError, order_number
from station.spool import Spool
from tests.station.benchside import START, Clock

ANSWER = {
    "id": "A/1",
    "revision": 4,
    "created_at": "2026-11-22T07:00:00Z",
    "updated_at": "2026-11-22T07:00:00Z",
    "items": [{"item": "usb-cable", "quantity": 2}],
    "marks": ["fragile"],
    "packaging": "carton",
    "tracking_number": "LB1",
    "promised_by": "2026-11-25",
    "zone": "Asia/Shanghai",
    "destination": {"country": "BR", "postcode": "01310"},
    "customer": {"name": "Maria", "email": "maria@example.com", "phone": None, "language": "pt"},
}


class Book:
    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder)
        self.answer: Callable[[], httpx.Response] = lambda: httpx.Response(200, json=ANSWER)
        self.asked: list[str] = []
        self.client = httpx.Client(base_url="http://api", transport=httpx.MockTransport(self._serve))
        self.orders = OrderBook(self.client, lambda: {"Authorization": "Bearer k"}, self.spool, Clock())

    def _serve(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.raw_path.decode())
        return self.answer()

    def offline(self) -> httpx.Response:
        raise httpx.ConnectTimeout("no")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book(tmp_path)
    yield made
    made.client.close()
    made.spool.close()


def test_the_packing_list_comes_from_the_api(book: Book) -> None:
    order = book.orders.find("A/1")
    assert book.asked == ["/v1/orders/A%2F1"]
    assert (order.id, order.revision, order.remembered_at) == ("A/1", 4, None)
    assert order.spec.items == (ExpectedItem("usb-cable", 2),)
    assert order.spec.marks == {"fragile"}
    assert order.spec.tracking_number == "LB1"


def test_without_the_api_the_last_known_list_is_used_and_dated(book: Book) -> None:
    first = book.orders.find("A/1")
    book.answer = book.offline
    again = book.orders.find("A/1")
    assert (again.spec, again.revision) == (first.spec, 4)
    assert again.remembered_at == START


@pytest.mark.parametrize("status", [401, 403, 500, 502, 429])
def test_an_api_that_does_not_answer_the_question_is_like_none(book: Book, status: int) -> None:
    book.orders.find("A/1")
    book.answer = lambda: httpx.Response(status)
    assert book.orders.find("A/1").remembered_at is not None
    with pytest.raises(OrderError):
        book.orders.find("A2")


def test_no_personal_data_is_kept_at_the_bench(book: Book) -> None:
    book.orders.find("A/1")
    kept = book.spool.recall("A/1")
    assert kept is not None
    for word in ("Maria", "example.com", "01310", "BR"):
        assert word not in kept[0]


def test_an_order_never_seen_is_never_guessed(book: Book) -> None:
    book.answer = book.offline
    with pytest.raises(OrderError) as error:
        book.orders.find("A1")
    assert error.value.code == "unreachable"


def test_an_order_that_the_api_does_not_know_is_unknown_even_if_it_was_known_before(book: Book) -> None:
    book.orders.find("A/1")
    book.answer = lambda: httpx.Response(404, headers={"content-type": "application/problem+json"}, text="{}")
    with pytest.raises(OrderError) as error:
        book.orders.find("A/1")
    assert error.value.code == "unknown"
    book.answer = book.offline
    with pytest.raises(OrderError):
        book.orders.find("A/1")


def test_the_404_of_some_other_web_server_says_nothing_about_the_order(book: Book) -> None:
    book.orders.find("A/1")
    book.answer = lambda: httpx.Response(404, text="<html>nginx</html>")
    assert book.orders.find("A/1").remembered_at is not None


@pytest.mark.parametrize(
    "answer", [{"marks": ["unheard_of"]}, {"new_kind_of_check": True}, {"items": [{"item": ""}]}, [1], "x", None]
)
def test_what_this_station_does_not_understand_is_never_passed_over(book: Book, answer: object) -> None:
    book.answer = lambda: httpx.Response(200, json=answer)
    with pytest.raises(OrderError) as error:
        book.orders.find("A1")
    assert error.value.code == "unreadable"
    assert book.spool.recall("A1") is None


@pytest.mark.parametrize("text", ["A-1001", " A1\r\n", "订单 7", "x" * 200])
def test_order_numbers_are_taken_as_scanned(text: str) -> None:
    assert order_number(text) == text.strip()


@pytest.mark.parametrize("text", ["", "  ", ".", "..", "a\x00b", "/etc", "x" * 201])
def test_what_cannot_be_an_order_number_is_refused(text: str) -> None:
    with pytest.raises(OrderError) as error:
        order_number(text)
    assert error.value.code == "not_an_order"


@given(st.text(max_size=300))
def test_any_scan_is_either_an_order_number_or_refused(text: str) -> None:
    try:
        number = order_number(text)
    except OrderError:
        return
    assert 1 <= len(number) <= 200
    assert number == number.strip()
    assert not any(ord(c) < 32 or ord(c) == 127 for c in number)
