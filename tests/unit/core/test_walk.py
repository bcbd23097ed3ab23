"""Walking the table: rows of history, their versions and what is written beside them."""

import pytest

from builders import FAILURES, IMAP, NOW, a_standing, later
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import Effect, IllegalMoveError, State, Trigger
from mailwatch.core.standing import Confidence, Diagnosis
from mailwatch.core.walk import Why, walk

DIAGNOSIS = Diagnosis(Cause.INVALID_CREDENTIALS, "rule", "quote", Confidence.HIGH)
WHY = Why(IMAP, DIAGNOSIS, FAILURES[Cause.INVALID_CREDENTIALS], credential_age_seconds=60)


def test_two_triggers_make_two_rows_whose_versions_follow_each_other():
    standing = a_standing(version=7, cause=Cause.INVALID_CREDENTIALS, generation=3)
    after, rows = walk(standing, (Trigger.PROBE_FAILED, Trigger.PERSON_NEEDED), NOW, WHY)
    assert [(row.version, row.from_state, row.to_state) for row in rows] == [
        (8, State.CONNECTED, State.SUSPECT),
        (9, State.SUSPECT, State.BLOCKED),
    ]
    assert (after.version, after.state, after.since_at) == (9, State.BLOCKED, NOW)
    assert all(row.generation == 3 and row.at == NOW and row.credential_age_seconds == 60 for row in rows)


def test_a_trigger_that_stays_in_place_makes_no_row_and_keeps_since():
    standing = a_standing(State.RECONNECTING)
    after, rows = walk(standing, (Trigger.PROBE_FAILED,), NOW, WHY)
    assert rows == ()
    assert after == standing


def test_a_move_into_trouble_says_why():
    _, (row,) = walk(a_standing(cause=Cause.INVALID_CREDENTIALS), (Trigger.PROBE_FAILED,), NOW, WHY)
    assert (row.cause, row.protocol, row.diagnosis, row.evidence) == (Cause.INVALID_CREDENTIALS, IMAP, DIAGNOSIS, WHY.evidence)


@pytest.mark.parametrize(
    ("state", "trigger"),
    [
        (State.BLOCKED, Trigger.RECONNECT),
        (State.BLOCKED, Trigger.NEW_SECRET),
        (State.BLOCKED, Trigger.OBSTACLE_CLEARED),
        (State.BLOCKED, Trigger.BROUGHT_BACK),
        (State.HELD, Trigger.RELEASE),
        (State.RECONNECTING, Trigger.PROBE_SUCCEEDED),
        (State.VERIFYING, Trigger.VERIFIED),
    ],
)
def test_a_move_on_the_way_back_carries_no_cause(state, trigger):
    _, (row,) = walk(a_standing(state, cause=Cause.INVALID_CREDENTIALS), (trigger,), NOW, WHY)
    assert (row.cause, row.diagnosis, row.evidence, row.protocol) == (None, None, None, None)


def test_the_row_names_the_actor_and_the_effects_of_the_move():
    _, (row,) = walk(a_standing(), (Trigger.DISCONNECT,), later(5), Why(actor="cli:root"))
    assert row.actor == "cli:root"
    assert row.effects == {Effect.PAUSE_CAMPAIGNS}


def test_an_illegal_move_is_refused():
    with pytest.raises(IllegalMoveError):
        walk(a_standing(State.INACTIVE), (Trigger.PROBE_FAILED,), NOW, WHY)
