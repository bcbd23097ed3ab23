"""Read-only views of many mailboxes for the page and the API (ports.pages.Pages), each a few indexed queries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, literal, select

from mailwatch.core.campaigns import PAUSING_STATES
from mailwatch.core.incidents.life import Incident
from mailwatch.core.lifecycle import State
from mailwatch.ports import MailboxView
from mailwatch.ports.pages import ORDER, Page, PageFilter, Trouble
from mailwatch.store.details import SqlDetails
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.heartbeats import heartbeats
from mailwatch.store.incident_views import SqlIncidentViews, unexplained
from mailwatch.store.page_filter import named, of_mailbox
from mailwatch.store.places import Place, few_of, of_few, places
from mailwatch.store.rows import mailbox_from_row, standing_from_row
from mailwatch.store.schema import Moment, mailboxes, standings
from mailwatch.store.schema_campaigns import campaign_links

_VIEW: Final = (
    select(mailboxes, *(column for column in standings.c if column.name != "provider"))
    .join_from(mailboxes, standings, standings.c.mailbox_id == mailboxes.c.id)
    .where(mailboxes.c.id.in_(bindparam("ids", expanding=True)))
)
_LINKS: Final = (
    select(campaign_links.c.mailbox_id, campaign_links.c.campaign_id)
    .where(campaign_links.c.mailbox_id.in_(bindparam("ids", expanding=True)))
    .order_by(campaign_links.c.campaign_id)
)
_PROVIDERS: Final = select(standings.c.provider.label("name"), func.count().label("number")).group_by(standings.c.provider)
_CAUSES: Final = (
    select(standings.c.cause.label("name"), func.count().label("number"))
    .where(standings.c.cause.is_not(None))
    .group_by(standings.c.cause)
)
_TROUBLES: Final = (
    select(
        standings.c.provider,
        standings.c.state,
        standings.c.cause,
        func.count().label("number"),
        func.min(standings.c.since_at, type_=Moment).label("oldest_at"),
    )
    .where(standings.c.cause.is_not(None), standings.c.state.in_(sorted(PAUSING_STATES)))
    .group_by(standings.c.provider, standings.c.state, standings.c.cause)
)


class SqlPages(SqlDetails, SqlIncidentViews):
    """The views of one database."""

    def __init__(self, database: Database) -> None:
        SqlDetails.__init__(self, database)
        SqlIncidentViews.__init__(self, database)

    async def page(self, which: PageFilter, cursor: str | None, limit: int) -> Page:
        """In ORDER, and within a state by `since_at`, newest first; raises ValueError for a cursor that is none."""
        after = None if cursor is None else Place.parse(cursor)

        async def work(attempt: Attempt) -> Page:
            found = await places(attempt, which, after, limit + 1)
            shown = found[:limit]
            rows = await _views(attempt, [place.mailbox_id for place in shown])
            return Page(rows, shown[-1].text if shown and len(found) > limit else None)

        return await self._database.read(work)

    async def count(self, which: PageFilter) -> int:
        """How many a filter names: the preview of a bulk action."""

        async def work(attempt: Attempt) -> int:
            few = await few_of(attempt, which) if which.campaign else None
            counted = select(func.count())
            statement = named(counted, which) if few is None else of_few(counted, few, which)
            number: int = (await attempt.connection.execute(statement)).scalar_one()
            return number

        return await self._database.read(work)

    async def ids(self, which: PageFilter, after: str | None, limit: int) -> Sequence[str]:
        """Their ids in order of id, for a bulk action."""
        statement = named(select(standings.c.mailbox_id), which).order_by(standings.c.mailbox_id).limit(limit)
        if after is not None:
            statement = statement.where(standings.c.mailbox_id > after)

        async def work(attempt: Attempt) -> Sequence[str]:
            return list((await attempt.connection.execute(statement)).scalars())

        return await self._database.read(work)

    async def counters(self, which: PageFilter) -> Mapping[State, int]:
        """Mailboxes by state, with the filter's states left aside; each state is there."""

        async def work(attempt: Attempt) -> Mapping[State, int]:
            few = await few_of(attempt, which) if which.campaign else None
            # grouped by what no index is sorted by: both tables are read in the order they lie in, not one in the other's
            state = literal("") + standings.c.state if of_mailbox(which) else standings.c.state
            grouped = select(state.label("state"), func.count().label("number")).group_by(state)
            statement = named(grouped, which, states=False) if few is None else of_few(grouped, few, which, states=False)
            counted = {row.state: row.number for row in (await attempt.connection.execute(statement)).all()}
            return {state: counted.get(state.value, 0) for state in ORDER}

        return await self._database.read(work)

    async def facets(self) -> Mapping[str, Mapping[str, int]]:
        """What can be filtered by: `provider` and `cause` with their counts, most first."""

        async def work(attempt: Attempt) -> Mapping[str, Mapping[str, int]]:
            found = {}
            for name, statement in (("provider", _PROVIDERS), ("cause", _CAUSES)):
                rows = (await attempt.connection.execute(statement)).all()
                found[name] = {row.name: row.number for row in sorted(rows, key=lambda row: (-row.number, row.name))}
            return found

        return await self._database.read(work)

    async def heartbeats(self, mailbox_ids: Sequence[str], now: datetime) -> Mapping[str, tuple[State | None, ...]]:
        """24 cells a mailbox, oldest first: the worst state of each of the last 24 hours; None before it was added."""

        async def work(attempt: Attempt) -> Mapping[str, tuple[State | None, ...]]:
            return await heartbeats(attempt, mailbox_ids, now)

        return await self._database.read(work)

    async def campaigns_of(self, mailbox_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Campaign ids by mailbox, each in order; one without campaigns is there too."""

        async def work(attempt: Attempt) -> Mapping[str, tuple[str, ...]]:
            return await _campaigns(attempt, mailbox_ids)

        return await self._database.read(work)

    async def troubles(self, besides: Sequence[Incident] = ()) -> Sequence[Trouble]:
        """What is away now, by provider, state and cause, most first; what belongs to the open incidents *besides* is left out."""
        statement = _TROUBLES.where(*unexplained(besides, self._domain))

        async def work(attempt: Attempt) -> Sequence[Trouble]:
            rows = (await attempt.connection.execute(statement)).all()
            found = [Trouble(row.provider, State(row.state), row.cause, row.number, row.oldest_at) for row in rows]
            return sorted(found, key=lambda trouble: (-trouble.mailboxes, trouble.since_at, trouble.provider, trouble.cause))

        return await self._database.read(work)


async def _views(attempt: Attempt, ids: Sequence[str]) -> Sequence[MailboxView]:
    if not ids:
        return ()
    rows = {row.id: row for row in (await attempt.connection.execute(_VIEW, {"ids": list(ids)})).all()}
    linked = await _campaigns(attempt, ids)
    return [
        MailboxView(replace(mailbox_from_row(rows[of]), campaigns=linked[of]), standing_from_row(rows[of]))
        for of in ids
        if of in rows
    ]


async def _campaigns(attempt: Attempt, mailbox_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {mailbox_id: [] for mailbox_id in mailbox_ids}
    for row in (await attempt.connection.execute(_LINKS, {"ids": list(found)})).all():
        found[row.mailbox_id].append(row.campaign_id)
    return {mailbox_id: tuple(campaigns) for mailbox_id, campaigns in found.items()}
