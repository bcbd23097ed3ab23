"""[providers.NAME], [oauth.APP], [network]: whom mailwatch talks to, how fast, and what it may reach."""

from typing import Annotated, Final

from pydantic import Field

from mailwatch.config.references import Reference
from mailwatch.config.section import (
    AbsolutePath,
    Addresses,
    Domains,
    HostPorts,
    Hosts,
    MomentOrDay,
    Networks,
    Section,
    Text,
    Texts,
    Url,
)
from mailwatch.core.oauth import ClientAuth, GrantKind, OAuthKind
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
    grant: Annotated[GrantKind, Field(strict=False)] = Field(
        default=GrantKind.CODE,
        description='How mailboxes come to their tokens. "code": each owner consents in a browser. "client_credentials" '
        '(Microsoft 365) and "service_account" (Google Workspace): the application logs in for all, by an '
        "administrator's leave; its mailboxes have no secret of their own.",
    )
    client_id: Text = Field(
        description="The client's public name; of a service account the client_id in its key.",
        examples=["00000000-0000-0000-0000-000000000000"],
    )
    client_secret: Reference | None = Field(
        default=None,
        description="The client's secret; public clients have none.",
        examples=[{"credential": "outreach-client-secret"}],
    )
    client_secret_expires: MomentOrDay | None = Field(
        default=None,
        description="When the client's secret ends, as the provider's console says: a metric and an alert warn in good time. "
        "A day alone means its beginning, and what has no offset is UTC.",
        examples=["2027-01-31"],
    )
    client_auth: Annotated[ClientAuth, Field(strict=False)] = Field(
        default=ClientAuth.POST,
        description='How the secret is shown: "post" in the body, or "basic" in a header, for servers that take no other.',
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
    authorize_url: Url | None = Field(
        default=None,
        description="Where owners are sent to give consent; known for google and microsoft.",
        examples=["https://login.example.org/oauth2/authorize"],
    )
    device_url: Url | None = Field(
        default=None,
        description="Where a device flow begins, for `mailwatch oauth login` without a browser; known for microsoft. "
        "Google's does not serve mail.",
        examples=["https://login.example.org/oauth2/device"],
    )
    revoke_url: Url | None = Field(
        default=None,
        description="Where the consent of a removed mailbox is revoked; known for google. Microsoft has none.",
        examples=["https://login.example.org/oauth2/revoke"],
    )
    userinfo_url: Url | None = Field(
        default=None,
        description="Who signed in, for a custom server whose token endpoint gives no ID token. Without either, a consent "
        "is tried at the mailbox's own server before it is stored.",
        examples=["https://login.example.org/oauth2/userinfo"],
    )
    service_account: Reference | None = Field(
        default=None,
        description="The JSON key of a Google service account with domain-wide delegation.",
        examples=[{"credential": "service-account.json"}],
    )
    scopes: Texts = Field(
        default=(),
        description="What consents are asked for, and refreshes ask for. None asks google and microsoft for IMAP and SMTP, "
        "and a refresh for what the consent gave.",
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
        "fault is our own network, and no mailbox is blamed. Websites given by name, as in the example, also show "
        "whether name servers, clock and CA certificates of our own are in order: addresses show nothing of name "
        "servers, and ports without TLS nothing of the rest.",
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
