"""People and programs that may use the page and the API: users, sessions, tokens, one-time links.

There is no default password.  Without users, whoever holds the set-up link makes the first one; the link is printed where only
the machine's own operator reads.  Secrets are random, shown once, and stored as hashes (`passwords`).
"""

import re
import secrets
from datetime import datetime, timedelta
from typing import Final

from mailwatch.core.secret import Secret
from mailwatch.desk.attempts import Rate
from mailwatch.desk.passwords import Passwords, check_new_password, hashed, new_secret
from mailwatch.ports import Act, Clock
from mailwatch.ports.people import AccountError, LinkKind, OneTimeLink, People, Role, Session, Token, User

TOKEN_PREFIX: Final = "mwt_"
LINK_LIFETIMES: Final = {
    LinkKind.SETUP: timedelta(hours=24),
    LinkKind.SIGN_IN: timedelta(minutes=30),
}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_MOST_TOKEN_DAYS: Final = 3650
#: Wrong passwords: of one name from wherever they come, and from one address for whatever names.
_NAME_ATTEMPTS: Final = (10, 5)  # a minute, at once
_ADDRESS_ATTEMPTS: Final = (30, 10)


class TooManyAttemptsError(AccountError):
    """Signing in was tried too often; `retry_seconds` tells how long to wait."""

    def __init__(self, retry_seconds: float) -> None:
        super().__init__("too many attempts to sign in; wait a little")
        self.retry_seconds = retry_seconds


