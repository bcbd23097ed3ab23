"""What mailwatch does about an incident, in words for operators: one meaning for the page and the API."""

from typing import Final

from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, ScopeKind

#: The scopes that have a circuit of their own.
_GATES: Final = frozenset({ScopeKind.PROVIDER, ScopeKind.ENDPOINT})
_OVER: Final = "It is over. What it had stopped was made due again; campaigns go on as their mailboxes are verified."
_EGRESS: Final = (
    "mailwatch's own network is broken: until it works again no mailbox is judged, and nobody's campaigns are paused for it. "
    "The canaries are asked every few seconds."
)
_ONE_BY_ONE: Final = (
    "Its mailboxes are retried one by one, in growing pauses. Those it has stopped for good are not: five of them are tried every "
    "half hour, and after each reload; all of them return when it is over."
)


def looks_by_canaries(incident: Incident, canary_seconds: float | None) -> bool:
    """Whether its mailboxes wait until canaries got through, instead of being retried one by one."""
    return incident.is_open and incident.takes_all and incident.scope.kind in _GATES and canary_seconds is not None


def what_is_done(incident: Incident, canary_seconds: float | None) -> str:
    """What mailwatch does now, and when it looks next.

    *canary_seconds* is how often a canary looks at a place that is down; None: circuits are switched off.
    """
    if not incident.is_open:
        return _OVER
    if incident.scope == EGRESS:
        return _EGRESS
    if looks_by_canaries(incident, canary_seconds):
        return (
            f"Its mailboxes are not retried one by one: every {canary_seconds:g} s one of them with a proven secret looks. Once a "
            "few of these got through, the others return, slowly at first. Their campaigns go on after verification."
        )
    return _ONE_BY_ONE
