"""What people and gauges read: one mailbox, pages of them, their history, counts."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, and_, bindparam, delete, func, or_, select

from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.standing import Transition
from mailwatch.ports import MailboxFilter, MailboxNotFoundError, MailboxView
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.rows import mailbox_from_row, standing_from_row, transition_from_row
from mailwatch.store.schema import audit, mailboxes, refusals, standings, transitions
from mailwatch.store.schema_campaigns import campaign_links, pauses

_VIEW: Final = select(mailboxes, *(column for column in standings.c if column.name != "provider")).join_from(
    mailboxes, standings, standings.c.mailbox_id == mailboxes.c.id
)
_FIND: Final = _VIEW.where(or_(mailboxes.c.id == bindparam("wanted"), mailboxes.c.address_key == bindparam("wanted_key")))
_IDS: Final = select(mailboxes.c.id, mailboxes.c.address_key).where(
    or_(
        mailboxes.c.id.in_(bindparam("wanted", expanding=True)),
        mailboxes.c.address_key.in_(bindparam("wanted_keys", expanding=True)),
    )
)
_COUNTS: Final = select(standings.c.provider, standings.c.state, func.count().label("number")).group_by(
    standings.c.provider, standings.c.state
)
_DUE_COUNT: Final = select(func.count(), func.min(standings.c.due_at)).where(
    standings.c.due_at <= bindparam("now"),
    or_(standings.c.lease_until_at.is_(None), standings.c.lease_until_at <= bindparam("now")),
)
_REFUSALS: Final = select(refusals.c.host, refusals.c.at).where(refusals.c.at >= bindparam("since")).order_by(refusals.c.at)
_HISTORY: Final = (
    select(transitions).where(transitions.c.id > bindparam("after")).order_by(transitions.c.id).limit(bindparam("most"))
)
_TOLD: Final = _HISTORY.where(transitions.c.at >= bindparam("since"), transitions.c.at < bindparam("until"))
_STATIC: Final = select(mailboxes).where(mailboxes.c.id.in_(bindparam("ids", expanding=True)))
_TAKEN: Final = select(mailboxes.c.address_key).where(mailboxes.c.address_key.in_(bindparam("wanted", expanding=True)))
_PRUNE_ROWS: Final = 5000
_IDS_AT_ONCE: Final = 5000
_CAMPAIGNS: Final = (
    select(campaign_links)
    .where(campaign_links.c.mailbox_id.in_(bindparam("ids", expanding=True)))
    .order_by(campaign_links.c.mailbox_id, campaign_links.c.campaign_id)
)


async def _views(attempt: Attempt, rows: Sequence[Row[Any]]) -> list[MailboxView]:
    linked = await _campaigns(attempt, [row.id for row in rows])
    return [MailboxView(replace(mailbox_from_row(row), campaigns=linked.get(row.id, ())), standing_from_row(row)) for row in rows]


async def _campaigns(attempt: Attempt, mailbox_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """The campaigns each of these mailboxes sends for, by id."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for start in range(0, len(mailbox_ids), _IDS_AT_ONCE):
        ids = {"ids": list(mailbox_ids[start : start + _IDS_AT_ONCE])}
        for row in (await attempt.connection.execute(_CAMPAIGNS, ids)).all():
            found[row.mailbox_id].append(row.campaign_id)
    return {mailbox_id: tuple(names) for mailbox_id, names in found.items()}


async def find(attempt: Attempt, id_or_address: str) -> MailboxView:
    """One mailbox; raises MailboxNotFoundError."""
    wanted = {"wanted": id_or_address, "wanted_key": id_or_address.lower()}
    row = (await attempt.connection.execute(_FIND, wanted)).first()
    if row is None:
        raise _not_found(id_or_address)
    return (await _views(attempt, [row]))[0]


def _not_found(id_or_address: str) -> MailboxNotFoundError:
    return MailboxNotFoundError(f"no mailbox {id_or_address!r}; `mailwatch mailbox list` shows those there are")


async def ids_of(attempt: Attempt, names: Sequence[str]) -> Sequence[str]:
    """The ids of mailboxes named by id or address, each once; raises MailboxNotFoundError with the first that is missing."""
    known: dict[str, str] = {}
    for start in range(0, len(names), _IDS_AT_ONCE):
        some = names[start : start + _IDS_AT_ONCE]
        wanted = {"wanted": list(some), "wanted_keys": [name.lower() for name in some]}
        for row in (await attempt.connection.execute(_IDS, wanted)).all():
            known |= {row.address_key: row.id, row.id: row.id}
    found = []
    for name in names:
        mailbox_id = known.get(name) or known.get(name.lower())
        if mailbox_id is None:
            raise _not_found(name)
        found.append(mailbox_id)
    return list(dict.fromkeys(found))


async def page(attempt: Attempt, which: MailboxFilter) -> Sequence[MailboxView]:
    """A page of mailboxes, by id."""
    rows = await attempt.connection.execute(_narrowed(which).order_by(mailboxes.c.id).limit(which.limit))
    return await _views(attempt, rows.all())


