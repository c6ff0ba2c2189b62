"""The JSON of inspections."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.fields import FileName, Identifier, LongText, Moment, ShortText
from inspector.spec import Stage
from inspector.wire import VerdictDocument

MOST_FRAMES = 8
ANNOTATED = "annotated-"
"""Prefix of the name of a picture on which the findings are drawn."""


class FrameDocument(BaseModel):
    """One picture that the verdict rests on; its place in the list is the `frame` of findings."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[FileName, Field(max_length=190)]
    stage: Stage
    camera: Annotated[str, Field(max_length=200)] = ""


class InspectionDocument(BaseModel):
    """An inspection as a bench tells it. order_revision: of the order it was judged against; null if unknown."""

    model_config = ConfigDict(extra="forbid")

    order: Identifier
    order_revision: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    station: ShortText
    operator: ShortText | None = None
    captured_at: Moment
    frames: Annotated[tuple[FrameDocument, ...], Field(max_length=MOST_FRAMES)]
    verdict: VerdictDocument

    @model_validator(mode="after")
    def _each_name_once(self) -> Self:
        names = [frame.name for frame in self.frames]
        if len(set(names)) != len(names):
            raise ValueError("two frames have the same name; give each its own")
        return self


class PictureAnswer(BaseModel):
    """A picture that is kept. url: where to fetch it, on this server."""

    name: str
    media_type: str
    size: int = Field(description="Bytes.")
    sha256: str
    url: str


class OverrideDocument(BaseModel):
    """A person releases what the machine did not. operator asks, approved_by (somebody else) agrees."""

    model_config = ConfigDict(
        extra="forbid",
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "reason": "the stain is printed on the carton",
                    "operator": "li",
                    "approved_by": "wang",
                    "at": "2026-11-22T09:05:00Z",
                }
            ]
        },
    )

    reason: LongText
    operator: ShortText
    approved_by: ShortText
    at: Moment

    @model_validator(mode="after")
    def _two_persons(self) -> Self:
        if self.operator.strip().casefold() == self.approved_by.strip().casefold():
            raise ValueError("an override needs a second person: approved_by must be somebody else than operator")
        return self


class InspectionAnswer(BaseModel):
    """An inspection as it is kept. judged_by: "station" or "server"."""

    id: Identifier
    order: Identifier
    order_revision: int | None
    station: str
    operator: str | None
    captured_at: Moment
    received_at: Moment
    judged_by: str
    frames: list[FrameDocument]
    verdict: VerdictDocument
    pictures: list[PictureAnswer]
    override: OverrideDocument | None


class JudgedDocument(VerdictDocument):
    """The verdict of the server's own eye, shaped as `lastlook inspect` prints it, and where it was recorded."""

    inspection: Identifier | None = None
    order: Identifier | None = None
    order_revision: int | None = None
