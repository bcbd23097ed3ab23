"""The circuits of this node: which gates are only looked at gently, and how many probes each may start."""

from collections.abc import Callable, Collection

from mailwatch.core.causes import SECRET_REFUSALS, Disposition, profile_of
from mailwatch.core.egress import CERTIFICATE_CAUSES
from mailwatch.core.incidents.circuit import Circuit, CircuitPolicy, CircuitState
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.standing import Decision

#: Above this many the closed ones are forgotten.
_MOST_CIRCUITS = 5000
#: How gates of hosts are named that belong to no provider (core.gates).
_HOST = "host:"
_HEALS_WITH_THE_PLACE = frozenset({Disposition.TRANSIENT, Disposition.THROTTLED})


class Circuits:
    """Circuits by gate, opened by incidents or by a run of failures, closed by canaries.  *changed* hears of each change of state.

    `policy` may be replaced (reload); with None nothing is limited.
    """

    def __init__(
        self, policy: CircuitPolicy | None = None, *, changed: Callable[[str, CircuitState], None] = lambda _gate, _state: None
    ) -> None:
        self.policy = policy
        self._changed = changed
        self._circuits: dict[str, Circuit] = {}
        self._told: set[str] = set()  # incidents that have opened their circuit once: canaries alone close it

    def follow(self, incidents: Collection[Incident], now: float) -> None:
        """Open the circuits that the open *incidents* call for; one that canaries have closed since stays closed."""
        for incident in incidents:
            gate = gate_within(incident)
            if gate is None or not incident.is_open or not incident.takes_all or incident.id in self._told:
                continue
            self._told.add(incident.id)
            circuit = self._circuit(gate)
            if circuit is not None and circuit.state is CircuitState.CLOSED:
                circuit.open(now)
                self._changed(gate, circuit.state)
        self._told &= {incident.id for incident in incidents if incident.is_open}
        self._forget_unused(now)

    def room(self, gate: str, now: float) -> int | None:
        """How many probes of *gate* may start; None: as many as its pace allows."""
        circuit = self._circuits.get(gate)
        return None if circuit is None or self.policy is None else circuit.room(now)

    def wants_proven(self, gate: str, now: float) -> bool:
        """Whether only mailboxes with a proven secret may look now."""
        circuit = self._circuits.get(gate)
        return circuit is not None and self.policy is not None and circuit.proven_only(now)

    def start(self, gate: str, now: float) -> None:
        """A probe of *gate* starts."""
        circuit = self._circuits.get(gate)
        if circuit is not None:
            circuit.start(now)

    def result(self, gate: str, decision: Decision | None, now: float) -> None:
        """A probe of *gate* came back with *decision* (None: it could not be judged)."""
        if decision is None or decision.note is not None:
            return
        circuit = self._circuit(gate)
        if circuit is None:
            return
        before = circuit.state
        circuit.result(now, worked=worked(decision))
        if circuit.state is not before:
            self._changed(gate, circuit.state)
        self._forget_quiet()

    def is_open(self, gate: str | None) -> bool:
        """Whether of *gate* only canaries are sent."""
        circuit = self._circuits.get(gate or "")
        return circuit is not None and self.policy is not None and circuit.state is CircuitState.OPEN

    def is_returning(self, gate: str | None) -> bool:
        """Whether canaries came through at *gate*, and its probes return on the ramp."""
        circuit = self._circuits.get(gate or "")
        return circuit is not None and self.policy is not None and circuit.state is CircuitState.HALF_OPEN

    def failing_share(self, gate: str | None) -> float:
        """How much of what is looked at behind *gate* fails, where only canaries are sent; else 0."""
        return self._circuits[gate or ""].failing_share if self.is_open(gate) else 0.0

    def limited(self) -> frozenset[str]:
        """Gates whose circuit is not closed: what waits there is no backlog."""
        if self.policy is None:
            return frozenset()
        return frozenset(gate for gate, circuit in self._circuits.items() if circuit.state is not CircuitState.CLOSED)

    def _circuit(self, gate: str) -> Circuit | None:
        if self.policy is None:
            return None
        circuit = self._circuits.get(gate)
        if circuit is None:
            circuit = self._circuits[gate] = Circuit(self.policy)
        return circuit

    def _forget_unused(self, now: float) -> None:
        """Where all mailboxes were removed or disconnected no canary ever comes: such a circuit would stay open for good."""
        unused = [gate for gate, each in self._circuits.items() if each.state is not CircuitState.CLOSED and each.is_unused(now)]
        for gate in unused:
            del self._circuits[gate]
            self._changed(gate, CircuitState.CLOSED)

    def _forget_quiet(self) -> None:
        """Closed circuits only remember a few results: those of many small hosts are not worth keeping."""
        if len(self._circuits) > _MOST_CIRCUITS:
            self._circuits = {gate: each for gate, each in self._circuits.items() if each.state is not CircuitState.CLOSED}


def worked(decision: Decision) -> bool:
    """Whether the place answered as a well one does: a failure of this one mailbox alone says nothing against it.

    A bad certificate is the place's own, though it takes a person to heal it.
    """
    causes = {diagnosis.cause for diagnosis in decision.diagnoses.values()}
    proven = decision.before.proven
    return not any(
        profile_of(cause).disposition in _HEALS_WITH_THE_PLACE
        or cause in CERTIFICATE_CAUSES
        or (proven and cause in SECRET_REFUSALS)
        for cause in causes
    )


def scope_of(gate: str) -> Scope:
    """What the mailboxes of *gate* share: the inverse of `gate_within`."""
    host = gate.removeprefix(_HOST)
    return Scope(ScopeKind.PROVIDER, gate) if host == gate else Scope(ScopeKind.ENDPOINT, host)


def gate_within(incident: Incident) -> str | None:
    """The gate that an incident's scope covers, if it covers one whole."""
    if incident.scope.kind is ScopeKind.PROVIDER:
        return incident.scope.name
    if incident.scope.kind is ScopeKind.ENDPOINT:
        return f"{_HOST}{incident.scope.name}"
    return None
