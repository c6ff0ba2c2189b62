"""17TRACK (API v2.2): one key for some two thousand couriers.

Shapes as documented at asset.17track.net/api/document/v2.2_en and help.17track.net (main and sub statuses, error
codes), read in stored copies; never run against the live service, which needs an account. Not documented, hence not
relied on: whether a 429 names a Retry-After.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from api.shipments.carriers.fetch import Fetcher, Unanswered, said
from api.shipments.carriers.outcome import Failed, NotFound, Outcome, Rejected, Tracked, every, tracked
from api.shipments.tracking import Status, TrackingEvent, event

log = logging.getLogger(__name__)

BASE_URL = "https://api.17track.net/track/v2.2"
MAX_NUMBERS = 40
MAX_PER_SECOND = 3.0

ALREADY_REGISTERED = -18019901
NOT_REGISTERED = -18019902
NO_INFORMATION_YET = -18019909
TRY_LATER = frozenset({-18010003, -18019907, -18019908})
"""Their fault, the day's limit, the quota: a later poll may succeed."""

STATUSES: Mapping[str, tuple[Status, str | None]] = {
    "NotFound": (Status.LABEL_CREATED, None),
    "NotFound_Other": (Status.LABEL_CREATED, None),
    "NotFound_InvalidCode": (Status.LABEL_CREATED, "invalid_number"),
    "InfoReceived": (Status.LABEL_CREATED, None),
    "InTransit": (Status.IN_TRANSIT, None),
    "InTransit_PickedUp": (Status.PICKED_UP, None),
    "InTransit_Other": (Status.IN_TRANSIT, None),
    "InTransit_Departure": (Status.IN_TRANSIT, None),
    "InTransit_Arrival": (Status.IN_TRANSIT, None),
    "InTransit_CustomsProcessing": (Status.CUSTOMS, "customs_processing"),
    "InTransit_CustomsReleased": (Status.CUSTOMS, "customs_released"),
    "InTransit_CustomsRequiringInformation": (Status.CUSTOMS, "customs_information_needed"),
    "Expired": (Status.EXPIRED, None),
    "Expired_Other": (Status.EXPIRED, None),
    "AvailableForPickup": (Status.READY_FOR_PICKUP, None),
    "AvailableForPickup_Other": (Status.READY_FOR_PICKUP, None),
    "OutForDelivery": (Status.OUT_FOR_DELIVERY, None),
    "OutForDelivery_Other": (Status.OUT_FOR_DELIVERY, None),
    "DeliveryFailure": (Status.ATTEMPT_FAILED, None),
    "DeliveryFailure_Other": (Status.ATTEMPT_FAILED, None),
    "DeliveryFailure_NoBody": (Status.ATTEMPT_FAILED, "consignee_not_available"),
    "DeliveryFailure_Security": (Status.ATTEMPT_FAILED, "security_or_fees"),
    "DeliveryFailure_Rejected": (Status.ATTEMPT_FAILED, "consignee_refused"),
    "DeliveryFailure_InvalidAddress": (Status.ATTEMPT_FAILED, "invalid_address"),
    "Delivered": (Status.DELIVERED, None),
    "Delivered_Other": (Status.DELIVERED, None),
    "Exception": (Status.EXCEPTION, None),
    "Exception_Other": (Status.EXCEPTION, None),
    "Exception_Returning": (Status.RETURNING, None),
    "Exception_Returned": (Status.RETURNED, None),
    "Exception_NoBody": (Status.EXCEPTION, "consignee_not_available"),
    "Exception_Security": (Status.EXCEPTION, "security_or_customs"),
    "Exception_Damage": (Status.EXCEPTION, "damaged"),
    "Exception_Rejected": (Status.EXCEPTION, "consignee_refused"),
    "Exception_Delayed": (Status.DELAYED, None),
    "Exception_Lost": (Status.EXCEPTION, "lost"),
    "Exception_Destroyed": (Status.EXCEPTION, "destroyed"),
    "Exception_Cancel": (Status.EXCEPTION, "cancelled"),
}
"""Their 9 main and 30 sub statuses in our words, with the reason where a sub status names one."""

STAGES: Mapping[str, tuple[Status, str | None]] = {
    "PickedUp": (Status.PICKED_UP, None),
    "Departure": (Status.IN_TRANSIT, None),
    "Arrival": (Status.IN_TRANSIT, None),
    "Returning": (Status.RETURNING, None),
    "Returned": (Status.RETURNED, None),
}
"""Milestones of an event that are no main status; the others have a main status's name."""


