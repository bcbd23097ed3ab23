"""What the gauges of trouble read: who waits for a person, what comes and goes, what nobody has looked at, how long is paused."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from mailwatch.core.causes import Cause
from mailwatch.core.flapping import is_flapping
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Traits
from mailwatch.core.lifecycle import TRANSITIONAL_STATES, State
from mailwatch.core.policy import FlapPolicy
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.rows import mailbox_from_row, standing_from_row
from mailwatch.store.schema import Moment, grants, mailboxes, standings
from mailwatch.store.schema_campaigns import pauses

#: What failed shortly before an incident was opened belongs to it.
_BEFORE: Final = timedelta(minutes=15)
_FLAPPING: Final = 10_000


class SqlGauges:
    """Counts over the whole fleet, each one indexed query."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self, incidents: Sequence[Incident]) -> Mapping[Cause, int]:
        """Blocked mailboxes by cause, those left out that one of the open *incidents* has stopped."""
        blocked = select(standings.c.cause, func.count().label("number")).where(standings.c.state == State.BLOCKED.value)

        async def work(attempt: Attempt) -> Counter[Cause]:
            rows = (await attempt.connection.execute(blocked.group_by(standings.c.cause))).all()
            counts = Counter({Cause(row.cause): row.number for row in rows if row.cause})
            if counts and incidents:
                counts.subtract(await _taken(attempt, incidents))
            return counts

        return await self._database.read(work)

    async def waiting_since(self) -> Mapping[Cause, datetime]:
        """Since when the first of the blocked mailboxes waits, by cause."""
        oldest = func.min(standings.c.since_at, type_=Moment).label("oldest_at")
        blocked = select(standings.c.cause, oldest).where(standings.c.state == State.BLOCKED.value).group_by(standings.c.cause)

        async def work(attempt: Attempt) -> dict[Cause, datetime]:
            rows = (await attempt.connection.execute(blocked)).all()
            return {Cause(row.cause): row.oldest_at for row in rows if row.cause}

        return await self._database.read(work)

    async def flapping(self, policy: FlapPolicy, now: datetime) -> Mapping[str, int]:
        """Mailboxes that come and go, by provider."""
        lately = standings.c.since_at > now - timedelta(seconds=policy.window_seconds + policy.calm_seconds)
        statement = select(standings).where(lately, standings.c.rest.contains("episodes_at")).limit(_FLAPPING)

        async def work(attempt: Attempt) -> Counter[str]:
            rows = (await attempt.connection.execute(statement)).all()
            return Counter(row.provider for row in rows if is_flapping(standing_from_row(row), policy, now))

        return await self._database.read(work)

    async def stale(self, now: datetime, interval_seconds: float, *, excluding: Collection[str] = ()) -> int:
        """Watched mailboxes that were not looked at for three intervals, or hang between two states for so long.

        Not those of the gates in *excluding*: there only canaries look.
        """
        long_ago = now - timedelta(seconds=3 * interval_seconds)
        unseen = and_(
            standings.c.state == State.CONNECTED.value,
            func.coalesce(standings.c.last_probe_at, standings.c.since_at) < long_ago,
        )
        hanging = and_(
            standings.c.state.in_(sorted(TRANSITIONAL_STATES)),
            standings.c.since_at < long_ago,
            func.coalesce(standings.c.last_probe_at, standings.c.since_at) < long_ago,
        )
        statement = select(func.count()).select_from(standings).where(or_(unseen, hanging))
        if excluding:
            statement = statement.where(standings.c.gate.not_in(sorted(excluding)))

        async def work(attempt: Attempt) -> int:
            return int((await attempt.connection.execute(statement)).scalar_one())

        return await self._database.read(work)

    async def consents_ending(self, now: datetime, before: datetime) -> Mapping[str, int]:
        """How many consents end between *now* and *before*, by OAuth app."""
        statement = (
            select(mailboxes.c.oauth_app, func.count().label("number"))
            .join_from(grants, mailboxes, mailboxes.c.id == grants.c.mailbox_id)
            .where(consents_between(now, before))
            .group_by(mailboxes.c.oauth_app)
        )

        async def work(attempt: Attempt) -> dict[str, int]:
            rows = (await attempt.connection.execute(statement)).all()
            return {row.oauth_app or "": row.number for row in rows}

        return await self._database.read(work)

    async def paused_longest(self, now: datetime) -> Mapping[str, float]:
        """How long the oldest pause in force lasts, in seconds, by its origin."""
        oldest = func.min(pauses.c.since_at).label("oldest_at")
        in_force = and_(pauses.c.lifted_at.is_(None), pauses.c.in_force)
        statement = select(pauses.c.origin, oldest).where(in_force).group_by(pauses.c.origin)

        async def work(attempt: Attempt) -> dict[str, float]:
            rows = (await attempt.connection.execute(statement)).all()
            return {row.origin: max(0.0, (now - row.oldest_at).total_seconds()) for row in rows}

        return await self._database.read(work)


def consents_between(now: Any, before: Any) -> ColumnElement[bool]:
    """Of `grants`: consents that end in between and whose mailbox is watched.  Ended ones show in their state."""
    asleep = exists().where(standings.c.mailbox_id == grants.c.mailbox_id, standings.c.state == State.INACTIVE.value)
    return and_(grants.c.consent_ends_at > now, grants.c.consent_ends_at <= before, ~asleep)


async def _taken(attempt: Attempt, incidents: Sequence[Incident]) -> Counter[Cause]:
    """Blocked mailboxes by cause that an open incident has stopped."""
    since = min(each.opened_at for each in incidents) - _BEFORE
    statement = (
        select(mailboxes, standings.c.cause, standings.c.since_at)
        .join_from(standings, mailboxes, mailboxes.c.id == standings.c.mailbox_id)
        .where(standings.c.state == State.BLOCKED.value, standings.c.since_at >= since)
    )
    found: Counter[Cause] = Counter()
    for row in (await attempt.connection.execute(statement)).all():
        scopes = set(Traits.of(mailbox_from_row(row)).scopes())
        if row.cause and any(
            row.since_at >= each.opened_at - _BEFORE and (each.scope == EGRESS or each.scope in scopes) for each in incidents
        ):
            found[Cause(row.cause)] += 1
    return found
