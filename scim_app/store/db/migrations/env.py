"""Alembic's entry: migrate over the connection that `scim_app.store.migrate` holds."""

from alembic import context

from scim_app.store.db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
