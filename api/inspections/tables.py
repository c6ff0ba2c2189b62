"""Tables of inspections."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.database import Base, UtcDateTime


class Inspection(Base):
    """One inspection. order_id is no foreign key: an inspection of an order nobody has registered yet is kept too.

    order_revision: the revision of the order it was judged against; None when the judge did not know the order.
    taken_at: captured_at, or received_at if the bench's clock ran ahead.
    judged_by: "station" or "server". decision: release, hold or retake. sealed: a picture of the sealed parcel came
    along. verdict: VerdictDocument as JSON; frames: as sent.
    digest: SHA-256 of everything sent, by which the same inspection is known again.
    """

    __tablename__ = "inspections"
    __table_args__ = (Index(None, "order_id", "taken_at"), Index(None, "taken_at", "id"), Index(None, "captured_at"))

    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    order_id: Mapped[str] = mapped_column(String(200))
    order_revision: Mapped[int | None] = mapped_column(Integer)
    station: Mapped[str] = mapped_column(String(200))
    operator: Mapped[str | None] = mapped_column(String(200))
    captured_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    judged_by: Mapped[str] = mapped_column(String(20))
    decision: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bool] = mapped_column(Boolean)
    frames: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    verdict: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))

    pictures: Mapped[list[Picture]] = relationship(order_by="Picture.position", lazy="selectin")
    override: Mapped[Override | None] = relationship(lazy="selectin")


class Picture(Base):
    """One picture of an inspection. key: where the evidence store has it."""

    __tablename__ = "inspection_pictures"

    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(220), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(200))


class Override(Base):
    """A hold or retake that a person released."""

    __tablename__ = "overrides"

    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    operator: Mapped[str] = mapped_column(String(200))
    approved_by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
