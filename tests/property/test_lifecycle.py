"""Walks through the table of the lifecycle, any number of moves long."""

import itertools
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, a_standing
from mailwatch.core.lifecycle import MOVES, SENDING_STATES, Effect, State, Trigger, next_move
from mailwatch.core.walk import Why, walk

CHOICES = st.lists(st.integers(0, 11), max_size=60)


def a_walk(choices, state=State.PENDING):
    """The moves that *choices* lead to: (from, trigger, move)."""
    taken = []
    for choice in choices:
        triggers = sorted(MOVES[state])
        trigger = triggers[choice % len(triggers)]
        move = next_move(state, trigger)
        taken.append((state, trigger, move))
        state = move.to
    return taken


@given(CHOICES)
def test_campaigns_are_paused_and_resumed_in_turns_and_run_when_connected(choices):
    paused = False
    for state, trigger, move in a_walk(choices):
        if Effect.PAUSE_CAMPAIGNS in move.effects:
            assert not paused, f"{trigger} pauses twice in {state}"
            paused = True
        if Effect.RESUME_CAMPAIGNS in move.effects:
            assert paused, f"{trigger} resumes what runs in {state}"
            paused = False
        if move.to is not State.PENDING:
            assert paused is (move.to not in SENDING_STATES), f"{state} --{trigger}--> {move.to}"


@given(CHOICES)
def test_history_is_an_unbroken_chain(choices):
    standing = a_standing(State.PENDING)
    triggers = tuple(trigger for _, trigger, _ in a_walk(choices))
    after, rows = walk(standing, triggers, NOW, Why())
    assert [row.version for row in rows] == list(range(1, len(rows) + 1))
    assert all(earlier.to_state is later.from_state for earlier, later in itertools.pairwise(rows))
    assert all(row.from_state is not row.to_state for row in rows)
    assert after.version == len(rows)


@given(CHOICES)
def test_after_a_confirmed_disconnection_only_verification_leads_back(choices):
    down = False
    for _, trigger, move in a_walk(choices):
        down = down or move.to in {State.RECONNECTING, State.BLOCKED, State.HELD, State.INACTIVE}
        if move.to is State.CONNECTED and down:
            assert trigger is Trigger.VERIFIED
            down = False


def test_from_every_state_there_is_a_way_back_to_connected():
    for start in State:
        seen, queue = {start}, deque([start])
        while queue:
            for move in MOVES[queue.popleft()].values():
                if move.to not in seen:
                    seen.add(move.to)
                    queue.append(move.to)
        assert State.CONNECTED in seen, f"{start} is a dead end"
        assert State.INACTIVE in seen
