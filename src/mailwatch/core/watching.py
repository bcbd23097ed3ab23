"""Who is watched between probes, and how soon a mailbox is looked at whose open session has ended.  Pure.

An end that a server announced, or one that nobody did, is a reason to look and never a verdict: the ordinary probe gives that.  A
provider that ends a thousand sessions at once must not get a thousand logins at once for it, and a server that ends every session
as soon as it is open must not get more logins than the interval asks for.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mailwatch.core.mailbox import Mailbox
from mailwatch.core.pacing import Pace

EVERYBODY: Final = "*"
#: Between two early looks at one mailbox, at the least; twice as long after each end that comes soon after another.
FLOOR_SECONDS: Final = 60.0
#: Ends of sessions further apart than this (and than twice the wait in between) have nothing to do with each other.
CALM_SECONDS: Final = 600.0
#: Early looks a second over all mailboxes of a node: half of what the slowest fleet is looked at with.
FLEET_PER_SECOND: Final = 5.0
#: The share of a provider's logins that may go to early looks; the rest is for those that are due.
SHARE_OF_PACE: Final = 0.5
#: What is known of more mailboxes than this is sorted out.
_MOST_KNOWN: Final = 10_000
_MOST_DOUBLINGS: Final = 5


@dataclass(frozen=True, slots=True)
class WatchRules:
    """Who is watched: mailboxes with IMAP that carry one of *labels* (`key`, `key=value`, or `*` for all)."""

    labels: tuple[str, ...] = ()
    most: int = 1000  #: open sessions of a node
    renew_seconds: float = 240.0  #: how long a session may be silent before the server is asked
    interval_seconds: float = 300.0  #: how often a mailbox is probed in any case

    def wants(self, mailbox: Mailbox) -> bool:
        """Whether *mailbox* is one of those to be watched, as far as its labels and endpoints go."""
        return bool(self.labels) and mailbox.imap is not None and any(_carries(mailbox.labels, each) for each in self.labels)


def _carries(labels: Mapping[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return wanted == EVERYBODY or (key in labels and (not equals or labels[key] == value))


class _Slots:
    """Virtual scheduling: *burst* at once after a quiet time, then one every *step* seconds."""

    __slots__ = ("_theoretical",)

    def __init__(self) -> None:
        self._theoretical = float("-inf")

    def wait(self, now: float, step: float, burst: int) -> float:
        """Seconds until the slot that is taken by asking."""
        theoretical = max(self._theoretical, now)
        self._theoretical = theoretical + step
        return max(0.0, theoretical - now - (burst - 1) * step)

    def is_idle(self, now: float) -> bool:
        return self._theoretical <= now


@dataclass(frozen=True, slots=True)
class _LastEnd:
    """What is known of a mailbox whose session has ended; moments are monotonic."""

    at: float
    waited: float
    row: int = 0  #: ends before it that came soon after each other
    free_at: float = float("-inf")  #: from when on it may be looked at early again

    def next(self, now: float) -> "_LastEnd":
        """The same after another end at *now*."""
        calm = now - self.at >= max(CALM_SECONDS, 2 * self.waited)
        row = 0 if calm else min(self.row + 1, _MOST_DOUBLINGS)
        waited = max(0.0, self.free_at - now)
        # the second term: looks that were due in any case have come in between
        free_at = min(now + waited + FLOOR_SECONDS * 2**row, now + FLOOR_SECONDS * 2**_MOST_DOUBLINGS)
        return _LastEnd(now, waited, row, free_at)


_NEVER: Final = _LastEnd(float("-inf"), 0.0)


class EarlyLooks:
    """When mailboxes whose sessions ended are looked at: at once where that is gentle, else spread out."""

    def __init__(self) -> None:
        self._last: dict[str, _LastEnd] = {}
        self._gates: dict[str, _Slots] = {}
        self._fleet = _Slots()
        self._bound = _MOST_KNOWN

    def wait_seconds(self, mailbox_id: str, gate: str, pace: Pace, *, now: float, rng: random.Random) -> float:
        """How long to wait before the look at *mailbox_id*, whose session has just ended; *now* is monotonic."""
        self._forget(now)
        last = self._last[mailbox_id] = self._last.get(mailbox_id, _NEVER).next(now)
        slots = self._gates.setdefault(gate, _Slots())
        by_gate = slots.wait(now, 60.0 / (pace.logins_per_minute * SHARE_OF_PACE), pace.burst)
        by_fleet = self._fleet.wait(now, 1 / FLEET_PER_SECOND, round(FLEET_PER_SECOND))
        return max(last.waited, max(by_gate, by_fleet) * (1 + 0.1 * rng.random()))

    def _forget(self, now: float) -> None:
        """Keep what is remembered bounded; looked through only when it has doubled."""
        if len(self._last) + len(self._gates) <= self._bound:
            return
        since = now - 2 * FLOOR_SECONDS * 2**_MOST_DOUBLINGS
        self._last = {mailbox_id: last for mailbox_id, last in self._last.items() if last.at > since}
        self._gates = {gate: slots for gate, slots in self._gates.items() if not slots.is_idle(now)}
        self._bound = max(_MOST_KNOWN, 2 * (len(self._last) + len(self._gates)))
