"""The stage of the demo: simulated providers, a fleet, and a whole daemon against them, all in this process and one directory.

The clock runs at its own pace, so everything a person would wait minutes or hours for is made short here: numbers that the
configuration of a real daemon refuses, for they would harm real providers.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mailwatch import __version__
from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.mailbox import AuthKind, Depth
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import BackoffPolicy, BudgetPolicy, ConfirmPolicy, FlapPolicy, Policy, VerifyPolicy
from mailwatch.daemon import Daemon, Parts, SystemClock
from mailwatch.daemon.parts import Outside, Tuning
from mailwatch.ports import Act, NewMailbox
from mailwatch.probe import Dialer, EgressPolicy, NetworkProber, Resolver, TokenEndpoint, TokenSource, make_ssl_context
from mailwatch.probe.consent import HttpConsentEndpoints
from mailwatch.probe.http import JudgedHttp
from mailwatch.probe.identity import ProofByLogin
from mailwatch.sim import World, fleet
from mailwatch.store import KeyRing, SqlStore, Vault, migrate
from mailwatch.telemetry.log_fields import places
from mailwatch.telemetry.metrics import Metrics
from mailwatch.telemetry.systemd import Notifier

#: mailwatch renews tokens five minutes before their end: these are renewed every 40 to 70 s.
_TOKEN_LIFETIMES: Final = {"google": 340.0, "microsoft365": 370.0}
#: Below this many mailboxes each is probed every ten seconds; above, the machine's share stays the same.
_PROBES_PER_SECOND: Final = 60.0
_FIRST_LOOKS_PER_SECOND: Final = 40.0
_MAX_IN_FLIGHT: Final = 60
_ERRORS_KEPT: Final = 20
_FRAMES_SHOWN: Final = 6
_REAL: Final = Policy()
_HASTE: Final = 30.0


def policy(mailboxes: int) -> Policy:
    """A daemon's policy, some thirty times as hasty as a real one."""
    interval = max(10.0, mailboxes / _PROBES_PER_SECOND)
    return Policy(
        interval_seconds=interval,
        timeout_seconds=8.0,
        depth=Depth.SUBMIT,
        confirm=ConfirmPolicy(min_seconds=1.0, max_seconds=2.0, secret_seconds=3.0),
        transient=BackoffPolicy(1.0, 8.0),
        throttled=BackoffPolicy(5.0, 20.0),
        verify=VerifyPolicy(successes=3, min_seconds=3.0, spacing_seconds=1.5),
        budget=BudgetPolicy(host_rejected_logins=40, host_window_seconds=20.0),
        flap=FlapPolicy(window_seconds=_REAL.flap.window_seconds / _HASTE, calm_seconds=_REAL.flap.calm_seconds / _HASTE),
        survival_seconds=20.0,
        recheck_seconds=10.0,
        egress_retry_seconds=2.0,
    )


class FaultNotes:
    """The daemon's log on stage (`ports.EventLog`): only what must not happen is kept, and shown at the end."""

    def __init__(self) -> None:
        self.errors: Counter[str] = Counter()

    def info(self, event: str, **fields: Any) -> None:
        """The view tells these already."""

    def warning(self, event: str, **fields: Any) -> None:
        """The view tells these already."""

    def error(self, event: str, **fields: Any) -> None:
        """A fault of mailwatch's own."""
        error = fields.pop("exc_info", None)
        words = " ".join(f"{name}={value}" for name, value in fields.items() if name != "mailbox" and value is not None)
        where = " < ".join(places(error)[:0:-1][:_FRAMES_SHOWN]) if isinstance(error, BaseException) else ""
        told = f"{event} {words} {where}".strip()
        if told in self.errors or len(self.errors) < _ERRORS_KEPT:
            self.errors[told] += 1


async def raise_world(world: World, mailboxes: int) -> tuple[NewMailbox, ...]:
    """Open the providers and their accounts; the mailboxes to watch."""
    for spec in fleet.specs(own_addresses=True):
        lifetime = _TOKEN_LIFETIMES.get(spec.name, spec.token_lifetime_seconds)
        await world.add(replace(spec, token_lifetime_seconds=lifetime))
    fleet.populate(world, mailboxes)
    return fleet.mailboxes(world, SystemClock().now())


async def compose(world: World, newcomers: tuple[NewMailbox, ...], directory: Path, port: int, notes: FaultNotes) -> Daemon:
    """A daemon that watches *newcomers*, with a new database and key in *directory*; /metrics on *port* (0 = a free one)."""
    clock = SystemClock()
    url = f"sqlite:///{directory / 'demo.db'}"
    vault = Vault(KeyRing.generate())
    await migrate(url)
    await _add(SqlStore(url, vault, clock, node="demo"), newcomers, clock.now(), policy(len(newcomers)))
    store = SqlStore(url, vault, clock, node="demo")
    providers = list(world.providers)
    metrics = Metrics(providers, __version__)
    prober, outside, close = _network(world, store, clock, metrics)
    pace = Pace(max_connections=_MAX_IN_FLIGHT, logins_per_minute=60_000.0, burst=_MAX_IN_FLIGHT, per_address_bans=False)
    return Daemon(
        Parts(
            store=store,
            prober=prober,
            metrics=metrics,
            log=notes,
            clock=clock,
            tuning=Tuning(
                policy=policy(len(newcomers)),
                paces=dict.fromkeys(providers, pace),
                other=pace,
                max_in_flight=_MAX_IN_FLIGHT,
                # one provider is a third of this fleet: its outage may pause a third of the campaigns without asking anybody
                circuit=CircuitPolicy(canary_seconds=1.0, ramp_start_per_second=5.0, ramp_doubles_seconds=2.0),
                campaigns=CampaignPolicy(brake_ratio=0.9, ramp_after_seconds=60.0),
            ),
            outside=outside,
            listen=f"127.0.0.1:{port}",
            notifier=Notifier(environ={}),
            close=close,
        )
    )


async def _add(store: SqlStore, newcomers: tuple[NewMailbox, ...], now: datetime, used: Policy) -> None:
    """Add the mailboxes, their first look spread so that the fleet is seen once as fast as the machine bears it."""
    spread = min(used.interval_seconds, len(newcomers) / _FIRST_LOOKS_PER_SECOND)
    await store.open()
    try:
        await store.add(
            newcomers,
            Act("demo", "mailbox.add"),
            first_due_at=lambda index: now + timedelta(seconds=spread * index / max(1, len(newcomers))),
        )
    finally:
        await store.close()


def _network(
    world: World, store: SqlStore, clock: SystemClock, metrics: Metrics
) -> tuple[NetworkProber, Outside, Callable[[], Awaitable[None]]]:
    everywhere_here = EgressPolicy(allowed_networks=["127.0.0.0/8"], allowed_ports=None)
    dialer = Dialer(Resolver([]), everywhere_here, make_ssl_context(world.ca_file))
    apps = {p.spec.name: world.oauth_app(p.spec.name) for p in world.providers.values() if p.spec.auth is AuthKind.OAUTH}
    tokens = TokenSource(apps, store.grants, clock, TokenEndpoint(dialer), told=metrics.refreshed)
    http = JudgedHttp(dialer)
    outside = Outside(http, apps, HttpConsentEndpoints(http), ProofByLogin(dialer, clock))

    async def close() -> None:
        await asyncio.gather(tokens.close(), http.close())

    return NetworkProber(dialer, tokens, clock, conversation=False), outside, close
