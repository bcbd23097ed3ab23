"""Incidents at rest (ports.incidents.Incidents), and the counts by traits that correlation looks at.

Everything is grouped by the database: however many mailboxes fail together, what comes back is one row for each mix of provider,
endpoints, domain and OAuth app.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, case, delete, func, insert, not_, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from mailwatch.core.cause_texts import texts_for
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.baseline import Baseline
from mailwatch.core.incidents.belonging import LEAD
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.picture import Failing, FreshFailures, Recent, Recovered
from mailwatch.core.incidents.scopes import Scope, ScopeKind, Traits
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Endpoint
from mailwatch.core.webhooks import EventType
from mailwatch.ports import Act
from mailwatch.ports.campaigns import StaleError
from mailwatch.ports.incidents import IncidentNotFoundError, IncidentOverError
from mailwatch.store.audit import new_operation, went_through, write_audit
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.events import Note, stamp, write_notes
from mailwatch.store.incident_scope import WHO, domain_of, in_scope, seen_in
from mailwatch.store.schema import Moment, mailboxes, standings, transitions
from mailwatch.store.schema_campaigns import campaign_links
from mailwatch.store.schema_incidents import baselines, duties, incidents

_AWAY: Final = (State.SUSPECT.value, State.RECONNECTING.value, State.BLOCKED.value)
_UNWATCHED: Final = (State.INACTIVE.value, State.HELD.value, State.PENDING.value)
_CHUNK: Final = 500

#: So that there always is a moment to tell apart by.
_NEVER: Final = datetime.max.replace(year=9000, tzinfo=UTC)
#: When the running disconnection began; of one that is merely suspected, when it was.
_DOWN_AT: Final = func.coalesce(standings.c.down_since_at, standings.c.since_at, type_=Moment)

_host: Final = lru_cache(maxsize=4096)(lambda url: Endpoint.parse(url).host.lower())


class SqlIncidents:
    """The incidents of one database, as node *node* sees and keeps them."""

    def __init__(self, database: Database, *, node: str) -> None:
        self._database = database
        self._node = node
        self._domain = domain_of(database)

    async def hold(self, duty: str, now: datetime, seconds: float) -> bool:
        """Whether this node may do the *duty*; a holder that asks again keeps it."""
        until_at = now + timedelta(seconds=seconds)

        async def work(attempt: Attempt) -> bool:
            mine = or_(duties.c.node == self._node, duties.c.until_at <= now)
            taken = update(duties).where(duties.c.name == duty, mine).values(node=self._node, until_at=until_at)
            if (await attempt.connection.execute(taken)).rowcount:
                return True
            known = (await attempt.connection.execute(select(duties.c.name).where(duties.c.name == duty))).first()
            if known is None:
                await attempt.connection.execute(insert(duties).values(name=duty, node=self._node, until_at=until_at))
            return known is None

        try:
            return await self._database.write(work)
        except IntegrityError:
            return False  # another node was quicker by a moment

    async def recent(self, since: datetime, lately: datetime, begun: Collection[datetime] = ()) -> Recent:
        """What failed since *since*, what is away, and what came back since *lately*; apart by the moments *begun*."""
        marks = sorted({*begun, _NEVER}, reverse=True)

        async def work(attempt: Attempt) -> Recent:
            return Recent(
                await self._fresh(attempt, since, lately),
                await self._failing(attempt, lately, marks),
                await self._recovered(attempt, lately, marks),
            )

        return await self._database.read(work)

    def _traits(self) -> tuple[ColumnElement[Any], ...]:
        columns = mailboxes.c
        return columns.provider, columns.imap, columns.smtp, columns.oauth_app, self._domain.label("domain")

    async def _fresh(self, attempt: Attempt, since: datetime, lately: datetime) -> list[FreshFailures]:
        left = and_(
            transitions.c.at > since,
            transitions.c.from_state == State.CONNECTED.value,
            transitions.c.to_state == State.SUSPECT.value,
        )
        latest = func.max(transitions.c.at).label("last_at")
        statement = (
            select(*self._traits(), transitions.c.cause, func.count(transitions.c.mailbox_id.distinct()).label("number"))
            .add_columns(func.sum(case((transitions.c.at > lately, 1), else_=0)).label("lately"), latest)
            .join_from(transitions, mailboxes, mailboxes.c.id == transitions.c.mailbox_id)
            .where(left)
            .group_by(*self._traits(), transitions.c.cause)
        )
        rows = (await attempt.connection.execute(statement)).all()
        return [
            FreshFailures(_traits_of(row), Cause(row.cause), row.number, int(row.lately), row.last_at) for row in rows if row.cause
        ]

    async def _failing(self, attempt: Attempt, lately: datetime, marks: Sequence[datetime]) -> list[Failing]:
        state = standings.c.state
        in_vain = and_(standings.c.last_probe_at > lately, state != State.BLOCKED.value)
        looked = func.sum(case((in_vain, 1), else_=0)).label("lately")
        place = _place(_DOWN_AT, marks)
        statement = (
            select(*self._traits(), state, standings.c.cause, place, func.count().label("number"), looked)
            .join_from(standings, mailboxes, mailboxes.c.id == standings.c.mailbox_id)
            .where(state.in_(_AWAY))
            .group_by(*self._traits(), state, standings.c.cause, place)
        )
        return [
            Failing(
                _traits_of(row),
                row.number,
                int(row.lately),
                Cause(row.cause) if row.cause else None,
                blocked=row.state == State.BLOCKED.value,
                after=_mark(row.place, marks),
            )
            for row in (await attempt.connection.execute(statement)).all()
        ]

    async def _recovered(self, attempt: Attempt, lately: datetime, marks: Sequence[datetime]) -> list[Recovered]:
        proving = transitions.c.to_state == State.VERIFYING.value
        doubted = and_(transitions.c.from_state == State.SUSPECT.value, transitions.c.to_state == State.CONNECTED.value)
        # who was merely suspected, or is verified already, failed a moment ago
        down_at = case((proving, standings.c.down_since_at))
        place = _place(func.coalesce(down_at, transitions.c.at, type_=Moment), marks)
        confirmed = case((proving, 1), else_=0).label("confirmed")
        statement = (
            select(*self._traits(), confirmed, place, func.count(transitions.c.mailbox_id.distinct()).label("number"))
            .join_from(transitions, mailboxes, mailboxes.c.id == transitions.c.mailbox_id)
            .join(standings, standings.c.mailbox_id == mailboxes.c.id)
            .where(transitions.c.at > lately, or_(proving, doubted))
            .group_by(*self._traits(), confirmed, place)
        )
        return [
            Recovered(_traits_of(row), row.number, _mark(row.place, marks), confirmed=bool(row.confirmed))
            for row in (await attempt.connection.execute(statement)).all()
        ]

    async def watched(self) -> Sequence[tuple[Traits, int]]:
        """How many watched mailboxes there are of each traits."""
        statement = (
            select(*self._traits(), func.count().label("number"))
            .join_from(standings, mailboxes, mailboxes.c.id == standings.c.mailbox_id)
            .where(standings.c.state.not_in(_UNWATCHED))
            .group_by(*self._traits())
        )

        async def work(attempt: Attempt) -> list[tuple[Traits, int]]:
            return [(_traits_of(row), row.number) for row in (await attempt.connection.execute(statement)).all()]

        return await self._database.read(work)

    async def known(self, closed_since: datetime) -> Sequence[Incident]:
        """Open incidents, and those closed since *closed_since*."""
        open_or_recent = or_(incidents.c.closed_at.is_(None), incidents.c.closed_at >= closed_since)
        statement = select(incidents).where(open_or_recent).order_by(incidents.c.opened_at, incidents.c.id)

        async def work(attempt: Attempt) -> list[Incident]:
            return [_incident(row) for row in (await attempt.connection.execute(statement)).all()]

        return await self._database.read(work)

    async def save(self, changed: Sequence[Incident]) -> None:
        """Store them as they are now, each that was opened or closed with an event in the same transaction.

        What a person closed since they were read stays closed.
        """

        async def work(attempt: Attempt) -> None:
            notes = [await _save(attempt, incident) for incident in changed]
            await write_notes(attempt, [note for note in notes if note is not None])

        if changed:
            await self._database.write(work)

    async def close(self, incident_id: str, at: datetime, act: Act, *, version: int | None = None) -> Incident:
        """A person says it is over.  Raises IncidentNotFoundError, StaleError, IncidentOverError."""
        theirs = incidents.c.id == incident_id
        operation = new_operation()

        async def work(attempt: Attempt) -> Incident:
            connection = attempt.connection
            row = (await connection.execute(select(incidents).where(theirs).with_for_update())).first()
            if row is None:
                raise IncidentNotFoundError(f"no incident {incident_id!r}; `mailwatch incident list` shows those there are")
            found = _incident(row)
            if await went_through(attempt, operation):
                return found
            if version is not None and version != found.version:
                raise StaleError(f"the incident is at version {found.version} now, no longer at {version}; look again")
            if found.closed_at is not None:
                raise IncidentOverError(incident_id, found.closed_at)
            closed = replace(found, closed_at=at)
            await connection.execute(update(incidents).where(theirs).values(closed_at=at))
            await write_audit(attempt, act, at, subject=incident_id, before="open", after="closed", operation=operation)
            await write_notes(attempt, [_note(EventType.INCIDENT_CLOSED, closed)])
            return closed

        return await self._database.write(work)

    async def listed(self, before: str | None, limit: int, *, is_open: bool | None = None) -> Sequence[Incident]:
        """Incidents, newest first, all of them or only open or closed ones; *before* is the id of the last one seen."""
        statement = select(incidents).order_by(incidents.c.opened_at.desc(), incidents.c.id.desc()).limit(limit)
        if is_open is not None:
            statement = statement.where(incidents.c.closed_at.is_(None) if is_open else incidents.c.closed_at.is_not(None))

        async def work(attempt: Attempt) -> list[Incident]:
            page = statement
            if before is not None:
                seen = (await attempt.connection.execute(select(incidents).where(incidents.c.id == before))).first()
                if seen is None:
                    return []
                same = and_(incidents.c.opened_at == seen.opened_at, incidents.c.id < seen.id)
                page = page.where(or_(incidents.c.opened_at < seen.opened_at, same))
            return [_incident(row) for row in (await attempt.connection.execute(page)).all()]

        return await self._database.read(work)

    async def find(self, incident_id: str) -> Incident | None:
        """One incident."""

        async def work(attempt: Attempt) -> Incident | None:
            row = (await attempt.connection.execute(select(incidents).where(incidents.c.id == incident_id))).first()
            return None if row is None else _incident(row)

        return await self._database.read(work)

    async def affected(self, incident: Incident, limit: int) -> tuple[Sequence[str], Sequence[str]]:
        """(mailbox ids, campaign ids): what left `connected` in its scope while it was open."""
        found = seen_in(incident, self._domain).order_by(WHO).limit(limit)
        sending = select(campaign_links.c.campaign_id).distinct().where(campaign_links.c.mailbox_id.in_(found))

        async def work(attempt: Attempt) -> tuple[Sequence[str], Sequence[str]]:
            connection = attempt.connection
            ids = (await connection.execute(found)).scalars().all()
            campaigns = (await connection.execute(sending.order_by(campaign_links.c.campaign_id).limit(limit))).scalars().all()
            return ids, campaigns

        return await self._database.read(work)

    async def suspects(self, incident: Incident, limit: int) -> Sequence[str]:
        """Mailboxes of the incident's scope that wait for their second look, the longest first."""
        return await self._members(incident, standings.c.state == State.SUSPECT.value, limit)

    async def hasten(self, incident: Incident, now: datetime) -> int:
        """Make due at once what waits in its scope for its next try; how many that were."""
        held = and_(standings.c.lease.is_not(None), standings.c.lease_until_at > now)
        theirs = select(mailboxes.c.id).where(in_scope(incident.scope, self._domain))
        waiting = (standings.c.state == State.RECONNECTING.value, standings.c.due_at > now, not_(held))
        statement = update(standings).where(*waiting, standings.c.mailbox_id.in_(theirs)).values(due_at=now)

        async def work(attempt: Attempt) -> int:
            return max(0, (await attempt.connection.execute(statement)).rowcount)

        return await self._database.write(work)

    async def waiting_for(self, incident: Incident, causes: Sequence[Cause], limit: int) -> Sequence[str]:
        """Blocked mailboxes of the incident's scope that one of *causes* stopped while it was open, the longest blocked first."""
        stopped = and_(standings.c.state == State.BLOCKED.value, standings.c.cause.in_(sorted(causes)))
        if incident.closed_at is not None:
            stopped = and_(stopped, standings.c.since_at <= incident.closed_at)
        return await self._members(incident, stopped, limit)

    async def _members(self, incident: Incident, which: ColumnElement[bool], limit: int) -> Sequence[str]:
        statement = (
            select(standings.c.mailbox_id)
            .join_from(standings, mailboxes, mailboxes.c.id == standings.c.mailbox_id)
            .where(which, incident.opened_at - LEAD <= _DOWN_AT, in_scope(incident.scope, self._domain))
            .order_by(standings.c.since_at, standings.c.mailbox_id)
            .limit(limit)
        )

        async def work(attempt: Attempt) -> Sequence[str]:
            return (await attempt.connection.execute(statement)).scalars().all()

        return await self._database.read(work)

    async def baselines(self) -> Mapping[Scope, Baseline]:
        """What each scope shows by itself."""

        async def work(attempt: Attempt) -> Mapping[Scope, Baseline]:
            rows = (await attempt.connection.execute(select(baselines))).all()
            return {Scope(ScopeKind(row.kind), row.name): Baseline(row.events, row.exposure_seconds) for row in rows}

        return await self._database.read(work)

    async def learn(self, learnt: Mapping[Scope, Baseline]) -> None:
        """Store what was learnt, in the place of what was known."""
        rows = [
            {"kind": scope.kind.value, "name": scope.name, "events": known.events, "exposure_seconds": known.exposure_seconds}
            for scope, known in learnt.items()
        ]
        for start in range(0, len(rows), _CHUNK):
            some = rows[start : start + _CHUNK]

            async def work(attempt: Attempt, some: list[dict[str, Any]] = some) -> None:
                for row in some:
                    place = and_(baselines.c.kind == row["kind"], baselines.c.name == row["name"])
                    await attempt.connection.execute(delete(baselines).where(place))
                await attempt.connection.execute(insert(baselines), some)

            await self._database.write(work)


