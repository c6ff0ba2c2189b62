"""How a bench is told what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from station.approval import hash_pin
from station.cli import station
from station.settings import read_settings
from station.sources import PictureFolder, UsbCamera

FILE = f"""
name = "工位 7"
language = "zh"
operators = ["Li Wei"]

[camera]
kind = "usb"
device = "/dev/v4l/by-id/usb-Cam-index0"
width = 1280

[[approvers]]
name = "Wang"
pin = "{hash_pin("4711")}"

[trigger]
settle = 8
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "station.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_file_says_everything(file: Path) -> None:
    settings = read_settings(file)
    assert settings.name == "工位 7"
    assert settings.camera == UsbCamera(device="/dev/v4l/by-id/usb-Cam-index0", width=1280)
    assert settings.trigger.settle == 8
    assert settings.approvers[0].name == "Wang"


def test_flags_beat_the_environment_which_beats_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTLOOK_STATION_NAME", "bench-env")
    monkeypatch.setenv("LASTLOOK_STATION_LANGUAGE", "en")
    settings = read_settings(file, name="bench-flag", camera=PictureFolder(path=Path("pics")), api=None)
    assert (settings.name, settings.language) == ("bench-flag", "en")
    assert settings.camera == PictureFolder(path=Path("pics"))


def test_the_key_comes_from_the_environment_or_a_file_read_anew(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_text("ll_one_x\n")
    settings = read_settings(file, key_file=key)
    assert settings.read_key() == "ll_one_x"
    key.write_text("ll_two_x\n")
    assert settings.read_key() == "ll_two_x"
    monkeypatch.setenv("LASTLOOK_STATION_KEY", "ll_env_x")
    settings = read_settings(file, key_file=key)
    assert settings.read_key() == "ll_env_x"
    assert "ll_env_x" not in repr(settings)


@pytest.mark.parametrize(
    "line",
    ['colour = "red"', 'api = "ftp://x"', 'api = "http://user:pass@x"', "port = 99999", 'host = "0.0.0.0"'],
)
def test_what_is_not_a_setting_is_refused(file: Path, line: str) -> None:
    file.write_text(f"{line}\n{FILE}", encoding="utf-8")
    with pytest.raises(ValidationError):
        read_settings(file)


def test_a_plain_pin_in_the_file_is_refused(file: Path) -> None:
    file.write_text(FILE.replace(FILE.split('pin = "')[1].split('"', maxsplit=1)[0], "4711"), encoding="utf-8")
    with pytest.raises(ValidationError, match="hash-pin"):
        read_settings(file)


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(OSError, match=r"nowhere\.toml"):
        read_settings(Path("nowhere.toml"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no camera"),
        (["--camera", "webcam"], "usb:0"),
        (["--camera", "usb:0", "--api", "nonsense"], "http://127.0.0.1:8321"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_the_command_says_what_is_missing(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(station, arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_hash_pin_prints_lines_that_the_settings_take(tmp_path: Path) -> None:
    done = CliRunner().invoke(station, ["hash-pin", "--name", 'Wang "W"'], input="4711\n4711\n")
    assert done.exit_code == 0
    lines = done.output[done.output.index("[[approvers]]") :]
    file = tmp_path / "s.toml"
    file.write_text(f'[camera]\nkind = "usb"\ndevice = "0"\n{lines}', encoding="utf-8")
    assert read_settings(file).approvers[0].name == 'Wang "W"'
    assert "4711" not in done.output
