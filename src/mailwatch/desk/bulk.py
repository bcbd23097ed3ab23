"""Acts on many mailboxes at once: a job at rest, worked off a little at a time, so that it outlives a restart.

What was asked for last stands: jobs that share mailboxes do each of them in the order in which they were begun, and one that
somebody has acted on by itself since is left as it is.

A mailbox that is already as the act would make it counts as done: the same item may come twice, when mailwatch was stopped between
the act and the note of its result.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from mailwatch.core.acts import HOLD_REASONS
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import IllegalMoveError, State
from mailwatch.desk.acts import Desk, HoldError, Withdrawal
from mailwatch.ports import Act, Clock, MailboxNotFoundError, MailwatchError, StoreUnavailableError
from mailwatch.ports.pages import BulkAction, CountDiffersError, Job, JobItem, Jobs, PageFilter, Pages, Turn

#: Results noted together; so many acts may come twice after a crash.
CHUNK: Final = 20
#: One round ends after this time, or so many mailboxes: the daemon has other things to do.
ROUND_SECONDS: Final = 0.5
ROUND_MAILBOXES: Final = 200
#: A mailbox that somebody else removed is told of as one that is gone.
_REMOVED: Final = "mailbox.remove"

#: The states in which a mailbox is already what the act would make of it.
_ALREADY: Final[Mapping[BulkAction, frozenset[State]]] = {
    BulkAction.DISCONNECT: frozenset({State.INACTIVE}),
    BulkAction.RELEASE: frozenset(State) - {State.HELD},
}


class BulkError(MailwatchError):
    """The bulk action cannot be begun; nothing was done."""


class Bulk:
    """Begins bulk actions and works them off."""

    def __init__(self, jobs: Jobs, desk: Desk, pages: Pages, clock: Clock) -> None:
        self._jobs = jobs
        self._desk = desk
        self._pages = pages
        self._clock = clock
        self._running = asyncio.Lock()

    async def preview(self, which: PageFilter) -> int:
        """How many mailboxes the filter names now."""
        return await self._pages.count(which)

    async def begin(
        self,
        action: BulkAction,
        which: PageFilter,
        arguments: Mapping[str, str],
        by: Act,
        *,
        expected: int | None = None,
    ) -> Job:
        """Store the job with the mailboxes the filter names now; `run_waiting` does it.

        *arguments* of a hold: `reason`, and `until_at` (RFC 3339) if it has an end.  With *expected*, the number the person saw,
        a filter that names another number is refused; a removal needs it.  Raises BulkError, HoldError.
        """
        checked = self._checked(action, arguments)
        if action is BulkAction.REMOVE and expected is None:
            raise BulkError("a removal needs the number of mailboxes that was confirmed")
        if expected is not None and (present := await self._pages.count(which)) != expected:
            raise BulkError(f"the filter names {present} mailboxes now, not {expected}; look again, then decide")
        job = Job(f"job_{secrets.token_hex(8)}", action, checked, by.actor, by.origin, self._clock.now(), total=0)
        try:
            return await self._jobs.begin(job, which, by, expected=expected)
        except CountDiffersError as error:
            raise BulkError(str(error)) from None

    async def cancel(self, job_id: str, by: Act) -> Job | None:
        """End a job before its remaining mailboxes have had their turn; None: no such job.  What was done stays done."""
        return await self._jobs.cancel(job_id, by)

    def _checked(self, action: BulkAction, arguments: Mapping[str, str]) -> Mapping[str, str]:
        if action is not BulkAction.HOLD:
            if arguments:
                raise BulkError(f"{action} takes no arguments")
            return {}
        reason, until = arguments.get("reason", ""), arguments.get("until_at")
        if reason not in {each.value for each in HOLD_REASONS}:
            raise HoldError(f"a hold needs a reason: one of {', '.join(HOLD_REASONS)}")
        if until is not None and _moment(until) <= self._clock.now():
            raise HoldError(f"a hold until {until} would have ended already; name a later moment")
        return {"reason": reason} | ({"until_at": until} if until is not None else {})

    async def run_waiting(self) -> int:
        """Do some of what waits, a chunk of each job in turn; how many mailboxes.  Call it again every second or so."""
        if self._running.locked():
            return 0
        async with self._running:
            began, done = self._clock.monotonic(), 0
            jobs = list(await self._jobs.unfinished())
            while jobs and done < ROUND_MAILBOXES and self._clock.monotonic() - began < ROUND_SECONDS:
                for job in list(jobs):
                    count = await self._chunk(job)
                    done += count
                    if count < CHUNK:
                        jobs.remove(job)
            return done

    async def _chunk(self, job: Job) -> int:
        waiting = await self._jobs.waiting(job.id, CHUNK)
        items: list[JobItem] = []
        try:
            for mailbox_id in waiting:
                turn = await self._jobs.turn(job, mailbox_id)
                if not turn.is_open:
                    break
                error = await self._one(job, mailbox_id, turn)
                items.append(JobItem(mailbox_id, self._clock.now(), error))
        finally:
            if items:  # what was done is noted, also when the database fails in the middle
                await self._noted(job, items)
        return len(items)

    async def _noted(self, job: Job, items: Sequence[JobItem]) -> None:
        if job.action is BulkAction.REMOVE:
            await self._desk.scrub()
        await self._jobs.settle(job.id, items)

    async def _one(self, job: Job, mailbox_id: str, turn: Turn) -> str | None:
        """Do it to one; the sentence of what went wrong.  A database that is away is nobody's fault: that is raised."""
        by = Act(job.actor, f"mailbox.{job.action.value}", job.origin, job.id)
        try:
            if turn.acted is not None and turn.acted[1] != _REMOVED:
                actor, action = turn.acted
                return f"left as it is: {actor} acted on it ({action}) after this had begun"
            return await self._do(job, mailbox_id, by, turn)
        except StoreUnavailableError:
            raise
        except IllegalMoveError as error:
            return None if error.state in _ALREADY.get(job.action, frozenset()) else str(error)
        except MailboxNotFoundError:
            return None if job.action is BulkAction.REMOVE else "the mailbox was removed meanwhile"
        except MailwatchError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  # one that always fails must not keep those behind it from their turn for ever
            return f"a fault of mailwatch's own: {type(error).__name__}"

    async def _do(self, job: Job, mailbox_id: str, by: Act, turn: Turn) -> str | None:
        match job.action:
            case BulkAction.DISCONNECT:
                await self._desk.disconnect(mailbox_id, by)
            case BulkAction.RECONNECT:
                await self._desk.reconnect(mailbox_id, by)
            case BulkAction.RELEASE:
                await self._desk.release(mailbox_id, by)
            case BulkAction.PROBE:
                await self._desk.probe(mailbox_id, by)
            case BulkAction.REMOVE:
                return await self._remove(mailbox_id, by, turn.which)
            case BulkAction.HOLD:
                until = job.arguments.get("until_at")
                reason = Cause(job.arguments["reason"])
                await self._desk.hold(mailbox_id, by, reason, None if until is None else _moment(until))
        return None

    async def _remove(self, mailbox_id: str, by: Act, which: PageFilter | None) -> str | None:
        """What is gone for good must still be what the person meant."""

        async def is_meant() -> bool:
            return which is None or await self._pages.count(replace(which, ids=frozenset({mailbox_id}))) == 1

        withdrawal = await self._desk.remove_confirmed(mailbox_id, by, is_meant=is_meant, scrub=False)
        return "removed; its consent could not be withdrawn at the provider" if withdrawal is Withdrawal.FAILED else None

    async def items(self, job_id: str, after: str | None, limit: int, *, failed_only: bool = False) -> Sequence[JobItem]:
        """What became of the mailboxes of a job."""
        return await self._jobs.items(job_id, after, limit, failed_only=failed_only)


def _moment(text: str) -> datetime:
    """A moment of RFC 3339; raises HoldError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise HoldError(f"{text[:40]!r} is no moment; write such as 2026-12-01T08:00:00Z") from None
    if moment.tzinfo is None:
        raise HoldError(f"{text[:40]!r} has no time zone; write such as 2026-12-01T08:00:00Z")
    return moment.astimezone(UTC)
