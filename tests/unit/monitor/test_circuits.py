"""The circuits of a node follow incidents, and canaries close them."""

from dataclasses import replace

import pytest

from builders import NOW, a_standing
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.circuit import CircuitPolicy, CircuitState
from mailwatch.core.incidents.life import WHOLE_SHARE, Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.mailbox import Protocol
from mailwatch.core.standing import Confidence, Decision, Diagnosis
from mailwatch.monitor.circuits import Circuits, worked


def incident(kind=ScopeKind.PROVIDER, name="google", share=1.0, **changes):
    return replace(Incident("inc_1", Scope(kind, name), Cause.SERVER_UNAVAILABLE, NOW, NOW, 50, share), **changes)


def decision(cause=None, *, proven=True, note=None):
    diagnoses = {Protocol.IMAP: Diagnosis(cause, "rule", "quote", Confidence.HIGH)} if cause else {}
    standing = a_standing(proven=proven)
    return Decision(standing, standing, diagnoses=diagnoses, note=note)


def test_without_an_incident_nothing_is_limited():
    assert Circuits(CircuitPolicy()).room("google", 0.0) is None


@pytest.mark.parametrize(("kind", "name", "gate"), [(ScopeKind.PROVIDER, "google", "google"), (ScopeKind.ENDPOINT, "h", "host:h")])
def test_an_incident_of_a_whole_gate_opens_its_circuit(kind, name, gate):
    circuits = Circuits(CircuitPolicy())
    circuits.follow([incident(kind, name)], 0.0)
    assert circuits.room(gate, 0.0) == 1
    assert circuits.wants_proven(gate, 0.0)
    assert circuits.limited() == {gate}


def test_a_partial_outage_leaves_the_well_ones_watched():
    circuits = Circuits(CircuitPolicy())
    circuits.follow([incident(share=WHOLE_SHARE - 0.01)], 0.0)
    assert circuits.room("google", 0.0) is None


@pytest.mark.parametrize("kind", [ScopeKind.DOMAIN, ScopeKind.OAUTH_APP, ScopeKind.EGRESS])
def test_scopes_that_are_no_gate_open_none(kind):
    circuits = Circuits(CircuitPolicy())
    circuits.follow([incident(kind, "x")], 0.0)
    assert circuits.limited() == frozenset()


def test_canaries_close_it_and_the_same_incident_does_not_open_it_again():
    told = []
    circuits = Circuits(CircuitPolicy(), changed=lambda gate, state: told.append((gate, state)))
    circuits.follow([incident()], 0.0)
    for _ in range(3):
        circuits.result("google", decision(), 10.0)
    circuits.follow([incident()], 20.0)
    circuits.result("google", decision(), 200.0)
    assert circuits.room("google", 200.0) is None
    circuits.follow([incident()], 210.0)
    assert circuits.room("google", 210.0) is None
    assert told == [("google", CircuitState.OPEN), ("google", CircuitState.HALF_OPEN), ("google", CircuitState.CLOSED)]


def test_the_incident_come_back_opens_it_again():
    circuits = Circuits(CircuitPolicy())
    circuits.follow([incident()], 0.0)
    circuits.follow([incident(closed_at=NOW)], 1.0)
    for _ in range(3):
        circuits.result("google", decision(), 10.0)
    circuits.result("google", decision(), 200.0)
    circuits.follow([incident(reopened=1)], 210.0)
    assert circuits.room("google", 210.0) == 1


def test_a_result_of_our_own_fault_says_nothing_of_the_place():
    circuits = Circuits(CircuitPolicy())
    circuits.follow([incident()], 0.0)
    for _ in range(5):
        circuits.result("google", decision(note="egress_down"), 10.0)
        circuits.result("google", None, 10.0)
    assert circuits.wants_proven("google", 0.0)


@pytest.mark.parametrize(
    ("cause", "proven", "well"),
    [
        (None, True, True),
        (Cause.SERVER_UNAVAILABLE, True, False),
        (Cause.RATE_LIMITED, True, False),
        (Cause.INVALID_CREDENTIALS, True, False),  # a secret that was accepted before: the place is to blame
        (Cause.INVALID_CREDENTIALS, False, True),
        (Cause.MAILBOX_MISSING, True, True),
        (Cause.TLS_CERTIFICATE_EXPIRED, True, False),  # a person's to heal, and the place's all the same
        (Cause.TLS_CERTIFICATE_UNTRUSTED, False, False),
    ],
)
def test_only_failures_that_heal_with_the_place_speak_against_it(cause, proven, well):
    assert worked(decision(cause, proven=proven)) is well


def test_one_mailbox_retried_for_hours_trips_nothing():
    circuits = Circuits(CircuitPolicy())
    for look in range(40):
        circuits.result("host:mail.dead.example", decision(Cause.CONNECTION_REFUSED), 300.0 * look)
    assert circuits.limited() == frozenset()


def test_a_circuit_whose_mailboxes_are_all_gone_is_forgotten_and_told_as_closed():
    told = []
    circuits = Circuits(CircuitPolicy(), changed=lambda gate, state: told.append((gate, state)))
    for look in range(20):
        circuits.result("host:mail.dead.example", decision(Cause.CONNECTION_REFUSED), float(look))
    circuits.follow([incident()], 20.0)
    hours = 3600.0
    for look in range(12):
        circuits.start("google", look * hours)  # its canaries go on
        circuits.follow([incident()], look * hours)
    assert circuits.limited() == {"google"}
    assert told[-1] == ("host:mail.dead.example", CircuitState.CLOSED)
