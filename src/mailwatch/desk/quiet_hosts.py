"""Which looks are put off for their host, as the database tells it: any node and any command line knows it, not only who probes."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from mailwatch.core.budget import HostBudget
from mailwatch.core.gates import gate_of
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import Policy
from mailwatch.core.quiet_hosts import QuietHost, quiet_host_of
from mailwatch.ports import Clock, MailboxView, Store


class Rules(Protocol):
    """What of the configuration decides."""

    @property
    def policy(self) -> Policy:
        """The budgets are in it."""

    def pace_of(self, gate: str) -> Pace:
        """How the hosts behind *gate* count."""


class QuietHosts:
    """*rules* gives those in force."""

    def __init__(self, store: Store, clock: Clock, rules: Callable[[], Rules]) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules

    async def of(self, view: MailboxView) -> QuietHost | None:
        """What the next look at this mailbox waits for; raises MailwatchError."""
        return await self.of_all([view])

    async def of_all(self, views: Sequence[MailboxView]) -> QuietHost | None:
        """What the first look at any of them waits for; None when one waits for nothing of the kind.  Raises MailwatchError."""
        if not views:
            return None
        now, rules = self._clock.now(), self._rules()
        budget = rules.policy.budget
        hosts = HostBudget(budget)
        hosts.learn(await self._store.refusals_since(now - timedelta(seconds=budget.host_window_seconds)))
        found = []
        for view in views:
            strict = rules.pace_of(gate_of(view.mailbox)).per_address_bans
            quiet = quiet_host_of(view.mailbox, view.standing, hosts, rules.policy, now, strict=strict)
            if quiet is None:
                return None
            found.append(quiet)
        return min(found, key=lambda each: each.until_at)
