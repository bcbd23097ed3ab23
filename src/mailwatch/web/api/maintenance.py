"""/api/v1/maintenance: declared windows in which disconnections are expected, and alert nobody."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field, Strict
from starlette.responses import Response

from mailwatch.core.incidents.scopes import Scope
from mailwatch.core.maintenance import Every, Window
from mailwatch.desk.windows import LONGEST_SECONDS, SHORTEST_SECONDS, Wanted, WindowError, Windows, scope_named
from mailwatch.ports.maintenance import Maintenance
from mailwatch.web.api.answers import answer, next_link
from mailwatch.web.api.fields import WHOLE, Cursor, Given, Here, IdPath, Limit, Moment, Shown
from mailwatch.web.api.incidents import scope_shown
from mailwatch.web.auth import Actor, Reader, act_of
from mailwatch.web.problems import Problem
from mailwatch.web.surface import Surface

router = APIRouter(prefix="/api/v1/maintenance", tags=["maintenance"])

Seconds = Annotated[int, Strict(), Field(ge=int(SHORTEST_SECONDS), le=int(LONGEST_SECONDS)), WHOLE]
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
ScopeName = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
Zone = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$", examples=["Europe/Berlin"])]


class ScopeGiven(Given):
    """Which mailboxes are meant: one kind, and its name."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    provider: ScopeName | None = None
    oauth_app: ScopeName | None = None
    endpoint: ScopeName | None = None
    domain: ScopeName | None = None

    def scope(self) -> Scope:
        """The scope; raises WindowError unless one is given."""
        given = [(kind, name) for kind, name in self.model_dump().items() if name is not None]
        if len(given) != 1:
            raise WindowError("scope", "give one kind with its name; leave the scope out for everything")
        return scope_named(*given[0])


class WindowGiven(Given):
    """A window: it begins now unless `starts_at` says otherwise, and covers everything unless `scope` does not.

    A recurring one keeps to the wall clock of `zone`; none begins after `until_at`.
    """

    title: Title
    seconds: Seconds
    starts_at: Moment | None = None
    scope: ScopeGiven | None = None
    every: Every = Every.ONCE
    zone: Zone = "UTC"
    until_at: Moment | None = None

    def wanted(self) -> Wanted:
        """As the desk knows it; raises WindowError."""
        return Wanted(
            title=self.title,
            seconds=self.seconds,
            starts_at=self.starts_at,
            scope=None if self.scope is None else self.scope.scope(),
            every=self.every,
            zone=self.zone,
            until_at=self.until_at,
        )


class WindowShown(Shown):
    """A declared window.

    `running_until_at` is the end of the occurrence that runs now, `next_start_at` the start of the next one; without either it is
    over.
    """

    id: str
    title: str
    scope: dict[str, str] | None
    starts_at: Moment
    seconds: float
    every: Every
    zone: str
    until_at: Moment | None
    running_until_at: Moment | None
    next_start_at: Moment | None
    created_by: str
    created_at: Moment | None
    ended_at: Moment | None


class WindowDeclared(WindowShown):
    """A window that was declared just now, with the number of mailboxes it covers; `warning` says what to look at again."""

    mailboxes: int
    warning: str | None


class WindowPage(Shown):
    """One page."""

    windows: list[WindowShown]
    next: str | None


def _shown(window: Window, now: datetime) -> WindowShown:
    running = window.running(now)
    return WindowShown(
        id=window.id,
        title=window.title,
        scope=None if window.scope is None else scope_shown(window.scope),
        starts_at=window.starts_at,
        seconds=window.seconds,
        every=window.every,
        zone=window.zone,
        until_at=window.until_at,
        running_until_at=running[1] if running else None,
        next_start_at=window.next_start(now),
        created_by=window.created_by,
        created_at=window.created_at,
        ended_at=window.ended_at,
    )


@router.get("", response_model=WindowPage, operation_id="list_maintenance")
async def list_windows(
    request: Request,
    _: Reader,
    here: Here,
    ended: Annotated[
        Literal["true", "false"], Query(description="Also those that are over, the newest declaration first.")
    ] = "false",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Windows that run or will run, by their start."""
    now, store = here.clock.now(), _maintenance(here)
    if ended == "true":
        found = await store.all(limit + 1, before=cursor)
    else:
        found = _behind(await store.windows(now), cursor)
    following = found[limit - 1].id if len(found) > limit else None
    content = WindowPage(windows=[_shown(each, now) for each in found[:limit]], next=following)
    return answer(request, content, headers=next_link(request, following))


@router.post("", response_model=WindowDeclared, status_code=201, operation_id="declare_maintenance")
async def declare(request: Request, caller: Actor, here: Here, given: WindowGiven) -> Response:
    """Declare a window: disconnections inside it are put down to it, and alert nobody.

    One whose scope no mailbox is in holds for those that are added later, and the answer's `warning` says so.
    """
    windows = Windows(_maintenance(here), here.clock)
    declared = await windows.declare(given.wanted(), act_of(request, caller, "maintenance.add"))
    shown = _shown(declared.window, here.clock.now())
    return answer(request, WindowDeclared(**dict(shown), mailboxes=declared.mailboxes, warning=declared.warning), status=201)


@router.post("/{window}/end", response_model=WindowShown, operation_id="end_maintenance")
async def end(request: Request, caller: Actor, here: Here, window: IdPath) -> Response:
    """End it now, and for good: a recurring one comes no more."""
    ended = await Windows(_maintenance(here), here.clock).end(window, act_of(request, caller, "maintenance.end"))
    return answer(request, _shown(ended, here.clock.now()))


def _maintenance(here: Surface) -> Maintenance:
    if here.maintenance is None:
        raise Problem("unavailable", "this node knows no maintenance windows")
    return here.maintenance


def _behind(windows: Sequence[Window], cursor: str | None) -> Sequence[Window]:
    """Those behind the window of the *cursor*; none when that one is over by now."""
    if cursor is None:
        return windows
    places = [place for place, window in enumerate(windows) if window.id == cursor]
    return windows[places[0] + 1 :] if places else []
