"""Tables of orders."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from api.database import Base, UtcDateTime
from inspector.spec import PackingSpec
from inspector.wire import OrderDocument


class Order(Base):
    """One order. document: OrderDocument as JSON, without the customer.

    revision: grows when what the eye judges changes (items, marks, packaging, tracking number); an inspection counts
    for the revision it was judged against. promised_by, zone, country, postcode: as in the document, to search by.
    """

    __tablename__ = "orders"
    __table_args__ = (Index(None, "promised_by"),)

    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    promised_by: Mapped[date | None] = mapped_column(Date)
    zone: Mapped[str | None] = mapped_column(String(64))
    country: Mapped[str | None] = mapped_column(String(2))
    postcode: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def spec(self) -> PackingSpec:
        """What the parcel must hold and show."""
        return OrderDocument.model_validate(self.document).spec()


class Customer(Base):
    """Whom to contact about an order: the one table with personal data, erased after `expires_on`."""

    __tablename__ = "customers"
    __table_args__ = (Index(None, "expires_on"),)

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str | None] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str | None] = mapped_column(String(35))
    expires_on: Mapped[date] = mapped_column(Date)
