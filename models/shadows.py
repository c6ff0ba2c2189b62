"""What a shadow said: one JSON object a line, appended as the parcels come, and read to see how often it agreed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = "shadow"
LAST = 10
"""Differences that are named; all are in the record."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A parcel on which the two differ. inspection: None for what was not recorded."""

    at: str
    by: str
    inspection: str | None
    active: str
    shadow: str


@dataclass(slots=True)
class Agreement:
    """How a shadow did beside one active model. stricter: it held what was released. laxer: the other way round.

    other: both differ, and one of the two is a retake. differences: the newest, newest last.
    """

    judged: int = 0
    agreed: int = 0
    stricter: int = 0
    laxer: int = 0
    other: int = 0
    first: str | None = None
    last: str | None = None
    differences: list[Difference] = field(default_factory=list)

    def count(self, line: Mapping[str, Any]) -> None:
        """One more parcel that both judged."""
        active, shadow = line["active"]["verdict"], line["shadow"]["verdict"]
        self.judged += 1
        self.first, self.last = self.first or line["at"], line["at"]
        if active == shadow:
            self.agreed += 1
            return
        self.stricter += (active, shadow) == ("release", "hold")
        self.laxer += (active, shadow) == ("hold", "release")
        self.other += "retake" in (active, shadow)
        told = Difference(line["at"], line["by"], line["inspection"], active, shadow)
        self.differences = [*self.differences, told][-LAST:]


@dataclass(slots=True)
class ShadowTally:
    """A whole record. beside: by the active model (name/version) that answered. failed: parcels, or whole starts, on
    which the shadow could not answer; last_failure says why. dropped: came too fast. unreadable: lines cut short.
    """

    beside: dict[str, Agreement] = field(default_factory=dict)
    failed: int = 0
    last_failure: str | None = None
    dropped: int = 0
    unreadable: int = 0


class ShadowRecord:
    """The record of one shadow. Any number of processes may add to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, site: Path, ref: str) -> ShadowRecord:
        """In the folder of a site's models. ref: name/version."""
        return cls(site / FOLDER / f"{ref.replace('/', '-')}.jsonl")

    def add(self, told: Mapping[str, Any]) -> None:
        """Append one line, in one write. Raises OSError.

        Not forced to the disk: that would make the bench's own records wait. A line that a power cut left half written
        stays one bad line.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(told, ensure_ascii=False).encode() + b"\n"
        with self.path.open("ab") as file:
            if _cut_short(self.path):
                line = b"\n" + line
            file.write(line)

    def lines(self) -> Iterator[dict[str, Any] | None]:
        """Every line, None for one that cannot be read. Nothing when there is no record."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            for line in file:
                if line == b"\n":  # two wrote at once, and one took the other's unfinished line for one cut short
                    continue
                try:
                    told = json.loads(line)
                except ValueError:
                    told = None
                yield told if isinstance(told, dict) else None

    def tally(self) -> ShadowTally:
        """Count all lines."""
        tally = ShadowTally()
        for line in self.lines():
            try:
                if line is None:
                    tally.unreadable += 1
                elif "dropped" in line:
                    tally.dropped += int(line["dropped"])
                elif "failed" in line:
                    tally.failed += 1
                    tally.last_failure = str(line["failed"])
                else:
                    tally.beside.setdefault(line["beside"] or "unknown", Agreement()).count(line)
            except (KeyError, TypeError, ValueError):
                tally.unreadable += 1
        return tally


def _cut_short(path: Path) -> bool:
    """True when the file does not end with a whole line."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
        return end > 0 and file.read(1) != b"\n"
