"""Errors as RFC 9457 problems: one form for everything that is refused, whoever refuses it.

`type` is a relative URI, `/problems/CODE`; `code` is the same word for programs, and docs/api.md tells each.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mailwatch.core.lifecycle import IllegalMoveError
from mailwatch.core.roster import RosterFault
from mailwatch.desk.acts import HoldError, NotConfirmedError
from mailwatch.desk.bulk import BulkError
from mailwatch.desk.newcomers import RosterError
from mailwatch.desk.windows import WindowError
from mailwatch.ports import KeyRetiredError, MailboxExistsError, MailboxNotFoundError, MailwatchError, StoreUnavailableError
from mailwatch.ports.campaigns import CampaignExistsError, CampaignNotFoundError, CampaignOverError, StaleError
from mailwatch.ports.consents import ConsentError
from mailwatch.ports.incidents import IncidentNotFoundError, IncidentOverError
from mailwatch.ports.maintenance import WindowNotFoundError
from mailwatch.ports.pages import CountDiffersError
from mailwatch.ports.people import AccountError

MEDIA_TYPE: Final = "application/problem+json"
_INTERNAL: Final = 500

#: Every code with its status and title.
CODES: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "malformed": (400, "The request cannot be read"),
        "bad_cursor": (400, "The cursor is none of ours"),
        "not_signed_in": (401, "Sign in, or send a token"),
        "role_too_small": (403, "This needs a greater role"),
        "cross_site": (403, "Another site asked for this"),
        "not_found": (404, "There is no such thing"),
        "method_not_allowed": (405, "The resource does not know this method"),
        "too_slow": (408, "The body took too long to arrive"),
        "illegal_move": (409, "Not possible in the mailbox's present state"),
        "exists": (409, "It is there already"),
        "over": (409, "It is over already"),
        "in_progress": (409, "The first request with this key is still under way"),
        "answer_not_kept": (409, "The first request with this key succeeded, and its answer held a secret"),
        "account": (409, "The account, token or link cannot be used or made"),
        "bulk": (409, "The bulk action cannot be begun"),
        "consent": (409, "The consent cannot be begun or used"),
        "no_consent_flow": (409, "No consent can be given here"),
        "gone": (410, "What the first request with this key spoke of was removed since"),
        "stale": (412, "It has changed meanwhile"),
        "too_large": (413, "The body is too large"),
        "media_type": (415, "The body must be application/json"),
        "misdirected": (421, "This is not the host that was asked for"),
        "invalid": (422, "Something in the request is not as it must be"),
        "unfit": (422, "Well-formed, but it cannot be"),
        "not_confirmed": (422, "The typed address is not the mailbox's"),
        "key_reused": (422, "The idempotency key was used for another request"),
        "too_many": (429, "Too many requests"),
        "internal": (500, "mailwatch failed; its log says how"),
        "unavailable": (503, "The database cannot be used now; try again"),
        "too_many_readers": (503, "Too many readers follow the events"),
        "gate_stale": (503, "The sending gate has lost touch with its source"),
    }
)
#: What is shown for a status that no code of ours stands for.
_BY_STATUS: Final = {400: "malformed", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "media_type"}


class Problem(Exception):  # noqa: N818  # RFC 9457's own word
    """A request is refused; *code* is one of CODES, *detail* tells this very case, and never a secret."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        **members: Any,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.errors = code, detail, errors
        self.headers, self.members = headers, members

    @property
    def status(self) -> int:
        """The HTTP status."""
        return CODES[self.code][0]

    def response(self, path: str) -> Response:
        """The answer for a request of *path*."""
        status, title = CODES[self.code]
        content: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": title,
            "status": status,
            "detail": self.detail or title,
            "code": self.code,
            "instance": path,
            **self.members,
        }
        if self.errors:
            content["errors"] = list(self.errors)
        headers = {"cache-control": "no-store", **(self.headers or {})}
        return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def from_error(error: Exception) -> Problem | None:
    """What a fault of mailwatch's own vocabulary means over HTTP; None: it is a bug."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, IllegalMoveError):
        return Problem("illegal_move", str(error), state=error.state.value, trigger=error.trigger.value)
    if isinstance(error, RosterError):
        return Problem("unfit", str(error)[:500], errors=[_row_fault(fault) for fault in error.faults])
    if isinstance(error, WindowError):
        return Problem("unfit", str(error), errors=[{"field": error.field, "in": "body", "problem": error.problem}])
    if isinstance(error, StoreUnavailableError):
        return Problem("unavailable")  # its words name the database's place, and whoever has not signed in may read them
    return next((Problem(code, str(error)) for kind, code in _KINDS if isinstance(error, kind)), None)


def _row_fault(fault: RosterFault) -> Mapping[str, Any]:
    return {"field": f"{fault.line}.{fault.column}", "in": "body", "problem": f"{fault.problem}; {fault.cure}"}


#: The first that fits counts.
_KINDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (MailboxNotFoundError, "not_found"),
    (CampaignNotFoundError, "not_found"),
    (WindowNotFoundError, "not_found"),
    (IncidentNotFoundError, "not_found"),
    (IncidentOverError, "over"),
    (CampaignOverError, "over"),
    (MailboxExistsError, "exists"),
    (CampaignExistsError, "exists"),
    (StaleError, "stale"),
    (NotConfirmedError, "not_confirmed"),
    (HoldError, "unfit"),
    (BulkError, "bulk"),
    (CountDiffersError, "bulk"),
    (AccountError, "account"),
    (ConsentError, "consent"),
    (KeyRetiredError, "unavailable"),  # it names a key's id, which shows nothing
)


def _from_status(error: HTTPException) -> Problem:
    code = _BY_STATUS.get(error.status_code, "malformed" if error.status_code < _INTERNAL else "internal")
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else ""
    return Problem(code, detail, headers=error.headers)


def _from_validation(error: RequestValidationError) -> Problem:
    """All faults at once, each with its place; what was given is left out, since it may be a secret."""
    listed = [
        {"field": ".".join(str(part) for part in fault["loc"][1:]), "in": str(fault["loc"][0]), "problem": str(fault["msg"])}
        for fault in error.errors()
    ]
    if any(fault["type"] == "json_invalid" for fault in error.errors()):
        return Problem("malformed", "the body is no valid JSON")
    return Problem(
        "invalid", "; ".join(f"{each['field'] or each['in']}: {each['problem']}" for each in listed)[:500], errors=listed
    )


Responder = Callable[[Request, Exception], Awaitable[Response]]


def install(app: FastAPI) -> None:
    """Answer with problems wherever *app* would answer with its framework's own errors."""

    async def respond(request: Request, error: Exception) -> Response:
        problem: Problem | None
        if isinstance(error, RequestValidationError):
            problem = _from_validation(error)
        elif isinstance(error, HTTPException):
            problem = _from_status(error)
            if problem.code == "method_not_allowed":  # routes know only their own methods, not those of others at their path
                known = getattr(request.app.state, "allowed_methods", str)(request.url.path)
                problem.headers = {"allow": known} if known else error.headers
        else:
            problem = from_error(error)
        if problem is None:
            raise error
        return problem.response(request.url.path)

    for kind in (Problem, RequestValidationError, HTTPException, MailwatchError, IllegalMoveError):
        app.add_exception_handler(kind, respond)
