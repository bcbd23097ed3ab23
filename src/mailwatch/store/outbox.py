"""Events and deliveries at rest (ports.delivery.Outbox).

A delivery is claimed under a lease that names this process; one that ends without a result makes the delivery due again, so each
event arrives at least once.  What another node took over meanwhile is not put off by a late result, but a late success is
one all the same: the receiver has it.
"""

import secrets as chance
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, and_, bindparam, delete, exists, false, func, insert, not_, or_, select, true, update

from mailwatch.ports import Act, Clock
from mailwatch.ports.delivery import Delivery, DeliveryNotFoundError
from mailwatch.store.audit import new_operation, went_through, write_audit
from mailwatch.store.delivery_log import DeliveryLog, delivery_from_row, with_event
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.linking import insert_new
from mailwatch.store.schema_campaigns import deliveries, disabled_endpoints, events

#: Of each endpoint at most so many at a time.
FEW: Final = 8
_PRUNE_ROWS: Final = 5000
_ANY_FRESH: Final = select(events.c.id).where(events.c.fanned == false()).limit(1)
_FRESH: Final = (
    select(events.c.id, events.c.at, events.c.type)
    .where(events.c.fanned == false())
    .order_by(events.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_FANNED: Final = update(events).where(events.c.id.in_(bindparam("ids", expanding=True))).values(fanned=true())
_IS_DUE: Final = deliveries.c.due_at <= bindparam("now")
#: One look into the index finds the next endpoint for which anything waits, however much waits for the one before.
_NEXT_ENDPOINT: Final = select(func.min(deliveries.c.endpoint)).where(
    deliveries.c.endpoint > bindparam("after"), deliveries.c.due_at.is_not(None)
)
_OLDEST: Final = (
    select(deliveries.c.id, deliveries.c.due_at, deliveries.c.lease_until_at)
    .where(deliveries.c.endpoint == bindparam("endpoint"), _IS_DUE)
    .order_by(deliveries.c.due_at, deliveries.c.id)
    .limit(FEW)
)
_OLDEST_LOCKED: Final = _OLDEST.with_for_update(skip_locked=True)
_LEASE: Final = (
    update(deliveries)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .values(lease=bindparam("token"), lease_until_at=bindparam("until_at"))
)
_FREE: Final = {"lease": None, "lease_until_at": None}
_SETTLED: Final[Mapping[str, Any]] = {
    "last_status": bindparam("status"),
    "last_error": bindparam("error"),
    "attempts": bindparam("tries"),
    **_FREE,
}
_DELIVERED: Final = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of"), deliveries.c.state != "delivered")
    .values(state="delivered", due_at=None, delivered_at=bindparam("at"), **_SETTLED)
)
_PUT_OFF: Final = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("of"),
        deliveries.c.state == "pending",
        or_(deliveries.c.lease.is_(None), deliveries.c.lease == bindparam("ours")),
    )
    .values(state=bindparam("new_state"), due_at=bindparam("new_due_at"), **_SETTLED)
)
_AT_ONCE: Final = (
    update(deliveries)
    .where(deliveries.c.endpoint == bindparam("name"), deliveries.c.due_at > bindparam("now"))
    .values(due_at=bindparam("now"))
)
_REPLAY: Final = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of"))
    .values(state="pending", attempts=0, due_at=bindparam("now"), delivered_at=None, **_FREE)
)
#: What waits for a disabled endpoint waits no longer than events are kept: it may never be enabled again.
_has_a_way = not_(exists().where(disabled_endpoints.c.name == deliveries.c.endpoint))
_OLD: Final = (
    select(events.c.id)
    .where(
        events.c.at < bindparam("before"),
        events.c.fanned == true(),
        not_(exists().where(and_(deliveries.c.event_id == events.c.id, deliveries.c.due_at.is_not(None), _has_a_way))),
    )
    .order_by(events.c.at)
    .limit(_PRUNE_ROWS)
)


