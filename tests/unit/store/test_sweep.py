"""Who is looked at soon, who may wait for long, and who is not looked at: every state is one of these."""

from mailwatch.core.lifecycle import State
from mailwatch.store.sweep import PATIENT, STEADY


def test_every_state_is_swept_but_those_that_need_no_moment():
    assert set(STEADY) | set(PATIENT) == set(State) - {State.HELD, State.INACTIVE}
    assert not set(STEADY) & set(PATIENT)
