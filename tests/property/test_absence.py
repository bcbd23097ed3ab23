"""Whatever people do with a mailbox that is away, its return is that from the whole absence: no act makes it a short one."""

import random
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from builders import FAILURES, IMAP, NOW, SMTP, a_mailbox, a_report, a_standing, failed, healthy
from mailwatch.core import acts
from mailwatch.core.causes import Cause
from mailwatch.core.decide import decide
from mailwatch.core.lifecycle import SENDING_STATES, IllegalMoveError, State
from mailwatch.core.policy import Policy

WELL = (healthy(IMAP), healthy(SMTP))
ILL = (failed(FAILURES[Cause.CONNECTION_REFUSED], IMAP), failed(FAILURES[Cause.CONNECTION_REFUSED], SMTP))
WHAT = st.sampled_from(["hold", "disconnect", "reconnect", "release", "hold_ended", "new_secret", "look", "look in vain"])
STEPS = st.lists(st.tuples(st.integers(0, 30 * 86_400), WHAT), min_size=1, max_size=12)


def looked_at(standing, channels, now):
    return decide(a_mailbox(), standing, a_report(*channels, at=now), Policy(), now, random.Random(1)).after


def done(standing, what, now):
    deeds = {
        "hold": lambda: acts.hold(standing, now, "me", Cause.ANOMALY_PAUSE, None).after,
        "disconnect": lambda: acts.disconnect(standing, now, "me").after,
        "reconnect": lambda: acts.reconnect(standing, now, "me").after,
        "release": lambda: acts.release(standing, now, "me").after,
        "hold_ended": lambda: acts.hold_ended(standing, now).after,
        "new_secret": lambda: acts.new_secret(standing, now, "me").after,
        "look": lambda: looked_at(standing, WELL, now),
        "look in vain": lambda: looked_at(standing, ILL, now),
    }
    try:
        return deeds[what]()
    except IllegalMoveError:
        return standing


def brought_back(standing, now):
    """Released or reconnected, and found to be well until it is verified: the standing, and when that was."""
    standing = done(done(standing, "release", now), "reconnect", now)
    while standing.state not in SENDING_STATES:
        now = max(now, standing.due_at)
        standing = looked_at(standing, WELL, now)
    return standing, now


@given(STEPS)
@example([(0, "disconnect"), (20 * 86_400, "reconnect"), (30, "hold"), (300, "release")])
@example([(0, "hold"), (20 * 86_400, "disconnect"), (300, "reconnect")])
def test_the_return_is_that_from_all_the_time_since_it_last_could_send(steps):
    standing, now, stopped_at = a_standing(due_at=NOW), NOW, None
    for wait, what in steps:
        now += timedelta(seconds=wait)
        standing = done(standing, what, now)
        stopped_at = None if standing.state in SENDING_STATES else stopped_at or now
    standing, now = brought_back(standing, now)
    if stopped_at is not None:
        assert standing.returned_after_seconds >= (now - stopped_at).total_seconds()
        assert standing.state is State.CONNECTED
