"""The tables: moments, and migrations that build exactly these tables."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from mailwatch.store import schema_campaigns, schema_incidents, schema_people, upgrade
from mailwatch.store.schema import REVISIONS, Moment, from_micros, metadata, to_micros

#: Each adds its tables to the same metadata when it is imported.
PARTS = (schema_campaigns, schema_incidents, schema_people)


@pytest.mark.parametrize(
    "moment",
    [datetime(1970, 1, 1, tzinfo=UTC), datetime(1969, 7, 20, tzinfo=UTC), datetime(2262, 1, 1, 1, 1, 1, 999_999, tzinfo=UTC)],
)
def test_a_moment_survives_to_the_microsecond(moment):
    assert from_micros(to_micros(moment)) == moment
    stored = Moment().process_bind_param(moment, None)
    assert Moment().process_result_value(stored, None) == moment


def test_a_moment_of_another_zone_is_the_same_moment():
    there = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert to_micros(there) == to_micros(datetime(2026, 1, 1, tzinfo=UTC))


def test_a_naive_moment_is_refused():
    with pytest.raises(TypeError):
        Moment().process_bind_param(datetime(2026, 1, 1), None)


def test_every_part_of_the_schema_is_in_the_metadata():
    for part in PARTS:
        assert any(table in vars(part).values() for table in metadata.tables.values())


def test_the_migrations_build_exactly_these_tables(migrated, path):
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    engine.dispose()
    assert differences == []


@pytest.mark.integration
async def test_the_migrations_build_exactly_these_tables_on_postgresql(postgres_url):
    from mailwatch.store.address import parse_address
    from mailwatch.store.engine import Database

    await upgrade.migrate(postgres_url)
    database = Database(parse_address(postgres_url))

    async def work(attempt):
        return await attempt.connection.run_sync(
            lambda connection: compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
        )

    try:
        assert await database.read(work) == []
    finally:
        await database.close()


def test_the_revisions_known_are_those_that_are_there():
    scripts = ScriptDirectory(str(upgrade._MIGRATIONS))
    found = [revision.revision for revision in scripts.walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_every_index_names_its_reader():
    import inspect
    import re

    from mailwatch.store import schema

    lines = inspect.getsource(schema).splitlines()
    unnamed = [
        line.strip()
        for number, line in enumerate(lines)
        if re.search(r"\b(Index|UniqueConstraint)\(\"", line) and "#" not in line and not lines[number - 1].strip().startswith("#")
    ]
    assert unnamed == []
