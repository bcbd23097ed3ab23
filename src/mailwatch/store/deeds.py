"""An act on campaigns: one transaction with the locks in their order, its audit row and its events."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from mailwatch.core.campaigns import CampaignPolicy, Mode, is_away, origin_in, reason_of
from mailwatch.core.standing import Standing
from mailwatch.ports import Act, Clock
from mailwatch.ports.campaigns import CampaignView
from mailwatch.store.audit import new_operation, went_through, write_audit
from mailwatch.store.campaign_reads import CampaignReads, not_found, view_of
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.events import write_notes
from mailwatch.store.ledger import Ledger
from mailwatch.store.pauses import Because, Book


@dataclass(frozen=True, slots=True)
class Deed:
    """One run of an act on campaigns."""

    attempt: Attempt
    ledger: Ledger
    act: Act
    now: datetime

    async def book(self, campaign_id: str) -> Book:
        """The campaign, locked; raises CampaignNotFoundError."""
        await self.ledger.open([campaign_id])
        if campaign_id not in self.ledger.books:
            raise not_found(campaign_id)
        return self.ledger.books[campaign_id]

    def enter_away(self, book: Book, standings: Iterable[Standing]) -> None:
        """Pauses for those of its mailboxes that are away: a person's act, so no brake."""
        policy = self.ledger.policy
        for standing in standings:
            if is_away(standing, policy) and not book.is_finished and book.of(standing.mailbox_id) is None:
                origin = origin_in(standing.state)
                because = Because(standing.mailbox_id, origin, reason_of(standing), self.act.actor, self.now)
                book.enter(because, in_force=policy.mode is Mode.ENFORCE)


#: What an act does inside its transaction; it answers with the detail for the audit log.
Work = Callable[[Deed], Awaitable[str | None]]


class CampaignDeeds(CampaignReads):
    """How acts on campaigns are carried out; `campaigns` says what they are."""

    def __init__(self, database: Database, clock: Clock, policy: Callable[[], CampaignPolicy]) -> None:
        super().__init__(database)
        self._clock = clock
        self._policy = policy

    async def _do(self, campaign_id: str, act: Act, work: Work) -> CampaignView:
        operation, now = new_operation(), self._clock.now()

        async def run(attempt: Attempt) -> CampaignView:
            if not await went_through(attempt, operation):
                ledger = Ledger(attempt, self._policy())
                detail = await work(Deed(attempt, ledger, act, now))
                book = ledger.books[campaign_id]
                notes = await ledger.write()
                before, after = book.before.state, book.campaign.state
                await write_audit(
                    attempt, act, now, subject=campaign_id, before=before, after=after, detail=detail, operation=operation
                )
                await write_notes(attempt, notes)
            return await view_of(attempt, campaign_id)

        return await self._database.write(run)
