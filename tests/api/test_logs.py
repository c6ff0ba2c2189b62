"""Logs can be read by machines and hold no secrets and nobody's name."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from fastapi.testclient import TestClient

from api.logs import JsonFormatter
from tests.api.making import on_sqlite_only

Keys = dict[str, dict[str, str]]


def test_one_json_object_a_line_also_with_a_traceback() -> None:
    try:
        int("two\nlines")
    except ValueError:
        record = logging.LogRecord("api", logging.ERROR, "f", 1, "broke %s", ("订单",), sys.exc_info())
    record.job = "poll"
    line = JsonFormatter().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["message"], told["job"]) == ("error", "broke 订单", "poll")
    assert "ValueError: invalid literal" in told["error"]


@on_sqlite_only
def test_a_request_is_logged_by_its_route_alone(
    client: TestClient, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    order = {"customer": {"name": "Ana Souza", "phone": "+55 11 99999"}}
    with caplog.at_level(logging.DEBUG):
        client.put("/v1/orders/secret-id?token=hidden", json=order, headers=keys["warehouse"])
        client.put("/v1/orders/secret-id", json={"customer": {"name": "Ana Souza", "x": 1}}, headers=keys["warehouse"])
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    lines = [JsonFormatter().format(record) for record in ours]
    assert any('"route": "/v1/orders/{order}"' in line for line in lines)
    for secret in ("secret-id", "hidden", "Ana", "99999", keys["warehouse"]["Authorization"]):
        assert not any(secret in line for line in lines)
