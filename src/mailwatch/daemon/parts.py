"""Everything a running daemon is made of, plugged together by whoever composes it (the settings' assembly, the demo, a test)."""

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum, unique

from mailwatch.core.pacing import Pace
from mailwatch.core.policy import Policy
from mailwatch.monitor.live import Live
from mailwatch.ports import Canary, Clock, EventLog, Prober
from mailwatch.store import SqlStore
from mailwatch.telemetry.metrics import Metrics
from mailwatch.telemetry.systemd import Notifier


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
    WEB = "web"  #: HTTP alone, beside a probing node at the same database: logs in nowhere and writes nothing


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a reload may change while the daemon runs."""

    policy: Policy
    paces: Mapping[str, Pace]
    other: Pace
    max_in_flight: int
    retention_days: tuple[int, int] = (400, 800)  #: transitions, audit


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
    live: Live = field(default_factory=Live)
    rng: random.Random = field(default_factory=random.SystemRandom)
    reload: Callable[[], Awaitable[Tuning]] | None = None  #: reads the configuration anew; raises ports.MailwatchError
    close: Callable[[], Awaitable[None]] | None = None  #: what else must be closed at the end (resolver, HTTP client)
    tick_seconds: float = 0.25
