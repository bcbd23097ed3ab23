"""The pause ledger at rest: campaigns locked, their open pauses read into books, what changed in those written in few statements.

The order of locks is the same for every writer: standings, then campaigns, then events.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update

from mailwatch.core.campaigns import Campaign, CampaignPolicy, CampaignState, Pause, PauseOn, PauseOrigin
from mailwatch.store.engine import Attempt
from mailwatch.store.events import Note
from mailwatch.store.pauses import Book
from mailwatch.store.schema_campaigns import campaign_links, campaigns, pauses

AT_ONCE: Final = 5000
_LOCKED: Final = (
    select(campaigns)
    .where(campaigns.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(campaigns.c.id)  # one order for all writers
    .with_for_update(key_share=True)
)
_OPEN: Final = (
    select(pauses)
    .where(pauses.c.campaign_id.in_(bindparam("ids", expanding=True)), pauses.c.lifted_at.is_(None))
    .order_by(pauses.c.id)
)
_LINKS: Final = select(campaign_links).where(campaign_links.c.campaign_id.in_(bindparam("ids", expanding=True)))
_FIELDS: Final = ("mailbox_id", "origin", "reason", "actor", "since_at", "in_force", "ready_at", "lifted_at", "lifted_by")
_UPDATE_PAUSE: Final = (
    update(pauses).where(pauses.c.id == bindparam("of")).values({name: bindparam(f"new_{name}") for name in _FIELDS})
)
_CAMPAIGN_FIELDS: Final = ("name", "sender", "position", "state", "version", "updated_at", "paused_since_at")
_UPDATE_CAMPAIGN: Final = (
    update(campaigns).where(campaigns.c.id == bindparam("of")).values({name: bindparam(f"new_{name}") for name in _CAMPAIGN_FIELDS})
)


def campaign_from_row(row: Any) -> Campaign:
    """The campaign of a row of `campaigns`."""
    return Campaign(
        id=row.id,
        name=row.name,
        state=CampaignState(row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        sender=row.sender,
        position=row.position,
        version=row.version,
        paused_since_at=row.paused_since_at,
    )


def pause_from_row(row: Any) -> Pause:
    """The entry of a row of `pauses`."""
    named = {name: getattr(row, name) for name in _FIELDS}
    return Pause(id=row.id, campaign_id=row.campaign_id, **(named | {"origin": PauseOrigin(row.origin)}))


def _values(pause: Pause) -> dict[str, Any]:
    return {name: getattr(pause, name) for name in _FIELDS} | {"origin": pause.origin.value}


def _amended(pause: Pause) -> dict[str, Any]:
    return {"of": pause.id} | {f"new_{name}": value for name, value in _values(pause).items()}


class Ledger:
    """The books of the campaigns a transaction touches."""

    def __init__(self, attempt: Attempt, policy: CampaignPolicy) -> None:
        self._attempt = attempt
        self.policy = policy
        self.books: dict[str, Book] = {}

    async def open(self, campaign_ids: Collection[str]) -> None:
        """Lock these campaigns and read their open pauses, and where the policy asks for them their mailboxes."""
        connection = self._attempt.connection
        wanted = sorted(set(campaign_ids) - self.books.keys())
        for start in range(0, len(wanted), AT_ONCE):
            ids = {"ids": wanted[start : start + AT_ONCE]}
            for row in (await connection.execute(_LOCKED, ids)).all():
                self.books[row.id] = Book(campaign_from_row(row), self.policy)
            for row in (await connection.execute(_OPEN, ids)).all():
                pause = pause_from_row(row)
                self.books[pause.campaign_id].open[pause.id] = pause
            if self.policy.pause_on is PauseOn.ALL:
                for row in (await connection.execute(_LINKS, ids)).all():
                    self.books[row.campaign_id].mailboxes.add(row.mailbox_id)

    async def write(self) -> Sequence[Note]:
        """Write what changed; the events that tell of it, still to be written."""
        books = self.books.values()
        entries = [pause for book in books for pause in book.touched.values()]
        connection = self._attempt.connection
        # what is lifted first: an open pause for the same mailbox may follow in this very transaction
        if old := [_amended(pause) for pause in entries if pause.id > 0]:
            await connection.execute(_UPDATE_PAUSE, old)
        if new := [{"campaign_id": pause.campaign_id} | _values(pause) for pause in entries if pause.id < 0]:
            await connection.execute(insert(pauses), new)
        changed = [book.campaign for book in books if book.campaign != book.before]
        if changed:
            await connection.execute(_UPDATE_CAMPAIGN, [_campaign_values(campaign) for campaign in changed])
        return [note for book in books for note in book.notes]


def _campaign_values(campaign: Campaign) -> dict[str, Any]:
    values = {f"new_{name}": getattr(campaign, name) for name in _CAMPAIGN_FIELDS}
    return {"of": campaign.id} | values | {"new_state": campaign.state.value}
