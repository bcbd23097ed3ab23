"""What a daemon is made of: the machine's clocks, and values that nobody has to give."""

import random
from datetime import UTC

from mailwatch.core.pacing import Pace
from mailwatch.core.policy import Policy
from mailwatch.daemon.parts import Parts, SystemClock, Tuning
from mailwatch.telemetry.systemd import Notifier

TUNING = Tuning(Policy(), {}, Pace(), 10)


def parts():
    return Parts(None, None, None, None, SystemClock(), TUNING, "127.0.0.1:0", Notifier(environ={}))


def test_the_wall_clock_is_aware_and_the_other_never_runs_backwards():
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    moments = [clock.monotonic() for _ in range(1000)]
    assert moments == sorted(moments)


def test_history_is_kept_longer_than_a_year_and_the_audit_longer_still():
    transitions, audit = TUNING.retention_days
    assert 365 < transitions < audit


def test_a_daemon_that_is_told_nothing_more_has_no_file_to_reload_and_chance_nobody_can_foresee():
    one, other = parts(), parts()
    assert (one.reload, one.close, one.canary) == (None, None, None)
    assert isinstance(one.rng, random.SystemRandom)
    assert one.live is not other.live
