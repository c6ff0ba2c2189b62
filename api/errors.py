"""Errors as RFC 9457 problem details: what happened, what was kept, what to do next."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.database import is_transient

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - the RFC's own word
    """Raise it anywhere below an endpoint; the caller gets it as problem+json.

    slug: stable name of the kind of problem; clients may branch on `type`, which is "/problems/<slug>".
    members: further members of the body, for example reasons.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.slug, self.title, self.detail = status, slug, title, detail
        self.headers, self.members = headers, members

    def body(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }

    def response(self) -> JSONResponse:
        """The whole answer."""
        return JSONResponse(self.body(), self.status, headers=self.headers, media_type=MEDIA_TYPE)


class ProblemDocument(BaseModel):
    """RFC 9457 problem details, as documented in OpenAPI."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/problems/not-found"])
    title: str
    status: int
    detail: str


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` argument of a route: these statuses answer with a problem."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
        for status in statuses
    }


def not_found(what: str, identity: str, advice: str = "") -> Problem:
    """404 for something that has a name."""
    return Problem(404, "not-found", f"No such {what}", f"There is no {what} {identity!r}. {advice}".strip())


def conflict(detail: str, **members: Any) -> Problem:
    """409: the id is taken by another content; what is stored was kept."""
    return Problem(409, "conflict", "Already there with another content", detail, **members)


def invalid(detail: str, *, pointer: str = "", status: int = 422, slug: str = "invalid") -> Problem:
    """422 for input that cannot be taken. pointer: JSON pointer or name of the part."""
    return Problem(status, slug, "The input was refused", detail, errors=[{"pointer": pointer, "detail": detail}])


def of_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """One problem from what pydantic found. The input itself is never repeated: it may hold personal data."""
    listed = [
        {"pointer": "/" + "/".join(str(part) for part in error["loc"]), "detail": str(error["msg"])} for error in errors
    ]
    first = "; ".join(f"{error['pointer']}: {error['detail']}" for error in listed[:5])
    more = f"; and {len(listed) - 5} more" if len(listed) > 5 else ""
    return Problem(
        422, "invalid", "The input was refused", f"Nothing was stored. Correct this and send again: {first}{more}",
        errors=listed,
    )  # fmt: skip


def install(app: FastAPI) -> None:
    """Make every error of this app a problem."""

    @app.exception_handler(Problem)
    async def on_problem(_request: Request, problem: Problem) -> JSONResponse:
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def on_validation(_request: Request, error: RequestValidationError) -> JSONResponse:
        return of_validation(error.errors()).response()

    @app.exception_handler(HTTPException)
    async def on_http(_request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        slug = phrase.lower().replace(" ", "-")
        detail = str(error.detail)
        if detail == phrase:
            detail = _ADVICE.get(error.status_code, phrase)
        return Problem(error.status_code, slug, phrase, detail, headers=error.headers).response()

    @app.exception_handler(ClientDisconnect)
    async def on_disconnect(_request: Request, _error: ClientDisconnect) -> JSONResponse:
        # nobody reads this; it keeps a bench's lost radio from looking like our mistake in log and metrics
        return Problem(400, "cut", "The request was cut", "Nothing was stored. Send the same request again.").response()

    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeout)
    @app.exception_handler(TimeoutError)
    async def on_busy(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, DBAPIError) and not is_transient(error):
            raise error
        log.warning("database busy or away", extra={"method": request.method, "error": type(error).__name__})
        return Problem(
            503, "busy", "The database does not answer now",
            "Nothing of this request was stored. Send the same request again in a moment; writes are idempotent.",
            headers={"Retry-After": "2"},
        ).response()  # fmt: skip

    @app.exception_handler(Exception)
    async def on_bug(_request: Request, _error: Exception) -> JSONResponse:
        # the process boundary: the server logs the traceback, the caller learns no internals
        return Problem(
            500, "internal", "This is our fault",
            "The server made a mistake; it was logged. Send the same request again; writes are idempotent.",
        ).response()  # fmt: skip


_ADVICE = {
    404: "There is nothing at this address. /docs lists what there is.",
    405: "This address does not take this method. /docs lists what it takes.",
}
