"""Walks the lifecycle table: triggers in, the standing's new state and the rows of history out."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from mailwatch.core.evidence import Evidence
from mailwatch.core.lifecycle import SENDING_STATES, State, Trigger, next_move
from mailwatch.core.mailbox import Protocol
from mailwatch.core.standing import Diagnosis, Standing, Transition

#: Moves into these states say why; on the way back there is no cause.
_EXPLAINED: Final = frozenset({State.SUSPECT, State.RECONNECTING, State.BLOCKED, State.HELD, State.INACTIVE})
#: These lead into `reconnecting` because somebody wants it back, not because it failed.
_WELCOME: Final = frozenset(
    {
        Trigger.RECONNECT,
        Trigger.NEW_SECRET,
        Trigger.RELEASE,
        Trigger.HOLD_ENDED,
        Trigger.OBSTACLE_CLEARED,
        Trigger.BROUGHT_BACK,
    }
)


@dataclass(frozen=True, slots=True)
class Why:
    """What is written beside a transition."""

    protocol: Protocol | None = None
    diagnosis: Diagnosis | None = None
    evidence: Evidence | None = None
    actor: str = "mailwatch"
    credential_age_seconds: int | None = None


def walk(standing: Standing, triggers: tuple[Trigger, ...], now: datetime, why: Why) -> tuple[Standing, tuple[Transition, ...]]:
    """*standing* after *triggers*, and a row for each change of state; raises IllegalMoveError."""
    rows: list[Transition] = []
    for trigger in triggers:
        move = next_move(standing.state, trigger)
        if move.to is standing.state:
            continue
        explained = move.to in _EXPLAINED and trigger not in _WELCOME
        row = Transition(
            mailbox_id=standing.mailbox_id,
            version=standing.version + 1,
            at=now,
            from_state=standing.state,
            to_state=move.to,
            trigger=trigger,
            cause=standing.cause if explained else None,
            protocol=why.protocol if explained else None,
            diagnosis=why.diagnosis if explained else None,
            evidence=why.evidence if explained else None,
            generation=standing.generation,
            actor=why.actor,
            effects=move.effects,
            credential_age_seconds=why.credential_age_seconds,
        )
        rows.append(row)
        absent_since_at = _absent_since(standing, move.to, now)
        standing = replace(standing, state=move.to, version=row.version, since_at=now, absent_since_at=absent_since_at)
    return standing, tuple(rows)


def _absent_since(before: Standing, to: State, now: datetime) -> datetime | None:
    """Since when nothing is sent through a mailbox that moves on from *before*: no act and no failure on the way begins it anew."""
    if to in SENDING_STATES:
        return None
    if before.state in SENDING_STATES or before.state is State.PENDING:
        return now
    # what was stored before this was kept: the earliest it can be
    return before.absent_since_at or min(before.since_at, before.down_since_at or before.since_at)
