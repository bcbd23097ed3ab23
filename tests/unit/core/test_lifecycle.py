"""The table of the lifecycle: what is in it, what is not, and the page drawn from it."""

import pytest

from mailwatch.cli import states_page
from mailwatch.core.lifecycle import (
    LOGIN_STATES,
    MOVES,
    SENDING_STATES,
    TRANSITIONAL_STATES,
    Effect,
    IllegalMoveError,
    State,
    Trigger,
    diagram,
    next_move,
)

S, T = State, Trigger
PEOPLES = {T.NEW_SECRET, T.RECONNECT, T.DISCONNECT, T.HOLD, T.RELEASE}
PAUSED = frozenset(State) - SENDING_STATES - {S.PENDING}


def moves():
    return [(state, trigger, move) for state, row in MOVES.items() for trigger, move in row.items()]


def test_every_state_has_a_row():
    assert set(MOVES) == set(State)


def test_every_trigger_is_used():
    assert {trigger for _, trigger, _ in moves()} == set(Trigger)


def test_connected_is_left_by_mailwatch_only_into_suspect():
    by_itself = {move.to for trigger, move in MOVES[S.CONNECTED].items() if trigger not in PEOPLES}
    assert by_itself == {S.CONNECTED, S.SUSPECT}


def test_no_success_leads_from_a_confirmed_disconnection_straight_to_connected():
    for state in (S.RECONNECTING, S.BLOCKED, S.HELD, S.INACTIVE):
        assert S.CONNECTED not in {move.to for move in MOVES[state].values()}


def test_only_verified_leads_from_verifying_to_connected():
    assert {trigger for trigger, move in MOVES[S.VERIFYING].items() if move.to is S.CONNECTED} == {T.VERIFIED}


def test_nothing_but_a_person_a_look_without_login_or_an_incidents_end_leads_out_of_blocked():
    out = {trigger for trigger, move in MOVES[S.BLOCKED].items() if move.to is not S.BLOCKED}
    assert out <= PEOPLES | {T.OBSTACLE_CLEARED, T.BROUGHT_BACK}


def test_no_probe_moves_a_held_or_inactive_mailbox():
    probes = {T.PROBE_SUCCEEDED, T.PROBE_FAILED, T.FAILURE_CONFIRMED, T.PERSON_NEEDED, T.VERIFIED, T.OBSTACLE_CLEARED}
    assert not probes & set(MOVES[S.HELD])
    assert not probes & set(MOVES[S.INACTIVE])


@pytest.mark.parametrize("state", sorted(set(State) - {S.INACTIVE}))
def test_every_active_mailbox_can_be_disconnected(state):
    assert next_move(state, T.DISCONNECT).to is S.INACTIVE


@pytest.mark.parametrize("state", sorted(set(State) - {S.HELD}))
def test_every_mailbox_that_is_not_held_can_be_reconnected(state):
    assert next_move(state, T.RECONNECT).to in LOGIN_STATES


@pytest.mark.parametrize("state", sorted(State))
def test_every_state_takes_a_new_secret(state):
    assert T.NEW_SECRET in MOVES[state]


def test_campaigns_are_paused_by_each_move_out_of_a_state_in_which_they_run_and_by_no_other():
    for state, trigger, move in moves():
        runs = state in SENDING_STATES or state is S.PENDING
        assert (Effect.PAUSE_CAMPAIGNS in move.effects) == (runs and move.to in PAUSED), (state, trigger)


def test_campaigns_are_resumed_by_verification_and_by_nothing_else():
    assert {trigger for _, trigger, move in moves() if Effect.RESUME_CAMPAIGNS in move.effects} == {T.VERIFIED}


def test_a_person_is_told_of_each_move_into_blocked():
    for state, trigger, move in moves():
        assert (Effect.TELL_PERSON in move.effects) == (move.to is S.BLOCKED and state is not S.BLOCKED), (state, trigger)


def test_a_move_that_is_not_in_the_table_is_refused_by_name():
    with pytest.raises(IllegalMoveError, match="verified is not possible while the mailbox is connected") as caught:
        next_move(S.CONNECTED, T.VERIFIED)
    assert (caught.value.state, caught.value.trigger) == (S.CONNECTED, T.VERIFIED)


def test_no_login_is_sent_where_a_person_is_needed_or_asked_for_quiet():
    assert frozenset(State) - {S.BLOCKED, S.HELD, S.INACTIVE} == LOGIN_STATES
    assert SENDING_STATES < LOGIN_STATES
    assert TRANSITIONAL_STATES < LOGIN_STATES


def test_the_diagram_shows_every_move_that_changes_the_state_once():
    drawn = [line.strip() for line in diagram().splitlines() if " --> " in line]
    assert len(drawn) == len({(state, move.to) for state, _, move in moves() if move.to is not state}) + 1
    for state, trigger, move in moves():
        if move.to is not state:
            line = next(line for line in drawn if line.startswith(f"{state} --> {move.to}:"))
            assert trigger in line.partition(": ")[2].split(", ")


def test_the_page_of_the_states_is_the_one_drawn_from_the_table(repository):
    page = repository / "docs/states.md"
    assert page.read_text(encoding="utf-8") == states_page.page(), (
        "stale: run `python -m mailwatch.cli.states_page > docs/states.md`"
    )