def _narrowed(which: MailboxFilter) -> Select[Any]:
    statement = _VIEW
    if which.states:
        statement = statement.where(standings.c.state.in_(sorted(which.states)))
    if which.providers:
        statement = statement.where(standings.c.provider.in_(sorted(which.providers)))
    if which.text:
        statement = statement.where(mailboxes.c.address_key.contains(which.text.lower(), autoescape=True))
    if which.after is not None:
        statement = statement.where(mailboxes.c.id > which.after)
    return statement


async def history(attempt: Attempt, mailbox_id: str | None, *, after: int, limit: int) -> Sequence[tuple[int, Transition]]:
    """Transitions with their row numbers, oldest first.

    Row numbers are given out in the order of writing; with several nodes a lower one may become visible after a higher one, so a
    reader that follows the history live looks again a little behind its cursor.
    """
    statement = _HISTORY if mailbox_id is None else _HISTORY.where(transitions.c.mailbox_id == mailbox_id)
    rows = await attempt.connection.execute(statement, {"after": after, "most": limit})
    return [(row.id, transition_from_row(row)) for row in rows.all()]


async def taken(attempt: Attempt, addresses: Sequence[str]) -> frozenset[str]:
    """Which of *addresses* (up to a few thousand) are there already, lower case."""
    rows = await attempt.connection.execute(_TAKEN, {"wanted": [address.lower() for address in addresses]})
    return frozenset(rows.scalars())


async def told(
    attempt: Attempt, *, since: datetime, until: datetime, after: int, limit: int
) -> Sequence[tuple[int, Mailbox, Transition]]:
    """Transitions from *since* to before *until* with their row numbers and mailboxes, in the order they were written."""
    values = {"after": after, "most": limit, "since": since, "until": until}
    rows = (await attempt.connection.execute(_TOLD, values)).all()
    ids = sorted({row.mailbox_id for row in rows})
    statics = (await attempt.connection.execute(_STATIC, {"ids": ids})).all() if ids else ()
    linked = await _campaigns(attempt, ids)
    of = {row.id: replace(mailbox_from_row(row), campaigns=linked.get(row.id, ())) for row in statics}
    return [(row.id, of[row.mailbox_id], transition_from_row(row)) for row in rows]


async def counts(attempt: Attempt) -> Mapping[tuple[str, State], int]:
    """Mailboxes by provider and state."""
    rows = await attempt.connection.execute(_COUNTS)
    return {(row.provider, State(row.state)): row.number for row in rows.all()}


async def watched_by_gate(attempt: Attempt, more_than: int) -> Mapping[str, int]:
    """How many mailboxes are looked at once an interval, by gate; only of gates with more than so many."""
    number = func.count().label("number")
    resting = [State.INACTIVE.value, State.HELD.value, State.BLOCKED.value]
    many = (
        select(standings.c.gate, number)
        .where(standings.c.state.not_in(resting))
        .group_by(standings.c.gate)
        .having(number > more_than)
    )
    return {row.gate: row.number for row in (await attempt.connection.execute(many)).all()}


async def due_count(attempt: Attempt, now: datetime, excluding: Collection[str]) -> tuple[int, datetime | None]:
    """How many are due and not leased, and the oldest due moment; the gates in *excluding* are left out."""
    statement = _DUE_COUNT.where(standings.c.gate.not_in(sorted(excluding))) if excluding else _DUE_COUNT
    number, oldest = (await attempt.connection.execute(statement, {"now": now})).one()
    return number, oldest


async def refusals_since(attempt: Attempt, since: datetime) -> Mapping[str, Sequence[datetime]]:
    """Refused or lost logins by host, oldest first."""
    found: defaultdict[str, list[datetime]] = defaultdict(list)
    for row in (await attempt.connection.execute(_REFUSALS, {"since": since})).all():
        found[row.host].append(row.at)
    return dict(found)


async def prune_some(attempt: Attempt, before: datetime, audit_before: datetime, refusals_before: datetime) -> int:
    """Delete a few thousand rows that are older; how many went.  Each mailbox keeps its latest transition: why it is as it is."""
    latest = select(standings.c.version).where(standings.c.mailbox_id == transitions.c.mailbox_id).scalar_subquery()
    old_transitions = and_(transitions.c.at < before, transitions.c.version < latest)
    gone = 0
    for table, old in (
        (transitions, old_transitions),
        (audit, audit.c.at < audit_before),
        (refusals, refusals.c.at < refusals_before),
        (pauses, pauses.c.lifted_at < before),
    ):
        some = select(table.c.id).where(old).limit(_PRUNE_ROWS)
        gone += (await attempt.connection.execute(delete(table).where(table.c.id.in_(some)))).rowcount
    return gone


async def prune(database: Database, before: datetime, audit_before: datetime, refusals_before: datetime) -> int:
    """Delete what is older, a few thousand rows at a time so that no probe waits long; how many rows went."""

    async def work(attempt: Attempt) -> int:
        return await prune_some(attempt, before, audit_before, refusals_before)

    total = 0
    while some := await database.write(work):
        total += some
    return total
