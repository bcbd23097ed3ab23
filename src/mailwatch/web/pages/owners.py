"""Consents in the browser: the page for a mailbox's owner, and where the provider sends browsers back to.

The owner's page shows one mailbox and one button, and nothing else of the fleet.
"""

import secrets
from typing import Final

from starlette.responses import Response

from mailwatch.ports.consents import ConsentError, ConsentSession, ConsentState
from mailwatch.web.auth import origin_of
from mailwatch.web.pages.visits import Visit

#: Binds a flow that began by an owner's link to the browser it began in.
COOKIE: Final = "mailwatch-consent"
_COOKIE_SECONDS: Final = 900
_MOST: Final = 4096  # a code, a state: providers' own limits are lower
_GONE: Final = "This link was used already, or has run out. Ask whoever sent it for a new one."


async def reconnect(visit: Visit) -> Response:
    """`GET /reconnect?key=…`: a look uses no link up, so that a mail scanner that follows it does no harm."""
    key, consents = visit.request.query_params.get("key", "")[:_MOST], visit.surface.consents
    mailbox = await consents.mailbox_of_link(key) if consents is not None and key else None
    if mailbox is None:
        return visit.page("reconnect.html", status=410, mailbox=None, key="", fault=_GONE)
    return visit.page("reconnect.html", mailbox=mailbox, key=key, fault="")


async def do_reconnect(visit: Visit) -> Response:
    """`POST /reconnect`: on to the provider."""
    fields, consents = await visit.form(), visit.surface.consents
    if consents is None:
        return visit.page("reconnect.html", status=410, mailbox=None, key="", fault=_GONE)
    browser = secrets.token_urlsafe(32)
    try:
        _, url = await consents.begin_by_link(fields.get("key", "")[:_MOST], browser=browser, origin=origin_of(visit.request))
    except ConsentError as error:
        return visit.page("reconnect.html", status=410, mailbox=None, key="", fault=_sentence(str(error)))
    # Not a redirect: the policy's form-action would have to name every provider.
    answer = visit.page("going.html", url=url)
    answer.headers["refresh"] = f"0; url={url}"
    tls = visit.request.url.scheme == "https"
    answer.set_cookie(COOKIE, browser, max_age=_COOKIE_SECONDS, path="/", secure=tls, httponly=True, samesite="lax")
    return answer


async def callback(visit: Visit) -> Response:
    """`GET /oauth/callback?state=…&code=…`: what the provider said; the mailbox is verified after it."""
    query, consents = visit.request.query_params, visit.surface.consents
    if consents is None or not query.get("state"):
        return visit.page("consent_ended.html", status=400, session=None, address="", again="", fault="Nothing was begun here.")
    session, fault = None, ""
    for browser in _browsers(visit):
        try:
            session = await consents.finish(
                query["state"][:_MOST],
                browser,
                code=query.get("code", "")[:_MOST] or None,
                error=query.get("error", "")[:_MOST] or None,
                description=query.get("error_description", "")[:_MOST] or None,
                origin=origin_of(visit.request),
            )
            break
        except ConsentError as error:
            fault = _sentence(str(error))
    return await _ended(visit, session, fault or "This sign-in was begun in another browser; start it again.")


async def _ended(visit: Visit, session: ConsentSession | None, fault: str) -> Response:
    """How it went; an operator's own success leads to the mailbox, where the verification is seen to run."""
    consents = visit.surface.consents
    if session is None or consents is None:
        return visit.page("consent_ended.html", status=409, session=None, address="", again="", fault=fault)
    stored = session.state is ConsentState.STORED
    if stored and visit.caller is not None:
        return visit.to(f"/mailboxes/{session.mailbox_id}?reconnected=1")
    address = (await visit.surface.store.find(session.mailbox_id)).mailbox.address
    again = "" if stored else await consents.second_chance(session) or ""
    words = "" if stored else _sentence(session.error or "the sign-in did not work")
    status = 200 if stored else 409
    return visit.page("consent_ended.html", status=status, session=session, address=address, again=again, fault=words)


def _browsers(visit: Visit) -> list[str]:
    """What flows of this browser may be bound to: an owner's cookie, an operator's session."""
    known = (visit.request.cookies.get(COOKIE, "")[:_MOST], visit.caller.session_hash if visit.caller is not None else None)
    return [one for one in known if one]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
