"""Every metric the daemon has, declared in one place; `docs/metrics.md` is the same list in prose.

Labels are bounded: providers come from a table given at the start plus `other`, everything else from closed enums.  What a server
or a customer writes never becomes a label.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from mailwatch.core.campaigns import CampaignState, PauseOrigin
from mailwatch.core.causes import WIRE_CAUSES
from mailwatch.core.evidence import Outcome
from mailwatch.core.lifecycle import MOVES, State
from mailwatch.core.mailbox import Protocol
from mailwatch.telemetry.told import ToldGauge

#: What `_created` would add is a third more series that nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library gives no types here

PROBE_BUCKETS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
OUTAGE_BUCKETS: Final = (60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 4 * 3600.0, 12 * 3600.0, 86_400.0, 3 * 86_400.0, 7 * 86_400.0)
WRITE_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

RECONNECTION_RESULTS: Final = ("verified", "failed")
REFRESH_RESULTS: Final = ("renewed", "refused", "failed")
WITHHELD_REASONS: Final = ("budget", "other_channel", "blocked", "host", "depth")
#: Where a delivery may go, and how one try of it may end.
DELIVERY_KINDS: Final = ("webhook", "alertmanager")
DELIVERY_RESULTS: Final = ("delivered", "retried", "given_up", "gone")
#: Why a campaign does not run: the origin of its oldest pause; `none` where it is not paused.
PAUSE_REASONS: Final = ("none", *(origin.value for origin in PauseOrigin))
#: Faults of mailwatch's own that are worth an alert before they ever happened.
IMPAIRMENTS: Final = (
    "ca_store_empty",
    "cleartext_refused",
    "network_unreachable",
    "oauth_app_unknown",
    "out_of_descriptors",
    "secret_missing",
    "secret_unreadable",
    "store_failing",
    "target_denied",
    "other",
)


class Instruments:
    """The registry and its metrics; `initialise` makes the series of all bounded label sets appear with 0."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.build = Info("mailwatch_build", "What is running.", registry=self.registry)
        self._mailboxes()
        self._channels()
        self._watch()
        self._sending()
        self._daemon()

    def _mailboxes(self) -> None:
        self.mailboxes = self._told("mailboxes", "Mailboxes by provider and state.", "provider", "state")
        self.transitions = self._counter("transitions", "Changes of a mailbox's state.", "from_state", "to_state")
        self.disconnections = self._counter(
            "disconnections", "Confirmed disconnections (left suspect for reconnecting or blocked), by cause.", "provider", "cause"
        )
        self.reconnections = self._counter(
            "reconnections",
            "Attempts to bring a mailbox back that ended: verified, or failed on the way.",
            "provider",
            "result",
        )
        self.outages = self._histogram(
            "outage_duration_seconds",
            "From the confirmed disconnection until the mailbox was verified again.",
            OUTAGE_BUCKETS,
            "provider",
        )

    def _channels(self) -> None:
        self.probes = self._counter("probes", "Probed channels, by how they ended.", "provider", "protocol", "result")
        self.phases = self._histogram(
            "probe_duration_seconds", "How long each phase of a probe took.", PROBE_BUCKETS, "provider", "protocol", "phase"
        )
        self.impaired = self._counter(
            "probes_impaired", "Channels that said nothing about the mailbox, by the fault of our own that prevented it.", "reason"
        )
        self.withheld = self._counter("logins_withheld", "Channels reached without sending the secret, by the reason.", "reason")
        self.rejected = self._counter("logins_rejected", "Logins that servers refused for their secret.", "provider")
        self.refreshes = self._counter("oauth_refreshes", "Renewals of access tokens, by how they ended.", "provider", "result")

    def _watch(self) -> None:
        self.watched = self._gauge("watched_mailboxes", "Mailboxes of this node whose IMAP session is open between probes (IDLE).")
        self.unwatched = self._gauge(
            "watch_passed_over_mailboxes", "Mailboxes to be watched that are only probed, since watch_max sessions are open."
        )
        self.watch_ends = self._counter("watch_ends", "Open sessions that ended by themselves, by cause.", "cause")

    def _sending(self) -> None:
        self.campaigns = self._told(
            "campaigns", "Campaigns by state and, where paused, by who paused them first.", "state", "pause_reason"
        )
        self.deliveries = self._counter("deliveries", "Tries to deliver an event, by how they ended.", "kind", "result")
        self.outbox = self._told("outbox_pending", "Events and deliveries that wait in the outbox.")

    def _daemon(self) -> None:
        self.due = self._told("due_mailboxes", "Mailboxes due now and not being probed by any node.")
        self.lag = self._told("probe_lag_seconds", "How late the longest-waiting due mailbox is.")
        self.in_flight = self._gauge("probes_in_flight", "Probes running on this node.")
        self.loop_lag = self._gauge(
            "event_loop_lag_seconds", "The longest the event loop kept a timer waiting, of the last minute."
        )
        self.connectivity = self._gauge(
            "self_connectivity_up", "Whether our own network works (0: no verdict is passed on any mailbox)."
        )
        self.writes = self._histogram(
            "store_write_duration_seconds", "How long one transaction of the database took.", WRITE_BUCKETS
        )
        self.store_failures = self._counter("store_failures", "Times the database could not be used or a result was not written.")
        self.pending = self._gauge("store_pending_rows", "Rows waiting to be written behind.")
        self.log_bytes = self._gauge("store_log_bytes", "The size of SQLite's write-ahead log (0 where there is none).")
        self.clock_skew = self._gauge(
            "clock_skew_seconds", "How far this node's clock is ahead of the database's (negative: behind; 0 where they are one)."
        )
        self.fenced = self._counter("results_fenced", "Results that came too late (lease lost, mailbox changed) and were dropped.")
        self.reload_ok = self._gauge("config_last_reload_successful", "Whether the last load of the configuration was in order.")
        self.reload_at = self._gauge(
            "config_last_reload_success_timestamp_seconds", "When the configuration was last loaded in order."
        )

    def initialise(self, providers: Iterable[str]) -> None:
        """Make every series whose labels are known appear with 0, so that rates and alerts see the first event."""
        for provider in providers:
            for labels in _per_provider(provider):
                self.probes.labels(*labels)
            for state in State:
                self.mailboxes.labels(provider, state.value)
            for cause in sorted(WIRE_CAUSES):
                self.disconnections.labels(provider, cause.value)
            for result in RECONNECTION_RESULTS:
                self.reconnections.labels(provider, result)
            for result in REFRESH_RESULTS:
                self.refreshes.labels(provider, result)
            self.rejected.labels(provider)
        bounded: Iterable[tuple[Counter | Gauge, Iterable[tuple[str, ...]]]] = (
            (self.transitions, moves()),
            (self.impaired, ((reason,) for reason in IMPAIRMENTS)),
            (self.withheld, ((reason,) for reason in WITHHELD_REASONS)),
            (self.watch_ends, ((cause.value,) for cause in sorted(WIRE_CAUSES))),
            (self.deliveries, product(DELIVERY_KINDS, DELIVERY_RESULTS)),
            (self.campaigns, campaign_labels()),
        )
        for metric, rows in bounded:
            for row in rows:
                metric.labels(*row)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"mailwatch_{name}", about, labels, registry=self.registry)

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"mailwatch_{name}", about, labels, registry=self.registry)

    def _told(self, name: str, about: str, *labels: str) -> ToldGauge:
        return ToldGauge(f"mailwatch_{name}", about, labels, registry=self.registry)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"mailwatch_{name}", about, labels, registry=self.registry, buckets=buckets)


def _per_provider(provider: str) -> Iterator[tuple[str, str, str]]:
    for protocol in Protocol:
        for outcome in Outcome:
            yield provider, protocol.value, outcome.value


def moves() -> Iterator[tuple[str, str]]:
    """Every change of state the lifecycle knows."""
    pairs = {(state.value, move.to.value) for state, row in MOVES.items() for move in row.values() if move.to is not state}
    yield from sorted(pairs)


def campaign_labels() -> Iterator[tuple[str, str]]:
    """Every pair of labels the gauge of campaigns has: only what is paused has a reason."""
    for state in CampaignState:
        reasons = PAUSE_REASONS[1:] if state is CampaignState.PAUSED else PAUSE_REASONS[:1]
        yield from ((state.value, reason) for reason in reasons)
