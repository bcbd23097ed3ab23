"""Whether a mailbox comes and goes: several disconnections in short order are one long episode."""

from datetime import datetime

from mailwatch.core.budget import within
from mailwatch.core.policy import FlapPolicy
from mailwatch.core.standing import Standing


def with_episode(standing: Standing, policy: FlapPolicy, now: datetime) -> tuple[datetime, ...]:
    """The moments of the lately begun disconnections, one that begins now among them."""
    return (*within(standing.episodes_at, now, policy.window_seconds), now)


def is_flapping(standing: Standing, policy: FlapPolicy, now: datetime) -> bool:
    """Whether it disconnected so often lately that it must be calm for long before its campaigns go on."""
    return len(within(standing.episodes_at, now, policy.window_seconds + policy.calm_seconds)) >= policy.episodes