def _place(at: ColumnElement[Any], marks: Sequence[datetime]) -> ColumnElement[Any]:
    """Which of *marks*, the newest first, is the first that *at* is not before; -1: it is before them all."""
    return case(*((at >= mark, place) for place, mark in enumerate(marks)), else_=-1).label("place")


def _mark(place: int, marks: Sequence[datetime]) -> datetime | None:
    return None if place < 0 else marks[place]


def _traits_of(row: Any) -> Traits:
    hosts = tuple(dict.fromkeys(_host(url) for url in (row.imap, row.smtp) if url))
    return Traits(row.provider, hosts, row.domain, row.oauth_app)


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        scope=Scope(ScopeKind(row.kind), row.name),
        cause=Cause(row.cause),
        opened_at=row.opened_at,
        last_failure_at=row.last_failure_at,
        failed=row.failed,
        peak_share=row.peak_share,
        closed_at=row.closed_at,
        reopened=row.reopened,
        size=row.size,
    )


async def _save(attempt: Attempt, incident: Incident) -> Note | None:
    connection = attempt.connection
    values = {
        "kind": incident.scope.kind.value,
        "name": incident.scope.name,
        "cause": incident.cause.value,
        "last_failure_at": incident.last_failure_at,
        "failed": incident.failed,
        "peak_share": incident.peak_share,
        "closed_at": incident.closed_at,
        "reopened": incident.reopened,
        "size": incident.size,
    }
    before = (await connection.execute(select(incidents.c.closed_at).where(incidents.c.id == incident.id))).first()
    if before is None:
        await connection.execute(insert(incidents).values(id=incident.id, opened_at=incident.opened_at, **values))
        return _note(EventType.INCIDENT_OPENED, incident)
    # what a person closed since it was read here stays closed; only a reopening opens it
    kept = or_(incidents.c.closed_at.is_(None), incidents.c.reopened < incident.reopened) if incident.is_open else true()
    stored = update(incidents).where(incidents.c.id == incident.id, kept).values(**values)
    if not (await connection.execute(stored)).rowcount:
        return None
    if (before.closed_at is None) is incident.is_open:
        return None  # it only grew
    return _note(EventType.INCIDENT_REOPENED if incident.is_open else EventType.INCIDENT_CLOSED, incident)


def _note(kind: EventType, incident: Incident) -> Note:
    content = {
        "incident": incident.id,
        "scope": {incident.scope.kind.value: incident.scope.name},
        "cause": incident.cause.value,
        "mailboxes": incident.affected,
        "share": round(incident.peak_share, 3),
        "opened_at": stamp(incident.opened_at),
        "closed_at": stamp(incident.closed_at),
        "sentence": texts_for(incident.cause).operator,
    }
    return Note(kind, incident.closed_at or incident.last_failure_at, content)
