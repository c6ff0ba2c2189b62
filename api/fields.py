"""Types that the JSON and the addresses of all domains share."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field
from starlette.convertors import Convertor, register_url_convertor

LONGEST_ID = 200
SLASH = "\x1f"
"""Stands for an encoded slash while a route is looked up (api.paths); ids may not hold it themselves."""
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})


def identifier(value: str) -> str:
    """`value` in Unicode's normal form C, so that one id typed on two systems is one id.

    Raises ValueError for what cannot be an id: empty, too long, "." or "..", control characters, outer blanks.
    """
    value = unicodedata.normalize("NFC", value)
    if not value or len(value) > LONGEST_ID:
        raise ValueError(f"an id has 1 to {LONGEST_ID} characters")
    if value in (".", ".."):
        raise ValueError("'.' and '..' cannot be ids: web addresses use them for folders")
    if value != value.strip():
        raise ValueError("an id may not begin or end with a blank")
    if any(unicodedata.category(character) in _CONTROL for character in value):
        raise ValueError("an id may not hold control characters")
    return value


def file_name(value: str) -> str:
    """An identifier that is safe as the name of a picture: no folders in it. Raises ValueError."""
    value = identifier(value)
    if "/" in value or "\\" in value:
        raise ValueError("a picture's name may not hold / or \\: send its name without folders")
    return value


def _printable(value: str) -> str:
    if any(unicodedata.category(character) in _CONTROL for character in value if character not in "\n\t"):
        raise ValueError("control characters are not allowed")
    if not value.strip():
        raise ValueError("this may not be blank")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this time lies outside the years 1 to 9999") from error


Identifier = Annotated[str, AfterValidator(identifier), Field(examples=["A1-2026/17"])]
"""Type of an id in a body, a query or (with the convertor `{name:id}`) a path."""
FileName = Annotated[str, AfterValidator(file_name), Field(examples=["sealed.jpg"])]
Moment = Annotated[AwareDatetime, AfterValidator(_utc), Field(examples=["2026-11-22T09:00:00Z"])]
"""RFC 3339 with a zone; UTC from here on."""
ShortText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
LongText = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_printable)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]


class _IdConvertor(Convertor[str]):
    """One segment of a path, in which an encoded slash is part of the id."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return value.replace(SLASH, "/")

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("id", _IdConvertor())
