"""What Prometheus is told: counts what the worker reports, and renders it off the event loop.

The hot path costs a few microseconds a probe: the children of labelled metrics are looked up once and kept.
"""

import asyncio
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from mailwatch.core.campaigns import CampaignState
from mailwatch.core.causes import Cause
from mailwatch.core.evidence import ChannelReport, Outcome, Phase, Report
from mailwatch.core.incidents.circuit import CircuitState
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Protocol
from mailwatch.core.standing import Decision, Transition
from mailwatch.ports import Claim
from mailwatch.telemetry.certificates import Certificates
from mailwatch.telemetry.instruments import REFRESH_RESULTS, Instruments, campaign_labels
from mailwatch.telemetry.log_losses import LogLosses
from mailwatch.telemetry.troubles import Troubles

OTHER: Final = "other"
#: Faults of our own are named by the program, never by a server; the bound keeps a slip from becoming a flood of series.
MAX_REASONS: Final = 40
_OPENMETRICS: Final = "application/openmetrics-text"
_OPENMETRICS_TYPE: Final = f"{_OPENMETRICS}; version=1.0.0; charset=utf-8"
_RECOVERING: Final = (State.RECONNECTING, State.VERIFYING)


class Metrics:
    """Implements `ports.Meter`.  *providers* are the values the provider label may have, beside `other`.

    A node that does not probe knows nothing of its own network, of circuits and of what waits for a look, and says nothing: a 1 of
    its own would hide the 0 of all that do.
    """

    def __init__(self, providers: Iterable[str], version: str, *, probes: bool = True) -> None:
        self.instruments = Instruments()
        self._providers = frozenset(providers) | {OTHER}
        self.instruments.initialise(sorted(self._providers))
        self.instruments.build.info({"version": version, "python": platform.python_version()})
        # No loss is known and a configuration is loaded, or nobody would make metrics.
        if probes:
            self.instruments.connectivity.set(1)
        else:
            for of_probing in (self.instruments.connectivity, self.instruments.due, self.instruments.lag):
                self.instruments.registry.unregister(of_probing)
        self.instruments.reload_ok.set(1)
        self.instruments.reload_at.set(time.time())
        self.certificates = Certificates()
        self.instruments.registry.register(self.certificates)
        self.instruments.registry.register(LogLosses())
        self.troubles = Troubles(self._providers, circuits=probes)
        self.instruments.registry.register(self.troubles)
        self._probes: dict[tuple[str, Protocol, Outcome], Counter] = {}
        self._phases: dict[tuple[str, Protocol, Phase], Histogram] = {}
        self._counts: dict[tuple[str, State], Gauge] = {
            (provider, state): self.instruments.mailboxes.labels(provider, state.value)
            for provider in self._providers
            for state in State
        }
        self._reasons: set[str] = set()
        self._rendering = asyncio.Lock()

    # what the worker reports

    def probed(self, claim: Claim, report: Report, decision: Decision) -> None:
        """A probe was decided and recorded."""
        provider = self._label(claim.mailbox.provider)
        for channel in report.channels:
            self._channel(provider, channel, report.finished_at)
        if report.rejected_logins:
            self.instruments.rejected.labels(provider).inc(report.rejected_logins)
        self.moved(provider, decision)
        if self._is_failed_recovery(report, decision):
            self.instruments.reconnections.labels(provider, "failed").inc()

    def moved(self, provider: str, decision: Decision) -> None:
        """A decision moved a mailbox of *provider*, with or without a probe: a person, the end of a hold, an incident."""
        for transition in decision.transitions:
            self._transition(self._label(provider), transition, decision)

    def put_off(self, looks: int = 1) -> None:
        """So many looks were put off, since their host has refused as many logins as it may see."""
        self.instruments.withheld.labels("host").inc(looks)

    def fenced(self) -> None:
        """A result came too late and was dropped."""
        self.instruments.fenced.inc()

    def _label(self, provider: str) -> str:
        return provider if provider in self._providers else OTHER

    def _channel(self, provider: str, channel: ChannelReport, at: datetime) -> None:
        key = (provider, channel.protocol, channel.outcome)
        counter = self._probes.get(key)
        if counter is None:
            counter = self._probes[key] = self.instruments.probes.labels(provider, channel.protocol.value, channel.outcome.value)
        counter.inc()
        for phase, seconds in channel.timings_seconds.items():
            phase_key = (provider, channel.protocol, phase)
            histogram = self._phases.get(phase_key)
            if histogram is None:
                labels = (provider, channel.protocol.value, phase.value)
                histogram = self._phases[phase_key] = self.instruments.phases.labels(*labels)
            histogram.observe(seconds)
        if channel.certificate is not None:
            self.certificates.saw(channel.certificate.endpoint, channel.certificate.not_after_at, at)
        if channel.impairment is not None:
            self.instruments.impaired.labels(self._reason(channel.impairment)).inc()
        if channel.withheld_reason is not None:
            self.instruments.withheld.labels(self._reason(channel.withheld_reason)).inc()

    def _reason(self, name: str) -> str:
        if name not in self._reasons and len(self._reasons) >= MAX_REASONS:
            return OTHER
        self._reasons.add(name)
        return name

    def _transition(self, provider: str, transition: Transition, decision: Decision) -> None:
        old, new = transition.from_state, transition.to_state
        if old is new:
            return
        self.instruments.transitions.labels(old.value, new.value).inc()
        if old is State.SUSPECT and new in (State.RECONNECTING, State.BLOCKED):
            cause = transition.cause or Cause.UNKNOWN
            self.instruments.disconnections.labels(provider, cause.value).inc()
        if old is State.VERIFYING and new is State.CONNECTED:
            self.instruments.reconnections.labels(provider, "verified").inc()
            down_since_at = decision.before.down_since_at
            if down_since_at is not None:
                # A wall clock set back must not make a negative outage.
                seconds = max(0.0, (transition.at - down_since_at).total_seconds())
                self.instruments.outages.labels(provider).observe(seconds)

    @staticmethod
    def _is_failed_recovery(report: Report, decision: Decision) -> bool:
        if decision.note is not None or decision.before.state not in _RECOVERING:
            return False
        return any(channel.outcome is Outcome.FAILED for channel in report.channels)

    # what the daemon tells

    def set_mailboxes(self, counts: Mapping[tuple[str, State], int]) -> None:
        """Mailboxes by provider and state; what is not in *counts* is 0."""
        totals: dict[tuple[str, State], int] = dict.fromkeys(self._counts, 0)
        for (provider, state), count in counts.items():
            totals[self._label(provider), state] += count
        for key, total in totals.items():
            self._counts[key].set(total)
        self.instruments.mailboxes.tell()

    def set_due(self, count: int, lag_seconds: float) -> None:
        """How many mailboxes are due, and how late the oldest is."""
        self.instruments.due.set(count)
        self.instruments.lag.set(lag_seconds)
        self.instruments.due.tell()
        self.instruments.lag.tell()

    def set_campaigns(self, counts: Mapping[tuple[CampaignState, str], int]) -> None:
        """Campaigns by state and the origin of the oldest pause in force; what is not in *counts* is 0."""
        totals = dict.fromkeys(campaign_labels(), 0)
        for (state, reason), count in counts.items():
            key = (state.value, reason)
            # Only what is paused has a reason; a pause that nobody is named for counts as a person's.
            known = key if key in totals else (state.value, "person" if state is CampaignState.PAUSED else "none")
            totals[known] += count
        for labels, total in totals.items():
            self.instruments.campaigns.labels(*labels).set(total)
        self.instruments.campaigns.tell()

    def set_incidents(self, opened: Sequence[Incident], provider_of: Callable[[Scope], str]) -> None:
        """The open incidents; *provider_of* names the provider that most mailboxes of a scope are at, `other` when none is."""
        self.troubles.incidents(opened, provider_of)

    def circuit_changed(self, gate: str, state: CircuitState) -> None:
        """The circuit of *gate* (a provider's name, or `host:` and a host of none) changed."""
        self.troubles.circuit(gate, state)

    def set_waiting(self, counts: Mapping[Cause, int]) -> None:
        """Blocked mailboxes outside of incidents, by cause; what is not in *counts* is 0."""
        self.troubles.waiting(counts)

    def set_flapping(self, counts: Mapping[str, int]) -> None:
        """Mailboxes that come and go, by provider; what is not in *counts* is 0."""
        self.troubles.flapping(counts)

    def set_paused_longest(self, seconds: Mapping[str, float]) -> None:
        """How long the campaign that was paused first has been, by who paused it; what is not in *seconds* is 0."""
        self.troubles.paused_longest(seconds)

    def set_held_back(self, campaigns: int) -> None:
        """How many campaigns wait for a person's word on whether they are paused."""
        self.troubles.held_back(campaigns)

    def set_app_secrets(self, expiries: Mapping[str, datetime]) -> None:
        """When the client secrets of the [oauth.APP] end, as far as it is known."""
        self.troubles.app_secrets(expiries)

    def set_consents_ending(self, counts: Mapping[str, int]) -> None:
        """How many consents end soon, by OAuth app."""
        self.troubles.consents_ending(counts)

    def set_webhooks(self, disabled: Mapping[str, bool]) -> None:
        """Whether each of the [webhooks.NAME] is disabled."""
        self.troubles.webhooks(disabled)

    def set_stale(self, count: int) -> None:
        """Mailboxes not looked at for three intervals, or too long in a state that should pass."""
        self.troubles.stale(count)

    def set_impaired(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Mailboxes that mailwatch cannot look at, by provider and the fault of its own that prevents it."""
        self.troubles.impaired(counts)

    def set_watched(self, sessions: int, passed_over: int) -> None:
        """How many sessions are open between probes, and how many mailboxes are only probed because that is the most."""
        self.instruments.watched.set(sessions)
        self.instruments.unwatched.set(passed_over)

    def watch_ended(self, cause: Cause) -> None:
        """An open session ended by itself."""
        self.instruments.watch_ends.labels(cause.value).inc()

    def store_failed(self) -> None:
        """The database could not be used, or a result could not be written."""
        self.instruments.store_failures.inc()

    def delivery(self, kind: str, result: str) -> None:
        """One try to deliver an event ended."""
        self.instruments.deliveries.labels(kind, result).inc()

    def outbox_pending(self, count: int) -> None:
        """How many events and deliveries wait."""
        self.instruments.outbox.set(count)
        self.instruments.outbox.tell()

    def in_flight(self, count: int) -> None:
        """How many probes run."""
        self.instruments.in_flight.set(count)

    def pending_rows(self, count: int) -> None:
        """How many rows wait to be written behind."""
        self.instruments.pending.set(count)

    def log_bytes(self, size: int) -> None:
        """How large the database's write-ahead log is."""
        self.instruments.log_bytes.set(size)

    def clock_skew(self, seconds: float) -> None:
        """How far this node's clock is ahead of the database's."""
        self.instruments.clock_skew.set(seconds)

    def stored(self, seconds: float) -> None:
        """A transaction took *seconds*."""
        self.instruments.writes.observe(seconds)

    def loop_lag(self, seconds: float) -> None:
        """The event loop's longest delay of late."""
        self.instruments.loop_lag.set(seconds)

    def connectivity(self, up: bool) -> None:  # noqa: FBT001  # the one fact this tells
        """Whether our own network works."""
        self.instruments.connectivity.set(up)

    def refreshed(self, provider: str, result: str) -> None:
        """An access token was renewed, refused by the provider, or could not be asked for; unknown results count as failed."""
        known = result if result in REFRESH_RESULTS else "failed"
        self.instruments.refreshes.labels(self._label(provider), known).inc()

    def reloaded(self, *, ok: bool, at: datetime) -> None:
        """The configuration was loaded again, well or not."""
        self.instruments.reload_ok.set(ok)
        if ok:
            self.instruments.reload_at.set(at.timestamp())

    # what Prometheus asks

    async def render(self, accept: str = "") -> tuple[bytes, str]:
        """The exposition and its content type for an Accept header: OpenMetrics when asked for, else text 0.0.4."""
        # A thread of its own: a full default pool must not blind the monitoring.  Scrapes at once are rendered one after the other.
        async with self._rendering:
            pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")
            is_over = False
            try:
                rendered = await asyncio.get_running_loop().run_in_executor(pool, self.exposition, accept)
                is_over = True
            finally:
                # A scrape that was given up is not waited for: that would hold the loop.
                pool.shutdown(wait=is_over)
        return rendered

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """As `render`, here and now: tens of milliseconds, so not on the event loop."""
        # The header itself is never echoed: versions we do not know get the one we do.
        wanted = {part.split(";")[0].strip().lower() for part in accept.split(",")}
        if _OPENMETRICS in wanted:
            body: bytes = openmetrics.generate_latest(self.instruments.registry)  # type: ignore[no-untyped-call]  # no types there
            return body, _OPENMETRICS_TYPE
        return generate_latest(self.instruments.registry), CONTENT_TYPE_PLAIN_0_0_4
