"""What Alembic runs for each of its commands. The connection is the caller's (``migrate``), within his transaction."""

from alembic import context

from scim_server.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
