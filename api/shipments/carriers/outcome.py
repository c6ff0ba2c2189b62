"""What asking a courier can end in, for each number on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from api.shipments.tracking import Status, TrackingEvent, in_order, latest


@dataclass(frozen=True, slots=True)
class Tracked:
    """The courier knows the parcel. summary: the courier's own idea of the status, where it has one."""

    events: tuple[TrackingEvent, ...]
    summary: Status | None = None
    reason: str | None = None

    @property
    def status(self) -> Status | None:
        """The courier's summary, else what the events say."""
        newest = latest(self.events)
        return self.summary or (newest.status if newest else None)


@dataclass(frozen=True, slots=True)
class NotFound:
    """The courier has not seen the parcel yet: normal in the first days."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The courier refuses this number; asking again the same way will not help."""

    reason: str


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """The courier asks for patience. It holds for every number of this courier, not only for this one."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """Something went wrong on the way or in the answer; asking again later may help."""

    reason: str


Outcome = Tracked | NotFound | Rejected | RetryAfter | Failed


class CarrierClient(Protocol):
    """One courier as the poller sees it. Thread-safe; close it when done."""

    @property
    def batch_size(self) -> int:
        """How many numbers one call may ask for."""
        ...

    @property
    def requests_per_second(self) -> float:
        """How often the courier allows to be called."""
        ...

    def track(self, numbers: Sequence[str]) -> Mapping[str, Outcome]:
        """Ask for at most `batch_size` numbers. Every number has an outcome; never raises for what a courier does."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


def every(numbers: Sequence[str], found: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """An outcome for each number asked, matched without regard to case and blanks; a missing one has failed."""
    answered = {plain(number): outcome for number, outcome in found.items()}
    missing = Failed("the courier's answer does not mention this number")
    return {number: answered.get(plain(number), missing) for number in numbers}


def plain(number: str) -> str:
    """A tracking number as couriers compare it."""
    return "".join(number.split()).upper()


def tracked(events: Sequence[TrackingEvent], summary: Status | None = None, reason: str | None = None) -> Tracked:
    """Events in order and each once."""
    return Tracked(in_order(events), summary, reason)
