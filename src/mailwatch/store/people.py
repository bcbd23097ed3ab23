"""Accounts at rest (ports.people.People): users and their sessions here, tokens, links and remembered answers beside it.

Hashes come in and hashes are compared: no secret of a person is ever stored.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from mailwatch.ports import Act
from mailwatch.ports.people import AccountError, LinkKind, Role, Session, User
from mailwatch.store.audit import new_operation, went_through, write_audit
from mailwatch.store.engine import Attempt
from mailwatch.store.links import SqlLinks
from mailwatch.store.remembered import REMEMBERED, SqlRemembered
from mailwatch.store.schema_people import links, remembered, sessions, users
from mailwatch.store.tokens import SqlTokens

_BY_NAME: Final = select(users).where(users.c.name == bindparam("of"))
_CURRENT: Final = _BY_NAME.with_for_update()
# locked in one order: of two who would take away the last two admins, the second sees what the first left
_ADMINS: Final = select(users.c.name).where(users.c.role == Role.ADMIN.value).order_by(users.c.name).with_for_update()
_SESSION: Final = (
    select(sessions, users.c.role)
    .join_from(sessions, users, users.c.name == sessions.c.user)
    .where(sessions.c.hashed == bindparam("of"), sessions.c.expires_at > bindparam("now"))
)

#: A link somebody has kept must open nothing once the account was taken back, nor the next one of that name.
_SIGN_IN_LINKS: Final = delete(links).where(links.c.kind == LinkKind.SIGN_IN.value, links.c.subject == bindparam("of"))


class SqlPeople(SqlTokens, SqlLinks, SqlRemembered):
    """The accounts of one database."""

    # --- users ---

    async def user_count(self) -> int:
        """How many users there are; 0 means set-up is open to the holder of the set-up link."""

        async def work(attempt: Attempt) -> int:
            return (await attempt.connection.execute(select(func.count()).select_from(users))).scalar_one()

        return await self._database.read(work)

    async def user(self, name: str) -> User | None:
        """By name."""

        async def work(attempt: Attempt) -> User | None:
            row = (await attempt.connection.execute(_BY_NAME, {"of": name})).first()
            return None if row is None else _user(row)

        return await self._database.read(work)

    async def users(self) -> Sequence[User]:
        """All, by name."""

        async def work(attempt: Attempt) -> Sequence[User]:
            return [_user(row) for row in (await attempt.connection.execute(select(users).order_by(users.c.name))).all()]

        return await self._database.read(work)

    async def add_user(self, user: User, act: Act) -> None:
        """Raises AccountError when the name is taken."""
        operation, now = new_operation(), self._clock.now()
        row = {"name": user.name, "password_hash": user.password_hash, "role": user.role.value, "created_at": user.created_at}

        async def work(attempt: Attempt) -> None:
            if await went_through(attempt, operation):
                return
            try:
                await attempt.connection.execute(insert(users), row)
            except IntegrityError:
                raise AccountError(f"there is a user {user.name} already") from None
            await write_audit(attempt, act, now, subject=user.name, after=user.role, operation=operation)

        await self._database.write(work)

    async def set_user(self, name: str, act: Act, *, password_hash: str | None = None, role: Role | None = None) -> None:
        """Change what is not None; ends the user's sessions and sign-in links.

        Raises AccountError for the last admin, and for nobody.
        """
        operation, now = new_operation(), self._clock.now()
        values = {"password_hash": password_hash, "role": None if role is None else role.value}
        changed = {column: value for column, value in values.items() if value is not None}

        async def work(attempt: Attempt) -> None:
            if await went_through(attempt, operation):
                return
            if role is not None and role is not Role.ADMIN:
                await _another_admin(attempt, name)
            row = await _current(attempt, name)
            if changed:
                await attempt.connection.execute(update(users).where(users.c.name == name).values(changed))
            await attempt.connection.execute(delete(sessions).where(sessions.c.user == name))
            await attempt.connection.execute(_SIGN_IN_LINKS, {"of": name})
            detail = "a new password" if password_hash is not None else None
            after = role or Role(row.role)
            await write_audit(attempt, act, now, subject=name, before=row.role, after=after, detail=detail, operation=operation)

        await self._database.write(work)

    async def remove_user(self, name: str, act: Act) -> None:
        """Raises AccountError for the last admin, and for nobody."""
        operation, now = new_operation(), self._clock.now()

        async def work(attempt: Attempt) -> None:
            if await went_through(attempt, operation):
                return
            await _another_admin(attempt, name)
            row = await _current(attempt, name)
            await attempt.connection.execute(delete(sessions).where(sessions.c.user == name))
            await attempt.connection.execute(_SIGN_IN_LINKS, {"of": name})
            await attempt.connection.execute(delete(users).where(users.c.name == name))
            await write_audit(attempt, act, now, subject=name, before=row.role, operation=operation)

        await self._database.write(work)

    # --- sessions ---

    async def add_session(self, hashed: str, session: Session) -> None:
        """Keep a session under the hash of its cookie; raises AccountError when the user is gone meanwhile."""
        row = {"hashed": hashed, "user": session.user, "created_at": session.created_at, "expires_at": session.expires_at}

        async def work(attempt: Attempt) -> None:
            await _current(attempt, session.user)  # kept from being removed in between
            if attempt.doubtful:
                await attempt.connection.execute(delete(sessions).where(sessions.c.hashed == hashed))
            await attempt.connection.execute(insert(sessions), row)

        await self._database.write(work)

    async def session(self, hashed: str, now: datetime) -> Session | None:
        """The session, if it has not ended; its role is the user's present one."""

        async def work(attempt: Attempt) -> Session | None:
            row = (await attempt.connection.execute(_SESSION, {"of": hashed, "now": now})).first()
            return None if row is None else Session(row.user, Role(row.role), row.created_at, row.expires_at)

        return await self._database.read(work)

    async def end_session(self, hashed: str) -> None:
        """Sign out."""

        async def work(attempt: Attempt) -> None:
            await attempt.connection.execute(delete(sessions).where(sessions.c.hashed == hashed))

        await self._database.write(work)

    # --- housekeeping ---

    async def tidy(self, now: datetime) -> int:
        """Delete ended sessions, links and remembered answers; how many rows."""
        ended = (
            delete(sessions).where(sessions.c.expires_at <= now),
            delete(links).where(or_(links.c.expires_at <= now, links.c.used_at.is_not(None))),
            delete(remembered).where(remembered.c.at <= now - REMEMBERED),
        )

        async def work(attempt: Attempt) -> int:
            return sum([(await attempt.connection.execute(statement)).rowcount for statement in ended])

        return await self._database.write(work)


def _user(row: Row[Any]) -> User:
    return User(row.name, Role(row.role), row.created_at, row.password_hash)


async def _current(attempt: Attempt, name: str) -> Row[Any]:
    row = (await attempt.connection.execute(_CURRENT, {"of": name})).first()
    if row is None:
        raise AccountError(f"there is no user {name}")
    return row


async def _another_admin(attempt: Attempt, name: str) -> None:
    """Raise AccountError when *name* is the only admin: nobody could add another."""
    if list((await attempt.connection.execute(_ADMINS)).scalars()) == [name]:
        raise AccountError(f"{name} is the last admin; make somebody else admin first")
