"""Health, readiness and metrics say what is wrong, and name it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from api.context import Services
from api.database import connect


def test_up_and_ready_need_no_key(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "up"}
    assert client.get("/readyz").json() == {"status": "ready", "models": ["dark/0.0.1"]}


def test_an_eye_that_misjudges_its_golden_frames_is_not_ready(client: TestClient, eye: Any) -> None:
    eye.broken = "golden frame torn.jpg: said release, the card says hold"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "eye: golden frame torn.jpg" in answer.json()["detail"]


def test_a_database_of_another_schema_is_not_ready(client: TestClient, services: Services) -> None:
    with services.database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    assert "database: the schema" in client.get("/readyz").json()["detail"]


def test_metrics_count_requests_by_route_and_status(client: TestClient) -> None:
    client.get("/healthz")
    client.get("/nothing/here")
    metrics = client.get("/metrics").text
    assert 'lastlook_requests_total{method="GET",route="/healthz",status="200"} 1.0' in metrics
    assert 'lastlook_requests_total{method="GET",route="(none)",status="404"} 1.0' in metrics


def test_an_unknown_address_is_a_problem_that_says_where_to_look(client: TestClient) -> None:
    answer = client.get("/nothing/here")
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"
    assert "/docs" in answer.json()["detail"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_is_away_is_said_to_be_and_used_again_when_it_is_back(
    client: TestClient, keys: dict[str, dict[str, str]], database_url: str, postgres: str
) -> None:
    engine = create_engine(connect(postgres, pooled=False).url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    name = make_url(database_url).database

    def allow(state: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {state}"))
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )

    allow("false")
    answer = client.put("/v1/orders/A1", json={}, headers=keys["warehouse"])
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
    assert answer.headers["retry-after"]
    assert client.get("/readyz").status_code == 503
    allow("true")
    assert client.put("/v1/orders/A1", json={}, headers=keys["warehouse"]).status_code == 201
    assert client.get("/readyz").status_code == 200
