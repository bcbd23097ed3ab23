"""What the page of a single mailbox reads, and the audit log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select

from mailwatch.core.standing import Transition
from mailwatch.ports.pages import AuditRow, Conversation, CredentialDates, EndingConsent, Sample
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.gauges import consents_between
from mailwatch.store.rows import transition_from_row
from mailwatch.store.samples import lines_from_text, samples_from_text
from mailwatch.store.schema import audit, grants, mailboxes, secrets, transitions
from mailwatch.store.schema_people import conversations, latencies

# by version, which is the order of the row numbers within one mailbox, and which its index has
_TIMELINE: Final = (
    select(transitions)
    .where(transitions.c.mailbox_id == bindparam("of"))
    .order_by(transitions.c.version.desc())
    .limit(bindparam("most"))
)
_SAMPLES: Final = select(latencies.c.samples).where(latencies.c.mailbox_id == bindparam("of"))
_CONVERSATION: Final = select(conversations.c.at, conversations.c.lines).where(conversations.c.mailbox_id == bindparam("of"))
_CREDENTIAL: Final = (
    select(secrets.c.born_at, grants.c.expires_at, grants.c.consent_ends_at)
    .select_from(mailboxes)
    .outerjoin(secrets, (secrets.c.mailbox_id == mailboxes.c.id) & secrets.c.field.in_(("password", "refresh_token")))
    .outerjoin(grants, grants.c.mailbox_id == mailboxes.c.id)
    .where(mailboxes.c.id == bindparam("of"))
)
_ENDING: Final = (
    select(mailboxes.c.id, mailboxes.c.address, mailboxes.c.oauth_app, grants.c.consent_ends_at)
    .join_from(grants, mailboxes, mailboxes.c.id == grants.c.mailbox_id)
    .where(consents_between(bindparam("now"), bindparam("before")))
    .order_by(grants.c.consent_ends_at)
    .limit(bindparam("most"))
)
_AUDIT: Final = select(audit).order_by(audit.c.id.desc()).limit(bindparam("most"))


class SqlDetails:
    """The details of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def timeline(self, mailbox_id: str, before: int | None, limit: int) -> Sequence[tuple[int, Transition]]:
        """Transitions, newest first, with their row numbers; with *before* only those of lower ones."""
        statement = _TIMELINE if before is None else _TIMELINE.where(transitions.c.id < before)

        async def work(attempt: Attempt) -> Sequence[tuple[int, Transition]]:
            rows = await attempt.connection.execute(statement, {"of": mailbox_id, "most": limit})
            return [(row.id, transition_from_row(row)) for row in rows.all()]

        return await self._database.read(work)

    async def samples(self, mailbox_id: str) -> Sequence[Sample]:
        """Latencies of the last day, at most one an hour, oldest first."""

        async def work(attempt: Attempt) -> Sequence[Sample]:
            return samples_from_text((await attempt.connection.execute(_SAMPLES, {"of": mailbox_id})).scalar() or "")

        return await self._database.read(work)

    async def conversation(self, mailbox_id: str) -> Conversation | None:
        """The last failed conversation."""

        async def work(attempt: Attempt) -> Conversation | None:
            row = (await attempt.connection.execute(_CONVERSATION, {"of": mailbox_id})).first()
            return None if row is None else Conversation(row.at, lines_from_text(row.lines))

        return await self._database.read(work)

    async def credential(self, mailbox_id: str) -> CredentialDates:
        """How old its secret is; no dates of a mailbox that is not there."""

        async def work(attempt: Attempt) -> CredentialDates:
            row = (await attempt.connection.execute(_CREDENTIAL, {"of": mailbox_id})).first()
            return CredentialDates() if row is None else CredentialDates(row.born_at, row.expires_at, row.consent_ends_at)

        return await self._database.read(work)

    async def consents_ending(self, now: datetime, before: datetime, limit: int) -> Sequence[EndingConsent]:
        """Consents that end between *now* and *before*, the next first; those of inactive mailboxes are left out."""

        async def work(attempt: Attempt) -> Sequence[EndingConsent]:
            rows = await attempt.connection.execute(_ENDING, {"now": now, "before": before, "most": limit})
            return [EndingConsent(row.id, row.address, row.oauth_app or "", row.consent_ends_at) for row in rows.all()]

        return await self._database.read(work)

    async def audit(self, before: int | None, limit: int, *, mailbox_id: str | None = None) -> Sequence[AuditRow]:
        """Newest first; with *before* only those of lower row numbers."""
        statement = _AUDIT if before is None else _AUDIT.where(audit.c.id < before)
        if mailbox_id is not None:
            statement = statement.where(audit.c.mailbox_id == mailbox_id)

        async def work(attempt: Attempt) -> Sequence[AuditRow]:
            rows = (await attempt.connection.execute(statement, {"most": limit})).all()
            return [
                AuditRow(
                    id=row.id,
                    at=row.at,
                    actor=row.actor,
                    action=row.action,
                    origin=row.origin,
                    mailbox_id=row.mailbox_id,
                    subject=row.subject,
                    state_before=row.state_before,
                    state_after=row.state_after,
                    detail=row.detail,
                )
                for row in rows
            ]

        return await self._database.read(work)
