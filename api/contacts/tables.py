"""Table of contacts."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.database import Base, UtcDateTime


class Contact(Base):
    """Somebody has to be told about a parcel. Holds no personal data: that stays with the order, where it expires.

    The unique constraint is the promise of the design: one contact a parcel, kind and promise, however many workers.
    promised_by: the promise it is about, also after a new one was made. state: open or resolved. outcome: what came of
    it. resolved_by: prefix of the key, or "lastlook" when it closed itself.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("shipment_id", "kind", "promise_version"),
        Index(None, "state", "opened_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    shipment_id: Mapped[str] = mapped_column(ForeignKey("shipments.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    promise_version: Mapped[int] = mapped_column(Integer)
    promised_by: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(20))
    outcome: Mapped[str | None] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[str | None] = mapped_column(String(40))
