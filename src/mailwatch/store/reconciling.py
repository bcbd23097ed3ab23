"""Campaigns brought in line with mailboxes and policy: after an upgrade, or when `[campaigns]` was changed.

In between every transaction leaves them in line by itself.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from sqlalchemy import and_, bindparam, exists, not_, or_, select

from mailwatch.core.campaigns import PAUSING_STATES, CampaignPolicy, CampaignState, Mode, is_away
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.events import write_notes
from mailwatch.store.ledger import Ledger
from mailwatch.store.linking import standings_of
from mailwatch.store.schema import standings
from mailwatch.store.schema_campaigns import campaign_links, campaigns, pauses
from mailwatch.store.settling import Move, settle

_AT_ONCE: Final = 500
_STOPPED: Final = Trigger.DISCONNECT  #: whoever did it: a person resumes
_open_pause = (
    pauses.c.campaign_id == campaign_links.c.campaign_id,
    pauses.c.mailbox_id == campaign_links.c.mailbox_id,
    pauses.c.lifted_at.is_(None),
)
_AWAY: Final = (
    select(standings.c.mailbox_id, standings.c.provider)
    .join(campaign_links, campaign_links.c.mailbox_id == standings.c.mailbox_id)
    .join(campaigns, campaigns.c.id == campaign_links.c.campaign_id)
    .where(
        standings.c.mailbox_id > bindparam("after"),
        standings.c.state.in_(sorted(PAUSING_STATES)),
        campaigns.c.state != CampaignState.FINISHED.value,
    )
    .distinct()
    .order_by(standings.c.mailbox_id)
    .limit(_AT_ONCE)
)
#: Mailboxes that are away, and for which a campaign of theirs has no pause; …
_UNPAUSED: Final = _AWAY.where(not_(exists().where(*_open_pause)))
#: … or none but one that was noted while nothing was enforced.
_UNENFORCED: Final = _AWAY.where(not_(exists().where(*_open_pause, or_(pauses.c.in_force, pauses.c.braked))))
_UNSETTLED: Final = (
    select(campaigns.c.id)
    .where(
        campaigns.c.id > bindparam("after"),
        or_(
            campaigns.c.state == CampaignState.PAUSED.value,
            and_(
                campaigns.c.state == CampaignState.ACTIVE.value,
                exists().where(pauses.c.campaign_id == campaigns.c.id, pauses.c.lifted_at.is_(None), pauses.c.in_force),
            ),
        ),
    )
    .order_by(campaigns.c.id)
    .limit(_AT_ONCE)
)


#: A part of the work, behind an id: how much it changed, and the id to go on behind; empty at the end.
_Part = Callable[[Attempt, CampaignPolicy, datetime, str], Awaitable[tuple[int, str]]]


async def reconcile(database: Database, policy: CampaignPolicy, now: datetime) -> int:
    """Enter the pauses that are missing, and draw every campaign's state anew; how much that changed.

    Where pauses are enforced, those come into force that were only noted while they were not: under the brake, and but for what the
    brake held back before, which waits for a person.
    """
    return sum([await _through(database, part, policy, now) for part in (_enter_missing, _settle_states)])


async def _through(database: Database, part: _Part, policy: CampaignPolicy, now: datetime) -> int:
    changed, place = 0, ""
    while True:

        async def work(attempt: Attempt, place: str = place) -> tuple[int, str]:
            return await part(attempt, policy, now, place)

        some, place = await database.write(work)
        changed += some
        if not place:
            return changed


async def _enter_missing(attempt: Attempt, policy: CampaignPolicy, now: datetime, after: str) -> tuple[int, str]:
    missing = _UNENFORCED if policy.mode is Mode.ENFORCE else _UNPAUSED
    rows = (await attempt.connection.execute(missing, {"after": after})).all()
    known = await standings_of(attempt, [row.mailbox_id for row in rows], missing_ok=True)
    moves = [
        Move(standing, row.provider, now, trigger=_STOPPED if standing.state is State.INACTIVE else Trigger.PROBE_FAILED)
        for row in rows
        if (standing := known.get(row.mailbox_id)) is not None and is_away(standing, policy)
    ]
    await settle(attempt, moves, policy)
    return len(moves), rows[-1].mailbox_id if rows else ""


async def _settle_states(attempt: Attempt, policy: CampaignPolicy, now: datetime, after: str) -> tuple[int, str]:
    ids = (await attempt.connection.execute(_UNSETTLED, {"after": after})).scalars().all()
    first, ledger = Ledger(attempt, policy), Ledger(attempt, policy)
    await first.open(ids, ())
    # few are out of line: only theirs are read whole
    await ledger.open([book.campaign.id for book in first.books.values() if not book.is_settled])
    for book in ledger.books.values():
        book.settle(now)
    await write_notes(attempt, await ledger.write())
    return sum(book.campaign != book.before for book in ledger.books.values()), max(ids, default="")
