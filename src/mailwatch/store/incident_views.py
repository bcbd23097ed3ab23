"""What the page reads of incidents (part of ports.pages.Pages): whom one took, how it went, and what is away besides."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, func, not_, or_, select, type_coerce

from mailwatch.core.incidents.belonging import AWAY, LEAD, stops_with
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.core.webhooks import EventType
from mailwatch.ports.pages import Course, Extent, Stretch
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.incident_scope import WHO, changed_in, domain_of, in_scope, seen_in
from mailwatch.store.schema import Moment, audit, from_micros, mailboxes, standings, to_micros, transitions
from mailwatch.store.schema_campaigns import campaign_links, events

#: Lengths of a stretch, in seconds; the first that makes no more than so many of them is taken.
_STRETCHES: Final = (10, 30, 60, 300, 900, 3600, 10_800, 43_200, 86_400)
_MOST_STRETCHES: Final = 60
_MICROS: Final = 1_000_000
_TRIED: Final = (State.SUSPECT.value, State.RECONNECTING.value, State.VERIFYING.value)
_TURNS: Final = (EventType.INCIDENT_OPENED, EventType.INCIDENT_CLOSED, EventType.INCIDENT_REOPENED)
_AWAY: Final = sorted(AWAY)


class SqlIncidentViews:
    """The incidents of one database, for eyes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._domain = domain_of(database)

    async def extent(self, incident: Incident, limit: int) -> Extent:
        """What the incident has taken, with at most *limit* campaigns."""
        seen = seen_in(incident, self._domain)
        due_at = func.min(case((standings.c.state.in_(_TRIED), standings.c.due_at)), type_=Moment)
        by_state = (
            select(standings.c.state, func.count().label("number"), due_at.label("due_at"))
            .where(standings.c.mailbox_id.in_(seen))
            .group_by(standings.c.state)
        )
        sending = self._sending(incident, seen).limit(limit)

        async def work(attempt: Attempt) -> Extent:
            rows = (await attempt.connection.execute(by_state)).all()
            return Extent(
                seen=sum(row.number for row in rows),
                states={State(row.state): row.number for row in rows},
                next_at=min((row.due_at for row in rows if row.due_at is not None), default=None),
                campaigns=(await attempt.connection.execute(sending)).scalars().all(),
            )

        return await self._database.read(work)

    def _sending(self, incident: Incident, seen: Select[Any]) -> Select[Any]:
        """Campaigns that send through what it took: through all of its scope where that is down as a whole."""
        links = select(campaign_links.c.campaign_id).distinct().order_by(campaign_links.c.campaign_id)
        if incident.takes_all and incident.is_open and incident.scope != EGRESS:
            whole = select(mailboxes.c.id).where(in_scope(incident.scope, self._domain))
            return links.where(campaign_links.c.mailbox_id.in_(whole))
        return links.where(campaign_links.c.mailbox_id.in_(seen))

    async def seen_failing(self, incident: Incident, after: str | None, limit: int) -> Sequence[str]:
        """Ids of mailboxes that were seen failing in it, in order of id."""
        statement = seen_in(incident, self._domain).order_by(WHO).limit(limit)
        if after is not None:
            statement = statement.where(after < WHO)

        async def work(attempt: Attempt) -> Sequence[str]:
            return list((await attempt.connection.execute(statement)).scalars())

        return await self._database.read(work)

    async def course(self, incident: Incident, now: datetime) -> Course:
        """How it went, from its first failure to its end, or a while after where mailboxes still came back."""
        begin = incident.opened_at - LEAD
        end = now if incident.closed_at is None else min(now, incident.closed_at + LEAD)
        length = (end - begin).total_seconds()
        seconds = next((each for each in _STRETCHES if length <= each * _MOST_STRETCHES), _STRETCHES[-1])
        within = and_(transitions.c.at >= begin, transitions.c.at <= end, changed_in(incident.scope, self._domain))

        async def work(attempt: Attempt) -> Course:
            failed = await _counted(attempt, _first_failures(within), begin, seconds)
            back = await _counted(attempt, _returns(within), begin, seconds)
            stretches = _stretches(failed, back, begin, seconds)
            return Course(seconds, stretches, await _turns(attempt, incident, end), await _closed_by_hand(attempt, incident, end))

        return await self._database.read(work)


