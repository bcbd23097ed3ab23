"""The rules of the pause ledger: what a move asks of campaigns, when one is paused, and when that would be too many at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailwatch.core.campaigns import (
    PAUSING_STATES,
    CampaignPolicy,
    Channel,
    Pause,
    PauseOn,
    PauseOrigin,
    Turn,
    brakes,
    campaign_id_fault,
    is_away,
    is_paused,
    loses_sending,
    origin_in,
    origin_of,
    reason_of,
    turn_of,
)
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import MOVES, SENDING_STATES, Effect, State, Trigger
from mailwatch.core.mailbox import Protocol
from mailwatch.core.standing import ChannelHealth, Standing

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANY = CampaignPolicy()
SMTP = CampaignPolicy(channel=Channel.SMTP)
ALL = CampaignPolicy(pause_on=PauseOn.ALL)


def standing(state, **fields):
    return Standing("mb_1", state, NOON, NOON, **fields)


def smtp(*, healthy, since=NOON):
    return {Protocol.SMTP: ChannelHealth(healthy=healthy, since_at=since)}


def lost_imap(state=State.RECONNECTING, **fields):
    """SMTP worked before the outage and does so still."""
    values = {"channels": smtp(healthy=True), "down_since_at": NOON + timedelta(minutes=1)} | fields
    return standing(state, **values)


def pause(mailbox_id, *, in_force=True, origin=PauseOrigin.AUTOMATIC):
    return Pause(1, "c", mailbox_id, origin, "why", "mailwatch", NOON, in_force)


# --- moves ---


@pytest.mark.parametrize("state", State)
def test_every_state_either_sends_or_waits_or_pauses(state):
    turn = turn_of(standing(state), Trigger.PROBE_FAILED, ANY)
    if state is State.CONNECTED:
        assert turn is Turn.LIFT
    else:
        assert turn is (Turn.PAUSE if state in PAUSING_STATES else None)


def test_a_mailbox_that_sends_is_never_away():
    assert not SENDING_STATES & PAUSING_STATES
    for state in SENDING_STATES | {State.PENDING}:
        assert not is_away(standing(state), ANY)


def test_every_move_the_lifecycle_marks_as_pausing_or_resuming_is_one():
    for row in MOVES.values():
        for trigger, move in row.items():
            turn = turn_of(standing(move.to), trigger, ANY)
            if Effect.PAUSE_CAMPAIGNS in move.effects:
                assert turn is Turn.PAUSE
            if Effect.RESUME_CAMPAIGNS in move.effects:
                assert turn is Turn.LIFT


def test_where_smtp_alone_counts_a_mailbox_without_imap_goes_on():
    assert not is_away(lost_imap(), SMTP)
    assert not is_away(lost_imap(State.VERIFYING), SMTP)
    assert turn_of(lost_imap(), Trigger.FAILURE_CONFIRMED, SMTP) is None
    assert is_away(lost_imap(), ANY)


@pytest.mark.parametrize(
    "doubt",
    [
        lost_imap(channels=smtp(healthy=False)),
        lost_imap(channels={}),
        lost_imap(channels=smtp(healthy=True, since=NOON + timedelta(minutes=2))),
        lost_imap(down_since_at=None),
        lost_imap(last_outage_seconds=60.0),
        lost_imap(State.BLOCKED),
        lost_imap(State.HELD),
        lost_imap(State.INACTIVE),
    ],
    ids=["lost", "no smtp", "failed meanwhile", "no outage known", "began with a person's act", "blocked", "held", "inactive"],
)
def test_what_smtp_did_not_prove_all_through_is_away(doubt):
    assert is_away(doubt, SMTP)


@pytest.mark.parametrize("trigger", [Trigger.DISCONNECT, Trigger.HOLD])
def test_a_person_s_stop_always_pauses(trigger):
    for policy in (ANY, SMTP):
        state = State.INACTIVE if trigger is Trigger.DISCONNECT else State.HELD
        assert turn_of(lost_imap(state), trigger, policy) is Turn.PAUSE


def test_smtp_lost_later_is_noticed_without_a_change_of_state():
    lost = lost_imap(channels=smtp(healthy=False, since=NOON + timedelta(minutes=2)))
    assert loses_sending(lost_imap(), lost, SMTP)
    assert not loses_sending(lost, lost, SMTP)
    assert not loses_sending(lost_imap(), lost, ANY)
    assert not loses_sending(lost_imap(), replace(lost, state=State.BLOCKED), SMTP), "a change of state tells by itself"


def test_who_disconnects_decides_who_may_resume():
    assert {trigger for trigger in Trigger if origin_of(trigger) is PauseOrigin.OPERATOR} == {Trigger.DISCONNECT}
    assert {state for state in State if origin_in(state) is PauseOrigin.OPERATOR} == {State.INACTIVE}


def test_the_reason_is_the_cause_where_there_is_one():
    assert reason_of(standing(State.BLOCKED, cause=Cause.INVALID_CREDENTIALS)) == "invalid_credentials"
    assert reason_of(standing(State.VERIFYING)) == "verifying"


# --- pauses ---


def test_one_pause_in_force_is_enough():
    assert is_paused([pause("a")], ["a", "b"], ANY)
    assert not is_paused([pause("a", in_force=False)], ["a", "b"], ANY)
    assert not is_paused([], ["a"], ANY)
    assert not is_paused([], [], ALL)


def test_where_all_must_be_away_each_needs_its_pause():
    assert not is_paused([pause("a")], ["a", "b"], ALL)
    assert not is_paused([pause("a"), pause("b", in_force=False)], ["a", "b"], ALL)
    assert is_paused([pause("a"), pause("b")], ["a", "b"], ALL)


@pytest.mark.parametrize("policy", [ANY, ALL])
@pytest.mark.parametrize("origin", [PauseOrigin.PERSON, PauseOrigin.OPERATOR])
def test_a_pause_of_the_campaign_itself_always_holds(policy, origin):
    assert is_paused([pause(None, origin=origin)], ["a", "b"], policy)


# --- the brake ---


def test_few_pauses_never_brake():
    policy = CampaignPolicy(brake_floor=10, brake_ratio=0.0)
    assert not brakes(10, 0, 10, policy)
    assert not brakes(1, 9, 1, policy)
    assert brakes(1, 10, 1, policy)


def test_more_than_the_share_brakes():
    policy = CampaignPolicy(brake_floor=0, brake_ratio=0.3)
    assert not brakes(30, 0, 100, policy)
    assert brakes(31, 0, 100, policy)


def test_what_was_paused_lately_counts_with_what_ran_before_it():
    policy = CampaignPolicy(brake_floor=0, brake_ratio=0.3)
    assert not brakes(1, 29, 71, policy)
    assert brakes(1, 30, 70, policy)


# --- ids ---


@pytest.mark.parametrize("text", ["spring", "Frühling 2026", "a" * 200, "x.y_z-1", "#7"])
def test_a_campaign_id_is_the_senders_own(text):
    assert campaign_id_fault(text) is None


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("", "such as spring-2026"),
        ("a/b", "without /"),
        ("a;b", "without /, ;"),
        ("a\nb", "control characters"),
        ("a\n", "control characters"),
        ("a\x7f", "control characters"),
        ("a" * 201, "at most 200"),
    ],
)
def test_what_the_api_could_not_name_is_no_campaign_id(text, cure):
    assert cure in campaign_id_fault(text)
