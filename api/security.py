"""API keys: who may do what. Shown once, stored hashed, limited to scopes, revocable."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from sqlalchemy import JSON, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from starlette.concurrency import run_in_threadpool

from api.context import Services, services_of
from api.database import Base, UtcDateTime
from api.errors import Problem

CACHE_SECONDS = 5.0
"""For so long a key that was just checked is believed without a look-up; a revoked key works at most this long."""

CACHED_KEYS = 1024


class Scope(StrEnum):
    """What a key may do. admin may do everything."""

    STATION = "station"
    WAREHOUSE = "warehouse"
    SUPPORT = "support"
    ADMIN = "admin"


class ApiKey(Base):
    """One key. The secret is not here, only its SHA-256."""

    __tablename__ = "api_keys"

    prefix: Mapped[str] = mapped_column(String(16), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent this request, as far as the key says. prefix names the key in logs and in the audit log."""

    prefix: str
    name: str
    scopes: frozenset[Scope]

    def may(self, *scopes: Scope) -> bool:
        """True when the key has one of `scopes`, or is an admin's."""
        return Scope.ADMIN in self.scopes or not self.scopes.isdisjoint(scopes)


def create_key(session: Session, name: str, scopes: Iterable[Scope], now: datetime) -> str:
    """Store a new key and return its text, which cannot be had again: "ll_<prefix>_<secret>"."""
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    token = f"ll_{prefix}_{secret}"
    row = ApiKey(prefix=prefix, digest=_digest(token), name=name, scopes=sorted(set(scopes)), created_at=now)
    session.add(row)
    return token


def revoke_key(session: Session, prefix: str, now: datetime) -> bool:
    """Make the key useless. False when there is none with this prefix that still works."""
    row = session.get(ApiKey, prefix)
    if row is None or row.revoked_at is not None:
        return False
    row.revoked_at = now
    return True


def list_keys(session: Session) -> Sequence[ApiKey]:
    """Every key ever made, oldest first."""
    return session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.prefix)).all()


def find_caller(session: Session, token: str) -> Caller | None:
    """The caller behind a key's text, or None when it is unknown, wrong or revoked."""
    parts = token.split("_", 2)
    if len(parts) != 3 or parts[0] != "ll" or len(parts[1]) > 16 or "\0" in parts[1]:
        return None
    row = session.get(ApiKey, parts[1])
    # compared also when there is no such prefix, so that the time taken does not tell which prefixes exist
    same = hmac.compare_digest(row.digest if row else "", _digest(token))
    if row is None or not same or row.revoked_at is not None:
        return None
    return Caller(row.prefix, row.name, frozenset(Scope(scope) for scope in row.scopes))


def _digest(token: str) -> str:
    # SHA-256 and not bcrypt: slow hashes protect passwords that people think up. These secrets are 256 random bits,
    # which nobody can guess however fast the hash is, and the check is on the path of every request.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class KeyRing:
    """Checks keys, remembering for CACHE_SECONDS those that were good. Thread-safe: dict operations are atomic."""

    def __init__(self, find: Callable[[str], Caller | None], timer: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._timer = timer
        self._known: dict[str, tuple[float, Caller]] = {}

    def cached(self, token: str) -> Caller | None:
        """The caller, if this key was found good a moment ago. Does no I/O."""
        known = self._known.get(_digest(token))
        return known[1] if known is not None and known[0] > self._timer() else None

    def check(self, token: str) -> Caller | None:
        """The caller, from the database."""
        caller = self._find(token)
        if caller is not None:
            if len(self._known) >= CACHED_KEYS:
                self._known.clear()
            self._known[_digest(token)] = (self._timer() + CACHE_SECONDS, caller)
        return caller


_bearer = HTTPBearer(auto_error=False, description="A key from `lastlook keys create`: ll_<prefix>_<secret>")


def require(*scopes: Scope, browser: bool = False) -> Callable[..., object]:
    """A dependency that lets a caller with one of `scopes` through and gives back the Caller.

    browser: pages that a person opens; the key may then also be the password of HTTP basic authentication. Only for
    GET: a browser sends what it remembers with every request, also with one that another site started.
    """

    async def caller(
        request: Request, _documented: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Caller:
        token = _token(request.headers.get("authorization", ""), browser=browser and request.method in ("GET", "HEAD"))
        services: Services = services_of(request)
        found = None
        if token:
            found = services.keys.cached(token) or await run_in_threadpool(services.keys.check, token)
        if found is None:
            raise _unauthorized(bool(token), browser=browser)
        if not found.may(*scopes):
            wanted = " or ".join(scopes) or "admin"
            raise Problem(
                403, "forbidden", "This key may not do that",
                f"The key {found.prefix} lacks the scope {wanted}. Use another key, or have an admin make one: "
                f"lastlook keys create NAME --scope {scopes[0] if scopes else 'admin'}",
            )  # fmt: skip
        return found

    return caller


def _token(header: str, *, browser: bool) -> str:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if browser and scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _unauthorized(given: bool, *, browser: bool) -> Problem:  # noqa: FBT001 - private, one caller
    challenge = 'Basic realm="Lastlook: the key is the password", charset="UTF-8"' if browser else "Bearer"
    detail = "This key is unknown or revoked." if given else "A key is needed: Authorization: Bearer ll_..."
    return Problem(
        401, "unauthorized", "No valid key",
        f"{detail} An admin makes one on the server with: lastlook keys create NAME --scope SCOPE",
        headers={"WWW-Authenticate": challenge},
    )  # fmt: skip
