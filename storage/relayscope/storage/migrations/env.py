"""Alembic's entry point; `relayscope.storage.migration` hands it the connection."""

from alembic import context

from relayscope.storage.tables import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
)
context.run_migrations()
