"""The pause ledger at rest: campaigns locked, their open pauses read into books, what changed in those written in few statements.

The order of locks is the same for every writer: standings, then campaigns, then events.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, exists, func, insert, or_, select, update

from mailwatch.core.campaigns import ITSELF, Campaign, CampaignPolicy, CampaignState, Pause, PauseOn, PauseOrigin
from mailwatch.store.engine import Attempt
from mailwatch.store.events import Note
from mailwatch.store.pauses import Beyond, Book
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
_OPEN_FOR: Final = _OPEN.where(pauses.c.mailbox_id.in_(bindparam("mailboxes", expanding=True)))
_LINKS: Final = select(campaign_links).where(campaign_links.c.campaign_id.in_(bindparam("ids", expanding=True)))
_LINKS_OF: Final = _LINKS.where(campaign_links.c.mailbox_id.in_(bindparam("mailboxes", expanding=True)))
_inner = pauses.alias("inner_pauses")
_rest = (
    _inner.c.campaign_id == campaigns.c.id,
    _inner.c.lifted_at.is_(None),
    _inner.c.in_force,
    or_(_inner.c.mailbox_id.is_(None), _inner.c.mailbox_id.not_in(bindparam("mailboxes", expanding=True))),
)
_an_automatic = exists().where(*_rest, _inner.c.origin == PauseOrigin.AUTOMATIC.value, _inner.c.actor == ITSELF)
#: For each campaign that has any: one of its pauses in force beyond those for the mailboxes named, and whether mailwatch made one.
_BEYOND: Final = (
    select(pauses, _an_automatic.correlate(campaigns).label("automatic"))
    .select_from(campaigns)
    .join(pauses, pauses.c.id == select(_inner.c.id).where(*_rest).limit(1).correlate(campaigns).scalar_subquery())
    .where(campaigns.c.id.in_(bindparam("ids", expanding=True)))
)
_of_campaign = (_inner.c.campaign_id == campaigns.c.id, _inner.c.lifted_at.is_(None), _inner.c.in_force)
_how_many = select(func.count(_inner.c.mailbox_id)).where(*_of_campaign).correlate(campaigns).scalar_subquery()
_linked = (
    select(func.count())
    .select_from(campaign_links)
    .where(campaign_links.c.campaign_id == campaigns.c.id)
    .correlate(campaigns)
    .scalar_subquery()
)
#: How many pauses in force and links there are of all, for mailboxes; and whether one is for none.
_COUNTS: Final = select(
    campaigns.c.id,
    _how_many.label("away"),
    _linked.label("mailboxes"),
    exists().where(*_of_campaign, _inner.c.mailbox_id.is_(None)).correlate(campaigns).label("itself"),
).where(campaigns.c.id.in_(bindparam("ids", expanding=True)))
#: Where so many mailboxes move at once, all that is open is read.
_MOST_MAILBOXES: Final = 1000
_FIELDS: Final = (
    "mailbox_id",
    "origin",
    "reason",
    "actor",
    "since_at",
    "in_force",
    "ready_at",
    "lifted_at",
    "lifted_by",
    "braked",
    "by_finish",
)
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

    async def open(self, campaign_ids: Collection[str], mailboxes: Collection[str] | None = None) -> None:
        """Lock these campaigns and read their open pauses, and where the policy asks for them their mailboxes.

        With *mailboxes* (ids) only what is theirs is read, and the rest counted: enough for what they do to their campaigns, and
        nothing that grows with the mailboxes a campaign has beside them.
        """
        some = None if mailboxes is None or len(mailboxes) > _MOST_MAILBOXES else sorted(mailboxes)
        wanted = sorted(set(campaign_ids) - self.books.keys())
        for start in range(0, len(wanted), AT_ONCE):
            ids = wanted[start : start + AT_ONCE]
            for row in await self._rows(_LOCKED, ids):
                self.books[row.id] = Book(campaign_from_row(row), self.policy)
            await self._read(ids, some)
            if some is not None:
                await self._count(ids, some)

    async def _read(self, ids: Sequence[str], mailboxes: Sequence[str] | None) -> None:
        of_all = mailboxes is None
        for row in await self._rows(_OPEN if of_all else _OPEN_FOR, ids, mailboxes):
            self.books[row.campaign_id].read(pause_from_row(row))
        if self.policy.pause_on is PauseOn.ALL:
            for row in await self._rows(_LINKS if of_all else _LINKS_OF, ids, mailboxes):
                self.books[row.campaign_id].mailboxes.add(row.mailbox_id)

    async def _count(self, ids: Sequence[str], mailboxes: Sequence[str]) -> None:
        """What there is beyond the pauses of *mailboxes*."""
        for row in await self._rows(_BEYOND, ids, mailboxes):
            other = pause_from_row(row)
            itself = other.mailbox_id is None
            self.books[row.campaign_id].beyond = Beyond(other, itself, bool(row.automatic), away=int(not itself))
        if self.policy.pause_on is PauseOn.ALL:
            for row in await self._rows(_COUNTS, ids):
                book = self.books[row.id]
                read = sum(pause.in_force for pause in book.open.values())
                book.beyond = replace(
                    book.beyond, itself=bool(row.itself), away=row.away - read, mailboxes=row.mailboxes - len(book.mailboxes)
                )

    async def _rows(self, statement: Select[Any], ids: Sequence[str], mailboxes: Sequence[str] | None = None) -> Sequence[Row[Any]]:
        values: dict[str, Sequence[str]] = {"ids": ids}
        if mailboxes is not None:
            values["mailboxes"] = mailboxes
        rows: Sequence[Row[Any]] = (await self._attempt.connection.execute(statement, values)).all()
        return rows

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
