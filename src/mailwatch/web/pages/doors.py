"""Coming in and going out: sign-in, the one-time set-up, sign-in links, sign-out.

There is no default password: without users, only the holder of the set-up link gets in.  Forms work without scripts; that another
site cannot post them is the perimeter's duty.
"""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from mailwatch.core.secret import Secret
from mailwatch.desk.accounts import TooManyAttemptsError
from mailwatch.ports.people import AccountError, LinkKind, Session
from mailwatch.web.auth import give_cookie, origin_of, take_cookie
from mailwatch.web.pages.visits import Visit, local_path

_MOST: Final = 300  # longer than any name, password or link is


async def sign_in(visit: Visit) -> Response:
    """`GET /sign-in`: the form; with `?key=` the holder of a sign-in link is asked to go on (a look alone uses no link up)."""
    query = visit.request.query_params
    after = local_path(query.get("next"))
    if key := query.get("key", "")[:_MOST]:
        link = await visit.surface.accounts.link(key)
        if link is None or link.kind is not LinkKind.SIGN_IN:
            return _form(visit, after, fault="This link was used already, or has ended. Ask for a new one.", status=410)
        return visit.page("sign_in_link.html", key=key, user=link.subject)
    if visit.caller is not None:
        return visit.to(after)
    return _form(visit, after, nobody=not await visit.surface.people.user_count())


async def do_sign_in(visit: Visit) -> Response:
    """`POST /sign-in`: by name and password, or by the key of a link."""
    fields, accounts = await visit.form(), visit.surface.accounts
    after = local_path(fields.get("next"))
    name = fields.get("name", "")[:_MOST].strip()
    try:
        if key := fields.get("key", "")[:_MOST]:
            secret, session = await accounts.redeem(key)
        else:
            password = Secret(fields.get("password", "")[:_MOST])
            secret, session = await accounts.sign_in(name, password, origin=origin_of(visit.request))
    except TooManyAttemptsError as error:
        answer = _form(
            visit, after, name=name, fault=f"Too many attempts. Try again in {error.retry_seconds:.0f} seconds.", status=429
        )
        answer.headers["retry-after"] = str(max(1, round(error.retry_seconds)))
        return answer
    except AccountError as error:
        return _form(visit, after, name=name, fault=_sentence(error), status=403)
    return _welcome(visit, after, secret, session)


async def setup(visit: Visit) -> Response:
    """`GET /setup?key=…`: make the first user, an administrator."""
    key = visit.request.query_params.get("key", "")[:_MOST]
    link = await visit.surface.accounts.link(key) if key else None
    if link is None or link.kind is not LinkKind.SETUP:
        return visit.page("setup.html", status=410, key="", name="", fault="")
    return visit.page("setup.html", key=key, name="", fault="")


async def do_setup(visit: Visit) -> Response:
    """`POST /setup`."""
    fields = await visit.form()
    key, name = fields.get("key", "")[:_MOST], fields.get("name", "")[:_MOST].strip()
    password, again = fields.get("password", ""), fields.get("again", "")
    if password != again:
        return visit.page("setup.html", status=422, key=key, name=name, fault="The two passwords differ.")
    try:
        origin = origin_of(visit.request)
        secret, session = await visit.surface.accounts.sign_up_first(key, name, Secret(password), origin=origin)
    except AccountError as error:
        return visit.page("setup.html", status=422, key=key, name=name, fault=_sentence(error))
    return _welcome(visit, "/", secret, session)


async def sign_out(visit: Visit) -> Response:
    """`POST /sign-out`."""
    if visit.caller is not None and visit.caller.session_hash is not None:
        await visit.surface.accounts.sign_out(visit.caller.session_hash)
    answer = visit.to("/sign-in?" + urlencode({"bye": "1"}))
    take_cookie(visit.request, answer)
    return answer


def _form(visit: Visit, after: str, *, name: str = "", fault: str = "", status: int = 200, nobody: bool = False) -> Response:
    bye = "bye" in visit.request.query_params
    return visit.page("sign_in.html", status=status, after=after, name=name, fault=fault, nobody=nobody, bye=bye)


def _welcome(visit: Visit, after: str, secret: str, session: Session) -> Response:
    answer = visit.to(after)
    give_cookie(visit.request, answer, secret, session)
    return answer


def _sentence(error: AccountError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
