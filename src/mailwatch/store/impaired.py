"""How many mailboxes mailwatch cannot look at, by the fault of its own that keeps it from them."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB

from mailwatch.core.impairments import UNWATCHED, blinds
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema import standings

_UNWATCHED: Final = sorted(state.value for state in UNWATCHED)


async def impaired(database: Database) -> Mapping[tuple[str, str], int]:
    """The number of mailboxes by provider and impairment; what passes by itself is not counted (`blinds`)."""
    rest = standings.c.rest
    sqlite = database.is_sqlite
    found: ColumnElement[Any] = func.json_extract(rest, "$.impairment") if sqlite else cast(rest, JSONB)["impairment"].astext
    reason = found.label("reason")
    # only where there is one: most rows have no rest at all, and that is no JSON
    counted = (
        select(standings.c.provider, reason, func.count().label("number"))
        .where(standings.c.state.not_in(_UNWATCHED), rest.contains('"impairment"'))
        .group_by(standings.c.provider, reason)
    )

    async def work(attempt: Attempt) -> Mapping[tuple[str, str], int]:
        rows = (await attempt.connection.execute(counted)).all()
        return {(row.provider, row.reason): row.number for row in rows if row.reason is not None and blinds(row.reason)}

    return await database.read(work)
