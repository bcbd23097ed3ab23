"""Signs and words of the live view."""

from datetime import UTC, datetime, timedelta

import pytest

from mailwatch.cli.live_words import ASCII_SIGNS, BRIEFS, COLOURS, SIGNS, lasting, next_look, told, who, why
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.standing import Transition

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_every_state_has_a_sign_of_its_own_beside_its_colour():
    for signs in (SIGNS, ASCII_SIGNS):
        assert set(signs) == set(State) == set(COLOURS)
        assert len(set(signs.values())) == len(State)
    assert all(sign.isascii() for sign in ASCII_SIGNS.values())


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_sentence_and_a_brief_that_fits_a_narrow_column(cause):
    assert why(cause)
    assert not why(cause).endswith(".")
    assert 0 < len(BRIEFS[cause]) <= 24
    assert who(cause)


@pytest.mark.parametrize(("seconds", "text"), [(-3, "0s"), (4.4, "4s"), (59.6, "1m"), (3599, "59m"), (7200, "2h")])
def test_durations_are_short(seconds, text):
    assert lasting(seconds) == text


def test_the_next_look_is_a_time_or_a_person():
    soon = NOW + timedelta(seconds=4)
    assert next_look(State.RECONNECTING, Cause.SERVER_UNAVAILABLE, soon, NOW) == "in 4s"
    assert next_look(State.RECONNECTING, Cause.SERVER_UNAVAILABLE, NOW, NOW) == "now"
    assert next_look(State.BLOCKED, Cause.INVALID_CREDENTIALS, soon, NOW) == "by owner"
    assert next_look(State.INACTIVE, None, None, NOW) == ""


@pytest.mark.parametrize(
    ("frm", "to", "trigger", "cause", "words"),
    [
        (State.CONNECTED, State.SUSPECT, Trigger.PROBE_FAILED, Cause.CONNECTION_REFUSED, "connection refused, looking again"),
        (State.SUSPECT, State.RECONNECTING, Trigger.FAILURE_CONFIRMED, Cause.RATE_LIMITED, "throttled, pausing, then retrying"),
        (State.SUSPECT, State.RECONNECTING, Trigger.FAILURE_CONFIRMED, Cause.CONNECTION_REFUSED, "connection refused, retrying"),
        (State.SUSPECT, State.BLOCKED, Trigger.PERSON_NEEDED, Cause.INVALID_CREDENTIALS, "password refused, waits for owner"),
        (State.BLOCKED, State.RECONNECTING, Trigger.NEW_SECRET, None, "new secret from the owner, trying it"),
        (State.RECONNECTING, State.VERIFYING, Trigger.PROBE_SUCCEEDED, None, "reached again, now proving it"),
        (State.VERIFYING, State.CONNECTED, Trigger.VERIFIED, None, "verified, sending may go on"),
        (State.SUSPECT, State.CONNECTED, Trigger.PROBE_SUCCEEDED, None, "false alarm, all well"),
    ],
)
def test_a_change_is_told_as_one_clause(frm, to, trigger, cause, words):
    assert told(Transition("mb", 1, NOW, frm, to, trigger, cause), brief=True) == words
