"""Declared maintenance windows at rest (ports.maintenance.Maintenance)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, func, insert, or_, select, update

from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.maintenance import Every, Window
from mailwatch.core.webhooks import EventType
from mailwatch.ports import Act, Clock
from mailwatch.ports.maintenance import WindowNotFoundError
from mailwatch.store.audit import write_audit
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.events import Note, stamp, write_notes
from mailwatch.store.incident_scope import domain_of, in_scope
from mailwatch.store.schema import mailboxes
from mailwatch.store.schema_incidents import maintenance

_BY_ID: Final = select(maintenance)


class SqlMaintenance:
    """The maintenance windows of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, window: Window, act: Act) -> None:
        """Declare it."""
        now = self._clock.now()

        async def work(attempt: Attempt) -> None:
            known = _BY_ID.where(maintenance.c.id == window.id)
            if attempt.doubtful and (await attempt.connection.execute(known)).first() is not None:
                return
            await attempt.connection.execute(insert(maintenance).values(**_row(window, now)))
            await write_audit(attempt, act, now, subject=window.id, detail=window.title)
            await write_notes(attempt, [_note(window, "declared", now)])

        await self._database.write(work)

    async def windows(self, now: datetime) -> Sequence[Window]:
        """Windows that run or will run, by their start."""
        lasting = select(maintenance).where(or_(maintenance.c.ended_at.is_(None), maintenance.c.ended_at > now))

        async def work(attempt: Attempt) -> list[Window]:
            rows = (await attempt.connection.execute(lasting.order_by(maintenance.c.starts_at, maintenance.c.id))).all()
            return [_window(row) for row in rows]

        found = await self._database.read(work)
        return [window for window in found if window.running(now) is not None or window.next_start(now) is not None]

    async def all(self, limit: int, *, before: str | None = None) -> Sequence[Window]:
        """All there ever were, newest declaration first; *before* is the id of the last one seen."""
        columns = maintenance.c
        statement = select(maintenance).order_by(columns.created_at.desc(), columns.id).limit(limit)

        async def work(attempt: Attempt) -> list[Window]:
            page = statement
            if before is not None:
                seen = (await attempt.connection.execute(_BY_ID.where(columns.id == before))).first()
                if seen is None:
                    return []
                same = and_(columns.created_at == seen.created_at, columns.id > seen.id)
                page = page.where(or_(columns.created_at < seen.created_at, same))
            return [_window(row) for row in (await attempt.connection.execute(page)).all()]

        return await self._database.read(work)

    async def end(self, window_id: str, at: datetime, act: Act) -> Window:
        """End it for good at *at*; one that was ended already keeps its earlier end.  Raises WindowNotFoundError."""
        now = self._clock.now()

        async def work(attempt: Attempt) -> Window:
            later = or_(maintenance.c.ended_at.is_(None), maintenance.c.ended_at > at)
            ended = update(maintenance).where(maintenance.c.id == window_id, later).values(ended_at=at)
            changed = (await attempt.connection.execute(ended)).rowcount
            if changed:
                await write_audit(attempt, act, now, subject=window_id)
            row = (await attempt.connection.execute(_BY_ID.where(maintenance.c.id == window_id))).first()
            if row is None:
                raise WindowNotFoundError(
                    f"no maintenance window {window_id!r}; `mailwatch maintenance list` shows those there are"
                )
            if changed:
                await write_notes(attempt, [_note(_window(row), "ended", now)])
            return _window(row)

        return await self._database.write(work)

    async def covered(self, scope: Scope | None) -> int:
        """How many mailboxes *scope* holds now; None: all there are."""
        statement = select(func.count()).select_from(mailboxes)
        if scope is not None:
            statement = statement.where(in_scope(scope, domain_of(self._database)))

        async def work(attempt: Attempt) -> int:
            return int((await attempt.connection.execute(statement)).scalar_one())

        return await self._database.read(work)

    async def names(self, kind: ScopeKind) -> Sequence[str]:
        """The providers or OAuth apps that mailboxes have, in order; of other kinds none: there are thousands of them."""
        column = {ScopeKind.PROVIDER: mailboxes.c.provider, ScopeKind.OAUTH_APP: mailboxes.c.oauth_app}.get(kind)
        if column is None:
            return ()
        statement = select(column).distinct().where(column.is_not(None)).order_by(column)

        async def work(attempt: Attempt) -> Sequence[str]:
            return list((await attempt.connection.execute(statement)).scalars())

        return await self._database.read(work)


def _note(window: Window, change: str, now: datetime) -> Note:
    content = {
        "window": window.id,
        "change": change,
        "title": window.title,
        "scope": {window.scope.kind.value: window.scope.name} if window.scope else None,
        "starts_at": stamp(window.starts_at),
        "seconds": window.seconds,
        "every": window.every.value,
        "zone": window.zone,
        "until_at": stamp(window.until_at),
        "ended_at": stamp(window.ended_at),
        "at": stamp(now),
    }
    return Note(EventType.MAINTENANCE_CHANGED, now, content)


def _row(window: Window, now: datetime) -> dict[str, Any]:
    return {
        "id": window.id,
        "title": window.title,
        "kind": window.scope.kind.value if window.scope else None,
        "name": window.scope.name if window.scope else None,
        "starts_at": window.starts_at,
        "seconds": round(window.seconds),
        "every": window.every.value,
        "zone": window.zone,
        "until_at": window.until_at,
        "created_by": window.created_by,
        "created_at": window.created_at or now,
        "ended_at": window.ended_at,
    }


def _window(row: Any) -> Window:
    return Window(
        id=row.id,
        title=row.title,
        scope=Scope(ScopeKind(row.kind), row.name) if row.kind else None,
        starts_at=row.starts_at,
        seconds=row.seconds,
        every=Every(row.every),
        zone=row.zone,
        until_at=row.until_at,
        created_by=row.created_by,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )
