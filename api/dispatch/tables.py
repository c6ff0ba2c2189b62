"""Table of dispatches."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.database import Base, UtcDateTime


class Dispatch(Base):
    """An order left. inspection_id: the inspection that opened the gate. actor: prefix of the key that sent it off."""

    __tablename__ = "dispatches"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.id"))
    carrier: Mapped[str] = mapped_column(String(200))
    tracking_number: Mapped[str] = mapped_column(String(200))
    dispatched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    shipment_id: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(40))
