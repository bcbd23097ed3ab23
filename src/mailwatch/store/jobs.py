"""Bulk actions at rest (ports.pages.Jobs): which mailboxes are meant is settled once, and each is done once."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, literal, or_, select, tuple_, update

from mailwatch.ports import Act, Clock, MailwatchError
from mailwatch.ports.pages import BulkAction, CountDiffersError, Job, JobItem, PageFilter, Turn
from mailwatch.store.audit import new_operation, write_audit
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.page_filter import kept, named, unkept
from mailwatch.store.schema import audit, standings
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
#: Those of some mailboxes that wait in a job begun earlier, which must not overtake what was asked for later.
_EARLIER: Final = (
    select(job_items.c.mailbox_id)
    .join_from(jobs, job_items, job_items.c.job_id == jobs.c.id)
    .where(
        jobs.c.ended_at.is_(None),
        tuple_(jobs.c.created_at, jobs.c.id) < tuple_(bindparam("at", type_=jobs.c.created_at.type), bindparam("of")),
        job_items.c.mailbox_id.in_(bindparam("ids", expanding=True)),
        job_items.c.done_at.is_(None),
    )
)
#: What somebody did to a mailbox itself; to have looked at it decides nothing.
_ACTED: Final = (
    select(audit.c.actor, audit.c.action)
    .where(
        audit.c.mailbox_id == bindparam("of_mailbox"),
        audit.c.at > bindparam("since"),
        audit.c.subject.is_(None),
        or_(audit.c.action.startswith("mailbox.", autoescape=True), audit.c.action == "consent.stored"),
        audit.c.action != "mailbox.probe",
    )
    .order_by(audit.c.id.desc())
    .limit(1)
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

    async def begin(self, job: Job, which: PageFilter, act: Act, *, expected: int | None = None) -> Job:
        """Store the job with the ids the filter names now; the job with its `total`.  One that names nothing has ended.

        Raises CountDiffersError when they are not *expected* many.
        """
        operation, now = new_operation(), self._clock.now()
        meant = named(select(literal(job.id), standings.c.mailbox_id), which)

        async def work(attempt: Attempt) -> Job:
            connection = attempt.connection
            if attempt.doubtful and (known := (await connection.execute(_JOB, {"of": job.id})).first()) is not None:
                return _job(known)
            await connection.execute(insert(jobs), {**_row(job), "which": kept(which)})
            total = (await connection.execute(insert(job_items).from_select(["job_id", "mailbox_id"], meant))).rowcount
            if expected is not None and total != expected:
                raise CountDiffersError(f"the filter names {total} mailboxes now, not {expected}; look again, then decide")
            ended_at = None if total else now
            named_by = {} if ended_at is None else {"which": None}
            await connection.execute(update(jobs).where(jobs.c.id == job.id).values(total=total, ended_at=ended_at, **named_by))
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
        """Of the next *limit* mailboxes whose turn has not come, in order, those that wait in no earlier job too."""

        async def work(attempt: Attempt) -> Sequence[str]:
            connection = attempt.connection
            job = (await connection.execute(_JOB, {"of": job_id})).first()
            if job is None or job.ended_at is not None:
                return []
            ids = (await connection.execute(_WAITING.limit(limit), {"of": job_id})).scalars().all()
            asked = {"at": job.created_at, "of": job_id, "ids": ids}
            earlier = set((await connection.execute(_EARLIER, asked)).scalars()) if ids else set()
            return [each for each in ids if each not in earlier]

        return await self._database.read(work)

    async def turn(self, job: Job, mailbox_id: str) -> Turn:
        """Whether, and on what condition, it is the mailbox's turn in *job* now."""

        async def work(attempt: Attempt) -> Turn:
            connection = attempt.connection
            row = (await connection.execute(_JOB, {"of": job.id})).first()
            if row is None or row.ended_at is not None:
                return Turn(is_open=False)
            asked = {"of_mailbox": mailbox_id, "since": job.created_at}
            acted = (await connection.execute(_ACTED, asked)).first()
            return Turn(is_open=True, acted=None if acted is None else (acted.actor, acted.action), which=unkept(row.which))

        return await self._database.read(work)

    async def cancel(self, job_id: str, act: Act) -> Job | None:
        """End it before its remaining mailboxes have had their turn; one that has ended stays as it is.  None: no such job."""
        now = self._clock.now()

        async def work(attempt: Attempt) -> Job | None:
            row = (await attempt.connection.execute(_CURRENT, {"of": job_id})).first()
            if row is None or row.ended_at is not None:
                return None if row is None else _job(row)
            await attempt.connection.execute(update(jobs).where(jobs.c.id == job_id).values(ended_at=now, which=None))
            detail = f"{row.action} ended after {row.done} of {row.total} mailboxes"
            await write_audit(attempt, act, now, subject=job_id, detail=detail)
            return replace(_job(row), ended_at=now)

        return await self._database.write(work)

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
            # what was under way when the job was cancelled counts, and opens it no more
            ended_at = row.ended_at or (now if done >= row.total else None)
            counted = {"done": done, "failed": failed, "ended_at": ended_at}
            named_by = {} if ended_at is None else {"which": None}
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(counted | named_by))
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
