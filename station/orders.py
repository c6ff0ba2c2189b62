"""Which packing list belongs to a scanned order: asked from the API, remembered for the hours without it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from inspector.spec import PackingSpec
from inspector.wire import OrderDocument

PERSONAL = ("customer", "destination")
"""Parts of an order that a bench has no use for and must not keep."""
OF_THE_RECORD = ("id", "revision", "created_at", "updated_at")
ORDER = re.compile(r"[^\x00-\x20\x7f/\\](?:[^\x00-\x1f\x7f]{0,198}[^\x00-\x20\x7f])?")


@dataclass(frozen=True, slots=True)
class Order:
    """A packing spec by its order number. remembered_at: when it was fetched, if the API could not be asked now."""

    id: str
    spec: PackingSpec
    revision: int | None = None
    remembered_at: datetime | None = None


class OrderError(Exception):
    """There is no packing list to judge by. code: unknown, unreachable, refused, unreadable or not_an_order."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Memory(Protocol):
    """Where orders are remembered; the spool does it."""

    def remember(self, order: str, document: str, at: datetime) -> None:
        """Keep the newest document of an order."""

    def recall(self, order: str) -> tuple[str, datetime] | None:
        """The document as it was last seen, and when."""

    def forget(self, order: str) -> None:
        """The API says that there is no such order."""


def order_number(text: str) -> str:
    """What was scanned or typed -> an order number. Raises OrderError for what cannot be one."""
    text = text.strip()
    if not ORDER.fullmatch(text) or text in (".", ".."):
        raise OrderError("not_an_order", "This is not an order number. Scan the order's barcode.")
    return text


class OrderBook:
    """Finds orders. client: an httpx client whose base URL is the API. authorize: headers with the key."""

    def __init__(
        self,
        client: httpx.Client,
        authorize: Callable[[], dict[str, str]],
        memory: Memory,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._authorize = authorize
        self._memory = memory
        self._clock = clock

    def find(self, order: str) -> Order:
        """The order's packing spec, from the API or else from memory. Raises OrderError."""
        try:
            answer = self._client.get(f"/v1/orders/{quote(order, safe='')}", headers=self._authorize())
        except (httpx.HTTPError, OSError) as error:
            return self._recall(order, "unreachable", f"The API cannot be reached ({type(error).__name__}).")
        if answer.status_code == httpx.codes.NOT_FOUND and _is_problem(answer):
            self._memory.forget(order)
            raise OrderError("unknown", f"Order {order} is not known.")
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return self._recall(order, "refused", "The API does not accept this station's key.")
        if answer.status_code != httpx.codes.OK:
            return self._recall(order, "unreachable", f"The API answers {answer.status_code}.")
        document = packing_part(answer.text)
        found = read_order(order, document)
        self._memory.remember(order, document, self._clock())
        return found

    def _recall(self, order: str, code: str, why: str) -> Order:
        remembered = self._memory.recall(order)
        if remembered is None:
            raise OrderError(code, f"{why} This bench has not seen order {order} before.")
        document, at = remembered
        return read_order(order, document, remembered_at=at)


def packing_part(text: str) -> str:
    """The API's answer as JSON -> only what a bench needs and may keep. Raises OrderError."""
    try:
        answer = json.loads(text)
        kept = {name: value for name, value in answer.items() if name not in PERSONAL}
    except (ValueError, AttributeError):
        raise OrderError("unreadable", "The API's answer is not an order.") from None
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def read_order(order: str, document: str, remembered_at: datetime | None = None) -> Order:
    """A document of `packing_part` -> Order. Raises OrderError.

    A part that this station does not know is refused, not ignored: it may ask for a check that would not be made.
    """
    fields = json.loads(document)
    revision = fields.get("revision")
    try:
        spec = OrderDocument.model_validate({k: v for k, v in fields.items() if k not in OF_THE_RECORD}).spec()
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise OrderError(
            "unreadable", f"This station does not understand {where!r} of order {order}; update it."
        ) from None
    return Order(order, spec, revision if isinstance(revision, int) else None, remembered_at)


def _is_problem(answer: httpx.Response) -> bool:
    """A 404 that the API itself said; any other web server says 404 too."""
    return str(answer.headers.get("content-type", "")).startswith("application/problem+json")
