"""Everything a running daemon is made of, plugged together by whoever composes it (the settings' assembly, the demo, a test)."""

import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum, unique
from typing import Any

from mailwatch.config import Settings
from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.detect import DetectPolicy
from mailwatch.core.oauth import OAuthApp
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import Policy
from mailwatch.core.watching import WatchRules
from mailwatch.core.webhooks import Endpoint
from mailwatch.monitor.idle_watch import IdleWatch
from mailwatch.monitor.live import Live
from mailwatch.ports import Canary, Clock, EventLog, Prober
from mailwatch.ports.consents import ConsentEndpoints, LoginProof
from mailwatch.ports.delivery import HttpPoster
from mailwatch.store import SqlStore
from mailwatch.telemetry.metrics import Metrics
from mailwatch.telemetry.systemd import Notifier
from mailwatch.web.surface import WebSettings
from mailwatch.web.web_config import WebConfigFile


class SystemClock:
    """The machine's clocks; implements `ports.Clock`."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never backwards."""
        return time.monotonic()


@unique
class Role(StrEnum):
    """What a node does."""

    ALL = "all"
    PROBE = "probe"  #: probes; HTTP serves metrics, health and status
    WEB = "web"  #: page, API and webhooks, beside a probing node at the same database: logs in nowhere


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a reload may change while the daemon runs."""

    policy: Policy
    paces: Mapping[str, Pace]
    other: Pace
    max_in_flight: int
    retention_days: tuple[int, int] = (400, 800)  #: transitions, audit
    campaigns: CampaignPolicy = field(default_factory=CampaignPolicy)
    webhooks: Mapping[str, Endpoint] = field(default_factory=dict)
    detect: DetectPolicy = field(default_factory=DetectPolicy)
    circuit: CircuitPolicy | None = field(default_factory=CircuitPolicy)  #: None: nothing is looked at by canaries alone
    watch: WatchRules = field(default_factory=WatchRules)
    settings: Settings = field(default_factory=Settings)  #: the whole file, for the page and for what new mailboxes are judged by

    def pace_of(self, gate: str) -> Pace:
        """How fast the mailboxes of *gate* may be looked at."""
        return self.paces.get(gate, self.other)


@dataclass(frozen=True, slots=True)
class Outside:
    """The ways to servers that are no mailbox's: OAuth providers and receivers of webhooks."""

    poster: HttpPoster
    apps: Mapping[str, OAuthApp] = field(default_factory=dict)
    consents: ConsentEndpoints | None = None
    proof: LoginProof | None = None


@dataclass(frozen=True, slots=True)
class Alerting:
    """Where alerts are pushed, and how they are worded; durations in seconds."""

    poster: HttpPoster
    urls: Sequence[str]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    external_labels: Mapping[str, str] = field(default_factory=dict)
    resend_seconds: float = 60.0
    linger_seconds: float = 180.0
    mailbox_alerts: bool = False


@dataclass(frozen=True, slots=True)
class SeriesOptions:
    """What `/metrics/mailboxes` shows."""

    most: int = 10_000
    addresses: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """The adapters and values of one daemon."""

    store: SqlStore
    prober: Prober
    metrics: Metrics
    log: EventLog
    clock: Clock
    tuning: Tuning
    listen: str
    notifier: Notifier
    node: str = "local"
    role: Role = Role.ALL
    canary: Canary | None = None
    outside: Outside | None = None
    web: WebSettings = field(default_factory=WebSettings)
    alerting: Alerting | None = None  #: None: nothing is pushed
    idle_watch: IdleWatch | None = None  #: None: no session is left open
    series: SeriesOptions | None = None  #: None: there is no /metrics/mailboxes
    web_config: WebConfigFile | None = None  #: TLS and basic auth of HTTP
    describe: Callable[[], Mapping[str, Any]] = dict  #: the configuration in force, secrets left out
    live: Live = field(default_factory=Live)
    rng: random.Random = field(default_factory=random.SystemRandom)
    reload: Callable[[], Awaitable[Tuning]] | None = None  #: reads the configuration anew; raises ports.MailwatchError
    close: Callable[[], Awaitable[None]] | None = None  #: what else must be closed at the end (resolver, HTTP client)
    tick_seconds: float = 0.25
