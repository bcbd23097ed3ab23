"""Which looks wait for a host that has refused too many logins, and until when: for whoever asked for one and sees none.  Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailwatch.core.budget import HostBudget
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.plan import plan
from mailwatch.core.policy import Policy
from mailwatch.core.standing import Standing


@dataclass(frozen=True, slots=True)
class QuietHost:
    """A host that is left alone until *until_at*, since it refused *refused* logins within *window_seconds*."""

    host: str
    refused: int
    window_seconds: float
    until_at: datetime

    @property
    def sentence(self) -> str:
        """What it means, for operators."""
        times = "1 login" if self.refused == 1 else f"{self.refused} logins"
        return (
            f"{self.host} refused {times} within {self.window_seconds / 60:g} min, so mailwatch leaves it alone until "
            f"{self.until_at:%H:%M} UTC: it must not ban our address."
        )


def quiet_hosts(hosts: HostBudget, now: datetime, is_strict: Callable[[str], bool]) -> list[QuietHost]:
    """The hosts that see no login at all until they are free again; *is_strict*: whether a host may count by our address."""
    window_seconds = hosts.policy.host_window_seconds
    return [
        QuietHost(host, hosts.refused(host, now), window_seconds, hosts.free_at(host, now))
        for host in sorted(hosts.exhausted(now))
        if is_strict(host)
    ]


def is_asked_for(standing: Standing) -> bool:
    """Whether its next login is one that a person asked for: by Reconnect, or with a new secret that no server has judged yet."""
    is_new = standing.generation > 1 and not (standing.proven or standing.rejected_at or standing.lost_at)
    return standing.forced or (is_new and standing.state is not State.PENDING)


def quiet_host_of(
    mailbox: Mailbox, standing: Standing, hosts: HostBudget, policy: Policy, now: datetime, *, strict: bool
) -> QuietHost | None:
    """The host that the next look at *mailbox* waits for; None where it waits for none.

    *strict*: its hosts are not known to count by account.
    """
    if standing.due_at is None or not plan(mailbox, standing, policy, now).logs_in:
        return None
    asked = is_asked_for(standing)
    found = []
    for host in dict.fromkeys(endpoint.host for endpoint in mailbox.endpoints):
        until_at = hosts.shut_until(host, now, proven=standing.proven, strict=strict, asked=asked)
        # what is due later than that is not put off
        if until_at is not None and standing.due_at <= until_at + timedelta(seconds=1):
            found.append(QuietHost(host, hosts.refused(host, now), policy.budget.host_window_seconds, until_at))
    return max(found, key=lambda each: each.until_at, default=None)
