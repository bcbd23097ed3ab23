"""What is wrong now: exported as it was told last, under bounded labels, and no longer than it lasts."""

from datetime import UTC, datetime

import pytest

from mailwatch.core.causes import PROFILES, Cause, Disposition, Owner
from mailwatch.core.incidents.circuit import CircuitState
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.telemetry.troubles import HUMAN_CAUSES, STALE_SECONDS, Troubles

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOGLE = Scope(ScopeKind.PROVIDER, "google")
HOST = Scope(ScopeKind.ENDPOINT, "imap.gmail.com")


@pytest.fixture
def troubles():
    return Troubles(["google", "microsoft"])


def incident(scope=GOOGLE, cause=Cause.CONNECTION_TIMEOUT, failed=300):
    return Incident(f"inc_{scope.name}_{cause}", scope, cause, NOW, NOW, failed, 0.9)


def series(troubles, name):
    family = next(family for family in troubles.collect() if family.name == f"mailwatch_{name}")
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def name_of(scope):
    return "google" if scope in (GOOGLE, HOST) else scope.name


def test_before_anything_is_told_everything_is_there_and_well(troubles):
    assert series(troubles, "incidents") == {(kind.value,): 0 for kind in ScopeKind}
    assert series(troubles, "incident_mailboxes") == {}
    assert series(troubles, "stale_mailboxes") == {(): 0}
    assert series(troubles, "flapping_mailboxes") == {("google",): 0, ("microsoft",): 0, ("other",): 0}
    assert series(troubles, "campaigns_paused_longest_seconds") == {("automatic",): 0, ("operator",): 0, ("person",): 0}


def test_every_cause_only_a_person_can_heal_is_there_from_the_start(troubles):
    there = {cause for _, cause in series(troubles, "mailboxes_waiting_for_person")}
    assert there == {cause.value for cause in HUMAN_CAUSES}
    assert {"invalid_credentials", "oauth_grant_revoked", "unknown"} <= there
    assert all(PROFILES[cause].disposition is Disposition.HUMAN for cause in HUMAN_CAUSES - {Cause.UNKNOWN})


def test_an_open_incident_is_shown_with_what_it_is_about_and_gone_when_it_is_over(troubles):
    troubles.incidents([incident(), incident(HOST, failed=7), incident(EGRESS, Cause.LOCAL_NETWORK_DOWN, 0)], name_of)
    assert series(troubles, "incidents")["provider",] == 1
    assert series(troubles, "incident_mailboxes") == {
        ("provider", "google", "connection_timeout"): 300,
        ("endpoint", "google", "connection_timeout"): 7,
        ("egress", "other", "local_network_down"): 0,
    }
    troubles.incidents([], name_of)
    assert series(troubles, "incidents")["provider",] == 0
    assert series(troubles, "incident_mailboxes") == {}


def test_incidents_of_places_nobody_listed_share_a_label(troubles):
    places = [incident(Scope(ScopeKind.DOMAIN, name), failed=5) for name in ("a.example", "b.example")]
    troubles.incidents(places, name_of)
    assert series(troubles, "incident_mailboxes") == {("domain", "other", "connection_timeout"): 10}


def test_a_circuit_is_in_exactly_one_state(troubles):
    troubles.circuit("google", CircuitState.OPEN)
    states = series(troubles, "provider_circuit_state")
    assert {state for (provider, state), value in states.items() if provider == "google" and value} == {"open"}
    assert {state for (provider, state), value in states.items() if provider == "microsoft" and value} == {"closed"}
    troubles.circuit("google", CircuitState.CLOSED)
    assert series(troubles, "provider_circuit_state")["google", "open"] == 0


def test_of_the_hosts_behind_other_the_strictest_circuit_is_shown(troubles):
    for gate, state in (("host:a", CircuitState.HALF_OPEN), ("host:b", CircuitState.OPEN), ("host:c", CircuitState.HALF_OPEN)):
        troubles.circuit(gate, state)
    assert series(troubles, "provider_circuit_state")["other", "open"] == 1
    troubles.circuit("host:b", CircuitState.CLOSED)
    assert series(troubles, "provider_circuit_state")["other", "half_open"] == 1


def test_who_waits_for_a_person_is_shown_by_who_must_act(troubles):
    troubles.waiting({Cause.INVALID_CREDENTIALS: 20, Cause.SERVER_UNAVAILABLE: 1})
    waiting = series(troubles, "mailboxes_waiting_for_person")
    assert waiting[Owner.MAILBOX_OWNER.value, "invalid_credentials"] == 20
    assert waiting[Owner.PROVIDER.value, "server_unavailable"] == 1
    troubles.waiting({})
    waiting = series(troubles, "mailboxes_waiting_for_person")
    assert waiting["mailbox_owner", "invalid_credentials"] == 0
    assert ("provider", "server_unavailable") not in waiting


def test_flapping_mailboxes_of_providers_nobody_listed_are_others(troubles):
    troubles.flapping({"google": 3, "evil\n": 2, "x": 1})
    assert series(troubles, "flapping_mailboxes") == {("google",): 3, ("microsoft",): 0, ("other",): 3}


def test_a_clock_set_back_makes_no_pause_negative(troubles):
    troubles.paused_longest({"automatic": 3600.0, "operator": -5.0})
    assert series(troubles, "campaigns_paused_longest_seconds") == {("automatic",): 3600, ("operator",): 0, ("person",): 0}


def test_what_the_configuration_names_is_shown_by_its_name(troubles):
    troubles.app_secrets({"outreach": NOW})
    troubles.consents_ending({"outreach": 0, "sales": 3})
    troubles.webhooks({"crm": True, "sender": False})
    troubles.held_back(15)
    troubles.stale(4)
    assert series(troubles, "oauth_app_secret_expiry_timestamp_seconds") == {("outreach",): NOW.timestamp()}
    assert series(troubles, "campaigns_held_back") == {(): 15}
    assert series(troubles, "oauth_consents_expiring") == {("outreach",): 0, ("sales",): 3}
    assert series(troubles, "webhook_disabled") == {("crm",): 1, ("sender",): 0}
    assert series(troubles, "stale_mailboxes") == {(): 4}


def test_what_was_not_told_anew_for_two_minutes_is_exported_no_more_and_comes_back_with_the_next_telling():
    seconds = 0.0
    troubles = Troubles(["google"], monotonic=lambda: seconds)
    troubles.circuit("google", CircuitState.OPEN)
    troubles.app_secrets({"own": NOW})

    def tell():
        troubles.incidents([incident()], name_of)
        troubles.waiting({Cause.INVALID_CREDENTIALS: 2})
        troubles.flapping({"google": 3})
        troubles.paused_longest({"person": 4.0})
        troubles.held_back(5)
        troubles.consents_ending({"own": 6})
        troubles.webhooks({"crm": True})
        troubles.stale(7)
        troubles.impaired({("google", "secret_unreadable"): 8})

    tell()
    names = {family.name.removeprefix("mailwatch_") for family in troubles.collect()}
    known_here = {"provider_circuit_state", "oauth_app_secret_expiry_timestamp_seconds"}  # not from the database
    seconds = STALE_SECONDS
    assert all(series(troubles, name) for name in names)
    seconds += 1
    assert {name for name in names if series(troubles, name)} == known_here
    tell()
    assert all(series(troubles, name) for name in names)
