"""What happened, for all mailboxes: /api/v1/transitions, /audit and /troubles."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from mailwatch.web.api.answers import answer, next_link
from mailwatch.web.api.fields import After, Before, Here, Limit, Moment, Shown, Words
from mailwatch.web.api.shapes import TransitionShown, transition_shown
from mailwatch.web.auth import Admin, Reader

router = APIRouter(prefix="/api/v1", tags=["history"])


class Transitions(Shown):
    """Oldest first; ask again with `next` for what came since."""

    transitions: list[TransitionShown]
    next: int


class AuditShown(Shown):
    """Who did what, when, from where, before and after."""

    id: int
    at: Moment
    actor: str
    action: str
    origin: str
    mailbox: str | None
    subject: str | None
    state_before: str | None
    state_after: str | None
    detail: str | None


class Audit(Shown):
    """Newest first."""

    audit: list[AuditShown]
    next: int | None


class TroubleShown(Shown):
    """Mailboxes of one provider away for one cause."""

    provider: str
    state: str
    cause: str
    mailboxes: int
    since_at: Moment


class Troubles(Shown):
    """Most mailboxes first."""

    troubles: list[TroubleShown]


@router.get("/transitions", response_model=Transitions, operation_id="list_transitions")
async def transitions(
    request: Request,
    _: Reader,
    here: Here,
    mailbox: Annotated[Words | None, Query(description="Only of this mailbox (id).")] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Response:
    """Changes of state of all mailboxes, oldest first."""
    steps = await here.store.history(mailbox, after=after, limit=limit)
    following = steps[-1][0] if steps else after
    content = Transitions(transitions=[transition_shown(number, step) for number, step in steps], next=following)
    return answer(request, content, headers=next_link(request, following if len(steps) == limit else None, "after"))


@router.get("/audit", response_model=Audit, operation_id="list_audit")
async def audit(
    request: Request,
    _: Admin,
    here: Here,
    mailbox: Annotated[Words | None, Query(description="Only of this mailbox (id).")] = None,
    before: Before = None,
    limit: Limit = 100,
) -> Response:
    """The audit log, newest first."""
    rows = await here.pages.audit(before, limit, mailbox_id=mailbox)
    shown = [
        AuditShown(
            id=row.id,
            at=row.at,
            actor=row.actor,
            action=row.action,
            origin=row.origin,
            mailbox=row.mailbox_id,
            subject=row.subject,
            state_before=row.state_before,
            state_after=row.state_after,
            detail=row.detail,
        )
        for row in rows
    ]
    following = rows[-1].id if len(rows) == limit else None
    return answer(request, Audit(audit=shown, next=following), headers=next_link(request, following, "before"))


@router.get("/troubles", response_model=Troubles, operation_id="list_troubles")
async def troubles(request: Request, _: Reader, here: Here) -> Response:
    """What is away now, by provider, state and cause."""
    found = [
        TroubleShown(
            provider=each.provider, state=each.state.value, cause=each.cause, mailboxes=each.mailboxes, since_at=each.since_at
        )
        for each in await here.pages.troubles()
    ]
    return answer(request, Troubles(troubles=found))
