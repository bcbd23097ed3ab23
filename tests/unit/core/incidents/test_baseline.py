"""What a scope shows by itself."""

import pytest

from mailwatch.core.incidents.baseline import HALF_LIFE_SECONDS, Baseline, expected_share, learn

DAY = 86_400.0


def test_an_unknown_scope_is_expected_to_fail_now_and_then():
    assert 0 < expected_share(Baseline(), 600) < 0.001


def test_a_scope_that_fails_often_is_expected_to():
    restless = learn(Baseline(), events=500, mailboxes=100, seconds=DAY)
    assert expected_share(restless, 600) > 20 * expected_share(Baseline(), 600)


def test_what_is_old_counts_less():
    once = learn(Baseline(), events=100, mailboxes=100, seconds=0.0)
    later = learn(once, events=0, mailboxes=0, seconds=HALF_LIFE_SECONDS)
    assert later.events == pytest.approx(50)


def test_quiet_watching_lowers_the_expectation():
    assert expected_share(learn(Baseline(), events=0, mailboxes=1000, seconds=DAY), 600) < expected_share(Baseline(), 600)
