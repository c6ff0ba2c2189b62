"""The couriers' TOML file: read, checked, and errors that name the key to correct."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from api.context import Clock, utc_now
from api.shipments.carriers.declared import Answer, DeclaredCarrier, Language, Question
from api.shipments.carriers.fetch import Fetcher, Limits, is_loopback
from api.shipments.carriers.outcome import CarrierClient
from api.shipments.carriers.seventeentrack import BASE_URL, MAX_PER_SECOND, SeventeenTrack
from api.shipments.tracking import Status

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class CarrierSettingsError(ValueError):
    """The file cannot be used; the message names the file and the key."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name!r}; use an IANA name such as Asia/Shanghai") from None
    return name


def _safe_url(url: str) -> str:
    try:
        loopback = is_loopback(url.replace("{numbers}", "1").replace("{number}", "1"))
    except Exception as error:  # httpx.InvalidURL is no ValueError
        raise ValueError(f"not a url: {error}") from error
    if not url.startswith("https://") and not (loopback and url.startswith("http://")):
        raise ValueError("must begin with https:// (http:// only for this machine), or the key travels in the open")
    return url


class _Carrier(BaseModel):
    """What every courier may set. Unknown keys are refused, so that a typo never becomes a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    connect_seconds: Annotated[float, Field(gt=0, le=120)] = 5.0
    read_seconds: Annotated[float, Field(gt=0, le=120)] = 15.0
    total_seconds: Annotated[float, Field(gt=0, le=300)] = 45.0

    @property
    def limits(self) -> Limits:
        """The limits of one request."""
        return Limits(connect=self.connect_seconds, read=self.read_seconds, total=self.total_seconds)


class SeventeenTrackSettings(_Carrier):
    """A courier followed through 17TRACK. key_env: the environment variable that holds the key."""

    kind: Literal["17track"]
    key_env: str = "SEVENTEENTRACK_KEY"
    carrier_code: int | None = None
    base_url: Annotated[str, AfterValidator(_safe_url)] = BASE_URL
    requests_per_second: Annotated[float, Field(gt=0, le=100)] = MAX_PER_SECOND

    def client(self, environment: Mapping[str, str], clock: Clock) -> CarrierClient:
        """Raises KeyError when the key is not in the environment."""
        fetcher = Fetcher(self.base_url, {"17token": environment[self.key_env]}, self.limits, clock=clock)
        return SeventeenTrack(
            fetcher,
            base_url=self.base_url,
            carrier_code=self.carrier_code,
            zone=ZoneInfo(self.zone),
            requests_per_second=self.requests_per_second,
        )


class AnswerSettings(BaseModel):
    """Where the JSON holds what. Paths are keys joined by dots."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parcels: str | None = None
    number: str | None = None
    error: str | None = None
    status: str | None = None
    events: str
    time: str | tuple[str, ...]
    event_status: str
    text: str | None = None
    place: str | None = None


class DeclaredSettings(_Carrier):
    """A courier with its own HTTP and JSON."""

    kind: Literal["http"]
    url: Annotated[str, AfterValidator(_safe_url)]
    method: Literal["GET", "POST"] = "GET"
    headers: dict[str, str] = {}
    body: str | None = None
    separator: str = ","
    batch_size: Annotated[int, Field(ge=1, le=500)] = 1
    requests_per_second: Annotated[float, Field(gt=0, le=100)] = 1.0
    time_format: Annotated[str, Field(min_length=1)] = "iso"
    answer: AnswerSettings
    statuses: Annotated[dict[str, str], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> DeclaredSettings:
        where = self.url + (self.body or "")
        if "{number}" not in where and "{numbers}" not in where:
            raise ValueError("url (or body) must hold {number} or {numbers}")
        if self.batch_size > 1 and "{numbers}" not in where:
            raise ValueError("batch_size above 1 needs {numbers} in url or body")
        if self.batch_size > 1 and self.answer.parcels is None:
            raise ValueError("batch_size above 1 needs answer.parcels, the path to the list of parcels")
        for word, ours in self.statuses.items():
            if ours.partition(":")[0] not in set(Status):
                raise ValueError(f"statuses.{word} is {ours!r}; it must be one of {', '.join(Status)}")
        return self

    def client(self, environment: Mapping[str, str], clock: Clock) -> CarrierClient:
        """Raises KeyError when a variable in a header is not in the environment."""
        headers = {
            name: _VARIABLE.sub(lambda found: environment[found[1]], value) for name, value in self.headers.items()
        }
        shape = self.answer
        return DeclaredCarrier(
            Fetcher(self.url.split("{")[0], headers, self.limits, clock=clock),
            Question(self.url, self.method, self.body, self.separator, self.batch_size),
            Answer(
                parcels=shape.parcels,
                number=shape.number,
                events=shape.events,
                time=(shape.time,) if isinstance(shape.time, str) else shape.time,
                word=shape.event_status,
                text=shape.text,
                place=shape.place,
                error=shape.error,
                status=shape.status,
            ),
            Language(
                {word.strip().casefold(): _ours(status) for word, status in self.statuses.items()},
                self.time_format,
                ZoneInfo(self.zone),
            ),
            requests_per_second=self.requests_per_second,
        )


CarrierSettings = Annotated[SeventeenTrackSettings | DeclaredSettings, Field(discriminator="kind")]
CarrierName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class CarriersFile(BaseModel):
    """The whole file: [carriers.NAME] for each courier, by the name that dispatches use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    carriers: dict[CarrierName, CarrierSettings] = {}


def read_carriers(path: Path) -> CarriersFile:
    """The checked file. Raises CarrierSettingsError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CarrierSettingsError(f"{path} cannot be read ({error.strerror}); set LASTLOOK_CARRIERS right") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CarrierSettingsError(f"{path} is not TOML: {error}") from error
    try:
        return CarriersFile.model_validate(document)
    except ValidationError as error:
        # the value itself stays out of the message: somebody may have written a key where only its name belongs
        lines = [f"  {_key(problem['loc'])}: {problem['msg']}" for problem in error.errors(include_input=False)]
        raise CarrierSettingsError(f"{path} cannot be used:\n" + "\n".join(lines)) from None


def load_carriers(
    path: Path | None, environment: Mapping[str, str] = os.environ, clock: Clock = utc_now
) -> dict[str, CarrierClient]:
    """A client for each courier of the file, by name; none without a file. Raises CarrierSettingsError.

    clock: what a courier's "come back at that hour" is compared with.
    """
    if path is None:
        return {}
    clients: dict[str, CarrierClient] = {}
    for name, settings in read_carriers(path).carriers.items():
        try:
            clients[name] = settings.client(environment, clock)
        except KeyError as missing:
            close_all(clients)
            raise CarrierSettingsError(
                f"{path}: carriers.{name} needs the environment variable {missing.args[0]}, which is not set"
            ) from None
    return clients


def close_all(clients: Mapping[str, CarrierClient]) -> None:
    """Give every connection back."""
    for client in clients.values():
        client.close()


def _ours(text: str) -> tuple[Status, str | None]:
    status, _, reason = text.partition(":")
    return Status(status), reason.strip() or None


def _key(location: tuple[int | str, ...]) -> str:
    # pydantic names the member of the union in the path; the file has no such key
    return ".".join(str(part) for part in location if part not in ("17track", "http"))
