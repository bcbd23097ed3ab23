"""Where more mailboxes are than the pace lets a node look at within the interval.  Pure.

Paces are gentle by intent, and a gate that is too slow breaks nothing: its mailboxes are looked at in turn, only later than the
interval says.  That must be told, or a dead mailbox goes unnoticed for as long as a round takes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mailwatch.core.gates import GATE_OF_A_HOST
from mailwatch.core.pacing import Pace

_MINUTE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """A gate that one node cannot look through within the interval."""

    gate: str
    mailboxes: int
    logins_per_minute: float  #: of its pace
    wanted_per_minute: float  #: what the interval takes

    @property
    def round_seconds(self) -> float:
        """How long one node needs to look at each of them once."""
        return self.mailboxes * _MINUTE_SECONDS / self.logins_per_minute

    def __str__(self) -> str:
        seconds = self.round_seconds
        every = f"{seconds / _MINUTE_SECONDS:.0f} min" if seconds >= 2 * _MINUTE_SECONDS else f"{seconds:.0f} s"
        mailboxes = "1 mailbox" if self.mailboxes == 1 else f"{self.mailboxes} mailboxes"
        return (
            f"{self.gate.removeprefix(GATE_OF_A_HOST)}: {mailboxes} at {self.logins_per_minute:g} logins a minute: "
            f"one node looks at each only every {every}; {self._cure}"
        )

    @property
    def _cure(self) -> str:
        own = self.gate.startswith(GATE_OF_A_HOST)
        name = "other" if own else self.gate
        cure = f"set [providers.{name}] logins_per_minute = {self.wanted_per_minute:.0f} or more, and max_connections to match"
        return f"{cure} (it holds for each server that no provider names)" if own else cure


def least_crowd(paces: Mapping[str, Pace], other: Pace, interval_seconds: float) -> int:
    """With no more mailboxes than this no gate can be crowded."""
    slowest = min(pace.logins_per_minute for pace in (*paces.values(), other))
    return int(slowest * interval_seconds / _MINUTE_SECONDS)


def crowds(watched: Mapping[str, int], pace_of: Callable[[str], Pace], interval_seconds: float) -> Sequence[Crowd]:
    """Those gates of *watched* (how many mailboxes are looked at there) that are too slow for the interval, the slowest first."""
    found = [
        Crowd(gate, number, pace_of(gate).logins_per_minute, number * _MINUTE_SECONDS / interval_seconds)
        for gate, number in watched.items()
    ]
    too_slow = [crowd for crowd in found if crowd.round_seconds > interval_seconds]
    return sorted(too_slow, key=lambda crowd: (-crowd.round_seconds, crowd.gate))
