"""What the next probe of a mailbox may do: how deep it may go, which channel comes first, how many refusals it may cost."""

from dataclasses import dataclass
from datetime import datetime

from mailwatch.core.budget import refusals_left
from mailwatch.core.lifecycle import LOGIN_STATES
from mailwatch.core.mailbox import Depth, Mailbox, Protocol
from mailwatch.core.policy import Policy
from mailwatch.core.standing import Standing


@dataclass(frozen=True, slots=True)
class Plan:
    """What one probe is to do."""

    depth: Depth
    first: Protocol
    refusals_left: int
    withheld_reason: str | None = None

    @property
    def logs_in(self) -> bool:
        """Whether a secret will be sent."""
        return self.depth is not Depth.REACH


def plan(mailbox: Mailbox, standing: Standing, policy: Policy, now: datetime) -> Plan:
    """The next probe of *mailbox*; a login only where the state and the budget allow one."""
    first = _first(mailbox, standing)
    if standing.state not in LOGIN_STATES:
        return Plan(Depth.REACH, first, 0, "blocked")
    left = refusals_left(standing, policy.budget, now)
    if left == 0 and standing.forced:
        left = 1  # until it is refused: a person's Reconnect must also see its verification through
    if left == 0:
        return Plan(Depth.REACH, first, 0, "budget")
    return Plan(policy.depth, first, left)


def _first(mailbox: Mailbox, standing: Standing) -> Protocol:
    """The channel that is ill: if it refuses the secret again, the other one is spared."""
    channels = [endpoint.protocol for endpoint in mailbox.endpoints]
    for protocol in channels:
        health = standing.channels.get(protocol)
        if health is not None and not health.healthy:
            return protocol
    return channels[0] if channels else Protocol.IMAP
