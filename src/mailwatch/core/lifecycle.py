"""The life of a mailbox: every state, every trigger, every legal move, and what each move sets off.

1. Everything that decides a mailbox's next state from a trigger is the one table below; `next_move` only looks it up.
2. Nothing here knows the time, the network or the database.
3. *Why* is never in the state; it is the cause beside it.
4. `connected` is left only through `suspect`, or by an operator, a hold or a removal; no success leads straight back to
   `connected` but the one that shows a suspicion to be false.

`docs/states.md` is drawn from this table (`diagram`); a test fails when the drawing is stale.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class State(StrEnum):
    """What we believe of a mailbox.  Removed is no state: then the mailbox and its data are gone."""

    PENDING = "pending"  #: added, not yet probed
    CONNECTED = "connected"  #: required channels work
    SUSPECT = "suspect"  #: a failure was seen and is being confirmed; campaigns still run
    RECONNECTING = "reconnecting"  #: disconnection confirmed; automatic reconnection is scheduled
    VERIFYING = "verifying"  #: reached again; proving itself before campaigns resume
    BLOCKED = "blocked"  #: needs a person; automatic logins stopped
    HELD = "held"  #: protective pause with a reason and perhaps an end
    INACTIVE = "inactive"  #: disconnected by an operator; nothing is probed


@unique
class Trigger(StrEnum):
    """What can happen to a mailbox."""

    PROBE_SUCCEEDED = "probe_succeeded"
    PROBE_FAILED = "probe_failed"  #: a failure, not yet confirmed
    FAILURE_CONFIRMED = "failure_confirmed"  #: seen again; it will be retried automatically
    PERSON_NEEDED = "person_needed"  #: confirmed, and retrying cannot heal it
    VERIFIED = "verified"  #: enough clean probes over enough time
    OBSTACLE_CLEARED = "obstacle_cleared"  #: a look without a login passed where the mailbox was stuck
    BROUGHT_BACK = "brought_back"  #: the incident that had stopped it is over, or is felt for
    NEW_SECRET = "new_secret"  #: a new password or consent was stored
    RECONNECT = "reconnect"  #: a person asked for it
    DISCONNECT = "disconnect"
    HOLD = "hold"
    RELEASE = "release"
    HOLD_ENDED = "hold_ended"


@unique
class Effect(StrEnum):
    """What a move sets off outside the mailbox itself."""

    PAUSE_CAMPAIGNS = "pause_campaigns"
    RESUME_CAMPAIGNS = "resume_campaigns"
    TELL_PERSON = "tell_person"


@dataclass(frozen=True, slots=True)
class Move:
    """Where a trigger leads, and what it sets off."""

    to: State
    effects: frozenset[Effect] = frozenset()


class IllegalMoveError(ValueError):
    """The mailbox cannot make this move from the state it is in."""

    def __init__(self, state: State, trigger: Trigger, words: str | None = None) -> None:
        super().__init__(words or f"{trigger} is not possible while the mailbox is {state}")
        self.state = state
        self.trigger = trigger


_PAUSE: Final = frozenset({Effect.PAUSE_CAMPAIGNS})
_PAUSE_TELL: Final = frozenset({Effect.PAUSE_CAMPAIGNS, Effect.TELL_PERSON})
_RESUME: Final = frozenset({Effect.RESUME_CAMPAIGNS})
_TELL: Final = frozenset({Effect.TELL_PERSON})

_S, _T = State, Trigger
_STOP: Final[Mapping[Trigger, Move]] = {_T.DISCONNECT: Move(_S.INACTIVE, _PAUSE), _T.HOLD: Move(_S.HELD, _PAUSE)}
# Campaigns are paused already in these states, so a stop pauses nothing more.
_STOP_PAUSED: Final[Mapping[Trigger, Move]] = {_T.DISCONNECT: Move(_S.INACTIVE), _T.HOLD: Move(_S.HELD)}

MOVES: Final[Mapping[State, Mapping[Trigger, Move]]] = MappingProxyType(
    {
        _S.PENDING: {
            _T.PROBE_SUCCEEDED: Move(_S.CONNECTED),
            _T.PROBE_FAILED: Move(_S.SUSPECT),
            _T.NEW_SECRET: Move(_S.PENDING),
            _T.RECONNECT: Move(_S.PENDING),
            **_STOP,
        },
        _S.CONNECTED: {
            _T.PROBE_SUCCEEDED: Move(_S.CONNECTED),
            _T.PROBE_FAILED: Move(_S.SUSPECT),
            _T.NEW_SECRET: Move(_S.CONNECTED),
            _T.RECONNECT: Move(_S.CONNECTED),
            **_STOP,
        },
        _S.SUSPECT: {
            _T.PROBE_SUCCEEDED: Move(_S.CONNECTED),
            _T.PROBE_FAILED: Move(_S.SUSPECT),
            _T.FAILURE_CONFIRMED: Move(_S.RECONNECTING, _PAUSE),
            _T.PERSON_NEEDED: Move(_S.BLOCKED, _PAUSE_TELL),
            _T.NEW_SECRET: Move(_S.SUSPECT),
            _T.RECONNECT: Move(_S.SUSPECT),
            **_STOP,
        },
        _S.RECONNECTING: {
            _T.PROBE_SUCCEEDED: Move(_S.VERIFYING),
            _T.PROBE_FAILED: Move(_S.RECONNECTING),
            _T.PERSON_NEEDED: Move(_S.BLOCKED, _TELL),
            _T.NEW_SECRET: Move(_S.RECONNECTING),
            _T.RECONNECT: Move(_S.RECONNECTING),
            **_STOP_PAUSED,
        },
        _S.VERIFYING: {
            _T.PROBE_SUCCEEDED: Move(_S.VERIFYING),
            _T.VERIFIED: Move(_S.CONNECTED, _RESUME),
            _T.PROBE_FAILED: Move(_S.RECONNECTING),
            _T.PERSON_NEEDED: Move(_S.BLOCKED, _TELL),
            _T.NEW_SECRET: Move(_S.VERIFYING),
            _T.RECONNECT: Move(_S.VERIFYING),
            **_STOP_PAUSED,
        },
        _S.BLOCKED: {
            _T.PROBE_FAILED: Move(_S.BLOCKED),
            _T.OBSTACLE_CLEARED: Move(_S.RECONNECTING),
            _T.BROUGHT_BACK: Move(_S.RECONNECTING),
            _T.NEW_SECRET: Move(_S.RECONNECTING),
            _T.RECONNECT: Move(_S.RECONNECTING),
            **_STOP_PAUSED,
        },
        _S.HELD: {
            _T.RELEASE: Move(_S.RECONNECTING),
            _T.HOLD_ENDED: Move(_S.RECONNECTING),
            _T.NEW_SECRET: Move(_S.HELD),
            _T.HOLD: Move(_S.HELD),
            _T.DISCONNECT: Move(_S.INACTIVE),
        },
        _S.INACTIVE: {
            _T.RECONNECT: Move(_S.RECONNECTING),
            _T.NEW_SECRET: Move(_S.INACTIVE),
        },
    }
)

#: States in which the mailbox is probed with its secret, its budget permitting.
LOGIN_STATES: Final = frozenset({_S.PENDING, _S.CONNECTED, _S.SUSPECT, _S.RECONNECTING, _S.VERIFYING})
#: States in which campaigns may send through the mailbox.
SENDING_STATES: Final = frozenset({_S.CONNECTED, _S.SUSPECT})
#: States a mailbox must not stay in for long without a fresh probe.
TRANSITIONAL_STATES: Final = frozenset({_S.PENDING, _S.SUSPECT, _S.VERIFYING})


def next_move(state: State, trigger: Trigger) -> Move:
    """Where *trigger* leads from *state*; raises IllegalMoveError when the table has no such row."""
    try:
        return MOVES[state][trigger]
    except KeyError:
        raise IllegalMoveError(state, trigger) from None


def diagram() -> str:
    """The table as a Mermaid state diagram; moves that stay in place are left out."""
    lines = ["stateDiagram-v2", "    [*] --> pending"]
    for state, row in MOVES.items():
        by_target: dict[State, list[Trigger]] = {}
        for trigger, move in row.items():
            if move.to is not state:
                by_target.setdefault(move.to, []).append(trigger)
        lines += [f"    {state} --> {to}: {', '.join(triggers)}" for to, triggers in by_target.items()]
    return "\n".join(lines)
