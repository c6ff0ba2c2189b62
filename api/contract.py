"""OpenAPI, completed: what bodies and errors look like where FastAPI cannot see it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.errors import ProblemDocument, problems
from api.inspections.schemas import InspectionDocument


def install(app: FastAPI) -> None:
    """Make /openapi.json tell the whole contract."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                license_info=app.license_info,
            )
            _add_schemas(schema.setdefault("components", {}).setdefault("schemas", {}))
            _tell_problems(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents to extend the schema


def _add_schemas(schemas: dict[str, Any]) -> None:
    """The models that hand-written bodies and responses name."""
    for model in (ProblemDocument, InspectionDocument):
        own = model.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, nested in own.pop("$defs", {}).items():
            schemas.setdefault(name, nested)
        schemas[model.__name__] = own


def _tell_problems(schema: dict[str, Any]) -> None:
    """FastAPI's own words for a 422 give way to ours."""
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    for methods in schema["paths"].values():
        for operation in methods.values():
            if "422" in operation["responses"]:
                operation["responses"]["422"] = problems(422)[422]
