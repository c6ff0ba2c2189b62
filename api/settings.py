"""What a person may set: environment variables that start with LASTLOOK_, or the options of `lastlook serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; use an IANA name such as Asia/Shanghai or UTC") from error
    return name


class Settings(BaseSettings):
    """Every setting has a default that works on one laptop.

    data: the folder that holds everything by default (database, pictures). database_url: SQLite in `data` unless set;
    `postgresql://user:password@host/name` where several processes share one database. evidence_url: where pictures go;
    a folder in `data` unless set, else what obstore takes (s3://bucket/prefix, gs://, az://; credentials from the
    provider's own variables). zone: whose midnight ends a local day. carriers: a TOML file that names the carriers.
    engine: what runs the eye's networks (openvino is an extra); threads, providers: of ONNX Runtime; providers is a
    JSON list, in order of preference. side_view: the pictures show parcels from their side, where the arrows of
    "this way up" must point up. models: folder of this site's models (`lastlook models`); `models` in `data`
    unless set. gallery: file of the taught items (`lastlook items`); `gallery.sqlite` in `data` unless set.
    """

    model_config = SettingsConfigDict(env_prefix="LASTLOOK_", extra="ignore")

    data: Path = Path("lastlook-data")
    database_url: str | None = None
    evidence_url: str | None = None
    zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8321
    carriers: Path | None = None
    side_view: bool = False
    models: Path | None = None
    gallery: Path | None = None
    engine: Literal["onnxruntime", "openvino"] = "onnxruntime"
    threads: Annotated[int, Field(ge=1, le=64)] = 2
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    max_body_bytes: Annotated[int, Field(gt=0)] = 64 * MEBIBYTE
    max_picture_bytes: Annotated[int, Field(gt=0)] = 20 * MEBIBYTE
    customer_days: Annotated[int, Field(ge=0)] = 60
    """Days after the promise until names, mail addresses and telephone numbers are erased."""

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.data.resolve() / 'lastlook.sqlite3'}"

    @property
    def gallery_file(self) -> Path:
        """Where the taught items are."""
        return self.gallery or self.data.resolve() / "gallery.sqlite"

    @property
    def local_zone(self) -> ZoneInfo:
        """The zone whose midnight ends a day in reports."""
        return ZoneInfo(self.zone)
