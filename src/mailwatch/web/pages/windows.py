"""Maintenance windows: those that run, come or recur, those that are over, and the form that declares one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import Response

from mailwatch.core.incidents.scopes import ScopeKind
from mailwatch.core.maintenance import Every, Window
from mailwatch.desk.windows import LONGEST_SECONDS, SCOPE_KINDS
from mailwatch.web.pages.moments import shown, span
from mailwatch.web.pages.visits import Visit
from mailwatch.web.pages.words import capital, scope_word

_PAST_ROWS: Final = 50
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: What the form calls the kinds of a scope.
_KINDS: Final = {
    ScopeKind.PROVIDER: "One provider",
    ScopeKind.ENDPOINT: "One server",
    ScopeKind.DOMAIN: "One domain",
    ScopeKind.OAUTH_APP: "One OAuth application",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A window as a row."""

    window: Window
    scope: str
    running_until_at: datetime | None
    next_at: datetime | None
    rhythm: str  #: empty for one that comes once
    ended: str  #: how a person ended it early; empty where nobody did

    @property
    def is_over(self) -> bool:
        """Whether it never runs again."""
        return self.running_until_at is None and self.next_at is None


async def maintenance(visit: Visit) -> Response:
    """`/maintenance`."""
    source, before = visit.surface.maintenance, visit.request.query_params.get("before") or None
    declared = await source.windows(visit.now) if source is not None else ()
    past = await source.all(_PAST_ROWS + 1, before=before) if source is not None else ()
    shown = past[:_PAST_ROWS]
    lines = [line_of(window, visit.now) for window in declared]
    return visit.page(
        "maintenance.html",
        here="incidents",
        tab="maintenance",
        running=sum(line.running_until_at is not None for line in lines),
        lines=sorted(lines, key=lambda line: (line.running_until_at is None, line.running_until_at or line.next_at)),
        over=[line for line in (line_of(window, visit.now) for window in shown) if line.is_over],
        older=f"/maintenance?{urlencode({'before': shown[-1].id})}#over" if len(past) > _PAST_ROWS else None,
        newest=before is None,
        kinds=[(kind.value, _KINDS[kind]) for kind in SCOPE_KINDS],
        providers=sorted((await visit.surface.pages.facets()).get("provider", {})),
        most_minutes=int(LONGEST_SECONDS // 60),
    )


def line_of(window: Window, now: datetime) -> Line:
    """A window in words."""
    running = window.running(now)
    return Line(
        window,
        capital(scope_word(window.scope)),
        running[1] if running is not None else None,
        window.next_start(now),
        rhythm_of(window),
        ended_of(window),
    )


def ended_of(window: Window) -> str:
    """How a person ended it early."""
    if window.ended_at is None:
        return ""
    if window.ended_at <= window.starts_at:
        return "cancelled before it began"
    if window.every is not Every.ONCE:
        return f"recurs no more since {shown(window.ended_at)}"
    lasted = (window.ended_at - window.starts_at).total_seconds()
    return f"ended after {span(lasted)}" if lasted < window.seconds else ""


def rhythm_of(window: Window) -> str:
    """When it recurs, on the wall clock it keeps to; empty where it does not."""
    if window.every is Every.ONCE:
        return ""
    wall = window.starts_at.astimezone(ZoneInfo(window.zone))
    day = "day" if window.every is Every.DAILY else _DAYS[wall.weekday()]
    until = f", until {window.until_at.astimezone(ZoneInfo(window.zone)):%Y-%m-%d}" if window.until_at is not None else ""
    return f"every {day} at {wall:%H:%M} ({window.zone}){until}"
