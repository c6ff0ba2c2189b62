"""One parcel's whole way with real processes: `lastlook demo`, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process


def _demo(out: Path, environment: dict[str, str]) -> tuple[str, Path]:
    done = subprocess.run(
        [sys.executable, "-m", "lastlook", "demo", "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = out.iterdir()
    return done.stdout, run


def _check(told: str, run: Path) -> None:
    assert "RELEASE" in told, "no parcel was found whole"
    assert "Refused: 409" in told, "the gate held nothing"
    assert "late by" in told, "nobody was told that a parcel is late"
    report = json.loads(next(run.glob("report-*.json")).read_text("utf-8"))
    assert report["totals"]["presented"] == 11
    for lang in ("en", "zh"):
        (page,) = run.glob(f"report-*-{lang}.html")
        assert page.stat().st_size > 5_000
    assert len(list((run / "pictures").glob("*.jpg"))) == 12


def test_the_demo_walks_through_every_room_on_sqlite(tmp_path: Path) -> None:
    told, run = _demo(tmp_path / "out", {})
    _check(told, run)
    assert (run / "data" / "lastlook.sqlite3").exists()


@pytest.mark.postgres
def test_the_demo_walks_through_every_room_on_postgresql(tmp_path: Path, empty_postgres: str) -> None:
    told, run = _demo(tmp_path / "out", {"LASTLOOK_DATABASE_URL": empty_postgres})
    _check(told, run)
    assert not (run / "data" / "lastlook.sqlite3").exists()
