"""How much a mailbox may send after a long outage: providers distrust a sender that is silent for days and then sends at full rate.

The allowance is a ratio of the usual volume.  It starts low and grows in a straight line to 1; a short outage needs none of it.
All durations are seconds.
"""

from dataclasses import dataclass

from mailwatch.core.campaigns import CampaignPolicy


@dataclass(frozen=True, slots=True)
class RampPoint:
    """A corner of the allowance's line, *after_seconds* behind the return."""

    after_seconds: float
    ratio: float


def ramp_seconds(outage_seconds: float, policy: CampaignPolicy) -> float:
    """How long the return from an outage is ramped; 0: not at all."""
    if outage_seconds < policy.ramp_after_seconds:
        return 0.0
    return max(0.0, min(policy.ramp_max_seconds, policy.ramp_share * outage_seconds))


def allowance_ratio(outage_seconds: float, connected_seconds: float, policy: CampaignPolicy) -> float:
    """The share of its usual volume a mailbox may send, *connected_seconds* after an outage of *outage_seconds* ended."""
    length = ramp_seconds(outage_seconds, policy)
    # A clock that was set back is no reason to send more, or less than at the start.
    passed = max(0.0, connected_seconds)
    if passed >= length:
        return 1.0
    return min(1.0, policy.ramp_start_ratio + (1.0 - policy.ramp_start_ratio) * (passed / length))


def ramp_points(outage_seconds: float, policy: CampaignPolicy) -> tuple[RampPoint, ...]:
    """The line's corners, for a sender that wants to follow it by itself; between two corners it is straight."""
    length = ramp_seconds(outage_seconds, policy)
    if length == 0.0:
        return (RampPoint(0.0, 1.0),)
    return (RampPoint(0.0, policy.ramp_start_ratio), RampPoint(length, 1.0))
