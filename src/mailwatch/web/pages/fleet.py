"""Pages about many mailboxes at once: what the last weeks show, and who did what; and what is away now, grouped."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from mailwatch.core.cause_texts import remedy_for, told_in
from mailwatch.core.causes import Cause, Owner, profile_of
from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import Trouble
from mailwatch.ports.people import Role
from mailwatch.web.pages.charts import daily
from mailwatch.web.pages.visits import Visit
from mailwatch.web.pages.words import STATES

_SPAN: Final = timedelta(days=30)
_FINDINGS_SHOWN: Final = 10
_AUDIT_ROWS: Final = 100


@dataclass(frozen=True, slots=True)
class Group:
    """Mailboxes of one provider away for one cause: one thing to understand, perhaps one thing to do."""

    provider: str
    cause: str
    mailboxes: int
    since_at: datetime
    states: tuple[tuple[State, int], ...]
    sentence: str
    steps: tuple[str, ...]  #: what a person must do; empty: nothing
    owner: Owner | None
    link: str

    @property
    def worst(self) -> State:
        """The state that needs a person soonest."""
        return self.states[0][0]


def groups_of(troubles: Sequence[Trouble]) -> list[Group]:
    """By provider and cause; those that need action first, then the largest."""
    by_root: dict[tuple[str, str], list[Trouble]] = defaultdict(list)
    for trouble in troubles:
        by_root[trouble.provider, trouble.cause].append(trouble)
    groups = [_group(provider, cause, parts) for (provider, cause), parts in by_root.items()]
    order = list(STATES)
    return sorted(groups, key=lambda group: (order.index(group.worst) != 0, -group.mailboxes, group.provider, group.cause))


def _group(provider: str, cause: str, parts: list[Trouble]) -> Group:
    counts: dict[State, int] = defaultdict(int)
    for part in parts:
        counts[part.state] += part.mailboxes
    states = tuple((state, counts[state]) for state in STATES if counts[state])
    known = Cause(cause) if cause in list(Cause) else None
    blocked = states[0][0] is State.BLOCKED
    pairs = [("provider", provider), *((("cause", cause),) if cause else ()), *(("state", state.value) for state, _ in states)]
    return Group(
        provider,
        cause,
        sum(counts.values()),
        min(part.since_at for part in parts),
        states,
        told_in(known, states[0][0]) if known is not None else "",
        remedy_for(known, provider) if known is not None and blocked else (),
        profile_of(known).owner if known is not None else None,
        f"/mailboxes?{urlencode(pairs)}",
    )


async def findings(visit: Visit) -> Response:
    """`/findings`: figures over the last 30 days of the history."""
    source = visit.surface.findings
    figures = await source.figures(visit.now - _SPAN, visit.now, _FINDINGS_SHOWN) if source is not None else None
    return visit.page(
        "findings.html", here="findings", figures=figures, days=_SPAN.days, daily=daily(figures.days if figures else ())
    )


async def audit(visit: Visit) -> Response:
    """`/audit`: who did what, newest first; for administrators, as over the API."""
    if not visit.may(Role.ADMIN):
        return visit.problem(403, "The audit log is for administrators", "Ask one of them to look, or to give you the role.")
    mailbox_id = visit.request.query_params.get("mailbox") or None
    rows = await visit.surface.pages.audit(visit.number("before"), _AUDIT_ROWS + 1, mailbox_id=mailbox_id)
    shown = rows[:_AUDIT_ROWS]
    older = {"before": str(shown[-1].id), **({"mailbox": mailbox_id} if mailbox_id else {})} if len(rows) > _AUDIT_ROWS else None
    return visit.page(
        "audit.html", here="audit", rows=shown, mailbox_id=mailbox_id, older=f"/audit?{urlencode(older)}" if older else None
    )
