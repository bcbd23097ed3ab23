"""/api/v1/mailboxes: list, count, look, add, remove, a new secret, the history - and whether one may send now."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from mailwatch.core.secret import Secret
from mailwatch.core.sending import Reason
from mailwatch.desk.newcomers import Newcomers
from mailwatch.ports import MailboxView
from mailwatch.web.api.answers import answer, next_link, wanted_version
from mailwatch.web.api.fields import (
    Before,
    CampaignKey,
    Cursor,
    Given,
    Here,
    IfMatch,
    Limit,
    MailboxPath,
    Moment,
    SecretText,
    Shown,
    Words,
)
from mailwatch.web.api.filters import Which
from mailwatch.web.api.shapes import MailboxShown, TransitionShown, mailbox_shown, transition_shown
from mailwatch.web.auth import Actor, Admin, Reader, act_of
from mailwatch.web.problems import Problem
from mailwatch.web.surface import Surface

router = APIRouter(prefix="/api/v1", tags=["mailboxes"])

MOST_NEW: Final = 5000
_URL: Final = Field(max_length=300, pattern=r"^[^\x00-\x20\x7f]*$")


class MailboxPage(Shown):
    """One page: what needs a person first, within a state the newest first."""

    mailboxes: list[MailboxShown]
    next: str | None


class Counted(Shown):
    """How many there are, and how many in each state."""

    total: int
    states: dict[str, int]


class NewMailboxGiven(Given):
    """A mailbox to add; servers are left out where the provider is known."""

    address: Annotated[str, Field(max_length=254)]
    imap: Annotated[str, _URL] = ""
    smtp: Annotated[str, _URL] = ""
    username: Words = ""
    oauth_app: Words = ""
    secret: SecretText | None = None
    campaigns: Annotated[list[CampaignKey], Field(max_length=100)] = Field(default_factory=list)
    labels: Annotated[dict[Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f=;]{1,100}$")], Words], Field(max_length=50)] = Field(
        default_factory=dict, json_schema_extra={"additionalProperties": False}
    )


class ImportGiven(Given):
    """Many mailboxes: all are added, or none."""

    mailboxes: Annotated[list[NewMailboxGiven], Field(min_length=1, max_length=MOST_NEW)]
    dry_run: Annotated[bool, Field(strict=True)] = False


class Imported(Shown):
    """The new mailboxes' ids, in order; none after a dry run."""

    count: int
    ids: list[str]


class RemovalGiven(Given):
    """The confirmation: the mailbox's own address, typed."""

    address: Words


class SecretGiven(Given):
    """A new password, or refresh token."""

    secret: SecretText


class History(Shown):
    """Changes of state, newest first."""

    transitions: list[TransitionShown]
    next: int | None


class PermitShown(Shown):
    """Whether a sender may send through the mailbox now; `allowance_ratio` is the share of its usual volume."""

    allowed: bool
    reason: Reason
    until_at: Moment | None
    allowance_ratio: float
    sentence: str
    cause: str | None


