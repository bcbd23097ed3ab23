"""Programs' keys to the API, at rest: a token is found by the hash of its text, which nobody can turn back."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, insert, or_, select, update

from mailwatch.ports import Act, Clock, StoreUnavailableError
from mailwatch.ports.people import AccountError, Role, Token
from mailwatch.store.audit import new_operation, went_through, write_audit
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema_people import tokens

#: A use is noted when the last one noted is older: to the minute, so that a busy program costs no write a request.
NOTED_EVERY: Final = timedelta(minutes=1)

_VALID: Final = select(tokens).where(
    tokens.c.hashed == bindparam("of"),
    tokens.c.revoked_at.is_(None),
    or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > bindparam("now")),
)
_ALL: Final = select(tokens).order_by(tokens.c.created_at.desc(), tokens.c.id)
_CURRENT: Final = select(tokens).where(tokens.c.id == bindparam("of")).with_for_update()


class SqlTokens:
    """The tokens of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add_token(self, token: Token, hashed: str, act: Act) -> None:
        """Keep a token under the hash of its text."""
        operation, now = new_operation(), self._clock.now()
        row = {
            "id": token.id,
            "name": token.name,
            "hashed": hashed,
            "role": token.role.value,
            "created_at": token.created_at,
            "created_by": token.created_by,
            "expires_at": token.expires_at,
        }

        async def work(attempt: Attempt) -> None:
            if await went_through(attempt, operation):
                return
            await attempt.connection.execute(insert(tokens), row)
            await write_audit(attempt, act, now, subject=token.id, detail=token.name, after=token.role, operation=operation)

        await self._database.write(work)

    async def token(self, hashed: str, now: datetime) -> Token | None:
        """The token, if it is neither revoked nor past its end; notes its use (to the minute)."""

        async def work(attempt: Attempt) -> Token | None:
            row = (await attempt.connection.execute(_VALID, {"of": hashed, "now": now})).first()
            return None if row is None else _token(row)

        found = await self._database.read(work)
        if found is None or (found.last_used_at is not None and now - found.last_used_at < NOTED_EVERY):
            return found
        # a disk that is full must not keep a program from asking why
        with suppress(StoreUnavailableError):
            await self._note_use(found.id, now)
        return replace(found, last_used_at=now)

    async def _note_use(self, token_id: str, now: datetime) -> None:
        unnoted = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < now)

        async def work(attempt: Attempt) -> None:
            await attempt.connection.execute(update(tokens).where(tokens.c.id == token_id, unnoted).values(last_used_at=now))

        await self._database.write(work)

    async def tokens(self) -> Sequence[Token]:
        """All, newest first."""

        async def work(attempt: Attempt) -> Sequence[Token]:
            return [_token(row) for row in (await attempt.connection.execute(_ALL)).all()]

        return await self._database.read(work)

    async def revoke_token(self, token_id: str, act: Act) -> None:
        """End it; raises AccountError when there is none.  One that was revoked before stays as it was."""
        operation, now = new_operation(), self._clock.now()

        async def work(attempt: Attempt) -> None:
            row = (await attempt.connection.execute(_CURRENT, {"of": token_id})).first()
            if row is None:
                raise AccountError(f"there is no token {token_id}")
            if row.revoked_at is not None:
                return
            await attempt.connection.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=now))
            await write_audit(attempt, act, now, subject=token_id, detail=row.name, before=row.role, operation=operation)

        await self._database.write(work)


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
