"""What the sending gate learns of mailboxes (ports.campaigns.SendingSource), driven by the events table.

Whichever node or command line made a change, its event was committed with it, and events become visible in the order of their row
numbers (`events`): a reader that goes on behind its mark misses none.  What is told is the present, not what the event said.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, func, select

from mailwatch.core.campaigns import CampaignPolicy, CampaignState, Channel, is_away
from mailwatch.core.lifecycle import SENDING_STATES, State
from mailwatch.core.standing import Standing
from mailwatch.ports.campaigns import SendingChange
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.rows import standing_from_row
from mailwatch.store.schema import from_micros, mailboxes, standings
from mailwatch.store.schema_campaigns import campaigns, events, pauses

_NEWEST: Final = select(func.coalesce(func.max(events.c.id), 0))
_latest = func.max(events.c.id).label("latest")
_CHANGED: Final = (
    select(events.c.mailbox_id, _latest)
    .where(events.c.id > bindparam("mark"), events.c.id <= bindparam("newest"), events.c.mailbox_id.is_not(None))
    .group_by(events.c.mailbox_id)
    .order_by(_latest)
    .limit(bindparam("most"))
)
_FACTS: Final = select(standings, mailboxes.c.address_key).join(mailboxes, mailboxes.c.id == standings.c.mailbox_id)
_PAGE: Final = _FACTS.where(standings.c.mailbox_id > bindparam("after")).order_by(standings.c.mailbox_id).limit(bindparam("most"))
_SOME: Final = _FACTS.where(standings.c.mailbox_id.in_(bindparam("ids", expanding=True)))
_PAUSED_FOR: Final = select(pauses.c.mailbox_id).where(
    pauses.c.mailbox_id.in_(bindparam("ids", expanding=True)), pauses.c.lifted_at.is_(None), pauses.c.in_force
)
_CAMPAIGNS_AT_ONCE: Final = 2000
_NOT_RUNNING: Final = (
    select(campaigns.c.id, campaigns.c.state)
    .where(campaigns.c.id > bindparam("after"), campaigns.c.state != CampaignState.ACTIVE.value)
    .order_by(campaigns.c.id)
    .limit(bindparam("most"))
)
_SPOKEN_OF: Final = select(campaigns.c.id, campaigns.c.state).where(
    campaigns.c.id.in_(select(events.c.campaign_id).where(events.c.id > bindparam("mark"), events.c.campaign_id.is_not(None)))
)
_GONE_AT: Final = from_micros(0)


class SqlSending:
    """The sending source of one database."""

    def __init__(self, database: Database, policy: Callable[[], CampaignPolicy]) -> None:
        self._database = database
        self._policy = policy

    async def all_sending(self, after: str | None, limit: int) -> Sequence[SendingChange]:
        """A page of all mailboxes by id."""

        async def work(attempt: Attempt) -> Sequence[SendingChange]:
            rows = (await attempt.connection.execute(_PAGE, {"after": after or "", "most": limit})).all()
            return await self._told(attempt, rows)

        return await self._database.read(work)

    async def sending_since(self, mark: int, limit: int) -> tuple[int, Sequence[SendingChange]]:
        """What changed since *mark* (a row number of events), and the new mark; with mark -1: the newest mark and nothing."""

        async def work(attempt: Attempt) -> tuple[int, Sequence[SendingChange]]:
            newest = int((await attempt.connection.execute(_NEWEST)).scalar_one())
            if mark < 0 or newest <= mark:
                # an empty table after everything in it was pruned is not an older database
                return (mark if newest == 0 and mark >= 0 else newest), ()
            values = {"mark": mark, "newest": newest, "most": limit}
            found = (await attempt.connection.execute(_CHANGED, values)).all()
            ids = [row.mailbox_id for row in found]
            rows = (await attempt.connection.execute(_SOME, {"ids": ids})).all() if ids else ()
            changes = {change.mailbox_id: change for change in await self._told(attempt, rows)}
            reached = found[-1].latest if len(found) == limit else newest
            return reached, [changes.get(each) or _gone(each) for each in ids]

        return await self._database.read(work)

    async def paused_campaigns(self) -> Mapping[str, str]:
        """Every campaign that does not run, with its state."""
        found: dict[str, str] = {}
        after: str | None = ""
        while after is not None:
            page = await self._not_running(after)
            found |= page
            after = next(reversed(page)) if len(page) == _CAMPAIGNS_AT_ONCE else None
        return found

    async def _not_running(self, after: str) -> dict[str, str]:
        """A page of them by id: a long list in small pieces, so that probes go on between them."""

        async def work(attempt: Attempt) -> dict[str, str]:
            values = {"after": after, "most": _CAMPAIGNS_AT_ONCE}
            return {row.id: row.state for row in (await attempt.connection.execute(_NOT_RUNNING, values)).all()}

        return await self._database.read(work)

    async def campaigns_since(self, mark: int) -> Mapping[str, str]:
        """The present states of the campaigns that events behind *mark* (a row number) speak of, those that run included."""

        async def work(attempt: Attempt) -> Mapping[str, str]:
            return {row.id: row.state for row in (await attempt.connection.execute(_SPOKEN_OF, {"mark": mark})).all()}

        return await self._database.read(work)

    async def _told(self, attempt: Attempt, rows: Sequence[Any]) -> Sequence[SendingChange]:
        policy = self._policy()
        beliefs = [(row.address_key, row.gate, standing_from_row(row)) for row in rows]
        partly = [standing.mailbox_id for *_, standing in beliefs if _sends_partly(standing, policy)]
        # what was paused for is verified before it sends again, even if its present standing alone would not ask for that
        paused = set((await attempt.connection.execute(_PAUSED_FOR, {"ids": partly})).scalars()) if partly else set()
        return [_change(key, gate, standing, policy, paused) for key, gate, standing in beliefs]


def _sends_partly(standing: Standing, policy: CampaignPolicy) -> bool:
    if policy.channel is Channel.ANY or standing.state in SENDING_STATES or standing.state is State.PENDING:
        return False
    return not is_away(standing, policy)


def _change(address_key: str, gate: str, standing: Standing, policy: CampaignPolicy, paused: set[str]) -> SendingChange:
    sends = standing.state in SENDING_STATES or (_sends_partly(standing, policy) and standing.mailbox_id not in paused)
    until_at = standing.hold_until_at if standing.state is State.HELD else standing.due_at
    return SendingChange(
        mailbox_id=standing.mailbox_id,
        address_key=address_key,
        state=standing.state.value,
        cause=standing.cause.value if standing.cause else None,
        since_at=standing.returned_at or standing.since_at if standing.state in SENDING_STATES else standing.since_at,
        until_at=None if standing.state in SENDING_STATES else until_at,
        outage_seconds=standing.returned_after_seconds,
        sends=sends,
        gate=gate,
    )


def _gone(mailbox_id: str) -> SendingChange:
    return SendingChange(
        mailbox_id=mailbox_id,
        address_key="",
        state=State.INACTIVE.value,
        cause=None,
        since_at=_GONE_AT,
        until_at=None,
        outage_seconds=0.0,
        sends=False,
        removed=True,
    )
