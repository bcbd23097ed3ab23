"""What is wrong now, as metrics: open incidents, circuits, people who are waited for, what flaps, is paused, stale or ends soon.

All of it is told anew every few seconds and exported from the last telling, so that what is over is exported no more.  Every node
tells the same of the whole fleet: queries take `max by`, never `sum`, over instances.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mailwatch.core.campaigns import PauseOrigin
from mailwatch.core.causes import PROFILES, WIRE_CAUSES, Cause, Disposition, profile_of
from mailwatch.core.incidents.circuit import CircuitState
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.providers import OTHER

#: Causes a mailbox may wait for a person with; a cause beside these appears with its first mailbox.
HUMAN_CAUSES: Final = frozenset(
    cause for cause in WIRE_CAUSES if PROFILES[cause].disposition is Disposition.HUMAN or cause is Cause.UNKNOWN
)
#: Of several circuits behind one label, the one that lets least through counts.
_STRICTNESS: Final = (CircuitState.CLOSED, CircuitState.HALF_OPEN, CircuitState.OPEN)


class Troubles(Collector):
    """The last telling of each trouble.  *providers* are the values the provider label may have, `other` among them."""

    def __init__(self, providers: Collection[str]) -> None:
        self._providers = frozenset(providers) | {OTHER}
        self._incidents: Mapping[ScopeKind, int] = {}
        self._affected: Mapping[tuple[str, str, str], int] = {}
        self._circuits: dict[str, CircuitState] = {}
        self._waiting: Mapping[Cause, int] = {}
        self._flapping: Mapping[str, int] = {}
        self._paused: Mapping[str, float] = {}
        self._app_secrets: Mapping[str, datetime] = {}
        self._consents: Mapping[str, int] = {}
        self._held_back = 0
        self._webhooks: Mapping[str, bool] = {}
        self._stale = 0

    def incidents(self, opened: Sequence[Incident], provider_of: Callable[[Scope], str]) -> None:
        """The open incidents; *provider_of* names the provider that most mailboxes of a scope are at."""
        affected: Counter[tuple[str, str, str]] = Counter()
        for incident in opened:
            provider = self._label(provider_of(incident.scope))
            affected[incident.scope.kind.value, provider, incident.cause.value] += incident.affected
        self._incidents = Counter(incident.scope.kind for incident in opened)
        self._affected = affected

    def circuit(self, gate: str, state: CircuitState) -> None:
        """The circuit of *gate* (a provider, or a host of none) changed."""
        circuits = {**self._circuits, gate: state}
        self._circuits = {name: one for name, one in circuits.items() if one is not CircuitState.CLOSED}

    def waiting(self, counts: Mapping[Cause, int]) -> None:
        """Blocked mailboxes outside of incidents, by cause."""
        self._waiting = dict(counts)

    def flapping(self, counts: Mapping[str, int]) -> None:
        """Mailboxes that come and go, by provider."""
        totals: Counter[str] = Counter()
        for provider, count in counts.items():
            totals[self._label(provider)] += count
        self._flapping = totals

    def paused_longest(self, seconds: Mapping[str, float]) -> None:
        """How long the campaign that was paused first has been, by who paused it."""
        self._paused = {origin.value: max(0.0, seconds.get(origin.value, 0.0)) for origin in PauseOrigin}

    def held_back(self, campaigns: int) -> None:
        """How many campaigns wait for a person's word on whether they are paused."""
        self._held_back = campaigns

    def app_secrets(self, expiries: Mapping[str, datetime]) -> None:
        """When the client secrets of the [oauth.APP] end, as far as the configuration says."""
        self._app_secrets = dict(expiries)

    def consents_ending(self, counts: Mapping[str, int]) -> None:
        """How many consents end soon, by OAuth app; every app that has consents is in *counts*."""
        self._consents = dict(counts)

    def webhooks(self, disabled: Mapping[str, bool]) -> None:
        """Whether each of the [webhooks.NAME] is disabled."""
        self._webhooks = dict(disabled)

    def stale(self, count: int) -> None:
        """Mailboxes whose last look is older than it may be."""
        self._stale = count

    def _label(self, provider: str) -> str:
        return provider if provider in self._providers else OTHER

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The series, made anew at each scrape.  Runs outside the event loop."""
        yield from self._of_incidents()
        yield self._of_circuits()
        yield from self._of_mailboxes()
        yield from self._of_sending()
        yield from self._of_oauth()

    def _of_oauth(self) -> Iterator[GaugeMetricFamily]:
        secrets = _gauge("oauth_app_secret_expiry_timestamp_seconds", "When the client secret of an OAuth app ends.", "oauth_app")
        for app, expires_at in sorted(self._app_secrets.items()):
            secrets.add_metric([app], expires_at.timestamp())
        yield secrets
        consents = _gauge("oauth_consents_expiring", "Consents that end within three days, which only owners renew.", "oauth_app")
        for app, count in sorted(self._consents.items()):
            consents.add_metric([app], count)
        yield consents

    def _of_incidents(self) -> Iterator[GaugeMetricFamily]:
        count = _gauge("incidents", "Open incidents by what they are about.", "scope")
        for kind in ScopeKind:
            count.add_metric([kind.value], self._incidents.get(kind, 0))
        yield count
        affected = _gauge("incident_mailboxes", "Mailboxes the open incidents take.", "scope", "provider", "cause")
        for labels, mailboxes in sorted(self._affected.items()):
            affected.add_metric(labels, mailboxes)
        yield affected

    def _of_circuits(self) -> GaugeMetricFamily:
        family = _gauge("provider_circuit_state", "1 for the state the circuit of a provider is in.", "provider", "state")
        strictest = dict.fromkeys(sorted(self._providers), CircuitState.CLOSED)
        for gate, state in self._circuits.items():
            provider = self._label(gate)
            strictest[provider] = max(strictest[provider], state, key=_STRICTNESS.index)
        for provider, now in strictest.items():
            for state in CircuitState:
                family.add_metric([provider, state.value], float(state is now))
        return family

    def _of_mailboxes(self) -> Iterator[GaugeMetricFamily]:
        waiting = _gauge(
            "mailboxes_waiting_for_person", "Blocked mailboxes outside of incidents, by who must act and why.", "owner", "cause"
        )
        for cause in sorted({*HUMAN_CAUSES, *self._waiting}):
            waiting.add_metric([profile_of(cause).owner.value, cause.value], self._waiting.get(cause, 0))
        yield waiting
        flapping = _gauge("flapping_mailboxes", "Mailboxes that come and go.", "provider")
        for provider in sorted(self._providers):
            flapping.add_metric([provider], self._flapping.get(provider, 0))
        yield flapping
        about = "Mailboxes not looked at for three intervals, or too long in a state that should pass."
        yield GaugeMetricFamily("mailwatch_stale_mailboxes", about, value=float(self._stale))

    def _of_sending(self) -> Iterator[GaugeMetricFamily]:
        about = "How long the campaign that was paused first has been paused."
        paused = _gauge("campaigns_paused_longest_seconds", about, "pause_reason")
        for origin in PauseOrigin:
            paused.add_metric([origin.value], self._paused.get(origin.value, 0.0))
        yield paused
        about = "Campaigns that would be paused, and wait for a person's word: too many at once, or only suggested."
        yield GaugeMetricFamily("mailwatch_campaigns_held_back", about, value=float(self._held_back))
        webhooks = _gauge("webhook_disabled", "1 for a webhook that gets nothing more until a person enables it.", "webhook")
        for name, disabled in sorted(self._webhooks.items()):
            webhooks.add_metric([name], float(disabled))
        yield webhooks


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"mailwatch_{name}", about, labels=labels)
