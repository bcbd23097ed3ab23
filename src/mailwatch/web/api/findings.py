"""/api/v1/findings: figures over the last 30 days of the recorded history."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from mailwatch.ports.findings import Figures
from mailwatch.web.api.answers import answer
from mailwatch.web.api.fields import MOST_ROWS, Here, Moment, Shown
from mailwatch.web.auth import Reader
from mailwatch.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["history"])

SPAN: Final = timedelta(days=30)


class CauseFigureShown(Shown):
    """How often one cause disconnected mailboxes of one provider."""

    cause: str
    provider: str
    disconnections: int
    mailboxes: int


class MailboxFigureShown(Shown):
    """A mailbox that disconnected more than once."""

    mailbox: str
    address: str
    provider: str
    disconnections: int
    last_at: Moment


class OutageShown(Shown):
    """One disconnection of one mailbox; without `ended_at` it lasts."""

    mailbox: str
    address: str
    cause: str
    began_at: Moment
    ended_at: Moment | None


class DayShown(Shown):
    """One day (UTC) of the fleet."""

    at: Moment
    disconnections: int
    reconnections: int


class FindingsShown(Shown):
    """Causes and mailboxes by their disconnections, most first; outages, longest first; days, oldest first, quiet ones too."""

    since: Moment
    causes: list[CauseFigureShown]
    mailboxes: list[MailboxFigureShown]
    outages: list[OutageShown]
    days: list[DayShown]


def _shown(figures: Figures) -> FindingsShown:
    return FindingsShown(
        since=figures.since,
        causes=[
            CauseFigureShown(cause=each.cause, provider=each.provider, disconnections=each.disconnections, mailboxes=each.mailboxes)
            for each in figures.causes
        ],
        mailboxes=[
            MailboxFigureShown(
                mailbox=each.mailbox_id,
                address=each.address,
                provider=each.provider,
                disconnections=each.disconnections,
                last_at=each.last_at,
            )
            for each in figures.mailboxes
        ],
        outages=[
            OutageShown(
                mailbox=each.mailbox_id, address=each.address, cause=each.cause, began_at=each.began_at, ended_at=each.ended_at
            )
            for each in figures.outages
        ],
        days=[DayShown(at=each.at, disconnections=each.disconnections, reconnections=each.reconnections) for each in figures.days],
    )


@router.get("/findings", response_model=FindingsShown, operation_id="get_findings")
async def findings(
    request: Request,
    _: Reader,
    here: Here,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="How many causes, mailboxes and outages at the most.")] = 50,
) -> Response:
    """What the last 30 days of the history show; nothing is estimated."""
    if here.findings is None:
        raise Problem("unavailable", "this node keeps no history")
    now = here.clock.now()
    return answer(request, _shown(await here.findings.figures(now - SPAN, now, limit)))
