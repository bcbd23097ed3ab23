"""The steps from one schema to the next, run by Alembic from `store.upgrade`; there is no alembic.ini."""
