"""What mailboxes share, and therefore lose together: provider, OAuth app, endpoint, domain, and our own uplink."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from mailwatch.core.gates import OTHER_PROVIDER
from mailwatch.core.mailbox import Mailbox


@unique
class ScopeKind(StrEnum):
    """What kind of thing an incident is about, the broadest first."""

    EGRESS = "egress"  #: our own uplink, resolver or clock
    PROVIDER = "provider"
    OAUTH_APP = "oauth_app"
    ENDPOINT = "endpoint"  #: one server host
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One thing that can fail: a kind and a name."""

    kind: ScopeKind
    name: str


#: Everything mailwatch watches shares its uplink.
EGRESS: Final = Scope(ScopeKind.EGRESS, "own")


@dataclass(frozen=True, slots=True)
class Traits:
    """What one mailbox shares with others."""

    provider: str
    endpoints: tuple[str, ...]  #: hosts
    domain: str
    oauth_app: str | None = None

    @classmethod
    def of(cls, mailbox: Mailbox) -> "Traits":
        """The traits of *mailbox*."""
        hosts = tuple(dict.fromkeys(endpoint.host.lower() for endpoint in mailbox.endpoints))
        return cls(mailbox.provider, hosts, mailbox.domain, mailbox.oauth_app)

    def scopes(self) -> Iterator[Scope]:
        """Every scope the mailbox is in, the uplink left aside.

        Mailboxes of unlisted hosts share no provider: `other` is a heap, not a place.
        """
        if self.provider != OTHER_PROVIDER:
            yield Scope(ScopeKind.PROVIDER, self.provider)
        if self.oauth_app is not None:
            yield Scope(ScopeKind.OAUTH_APP, self.oauth_app)
        for host in self.endpoints:
            yield Scope(ScopeKind.ENDPOINT, host)
        yield Scope(ScopeKind.DOMAIN, self.domain)

    @property
    def root(self) -> Scope:
        """The broadest place of the mailbox: its provider, or where that is none its application or its first host."""
        return next(self.scopes())
