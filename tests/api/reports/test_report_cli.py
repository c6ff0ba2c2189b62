"""`lastlook report`, as it is typed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.database import Database
from api.reports.cli import report
from tests.api.reports.realistic_day import DAY, warehouse


@pytest.fixture
def data(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one day in it."""
    folder = tmp_path / "warehouse 仓库"
    folder.mkdir()
    path = folder / "lastlook.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    with database.writing() as session:
        warehouse(back=1, parcels=40).write(session)
    database.close()
    monkeypatch.setenv("LASTLOOK_DATA", str(folder))
    monkeypatch.setenv("LASTLOOK_ZONE", "Europe/Berlin")
    return folder


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(report, [str(word) for word in words])


@pytest.mark.usefixtures("data")
def test_the_page_goes_to_standard_output() -> None:
    result = run("--date", str(DAY), "--lang", "zh")
    assert result.exit_code == 0, result.output
    assert result.stdout_bytes.decode().startswith("<!doctype html>")
    assert "2026年11月21日" in result.stdout_bytes.decode()
    assert result.stderr == ""


@pytest.mark.usefixtures("data")
def test_a_file_is_written_whole_and_the_sentence_is_told(tmp_path: Path) -> None:
    out = tmp_path / "日报.json"
    result = run("--date", str(DAY), "--format", "json", "--out", out)
    assert result.exit_code == 0, result.output
    assert json.loads(out.read_text(encoding="utf-8"))["totals"]["presented"] == 40
    assert "tave" in result.stderr
    assert str(out) in result.stderr
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


def test_the_data_folder_may_be_named(data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LASTLOOK_DATA", str(tmp_path / "elsewhere"))
    assert run("--date", str(DAY)).exit_code == 1
    assert run("--date", str(DAY), "--data", data).exit_code == 0


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("words", [(), ("--date", "yesterday"), ("--date", "today")])
def test_today_and_yesterday_are_days_too(words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 0


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("day", ["2026-02-30", "21.11.2026", "tomorrow", "", "1812-06-24", "9999-12-31"])
def test_what_is_no_day_is_refused_with_an_example(day: str) -> None:
    result = run("--date", day)
    assert result.exit_code == 2
    assert "--date" in result.stderr
    assert "Traceback" not in result.output


def test_without_a_database_it_says_what_makes_one_and_makes_none_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LASTLOOK_DATA", str(tmp_path / "nothing"))
    result = run()
    assert result.exit_code == 1
    assert "lastlook serve" in result.stderr
    assert not (tmp_path / "nothing").exists()


def test_a_database_of_another_version_is_left_as_it_is(data: Path) -> None:
    path = data / "lastlook.sqlite3"
    database = sqlite3.connect(path)
    with database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    database.close()
    result = run("--date", str(DAY))
    assert result.exit_code == 1
    assert "another version" in result.stderr


def test_a_damaged_database_is_told_without_a_traceback(data: Path) -> None:
    (data / "lastlook.sqlite3").write_bytes(b"this is no database, but it is long enough to be read as one" * 100)
    for suffix in ("-wal", "-shm"):
        (data / f"lastlook.sqlite3{suffix}").unlink(missing_ok=True)
    result = run("--date", str(DAY))
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr


@pytest.mark.usefixtures("data")
def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    result = run("--date", str(DAY), "--out", tmp_path / "no such folder" / "report.html")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


@pytest.mark.usefixtures("data")
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTLOOK_ZONE", "Mars/Olympus")
    result = run("--date", str(DAY))
    assert result.exit_code == 1
    assert "LASTLOOK_ZONE" in result.stderr
