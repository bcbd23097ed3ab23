"""OAuth grants at rest (ports.Grants), with single flight over all nodes.

A refresh lease names the generation and epoch it was given for.  A provider that rotates refresh tokens has forgotten the old one
by the time we hold the new one, so a result is stored as long as nobody has stored a newer one, even when the lease had run out.
"""

import secrets as chance
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, or_, select, update

from mailwatch.core.oauth import Grant
from mailwatch.core.secret import Secret
from mailwatch.ports import Clock, ConsentMissingError, MailboxNotFoundError
from mailwatch.store.canaries import require_key
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema import grants, secrets
from mailwatch.store.vault import Vault, key_of

_GRANT: Final = select(grants).where(grants.c.mailbox_id == bindparam("of"))
_FIELDS: Final = select(secrets.c.field, secrets.c.sealed).where(
    secrets.c.mailbox_id == bindparam("of"), secrets.c.field.in_(("refresh_token", "access_token"))
)
_BEGIN: Final = (
    update(grants)
    .where(
        grants.c.mailbox_id == bindparam("of"),
        grants.c.generation == bindparam("of_generation"),
        grants.c.epoch == bindparam("of_epoch"),
        or_(grants.c.lease.is_(None), grants.c.lease_until_at <= bindparam("now")),
    )
    .values(lease=bindparam("lease"), lease_until_at=bindparam("until_at"))
)
_ABANDON: Final = (
    update(grants)
    .where(grants.c.mailbox_id == bindparam("of"), grants.c.lease == bindparam("of_lease"))
    .values(lease=None, lease_until_at=None)
)


class SqlGrants:
    """The grants of one database."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def load(self, mailbox_id: str) -> Grant:
        """The grant as stored now; raises MailboxNotFoundError, SecretUnreadableError."""

        async def work(attempt: Attempt) -> Grant:
            row = await _row(attempt, mailbox_id, lock=False)
            return await self._opened(attempt, row)

        return await self._database.read(work)

    async def begin_refresh(self, mailbox_id: str, *, epoch: int, lease_seconds: float) -> str | None:
        """A lease to refresh the grant if it is still at *epoch* and nobody else is at it, else None.

        Raises KeyRetiredError when what comes of it could not be stored: the provider may forget the old token for the new one.
        """
        self._vault.follow()
        now = self._clock.now()
        mark = chance.token_hex(8)

        async def work(attempt: Attempt) -> str | None:
            row = await _row(attempt, mailbox_id, lock=True)
            lease = f"{row.generation}.{epoch}.{mark}"
            if row.lease == lease:
                return lease  # the commit whose answer was lost had gone through
            await require_key(attempt, self._vault, self._vault.active)
            values = {"of": mailbox_id, "of_generation": row.generation, "of_epoch": epoch, "now": now}
            until_at = now + timedelta(seconds=lease_seconds)
            won = await attempt.connection.execute(_BEGIN, {**values, "lease": lease, "until_at": until_at})
            return lease if won.rowcount else None

        return await self._database.write(work)

    async def finish_refresh(
        self,
        mailbox_id: str,
        lease: str,
        *,
        access_token: Secret,
        expires_at: datetime,
        refresh_token: Secret | None,
        consent_ends_at: datetime | None = None,
    ) -> Grant:
        """Store the new tokens, durable before this returns; a late result of an older generation or epoch is dropped.

        The grant as stored then, whoever stored it.
        """
        generation, epoch, _ = lease.split(".")
        begun = (int(generation), int(epoch))
        now = self._clock.now()

        async def work(attempt: Attempt) -> Grant:
            row = await _row(attempt, mailbox_id, lock=True)
            if (row.generation, row.epoch) == begun:
                await self._put(attempt, row, "access_token", access_token, now)
                if refresh_token is not None:
                    await self._put(attempt, row, "refresh_token", refresh_token, None)
                values = {"epoch": row.epoch + 1, "expires_at": expires_at, "lease": None, "lease_until_at": None}
                if consent_ends_at is not None:
                    values["consent_ends_at"] = consent_ends_at
                await attempt.connection.execute(update(grants).where(grants.c.mailbox_id == mailbox_id).values(values))
                row = await _row(attempt, mailbox_id, lock=False)
            return await self._opened(attempt, row)

        return await self._database.write(work)

    async def abandon_refresh(self, mailbox_id: str, lease: str) -> None:
        """Give the lease back without a result."""

        async def work(attempt: Attempt) -> None:
            await attempt.connection.execute(_ABANDON, {"of": mailbox_id, "of_lease": lease})

        await self._database.write(work)

    async def _opened(self, attempt: Attempt, row: Row[Any]) -> Grant:
        stored = {each.field: each.sealed for each in (await attempt.connection.execute(_FIELDS, {"of": row.mailbox_id})).all()}
        if "refresh_token" not in stored:
            raise ConsentMissingError(f"no consent is stored for {row.mailbox_id}; give it with `mailwatch oauth login`")
        opened = {field: self._vault.open("secrets", row.mailbox_id, field, sealed) for field, sealed in stored.items()}
        tokens = (opened["refresh_token"], opened.get("access_token"))
        return Grant(row.mailbox_id, row.generation, row.epoch, *tokens, row.expires_at, row.consent_ends_at)

    async def _put(self, attempt: Attempt, row: Row[Any], field: str, secret: Secret, born_at: datetime | None) -> None:
        """Replace one field; *born_at* None keeps the consent's age: a rotated refresh token is the same consent."""
        place = (secrets.c.mailbox_id == row.mailbox_id, secrets.c.field == field)
        if born_at is None:
            born_at = (await attempt.connection.execute(select(secrets.c.born_at).where(*place))).scalar_one()
        sealed = self._vault.seal("secrets", row.mailbox_id, field, secret)
        await require_key(attempt, self._vault, key_of(sealed))
        await attempt.connection.execute(delete(secrets).where(*place))
        values = {"mailbox_id": row.mailbox_id, "field": field, "kid": key_of(sealed), "sealed": sealed}
        await attempt.connection.execute(insert(secrets), {**values, "generation": row.generation, "born_at": born_at})


async def _row(attempt: Attempt, mailbox_id: str, *, lock: bool) -> Row[Any]:
    statement = _GRANT.with_for_update() if lock else _GRANT
    row = (await attempt.connection.execute(statement, {"of": mailbox_id})).first()
    if row is None:
        raise MailboxNotFoundError(f"no OAuth mailbox {mailbox_id}")
    return row