@router.get("/mailboxes", response_model=MailboxPage, operation_id="list_mailboxes")
async def list_mailboxes(
    request: Request, _: Reader, here: Here, which: Which, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """A page of mailboxes."""
    try:
        page = await here.pages.page(which, cursor, limit)
    except ValueError as error:
        raise Problem("bad_cursor", str(error)) from None
    campaigns = await here.pages.campaigns_of([view.mailbox.id for view in page.rows])
    shown = [mailbox_shown(view, campaigns.get(view.mailbox.id, ())) for view in page.rows]
    content = MailboxPage(mailboxes=shown, next=page.next_cursor)
    return answer(request, content, headers=next_link(request, page.next_cursor))


@router.get("/mailboxes:count", response_model=Counted, operation_id="count_mailboxes")
async def count_mailboxes(request: Request, _: Reader, here: Here, which: Which) -> Response:
    """How many mailboxes a filter names; `states` leaves the filter's states aside."""
    states = await here.pages.counters(which)
    total = sum(count for state, count in states.items() if not which.states or state in which.states)
    return answer(request, Counted(total=total, states={state.value: count for state, count in states.items()}))


@router.post("/mailboxes", response_model=MailboxShown, status_code=201, operation_id="add_mailbox")
async def add_mailbox(request: Request, caller: Admin, here: Here, given: NewMailboxGiven) -> Response:
    """Add one mailbox; it is looked at soon."""
    newcomers = _newcomers(here)
    (mailbox_id,) = await newcomers.add(newcomers.judged([_row(given)]), act_of(request, caller, "mailbox.add"))
    view = await here.store.find(mailbox_id)
    return await whole(request, here, view, status=201, headers={"location": f"/api/v1/mailboxes/{mailbox_id}"})


@router.post(
    "/mailboxes:import",
    response_model=Imported,
    status_code=201,
    operation_id="import_mailboxes",
    responses={200: {"model": Imported, "description": "A dry run found nothing wrong."}},
)
async def import_mailboxes(request: Request, caller: Admin, here: Here, given: ImportGiven) -> Response:
    """Add all of them or none; every fault is told at once, with the number of its row."""
    newcomers = _newcomers(here)
    # off the loop: thousands of rows take a quarter of a second
    wanted = await asyncio.to_thread(newcomers.judged, [_row(each) for each in given.mailboxes])
    if given.dry_run:
        return answer(request, Imported(count=len(wanted), ids=[]), status=200)
    ids = await newcomers.add(wanted, act_of(request, caller, "mailbox.add"))
    return answer(request, Imported(count=len(ids), ids=list(ids)), status=201)


@router.get("/mailboxes/{mailbox}", response_model=MailboxShown, operation_id="get_mailbox")
async def get_mailbox(request: Request, _: Reader, here: Here, mailbox: MailboxPath) -> Response:
    """One mailbox; its ETag is what If-Match takes."""
    return await whole(request, here, await here.store.find(mailbox))


@router.delete("/mailboxes/{mailbox}", status_code=204, operation_id="remove_mailbox")
async def remove_mailbox(
    request: Request, caller: Admin, here: Here, mailbox: MailboxPath, given: RemovalGiven, if_match: IfMatch = None
) -> Response:
    """Delete the mailbox with its secret, history and links, for good; takes `{"address": …}`, typed.  Disconnect keeps them.

    The header `mailwatch-consent-withdrawal` tells what became of its consent: `none`, `done`, `shared` (left alone, since another
    mailbox uses the same login) or `failed`.  A probe that is under way is cut short, or at another node ends by itself within its
    time-out, and is dropped.
    """
    view = await here.store.find(mailbox)
    version = wanted_version(if_match, view.standing.version)
    act = act_of(request, caller, "mailbox.remove")
    withdrawal = await here.desk.remove(view.mailbox.id, act, typed_address=given.address, version=version)
    return Response(status_code=204, headers={"mailwatch-consent-withdrawal": withdrawal.value})


@router.put("/mailboxes/{mailbox}/secret", response_model=MailboxShown, operation_id="set_secret")
async def set_secret(
    request: Request, caller: Actor, here: Here, mailbox: MailboxPath, given: SecretGiven, if_match: IfMatch = None
) -> Response:
    """Store a new password or refresh token: it is due at once, and the login budget starts anew.

    Where its host has refused too many logins lately it waits: `waits_until_at` and `waits_for` say how long and why.

    A password that is stored already and was refused is not tried again: the mailbox stays blocked; reconnect tries it once.
    """
    view = await here.store.find(mailbox)
    version = wanted_version(if_match, view.standing.version)
    act = act_of(request, caller, "mailbox.set_secret")
    return await whole(request, here, await here.desk.set_secret(view.mailbox.id, Secret(given.secret), act, version=version))


@router.get("/mailboxes/{mailbox}/history", response_model=History, operation_id="get_history")
async def get_history(
    request: Request, _: Reader, here: Here, mailbox: MailboxPath, before: Before = None, limit: Limit = 100
) -> Response:
    """How the mailbox came to be as it is: its changes of state, in the servers' own words."""
    view = await here.store.find(mailbox)
    steps = await here.pages.timeline(view.mailbox.id, before, limit)
    following = steps[-1][0] if len(steps) == limit else None
    content = History(transitions=[transition_shown(number, step) for number, step in steps], next=following)
    return answer(request, content, headers=next_link(request, following, "before"))


@router.get("/mailboxes/{mailbox}/sending", response_model=PermitShown, operation_id="may_send")
async def may_send(
    _: Reader,
    here: Here,
    mailbox: MailboxPath,
    campaign: Annotated[Words | None, Query(description="Also ask whether this campaign may send.")] = None,
) -> Response:
    """Whether to send through this mailbox now; from memory, so ask before each message."""
    permit = here.gate.answer(mailbox, campaign)
    if permit.reason is Reason.GATE_STALE:
        raise Problem("gate_stale", permit.sentence, headers={"retry-after": "1"}, allowed=False, reason=permit.reason.value)
    if permit.reason is Reason.UNKNOWN_MAILBOX:
        raise Problem("not_found", permit.sentence, allowed=False, reason=permit.reason.value)
    content = PermitShown(
        allowed=permit.allowed,
        reason=permit.reason,
        until_at=permit.until_at,
        allowance_ratio=permit.allowance_ratio,
        sentence=permit.sentence,
        cause=permit.cause,
    )
    return Response(content.model_dump_json(), headers={"cache-control": "no-store"}, media_type="application/json")


def _newcomers(here: Surface) -> Newcomers:
    if here.newcomers is None:
        raise Problem("unavailable", "this node takes in no mailboxes")
    return here.newcomers


def _row(given: NewMailboxGiven) -> Mapping[str, Any]:
    row = given.model_dump(exclude={"secret"})
    return {**row, "secret": given.secret or ""}


async def whole(
    request: Request, here: Surface, view: MailboxView, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that shows one mailbox."""
    campaigns: Sequence[str] = (await here.pages.campaigns_of([view.mailbox.id])).get(view.mailbox.id, ())
    quiet = None if here.quiet_hosts is None else await here.quiet_hosts.of(view)
    shown = mailbox_shown(view, campaigns, quiet)
    return answer(request, shown, version=view.standing.version, status=status, headers=headers)
