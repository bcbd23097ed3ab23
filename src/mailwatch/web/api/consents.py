"""OAuth consents over the API: begun by a reconnect, watched as /api/v1/oauth/sessions/{session_id}.

A signed-in browser gets the provider's own URL, and its session is what the way back is checked against.  A program
has no browser: it gets a one-time link of ours, to be opened by whoever owns the mailbox.
"""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from mailwatch.desk.consents import LINK_SECONDS, Consents
from mailwatch.ports import MailboxView
from mailwatch.web.api.answers import answer
from mailwatch.web.api.fields import Here, IdPath, Moment, Shown
from mailwatch.web.auth import Actor, Caller, Reader, act_of, origin_of
from mailwatch.web.idempotency import holds_secret
from mailwatch.web.problems import Problem
from mailwatch.web.surface import Surface

router = APIRouter(prefix="/api/v1/oauth", tags=["consents"])

#: For answers that hold a secret.
_UNKEPT: Final = {"cache-control": "no-store"}


class ConsentBegun(Shown):
    """Where the mailbox's owner gives consent; `session` None: it begins when the link is opened."""

    session: str | None
    authorize_url: str
    expires_at: Moment


class ConsentShown(Shown):
    """How far a consent has come."""

    id: str
    mailbox: str
    app: str
    state: str
    created_at: Moment
    expires_at: Moment
    actor: str
    error: str | None
    user_code: str | None
    verification_url: str | None


@router.get("/sessions/{session_id}", response_model=ConsentShown, operation_id="get_consent")
async def get_consent(request: Request, _: Reader, here: Here, session_id: IdPath) -> Response:
    """How far a consent has come."""
    session = await consents_of(here).find(session_id)
    if session is None:
        raise Problem("not_found", "no such consent")
    content = ConsentShown(
        id=session.id,
        mailbox=session.mailbox_id,
        app=session.app,
        state=session.state.value,
        created_at=session.created_at,
        expires_at=session.expires_at,
        actor=session.actor,
        error=session.error,
        user_code=session.user_code,
        verification_url=session.verification_url,
    )
    return answer(request, content)


@router.post("/sessions/{session_id}/poll", response_model=ConsentShown, operation_id="poll_consent")
async def poll_consent(request: Request, _: Actor, here: Here, session_id: IdPath) -> Response:
    """Ask the provider whether the code of a device flow was typed; not oftener than it wants."""
    session = await consents_of(here).poll_device(session_id, origin=origin_of(request))
    if session is None:
        raise Problem("not_found", "no such consent")
    return await get_consent(request, _, here, session_id)


def consents_of(here: Surface) -> Consents:
    """The desk's consents; raises Problem where no OAuth application is configured."""
    if here.consents is None:
        raise Problem("no_consent_flow", "the configuration has no [oauth.APP]")
    return here.consents


async def begin(request: Request, here: Surface, caller: Caller, view: MailboxView) -> Response:
    """Begin a consent for the mailbox: 201 with where to give it."""
    holds_secret(request)
    if caller.session_hash is None:
        url = await link_of(request, here, caller, view)
        content = ConsentBegun(session=None, authorize_url=url, expires_at=here.clock.now() + timedelta(seconds=LINK_SECONDS))
    else:  # the way back is checked against the session that began it
        act = act_of(request, caller, "consent.begin")
        session, url = await consents_of(here).begin(view.mailbox.id, act, browser=caller.session_hash)
        content = ConsentBegun(session=session.id, authorize_url=url, expires_at=session.expires_at)
    return answer(request, content, status=201, headers=_UNKEPT)


async def link_of(request: Request, here: Surface, caller: Caller, view: MailboxView) -> str:
    """A one-time link of ours for the mailbox's owner."""
    holds_secret(request)
    secret = await consents_of(here).reconnect_link(view.mailbox.id, act_of(request, caller, "consent.link"))
    base = here.settings.external_url or str(request.base_url)
    return f"{base.rstrip('/')}/reconnect?key={secret}"
