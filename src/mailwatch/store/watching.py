"""Watched mailboxes: whether their sessions may stay open, and the look that comes sooner when one has ended."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, or_, select, update

from mailwatch.core.lifecycle import State
from mailwatch.ports import Clock
from mailwatch.ports.watching import EarlyLook, WatchedStanding
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema import standings

#: SQLite binds 32,766 values to a statement.
_AT_ONCE: Final = 5000
_STANDINGS: Final = select(
    standings.c.mailbox_id,
    standings.c.state,
    standings.c.version,
    standings.c.generation,
    standings.c.last_probe_at,
    standings.c.lease_node,
    standings.c.lease_until_at,
).where(standings.c.mailbox_id.in_(bindparam("ids", expanding=True)))
_ADVANCE: Final = (
    update(standings)
    .where(
        and_(
            standings.c.mailbox_id == bindparam("of"),
            standings.c.version == bindparam("of_version"),
            standings.c.state == State.CONNECTED.value,
            standings.c.due_at > bindparam("sooner_at"),
            or_(standings.c.lease_until_at.is_(None), standings.c.lease_until_at <= bindparam("now")),
        )
    )
    .values(due_at=bindparam("sooner_at"))
)


class SqlWatching:
    """Implements ports.watching.WatchedMailboxes.

    *flush* writes out what waits to be written: the result of the probe that opened the session would else come after the sooner
    look, and undo it.
    """

    def __init__(self, database: Database, clock: Clock, *, node: str, flush: Callable[[], Awaitable[None]]) -> None:
        self._database = database
        self._clock = clock
        self._node = node
        self._flush = flush

    async def standings(self, mailbox_ids: Collection[str]) -> Mapping[str, WatchedStanding]:
        """Those of them that are there; raises StoreUnavailableError."""
        now, ids = self._clock.now(), sorted(mailbox_ids)

        async def work(attempt: Attempt) -> dict[str, WatchedStanding]:
            found: dict[str, WatchedStanding] = {}
            for start in range(0, len(ids), _AT_ONCE):
                rows = await attempt.connection.execute(_STANDINGS, {"ids": ids[start : start + _AT_ONCE]})
                found |= {row.mailbox_id: self._standing(row, now) for row in rows}
            return found

        return await self._database.read(work)

    def _standing(self, row: Any, now: datetime) -> WatchedStanding:
        leased = row.lease_until_at is not None and row.lease_until_at > now
        elsewhere = leased and row.lease_node != self._node
        return WatchedStanding(State(row.state), row.version, row.generation, row.last_probe_at, elsewhere)

    async def advance(self, looks: Sequence[EarlyLook]) -> None:
        """Make due sooner what is connected, as it was, and not being probed; raises StoreUnavailableError."""
        await self._flush()
        now = self._clock.now()
        # one order for all writers: two batches that meet cannot deadlock
        rows = [
            {"of": look.mailbox_id, "of_version": look.version, "sooner_at": look.due_at, "now": now}
            for look in sorted(looks, key=lambda each: each.mailbox_id)
        ]

        async def work(attempt: Attempt) -> None:
            await attempt.connection.execute(_ADVANCE, rows)

        if rows:
            await self._database.write(work)
