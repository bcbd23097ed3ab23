"""The seams around people and programs that use the API and the page: accounts, sessions, tokens, one-time links, idempotency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Protocol

from mailwatch.ports import Act, MailwatchError


class AccountError(MailwatchError):
    """The account, token or link cannot be used or made; the text says why."""


@unique
class Role(StrEnum):
    """What somebody may do; each includes those before it."""

    READ = "read"
    ACT = "act"  #: disconnect, reconnect, hold, release, probe, campaigns
    ADMIN = "admin"  #: also add and remove mailboxes, users, tokens, settings


@dataclass(frozen=True, slots=True)
class User:
    """A person with a password (argon2id; the hash never leaves `People`'s callers)."""

    name: str
    role: Role
    created_at: datetime
    password_hash: str


@dataclass(frozen=True, slots=True)
class Token:
    """A program's key to the API; only its hash is stored."""

    id: str  #: `tok_…`
    name: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser."""

    user: str
    role: Role
    created_at: datetime
    expires_at: datetime


@unique
class LinkKind(StrEnum):
    """What a one-time link is for."""

    SETUP = "setup"  #: make the first user
    SIGN_IN = "sign_in"  #: sign in as `subject`, without a password (the demo, a forgotten password)
    RECONNECT = "reconnect"  #: give consent anew for the mailbox `subject`


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A secret link, stored as a hash, good for one use until `expires_at`."""

    kind: LinkKind
    subject: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer given to an idempotency key; `status` None: the first request is still under way."""

    request_hash: str
    status: int | None
    body: bytes
    content_type: str


class People(Protocol):
    """Accounts at rest.  Hashes in, hashes compared: no secret of a person is stored."""

    async def user_count(self) -> int:
        """How many users there are; 0 means set-up is open to the holder of the set-up link."""

    async def add_user(self, user: User, act: Act) -> None:
        """Raises AccountError when the name is taken."""

    async def user(self, name: str) -> User | None:
        """By name."""

    async def users(self) -> Sequence[User]:
        """All, by name."""

    async def set_user(self, name: str, act: Act, *, password_hash: str | None = None, role: Role | None = None) -> None:
        """Change what is not None; ends the user's sessions.  Raises AccountError for the last admin."""

    async def remove_user(self, name: str, act: Act) -> None:
        """Raises AccountError for the last admin."""

    async def add_session(self, hashed: str, session: Session) -> None:
        """Keep a session under the hash of its cookie."""

    async def session(self, hashed: str, now: datetime) -> Session | None:
        """The session, if it has not ended; its role is the user's present one."""

    async def end_session(self, hashed: str) -> None:
        """Sign out."""

    async def add_token(self, token: Token, hashed: str, act: Act) -> None:
        """Keep a token under the hash of its text."""

    async def token(self, hashed: str, now: datetime) -> Token | None:
        """The token, if it is neither revoked nor past its end; notes its use (to the minute)."""

    async def tokens(self) -> Sequence[Token]:
        """All, newest first."""

    async def revoke_token(self, token_id: str, act: Act) -> None:
        """End it; raises AccountError when there is none."""

    async def add_link(self, hashed: str, link: OneTimeLink, act: Act | None) -> None:
        """Keep a one-time link under the hash of its secret; a new SETUP link ends the older ones."""

    async def link(self, hashed: str, now: datetime) -> OneTimeLink | None:
        """Look at a link without using it up."""

    async def use_link(self, hashed: str, now: datetime) -> OneTimeLink | None:
        """Use the link up; None when it was used or has ended.  Of two at once only one gets it."""

    async def begin_once(self, key: str, request_hash: str, now: datetime) -> Remembered | None:
        """Note a request under its idempotency key (scoped by the caller's name); None: it is the first, go ahead.

        Else what is remembered: the caller compares the hashes, and answers 409 when `status` is None (in progress).
        """

    async def finish_once(self, key: str, answer: Remembered) -> None:
        """Remember the answer for a day."""

    async def abandon_once(self, key: str) -> None:
        """The first request failed inside mailwatch: the key may be used again."""

    async def tidy(self, now: datetime) -> int:
        """Delete ended sessions, links and remembered answers; how many rows."""