class SeventeenTrack:
    """CarrierClient for 17TRACK. A number that is not registered yet is registered, and found at a later poll.

    carrier_code: 17TRACK's number of the courier; None lets it guess from the tracking number.
    zone: for the rare event whose time has no zone.
    """

    batch_size = MAX_NUMBERS

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        base_url: str = BASE_URL,
        carrier_code: int | None = None,
        zone: tzinfo = UTC,
        requests_per_second: float = MAX_PER_SECOND,
    ) -> None:
        self._fetcher, self._base_url = fetcher, base_url.rstrip("/")
        self._carrier_code, self._zone = carrier_code, zone
        self.requests_per_second = requests_per_second

    def track(self, numbers: Sequence[str]) -> Mapping[str, Outcome]:
        """gettrackinfo, and register for those it does not know."""
        found, unknown = self._ask("gettrackinfo", numbers, self._of_track_info)
        if unknown:
            registered, _ = self._ask("register", unknown, lambda _entry: NotFound())
            found.update(registered)
        return every(numbers, found)

    def close(self) -> None:
        """Give the connections back."""
        self._fetcher.close()

    def _ask(
        self, endpoint: str, numbers: Sequence[str], of_accepted: Callable[[dict[str, Any]], Outcome]
    ) -> tuple[dict[str, Outcome], list[str]]:
        body = json.dumps([self._item(number) for number in numbers]).encode()
        try:
            answer = self._fetcher.json("POST", f"{self._base_url}/{endpoint}", body)
        except Unanswered as error:
            return dict.fromkeys(numbers, error.outcome), []
        envelope = answer if isinstance(answer, dict) else {}
        data = envelope.get("data")
        if envelope.get("code") != 0 or not isinstance(data, dict):
            reason = f"17TRACK answered error {said(envelope.get('code'))}{_detail(data)}"
            return dict.fromkeys(numbers, Failed(reason)), []
        found: dict[str, Outcome] = {}
        unknown: list[str] = []
        for number, entry in _entries(data.get("rejected")):
            outcome = _of_error(entry.get("error"))
            if outcome is None:
                unknown.append(number)
            else:
                found[number] = outcome
        for number, entry in _entries(data.get("accepted")):
            outcome = of_accepted(entry)
            # one number may come once per courier it was ever registered with: prefer the one that knows something
            if not isinstance(found.get(number), Tracked) or isinstance(outcome, Tracked):
                found[number] = outcome
        return found, [number for number in unknown if number not in found]

    def _item(self, number: str) -> dict[str, Any]:
        return {"number": number} if self._carrier_code is None else {"number": number, "carrier": self._carrier_code}

    def _of_track_info(self, entry: dict[str, Any]) -> Outcome:
        info = entry.get("track_info")
        if not isinstance(info, dict):
            return Failed("17TRACK's answer for this number has no track_info")
        latest = info.get("latest_status")
        latest = latest if isinstance(latest, dict) else {}
        summary, reason = _status(latest.get("sub_status"), latest.get("status"), unknown=None)
        if latest.get("status") == "NotFound":
            return Rejected("17TRACK calls the number invalid") if reason == "invalid_number" else NotFound()
        events, broken = self._events(info)
        if broken and not events:
            return Failed("no event in 17TRACK's answer for this number could be read")
        if broken:
            log.warning("17TRACK sent events that cannot be read; the others were kept", extra={"broken": broken})
        if not events and summary is None:
            return NotFound()
        return tracked(events, summary, reason)

    def _events(self, info: dict[str, Any]) -> tuple[list[TrackingEvent], int]:
        tracking = info.get("tracking")
        providers = tracking.get("providers") if isinstance(tracking, dict) else None
        events: list[TrackingEvent] = []
        broken = 0
        for provider in providers if isinstance(providers, list) else []:
            listed = provider.get("events") if isinstance(provider, dict) else None
            for raw in listed if isinstance(listed, list) else []:
                one = self._event(raw)
                if one is None:
                    broken += 1
                else:
                    events.append(one)
        return events, broken

    def _event(self, raw: Any) -> TrackingEvent | None:
        if not isinstance(raw, dict):
            return None
        moment = _moment(raw, self._zone)
        if moment is None:
            return None
        at, zoned = moment
        status, reason = _status(raw.get("sub_status"), raw.get("stage"), unknown=Status.IN_TRANSIT)
        text, place = raw.get("description"), raw.get("location")
        return event(
            at,
            status or Status.IN_TRANSIT,
            text if isinstance(text, str) else "",
            place if isinstance(place, str) else "",
            reason,
            zoned=zoned,
        )


def _status(sub: object, main: object, unknown: Status | None) -> tuple[Status | None, str | None]:
    for word in (sub, main):
        if isinstance(word, str) and (known := STATUSES.get(word) or STAGES.get(word)):
            return known
    # a sub status they add later still begins with its main status
    if isinstance(sub, str) and sub.split("_")[0] in STATUSES:
        return STATUSES[sub.split("_")[0]][0], None
    return unknown, None


def _moment(raw: dict[str, Any], zone: tzinfo) -> tuple[datetime, bool] | None:
    """time_utc, else time_iso, else time_raw; with whether the time had a zone."""
    pieces = raw.get("time_raw")
    pieces = pieces if isinstance(pieces, dict) else {}
    local = f"{pieces.get('date') or ''}T{pieces.get('time') or '00:00:00'}{pieces.get('timezone') or ''}"
    for text in (raw.get("time_utc"), raw.get("time_iso"), local):
        if not isinstance(text, str) or not text:
            continue
        try:
            moment = datetime.fromisoformat(text)
            return (moment.astimezone(UTC), True) if moment.tzinfo else (moment.replace(tzinfo=zone), False)
        except (ValueError, OverflowError):
            continue
    return None


def _entries(listed: Any) -> list[tuple[str, dict[str, Any]]]:
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [(entry["number"], entry) for entry in entries if isinstance(entry.get("number"), str)]


def _of_error(error: Any) -> Outcome | None:
    """What a rejected number means; None when it only has to be registered first."""
    error = error if isinstance(error, dict) else {}
    code = error.get("code")
    if code == NOT_REGISTERED:
        return None
    if code in (NO_INFORMATION_YET, ALREADY_REGISTERED):
        return NotFound()
    message = f"17TRACK: {said(error.get('message') or 'no reason given')} ({said(code)})"
    return Failed(message) if code in TRY_LATER else Rejected(message)


def _detail(data: Any) -> str:
    errors = data.get("errors") if isinstance(data, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return f": {said(first.get('message'))}" if isinstance(first, dict) and first.get("message") else ""
