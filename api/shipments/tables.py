"""Tables of shipments: the parcel, what the courier said, when to ask again, and the history of its flags."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from api.database import Base, UtcDateTime


class Shipment(Base):
    """One dispatched parcel. No personal data: the lane holds the country and two characters of the postcode.

    due: first moment after the promise day in the customer's zone. promise_version: 1, and one more with every new
    promise. status, reason: in our words (tracking.Status). delivered_at: when the courier says it arrived.
    tracked_at: when the courier last answered about it; None while it has never heard of it. problem: why the last
    poll told nothing. lateness, lateness_since, lateness_reason, probability: the flag that holds now. asked_days: the
    question about its risk that was asked last for this promise. look_at: when the flag can change by time alone.
    """

    __tablename__ = "shipments"
    __table_args__ = (
        Index(None, "order_id"),
        Index(None, "look_at"),
        Index(None, "lateness", "id"),
        Index(None, "carrier_key", "lane", "dispatched_at"),
        Index(None, "carrier_key", "dispatched_at"),
    )

    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    carrier: Mapped[str] = mapped_column(String(200))
    carrier_key: Mapped[str] = mapped_column(String(200))
    tracking_number: Mapped[str] = mapped_column(String(200))
    dispatched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    promised_by: Mapped[date | None] = mapped_column(Date)
    zone: Mapped[str | None] = mapped_column(String(64))
    due: Mapped[datetime | None] = mapped_column(UtcDateTime)
    promise_version: Mapped[int] = mapped_column(Integer)
    origin: Mapped[str] = mapped_column(String(200))
    country: Mapped[str | None] = mapped_column(String(2))
    postcode_prefix: Mapped[str | None] = mapped_column(String(2))
    lane: Mapped[str | None] = mapped_column(String(210))
    status: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(200))
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tracked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    polled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str | None] = mapped_column(String(500))
    lateness: Mapped[str] = mapped_column(String(20))
    lateness_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lateness_reason: Mapped[str | None] = mapped_column(String(500))
    probability: Mapped[float | None] = mapped_column(Float)
    asked_days: Mapped[int | None] = mapped_column(Integer)
    look_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TrackingEventRow(Base):
    """One event of the courier, once, however often it was sent. seen_at: when we first heard of it."""

    __tablename__ = "tracking_events"

    shipment_id: Mapped[str] = mapped_column(ForeignKey("shipments.id", ondelete="CASCADE"), primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(500))
    place: Mapped[str] = mapped_column(String(500))
    reason: Mapped[str | None] = mapped_column(String(200))
    zoned: Mapped[bool] = mapped_column(Boolean)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LatenessFlag(Base):
    """One time that a parcel was late or at risk. Kept: it ends with cleared_at, it is never rewritten.

    kind: at_risk or late. since: when it became true; raised_at: when we knew. cleared_because: delivered (after the
    promise), delivered_in_time, new_promise, late (an at-risk parcel became late), looks_better.
    """

    __tablename__ = "lateness_flags"
    __table_args__ = (Index(None, "shipment_id"), Index(None, "kind", "since"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    shipment_id: Mapped[str] = mapped_column(ForeignKey("shipments.id", ondelete="CASCADE"))
    promise_version: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(500))
    probability: Mapped[float | None] = mapped_column(Float)
    cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cleared_because: Mapped[str | None] = mapped_column(String(40))


class Poll(Base):
    """When to ask about a parcel next, and who is asking now. next_poll_at: None once nothing more will come.

    lease, lease_until: the id of the claim of the worker that is asking; another worker may claim the parcel only
    after lease_until, and a result is taken only from the worker whose claim still stands.
    """

    __tablename__ = "polls"
    __table_args__ = (Index(None, "carrier_key", "next_poll_at"),)

    shipment_id: Mapped[str] = mapped_column(ForeignKey("shipments.id", ondelete="CASCADE"), primary_key=True)
    carrier_key: Mapped[str] = mapped_column(String(200))
    next_poll_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fails: Mapped[int] = mapped_column(Integer)
    last_hash: Mapped[str | None] = mapped_column(String(64))


class CarrierPace(Base):
    """A courier's token bucket, shared by every worker, and how long the courier asked us to wait."""

    __tablename__ = "carrier_pace"

    carrier_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    tokens: Mapped[float] = mapped_column(Float)
    refilled_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
