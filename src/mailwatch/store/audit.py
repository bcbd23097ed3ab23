"""The audit row of an act, written inside the act's own transaction: who, what, from where, before and after.

`acts` writes those of mailboxes itself, a thousand at a time; everything else that people do comes through here.
"""

import secrets as chance
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, insert, select

from mailwatch.ports import Act
from mailwatch.store.engine import Attempt
from mailwatch.store.schema import audit

_INSERT: Final = insert(audit)
_DONE: Final = select(audit.c.id).where(audit.c.operation == bindparam("operation")).limit(1)


def new_operation() -> str:
    """A name for one act, kept over its runs: by it a run sees whether an earlier one went through."""
    return chance.token_hex(8)


async def write_audit(
    attempt: Attempt,
    act: Act,
    now: datetime,
    *,
    mailbox_id: str | None = None,
    subject: str | None = None,
    detail: str | None = None,
    before: str | None = None,
    after: str | None = None,
    operation: str | None = None,
) -> None:
    """Note *act* at *now*; *subject* names a campaign, user, token or webhook, never an address or a secret."""
    await attempt.connection.execute(
        _INSERT,
        {
            "at": now,
            "actor": act.actor,
            "action": act.action,
            "origin": act.origin,
            "mailbox_id": mailbox_id,
            "subject": subject,
            "state_before": before if before is None else str(before),
            "state_after": after if after is None else str(after),
            "detail": detail,
            "operation": operation or new_operation(),
        },
    )


async def went_through(attempt: Attempt, operation: str) -> bool:
    """Whether the act of this *operation* was committed by an earlier run whose commit got no answer."""
    if not attempt.doubtful:
        return False
    return (await attempt.connection.execute(_DONE, {"operation": operation})).first() is not None