def _first_failures(within: ColumnElement[bool]) -> Select[Any]:
    return _of_mailboxes(func.min(transitions.c.at)).where(within, transitions.c.to_state == State.SUSPECT.value)


def _returns(within: ColumnElement[bool]) -> Select[Any]:
    back = or_(
        transitions.c.to_state == State.VERIFYING.value,
        and_(transitions.c.from_state == State.SUSPECT.value, transitions.c.to_state == State.CONNECTED.value),
    )
    return _of_mailboxes(func.max(transitions.c.at)).where(within, back)


def _of_mailboxes(at: ColumnElement[Any]) -> Select[Any]:
    return select(type_coerce(at, BigInteger).label("at")).group_by(WHO)


async def _counted(attempt: Attempt, moments: Select[Any], begin: datetime, seconds: int) -> Counter[int]:
    """How many of *moments* fall into each stretch since *begin*."""
    found = moments.subquery("found")
    place = ((found.c.at - to_micros(begin)) // (seconds * _MICROS)).label("place")
    rows = (await attempt.connection.execute(select(place, func.count().label("number")).group_by(place))).all()
    return Counter({int(row.place): row.number for row in rows})


def _stretches(failed: Mapping[int, int], back: Mapping[int, int], begin: datetime, seconds: int) -> list[Stretch]:
    """From the first failure to the last that happened; quiet ones too."""
    if not failed:
        return []
    first, last = min(failed), max([*failed, *back])
    start = to_micros(begin)
    return [
        Stretch(from_micros(start + place * seconds * _MICROS), failed.get(place, 0), back.get(place, 0))
        for place in range(first, last + 1)
    ]


async def _turns(attempt: Attempt, incident: Incident, end: datetime) -> Sequence[tuple[datetime, str]]:
    told = (
        select(events.c.at, events.c.type, events.c.content)
        .where(events.c.at >= incident.opened_at, events.c.at <= end, events.c.type.in_([each.value for each in _TURNS]))
        .order_by(events.c.id)
    )
    rows = (await attempt.connection.execute(told)).all()
    return [(row.at, row.type) for row in rows if json.loads(row.content).get("incident") == incident.id]


async def _closed_by_hand(attempt: Attempt, incident: Incident, end: datetime) -> frozenset[datetime]:
    during = and_(audit.c.at >= incident.opened_at, audit.c.at <= end)
    closing = select(audit.c.at).where(during, audit.c.action == "incident.close", audit.c.subject == incident.id)
    return frozenset((await attempt.connection.execute(closing)).scalars())


def unexplained(incidents: Sequence[Incident], domain: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """Conditions on `standings` that leave out what belongs to these open *incidents*."""
    return [not_(and_(_inside(incident, domain), away_with(incident))) for incident in incidents]


def away_with(incident: Incident) -> ColumnElement[bool]:
    """core.incidents.belonging.belongs, of a row of `standings` whose mailbox is in the incident's scope."""
    return and_(
        func.coalesce(standings.c.down_since_at, standings.c.since_at, type_=Moment) >= incident.opened_at - LEAD,
        standings.c.state.in_(_AWAY),
        or_(standings.c.state != State.BLOCKED.value, standings.c.cause.in_(sorted(stops_with(incident)))),
    )


def _inside(incident: Incident, domain: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the mailbox of a row of `standings` is in the incident's scope."""
    if incident.scope.kind is ScopeKind.PROVIDER:
        return standings.c.provider == incident.scope.name
    return standings.c.mailbox_id.in_(select(mailboxes.c.id).where(in_scope(incident.scope, domain)))
