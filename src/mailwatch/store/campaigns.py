"""The registry of campaigns and their pause ledger (ports.campaigns.Campaigns): what people and senders do to campaigns.

Each act is one transaction with its audit row and its events.  What moves of mailboxes mean for campaigns is in `settling`.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import bindparam, delete, select

from mailwatch.core.campaigns import (
    Campaign,
    CampaignState,
    Pause,
    PauseOrigin,
)
from mailwatch.ports import Act
from mailwatch.ports.campaigns import CampaignExistsError, CampaignOverError, CampaignView, StaleError
from mailwatch.ports.pages import CountDiffersError
from mailwatch.store.audit import new_operation, went_through, write_audit
from mailwatch.store.deeds import CampaignDeeds, Deed
from mailwatch.store.engine import Attempt
from mailwatch.store.events import write_notes
from mailwatch.store.ledger import Ledger
from mailwatch.store.linking import campaign_row, insert_links, insert_new, linked_to, standings_of
from mailwatch.store.pauses import Because
from mailwatch.store.reconciling import reconcile
from mailwatch.store.schema_campaigns import campaign_links, campaigns, pauses

_UNLINK: Final = delete(campaign_links).where(
    campaign_links.c.campaign_id == bindparam("of"), campaign_links.c.mailbox_id.in_(bindparam("ids", expanding=True))
)
_HELD_BACK: Final = select(pauses.c.campaign_id).where(pauses.c.lifted_at.is_(None), pauses.c.in_force.is_(False)).distinct()
_NAMED: Final = 20  # mailboxes named in an audit row


class SqlCampaigns(CampaignDeeds):
    """The campaigns of one database."""

    async def add(self, campaign: Campaign, act: Act) -> Campaign:
        """Register it, linked to its mailboxes (ids); raises CampaignExistsError, MailboxNotFoundError."""

        async def work(deed: Deed) -> str | None:
            standings = await standings_of(deed.attempt, campaign.mailboxes)
            row = campaign_row(campaign.id, campaign.name, campaign.sender, campaign.position, deed.now)
            added = await deed.attempt.connection.execute(insert_new(deed.attempt, campaigns), row)
            if added.rowcount == 0:
                raise CampaignExistsError(f"there is a campaign {campaign.id!r} already")
            await insert_links(deed.attempt, [(campaign.id, mailbox_id) for mailbox_id in standings])
            book = await deed.book(campaign.id)
            book.announce(deed.now, "added")
            if campaign.state is CampaignState.FINISHED:
                book.finish(deed.now, act.actor)
            deed.enter_away(book, standings.values())
            book.settle(deed.now)
            return _named(standings)

        return (await self._do(campaign.id, act, work)).campaign

    async def amend(
        self,
        campaign_id: str,
        act: Act,
        *,
        name: str | None = None,
        sender: str | None = None,
        position: str | None = None,
        finished: bool | None = None,
        version: int | None = None,
    ) -> Campaign:
        """Change what is not None; *version* that no longer holds raises StaleError."""
        wanted = {"name": name, "sender": sender, "position": position}

        async def work(deed: Deed) -> str | None:
            # standings are locked before campaigns, always
            mailboxes = await linked_to(deed.attempt, campaign_id) if finished is False else ()
            standings = await standings_of(deed.attempt, mailboxes, missing_ok=True)
            book = await deed.book(campaign_id)
            if version is not None and book.campaign.version != version:
                raise StaleError(f"the campaign is at version {book.campaign.version} now, no longer at {version}; look again")
            changed = {key: new for key, new in wanted.items() if new is not None and new != getattr(book.campaign, key)}
            if changed.keys() - {"position"}:
                book.change(deed.now, "amended", **changed)
            elif changed:
                book.put(deed.now, **changed)  # the sender's own affair: written at every step of a campaign, and news to nobody
            if finished and not book.is_finished:
                book.finish(deed.now, act.actor)
            if finished is False and book.is_finished:
                book.change(deed.now, "reopened", state=CampaignState.ACTIVE)
                await deed.restore(book)
                deed.enter_away(book, standings.values())
                book.settle(deed.now)
            return ", ".join(sorted(changed)) or None

        return (await self._do(campaign_id, act, work)).campaign

    async def link(self, campaign_id: str, mailbox_ids: Sequence[str], act: Act, *, version: int | None = None) -> CampaignView:
        """Let it send through these mailboxes too; one that is away pauses it at once."""

        async def work(deed: Deed) -> str | None:
            standings = await standings_of(deed.attempt, mailbox_ids)
            book = await deed.book(campaign_id)
            fresh = standings.keys() - set(await linked_to(deed.attempt, campaign_id))
            if fresh:
                await insert_links(deed.attempt, [(campaign_id, mailbox_id) for mailbox_id in fresh])
                book.mailboxes |= fresh
                book.change(deed.now, "linked")
                deed.enter_away(book, [standings[mailbox_id] for mailbox_id in sorted(fresh)])
                book.settle(deed.now)
            return _named(fresh)

        return await self._do(campaign_id, act, work, version=version)

    async def unlink(self, campaign_id: str, mailbox_ids: Sequence[str], act: Act, *, version: int | None = None) -> CampaignView:
        """No longer send through these; pauses for them are lifted."""
        gone = set(mailbox_ids)

        async def work(deed: Deed) -> str | None:
            await standings_of(deed.attempt, gone, missing_ok=True)
            book = await deed.book(campaign_id)
            linked = gone & set(await linked_to(deed.attempt, campaign_id))
            if linked:
                await deed.attempt.connection.execute(_UNLINK, {"of": campaign_id, "ids": sorted(linked)})
                book.mailboxes -= linked
                book.change(deed.now, "unlinked")
                book.lift_where(lambda pause: pause.mailbox_id in linked, deed.now, act.actor)
                book.settle(deed.now)
            return _named(linked)

        return await self._do(campaign_id, act, work, version=version)

    async def pause(self, campaign_id: str, reason: str, act: Act, *, version: int | None = None) -> CampaignView:
        """A person's own pause, which nothing but a person lifts; raises CampaignOverError."""

        async def work(deed: Deed) -> str | None:
            book = await deed.book(campaign_id)
            if book.is_finished:
                raise CampaignOverError(f"the campaign {campaign_id!r} is finished; there is nothing to pause")
            if not any(pause.origin is PauseOrigin.PERSON for pause in book.open.values()):
                book.enter(Because(None, PauseOrigin.PERSON, reason, act.actor, deed.now), in_force=True)
                book.settle(deed.now)
            return None

        return await self._do(campaign_id, act, work, version=version)

    async def resume(self, campaign_id: str, act: Act, *, version: int | None = None) -> CampaignView:
        """Lift a person's pauses, and an operator's whose mailbox works again or is removed; others stay.

        Raises CampaignOverError.
        """

        def is_a_persons(pause: Pause) -> bool:
            return pause.origin is PauseOrigin.PERSON or (pause.origin is PauseOrigin.OPERATOR and pause.ready_at is not None)

        async def work(deed: Deed) -> str | None:
            book = await deed.book(campaign_id)
            if book.is_finished:
                raise CampaignOverError(f"the campaign {campaign_id!r} is finished; there is nothing to resume")
            book.lift_where(is_a_persons, deed.now, act.actor)
            book.settle(deed.now)
            return None

        return await self._do(campaign_id, act, work, version=version)

    async def release_brake(self, act: Act, *, expected: int | None = None) -> int:
        """Put all held-back pauses in force; how many campaigns that paused.

        Raises CountDiffersError when they are not of *expected* campaigns.
        """
        operation, now = new_operation(), self._clock.now()
        total = 0

        async def run(attempt: Attempt) -> int:
            nonlocal total
            if await went_through(attempt, operation):
                return total
            ledger = Ledger(attempt, self._policy())
            held_back = (await attempt.connection.execute(_HELD_BACK)).scalars().all()
            if expected is not None and len(held_back) != expected:
                raise CountDiffersError(f"pauses of {len(held_back)} campaigns are held back now, not {expected}; look again")
            await ledger.open(held_back)
            total = sum(book.enforce(now, act.actor) for book in ledger.books.values())
            notes = await ledger.write()
            await write_audit(attempt, act, now, detail=f"{total} campaigns paused", operation=operation)
            await write_notes(attempt, notes)
            return total

        return await self._database.write(run)

    async def reconcile(self) -> int:
        """Bring campaigns in line with mailboxes and policy as they are now; how many pauses and campaigns that changed.

        For the start of the daemon, and for a reload that changed `[campaigns]`; it finds nothing else to do.
        """
        return await reconcile(self._database, self._policy(), self._clock.now())


def _named(mailbox_ids: Iterable[str]) -> str | None:
    """Mailboxes in an audit row: by id, and not all of very many."""
    ids = sorted(mailbox_ids)
    more = len(ids) - _NAMED
    return (", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")) or None
