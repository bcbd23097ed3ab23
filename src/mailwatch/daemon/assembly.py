"""Builds the parts of a daemon from its configuration."""

import asyncio
import random
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mailwatch import __version__
from mailwatch.config import (
    ConfigError,
    Loaded,
    SecretReferenceError,
    Settings,
    locate,
    read,
    to_oauth_apps,
    to_pace,
    to_paces,
    to_policy,
    to_watch_rules,
)
from mailwatch.config.changes import told
from mailwatch.config.faults import spell
from mailwatch.config.listing import values
from mailwatch.config.pages import plain
from mailwatch.config.pointing import check_files, placed, unusable_ring
from mailwatch.config.policy import to_campaign_policy, to_webhooks
from mailwatch.config.section import host_port
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.detect import DetectPolicy
from mailwatch.core.oauth import OAuthApp
from mailwatch.core.pacing import Pace
from mailwatch.core.providers import PACES
from mailwatch.core.watching import WatchRules
from mailwatch.daemon import descriptors
from mailwatch.daemon.parts import Alerting, Outside, Parts, Role, SeriesOptions, SystemClock, Tuning
from mailwatch.monitor.idle_watch import IdleWatch
from mailwatch.ports import MailwatchError
from mailwatch.probe import Dialer, EgressPolicy, NetworkProber, Resolver, TokenEndpoint, TokenSource, make_ssl_context
from mailwatch.probe.canary import NetworkCanary
from mailwatch.probe.consent import HttpConsentEndpoints
from mailwatch.probe.http import JudgedHttp
from mailwatch.probe.identity import ProofByLogin
from mailwatch.store import KeyRing, SqlStore, Vault
from mailwatch.store.keyring import KeyRingError, watched
from mailwatch.telemetry import logs
from mailwatch.telemetry.metrics import Metrics
from mailwatch.telemetry.systemd import Notifier
from mailwatch.web.surface import WebSettings
from mailwatch.web.web_config import WebConfigFile


@dataclass(frozen=True, slots=True)
class _Network:
    """What speaks to others."""

    prober: NetworkProber
    resolver: Resolver
    context: ssl.SSLContext
    outside: Outside
    close: Callable[[], Awaitable[None]]


async def assemble(config: Path | None, role: Role = Role.ALL) -> Parts:
    """The parts as the file at *config* (or the first of the usual places) wants them, for a node of this *role*.

    Raises ConfigError with every fault, and MailwatchError for what the surroundings lack.
    """
    path = locate(config)
    loaded = await asyncio.to_thread(_read, path)
    try:
        return await _assembled(path, loaded.settings, role)
    except SecretReferenceError as error:
        raise placed(error, loaded) from error
    except KeyRingError as error:
        raise unusable_ring(str(error), loaded) from error


def _read(path: Path | None) -> Loaded:
    """The configuration whose files can be used as well; blocks, and raises ConfigError with every fault."""
    loaded = read(path)
    check_files(loaded)
    return loaded


async def _assembled(path: Path | None, settings: Settings, role: Role) -> Parts:
    logs.configure(settings.log.level.value, settings.log.format.value)
    clock = SystemClock()
    store = await _store(settings, clock)
    metrics = Metrics([*PACES, *settings.providers], __version__, probes=role is not Role.WEB)
    web_config = await asyncio.to_thread(_web_config, settings)
    tuning = await asyncio.to_thread(tuning_of, settings)
    idle_watch = _idle_watch(tuning, store, clock, metrics)
    network = await _network(settings, store, clock, metrics, idle_watch)
    alerting, close_alerting = await asyncio.to_thread(_alerting, settings, network.resolver)

    async def close() -> None:
        await asyncio.gather(network.close(), close_alerting())

    canaries = [host_port(place) for place in settings.network.canaries]
    return Parts(
        store=store,
        prober=network.prober,
        metrics=metrics,
        log=logs.get("mailwatch"),
        clock=clock,
        tuning=tuning,
        listen=settings.web.listen,
        notifier=Notifier(),
        node=_node(settings),
        role=role,
        canary=NetworkCanary(canaries, network.resolver, network.context) if canaries else None,
        outside=network.outside,
        web=web_settings(settings),
        alerting=alerting,
        idle_watch=idle_watch,
        series=_series(settings),
        web_config=web_config,
        describe=lambda: described(settings),
        reload=_reloader(path, settings),
        close=close,
    )


def tuning_of(settings: Settings) -> Tuning:
    """What of the settings may change while the daemon runs.  Blocks while reading secrets; raises SecretReferenceError."""
    other = settings.providers.get("other")
    watch = _that_fit(to_watch_rules(settings))
    return Tuning(
        policy=to_policy(settings),
        paces=to_paces(settings, PACES),
        other=Pace() if other is None else to_pace(other),
        max_in_flight=_in_flight(settings.probing.max_in_flight, watch),
        retention_days=(settings.retention.transitions_days, settings.retention.audit_days),
        campaigns=to_campaign_policy(settings),
        webhooks=to_webhooks(settings),
        detect=DetectPolicy(min_failures=settings.incidents.min_failures, min_share=settings.incidents.min_share),
        circuit=_circuit(settings),
        watch=watch,
        settings=settings,
    )


def _circuit(settings: Settings) -> CircuitPolicy | None:
    wanted = settings.incidents
    if not wanted.circuits:
        return None
    return CircuitPolicy(canary_seconds=wanted.canary_seconds, ramp_doubles_seconds=wanted.ramp_doubles_seconds)


def web_settings(settings: Settings) -> WebSettings:
    """`[web]` as requests need it."""
    web = settings.web
    return WebSettings(
        external_url=web.external_url,
        trusted_proxies=frozenset(map(str, web.trusted_proxies)),
        session_seconds=web.session_seconds,
        requests_per_minute=web.requests_per_minute,
        host_names=frozenset(web.host_names),
    )


