"""How fast logins may start at one provider: a virtual-scheduling token bucket (GCRA), and slots.

Rates are shared by all of a node's probes of the provider; starts are `60 / logins_per_minute` seconds apart on average, with a
burst of a few after a quiet time.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """A provider's limits for one node."""

    max_connections: int = 4  #: probes at the same time
    logins_per_minute: float = 120.0
    burst: int = 4  #: logins that may start at once after a quiet time
    per_address_bans: bool = True  #: servers that count failed logins by our address


class Pacer:
    """Decides how many more probes of a provider may start at `now` (monotonic seconds)."""

    __slots__ = ("_theoretical", "flying", "pace")

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.flying = 0
        self._theoretical = float("-inf")

    def room(self, now: float) -> int:
        """How many may start now, by slots and by rate; never negative."""
        step = 60.0 / self.pace.logins_per_minute
        ahead = max(0.0, self._theoretical - now)
        by_rate = int((self.pace.burst * step - ahead) / step + 1e-9)
        return max(0, min(self.pace.max_connections - self.flying, by_rate))

    def is_idle(self, now: float) -> bool:
        """Whether forgetting it would change nothing."""
        return self.flying == 0 and self._theoretical <= now

    def start(self, now: float) -> None:
        """A probe starts."""
        self.flying += 1
        self._theoretical = max(self._theoretical, now) + 60.0 / self.pace.logins_per_minute

    def finish(self) -> None:
        """A probe is over."""
        self.flying -= 1
