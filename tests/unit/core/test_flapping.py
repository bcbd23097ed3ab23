"""Whether a mailbox comes and goes."""

from datetime import timedelta

from builders import NOW, a_standing
from mailwatch.core.flapping import is_flapping, with_episode
from mailwatch.core.policy import FlapPolicy

POLICY = FlapPolicy(episodes=3, window_seconds=3600.0, calm_seconds=1800.0)


def ago(*minutes):
    return a_standing(episodes_at=tuple(NOW - timedelta(minutes=each) for each in minutes))


def test_three_disconnections_within_an_hour_are_flapping():
    assert is_flapping(ago(50, 30, 1), POLICY, NOW)
    assert not is_flapping(ago(30, 1), POLICY, NOW)


def test_it_stays_flapping_until_it_was_calm():
    assert is_flapping(ago(80, 60, 40), POLICY, NOW)
    assert not is_flapping(ago(100, 60, 40), POLICY, NOW)


def test_an_episode_is_added_and_old_ones_are_forgotten():
    assert with_episode(ago(61, 59), POLICY, NOW) == (NOW - timedelta(minutes=59), NOW)
