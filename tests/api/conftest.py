"""A warehouse per test, on SQLite and on a real PostgreSQL, with its own clock and keys."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest

from api.app import create_app
from api.context import Services
from api.migrations import migrate
from api.security import Scope, create_key
from api.settings import Settings
from inspector.frame import Frame
from inspector.gallery import Gallery
from inspector.spec import Check, PackingSpec
from inspector.verdict import CheckResult, Decision, Finding, ModelRef, Parcel, Result, Verdict, skipped
from tests.inspector.likeness import ColourEmbedder

with warnings.catch_warnings():
    # Starlette would rather have httpx2; the product itself speaks httpx, and two HTTP clients are one too many
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

hypothesis.settings.register_profile("api", deadline=None)  # a busy machine is no finding
hypothesis.settings.load_profile("api")


class Clock:
    """A clock that goes only when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        """clock.advance(hours=2)"""
        self.now += timedelta(**span)


@dataclass
class DarkEye:
    """An eye with one rule that a test can see through: a dark picture shows a torn parcel, all else is fine.

    It obeys the contract of inspector.Inspector: pure, judges all frames together, golden() raises when broken.
    """

    broken: str | None = None
    seen: list[tuple[int, PackingSpec]] = field(default_factory=list)
    models: tuple[ModelRef, ...] = (ModelRef("dark", "0.0.1", "0" * 64),)

    def inspect(
        self, frames: Sequence[Frame], spec: PackingSpec = PackingSpec(), weight_g: float | None = None
    ) -> Verdict:
        self.seen.append((len(frames), spec))
        darkness = 1 - max(float(frame.bgr.mean()) for frame in frames) / 255
        torn = darkness > 0.5
        tear = Finding("tear", 0.6, darkness, (1, 2, 3, 4), "torn on the left side")
        integrity = CheckResult(
            Check.INTEGRITY, Result.FAIL if torn else Result.PASS, darkness, 0.5, (tear,) if torn else ()
        )
        others = [
            CheckResult(check, Result.PASS) if check in spec.required else skipped(check, "not asked")
            for check in Check
            if check is not Check.INTEGRITY
        ]
        return Verdict(
            Decision.HOLD if torn else Decision.RELEASE,
            ("torn on the left side",) if torn else (),
            {check.check: check for check in (integrity, *others)},
            (Parcel((0, 0, 10, 10), 0.9),),
            (ModelRef("dark", "0.0.1", "0" * 64),),
            weight_g=weight_g,
            timings_ms={"total": 1.0},
        )

    def golden(self) -> None:
        if self.broken:
            raise RuntimeError(self.broken)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def eye() -> DarkEye:
    return DarkEye()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied: cheaper than migrating for each test."""
    path = tmp_path_factory.mktemp("template") / "lastlook.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database. On SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "data" / "lastlook.sqlite3"
        path.parent.mkdir()
        source = sqlite3.connect(request.getfixturevalue("sqlite_template"))
        target = sqlite3.connect(path)
        with source, target:
            source.backup(target)
        source.close()
        target.close()
        yield f"sqlite:///{path}"
        return
    with request.getfixturevalue("new_postgres_database")() as url:
        yield url


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(data=tmp_path / "data", database_url=database_url, max_body_bytes=2_000_000)


@pytest.fixture
def client(settings: Settings, eye: DarkEye, clock: Clock) -> Iterator[TestClient]:
    """A client without a key: pass `headers=keys[...]`."""
    app = create_app(settings, eye, clock, gallery=Gallery.open(settings.gallery_file, ColourEmbedder()))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def services(client: TestClient) -> Services:
    """The app's own services, to look behind the API or to run a job: `job.run(services, threading.Event())`."""
    found: Services = client.app.state.services  # type: ignore[attr-defined]  # TestClient types app as a callable
    return found


@pytest.fixture
def keys(services: Services) -> dict[str, dict[str, str]]:
    """Headers per scope: client.get(..., headers=keys["station"])."""
    with services.database.writing() as session:
        tokens = {scope.value: create_key(session, scope.value, [scope], services.clock()) for scope in Scope}
    return {scope: {"Authorization": f"Bearer {token}"} for scope, token in tokens.items()}
