"""Alembic's entry: runs the revisions on the connection that api.migrations hands over, or that `alembic` opens."""

from alembic import context

from api.database import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
