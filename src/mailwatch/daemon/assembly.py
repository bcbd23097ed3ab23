"""Builds the parts of a daemon from its configuration."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from mailwatch import __version__
from mailwatch.config import ConfigError, Settings, load, locate, to_oauth_apps, to_pace, to_paces, to_policy
from mailwatch.config.changes import told
from mailwatch.config.section import host_port
from mailwatch.core.pacing import Pace
from mailwatch.core.providers import PACES
from mailwatch.daemon import descriptors
from mailwatch.daemon.parts import Parts, Role, SystemClock, Tuning
from mailwatch.ports import MailwatchError
from mailwatch.probe import Dialer, EgressPolicy, NetworkProber, Resolver, TokenEndpoint, TokenSource, make_ssl_context
from mailwatch.probe.canary import TcpCanary
from mailwatch.store import KeyRing, SqlStore, Vault
from mailwatch.telemetry import logs
from mailwatch.telemetry.metrics import Metrics
from mailwatch.telemetry.systemd import Notifier


async def assemble(config: Path | None, role: Role = Role.ALL) -> Parts:
    """The parts as the file at *config* (or the first of the usual places) wants them, for a node of this *role*.

    Raises ConfigError with every fault, and MailwatchError for what the surroundings lack.
    """
    path = locate(config)
    settings = await asyncio.to_thread(load, path)
    logs.configure(settings.log.level.value, settings.log.format.value)
    clock = SystemClock()
    store = await _store(settings, clock)
    metrics = Metrics([*PACES, *settings.providers], __version__)
    prober, close, resolver = await _prober(settings, store, clock, metrics)
    canaries = [host_port(place) for place in settings.network.canaries]
    return Parts(
        store=store,
        prober=prober,
        metrics=metrics,
        log=logs.get("mailwatch"),
        clock=clock,
        tuning=tuning_of(settings),
        listen=settings.web.listen,
        notifier=Notifier(),
        node=_node(settings),
        role=role,
        canary=TcpCanary(canaries, resolver) if canaries else None,
        reload=_reloader(path, settings),
        close=close,
    )


def tuning_of(settings: Settings) -> Tuning:
    """What of the settings may change while the daemon runs."""
    other = settings.providers.get("other")
    return Tuning(
        policy=to_policy(settings),
        paces=to_paces(settings, PACES),
        other=Pace() if other is None else to_pace(other),
        max_in_flight=_in_flight(settings.probing.max_in_flight),
        retention_days=(settings.retention.transitions_days, settings.retention.audit_days),
    )


def _in_flight(wanted: int) -> int:
    limit = descriptors.raise_limit()
    fit = descriptors.that_fit(wanted, limit)
    if fit < wanted:
        logs.get("mailwatch").warning("probes.limited", in_flight=fit, reason=f"LimitNOFILE is {limit}; {wanted} were asked for")
    return fit


def _reloader(path: Path | None, first: Settings) -> Callable[[], Awaitable[Tuning]] | None:
    """Reads the file again; what changed but needs a restart is logged, for it would seem to be in force."""
    if path is None:
        return None
    running = first

    async def reload() -> Tuning:
        nonlocal running
        try:
            settings = await asyncio.to_thread(load, path)
        except ConfigError as error:
            raise MailwatchError(str(error)) from error
        live, _ = told(running, settings)
        _, restart = told(first, settings)  # what the daemon is built from is still the first file's
        running = settings
        logs.configure(settings.log.level.value, first.log.format.value)
        logs.get("mailwatch").info("config.compared", changed=live, restart_needed=restart)
        return tuning_of(settings)

    return reload


def _node(settings: Settings) -> str:
    return settings.store.node or socket.gethostname()


async def _store(settings: Settings, clock: SystemClock) -> SqlStore:
    """The database with its key ring; both are read off the loop, since a reference may run a command."""
    keyring = await asyncio.to_thread(settings.secrets.keyring.read)
    reference = settings.store.password
    password = None if reference is None else await asyncio.to_thread(reference.read)
    return SqlStore(settings.store.url, Vault(KeyRing.read(keyring.reveal())), clock, node=_node(settings), password=password)


async def _prober(
    settings: Settings, store: SqlStore, clock: SystemClock, metrics: Metrics
) -> tuple[NetworkProber, Callable[[], Awaitable[None]], Resolver]:
    network = settings.network
    resolver = Resolver(network.nameservers or None)
    context = await asyncio.to_thread(make_ssl_context, network.ca_file)
    # Own servers may listen anywhere; towards the internet only mail ports are knocked at.
    ports = {} if not network.allow_private_hosts else {"allowed_ports": None}
    policy = EgressPolicy(
        allow_private_hosts=network.allow_private_hosts,
        allowed_networks=network.allowed_networks,
        denied_listen=[(settings.web.host, settings.web.port)],
        **ports,
    )
    dialer = Dialer(resolver, policy, context)
    apps = await asyncio.to_thread(to_oauth_apps, settings)
    https = EgressPolicy(
        allow_private_hosts=network.allow_private_hosts, allowed_networks=network.allowed_networks, allowed_ports=None
    )
    tokens = TokenSource(apps, store.grants, clock, TokenEndpoint(Dialer(resolver, https, context)), told=metrics.refreshed)
    ehlo_name = await asyncio.to_thread(socket.getfqdn)  # it may ask a DNS server that is slow
    prober = NetworkProber(dialer, tokens, clock, ehlo_name=ehlo_name, conversation=False, allow_cleartext=network.allow_cleartext)
    return prober, tokens.close, resolver
