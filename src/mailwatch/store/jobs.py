"""Bulk actions at rest (ports.pages.Jobs): which mailboxes are meant is settled once, and each is done once."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, literal, select, update

from mailwatch.ports import Act, Clock, MailwatchError
from mailwatch.ports.pages import BulkAction, Job, JobItem, PageFilter
from mailwatch.store.audit import new_operation, write_audit
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.page_filter import named
from mailwatch.store.schema import standings
from mailwatch.store.schema_people import job_items, jobs

_dump: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode

_JOB: Final = select(jobs).where(jobs.c.id == bindparam("of"))
_CURRENT: Final = _JOB.with_for_update()
_UNFINISHED: Final = select(jobs).where(jobs.c.ended_at.is_(None)).order_by(jobs.c.created_at, jobs.c.id)
_WAITING: Final = (
    select(job_items.c.mailbox_id)
    .where(job_items.c.job_id == bindparam("of"), job_items.c.done_at.is_(None))
    .order_by(job_items.c.mailbox_id)
)
_SETTLE: Final = (
    update(job_items)
    .where(job_items.c.job_id == bindparam("of"), job_items.c.mailbox_id == bindparam("of_mailbox"), job_items.c.done_at.is_(None))
    .values(done_at=bindparam("at"), error=bindparam("why"))
)
_ITEMS: Final = (
    select(job_items.c.mailbox_id, job_items.c.done_at, job_items.c.error)
    .where(job_items.c.job_id == bindparam("of"))
    .order_by(job_items.c.mailbox_id)
    .limit(bindparam("most"))
)


class JobNotFoundError(MailwatchError):
    """No such job."""


class SqlJobs:
    """The bulk actions of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, job: Job, which: PageFilter, act: Act) -> Job:
        """Store the job with the ids the filter names now; the job with its `total`.  One that names nothing has ended."""
        operation, now = new_operation(), self._clock.now()
        meant = named(select(literal(job.id), standings.c.mailbox_id), which)

        async def work(attempt: Attempt) -> Job:
            connection = attempt.connection
            if attempt.doubtful and (known := (await connection.execute(_JOB, {"of": job.id})).first()) is not None:
                return _job(known)
            await connection.execute(insert(jobs), _row(job))
            total = (await connection.execute(insert(job_items).from_select(["job_id", "mailbox_id"], meant))).rowcount
            ended_at = None if total else now
            await connection.execute(update(jobs).where(jobs.c.id == job.id).values(total=total, ended_at=ended_at))
            detail = f"{job.action} of {total} mailboxes"
            await write_audit(attempt, act, now, subject=job.id, detail=detail, operation=operation)
            return replace(job, total=total, done=0, failed=0, ended_at=ended_at)

        return await self._database.write(work)

    async def job(self, job_id: str) -> Job | None:
        """By id."""

        async def work(attempt: Attempt) -> Job | None:
            row = (await attempt.connection.execute(_JOB, {"of": job_id})).first()
            return None if row is None else _job(row)

        return await self._database.read(work)

    async def unfinished(self) -> Sequence[Job]:
        """Jobs not ended, oldest first."""

        async def work(attempt: Attempt) -> Sequence[Job]:
            return [_job(row) for row in (await attempt.connection.execute(_UNFINISHED)).all()]

        return await self._database.read(work)

    async def waiting(self, job_id: str, limit: int) -> Sequence[str]:
        """Mailboxes whose turn has not come, in order."""

        async def work(attempt: Attempt) -> Sequence[str]:
            return (await attempt.connection.execute(_WAITING.limit(limit), {"of": job_id})).scalars().all()

        return await self._database.read(work)

    async def settle(self, job_id: str, items: Sequence[JobItem]) -> Job:
        """Note results; ends the job when none waits.  A result told twice counts once: the first stays.

        `done` counts all whose turn has come, `failed` those of them with an error.  Raises JobNotFoundError.
        """
        now = self._clock.now()
        told = {item.mailbox_id: item for item in items}

        async def work(attempt: Attempt) -> Job:
            connection = attempt.connection
            row = (await connection.execute(_CURRENT, {"of": job_id})).first()
            if row is None:
                raise JobNotFoundError(f"no job {job_id}")
            open_ones = _WAITING.where(job_items.c.mailbox_id.in_(list(told)))
            settled = [told[of] for of in (await connection.execute(open_ones, {"of": job_id})).scalars()] if told else []
            if not settled:
                return _job(row)
            steps = [
                {"of": job_id, "of_mailbox": each.mailbox_id, "at": each.done_at or now, "why": each.error} for each in settled
            ]
            await connection.execute(_SETTLE, steps)
            done, failed = row.done + len(settled), row.failed + sum(each.error is not None for each in settled)
            counted = {"done": done, "failed": failed, "ended_at": now if done >= row.total else None}
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(counted))
            return replace(_job(row), **counted)

        return await self._database.write(work)

    async def items(self, job_id: str, after: str | None, limit: int, *, failed_only: bool = False) -> Sequence[JobItem]:
        """Results by mailbox id."""
        statement = _ITEMS if after is None else _ITEMS.where(job_items.c.mailbox_id > after)
        if failed_only:
            statement = statement.where(job_items.c.error.is_not(None))

        async def work(attempt: Attempt) -> Sequence[JobItem]:
            rows = (await attempt.connection.execute(statement, {"of": job_id, "most": limit})).all()
            return [JobItem(row.mailbox_id, row.done_at, row.error) for row in rows]

        return await self._database.read(work)

    async def prune(self, before: datetime) -> int:
        """Delete jobs that ended before *before*, with their results; how many jobs."""

        async def work(attempt: Attempt) -> int:
            return (await attempt.connection.execute(delete(jobs).where(jobs.c.ended_at < before))).rowcount

        return await self._database.write(work)


def _row(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "action": job.action.value,
        "arguments": _dump(dict(job.arguments)),
        "actor": job.actor,
        "origin": job.origin,
        "created_at": job.created_at,
        "total": 0,
        "done": 0,
        "failed": 0,
    }


def _step(job_id: str, item: JobItem, now: datetime) -> dict[str, Any]:
    return {"of": job_id, "of_mailbox": item.mailbox_id, "at": item.done_at or now, "why": item.error}


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        action=BulkAction(row.action),
        arguments=json.loads(row.arguments),
        actor=row.actor,
        origin=row.origin,
        created_at=row.created_at,
        total=row.total,
        done=row.done,
        failed=row.failed,
        ended_at=row.ended_at,
    )
