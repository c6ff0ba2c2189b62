"""Shipments, tracking events, lateness flags, polls, the couriers' pace, contacts."""

import sqlalchemy as sa
from alembic import op

from api.database import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the six tables."""
    op.create_table(
        "shipments",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("order_id", sa.String(200), nullable=False),
        sa.Column("carrier", sa.String(200), nullable=False),
        sa.Column("carrier_key", sa.String(200), nullable=False),
        sa.Column("tracking_number", sa.String(200), nullable=False),
        sa.Column("dispatched_at", UtcDateTime, nullable=False),
        sa.Column("promised_by", sa.Date),
        sa.Column("zone", sa.String(64)),
        sa.Column("due", UtcDateTime),
        sa.Column("promise_version", sa.Integer, nullable=False),
        sa.Column("origin", sa.String(200), nullable=False),
        sa.Column("country", sa.String(2)),
        sa.Column("postcode_prefix", sa.String(2)),
        sa.Column("lane", sa.String(210)),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(200)),
        sa.Column("delivered_at", UtcDateTime),
        sa.Column("tracked_at", UtcDateTime),
        sa.Column("polled_at", UtcDateTime),
        sa.Column("problem", sa.String(500)),
        sa.Column("lateness", sa.String(20), nullable=False),
        sa.Column("lateness_since", UtcDateTime),
        sa.Column("lateness_reason", sa.String(500)),
        sa.Column("probability", sa.Float),
        sa.Column("asked_days", sa.Integer),
        sa.Column("look_at", UtcDateTime),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shipments"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_shipments_order_id_orders"),
    )
    op.create_index("ix_shipments_order_id", "shipments", ["order_id"])
    op.create_index("ix_shipments_look_at", "shipments", ["look_at"])
    op.create_index("ix_shipments_lateness_id", "shipments", ["lateness", "id"])
    op.create_index(
        "ix_shipments_carrier_key_lane_dispatched_at", "shipments", ["carrier_key", "lane", "dispatched_at"]
    )
    op.create_index("ix_shipments_carrier_key_dispatched_at", "shipments", ["carrier_key", "dispatched_at"])
    op.create_table(
        "tracking_events",
        sa.Column("shipment_id", sa.String(200), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("place", sa.String(500), nullable=False),
        sa.Column("reason", sa.String(200)),
        sa.Column("zoned", sa.Boolean, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("shipment_id", "content_hash", name="pk_tracking_events"),
        _of_shipment("tracking_events"),
    )
    op.create_table(
        "lateness_flags",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("shipment_id", sa.String(200), nullable=False),
        sa.Column("promise_version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("raised_at", UtcDateTime, nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("probability", sa.Float),
        sa.Column("cleared_at", UtcDateTime),
        sa.Column("cleared_because", sa.String(40)),
        sa.PrimaryKeyConstraint("id", name="pk_lateness_flags"),
        _of_shipment("lateness_flags"),
    )
    op.create_index("ix_lateness_flags_shipment_id", "lateness_flags", ["shipment_id"])
    op.create_index("ix_lateness_flags_kind_since", "lateness_flags", ["kind", "since"])
    op.create_table(
        "polls",
        sa.Column("shipment_id", sa.String(200), nullable=False),
        sa.Column("carrier_key", sa.String(200), nullable=False),
        sa.Column("next_poll_at", UtcDateTime),
        sa.Column("lease", sa.String(200)),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("fails", sa.Integer, nullable=False),
        sa.Column("last_hash", sa.String(64)),
        sa.PrimaryKeyConstraint("shipment_id", name="pk_polls"),
        _of_shipment("polls"),
    )
    op.create_index("ix_polls_carrier_key_next_poll_at", "polls", ["carrier_key", "next_poll_at"])
    op.create_table(
        "carrier_pace",
        sa.Column("carrier_key", sa.String(200), nullable=False),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("refilled_at", UtcDateTime, nullable=False),
        sa.Column("paused_until", UtcDateTime),
        sa.PrimaryKeyConstraint("carrier_key", name="pk_carrier_pace"),
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("shipment_id", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("promise_version", sa.Integer, nullable=False),
        sa.Column("promised_by", sa.Date, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("outcome", sa.String(40)),
        sa.Column("note", sa.Text),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("resolved_at", UtcDateTime),
        sa.Column("resolved_by", sa.String(40)),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
        _of_shipment("contacts"),
        sa.UniqueConstraint(
            "shipment_id", "kind", "promise_version", name="uq_contacts_shipment_id_kind_promise_version"
        ),
    )
    op.create_index("ix_contacts_state_opened_at_id", "contacts", ["state", "opened_at", "id"])


def _of_shipment(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_shipment_id_shipments"
    return sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=name, ondelete="CASCADE")
