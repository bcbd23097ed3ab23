"""The accounts of the simulated providers: who may log in with what, and what lies in the inbox.

Everything here is invented and dies with the process; passwords are kept in clear because a server has to compare them.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy

from mailwatch.core.mailbox import AuthKind


@dataclass(slots=True)
class Message:
    """A mail in the inbox."""

    uid: int
    content: bytes = field(repr=False)
    flags: set[str] = field(default_factory=set)

    @property
    def header(self) -> bytes:
        """The header block, the blank line behind it included."""
        head, separator, _ = self.content.partition(b"\r\n\r\n")
        return head + (separator or b"\r\n\r\n")

    def field_text(self, name: str) -> str:
        """The value of the header field *name*, empty when there is none."""
        return str(message_from_bytes(self.header, policy=policy.default).get(name, ""))


class Inbox:
    """The one folder each account has; sessions that idle are told of new mail."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.uid_validity = 1
        self._uids = itertools.count(1)
        self._watchers: set[Callable[[int], None]] = set()
        self.uid_next = 1

    def deliver(self, content: bytes) -> Message:
        """Put a mail in; everyone who watches hears how many there are now."""
        message = Message(next(self._uids), content)
        self.uid_next = message.uid + 1
        self.messages.append(message)
        for tell in tuple(self._watchers):
            tell(len(self.messages))
        return message

    def expunge(self) -> list[int]:
        """Remove what is flagged as deleted; the sequence numbers in the order in which RFC 9051 (7.5.1) reports them."""
        gone: list[int] = []
        for position in range(len(self.messages) - 1, -1, -1):
            if "\\Deleted" in self.messages[position].flags:
                del self.messages[position]
                gone.append(position + 1)
        return gone

    def watch(self, tell: Callable[[int], None]) -> None:
        """Call *tell* with the number of mails whenever one arrives."""
        self._watchers.add(tell)

    def unwatch(self, tell: Callable[[int], None]) -> None:
        """Stop calling *tell*."""
        self._watchers.discard(tell)


@dataclass(slots=True)
class Account:
    """One login at a provider."""

    address: str
    provider: str
    auth: AuthKind
    password: str = field(default="", repr=False)
    inbox: Inbox = field(default_factory=Inbox, repr=False)

    @property
    def domain(self) -> str:
        """The part behind the @."""
        return self.address.rpartition("@")[2]


class Accounts:
    """All accounts of the world, by address; user names are matched without regard to case, as providers do."""

    def __init__(self) -> None:
        self._by_address: dict[str, Account] = {}

    def add(self, account: Account) -> Account:
        """Take *account* in; a second one with its address replaces it."""
        self._by_address[account.address.lower()] = account
        return account

    def get(self, address: str) -> Account | None:
        """The account, if there is one."""
        return self._by_address.get(address.lower())

    def __getitem__(self, address: str) -> Account:
        return self._by_address[address.lower()]

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_address.values())

    def __len__(self) -> int:
        return len(self._by_address)
