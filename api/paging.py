"""Lists in pages: a cursor names the last thing seen, so that what arrives meanwhile shifts nothing."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from api.errors import invalid
from api.fields import identifier

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=500, description="Things a page, at most.")]
CursorText = Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")]


class Page(BaseModel, Generic[T]):
    """One page. next: pass it as `cursor` for the next page; null on the last."""

    items: list[T]
    next: str | None = None


def write_cursor(moment: datetime, identity: str) -> str:
    """A cursor behind the thing with this time and id (the id settles equal times)."""
    text = json.dumps([moment.astimezone(UTC).isoformat(), identity])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Undo `write_cursor`. Raises a 422 Problem for anything else."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, identity = json.loads(text)
        return datetime.fromisoformat(moment).astimezone(UTC), identifier(identity)
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError) as error:
        raise invalid(
            "This is no cursor of ours. Start without one and follow `next` from page to page.", pointer="/query/cursor"
        ) from error
