"""POST /api/v1/mailboxes:batch: one act on many mailboxes, first looked at, then done as a job; and /api/v1/jobs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field, Strict
from starlette.responses import Response

from mailwatch.ports.pages import BulkAction, Job, JobItem, PageFilter
from mailwatch.ports.people import Role
from mailwatch.web.api.acts import HoldReason
from mailwatch.web.api.answers import answer, next_link
from mailwatch.web.api.fields import WHOLE, Cursor, Flag, Given, Here, IdPath, Limit, Moment, Shown
from mailwatch.web.api.filters import MOST_IDS, FilterGiven
from mailwatch.web.auth import Actor, Reader, act_of
from mailwatch.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["bulk"])

Ids = Annotated[list[Annotated[str, Field(pattern=r"^mb_[A-Za-z0-9_-]{1,60}$")]], Field(min_length=1, max_length=MOST_IDS)]


class BatchGiven(Given):
    """What to do, to which: either `filter` or `ids`.

    `expected` is the count that was looked at: the job is refused when the filter names another number by now.  A removal needs it.
    """

    action: BulkAction
    filter: FilterGiven | None = None
    ids: Ids | None = None
    reason: HoldReason | None = None
    until_at: Moment | None = None
    expected: Annotated[int, Strict(), Field(ge=0, le=2**31), WHOLE] | None = None
    dry_run: Flag = False

    def which(self) -> PageFilter:
        """The mailboxes; raises Problem unless one of the two is given, and for a filter that names all without saying so."""
        if (self.filter is None) == (self.ids is None):
            raise Problem("unfit", "give either filter or ids")
        if self.ids is not None:
            return PageFilter(ids=frozenset(self.ids))
        if self.filter is None or not self.filter.model_fields_set:
            raise Problem("unfit", 'an empty filter is every mailbox; say {"q": ""} if that is meant')
        return self.filter.which()

    def arguments(self) -> dict[str, str]:
        """What a hold takes."""
        reason = {} if self.reason is None else {"reason": self.reason.value}
        return reason if self.until_at is None else {**reason, "until_at": self.until_at.isoformat()}


class Preview(Shown):
    """How many mailboxes it would be done to."""

    count: int


class JobShown(Shown):
    """How far a bulk action has come."""

    id: str
    action: str
    arguments: dict[str, str]
    actor: str
    created_at: Moment
    ended_at: Moment | None
    cancelled: bool  #: ended before all had their turn
    total: int
    done: int
    failed: int


class JobItemShown(Shown):
    """What became of one mailbox; without `done_at` its turn has not come."""

    mailbox: str
    done_at: Moment | None
    error: str | None


class JobItems(Shown):
    """By mailbox id."""

    items: list[JobItemShown]
    next: str | None


def _shown(job: Job) -> JobShown:
    return JobShown(
        id=job.id,
        action=job.action.value,
        arguments=dict(job.arguments),
        actor=job.actor,
        created_at=job.created_at,
        ended_at=job.ended_at,
        cancelled=job.is_cancelled,
        total=job.total,
        done=job.done,
        failed=job.failed,
    )


def _item(item: JobItem) -> JobItemShown:
    return JobItemShown(mailbox=item.mailbox_id, done_at=item.done_at, error=item.error)


@router.post(
    "/mailboxes:batch",
    response_model=Preview,
    operation_id="act_on_mailboxes",
    responses={202: {"model": JobShown, "description": "Begun; look at the job for its progress."}},
)
async def batch(request: Request, caller: Actor, here: Here, given: BatchGiven) -> Response:
    """With `dry_run` the number of mailboxes it would be done to; else 202 and the job that does it.  Removal needs admin."""
    which = given.which()
    if given.action is BulkAction.REMOVE and not caller.may(Role.ADMIN):
        raise Problem("role_too_small", f"{caller.actor} has the role {caller.role}; a removal needs {Role.ADMIN}")
    if given.dry_run:
        return answer(request, Preview(count=await here.bulk.preview(which)))
    act = act_of(request, caller, f"bulk.{given.action.value}")
    job = await here.bulk.begin(given.action, which, given.arguments(), act, expected=given.expected)
    return answer(request, _shown(job), status=202, headers={"location": f"/api/v1/jobs/{job.id}"})


@router.get("/jobs/{job_id}", response_model=JobShown, operation_id="get_job")
async def get_job(request: Request, _: Reader, here: Here, job_id: IdPath) -> Response:
    """How far a job has come."""
    job = await here.jobs.job(job_id)
    if job is None:
        raise Problem("not_found", "no such job")
    return answer(request, _shown(job))


@router.post("/jobs/{job_id}/cancel", response_model=JobShown, operation_id="cancel_job")
async def cancel_job(request: Request, caller: Actor, here: Here, job_id: IdPath) -> Response:
    """Stop it before its remaining mailboxes have had their turn; what was done stays done."""
    job = await here.bulk.cancel(job_id, act_of(request, caller, "bulk.cancel"))
    if job is None:
        raise Problem("not_found", "no such job")
    return answer(request, _shown(job))


@router.get("/jobs/{job_id}/items", response_model=JobItems, operation_id="list_job_items")
async def get_items(
    request: Request,
    _: Reader,
    here: Here,
    job_id: IdPath,
    failed: Annotated[Literal["true", "false"], Query(description="Only those that went wrong.")] = "false",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What became of each mailbox."""
    if await here.jobs.job(job_id) is None:
        raise Problem("not_found", "no such job")
    items = await here.jobs.items(job_id, cursor, limit + 1, failed_only=failed == "true")
    following = items[limit - 1].mailbox_id if len(items) > limit else None
    content = JobItems(items=[_item(each) for each in items[:limit]], next=following)
    return answer(request, content, headers=next_link(request, following))
