"""Keys: shown once, stored hashed, limited to scopes, revocable within seconds, and in the audit log."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Any

import pytest
from click.testing import CliRunner
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from api import cli
from api.audit import AuditRow
from api.context import Services
from api.database import Database
from api.security import CACHE_SECONDS, ApiKey, Caller, KeyRing, Scope, create_key, find_caller, require, revoke_key
from tests.api.making import on_sqlite_only

Keys = dict[str, dict[str, str]]
OVERRIDE = {"reason": "r", "operator": "li", "approved_by": "wang", "at": "2026-11-22T09:05:00Z"}

ALLOWED = {
    ("PUT", "/v1/orders/A1"): {"warehouse", "admin"},
    ("GET", "/v1/orders/A1"): {"warehouse", "station", "admin"},
    ("GET", "/v1/orders/A1/dispatch"): {"warehouse", "station", "admin"},
    ("POST", "/v1/orders/A1/dispatch"): {"warehouse", "admin"},
    ("PUT", "/v1/inspections/i1"): {"station", "admin"},
    ("PUT", "/v1/inspections/i1/override"): {"station", "admin"},
    ("GET", "/v1/inspections/i1"): {"station", "warehouse", "support", "admin"},
    ("GET", "/v1/inspections"): {"station", "warehouse", "support", "admin"},
    ("GET", "/v1/inspections/i1/pictures/a.jpg"): {"station", "warehouse", "support", "admin"},
    ("POST", "/v1/inspect"): {"station", "warehouse", "admin"},
}


def test_each_scope_may_do_its_own_work_and_no_other(client: TestClient, keys: Keys) -> None:
    for (method, path), allowed in ALLOWED.items():
        passed = {scope for scope in keys if client.request(method, path, headers=keys[scope]).status_code != 403}
        assert passed == allowed, (method, path)


@on_sqlite_only
def test_every_address_under_v1_asks_for_a_key(client: TestClient) -> None:
    paths: dict[str, dict[str, Any]] = client.get("/openapi.json").json()["paths"]
    asked = 0
    for path, methods in paths.items():
        if path.startswith(("/v1/", "/reports/")):
            for method in methods:
                answer = client.request(method, path.replace("{", "").replace("}", ""))
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"]
                asked += 1
    assert asked >= len(ALLOWED)


def test_the_secret_is_stored_nowhere(client: TestClient, keys: Keys, services: Services) -> None:
    secret = keys["admin"]["Authorization"].split("_", 2)[2]
    with services.database.reading() as session:
        for row in session.scalars(select(ApiKey)):
            assert secret not in repr(vars(row))
    for path in services.settings.data.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Bearer ll_00000000_x", "Bearer ll__", "Basic x", "Bearer ll_\u00e9_\u00e9"]
)
@on_sqlite_only
def test_anything_else_is_no_key(client: TestClient, header: str) -> None:
    answer = client.get("/v1/inspections", headers={"Authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthorized")
    assert "lastlook keys create" in answer.json()["detail"]


def test_right_prefix_and_wrong_secret_is_no_key(client: TestClient, keys: Keys) -> None:
    wrong = {"Authorization": keys["admin"]["Authorization"][:-1] + "~"}
    assert client.get("/v1/inspections", headers=wrong).status_code == 401


@given(st.text())
def test_no_text_breaks_the_look_up(anything: str) -> None:
    class NoKeys:
        def get(self, _table: object, prefix: str) -> None:
            assert len(prefix) <= 16

    assert find_caller(NoKeys(), anything) is None  # type: ignore[arg-type]  # stands for an empty database
    assert find_caller(NoKeys(), f"ll_{anything}") is None  # type: ignore[arg-type]


def test_a_revoked_key_stops_working_when_the_cache_forgets_it(services: Services) -> None:
    now = 0.0
    with services.database.writing() as session:
        token = create_key(session, "bench", [Scope.STATION], services.clock())

    def find(text: str) -> Caller | None:
        with services.database.reading() as session:
            return find_caller(session, text)

    ring = KeyRing(find, timer=lambda: now)
    assert ring.cached(token) is None
    assert ring.check(token) is not None
    with services.database.writing() as session:
        assert revoke_key(session, token.split("_")[1], services.clock())
        assert not revoke_key(session, token.split("_")[1], services.clock())
    now = CACHE_SECONDS - 0.1
    assert ring.cached(token) is not None
    now = CACHE_SECONDS
    assert ring.cached(token) is None
    assert ring.check(token) is None


@on_sqlite_only
def test_a_page_for_browsers_takes_the_key_as_password_but_only_to_look(
    client: TestClient, keys: Keys, services: Services
) -> None:
    router = APIRouter()

    @router.api_route("/page", methods=["GET", "POST"])
    def page(caller: Annotated[Caller, Depends(require(Scope.WAREHOUSE, browser=True))]) -> str:
        return caller.name

    app = FastAPI()
    app.include_router(router)
    app.state.services = services
    from api import errors

    errors.install(app)
    token = keys["warehouse"]["Authorization"].split()[1]
    basic = {"Authorization": "Basic " + base64.b64encode(f"anyone:{token}".encode()).decode()}
    browser = TestClient(app)
    assert browser.get("/page", headers=basic).json() == "warehouse"
    assert browser.post("/page", headers=basic).status_code == 401
    assert browser.get("/page").headers["www-authenticate"].startswith("Basic ")
    assert client.get("/v1/inspections", headers=basic).status_code == 401


def test_keys_are_made_listed_and_revoked_on_the_command_line(tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(cli.keys, [*arguments, "--data", str(tmp_path / "data")])

    made = run("create", "bench 1", "--scope", "station", "--scope", "support")
    token = made.stdout.strip()
    prefix = token.split("_")[1]
    assert token.startswith("ll_")
    assert "cannot be shown again" in made.stderr
    listed = run("list").stdout
    assert prefix in listed
    assert "station,support" in listed
    assert "bench 1" in listed
    assert token not in listed
    assert run("revoke", prefix).exit_code == 0
    assert "revoked" in run("list").stdout
    again = run("revoke", prefix)
    assert (again.exit_code, "no working key" in again.stderr) == (1, True)
    assert run("create", "x", "--scope", "root").exit_code == 2

    database = Database(f"sqlite:///{tmp_path / 'data' / 'lastlook.sqlite3'}")
    with database.reading() as session:
        assert [row.event for row in session.scalars(select(AuditRow))] == ["key_created", "key_revoked"]
        assert find_caller(session, token) is None
    database.close()


def test_a_wrong_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTLOOK_ZONE", "Mars/Olympus")
    answer = CliRunner().invoke(cli.keys, ["list", "--data", str(tmp_path)])
    assert answer.exit_code == 1
    assert "LASTLOOK_ZONE" in answer.stderr
    assert "Asia/Shanghai" in answer.stderr
