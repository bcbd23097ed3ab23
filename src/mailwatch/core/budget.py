"""The login budget: how many refused logins a secret and a host may see before mailwatch stops trying.

Two budgets, both counted over all nodes and restarts because what they count is stored:

* per secret (credential generation): `rejected_logins` within `window_seconds`.  A lease that ended without a result counts as
  a refusal, since the login may have been sent; an accepted login proves those were harmless and clears them.
* per host: `host_rejected_logins` within `host_window_seconds`.  It keeps our address from being banned by servers that count
  by address (fail2ban, cPHulk).  The big providers count by account; there only unproven secrets wait for it.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from mailwatch.core.policy import BudgetPolicy
from mailwatch.core.standing import Standing


def within(moments: Iterable[datetime], now: datetime, window_seconds: float) -> tuple[datetime, ...]:
    """The moments no older than the window.  Those ahead of *now* (a clock set back) are kept: forgetting would lock out."""
    start = now - timedelta(seconds=window_seconds)
    return tuple(moment for moment in moments if moment > start)


def refusals_left(standing: Standing, policy: BudgetPolicy, now: datetime) -> int:
    """How many refused logins this secret may still see."""
    spent = within((*standing.rejected_at, *standing.lost_at), now, policy.window_seconds)
    return max(0, policy.rejected_logins - len(spent))


def free_again_at(standing: Standing, policy: BudgetPolicy, now: datetime) -> datetime:
    """When the next login may be sent: *now*, or when enough of the window has passed."""
    spent = sorted(within((*standing.rejected_at, *standing.lost_at), now, policy.window_seconds))
    if len(spent) < policy.rejected_logins:
        return now
    return spent[len(spent) - policy.rejected_logins] + timedelta(seconds=policy.window_seconds)


class HostBudget:
    """Which logins may be in flight to a host now.  Holds no clock; `now` comes in.

    Strict hosts (those not known to count by account): refusals within the window plus logins in flight never exceed the limit,
    and an unproven secret leaves the last place to proven ones, so that bad secrets cannot stop the watching of good ones.  Once in
    a window a person's act may use even that.
    """

    def __init__(self, policy: BudgetPolicy) -> None:
        self.policy = policy
        self._refused: dict[str, deque[datetime]] = defaultdict(deque)
        self._ahead: dict[datetime, datetime] = {}  # moments of a clock that was set back, and as of when they count
        self._flying: dict[str, int] = defaultdict(int)
        self._unproven: dict[str, int] = defaultdict(int)
        self._favoured_at: dict[str, datetime] = {}  # when a person's act used the last place

    def learn(self, refusals: Mapping[str, Iterable[datetime]]) -> None:
        """Add what the store says of past refusals (all nodes) to what was seen here; the same refusal counts once."""
        for host, moments in refusals.items():
            union = Counter(map(self._as_of, moments)) | Counter(self._refused.get(host, ()))
            self._refused[host] = deque(sorted(union.elements()))

    def refuse(self, host: str, at: datetime) -> None:
        """A login to *host* was refused."""
        self._refused[host].append(at)

    def refused(self, host: str, now: datetime) -> int:
        """Refusals of *host* within the window."""
        moments = self._refused.get(host)
        if not moments:
            return 0
        if moments[-1] > now:
            moments = self._refused[host] = self._brought_back(moments, now)
        start = now - timedelta(seconds=self.policy.host_window_seconds)
        while moments and moments[0] <= start:
            moments.popleft()
        if not moments:
            del self._refused[host]
        return len(moments)

    def _brought_back(self, moments: Iterable[datetime], now: datetime) -> deque[datetime]:
        """*moments* without any ahead of *now*: the clock was set back.

        They count for one window from when that is noticed: neither until the clock is there again, nor not at all.
        """
        start = now - timedelta(seconds=self.policy.host_window_seconds)
        self._ahead = {moment: as_of for moment, as_of in self._ahead.items() if moment > start}
        known = list(moments)
        self._ahead.update((moment, now) for moment in known if moment > now)
        return deque(sorted(map(self._as_of, known)))

    def _as_of(self, moment: datetime) -> datetime:
        while moment in self._ahead:
            moment = self._ahead[moment]
        return moment

    def exhausted(self, now: datetime) -> frozenset[str]:
        """Hosts that have refused as many logins as they may: a strict one sees none until the first of them is long ago."""
        return frozenset(host for host in list(self._refused) if self.refused(host, now) >= self.policy.host_rejected_logins)

    def admits(self, host: str, now: datetime, *, proven: bool, strict: bool, asked: bool = False) -> bool:
        """Whether one more login to *host* may start; *asked*: a person asked for this one."""
        limit = self.policy.host_rejected_logins
        refused = self.refused(host, now)
        if not strict:
            return proven or refused + self._unproven.get(host, 0) < limit
        if refused + self._flying.get(host, 0) >= limit:
            return False
        return proven or refused + self._unproven.get(host, 0) < self._most(host, now, proven=proven, strict=strict, asked=asked)

    def _most(self, host: str, now: datetime, *, proven: bool, strict: bool, asked: bool) -> int:
        """How many refusals shut *host* for such a login."""
        limit = self.policy.host_rejected_logins
        return limit if proven or not strict or (asked and self._may_favour(host, now)) else max(1, limit - 1)

    def _may_favour(self, host: str, now: datetime) -> bool:
        at = self._favoured_at.get(host)
        return at is None or abs((now - at).total_seconds()) >= self.policy.host_window_seconds

    def shut_until(self, host: str, now: datetime, *, proven: bool, strict: bool, asked: bool = False) -> datetime | None:
        """Until when refusals keep such a login from *host*; None: they do not."""
        refused, most = self.refused(host, now), self._most(host, now, proven=proven, strict=strict, asked=asked)
        if (proven and not strict) or refused < most:
            return None
        return self._refused[host][refused - most] + timedelta(seconds=self.policy.host_window_seconds)

    def room(self, host: str, now: datetime) -> int:
        """How many logins to a strict *host* may start now at the most."""
        return max(0, self.policy.host_rejected_logins - self.refused(host, now) - self._flying.get(host, 0))

    def free_at(self, host: str, now: datetime) -> datetime:
        """When the oldest refusal that counts leaves the window."""
        if not self.refused(host, now):
            return now
        return self._refused[host][0] + timedelta(seconds=self.policy.host_window_seconds)

    def start(self, host: str, *, proven: bool, asked_at: datetime | None = None) -> None:
        """A login to *host* is in flight; *asked_at*: it is now, and a person asked for it."""
        if asked_at is not None and not self.admits(host, asked_at, proven=proven, strict=True):
            window = timedelta(seconds=self.policy.host_window_seconds)
            self._favoured_at = {known: at for known, at in self._favoured_at.items() if abs(asked_at - at) < window}
            self._favoured_at[host] = asked_at
        self._flying[host] += 1
        self._unproven[host] += not proven

    def finish(self, host: str, *, proven: bool) -> None:
        """A login to *host* is over; refusals are told by `refuse`."""
        for counts, step in ((self._flying, 1), (self._unproven, int(not proven))):
            counts[host] -= step
            if counts[host] <= 0:
                counts.pop(host, None)
