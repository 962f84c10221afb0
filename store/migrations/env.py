"""Alembic runs this for every command; the connection comes from `store.migrations`."""

from __future__ import annotations

from alembic import context

from store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite has it too, once BEGIN is ours
)
with context.begin_transaction():
    context.run_migrations()
