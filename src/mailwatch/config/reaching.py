"""[providers.NAME], [oauth.APP], [network]: whom mailwatch talks to, how fast, and what it may reach."""

from typing import Annotated, Final

from pydantic import Field

from mailwatch.config.references import Reference
from mailwatch.config.section import AbsolutePath, Addresses, Domains, HostPorts, Hosts, Networks, Section, Text, Texts, Url
from mailwatch.core.oauth import OAuthKind
from mailwatch.core.pacing import Pace

_PACE: Final = Pace()


class Provider(Section):
    """Limits for one provider, and how its mailboxes are recognised.

    A name mailwatch knows (google, microsoft, …) keeps its built-in values for the keys that are left out; `other` is everybody
    not named.
    """

    hosts: Hosts = Field(
        default=(),
        description="Server names that belong to it; *.example.org means all below example.org.",
        examples=[["*.mail.example.org"]],
    )
    domains: Domains = Field(
        default=(), description="Mail domains that belong to it, whatever their servers are called.", examples=[["example.org"]]
    )
    max_connections: int = Field(
        default=_PACE.max_connections, ge=1, le=10_000, description="Probes of it at the same time, for each node."
    )
    logins_per_minute: float = Field(
        default=_PACE.logins_per_minute, gt=0, le=60_000, description="How fast logins may start, for each node."
    )
    burst: int = Field(default=_PACE.burst, ge=1, le=1000, description="Logins that may start at once after a quiet time.")
    per_address_bans: bool = Field(
        default=_PACE.per_address_bans,
        description="Whether its servers count failed logins by our address (fail2ban, cPHulk). Then a host that "
        "has refused a few is left alone by all mailboxes for a while.",
    )


class OAuthApplication(Section):
    """A client registered at an authorisation server. Its dead secret disconnects all mailboxes that use it."""

    kind: Annotated[OAuthKind, Field(strict=False)] = Field(
        default=OAuthKind.CUSTOM, description='"google", "microsoft" or "custom".', examples=["microsoft"]
    )
    client_id: Text = Field(description="The client's public name.", examples=["00000000-0000-0000-0000-000000000000"])
    client_secret: Reference | None = Field(
        default=None,
        description="The client's secret; public clients have none.",
        examples=[{"credential": "outreach-client-secret"}],
    )
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")] = Field(
        default="common",
        description="Microsoft's tenant: an id, a domain, or common, organizations, consumers.",
        examples=["contoso.example"],
    )
    token_url: Url | None = Field(
        default=None,
        description="The token endpoint; known for google and microsoft.",
        examples=["https://login.example.org/oauth2/token"],
    )
    scopes: Texts = Field(
        default=(),
        description="Scopes to ask for with a refresh; none asks for those of the consent.",
        examples=[["https://outlook.office.com/IMAP.AccessAsUser.All"]],
    )


class Network(Section):
    """What mailwatch may connect to, and how it knows that its own network works."""

    allow_private_hosts: bool = Field(
        default=False,
        description="Whether mailboxes may have servers at private or loopback addresses. Off, so that nobody "
        "who may add a mailbox can make mailwatch knock at internal doors.",
    )
    allowed_networks: Networks = Field(
        default=(), description="Private networks that are allowed all the same: servers of your own.", examples=[["10.20.0.0/16"]]
    )
    canaries: HostPorts = Field(
        default=(),
        description="host:port of servers of different operators that are always up. When none answers, the "
        "fault is our own network, and no mailbox is blamed.",
        examples=[["one.one.one.one:443", "dns.google:443"]],
    )
    ca_file: AbsolutePath | None = Field(
        default=None, description="Certificates to trust instead of the system's.", examples=["/etc/ssl/certs/ca-certificates.crt"]
    )
    nameservers: Addresses = Field(default=(), description="DNS servers to ask instead of the system's.", examples=[["9.9.9.9"]])
    allow_cleartext: bool = Field(
        default=False,
        description="Whether mailboxes may log in without TLS (imap://, smtp://). Anybody on the way can then "
        "read their passwords.",
    )
