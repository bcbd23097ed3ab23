"""POST /api/v1/mailboxes/{mailbox}/…: disconnect, reconnect, hold, release, probe - and the owner's reconnect link."""

from datetime import datetime
from enum import StrEnum, unique
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import AuthKind
from mailwatch.ports import MailboxView
from mailwatch.web.api.answers import answer, wanted_version
from mailwatch.web.api.consents import ConsentBegun, begin, link_of
from mailwatch.web.api.fields import Flag, Given, Here, IfMatch, MailboxPath, Moment, Shown
from mailwatch.web.api.mailboxes import whole
from mailwatch.web.api.shapes import MailboxShown
from mailwatch.web.auth import Actor, act_of
from mailwatch.web.problems import Problem

router = APIRouter(prefix="/api/v1/mailboxes/{mailbox}", tags=["acts"])

#: Causes that no retry with the present consent can heal.
DEAD_CONSENT: Final = frozenset({Cause.OAUTH_GRANT_REVOKED, Cause.OAUTH_TOKEN_EXPIRED, Cause.MFA_REQUIRED})


@unique
class HoldReason(StrEnum):
    """What a hold may give as its reason."""

    WARMUP_PAUSE = Cause.WARMUP_PAUSE.value
    ANOMALY_PAUSE = Cause.ANOMALY_PAUSE.value
    STRATEGIC_PAUSE = Cause.STRATEGIC_PAUSE.value


class HoldGiven(Given):
    """Why, and until when; without an end it lasts until it is released."""

    reason: HoldReason
    until_at: Moment | None = None


class ReconnectGiven(Given):
    """`consent` true asks for a new consent, false never does; left out: where the present one is dead."""

    consent: Flag | None = None


class LinkShown(Shown):
    """A one-time link for the mailbox's owner."""

    url: str


@router.post("/disconnect", response_model=MailboxShown, operation_id="disconnect_mailbox")
async def disconnect(request: Request, caller: Actor, here: Here, mailbox: MailboxPath, if_match: IfMatch = None) -> Response:
    """Pause its campaigns at once and probe it no more; everything is kept, and Reconnect undoes it.

    A probe that is under way at the node that answers is cut short, so that no login follows; at another node it ends by itself
    within its time-out, and may log in until then.  What it finds is dropped.
    """
    view = await here.store.find(mailbox)
    version = wanted_version(if_match, view.standing.version)
    act = act_of(request, caller, "mailbox.disconnect")
    return await whole(request, here, await here.desk.disconnect(view.mailbox.id, act, version=version))


@router.post("/reconnect", response_model=MailboxShown, operation_id="reconnect_mailbox", responses={201: {"model": ConsentBegun}})
async def reconnect(
    request: Request,
    caller: Actor,
    here: Here,
    mailbox: MailboxPath,
    given: Annotated[ReconnectGiven | None, Body()] = None,
    if_match: IfMatch = None,
) -> Response:
    """Try now, and let campaigns go on after verification.

    Where the mailbox's consent is dead, 201: a new consent was begun, and `authorize_url` is where its owner gives it.
    """
    view = await here.store.find(mailbox)
    version = wanted_version(if_match, view.standing.version)
    wants = given.consent if given is not None else None
    if wants or (wants is None and here.consents is not None and _consent_is_dead(view)):
        if version is not None and version != view.standing.version:
            raise Problem("stale")
        return await begin(request, here, caller, view)
    act = act_of(request, caller, "mailbox.reconnect")
    return await whole(request, here, await here.desk.reconnect(view.mailbox.id, act, version=version))


def _consent_is_dead(view: MailboxView) -> bool:
    return view.mailbox.auth is AuthKind.OAUTH and view.standing.state is State.BLOCKED and view.standing.cause in DEAD_CONSENT


@router.post("/reconnect-link", response_model=LinkShown, status_code=201, operation_id="make_reconnect_link")
async def reconnect_link(request: Request, caller: Actor, here: Here, mailbox: MailboxPath) -> Response:
    """A one-time link with which the mailbox's owner gives consent anew, and can do nothing else.  It is shown once."""
    view = await here.store.find(mailbox)
    url = await link_of(request, here, caller, view)
    return answer(request, LinkShown(url=url), status=201, headers={"cache-control": "no-store"})


@router.post("/hold", response_model=MailboxShown, operation_id="hold_mailbox")
async def hold(
    request: Request, caller: Actor, here: Here, mailbox: MailboxPath, given: HoldGiven, if_match: IfMatch = None
) -> Response:
    """Pause it for protection."""
    view = await here.store.find(mailbox)
    version = wanted_version(if_match, view.standing.version)
    until_at: datetime | None = given.until_at
    act = act_of(request, caller, "mailbox.hold")
    held = await here.desk.hold(view.mailbox.id, act, Cause(given.reason.value), until_at, version=version)
    return await whole(request, here, held)


@router.post("/release", response_model=MailboxShown, operation_id="release_mailbox")
async def release(request: Request, caller: Actor, here: Here, mailbox: MailboxPath, if_match: IfMatch = None) -> Response:
    """End its hold; campaigns go on after verification."""
    view = await here.store.find(mailbox)
    version = wanted_version(if_match, view.standing.version)
    act = act_of(request, caller, "mailbox.release")
    return await whole(request, here, await here.desk.release(view.mailbox.id, act, version=version))


@router.post("/probe", response_model=MailboxShown, operation_id="probe_mailbox")
async def probe(request: Request, caller: Actor, here: Here, mailbox: MailboxPath, if_match: IfMatch = None) -> Response:
    """Look at it now instead of when it is due, within its login budget."""
    view = await here.store.find(mailbox)
    version = wanted_version(if_match, view.standing.version)
    act = act_of(request, caller, "mailbox.probe")
    return await whole(request, here, await here.desk.probe(view.mailbox.id, act, version=version))
