"""What is wrong now, as metrics: open incidents, circuits, people who are waited for, what flaps, is paused, stale or ends soon.

All of it is told anew every few seconds and exported from the last telling, so that what is over is exported no more.  Every node
tells the same of the whole fleet: queries take `max by`, never `sum`, over instances.  What a node has heard nothing of for two
minutes - it cannot read the database - it exports no more: `max by` would keep alive what the others know to be over.
"""

import time
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
from mailwatch.telemetry.told import STALE_SECONDS

#: Causes a mailbox may wait for a person with; a cause beside these appears with its first mailbox.
HUMAN_CAUSES: Final = frozenset(
    cause for cause in WIRE_CAUSES if PROFILES[cause].disposition is Disposition.HUMAN or cause is Cause.UNKNOWN
)
#: Of several circuits behind one label, the one that lets least through counts.
_STRICTNESS: Final = (CircuitState.CLOSED, CircuitState.HALF_OPEN, CircuitState.OPEN)


class Troubles(Collector):
    """The last telling of each trouble.  *providers* are the values the provider label may have, `other` among them.

    *circuits*: whether this node has any.  *monotonic* is a clock in seconds.
    """

    def __init__(
        self, providers: Collection[str], *, circuits: bool = True, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._has_circuits = circuits
        self._monotonic = monotonic
        self._told_at: dict[str, float] = {}
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
        self._impaired: Mapping[tuple[str, str], int] = {}

    def incidents(self, opened: Sequence[Incident], provider_of: Callable[[Scope], str]) -> None:
        """The open incidents; *provider_of* names the provider that most mailboxes of a scope are at."""
        self._told("incidents")
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
        self._told("waiting")
        self._waiting = dict(counts)

    def flapping(self, counts: Mapping[str, int]) -> None:
        """Mailboxes that come and go, by provider."""
        self._told("flapping")
        totals: Counter[str] = Counter()
        for provider, count in counts.items():
            totals[self._label(provider)] += count
        self._flapping = totals

    def paused_longest(self, seconds: Mapping[str, float]) -> None:
        """How long the campaign that was paused first has been, by who paused it."""
        self._told("paused_longest")
        self._paused = {origin.value: max(0.0, seconds.get(origin.value, 0.0)) for origin in PauseOrigin}

    def held_back(self, campaigns: int) -> None:
        """How many campaigns wait for a person's word on whether they are paused."""
        self._told("held_back")
        self._held_back = campaigns

    def app_secrets(self, expiries: Mapping[str, datetime]) -> None:
        """When the client secrets of the [oauth.APP] end, as far as the configuration says."""
        self._app_secrets = dict(expiries)

    def consents_ending(self, counts: Mapping[str, int]) -> None:
        """How many consents end soon, by OAuth app; every app that has consents is in *counts*."""
        self._told("consents_ending")
        self._consents = dict(counts)

    def webhooks(self, disabled: Mapping[str, bool]) -> None:
        """Whether each of the [webhooks.NAME] is disabled."""
        self._told("webhooks")
        self._webhooks = dict(disabled)

    def stale(self, count: int) -> None:
        """Mailboxes whose last look is older than it may be."""
        self._told("stale")
        self._stale = count

    def impaired(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Mailboxes that a fault of mailwatch's own hides, by provider and fault."""
        self._told("impaired")
        totals: Counter[tuple[str, str]] = Counter()
        for (provider, reason), count in counts.items():
            totals[self._label(provider), reason] += count
        self._impaired = totals

    def _told(self, trouble: str) -> None:
        self._told_at[trouble] = self._monotonic()

    def _stands(self, trouble: str) -> bool:
        """Whether what was told of *trouble* is fresh; what was never told is none, and shows as such."""
        told_at = self._told_at.get(trouble)
        return told_at is None or self._monotonic() - told_at <= STALE_SECONDS

    def _label(self, provider: str) -> str:
        return provider if provider in self._providers else OTHER

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The series, made anew at each scrape.  Runs outside the event loop."""
        yield from self._of_incidents()
        if self._has_circuits:
            yield self._of_circuits()
        yield from self._of_mailboxes()
        yield from self._of_sending()
        yield from self._of_oauth()

    def _of_oauth(self) -> Iterator[GaugeMetricFamily]:
        secrets = _gauge("oauth_app_secret_expiry_timestamp_seconds", "When the client secret of an OAuth app ends.", "oauth_app")
        for app, expires_at in sorted(self._app_secrets.items()):
            secrets.add_metric([app], expires_at.timestamp())
        yield secrets
        about = "Consents that end within three days, which only owners renew."
        yield self._family(
            "consents_ending",
            _gauge("oauth_consents_expiring", about, "oauth_app"),
            {(app,): count for app, count in sorted(self._consents.items())},
        )

    def _of_incidents(self) -> Iterator[GaugeMetricFamily]:
        yield self._family(
            "incidents",
            _gauge("incidents", "Open incidents by what they are about.", "scope"),
            {(kind.value,): self._incidents.get(kind, 0) for kind in ScopeKind},
        )
        affected = _gauge("incident_mailboxes", "Mailboxes the open incidents take.", "scope", "provider", "cause")
        yield self._family("incidents", affected, dict(sorted(self._affected.items())))

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
        about = "Blocked mailboxes outside of incidents, by who must act and why."
        causes = sorted({*HUMAN_CAUSES, *self._waiting})
        yield self._family(
            "waiting",
            _gauge("mailboxes_waiting_for_person", about, "owner", "cause"),
            {(profile_of(cause).owner.value, cause.value): self._waiting.get(cause, 0) for cause in causes},
        )
        yield self._family(
            "flapping",
            _gauge("flapping_mailboxes", "Mailboxes that come and go.", "provider"),
            {(provider,): self._flapping.get(provider, 0) for provider in sorted(self._providers)},
        )
        about = "Mailboxes not looked at for three intervals, or too long in a state that should pass."
        yield self._family("stale", _gauge("stale_mailboxes", about), {(): self._stale})
        about = "Mailboxes that mailwatch cannot look at, by the fault of its own that prevents it."
        hidden = _gauge("impaired_mailboxes", about, "provider", "reason")
        yield self._family("impaired", hidden, dict(sorted(self._impaired.items())))

    def _of_sending(self) -> Iterator[GaugeMetricFamily]:
        about = "How long the campaign that was paused first has been paused."
        yield self._family(
            "paused_longest",
            _gauge("campaigns_paused_longest_seconds", about, "pause_reason"),
            {(origin.value,): self._paused.get(origin.value, 0.0) for origin in PauseOrigin},
        )
        about = "Campaigns that would be paused, and wait for a person's word: too many at once, or only suggested."
        yield self._family("held_back", _gauge("campaigns_held_back", about), {(): self._held_back})
        about = "1 for a webhook that gets nothing more until a person enables it."
        yield self._family(
            "webhooks",
            _gauge("webhook_disabled", about, "webhook"),
            {(name,): disabled for name, disabled in sorted(self._webhooks.items())},
        )

    def _family(self, trouble: str, family: GaugeMetricFamily, samples: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
        """*family* with its *samples*, unless what was told of *trouble* is too old to stand."""
        for labels, value in samples.items() if self._stands(trouble) else ():
            family.add_metric(labels, float(value))
        return family


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"mailwatch_{name}", about, labels=labels)
