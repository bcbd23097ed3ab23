"""What a simulated provider saw: logins and refusals by account with their moments, and how many connections at once.

Tests assert on it that no budget is overrun, that logins come in no bursts and that no mailbox is probed twice at a time.
Moments are seconds of the world's monotonic clock.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

#: Moments kept for each account, and for the provider as a whole (the counts are complete).
KEPT: Final = 500
KEPT_IN_ALL: Final = 200_000


class Gauge:
    """How many there are now, and the most there ever were."""

    __slots__ = ("now", "peak")

    def __init__(self) -> None:
        self.now = 0
        self.peak = 0

    def __enter__(self) -> None:
        self.now += 1
        self.peak = max(self.peak, self.now)

    def __exit__(self, *_: object) -> None:
        self.now -= 1


class Ledger:
    """The book a provider keeps about its clients."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.logins: Counter[str] = Counter()  #: logins tried, by address
        self.accepted: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()  #: refused for their secret
        self.refreshes: Counter[str] = Counter()  #: tokens asked for, by address
        self.submissions: Counter[str] = Counter()  #: mails taken
        self.connections = Gauge()
        self.sessions: defaultdict[str, Gauge] = defaultdict(Gauge)  #: sessions logged in, by address and protocol
        self._login_times: list[float] = []
        self._rejected_times: list[float] = []
        self._by_account: defaultdict[str, list[float]] = defaultdict(list)

    def login_tried(self, address: str) -> None:
        """A client sent a secret."""
        now = self._clock()
        self.logins[address] += 1
        _keep(self._login_times, now, KEPT_IN_ALL)
        _keep(self._by_account[address], now, KEPT)

    def login_rejected(self, address: str) -> None:
        """The secret was refused."""
        self.rejected[address] += 1
        _keep(self._rejected_times, self._clock(), KEPT_IN_ALL)

    @contextmanager
    def session(self, address: str, protocol: str) -> Iterator[None]:
        """A session of *address* lasts as long as this."""
        self.accepted[address] += 1
        with self.sessions[f"{protocol}:{address}"]:
            yield

    def login_times(self, address: str | None = None) -> Sequence[float]:
        """When logins were tried, oldest first: by *address*, or by anyone."""
        return tuple(self._login_times if address is None else self._by_account.get(address, ()))

    def rejected_since(self, seconds: float) -> int:
        """Logins refused in the last *seconds*."""
        return len(self._rejected_times) - bisect_left(self._rejected_times, self._clock() - seconds)

    def busiest(self, window_seconds: float) -> int:
        """The most logins tried inside any window of that length: the size of the worst burst."""
        times, start, most = self._login_times, 0, 0
        for end, moment in enumerate(times):
            while times[start] <= moment - window_seconds:
                start += 1
            most = max(most, end - start + 1)
        return most

    def totals(self) -> Mapping[str, int]:
        """The sums, for a report."""
        return {
            "logins": self.logins.total(),
            "accepted": self.accepted.total(),
            "rejected": self.rejected.total(),
            "most_rejected": max(self.rejected.values(), default=0),
            "refreshes": self.refreshes.total(),
            "submissions": self.submissions.total(),
            "connections_peak": self.connections.peak,
            "sessions_peak": max((gauge.peak for gauge in self.sessions.values()), default=0),
        }


def _keep(times: list[float], now: float, limit: int) -> None:
    times.append(now)
    if len(times) > limit + limit // 4:
        del times[:-limit]
