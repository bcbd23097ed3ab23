"""How gently a failing place is looked at: a circuit for each gate.

While it is open, one canary - a mailbox whose secret is proven - looks every few seconds; nobody else knocks.  Canaries that
come through make it half open: probes start again on a ramp that doubles, until the gate's own pace is reached.  A relapse opens
it anew.
"""

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final


@unique
class CircuitState(StrEnum):
    """Whether probes go through."""

    CLOSED = "closed"  #: all of them
    OPEN = "open"  #: canaries alone
    HALF_OPEN = "half_open"  #: more and more


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """The numbers of a circuit; durations in seconds."""

    canary_seconds: float = 15.0  #: between two canaries
    canaries: int = 3  #: that must come through one after the other
    ramp_start_per_second: float = 2.0
    ramp_doubles_seconds: float = 10.0
    ramp_limit_per_second: float = 500.0  #: from here on the gate's own pace alone decides
    relapse_looks: int = 20  #: of so many results on the ramp …
    relapse_share: float = 0.5  #: … this share failing opens the circuit anew
    trip_looks: int = 20  #: of so many results of a closed one …
    trip_share: float = 0.8  #: … this share failing opens it at once, before anybody has told an incident
    looks_seconds: float = 600.0  #: results count for so long: a mailbox or two, retried for hours, load nobody
    unused_seconds: float = 7200.0  #: a circuit that no probe has used for so long has nobody left behind it


_BURST_SECONDS: Final = 1.0
#: So many canaries may fail to come before one with an unproven secret is taken.
_CANARIES_MISSED: Final = 10


class Circuit:
    """The circuit of one gate.  Moments are seconds of a clock that never goes back."""

    __slots__ = (
        "_canaries_through",
        "_last_canary",
        "_lately",
        "_looks",
        "_policy",
        "_since",
        "_spent",
        "_spent_to",
        "_used_at",
        "state",
    )

    def __init__(self, policy: CircuitPolicy = CircuitPolicy()) -> None:
        self._policy = policy
        self.state = CircuitState.CLOSED
        self._since = 0.0
        self._last_canary = float("-inf")
        self._canaries_through = 0
        # in the present state, each with its moment
        self._looks: deque[tuple[float, bool]] = deque(maxlen=max(policy.relapse_looks, policy.trip_looks))
        self._lately: deque[bool] = deque(maxlen=policy.trip_looks)  # whatever the state
        self._spent = 0.0
        self._spent_to = 0.0
        self._used_at = float("-inf")

    def open(self, now: float) -> None:
        """An incident covers the gate."""
        self._used_at = now
        if self.state is not CircuitState.OPEN:
            self._enter(CircuitState.OPEN, now)

    def room(self, now: float) -> int | None:
        """How many probes may start now; None: the circuit does not limit them."""
        if self.state is CircuitState.CLOSED:
            return None
        if self.state is CircuitState.OPEN:
            return 1 if now - self._last_canary >= self._policy.canary_seconds else 0
        return max(0, int(self._allowance(now) - self._used(now)))

    def proven_only(self, now: float) -> bool:
        """Whether only mailboxes with a proven secret may look: an unproven one would say nothing of the place.

        Where none has looked for long there may be none: then any may, for else the circuit would stay open for ever.
        """
        patience = _CANARIES_MISSED * self._policy.canary_seconds
        return self.state is CircuitState.OPEN and now - max(self._since, self._last_canary) < patience

    @property
    def failing_share(self) -> float:
        """How much of the last results failed."""
        return sum(not worked for worked in self._lately) / len(self._lately) if self._lately else 0.0

    def start(self, now: float) -> None:
        """A probe starts."""
        self._used_at = now
        if self.state is CircuitState.OPEN:
            self._last_canary = now
        elif self.state is CircuitState.HALF_OPEN:
            self._spent = self._used(now) + 1.0
            self._spent_to = now

    def result(self, now: float, *, worked: bool) -> None:
        """A probe of this gate came back; *worked*: the place answered as a well one does."""
        self._used_at = now
        self._lately.append(worked)
        if self.state is CircuitState.CLOSED:
            self._looks.append((now, worked))
            if self._fails(now, self._policy.trip_looks, self._policy.trip_share):
                self._enter(CircuitState.OPEN, now)
        elif self.state is CircuitState.OPEN:
            self._canaries_through = self._canaries_through + 1 if worked else 0
            if self._canaries_through >= self._policy.canaries:
                self._enter(CircuitState.HALF_OPEN, now)
        elif self.state is CircuitState.HALF_OPEN:
            self._looks.append((now, worked))
            if self._fails(now, self._policy.relapse_looks, self._policy.relapse_share):
                self._enter(CircuitState.OPEN, now)
            elif self._rate(now) >= self._policy.ramp_limit_per_second:
                self._enter(CircuitState.CLOSED, now)

    def is_unused(self, now: float) -> bool:
        """Whether no probe has used it for so long that nobody can be left behind it."""
        return now - self._used_at > self._policy.unused_seconds

    def _fails(self, now: float, looks: int, share: float) -> bool:
        """Whether of the last *looks* results, none of them old, so large a share failed."""
        last = [worked for at, worked in list(self._looks)[-looks:] if now - at <= self._policy.looks_seconds]
        return len(last) == looks and sum(not worked for worked in last) >= share * looks

    def _enter(self, state: CircuitState, now: float) -> None:
        self.state = state
        self._since = now
        self._canaries_through = 0
        self._looks.clear()
        self._spent, self._spent_to = 0.0, now

    def _rate(self, now: float) -> float:
        doublings = (now - self._since) / self._policy.ramp_doubles_seconds
        return min(self._policy.ramp_limit_per_second, self._policy.ramp_start_per_second * math.exp2(min(doublings, 40.0)))

    def _allowance(self, now: float) -> float:
        """The bucket's depth: what a second at the present rate holds, and never less than one."""
        return max(1.0, self._rate(now) * _BURST_SECONDS)

    def _used(self, now: float) -> float:
        """What of the bucket is still spent: it drains at the present rate."""
        return max(0.0, self._spent - (now - self._spent_to) * self._rate(now))
