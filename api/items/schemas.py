"""The JSON of taught items."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.fields import FileName, Identifier, ShortText

Grams = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Side = Annotated[float, Field(ge=0, le=30_000, allow_inf_nan=False)]


class ItemDocument(BaseModel):
    """What is known of an item besides its looks. weight_sd_g: how much pieces differ (standard deviation)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "USB cable, 1 m", "weight_g": 42.0}]}
    )

    name: ShortText | None = None
    weight_g: Grams | None = None
    weight_sd_g: Spread | None = None


class ReferenceAnswer(BaseModel):
    """A view of the item, or (counter_example) of what was mistaken for it. url: of its picture, on this server."""

    id: str
    counter_example: bool
    added_at: str
    added_by: str | None
    url: str


class ItemAnswer(ItemDocument):
    """An item as it is taught. accept: the likeness (cosine) from which on a thing is taken for it; null: the usual."""

    id: Identifier
    accept: float | None
    taught_at: str
    taught_by: str | None
    references: list[ReferenceAnswer]


class ItemLineAnswer(ItemDocument):
    """An item in the list. references, counter_examples: how many."""

    id: Identifier
    accept: float | None
    taught_at: str
    references: int
    counter_examples: int


class KeptAnswer(BaseModel):
    """A photo that is a reference now, or was before. like: another item that it looks a little like, or null."""

    photo: str
    reference: str
    like: Identifier | None = None


class TaughtAnswer(BaseModel):
    """What came of the photos. kept: new. known: taught before."""

    kept: list[KeptAnswer]
    known: list[KeptAnswer]
    item: ItemAnswer


class CorrectionDocument(BaseModel):
    """What the eye got wrong in a picture of an inspection.

    there: what lies in `box` is the item. wrong: it is not. id: makes a repeat safe; made here unless given.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "there",
                    "inspection": "01JD3W6Q",
                    "picture": "open.jpg",
                    "box": [412, 200, 96, 70],
                    "operator": "li",
                }
            ]
        },
    )

    kind: Literal["there", "wrong"]
    inspection: Identifier
    picture: FileName
    box: tuple[Side, Side, Side, Side]
    operator: ShortText
    id: Identifier | None = None


class ConfirmDocument(BaseModel):
    """The second person who looked."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"confirmed_by": "wang"}]})

    confirmed_by: ShortText


class CorrectionAnswer(BaseModel):
    """A correction. confirmed_by: null while it waits; reference: what it became then. url: of what it shows."""

    id: Identifier
    item: Identifier
    kind: Literal["there", "wrong"]
    inspection: str | None
    operator: str
    at: str
    confirmed_by: str | None
    confirmed_at: str | None
    reference: str | None
    url: str


class ImportAnswer(BaseModel):
    """What an import did. kept: items whose name or weight here differed and stayed."""

    items: int
    references: int
    new_references: int
    kept: list[str]
