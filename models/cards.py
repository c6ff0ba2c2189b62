"""What a model's card tells the program: one class for each kind of model, what all cards share in `Card`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Unit = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """Cards tell people more than the program reads; what it reads is checked."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Comparison(Part):
    """How a candidate did beside the model that was in use, on the same pictures, none of which it had learnt from.

    against: name/version of that model. worse: True keeps the candidate from being used. text: the figures in a
    sentence, for people.
    """

    against: str
    worse: bool
    text: str


class Card(Part):
    """What every card (models/<name>/<version>/card.json) tells, whatever the model is for.

    name: of the model and so its kind. version: one name and version are one model, for ever. files: the sha256,
    hexadecimal, of every file of the model but the cards, by its path in the folder. comparison: None for what ships.
    """

    name: str
    version: str
    files: dict[str, str]
    comparison: Comparison | None = None


class InputCard(Part):
    """What goes in: float32 (n, 3, side, side)."""

    side: Annotated[int, Field(gt=0)]


class PlattCard(Part):
    """Calibration: probability = sigmoid(a * logit + b)."""

    kind: Literal["platt"]
    a: float
    b: float


class FoundThreshold(Part):
    """From `found` on it is one; from `doubtful` on it may be one."""

    found: Unit
    doubtful: Unit


class LabelThreshold(Part):
    """From `found` on a shipping label is there."""

    found: Unit


class MarkThreshold(Part):
    """From `present` on the mark is there; from `doubtful` on it may be."""

    present: Unit
    doubtful: Unit


class IntegrityThreshold(Part):
    """On the calibrated probability: from `fail` on damaged, from `unsure` on for a person to decide."""

    fail: Unit
    unsure: Unit


class HeadCard(Part):
    """The linear damage head beside the graph: `file`, a .npz with `weights` float32 (f,) and `bias` float32 ()."""

    file: str


class CloseCard(Part):
    """The network of the close look where it is another one than model.onnx: the same in 8 bits."""

    file: str


class Thresholds(Part):
    """All operating points of the model; each says in the card on which data it was chosen."""

    parcel: FoundThreshold
    shipping_label: LabelThreshold
    marks: dict[str, MarkThreshold | str]
    integrity: IntegrityThreshold
    damage_map: dict[str, Unit | str]


class AdaptedCard(Part):
    """Of a model that a bench taught itself (`lastlook adapt`).

    base: name/version of the model whose network it is and whose head it began with. pictures: sha256 of the photos it
    learnt from, so that nobody measures it on them.
    """

    base: str
    pictures: tuple[str, ...]


class ParcelCard(Card):
    """The card of a network that finds parcels and judges whether they are damaged.

    close: who takes the close look, from 0.5.0 on; model.onnx itself where there is none.
    """

    name: Literal["parcel"]
    input: InputCard
    classes: tuple[str, ...]
    damage_kinds: tuple[str, ...]
    head: HeadCard
    close: CloseCard | None = None
    crop_margin: Annotated[float, Field(ge=0, le=1)]
    nms_iou: Unit
    calibration: PlattCard
    thresholds: Thresholds
    adapted: AdaptedCard | None = None

    @model_validator(mode="after")
    def _parts_are_verified(self) -> Self:
        for name, part in (("head", self.head), ("close", self.close)):
            if part is not None and part.file not in self.files:
                raise ValueError(f"{name}: {part.file} is not among the files")
        return self


class AlikeThreshold(Part):
    """On the cosine of two descriptions: from `alike` on two things are hard to tell apart."""

    alike: Annotated[float, Field(ge=-1, le=1)]


class ContentsCard(Part):
    """How what speaks for an item becomes the log odds that it is there: sum of weights[name] * evidence[name] + bias.

    A piece is there from the probability `present` on, one beyond the quantity from `extra` on, and it is surely not
    there up to `missing`; between, a person looks.
    """

    weights: dict[str, float]
    bias: float
    present: Unit
    missing: Unit
    extra: Unit


class EmbedderCard(Card):
    """The card of a network that describes things so that they are known again.

    crop_side: pixels a side of the square in which a crop is shown. stride: pixels a cell of the map. dim: length of a
    description.
    """

    name: Literal["embedder"]
    crop_side: Annotated[int, Field(gt=0, multiple_of=32)]
    stride: Annotated[int, Field(gt=0)]
    dim: Annotated[int, Field(gt=0)]
    thresholds: AlikeThreshold
    contents: ContentsCard


class FinderCard(Part):
    """The network that says where on a parcel a mark may be.

    file: the network. side: pixels a side of its input. found: from this probability on a place is read. most: so many
    places are read at most. weight: how much its own log odds of a place count beside the mean of the reader's.
    """

    file: str
    side: Annotated[int, Field(gt=0)]
    found: Unit
    most: Annotated[int, Field(gt=0)]
    weight: Annotated[float, Field(ge=0)] = 0.0


class StripCard(Part):
    """The network that is shown what is wide, as words are: a strip of its middle, with more pixels a letter.

    file: the network. width, height: pixels of its input. wide: from this ratio of width to height on it is asked.
    tall: a strip is at least so many times as wide as the mark in it is high.
    """

    file: str
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    wide: Annotated[float, Field(ge=1)]
    tall: Annotated[float, Field(ge=1)]


class UprightCard(Part):
    """The network that takes the closer looks, at marks set upright: it is shown as many pixels as the reader."""

    file: str


class MarksThresholds(Part):
    """Operating points by mark; a sentence in the place of one says why there is none."""

    marks: dict[str, MarkThreshold | str]


class MarksCard(Card):
    """The card of the networks that find and read handling marks; `input` is the reader's, model.onnx.

    marks: in the order of the reader's answer. crop_margin: what the finder sees around the parcel, in shares of it.
    nms_iou: of two readings of one mark that overlap by more, the better stays. upright: who looks closer, from 0.6.0
    on; the reader itself where there is none. strips: who reads words, from 0.5.0 on.
    second_look: how a place is shown to the reader again; one that was made for anything else (0.1.0) would read turned
    marks wrong without a word.
    """

    name: Literal["marks"]
    second_look: Literal["upright"]
    input: InputCard
    finder: FinderCard
    upright: UprightCard | None = None
    strips: StripCard | None = None
    marks: tuple[str, ...]
    crop_margin: Annotated[float, Field(ge=0, le=1)]
    nms_iou: Unit
    thresholds: MarksThresholds


CARDS: dict[str, type[Card]] = {"parcel": ParcelCard, "embedder": EmbedderCard, "marks": MarksCard}
"""The card of each kind of model, by the model's name. A new kind adds its class here and an overload to `load`."""
