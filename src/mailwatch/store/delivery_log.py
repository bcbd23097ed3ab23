"""What is read of the outbox: the stream of events, the delivery log, what is disabled, what waits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, bindparam, false, func, select

from mailwatch.ports.delivery import Delivery, Event, Failing
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.events import event_from_row
from mailwatch.store.schema_campaigns import deliveries, disabled_endpoints, events

_EVENTS: Final = select(events).where(events.c.id > bindparam("after")).order_by(events.c.id).limit(bindparam("most"))
_NEWEST: Final = select(func.max(events.c.id))
_WAITING: Final = select(func.count()).select_from(deliveries).where(deliveries.c.due_at.is_not(None))
_FRESH: Final = select(func.count()).select_from(events).where(events.c.fanned == false())
_DISABLED: Final = select(disabled_endpoints.c.name, disabled_endpoints.c.reason)
_of_endpoint = deliveries.c.endpoint == bindparam("endpoint")
_tried = deliveries.c.attempts > 0
#: The youngest that was tried, however it ended, and the youngest that was taken: both at the end of the endpoint's index.
_LAST_TRIED: Final = (
    select(deliveries.c.state, deliveries.c.last_error).where(_of_endpoint, _tried).order_by(deliveries.c.id.desc()).limit(1)
)
_LAST_TAKEN: Final = (
    select(deliveries.c.id).where(_of_endpoint, deliveries.c.state == "delivered").order_by(deliveries.c.id.desc()).limit(1)
)
_REFUSED: Final = (
    select(func.min(events.c.at).label("since_at"), func.max(deliveries.c.id).label("youngest"))
    .join_from(deliveries, events, events.c.id == deliveries.c.event_id)
    .where(_of_endpoint, _tried, deliveries.c.last_error.is_not(None))
)
_WAITING_REFUSED: Final = _REFUSED.where(deliveries.c.due_at.is_not(None))
_GIVEN_UP: Final = _REFUSED.where(deliveries.c.state == "failed", deliveries.c.id > bindparam("taken"))
_ERROR_OF: Final = select(deliveries.c.last_error).where(deliveries.c.id == bindparam("of"))
_EVENT_COLUMNS: Final = (events.c.at, events.c.type, events.c.mailbox_id, events.c.campaign_id, events.c.content)


def with_event() -> Select[Any]:
    """Deliveries beside their events."""
    return select(deliveries, *_EVENT_COLUMNS).join(events, events.c.id == deliveries.c.event_id)


def delivery_from_row(row: Any) -> Delivery:
    """The delivery of a row of `with_event`."""
    return Delivery(
        id=row.id,
        event=event_from_row(row),
        endpoint=row.endpoint,
        attempts=row.attempts,
        state=row.state,
        due_at=row.due_at,
        last_status=row.last_status,
        last_error=row.last_error,
        delivered_at=row.delivered_at,
    )


class DeliveryLog:
    """The reading half of ports.delivery.Outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def events(self, after: int, limit: int) -> Sequence[Event]:
        """Events with a higher id, oldest first."""

        async def work(attempt: Attempt) -> Sequence[Event]:
            rows = await attempt.connection.execute(_EVENTS, {"after": after, "most": limit})
            return [event_from_row(row) for row in rows.all()]

        return await self._database.read(work)

    async def newest(self) -> int:
        """The id of the newest event; 0 when there is none."""

        async def work(attempt: Attempt) -> int:
            return (await attempt.connection.execute(_NEWEST)).scalar_one() or 0

        return await self._database.read(work)

    async def disabled(self) -> Mapping[str, str]:
        """Disabled endpoints with the reason."""

        async def work(attempt: Attempt) -> Mapping[str, str]:
            return {row.name: row.reason for row in (await attempt.connection.execute(_DISABLED)).all()}

        return await self._database.read(work)

    async def failing(self, endpoints: Iterable[str]) -> Mapping[str, Failing]:
        """Those of *endpoints* for which tried events wait, or whose youngest tried one was given up."""
        names = tuple(endpoints)

        async def work(attempt: Attempt) -> Mapping[str, Failing]:
            found = {name: await _failing(attempt, name) for name in names}
            return {name: how for name, how in found.items() if how is not None}

        return await self._database.read(work)

    async def deliveries(self, endpoint: str | None, state: str | None, before: int | None, limit: int) -> Sequence[Delivery]:
        """The delivery log, newest first."""
        statement = with_event().order_by(deliveries.c.id.desc()).limit(limit)
        if endpoint is not None:
            statement = statement.where(deliveries.c.endpoint == endpoint)
        if state is not None:
            statement = statement.where(deliveries.c.state == state)
        if before is not None:
            statement = statement.where(deliveries.c.id < before)

        async def work(attempt: Attempt) -> Sequence[Delivery]:
            return [delivery_from_row(row) for row in (await attempt.connection.execute(statement)).all()]

        return await self._database.read(work)

    async def pending(self) -> int:
        """Deliveries and events that wait."""

        async def work(attempt: Attempt) -> int:
            waiting = (await attempt.connection.execute(_WAITING)).scalar_one()
            return int(waiting + (await attempt.connection.execute(_FRESH)).scalar_one())

        return await self._database.read(work)


async def _failing(attempt: Attempt, endpoint: str) -> Failing | None:
    of, connection = {"endpoint": endpoint}, attempt.connection
    waiting = (await connection.execute(_WAITING_REFUSED, of)).one()
    last = (await connection.execute(_LAST_TRIED, of)).first()
    if waiting.youngest is None and (last is None or last.state != "failed"):
        return None
    taken = (await connection.execute(_LAST_TAKEN, of)).scalar() or 0
    given_up = (await connection.execute(_GIVEN_UP, {**of, "taken": taken})).one()
    refused = [each for each in (waiting, given_up) if each.youngest is not None]
    youngest = max(each.youngest for each in refused)
    error = (await connection.execute(_ERROR_OF, {"of": youngest})).scalar_one()
    return Failing(min(each.since_at for each in refused), error)
