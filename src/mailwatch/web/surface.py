"""What the web asks of the rest of the daemon: one value that the composition root fills."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.ports import Clock, EventLog, Store
from mailwatch.ports.campaigns import Campaigns
from mailwatch.ports.delivery import Endpoint, Outbox
from mailwatch.ports.findings import Findings
from mailwatch.ports.incidents import Incidents
from mailwatch.ports.maintenance import Maintenance
from mailwatch.ports.pages import Jobs, PageFilter, Pages
from mailwatch.ports.people import People
from mailwatch.web.web_config import WebConfigFile

if TYPE_CHECKING:
    from mailwatch.desk.accounts import Accounts
    from mailwatch.desk.acts import Desk
    from mailwatch.desk.bulk import Bulk
    from mailwatch.desk.consents import Consents
    from mailwatch.desk.newcomers import Newcomers
    from mailwatch.desk.quiet_hosts import QuietHosts
    from mailwatch.desk.sending import SendingGate


@dataclass(frozen=True, slots=True)
class Probing:
    """What the process itself tells, without the database."""

    render_metrics: Callable[[str], Awaitable[tuple[bytes, str]]]  #: Accept header -> body, content type
    not_ready: Callable[[], str | None]  #: why the daemon is not ready, or None
    status: Callable[[], Mapping[str, Any]]
    reload: Callable[[], Awaitable[str | None]]  #: what is wrong with the new configuration, or None
    render_mailboxes: Callable[[PageFilter], Awaitable[tuple[bytes, str]]] | None = None  #: None: nobody asked for that
    web_config: WebConfigFile | None = None  #: who may read metrics beside whom mailwatch knows


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`[web]`, as far as requests need it."""

    external_url: str | None = None  #: how browsers reach the page through a proxy: scheme://host[:port][/path]
    trusted_proxies: frozenset[str] = frozenset()  #: addresses and networks whose X-Forwarded-* headers are believed
    session_seconds: float = 43_200.0
    requests_per_minute: int = 600  #: for each caller; sign-in attempts have their own, lower limit
    max_body_bytes: int = 1_048_576
    body_seconds: float = 20.0  #: a body that takes longer to arrive is not waited for
    host_names: frozenset[str] = frozenset()  #: further names it may be asked by (loopback, IP addresses and external_url always)


@dataclass(frozen=True, slots=True)
class Surface:
    """All that the API and the page work with."""

    probing: Probing
    store: Store
    pages: Pages
    campaigns: Campaigns
    outbox: Outbox
    people: People
    jobs: Jobs
    desk: "Desk"
    bulk: "Bulk"
    accounts: "Accounts"
    consents: "Consents | None"  #: None: no [oauth.APP] is configured
    gate: "SendingGate"
    clock: Clock
    log: EventLog
    settings: WebSettings = WebSettings()
    rng: random.Random = field(default_factory=random.SystemRandom)
    describe: Callable[[], Mapping[str, Any]] = dict  #: the configuration in force, secrets left out: the page's Settings
    newcomers: "Newcomers | None" = None  #: None: this node takes in no mailboxes
    endpoints: Callable[[], Mapping[str, Endpoint]] = dict  #: the webhooks of the configuration, by name
    wake: Callable[[str], None] = lambda _webhook: None  #: a webhook is to be tried now, though it rests since it failed
    certificates: Callable[[], Mapping[str, datetime]] = dict  #: host:port -> when the certificate seen there expires
    findings: Findings | None = None  #: what the history of the last weeks shows
    incidents: Incidents | None = None  #: outages, one each
    maintenance: Maintenance | None = None  #: declared windows
    quiet_hosts: "QuietHosts | None" = None  #: which looks are put off for their host

    @property
    def canary_seconds(self) -> float | None:
        """How often a canary looks at a place that is down, by the configuration in force; None: circuits are switched off."""
        settings = self.describe().get("incidents", {})
        if not settings.get("circuits", True):
            return None
        return float(settings.get("canary_seconds", CircuitPolicy().canary_seconds))
