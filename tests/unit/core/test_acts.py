"""What people do to a mailbox, and what it does to the standing."""

from dataclasses import replace

import pytest

from builders import NOW, a_standing, later
from mailwatch.core import acts
from mailwatch.core.causes import Cause
from mailwatch.core.flapping import is_flapping
from mailwatch.core.lifecycle import Effect, IllegalMoveError, State
from mailwatch.core.policy import Policy

STUCK = {
    "attempts": 9,
    "person_sightings": 2,
    "failures": 7,
    "cause": Cause.INVALID_CREDENTIALS,
    "rejected_at": (later(-100), later(-10)),
    "down_since_at": later(-500),
}


@pytest.mark.parametrize("state", sorted(set(State) - {State.INACTIVE}))
def test_disconnect_stops_all_probing_and_keeps_what_is_known(state):
    standing = a_standing(state, rejected_at=(NOW,))
    decision = acts.disconnect(standing, NOW, "cli:root")
    assert decision.after.state is State.INACTIVE
    assert decision.after.due_at is None
    assert decision.after.cause is Cause.OPERATOR_DISCONNECT
    assert decision.after.rejected_at == (NOW,)
    assert decision.transitions[0].actor == "cli:root"


def test_an_outage_ends_when_an_operator_disconnects_the_mailbox():
    assert acts.disconnect(a_standing(State.RECONNECTING, **STUCK), NOW, "me").after.down_since_at is None


def test_disconnecting_twice_is_refused():
    with pytest.raises(IllegalMoveError):
        acts.disconnect(a_standing(State.INACTIVE, due_at=None), NOW, "me")


@pytest.mark.parametrize("state", [State.BLOCKED, State.INACTIVE])
def test_reconnect_unparks_is_due_now_and_leads_through_verification(state):
    decision = acts.reconnect(a_standing(state, due_at=None, **STUCK), NOW, "api:token")
    assert decision.after.state is State.RECONNECTING
    assert decision.after.due_at == NOW
    assert decision.after.forced
    assert decision.after.person_sightings == 0
    assert Effect.RESUME_CAMPAIGNS not in decision.transitions[0].effects


def test_reconnect_gives_no_login_budget_back():
    after = acts.reconnect(a_standing(State.BLOCKED, **STUCK), NOW, "me").after
    assert after.rejected_at == STUCK["rejected_at"]
    assert after.attempts == STUCK["attempts"]


def test_reconnect_of_a_held_mailbox_is_refused():
    with pytest.raises(IllegalMoveError):
        acts.reconnect(a_standing(State.HELD), NOW, "me")


def test_reconnect_of_a_connected_mailbox_only_looks_now():
    decision = acts.reconnect(a_standing(due_at=later(300)), NOW, "me")
    assert decision.transitions == ()
    assert decision.after.due_at == NOW


def test_a_hold_pauses_until_its_end_and_says_why():
    decision = acts.hold(a_standing(), NOW, "warmup", Cause.WARMUP_PAUSE, later(3600))
    assert (decision.after.state, decision.after.due_at) == (State.HELD, later(3600))
    assert (decision.after.cause, decision.after.hold_reason) == (Cause.WARMUP_PAUSE, "warmup_pause")
    assert decision.transitions[0].cause is Cause.WARMUP_PAUSE
    assert Effect.PAUSE_CAMPAIGNS in decision.transitions[0].effects


def test_a_hold_without_an_end_is_never_due():
    assert acts.hold(a_standing(), NOW, "me", Cause.ANOMALY_PAUSE, None).after.due_at is None


def test_a_hold_takes_only_a_protective_reason():
    with pytest.raises(ValueError, match="invalid_credentials is no reason for a hold"):
        acts.hold(a_standing(), NOW, "me", Cause.INVALID_CREDENTIALS, None)


@pytest.mark.parametrize("end", [lambda s: acts.release(s, NOW, "me"), lambda s: acts.hold_ended(s, NOW)], ids=["release", "end"])
def test_the_end_of_a_hold_leads_through_verification_and_forgets_old_sightings(end):
    held = acts.hold(a_standing(State.SUSPECT, person_sightings=1, failures=3), NOW, "me", Cause.STRATEGIC_PAUSE, None).after
    after = end(held).after
    assert after.state is State.RECONNECTING
    assert after.due_at == NOW
    assert (after.hold_reason, after.hold_until_at, after.cause) == (None, None, None)
    assert (after.person_sightings, after.failures) == (0, 0)


def test_a_new_secret_unparks_a_blocked_mailbox_and_tries_it_now():
    decision = acts.new_secret(a_standing(State.BLOCKED, **STUCK), NOW, "me")
    assert decision.after.state is State.RECONNECTING
    assert decision.after.due_at == NOW
    assert decision.after.person_sightings == 0


