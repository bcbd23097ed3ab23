"""Alembic's entry: runs the revisions on the connection, and in the transaction, that `store.upgrade` hands over."""

from alembic import context

from mailwatch.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can roll tables back; Alembic assumes it cannot
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