class Accounts:
    """Makes and checks accounts, sessions, tokens and links; *session_seconds* is how long a sign-in lasts."""

    def __init__(
        self, people: People, clock: Clock, *, session_seconds: float = 43_200.0, passwords: Passwords | None = None
    ) -> None:
        self._people = people
        self._clock = clock
        self._lifetime = timedelta(seconds=session_seconds)
        self._passwords = passwords or Passwords()
        self._by_name = Rate(_NAME_ATTEMPTS[0], burst=_NAME_ATTEMPTS[1], clock=clock)
        self._by_address = Rate(_ADDRESS_ATTEMPTS[0], burst=_ADDRESS_ATTEMPTS[1], clock=clock)

    # --- one-time links ---

    async def setup_link(self) -> str:
        """A new secret for `/setup?key=…`, which ends the older ones; raises AccountError when there are users already."""
        if await self._people.user_count():
            raise AccountError("there are users already; `mailwatch user add` makes another")
        return await self._link(LinkKind.SETUP, "", None)

    async def sign_in_link(self, user: str, by: Act) -> str:
        """A secret that signs *user* in once; raises AccountError when there is no such user."""
        await self._user(user)
        return await self._link(LinkKind.SIGN_IN, user, by)

    async def _link(self, kind: LinkKind, subject: str, by: Act | None) -> str:
        secret = new_secret()
        link = OneTimeLink(kind, subject, self._clock.now() + LINK_LIFETIMES[kind])
        await self._people.add_link(hashed(secret), link, by)
        return secret

    async def link(self, secret: str) -> OneTimeLink | None:
        """Look at a link without using it up."""
        return await self._people.link(hashed(secret), self._clock.now())

    async def redeem(self, secret: str) -> tuple[str, Session]:
        """Sign in by a sign-in link, once: the cookie's secret and the session; raises AccountError."""
        now = self._clock.now()
        seen = await self._people.link(hashed(secret), now)
        link = await self._people.use_link(hashed(secret), now) if seen and seen.kind is LinkKind.SIGN_IN else None
        if link is None:
            raise AccountError("this link was used already, or has ended; ask for a new one")
        return await self._session(await self._user(link.subject))

    # --- signing in and out ---

    async def sign_up_first(self, secret: str, name: str, password: Secret, *, origin: str = "local") -> tuple[str, Session]:
        """Make the first user, an admin, by the set-up link; raises AccountError."""
        now = self._clock.now()
        seen = await self._people.link(hashed(secret), now)
        if seen is None or seen.kind is not LinkKind.SETUP or await self._people.user_count():
            raise AccountError("this set-up link has ended; `mailwatch user setup-link` prints a new one")
        user = await self._new_user(name, password, Role.ADMIN)  # judged before the link is used up
        if await self._people.use_link(hashed(secret), now) is None:
            raise AccountError("this set-up link was used just now")
        await self._people.add_user(user, Act(f"user:{name}", "user.add", origin))
        return await self._session(user)

    async def sign_in(self, name: str, password: Secret, *, origin: str = "local") -> tuple[str, Session]:
        """The cookie's secret and the session; raises AccountError, and TooManyAttemptsError.

        A name that does not exist costs the same time and gets the same answer as a wrong password.
        """
        wait = max(self._by_name.take(name.lower()[:64]), self._by_address.take(origin))
        if wait:
            raise TooManyAttemptsError(wait)
        # what can be nobody's name is not asked for: not all of it can even be said to a database
        user = await self._people.user(name) if _NAME.fullmatch(name) else None
        good = await self._passwords.matches(password, user.password_hash if user else None)
        if not good or user is None:
            raise AccountError("the name or the password is wrong")
        if self._passwords.is_outdated(user.password_hash):
            await self._rehash(user, password)
        return await self._session(user)

    async def _rehash(self, user: User, password: Secret) -> None:
        stronger = await self._passwords.hash(password)
        if await self._people.user(user.name) == user:  # else another password was set meanwhile, and this one is over
            await self._people.set_user(user.name, Act("mailwatch", "user.rehash"), password_hash=stronger)

    async def _session(self, user: User) -> tuple[str, Session]:
        secret, now = new_secret(), self._clock.now()
        session = Session(user.name, user.role, now, now + self._lifetime)
        await self._people.add_session(hashed(secret), session)
        return secret, session

    async def session_of(self, cookie: str) -> Session | None:
        """The session of a cookie, if it has not ended."""
        return await self._people.session(hashed(cookie), self._clock.now())

    async def sign_out(self, session_hash: str) -> None:
        """End the session kept under this hash."""
        await self._people.end_session(session_hash)

    # --- users ---

    async def add_user(self, name: str, password: Secret | None, role: Role, by: Act) -> User:
        """Make a user; without a password, one who signs in by a link alone until one is set.  Raises AccountError."""
        user = await self._new_user(name, password, role)
        await self._people.add_user(user, by)
        return user

    async def _new_user(self, name: str, password: Secret | None, role: Role) -> User:
        if not _NAME.fullmatch(name):
            raise AccountError("a name has 1 to 64 letters, digits and . _ @ + -, and begins with a letter or digit")
        if password is not None:
            check_new_password(password, name)
        stored = await self._passwords.hash(password or Secret(new_secret()))
        return User(name, role, self._clock.now(), stored)

    async def set_password(self, name: str, password: Secret, by: Act) -> None:
        """Give a user a new password, which ends the user's sessions; raises AccountError."""
        await self._user(name)
        check_new_password(password, name)
        await self._people.set_user(name, by, password_hash=await self._passwords.hash(password))

    async def change_password(self, name: str, present: Secret, new: Secret, by: Act, *, origin: str = "local") -> None:
        """A user's own change: the present password is asked for; raises AccountError, and TooManyAttemptsError."""
        wait = max(self._by_name.take(name.lower()[:64]), self._by_address.take(origin))
        if wait:
            raise TooManyAttemptsError(wait)
        user = await self._user(name)
        if not await self._passwords.matches(present, user.password_hash):
            raise AccountError("the present password is wrong")
        await self.set_password(name, new, by)

    async def set_role(self, name: str, role: Role, by: Act) -> None:
        """Raises AccountError when there is no such user, or it is the last admin."""
        await self._user(name)
        await self._people.set_user(name, by, role=role)

    async def remove_user(self, name: str, by: Act) -> None:
        """Raises AccountError when there is no such user, or it is the last admin."""
        await self._user(name)
        await self._people.remove_user(name, by)

    async def _user(self, name: str) -> User:
        user = await self._people.user(name)
        if user is None:
            raise AccountError(f"there is no user {name[:64]!r}")
        return user

    # --- tokens ---

    async def create_token(self, name: str, role: Role, days: int | None, by: Act) -> tuple[Token, str]:
        """A token and its text, which is shown once; *days* None: it does not end.  Raises AccountError."""
        if not _NAME.fullmatch(name):
            raise AccountError("a token's name has 1 to 64 letters, digits and . _ @ + -")
        if days is not None and not 1 <= days <= _MOST_TOKEN_DAYS:
            raise AccountError(f"a token lasts 1 to {_MOST_TOKEN_DAYS} days")
        now = self._clock.now()
        if any(token.name == name and _is_good(token, now) for token in await self._people.tokens()):
            raise AccountError(f"there is a token {name!r} already; revoke it, or choose another name")
        expires_at = None if days is None else now + timedelta(days=days)
        text = new_secret(TOKEN_PREFIX)
        token = Token(f"tok_{secrets.token_hex(8)}", name, role, now, by.actor, expires_at)
        await self._people.add_token(token, hashed(text), by)
        return token, text

    async def token_of(self, text: str) -> Token | None:
        """The token with this text, if it is good."""
        if not text.startswith(TOKEN_PREFIX):
            return None
        return await self._people.token(hashed(text), self._clock.now())

    async def revoke_token(self, id_or_name: str, by: Act) -> None:
        """End a token; raises AccountError when there is none.  An id comes before a name that is spelt like it."""
        now = self._clock.now()
        tokens = await self._people.tokens()
        named = (token.id for token in tokens if token.name == id_or_name and _is_good(token, now))
        is_id = any(token.id == id_or_name for token in tokens)
        await self._people.revoke_token(id_or_name if is_id else next(named, id_or_name), by)


def _is_good(token: Token, now: datetime) -> bool:
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now)
