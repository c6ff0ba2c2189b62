"""Any courier with HTTP and JSON, described in TOML instead of code (docs/couriers.md shows how)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import quote

from api.shipments.carriers.fetch import Fetcher, Unanswered, said
from api.shipments.carriers.outcome import Failed, NotFound, Outcome, Rejected, RetryAfter, every, tracked
from api.shipments.tracking import Status, TrackingEvent, event

log = logging.getLogger(__name__)

BLAMED_ON_THE_BATCH = frozenset({400, 404, 422})
"""With one of these a courier may refuse a whole batch for one number: the halves are asked on their own."""


@dataclass(frozen=True, slots=True)
class Question:
    """How to ask. url and body hold {number} or {numbers}: percent-encoded in the url, as JSON in the body."""

    url: str
    method: str = "GET"
    body: str | None = None
    separator: str = ","
    batch_size: int = 1

    def fill(self, numbers: Sequence[str]) -> tuple[str, bytes | None]:
        """The URL and the body for these numbers."""
        joined = self.separator.join(quote(number, safe="") for number in numbers)
        url = self.url.replace("{numbers}", joined).replace("{number}", quote(numbers[0], safe=""))
        if self.body is None:
            return url, None
        filled = self.body.replace("{numbers}", json.dumps(list(numbers))).replace("{number}", json.dumps(numbers[0]))
        return url, filled.encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """Where things are. A path is keys joined by dots ("data.0.events"); "" is the thing itself.

    parcels: the list of parcels, or an object keyed by number; None when the answer is one parcel. number, error,
    status, events: within a parcel. time (one path, or several whose texts are joined by a blank), word, text, place:
    within an event.
    """

    parcels: str | None
    number: str | None
    events: str
    time: tuple[str, ...]
    word: str
    text: str | None = None
    place: str | None = None
    error: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """How the courier says things. words: its status words, casefolded, in ours, each with its reason.

    time_format: "iso", "epoch" (seconds), "epoch_ms", or a strptime format. zone: for times that name none.
    """

    words: Mapping[str, tuple[Status, str | None]]
    time_format: str = "iso"
    zone: tzinfo = UTC

    def status(self, word: object) -> tuple[Status, str | None]:
        """Our status; a word that the table lacks is `in_transit` and says so in the reason."""
        said_word = str(word) if isinstance(word, str | int) and not isinstance(word, bool) else ""
        known = self.words.get(said_word.strip().casefold()) or self.words.get("*")
        return known or (Status.IN_TRANSIT, f"unmapped: {said(said_word, 40)}" if said_word else None)

    def moment(self, raw: Sequence[object]) -> tuple[datetime, bool]:
        """UTC, and whether the courier named the zone. Raises ValueError for what is no time in this format."""
        try:
            if self.time_format in ("epoch", "epoch_ms"):
                scale = 1000 if self.time_format == "epoch_ms" else 1
                return datetime.fromtimestamp(float(str(raw[0])) / scale, UTC), True
            text = " ".join(part for part in raw if isinstance(part, str)).strip()
            if self.time_format == "iso":
                moment = datetime.fromisoformat(text)
            else:
                moment = datetime.strptime(text, self.time_format)  # noqa: DTZ007 - the zone is added below
            zoned = moment.tzinfo is not None
            return (moment if zoned else moment.replace(tzinfo=self.zone)).astimezone(UTC), zoned
        except (OverflowError, OSError) as error:
            raise ValueError(f"no time we can keep: {said(raw)}") from error


class DeclaredCarrier:
    """CarrierClient for a courier that a TOML file describes."""

    def __init__(
        self,
        fetcher: Fetcher,
        question: Question,
        answer: Answer,
        language: Language,
        *,
        requests_per_second: float = 1.0,
    ) -> None:
        self._fetcher, self._question, self._answer, self._language = fetcher, question, answer, language
        self.batch_size = question.batch_size
        self.requests_per_second = requests_per_second

    def track(self, numbers: Sequence[str]) -> Mapping[str, Outcome]:
        """One request; more only when the courier blames the whole batch for one number."""
        url, body = self._question.fill(numbers)
        try:
            document = self._fetcher.json(self._question.method, url, body)
        except Unanswered as error:
            if error.status in BLAMED_ON_THE_BATCH:
                return self._halves(numbers, error)
            return dict.fromkeys(numbers, error.outcome)
        return every(numbers, self._read(numbers, document))

    def close(self) -> None:
        """Give the connections back."""
        self._fetcher.close()

    def _halves(self, numbers: Sequence[str], error: Unanswered) -> Mapping[str, Outcome]:
        if len(numbers) == 1:
            refused = Rejected(f"the courier refuses this number (HTTP {error.status})")
            return {numbers[0]: NotFound() if error.status == 404 else refused}
        middle = len(numbers) // 2
        first = self.track(numbers[:middle])
        patience = next((outcome for outcome in first.values() if isinstance(outcome, RetryAfter)), None)
        rest = dict.fromkeys(numbers[middle:], patience) if patience else self.track(numbers[middle:])
        return {**first, **rest}

    def _read(self, numbers: Sequence[str], document: Any) -> dict[str, Outcome]:
        answer = self._answer
        if answer.parcels is None:
            return {numbers[0]: self._parcel(document)}
        listed = at(document, answer.parcels)
        if not isinstance(listed, list | dict):
            failed = Failed(f"the courier's answer has no parcels at {answer.parcels!r}")
            return dict.fromkeys(numbers, failed)
        return {number: self._parcel(parcel) for number, parcel in self._numbered(listed)}

    def _numbered(self, listed: list[Any] | dict[str, Any]) -> Iterator[tuple[str, Any]]:
        if isinstance(listed, dict):
            yield from listed.items()
            return
        for parcel in listed:
            number = at(parcel, self._answer.number or "")
            if isinstance(number, str | int):
                yield str(number), parcel

    def _parcel(self, parcel: Any) -> Outcome:
        answer = self._answer
        if parcel is None:
            return NotFound()
        if answer.error is not None and (error := at(parcel, answer.error)):
            return Rejected(f"the courier says: {said(error)}")
        raws = at(parcel, answer.events)
        if raws is not None and not isinstance(raws, list):
            return Failed(f"the courier's answer has no list of events at {answer.events!r}")
        events: list[TrackingEvent] = []
        broken = 0
        for raw in raws or []:
            try:
                events.append(self._event(raw))
            except ValueError:
                broken += 1
        if broken and not events:
            return Failed("no event in the courier's answer for this number could be read; check `time` and its format")
        if broken:
            log.warning("a courier sent events that cannot be read; the others were kept", extra={"broken": broken})
        word = None if answer.status is None else at(parcel, answer.status)
        if not events and word is None:
            return NotFound()
        summary, reason = (None, None) if word is None else self._language.status(word)
        return tracked(events, summary, reason)

    def _event(self, raw: Any) -> TrackingEvent:
        if not isinstance(raw, dict | list):
            raise ValueError("not an event")  # noqa: TRY004 - bad input, not a wrong call
        answer = self._answer
        moment, zoned = self._language.moment([at(raw, path) for path in answer.time])
        status, reason = self._language.status(at(raw, answer.word))
        text = at(raw, answer.text) if answer.text is not None else None
        place = at(raw, answer.place) if answer.place is not None else None
        return event(
            moment,
            status,
            text if isinstance(text, str) else "",
            place if isinstance(place, str) else "",
            reason,
            zoned=zoned,
        )


def at(document: Any, path: str) -> Any:
    """What lies at a dotted path, or None. Numbers index lists."""
    for key in path.split(".") if path else []:
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.lstrip("-").isdigit() and -len(document) <= int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document
