"""The one command: what it does before any room's."""

from __future__ import annotations

import ctypes

import pytest
from click.testing import CliRunner

import lastlook


def test_every_command_keeps_the_memory_of_one_picture_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bool] = []
    monkeypatch.setattr(lastlook, "keep_memory", lambda: kept.append(True))
    assert CliRunner().invoke(lastlook.main, ["models", "list"]).exit_code == 0
    assert kept == [True]


def test_a_system_without_glibc_is_only_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> ctypes.CDLL:
        raise OSError(f"{name}: no such file")

    monkeypatch.setattr(ctypes, "CDLL", absent)
    lastlook.keep_memory()
