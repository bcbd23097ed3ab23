"""Which mailboxes a campaign sends through: links made, campaigns made for names nobody registered, and who is away among them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Insert, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from mailwatch.core.campaigns import CampaignPolicy, CampaignState
from mailwatch.core.standing import Standing
from mailwatch.ports import MailboxNotFoundError
from mailwatch.store.engine import Attempt
from mailwatch.store.events import Note
from mailwatch.store.ledger import AT_ONCE, Ledger
from mailwatch.store.rows import standing_from_row
from mailwatch.store.schema import standings
from mailwatch.store.schema_campaigns import campaign_links, campaigns

_STANDINGS: Final = (
    select(standings)
    .where(standings.c.mailbox_id.in_(bindparam("ids", expanding=True)))
    .order_by(standings.c.mailbox_id)  # one order for all writers
    .with_for_update(read=True)
)
_LINKED: Final = select(campaign_links.c.mailbox_id).where(campaign_links.c.campaign_id == bindparam("of"))


def insert_new(attempt: Attempt, table: Table) -> Insert:
    """An INSERT into *table* that passes over rows which are there already."""
    if attempt.connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def campaign_row(campaign_id: str, name: str, sender: str, position: str, now: datetime) -> dict[str, Any]:
    """The row of a campaign just registered."""
    return {
        "id": campaign_id,
        "name": name,
        "sender": sender,
        "position": position,
        "state": CampaignState.ACTIVE.value,
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "paused_since_at": None,
    }


async def standings_of(attempt: Attempt, mailbox_ids: Collection[str], *, missing_ok: bool = False) -> dict[str, Standing]:
    """The standings, locked against change; raises MailboxNotFoundError naming the first that is missing."""
    wanted = sorted(set(mailbox_ids))
    found: dict[str, Standing] = {}
    for start in range(0, len(wanted), AT_ONCE):
        rows = await attempt.connection.execute(_STANDINGS, {"ids": wanted[start : start + AT_ONCE]})
        found |= {row.mailbox_id: standing_from_row(row) for row in rows.all()}
    missing = [mailbox_id for mailbox_id in wanted if mailbox_id not in found]
    if missing and not missing_ok:
        raise MailboxNotFoundError(f"no mailbox {missing[0]}; `mailwatch mailbox list` shows those there are")
    return found


async def linked_to(attempt: Attempt, campaign_id: str) -> list[str]:
    """The ids of a campaign's mailboxes, in order."""
    return sorted((await attempt.connection.execute(_LINKED, {"of": campaign_id})).scalars())


async def insert_links(attempt: Attempt, pairs: Sequence[tuple[str, str]]) -> None:
    """Link (campaign, mailbox); links there already stay."""
    rows = [{"campaign_id": campaign_id, "mailbox_id": mailbox_id} for campaign_id, mailbox_id in sorted(pairs)]
    statement = insert_new(attempt, campaign_links)
    for start in range(0, len(rows), AT_ONCE):
        await attempt.connection.execute(statement, rows[start : start + AT_ONCE])


async def link_newcomers(attempt: Attempt, pairs: Sequence[tuple[str, str]], policy: CampaignPolicy, now: datetime) -> list[Note]:
    """Link mailboxes just added to the campaigns they name, and make those that are missing; the events of it."""
    if not pairs:
        return []
    names = sorted({name for name, _ in pairs})
    rows = [campaign_row(name, name, "", "", now) for name in names]
    statement = insert_new(attempt, campaigns)
    for start in range(0, len(rows), AT_ONCE):
        await attempt.connection.execute(statement, rows[start : start + AT_ONCE])
    ledger = Ledger(attempt, policy)
    await ledger.open(names, ())  # newcomers have no pauses yet
    await insert_links(attempt, pairs)
    for name, mailbox_id in pairs:
        ledger.books[name].mailboxes.add(mailbox_id)
    for book in ledger.books.values():
        book.change(now, "linked")
        book.settle(now)  # where all mailboxes must be away, one that is not is enough to go on
    return list(await ledger.write())
