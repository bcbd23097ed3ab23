"""What the gauges of trouble read: who waits for a person, what comes and goes, what nobody has looked at, how long is paused."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, exists, false, func, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB

from mailwatch.core.causes import Cause
from mailwatch.core.flapping import is_flapping
from mailwatch.core.incidents.life import Incident
from mailwatch.core.lifecycle import LOGIN_STATES, TRANSITIONAL_STATES, State
from mailwatch.core.policy import FlapPolicy
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.incident_scope import domain_of, in_scope
from mailwatch.store.incident_views import away_with
from mailwatch.store.rows import labels_from_row, standing_from_row
from mailwatch.store.schema import Moment, grants, mailboxes, standings, to_micros
from mailwatch.store.schema_campaigns import pauses

_FLAPPING: Final = 10_000


@dataclass(frozen=True, slots=True)
class Stopped:
    """One blocked mailbox."""

    mailbox_id: str
    provider: str
    cause: Cause
    since_at: datetime
    labels: Mapping[str, str]


class SqlGauges:
    """Counts over the whole fleet, each one indexed query."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._domain = domain_of(database)

    async def waiting(self, incidents: Sequence[Incident]) -> Mapping[Cause, tuple[int, datetime]]:
        """Blocked mailboxes by cause, and since when the first of them waits.

        Those are left out that one of the open *incidents* has stopped: not who waits in its scope for a reason of its own.
        """
        oldest = func.min(standings.c.since_at, type_=Moment).label("oldest_at")
        blocked = self._blocked(incidents, standings.c.cause, func.count().label("number"), oldest)

        async def work(attempt: Attempt) -> dict[Cause, tuple[int, datetime]]:
            rows = (await attempt.connection.execute(blocked.group_by(standings.c.cause))).all()
            return {Cause(row.cause): (row.number, row.oldest_at) for row in rows}

        return await self._database.read(work)

    async def stopped(self, incidents: Sequence[Incident], causes: Collection[Cause], limit: int) -> Sequence[Stopped]:
        """The same mailboxes one by one, of *causes*, at most *limit*, those that were stopped last first."""
        standing, mailbox = standings.c, mailboxes.c
        blocked = self._blocked(incidents, mailbox.id, mailbox.provider, standing.cause, standing.since_at, mailbox.labels)
        newest = blocked.where(standing.cause.in_(sorted(causes))).order_by(standing.since_at.desc(), standing.mailbox_id.desc())

        async def work(attempt: Attempt) -> Sequence[Stopped]:
            rows = (await attempt.connection.execute(newest.limit(limit))).all()
            return [Stopped(row.id, row.provider, Cause(row.cause), row.since_at, labels_from_row(row)) for row in rows]

        return await self._database.read(work)

    def _blocked(self, incidents: Sequence[Incident], *columns: ColumnElement[Any]) -> Select[Any]:
        """*columns* of the blocked mailboxes that belong to none of *incidents*: one look at each, however many incidents."""
        # `is not true`: a mailbox without an OAuth app, or without SMTP, is in no scope of that kind
        besides = [and_(in_scope(each.scope, self._domain), away_with(each)).is_not(true()) for each in incidents]
        of = select(*columns).join_from(standings, mailboxes, mailboxes.c.id == standings.c.mailbox_id)
        return of.where(standings.c.state == State.BLOCKED.value, standings.c.cause.is_not(None), *besides)

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

        What a fault of our own hides for so long is among them in any state, and so is what is merely reached, since no login may
        be sent.  Not those of the gates in *excluding*: there only canaries look.
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
        hidden = and_(standings.c.state.in_(sorted(LOGIN_STATES)), self._impaired_before(long_ago))
        statement = select(func.count()).select_from(standings).where(or_(unseen, hanging, hidden))
        if excluding:
            statement = statement.where(standings.c.gate.not_in(sorted(excluding)))

        async def work(attempt: Attempt) -> int:
            return int((await attempt.connection.execute(statement)).scalar_one())

        return await self._database.read(work)

    def _impaired_before(self, moment: datetime) -> ColumnElement[bool]:
        """Whether a row of `standings` is impaired since before *moment*."""
        rest = standings.c.rest
        if self._database.is_sqlite:
            since: ColumnElement[Any] = func.json_extract(rest, "$.impaired_since_at")
        else:
            since = cast(cast(rest, JSONB)["impaired_since_at"].astext, BigInteger)
        # only where there is one: most rows have no rest at all, and that is no JSON
        return case((rest.contains("impaired_since_at"), since < to_micros(moment)), else_=false())

    async def fell_due(self, gates: Collection[str], since: datetime, until: datetime) -> int:
        """How many looks that log in fell due behind *gates* in between, and were not begun."""
        statement = select(func.count()).where(
            standings.c.gate.in_(sorted(gates)),
            standings.c.due_at > since,
            standings.c.due_at <= until,
            standings.c.state != State.BLOCKED.value,
            standings.c.lease_until_at.is_(None),
        )

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
