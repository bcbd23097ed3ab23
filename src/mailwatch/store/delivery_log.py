"""What is read of the outbox: the stream of events, the delivery log, what is disabled, what waits."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, bindparam, false, func, select

from mailwatch.ports.delivery import Delivery, Event
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.events import event_from_row
from mailwatch.store.schema_campaigns import deliveries, disabled_endpoints, events

_EVENTS: Final = select(events).where(events.c.id > bindparam("after")).order_by(events.c.id).limit(bindparam("most"))
_NEWEST: Final = select(func.max(events.c.id))
_WAITING: Final = select(func.count()).select_from(deliveries).where(deliveries.c.due_at.is_not(None))
_FRESH: Final = select(func.count()).select_from(events).where(events.c.fanned == false())
_DISABLED: Final = select(disabled_endpoints.c.name, disabled_endpoints.c.reason)
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
