"""An act on campaigns: one transaction with the locks in their order, its audit row and its events."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select, update

from mailwatch.core.campaigns import CampaignPolicy, Mode, PauseOrigin, is_away, origin_in, reason_of
from mailwatch.core.standing import Standing
from mailwatch.ports import Act, Clock
from mailwatch.ports.campaigns import CampaignView, StaleError
from mailwatch.store.audit import new_operation, went_through, write_audit
from mailwatch.store.campaign_reads import CampaignReads, not_found, view_of
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.events import write_notes
from mailwatch.store.ledger import Ledger
from mailwatch.store.pauses import Because, Book
from mailwatch.store.schema_campaigns import pauses

_by_finish = (pauses.c.campaign_id == bindparam("of"), pauses.c.by_finish)
_ENDED_WITH_IT: Final = (
    select(pauses.c.reason, pauses.c.actor).where(*_by_finish, pauses.c.origin == PauseOrigin.PERSON.value).order_by(pauses.c.id)
)
_NO_LONGER_ENDED: Final = update(pauses).where(*_by_finish).values(by_finish=False)


@dataclass(frozen=True, slots=True)
class Deed:
    """One run of an act on campaigns."""

    attempt: Attempt
    ledger: Ledger
    act: Act
    now: datetime
    version: int | None = None  #: of the campaign, as the person saw it

    async def book(self, campaign_id: str) -> Book:
        """The campaign, locked; raises CampaignNotFoundError, and StaleError when it is no longer at the deed's version."""
        await self.ledger.open([campaign_id])
        if campaign_id not in self.ledger.books:
            raise not_found(campaign_id)
        book = self.ledger.books[campaign_id]
        if self.version is not None and book.campaign.version != self.version:
            raise StaleError(f"the campaign is at version {book.campaign.version} now, no longer at {self.version}; look again")
        return book

    def enter_away(self, book: Book, standings: Iterable[Standing]) -> None:
        """Pauses for those of its mailboxes that are away: a person's act, so no brake."""
        policy = self.ledger.policy
        for standing in standings:
            if is_away(standing, policy) and not book.is_finished and book.of(standing.mailbox_id) is None:
                origin = origin_in(standing.state)
                because = Because(standing.mailbox_id, origin, reason_of(standing), self.act.actor, self.now)
                book.enter(because, in_force=policy.mode is Mode.ENFORCE)

    async def restore(self, book: Book) -> None:
        """A person's own pause that the campaign's end had lifted: nothing but a person lifts it."""
        connection = self.attempt.connection
        for row in (await connection.execute(_ENDED_WITH_IT, {"of": book.campaign.id})).all():
            book.enter(Because(None, PauseOrigin.PERSON, row.reason, row.actor, self.now), in_force=True)
        await connection.execute(_NO_LONGER_ENDED, {"of": book.campaign.id})


#: What an act does inside its transaction; it answers with the detail for the audit log.
Work = Callable[[Deed], Awaitable[str | None]]


class CampaignDeeds(CampaignReads):
    """How acts on campaigns are carried out; `campaigns` says what they are."""

    def __init__(self, database: Database, clock: Clock, policy: Callable[[], CampaignPolicy]) -> None:
        super().__init__(database)
        self._clock = clock
        self._policy = policy

    async def _do(self, campaign_id: str, act: Act, work: Work, *, version: int | None = None) -> CampaignView:
        operation, now = new_operation(), self._clock.now()

        async def run(attempt: Attempt) -> CampaignView:
            if not await went_through(attempt, operation):
                ledger = Ledger(attempt, self._policy())
                detail = await work(Deed(attempt, ledger, act, now, version))
                book = ledger.books[campaign_id]
                notes = await ledger.write()
                before, after = book.before.state, book.campaign.state
                await write_audit(
                    attempt, act, now, subject=campaign_id, before=before, after=after, detail=detail, operation=operation
                )
                await write_notes(attempt, notes)
            return await view_of(attempt, campaign_id)

        return await self._database.write(run)
