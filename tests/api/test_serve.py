"""`lastlook serve` says why it cannot start, before it touches anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from api import cli


def test_a_port_in_use_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = CliRunner().invoke(cli.serve, ["--port", port, "--data", str(tmp_path / "data")])
    assert answer.exit_code == 1
    assert f"port {port}" in answer.stderr
    assert "another with --port" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_answers_are_sent_without_nagles_delay() -> None:
    """Asyncio looks at the listener's protocol: without it an answer's body waited 40 ms for an acknowledgement."""
    listener = cli._listen("127.0.0.1", 0)
    with listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_couriers_file_with_a_mistake_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    couriers = tmp_path / "couriers.toml"
    couriers.write_text('[carriers.post]\nkind = "pigeon"\n')
    monkeypatch.setenv("LASTLOOK_CARRIERS", str(couriers))
    answer = CliRunner().invoke(cli.serve, ["--port", "0", "--data", str(tmp_path / "data")])
    assert answer.exit_code == 1
    assert "carriers.post" in answer.stderr
    assert not (tmp_path / "data").exists()
