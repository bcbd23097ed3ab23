"""Removing a mailbox for good: all that was stored of it goes, in one transaction; its id stays in the audit log, and nothing else.

Its campaigns stay.  Where it had paused one, the pause stays too, without naming it, until a person resumes.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, or_, select, union, update

from mailwatch.core.campaigns import PauseOrigin
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.oauth import same_login
from mailwatch.ports.campaigns import StaleError
from mailwatch.ports.people import LinkKind
from mailwatch.store import events
from mailwatch.store.acts import Doing, audit_row, current_of, done
from mailwatch.store.engine import Attempt
from mailwatch.store.events import Note, write_notes
from mailwatch.store.ledger import Ledger
from mailwatch.store.page_filter import Position
from mailwatch.store.pauses import Book
from mailwatch.store.remembered import forget_answers
from mailwatch.store.schema import audit, grants, mailboxes, refusals, secrets, standings, transitions
from mailwatch.store.schema_campaigns import campaign_links, pauses
from mailwatch.store.schema_campaigns import events as event_rows
from mailwatch.store.schema_people import consents, conversations, job_items, latencies, links

#: What is of one mailbox alone.
_OWN: Final = (transitions, secrets, grants, consents, conversations, latencies, campaign_links, standings)
_ADDRESS: Final = select(mailboxes.c.address).where(mailboxes.c.id == bindparam("of"))
_CAMPAIGNS: Final = union(
    select(campaign_links.c.campaign_id).where(campaign_links.c.mailbox_id == bindparam("of")),
    select(pauses.c.campaign_id).where(pauses.c.mailbox_id == bindparam("of"), pauses.c.lifted_at.is_(None)),
)
#: What is told of campaigns names the mailbox by its id only, and may not have been delivered yet: it stays.
_OWN_EVENTS: Final = delete(event_rows).where(event_rows.c.mailbox_id == bindparam("of"), event_rows.c.campaign_id.is_(None))
_OWN_LINKS: Final = delete(links).where(links.c.kind == LinkKind.RECONNECT.value, links.c.subject == bindparam("of"))
_dump: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_REMOVED: Final = "the mailbox was removed"
_NOBODY: Final = "[removed]"


async def remove(attempt: Attempt, mailbox_id: str, doing: Doing, version: int | None = None) -> None:
    """Delete all of the mailbox; what stays is its id in the audit log, and its host's count of refused logins.

    Raises StaleError when *version* is no longer its standing's.
    """
    if attempt.doubtful and await done(attempt, doing):
        return
    current = await current_of(attempt, mailbox_id)
    if version is not None and current.version != version:
        raise StaleError(f"the mailbox is at version {current.version} now, no longer at {version}; nothing was removed")
    connection = attempt.connection
    address = (await connection.execute(_ADDRESS, {"of": mailbox_id})).scalar_one()
    campaigns = (await connection.execute(_CAMPAIGNS, {"of": mailbox_id})).scalars().all()
    notes = await _leave_campaigns(attempt, mailbox_id, campaigns, doing)
    await _scrub(attempt, mailbox_id, address, campaigns)
    for table in _OWN:
        await connection.execute(delete(table).where(table.c.mailbox_id == mailbox_id))
    await connection.execute(update(refusals).where(refusals.c.mailbox_id == mailbox_id).values(mailbox_id=None))
    await _forget_words(attempt, mailbox_id, address)
    await connection.execute(delete(mailboxes).where(mailboxes.c.id == mailbox_id))
    await connection.execute(insert(audit), audit_row(doing, mailbox_id, State(current.state), None))
    await connection.execute(_OWN_EVENTS, {"of": mailbox_id})
    await write_notes(attempt, [events.removed(mailbox_id, doing.now), *notes])


async def _leave_campaigns(attempt: Attempt, mailbox_id: str, campaigns: Sequence[str], doing: Doing) -> Sequence[Note]:
    ledger = Ledger(attempt, doing.policy)
    await ledger.open(campaigns, [mailbox_id])
    for book in ledger.books.values():
        _leave(book, mailbox_id, doing)
    return await ledger.write()


def _leave(book: Book, mailbox_id: str, doing: Doing) -> None:
    """Only a person can tell whether a campaign that waits for this mailbox may go on without it."""
    book.mailboxes.discard(mailbox_id)
    if (pause := book.of(mailbox_id)) is not None:
        if book.is_paused and pause.in_force:
            orphan = replace(pause, mailbox_id=None, origin=PauseOrigin.OPERATOR, ready_at=doing.now)
            book.amend(orphan)
        else:
            book.lift(pause, doing.now, doing.act.actor)
    book.settle(doing.now)


async def shares_login(attempt: Attempt, mailbox: Mailbox, oauth_apps: Collection[str]) -> bool:
    """Whether another mailbox of these applications may log in as the same account as *mailbox*."""
    names = (mailbox.username, mailbox.address)
    # what the database knows of case and of Gmail's dots is less than what counts: it finds more, never fewer
    alike = {each.partition("@")[0].replace(".", "") for name in names for each in (name, name.lower())}
    begins = [
        func.replace(func.lower(column), ".", "").startswith(each, autoescape=True)
        for column in (mailboxes.c.username, mailboxes.c.address)
        for each in alike
    ]
    others = select(mailboxes.c.username, mailboxes.c.address).where(
        mailboxes.c.oauth_app.in_(sorted(oauth_apps)), mailboxes.c.id != mailbox.id, or_(*begins)
    )
    found = (await attempt.connection.execute(others)).all()
    return any(same_login(one, other) for row in found for one in row for other in names)


async def _scrub(attempt: Attempt, mailbox_id: str, address: str, campaigns: Sequence[str]) -> None:
    """Take the address out of what people typed where the mailbox is known: its audit, events, its campaigns' ledgers."""
    typed = event_rows.c.mailbox_id.is_(None)  # what a mailbox itself brought about repeats no person's words
    places = (
        (pauses, pauses.c.reason, pauses.c.campaign_id.in_(campaigns), str),
        (event_rows, event_rows.c.content, event_rows.c.mailbox_id == mailbox_id, json.loads),
        (event_rows, event_rows.c.content, event_rows.c.campaign_id.in_(campaigns) & typed, json.loads),
        (audit, audit.c.detail, audit.c.mailbox_id == mailbox_id, str),
    )
    spelt = re.compile(re.escape(address), re.IGNORECASE)
    for table, column, known, read in places:
        # an address has an @, and hardly anything else here has: its case, and how JSON writes its letters, is no matter
        named = select(table.c.id, column.label("words")).where(known, Position(column, "@") > 0)
        for row in (await attempt.connection.execute(named)).all():
            before = read(row.words)
            after = _blanked(before, spelt)
            if after != before:
                words = after if isinstance(after, str) else _dump(after)
                await attempt.connection.execute(update(table).where(table.c.id == row.id).values({column.name: words}))


def _blanked(content: Any, spelt: re.Pattern[str]) -> Any:
    """*content* with nobody in the place of the address, however deep."""
    if isinstance(content, str):
        return spelt.sub(_NOBODY, content)
    if isinstance(content, dict):
        return {key: _blanked(value, spelt) for key, value in content.items()}
    return [_blanked(each, spelt) for each in content] if isinstance(content, list) else content


async def _forget_words(attempt: Attempt, mailbox_id: str, address: str) -> None:
    """What was written down in passing: one-time links, results of bulk jobs, answers remembered for repeated requests."""
    connection = attempt.connection
    await connection.execute(_OWN_LINKS, {"of": mailbox_id})
    failed = update(job_items).where(job_items.c.mailbox_id == mailbox_id, job_items.c.error.is_not(None))
    await connection.execute(failed.values(error=_REMOVED))
    await forget_answers(attempt, mailbox_id, address)
