"""What a parcel must hold and show: the packing spec."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

MARKS = (
    "fragile",
    "this_way_up",
    "keep_dry",
    "handle_with_care",
    "do_not_stack",
    "lithium_battery",
    "keep_away_from_sun",
)
"""Handling marks that a spec may ask for (ISO 780 and friends; text marks count too)."""


class Stage(StrEnum):
    """When in the packing a picture was taken."""

    OPEN = "open"
    SEALED = "sealed"


class Check(StrEnum):
    """The four things that are looked at."""

    INTEGRITY = "integrity"
    CONTENTS = "contents"
    MARKS = "marks"
    LABEL = "label"


STAGE_OF = {
    Check.INTEGRITY: Stage.SEALED,
    Check.CONTENTS: Stage.OPEN,
    Check.MARKS: Stage.SEALED,
    Check.LABEL: Stage.SEALED,
}
"""The stage in whose pictures each check can be made."""


@dataclass(frozen=True, slots=True)
class ExpectedItem:
    """One line of the packing list. quantity: at least 1."""

    item: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class PackingSpec:
    """What this parcel must hold (`items`) and show (`marks`), and what was promised.

    packaging: "carton", "mailer" or None when either will do. tracking_number: the number that the label must carry.
    promised_by: the last day on which the customer was told to expect it, in `zone` (an IANA name).
    """

    items: tuple[ExpectedItem, ...] = ()
    marks: frozenset[str] = frozenset()
    packaging: str | None = None
    tracking_number: str | None = None
    promised_by: date | None = None
    zone: str | None = None

    @property
    def required(self) -> frozenset[Check]:
        """The checks without which this parcel cannot be released."""
        asked = {
            Check.INTEGRITY: True,
            Check.CONTENTS: bool(self.items),
            Check.MARKS: bool(self.marks),
            Check.LABEL: self.tracking_number is not None,
        }
        return frozenset(check for check, wanted in asked.items() if wanted)
