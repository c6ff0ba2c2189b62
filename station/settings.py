"""What a bench is told: its camera, its API, its people. Flags beat the environment, which beats the TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from inspector.wire import Name
from station.approval import known_hash
from station.sources import CameraSource


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is not the address of an API; write it like http://127.0.0.1:8321")
    return url.rstrip("/")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Approver(_Part):
    """Somebody who may release a held parcel. pin: what `lastlook station hash-pin` printed, never the PIN itself."""

    name: Name
    pin: Annotated[str, AfterValidator(known_hash)]


class TriggerSettings(_Part):
    """auto: take the picture when the parcel rests. The other fields: see `station.trigger.Rules`."""

    auto: bool = True
    still: Annotated[float, Field(gt=0, lt=1)] = 0.006
    covered: Annotated[float, Field(gt=0, lt=1)] = 0.03
    settle: Annotated[int, Field(ge=2, le=100)] = 5
    sharp: Annotated[float, Field(ge=0, le=1)] = 0.7
    patience: Annotated[int, Field(ge=1, le=1000)] = 15


class StationSettings(BaseSettings):
    """One bench.

    name: how the records call it. camera: see `station.sources`; side_view: it sees parcels from their side, where the
    arrows of "this way up" must point up. api: where inspections are sent; key: what it lets
    us in with (scope station). data: folder of the spool; must be on a disk of this computer. host, port: the kiosk.
    operators: names to choose from at the kiosk. keep_days: how long pictures stay here after they were sent.
    engine: what runs the eye's networks (openvino is an extra); threads, providers: of ONNX Runtime.
    models: folder of this site's models (`lastlook models`); what
    LASTLOOK_MODELS or LASTLOOK_DATA tell all commands unless set. gallery: file of the taught items, which follows the
    API's; gallery.sqlite in `data` unless set.
    """

    model_config = SettingsConfigDict(
        env_prefix="LASTLOOK_STATION_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    name: Name = "bench-1"
    camera: CameraSource
    side_view: bool = False
    api: Annotated[str, AfterValidator(_http_url)] = "http://127.0.0.1:8321"
    key: SecretStr | None = None
    key_file: Path | None = None
    data: Path = Path("lastlook-data/station")
    host: Literal["127.0.0.1", "localhost", "::1"] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8322
    language: Literal["en", "zh"] = "en"
    operators: tuple[Name, ...] = ()
    approvers: tuple[Approver, ...] = ()
    trigger: TriggerSettings = TriggerSettings()
    models: Path | None = None
    engine: Literal["onnxruntime", "openvino"] = "onnxruntime"
    threads: Annotated[int, Field(ge=1, le=64)] = 2
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    gallery: Path | None = None
    keep_days: Annotated[float, Field(ge=0, le=365)] = 3.0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def read_key(self) -> str | None:
        """The API key: from the environment, else from its file, read anew each time so that it can be replaced.

        Raises OSError when the file cannot be read.
        """
        if self.key is not None:
            return self.key.get_secret_value().strip() or None
        return self.key_file.read_text(encoding="utf-8").strip() or None if self.key_file else None


def read_settings(file: Path | None = None, **flags: object) -> StationSettings:
    """Settings from flags (those that are not None), environment and a TOML file. Raises pydantic's ValidationError,
    and OSError or tomllib.TOMLDecodeError when the file cannot be read.
    """
    if file is not None:
        file.open("rb").close()  # pydantic-settings passes over a missing file in silence

    class FromFile(StationSettings):
        model_config = SettingsConfigDict(toml_file=file)

    given = {name: value for name, value in flags.items() if value is not None}
    return FromFile(**given)  # type: ignore[arg-type]  # validated by pydantic
