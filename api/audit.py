"""The audit log: who overrode, who looked, who made a key. Only ever added to, in the transaction of what it tells."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from api.database import Base, UtcDateTime


class AuditRow(Base):
    """One event. actor: prefix of the key that did it, or "cli"."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor: Mapped[str] = mapped_column(String(40))
    event: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that somebody may have to answer for. Subclasses add what happened; no secrets, no personal data."""

    name: ClassVar[str]
    actor: str


@dataclass(frozen=True, slots=True)
class KeyCreated(Event):
    """A key was made."""

    name = "key_created"
    prefix: str
    label: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyRevoked(Event):
    """A key was made useless."""

    name = "key_revoked"
    prefix: str


@dataclass(frozen=True, slots=True)
class Overridden(Event):
    """A person released what the machine had not."""

    name = "overridden"
    inspection: str
    operator: str
    approved_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class EvidenceViewed(Event):
    """Somebody fetched a picture."""

    name = "evidence_viewed"
    inspection: str
    picture: str


@dataclass(frozen=True, slots=True)
class ItemTaught(Event):
    """References were added to an item."""

    name = "item_taught"
    item: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemRemoved(Event):
    """An item, or one of its references, was forgotten."""

    name = "item_removed"
    item: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class ItemCorrected(Event):
    """Two persons agreed that the eye was wrong about an item."""

    name = "item_corrected"
    item: str
    kind: str
    operator: str
    confirmed_by: str
    reference: str


def record(session: Session, event: Event, now: datetime) -> None:
    """Add one event; it is stored if the transaction is."""
    detail = {key: value for key, value in asdict(event).items() if key != "actor"}
    session.add(AuditRow(at=now, actor=event.actor, event=event.name, detail=detail))
