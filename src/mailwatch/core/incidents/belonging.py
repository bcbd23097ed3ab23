"""Which mailboxes that are away belong to an incident, and which are away for a reason of their own."""

from datetime import timedelta
from typing import Final

from mailwatch.core.causes import SECRET_REFUSALS, Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.lifecycle import State
from mailwatch.core.standing import Standing

#: An incident is told after its first failures; what failed so long before belongs to it.
LEAD: Final = timedelta(minutes=15)
#: An incident brings these back, or its end does; holds and disconnections by a person it does not.
AWAY: Final = frozenset({State.SUSPECT, State.RECONNECTING, State.VERIFYING, State.BLOCKED})


def stops_with(incident: Incident) -> frozenset[Cause]:
    """The causes with which *incident* stops a mailbox for good; with any other the mailbox has a fault of its own.

    What a place that throttles says to a good password reads like a wrong one.
    """
    return frozenset({incident.cause, *(SECRET_REFUSALS if incident.cause is Cause.RATE_LIMITED else ())})


def belongs(standing: Standing, incident: Incident) -> bool:
    """Whether a mailbox of the incident's scope is away with it: since about its begin, and for no reason of its own."""
    if standing.state not in AWAY or (standing.state is State.BLOCKED and standing.cause not in stops_with(incident)):
        return False
    return (standing.down_since_at or standing.since_at) >= incident.opened_at - LEAD