class SqlOutbox(DeliveryLog):
    """The outbox of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database)
        self._clock = clock
        self._token = chance.token_hex(8)

    async def fan_out(self, endpoints: Mapping[str, frozenset[str]], limit: int) -> int:
        """Make a delivery for each new event and each endpoint (name -> wanted types, empty: all); how many events that were."""
        now = self._clock.now()

        async def look(attempt: Attempt) -> bool:
            return (await attempt.connection.execute(_ANY_FRESH)).first() is not None

        async def work(attempt: Attempt) -> int:
            fresh = (await attempt.connection.execute(_FRESH, {"most": limit})).all()
            if not fresh:
                return 0
            rows = [
                _delivery_row(event, name, now)
                for event in fresh
                for name, types in endpoints.items()
                if not types or event.type in types
            ]
            if rows:
                await attempt.connection.execute(insert(deliveries), rows)
            await attempt.connection.execute(_FANNED, {"ids": [event.id for event in fresh]})
            return len(fresh)

        # most of the time nothing is new, and that is found out without a writing transaction
        return await self._database.write(work) if await self._database.read(look) else 0

    async def claim_deliveries(
        self, now: datetime, limit: int, lease_seconds: float, *, excluding: frozenset[str]
    ) -> Sequence[Delivery]:
        """Due deliveries, oldest first, leased; none to the endpoints in *excluding* or to disabled ones."""

        async def look(attempt: Attempt) -> bool:
            return bool(await _oldest_of_each(attempt, _OLDEST, now, limit, excluding))

        async def work(attempt: Attempt) -> Sequence[Delivery]:
            ids = await _oldest_of_each(attempt, _OLDEST_LOCKED, now, limit, excluding)
            if not ids:
                return ()
            values = {"ids": ids, "token": self._token, "until_at": now + timedelta(seconds=lease_seconds)}
            await attempt.connection.execute(_LEASE, values)
            rows = await attempt.connection.execute(with_event().where(deliveries.c.id.in_(ids)).order_by(deliveries.c.due_at))
            return [delivery_from_row(row) for row in rows.all()]

        # most of the time nothing is due, and that is found out without a writing transaction
        return await self._database.write(work) if await self._database.read(look) else ()

    async def delivered(self, delivery: Delivery, status: int) -> None:
        """It was taken."""
        values = {"of": delivery.id, "at": self._clock.now(), "status": status, "error": None, "tries": delivery.attempts + 1}
        await self._execute(_DELIVERED, values)

    async def put_off(self, delivery: Delivery, due_at: datetime | None, status: int | None, error: str) -> None:
        """It was not; try again at *due_at*, or give up when that is None."""
        values = {"of": delivery.id, "ours": self._token, "status": status, "error": error, "tries": delivery.attempts + 1}
        await self._execute(_PUT_OFF, {**values, "new_state": "failed" if due_at is None else "pending", "new_due_at": due_at})

    async def disable(self, endpoint: str, reason: str) -> None:
        """Nothing more goes there (410 Gone) until a person enables it again."""
        row = {"name": endpoint, "reason": reason, "since_at": self._clock.now()}

        async def work(attempt: Attempt) -> None:
            await attempt.connection.execute(insert_new(attempt, disabled_endpoints), row)

        await self._database.write(work)

    async def enable(self, endpoint: str, act: Act) -> None:
        """Deliver again, what waited included."""
        now, operation = self._clock.now(), new_operation()

        async def work(attempt: Attempt) -> None:
            if not await went_through(attempt, operation):
                await attempt.connection.execute(delete(disabled_endpoints).where(disabled_endpoints.c.name == endpoint))
                await attempt.connection.execute(_AT_ONCE, {"name": endpoint, "now": now})
                await write_audit(attempt, act, now, subject=endpoint, operation=operation)

        await self._database.write(work)

    async def replay(self, delivery_id: int, act: Act) -> None:
        """Send it once more, now; raises DeliveryNotFoundError."""
        now, operation = self._clock.now(), new_operation()

        async def work(attempt: Attempt) -> None:
            if await went_through(attempt, operation):
                return
            replayed = await attempt.connection.execute(_REPLAY, {"of": delivery_id, "now": now})
            if replayed.rowcount == 0:
                raise DeliveryNotFoundError(f"no delivery {delivery_id}; its event is older than what is kept")
            await write_audit(attempt, act, now, subject=str(delivery_id), operation=operation)

        await self._database.write(work)

    async def prune_events(self, before: datetime) -> int:
        """Delete events (with their ended deliveries) older than *before*, some thousand at a time; how many.

        One that still has a delivery to make stays, unless it is to a disabled endpoint.
        """

        async def work(attempt: Attempt) -> int:
            old = (await attempt.connection.execute(_OLD, {"before": before})).scalars().all()
            if old:
                await attempt.connection.execute(delete(events).where(events.c.id.in_(old)))
            return len(old)

        total = 0
        while some := await self._database.write(work):
            total += some
        return total

    async def _execute(self, statement: Any, values: Mapping[str, Any]) -> None:
        async def work(attempt: Attempt) -> None:
            await attempt.connection.execute(statement, values)

        await self._database.write(work)


def _delivery_row(event: Any, endpoint: str, now: datetime) -> dict[str, Any]:
    # as old as its event, so that the oldest goes first; but due now, however another node's clock goes
    return {"event_id": event.id, "endpoint": endpoint, "state": "pending", "attempts": 0, "due_at": min(event.at, now)}


async def _oldest_of_each(attempt: Attempt, oldest: Select[Any], now: datetime, limit: int, excluding: frozenset[str]) -> list[int]:
    """The oldest due deliveries that nobody has, a few of each endpoint: those under way keep their places among the few."""
    connection = attempt.connection
    passed_over = excluding | set((await connection.execute(select(disabled_endpoints.c.name))).scalars())
    found: list[tuple[datetime, int]] = []
    endpoint: str | None = ""
    while (endpoint := (await connection.execute(_NEXT_ENDPOINT, {"after": endpoint})).scalar_one()) is not None:
        if endpoint not in passed_over:
            rows = (await connection.execute(oldest, {"endpoint": endpoint, "now": now})).all()
            found += [(row.due_at, row.id) for row in rows if row.lease_until_at is None or row.lease_until_at <= now]
    return [number for _, number in sorted(found)[:limit]]