@pytest.mark.parametrize("state", [State.HELD, State.INACTIVE])
def test_a_new_secret_wakes_no_mailbox_that_somebody_put_to_rest(state):
    standing = a_standing(state, due_at=None)
    decision = acts.new_secret(standing, NOW, "me")
    assert (decision.after, decision.transitions) == (standing, ())


def test_what_the_old_secret_proved_does_not_count_for_a_new_one():
    standing = a_standing(State.VERIFYING, clean_probes=Policy().verify.successes - 1, verifying_since_at=later(-600))
    after = acts.new_secret(standing, NOW, "me").after
    assert (after.state, after.clean_probes, after.verifying_since_at) == (State.VERIFYING, 0, None)


def confirmed(before, now=NOW, cause=Cause.SERVER_UNAVAILABLE):
    return acts.confirm(before, now, cause, later(60), Policy().flap)


def test_what_an_incident_confirms_is_disconnected_from_now_on_and_retried():
    after = confirmed(a_standing(State.SUSPECT, cause=Cause.CONNECTION_TIMEOUT, attempts=0)).after
    assert (after.state, after.cause, after.down_since_at, after.due_at, after.attempts) == (
        State.RECONNECTING,
        Cause.CONNECTION_TIMEOUT,
        NOW,
        later(60),
        1,
    )
    assert confirmed(a_standing(State.SUSPECT, cause=Cause.INVALID_CREDENTIALS)).after.cause is Cause.SERVER_UNAVAILABLE


def test_what_is_no_suspicion_any_more_is_not_confirmed():
    with pytest.raises(IllegalMoveError):
        confirmed(a_standing(State.CONNECTED))


def test_mailboxes_that_a_mass_outage_takes_again_and_again_are_flapping():
    standing = a_standing(State.SUSPECT, cause=Cause.CONNECTION_TIMEOUT)
    for seconds in (0, 600, 1200):
        assert not is_flapping(standing, Policy().flap, later(seconds))
        after = confirmed(standing, later(seconds)).after
        standing = replace(after, state=State.SUSPECT, down_since_at=None)  # it came back, and went again
    assert standing.episodes_at == (NOW, later(600), later(1200))
    assert is_flapping(standing, Policy().flap, later(1200))
    still_down = replace(standing, down_since_at=later(1200))
    assert confirmed(still_down, later(1800)).after.episodes_at == standing.episodes_at


def played(standing, *steps):
    """The standing after acts, each told as (seconds after NOW, act)."""
    for seconds, act in steps:
        standing = act(standing, later(seconds)).after
    return standing


def disconnected(standing, now):
    return acts.disconnect(standing, now, "me")


def reconnected(standing, now):
    return acts.reconnect(standing, now, "me")


def on_hold(standing, now):
    return acts.hold(standing, now, "me", Cause.WARMUP_PAUSE, None)


def released(standing, now):
    return acts.release(standing, now, "me")


DAYS = 86_400


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        (State.BLOCKED, [(0, reconnected)]),
        (State.BLOCKED, [(0, disconnected), (300, reconnected)]),
        (State.BLOCKED, [(0, on_hold), (300, released)]),
        (State.HELD, [(0, disconnected), (300, reconnected)]),
        (State.INACTIVE, [(0, reconnected), (30, on_hold), (300, released)]),
        (State.INACTIVE, [(0, reconnected), (30, disconnected), (300, reconnected), (301, on_hold), (302, released)]),
    ],
)
def test_no_act_makes_a_long_absence_a_short_one(state, steps):
    gone = a_standing(state, since_at=later(-20 * DAYS), absent_since_at=later(-20 * DAYS), due_at=None)
    back = played(gone, *steps)
    assert back.state is State.RECONNECTING
    assert back.absent_since_at == later(-20 * DAYS)


def test_an_absence_that_was_stored_without_its_beginning_is_as_old_as_what_is_known():
    blocked = a_standing(State.BLOCKED, since_at=later(-5 * DAYS), down_since_at=later(-20 * DAYS))
    assert played(blocked, (0, disconnected)).absent_since_at == later(-20 * DAYS)
    assert played(a_standing(State.HELD, since_at=later(-5 * DAYS)), (0, disconnected)).absent_since_at == later(-5 * DAYS)


@pytest.mark.parametrize("state", [State.CONNECTED, State.SUSPECT, State.PENDING])
def test_an_absence_begins_with_the_act_that_stops_the_sending(state):
    assert played(a_standing(state), (7, disconnected)).absent_since_at == later(7)


def test_what_an_incident_had_stopped_comes_back_by_no_persons_act_and_within_its_budget():
    decision = acts.bring_back(a_standing(State.BLOCKED, cause=Cause.OAUTH_MISCONFIGURED), NOW)
    (row,) = decision.transitions
    assert (row.trigger, row.actor, row.to_state) == (acts.Trigger.BROUGHT_BACK, "mailwatch", State.RECONNECTING)
    assert (decision.after.forced, decision.after.due_at) == (False, NOW)
    with pytest.raises(IllegalMoveError):
        acts.bring_back(decision.after, NOW)
