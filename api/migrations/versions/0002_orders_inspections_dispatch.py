"""Orders, customers, inspections, pictures, overrides, dispatches."""

import sqlalchemy as sa
from alembic import op

from api.database import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the six tables."""
    op.create_table(
        "orders",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("promised_by", sa.Date),
        sa.Column("zone", sa.String(64)),
        sa.Column("country", sa.String(2)),
        sa.Column("postcode", sa.String(20)),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
    )
    op.create_index("ix_orders_promised_by", "orders", ["promised_by"])
    op.create_table(
        "customers",
        sa.Column("order_id", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200)),
        sa.Column("email", sa.String(200)),
        sa.Column("phone", sa.String(200)),
        sa.Column("language", sa.String(35)),
        sa.Column("expires_on", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("order_id", name="pk_customers"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_customers_order_id_orders", ondelete="CASCADE"),
    )
    op.create_index("ix_customers_expires_on", "customers", ["expires_on"])
    op.create_table(
        "inspections",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("order_id", sa.String(200), nullable=False),
        sa.Column("order_revision", sa.Integer),
        sa.Column("station", sa.String(200), nullable=False),
        sa.Column("operator", sa.String(200)),
        sa.Column("captured_at", UtcDateTime, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("taken_at", UtcDateTime, nullable=False),
        sa.Column("judged_by", sa.String(20), nullable=False),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("sealed", sa.Boolean, nullable=False),
        sa.Column("frames", sa.JSON, nullable=False),
        sa.Column("verdict", sa.JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inspections"),
    )
    op.create_index("ix_inspections_order_id_taken_at", "inspections", ["order_id", "taken_at"])
    op.create_index("ix_inspections_taken_at_id", "inspections", ["taken_at", "id"])
    op.create_index("ix_inspections_captured_at", "inspections", ["captured_at"])
    op.create_table(
        "inspection_pictures",
        sa.Column("inspection_id", sa.String(200), nullable=False),
        sa.Column("name", sa.String(220), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("inspection_id", "name", name="pk_inspection_pictures"),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name="fk_inspection_pictures_inspection_id_inspections"
        ),
    )
    op.create_table(
        "overrides",
        sa.Column("inspection_id", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("operator", sa.String(200), nullable=False),
        sa.Column("approved_by", sa.String(200), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("inspection_id", name="pk_overrides"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspections.id"], name="fk_overrides_inspection_id_inspections"),
    )
    op.create_table(
        "dispatches",
        sa.Column("order_id", sa.String(200), nullable=False),
        sa.Column("inspection_id", sa.String(200), nullable=False),
        sa.Column("carrier", sa.String(200), nullable=False),
        sa.Column("tracking_number", sa.String(200), nullable=False),
        sa.Column("dispatched_at", UtcDateTime, nullable=False),
        sa.Column("shipment_id", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name="pk_dispatches"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_dispatches_order_id_orders"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspections.id"], name="fk_dispatches_inspection_id_inspections"),
    )
