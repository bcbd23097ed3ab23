"""Heartbeats: the worst state of a mailbox in each of the last 24 hours, out of its transitions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import bindparam, func, select

from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import ORDER
from mailwatch.store.engine import Attempt
from mailwatch.store.schema import mailboxes, standings, transitions

HOURS: Final = 24
_HOUR: Final = timedelta(hours=1)
_BADNESS: Final = {state: -rank for rank, state in enumerate(ORDER)}

_PRESENT: Final = (
    select(mailboxes.c.id, mailboxes.c.created_at, standings.c.state)
    .join_from(mailboxes, standings, standings.c.mailbox_id == mailboxes.c.id)
    .where(mailboxes.c.id.in_(bindparam("ids", expanding=True)))
)
_earlier = transitions.alias("earlier")
# the version of the last transition before the window: the walk down a mailbox's chain ends at the first it finds
_BASE: Final = (
    select(_earlier.c.version)
    .where(_earlier.c.mailbox_id == standings.c.mailbox_id, _earlier.c.at <= bindparam("since"))
    .order_by(_earlier.c.version.desc())
    .limit(1)
    .scalar_subquery()
)
_MOVES: Final = (
    select(transitions.c.mailbox_id, transitions.c.at, transitions.c.from_state, transitions.c.to_state)
    .join_from(standings, transitions, transitions.c.mailbox_id == standings.c.mailbox_id)
    .where(standings.c.mailbox_id.in_(bindparam("ids", expanding=True)), transitions.c.version >= func.coalesce(_BASE, 0))
    .order_by(transitions.c.mailbox_id, transitions.c.version)
)


class Move(NamedTuple):
    """One change of state."""

    at: datetime
    from_state: State
    to_state: State


def cells(created_at: datetime, state: State, moves: Sequence[Move], now: datetime) -> tuple[State | None, ...]:
    """The worst state of each of the 24 hours that end at *now*, oldest first; None where the mailbox was not there yet.

    *moves* are the transitions since then and the last one before, oldest first; without any it has always been *state*.
    """
    start = now - HOURS * _HOUR
    worst: list[State | None] = [None] * HOURS
    for since_at, until_at, held in _spans(created_at, state, moves, now):
        first = min((since_at - start) // _HOUR, HOURS - 1)
        behind = max(first + 1, -((start - until_at) // _HOUR))  # a state that came and went at once is shown too
        for hour in range(max(0, first), min(HOURS, behind)):
            known = worst[hour]
            if known is None or _BADNESS[held] > _BADNESS[known]:
                worst[hour] = held
    return tuple(worst)


def _spans(created_at: datetime, state: State, moves: Sequence[Move], now: datetime) -> Iterable[tuple[datetime, datetime, State]]:
    """The states one after another, each with its span; a clock that was set back makes an empty one."""
    held, since_at = moves[0].from_state if moves else state, created_at
    for move in moves:
        yield since_at, max(since_at, move.at), held
        held, since_at = move.to_state, max(since_at, move.at)
    yield since_at, max(since_at, now), held


async def heartbeats(attempt: Attempt, mailbox_ids: Sequence[str], now: datetime) -> Mapping[str, tuple[State | None, ...]]:
    """The cells of each of these mailboxes that is there."""
    moves: dict[str, list[Move]] = {}
    values = {"ids": list(mailbox_ids), "since": now - HOURS * _HOUR}
    for row in (await attempt.connection.execute(_MOVES, values)).all():
        moves.setdefault(row.mailbox_id, []).append(Move(row.at, State(row.from_state), State(row.to_state)))
    present = (await attempt.connection.execute(_PRESENT, {"ids": values["ids"]})).all()
    return {row.id: cells(row.created_at, State(row.state), moves.get(row.id, ()), now) for row in present}
