"""/api/v1/incidents: outages, one each however many mailboxes they took."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from mailwatch.core.cause_texts import remedy_for, texts_for
from mailwatch.core.causes import profile_of
from mailwatch.core.incidents.doing import what_is_done
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.providers import provider_for_host
from mailwatch.core.status_pages import status_page_of
from mailwatch.desk.outages import Outages
from mailwatch.ports.incidents import Incidents
from mailwatch.web.api.answers import answer, next_link, wanted_version
from mailwatch.web.api.fields import MOST_ROWS, Cursor, Here, IfMatch, Limit, Moment, Shown
from mailwatch.web.auth import Actor, Reader, act_of
from mailwatch.web.problems import Problem
from mailwatch.web.surface import Surface

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])

#: An id holds the name of its scope: a host, at the longest.
IncidentPath = Annotated[str, Path(pattern=r"^[^\x00-\x20\x7f]{1,320}$")]
_OPEN: Final = {None: None, "true": True, "false": False}


class IncidentShown(Shown):
    """An outage: open until `closed_at`.

    `scope` is what its mailboxes have in common, a kind and a name; `failed` counts those seen failing in it, `mailboxes` those it
    takes: all of the scope where most of what was looked at failed.
    """

    id: str
    scope: dict[str, str]
    cause: str
    disposition: str  #: what heals the cause
    owner: str  #: who must act
    sentence: str  #: the cause, for operators
    opened_at: Moment
    last_failure_at: Moment
    closed_at: Moment | None
    failed: int
    mailboxes: int
    peak_share: float
    reopened: int
    status_page: str | None  #: where the provider tells of its outages


class IncidentPage(Shown):
    """Newest first."""

    incidents: list[IncidentShown]
    next: str | None


class IncidentWhole(IncidentShown):
    """With the ids of what it took, at most 500 of each, the steps that heal its cause, and what mailwatch does meanwhile."""

    doing: str
    remedy: list[str]
    affected_mailboxes: list[str]
    affected_campaigns: list[str]


def scope_shown(scope: Scope) -> dict[str, str]:
    """A scope, as webhooks and the command line show it too."""
    return {scope.kind.value: scope.name}


def _fields(incident: Incident) -> dict[str, Any]:
    profile = profile_of(incident.cause)
    return {
        "id": incident.id,
        "scope": scope_shown(incident.scope),
        "cause": incident.cause.value,
        "disposition": profile.disposition.value,
        "owner": profile.owner.value,
        "sentence": texts_for(incident.cause).operator,
        "opened_at": incident.opened_at,
        "last_failure_at": incident.last_failure_at,
        "closed_at": incident.closed_at,
        "failed": incident.failed,
        "mailboxes": incident.affected,
        "peak_share": round(incident.peak_share, 3),
        "reopened": incident.reopened,
        "status_page": status_page_of(incident.scope),
    }


@router.get("", response_model=IncidentPage, operation_id="list_incidents")
async def list_incidents(
    request: Request,
    _: Reader,
    here: Here,
    is_open: Annotated[
        Literal["true", "false"] | None, Query(alias="open", description="Only those that go on, or only those that are over.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Outages, newest first."""
    found = await _incidents(here).listed(cursor, limit + 1, is_open=_OPEN[is_open])
    following = found[limit - 1].id if len(found) > limit else None
    content = IncidentPage(incidents=[IncidentShown(**_fields(each)) for each in found[:limit]], next=following)
    return answer(request, content, headers=next_link(request, following))


@router.get("/{incident}", response_model=IncidentWhole, operation_id="get_incident")
async def get_incident(request: Request, _: Reader, here: Here, incident: IncidentPath) -> Response:
    """One outage: what it took, what mailwatch does meanwhile, and where its provider tells of it."""
    incidents = _incidents(here)
    found = await incidents.find(incident)
    if found is None:
        raise Problem("not_found", "no such incident")
    content = await _whole(here, found)
    return answer(request, content, version=found.version)


@router.post("/{incident}/close", response_model=IncidentWhole, operation_id="close_incident")
async def close(request: Request, caller: Actor, here: Here, incident: IncidentPath, if_match: IfMatch = None) -> Response:
    """Say that it is over: its mailboxes are tried again; if they go on failing, it is reopened.

    One that is over already is refused (409, `over`).
    """
    incidents = _incidents(here)
    version: int | None = None
    if if_match is not None and (found := await incidents.find(incident)) is not None:
        version = wanted_version(if_match, found.version)
    act = act_of(request, caller, "incident.close")
    closed = await Outages(incidents, here.clock).close(incident, act, version=version)
    return answer(request, await _whole(here, closed), version=closed.version)


async def _whole(here: Surface, found: Incident) -> IncidentWhole:
    mailboxes, campaigns = await _incidents(here).affected(found, MOST_ROWS)
    return IncidentWhole(
        **_fields(found),
        doing=what_is_done(found, here.canary_seconds),
        remedy=list(remedy_for(found.cause, _provider_of(found.scope))),
        affected_mailboxes=list(mailboxes),
        affected_campaigns=list(campaigns),
    )


def _incidents(here: Surface) -> Incidents:
    if here.incidents is None:
        raise Problem("unavailable", "this node knows no incidents")
    return here.incidents


def _provider_of(scope: Scope) -> str:
    """Whose steps heal it, `other` where no provider is meant."""
    if scope.kind is ScopeKind.PROVIDER:
        return scope.name
    return provider_for_host(scope.name) if scope.kind is ScopeKind.ENDPOINT else "other"