def described(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """The configuration in force by section, secrets as references only."""
    found: dict[str, dict[str, Any]] = {}
    for path, value in values(settings):
        found.setdefault(spell(path[:-1]), {})[str(path[-1])] = plain(value)
    return found


def _series(settings: Settings) -> SeriesOptions | None:
    metrics = settings.metrics
    return SeriesOptions(metrics.most, addresses=metrics.address_label) if metrics.mailboxes else None


def _web_config(settings: Settings) -> WebConfigFile | None:
    path = settings.metrics.web_config
    return None if path is None else WebConfigFile(Path(path), logs.get("mailwatch"))


def _alerting(settings: Settings, resolver: Resolver) -> tuple[Alerting | None, Callable[[], Awaitable[None]]]:
    """Alertmanager has a client of its own: it stands in our own network, at any port, often without TLS.

    Blocks while reading the token.
    """
    wanted = settings.alertmanager
    if not wanted.urls:
        return None, _nothing
    anywhere = EgressPolicy(allow_private_hosts=True, allowed_ports=None)
    http = JudgedHttp(Dialer(resolver, anywhere, make_ssl_context(settings.network.ca_file)), allow_cleartext=True)
    headers = {} if wanted.token is None else {"authorization": f"Bearer {wanted.token.read().reveal()}"}
    alerting = Alerting(
        poster=http,
        urls=wanted.urls,
        headers=headers,
        external_labels=wanted.external_labels,
        resend_seconds=wanted.resend_seconds,
        linger_seconds=wanted.linger_seconds,
        mailbox_alerts=wanted.mailbox_alerts,
    )
    return alerting, http.close


async def _nothing() -> None:
    """There is nothing to close."""


def _that_fit(wanted: WatchRules) -> WatchRules:
    limit = descriptors.raise_limit()
    fit = descriptors.sessions_that_fit(wanted.most, limit)
    if wanted.labels and fit < wanted.most:
        logs.get("mailwatch").warning("watch.limited", count=fit, reason=f"LimitNOFILE is {limit}; {wanted.most} were asked for")
    return replace(wanted, most=fit)


def _in_flight(wanted: int, watch: WatchRules) -> int:
    limit = descriptors.raise_limit()
    fit = descriptors.that_fit(wanted, limit, sessions=watch.most if watch.labels else 0)
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
            loaded = await asyncio.to_thread(_read, path)
        except ConfigError as error:
            raise MailwatchError(str(error)) from error
        settings = loaded.settings
        try:
            tuning = await asyncio.to_thread(tuning_of, settings)
        except SecretReferenceError as error:
            raise MailwatchError(str(placed(error, loaded))) from error
        live, _ = told(running, settings)
        _, restart = told(first, settings)  # what the daemon is built from is still the first file's
        running = settings
        logs.configure(settings.log.level.value, first.log.format.value)
        logs.get("mailwatch").info("config.compared", changed=live, restart_needed=restart)
        return tuning

    return reload


def _node(settings: Settings) -> str:
    return settings.store.node or socket.gethostname()


async def _store(settings: Settings, clock: SystemClock) -> SqlStore:
    """The database with its key ring; both are read off the loop, since a reference may run a command."""
    ring, login = settings.secrets.keyring, settings.store.password
    keyring = KeyRing.read((await asyncio.to_thread(ring.read)).reveal())
    password = None if login is None else await asyncio.to_thread(login.read)
    # A file is read in a moment; a command might hold up every probe, and an environment never changes.
    file = ring.file()
    vault = Vault(keyring) if file is None else Vault(keyring, lambda: KeyRing.read(ring.read().reveal()), watched(file))
    return SqlStore(settings.store.url, vault, clock, node=_node(settings), password=password)


def _idle_watch(tuning: Tuning, store: SqlStore, clock: SystemClock, metrics: Metrics) -> IdleWatch:
    """It is there even when nobody is watched: a reload may change that."""
    return IdleWatch(
        mailboxes=store.watching,
        meter=metrics,
        log=logs.get("mailwatch"),
        clock=clock,
        rng=random.SystemRandom(),
        rules=tuning.watch,
        pace_of=tuning.pace_of,
    )


async def _network(settings: Settings, store: SqlStore, clock: SystemClock, metrics: Metrics, idle_watch: IdleWatch) -> _Network:
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
    secure = Dialer(resolver, https, context)
    tokens = TokenSource(apps, store.grants, clock, TokenEndpoint(secure), told=metrics.refreshed)
    ehlo_name = await asyncio.to_thread(socket.getfqdn)  # it may ask a DNS server that is slow
    options: dict[str, Any] = {"ehlo_name": ehlo_name, "allow_cleartext": network.allow_cleartext}
    outside, close_outside = _outside(apps, secure, ProofByLogin(dialer, clock, **options))

    async def close() -> None:
        await asyncio.gather(tokens.close(), close_outside())

    prober = NetworkProber(dialer, tokens, clock, conversation=False, keeper=idle_watch, **options)
    return _Network(prober, resolver, context, outside, close)


def _outside(apps: Mapping[str, OAuthApp], dialer: Dialer, proof: ProofByLogin) -> tuple[Outside, Callable[[], Awaitable[None]]]:
    """Webhooks have a client of their own, so that receivers that hang take no connection from a consent.

    It has no limits: the deliverer bounds what goes to each receiver, and two of one host must not wait for each other.
    """
    webhooks, providers = JudgedHttp(dialer, connections=0, connections_per_host=0), JudgedHttp(dialer)

    async def close() -> None:
        await asyncio.gather(webhooks.close(), providers.close())

    return Outside(webhooks, apps, HttpConsentEndpoints(providers), proof), close
