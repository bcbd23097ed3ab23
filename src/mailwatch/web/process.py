"""What the process tells of itself: metrics, health, readiness, status - and the reload of its configuration.

Health and readiness are open to everybody.  The others need no sign-in from this very machine (`auth.is_local`); from anywhere
else they need a role like everything.  Metrics are also for the users of a web.config, and where it names some, for this machine
no longer without.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import PageFilter
from mailwatch.ports.people import Role
from mailwatch.web.auth import caller_of, needs
from mailwatch.web.problems import Problem
from mailwatch.web.surface import Probing

router = APIRouter(include_in_schema=False)
reports = APIRouter(tags=["process"])

_MOST_VALUES: Final = 50
_LONGEST: Final = 200
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]

_LANDING: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>mailwatch</title>
<h1>mailwatch</h1><ul><li><a href="/metrics">Metrics</a></li><li><a href="/-/ready">Readiness</a></li>
<li><a href="/api/v1/status">Status (JSON)</a></li></ul></html>"""

_local_reader: Final = needs(Role.READ, or_local=True)
LocalReader = Depends(_local_reader)
LocalAdmin = Depends(needs(Role.ADMIN, or_local=True))


async def _probing(request: Request) -> Probing:
    probing = request.app.state.probing
    assert isinstance(probing, Probing)
    return probing


FromProcess = Annotated[Probing, Depends(_probing)]


class Impaired(BaseModel):
    """How many mailboxes cannot be looked at, for one fault of mailwatch's own."""

    reason: str
    mailboxes: int
    sentence: str


class Status(BaseModel):
    """How the daemon and its fleet are."""

    model_config = ConfigDict(extra="allow")

    version: str = ""
    node: str = ""
    sentence: str = ""
    states: dict[str, int] = {}
    impaired: list[Impaired] = []  #: what is shown of these mailboxes is old


async def _metrics_reader(request: Request, probing: FromProcess) -> None:
    """As `LocalReader`; where a web.config names users, being on this machine is not enough.  Raises Problem."""
    guard = probing.web_config
    if guard is None or not guard.names_users:
        await _local_reader(request)
    elif not await guard.admits(request.headers.get("authorization")) and await caller_of(request) is None:
        raise Problem("not_signed_in", headers={"www-authenticate": 'Basic realm="mailwatch", charset="UTF-8"'})


MetricsReader = Depends(_metrics_reader)


@router.api_route("/metrics", methods=["GET", "HEAD"], dependencies=[MetricsReader])
async def metrics(request: Request, probing: FromProcess) -> Response:
    """Prometheus' text, in the form its Accept header asks for."""
    body, content_type = await probing.render_metrics(request.headers.get("accept", ""))
    return Response(body, headers={"content-type": content_type})


@router.api_route("/metrics/mailboxes", methods=["GET", "HEAD"], dependencies=[MetricsReader])
async def mailbox_metrics(
    probing: FromProcess,
    state: Annotated[list[State], Query(max_length=_MOST_VALUES)] = [],  # noqa: B006  # FastAPI's way
    provider: Annotated[list[_Name], Query(max_length=_MOST_VALUES)] = [],  # noqa: B006  # as above
    campaign: Annotated[str, Query(max_length=_LONGEST)] = "",
) -> Response:
    """One series for each mailbox asked for; without a state, for those that do not work."""
    if probing.render_mailboxes is None:
        raise Problem("not_found", "set [metrics] mailboxes = true to have a series for each mailbox")
    which = PageFilter(states=frozenset(state), providers=frozenset(provider), campaign=campaign)
    body, content_type = await probing.render_mailboxes(which)
    return Response(body, headers={"content-type": content_type})


@router.api_route("/-/healthy", methods=["GET", "HEAD"])
@router.api_route("/livez", methods=["GET", "HEAD"])
async def healthy() -> Response:
    """The event loop turns."""
    return PlainTextResponse("mailwatch is healthy.\n")


@router.api_route("/-/ready", methods=["GET", "HEAD"])
@router.api_route("/readyz", methods=["GET", "HEAD"])
async def ready(probing: FromProcess) -> Response:
    """Whether it does its work, or why not."""
    reason = probing.not_ready()
    return PlainTextResponse(
        "mailwatch is ready.\n" if reason is None else f"not ready: {reason}\n", 200 if reason is None else 503
    )


@router.api_route("/-/reload", methods=["POST", "PUT"], dependencies=[LocalAdmin])
async def reload(probing: FromProcess) -> Response:
    """Read the configuration anew; the old one stays when the new one is faulty."""
    fault = await probing.reload()
    return PlainTextResponse(
        "reloaded\n" if fault is None else f"not reloaded, the old configuration stays:\n{fault}\n",
        200 if fault is None else 500,
    )


@reports.get("/api/v1/status", response_model=Status, dependencies=[LocalReader], operation_id="get_status")
async def status(probing: FromProcess) -> Any:
    """How the daemon and its fleet are, from memory."""
    return JSONResponse(dict(probing.status()), headers={"cache-control": "no-store"})


async def landing() -> Response:
    """Where there are no pages: what there is instead."""
    return HTMLResponse(_LANDING)
