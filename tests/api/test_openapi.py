"""OpenAPI is the contract: complete, with examples that the API itself takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fastapi.testclient import TestClient

from tests.api.making import on_sqlite_only

Keys = dict[str, dict[str, str]]
pytestmark = on_sqlite_only


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def test_every_operation_is_named_grouped_and_tells_its_problems(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    names = [name for name, _ in operations(schema)]
    assert {"PUT /v1/orders/{order}", "POST /v1/inspect", "GET /v1/orders/{order}/dispatch"} <= set(names)
    for name, operation in operations(schema):
        assert operation["tags"], name
        assert operation["summary"], name
        assert operation.get("description"), name
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert "application/problem+json" in answer["content"], (name, status)
        if "/v1/" in name:
            assert operation["security"], name
            assert {"401", "403"} <= set(operation["responses"]), name


def test_every_reference_leads_somewhere(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    for reference in references(schema):
        node: Any = schema
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        assert node


def test_the_example_of_an_order_is_taken(client: TestClient, keys: Keys) -> None:
    schema = client.get("/openapi.json").json()
    body = schema["paths"]["/v1/orders/{order}"]["put"]["requestBody"]["content"]["application/json"]
    (example,) = body["examples"].values() if "examples" in body else body["schema"]["examples"]
    document = example.get("value", example)
    assert client.put("/v1/orders/A1", json=document, headers=keys["warehouse"]).status_code == 201


def test_docs_tell_every_operation_and_load_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    schema = client.get("/openapi.json").json()
    for name, operation in operations(schema):
        assert name.split()[1] in page
        assert operation["summary"].replace("'", "&#39;") in page
    for model in schema["components"]["schemas"]:
        assert f'id="{model}"' in page
    assert not re.search(r"(src|href)=.(https?:)?//", page)
