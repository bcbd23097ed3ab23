"""Finds mailboxes nobody would ever look at again, and makes them due: the proof that every enabled mailbox has a next moment.

It finds nothing but after a fault: a wall clock that was set back, a damaged row, a bug.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, or_, update

from mailwatch.core.lifecycle import State
from mailwatch.store.engine import Attempt
from mailwatch.store.schema import standings

#: Looked at about once an interval.
STEADY: Final = (State.PENDING, State.CONNECTED, State.SUSPECT, State.VERIFYING)
#: May wait as long as a server asked for.
PATIENT: Final = (State.RECONNECTING, State.BLOCKED)
#: The clocks of nodes may differ by so much.
_AHEAD: Final = timedelta(minutes=1)


def _is_lost(states: tuple[State, ...], limit: str) -> ColumnElement[bool]:
    never = or_(standings.c.due_at.is_(None), standings.c.due_at > bindparam(limit))
    return and_(standings.c.state.in_([state.value for state in states]), never)


def _is_of_another_time() -> ColumnElement[bool]:
    """Looked at in what is the future now: the clock was set back, and its next moment is as far off as that."""
    patient = standings.c.state.in_([state.value for state in PATIENT])
    return and_(patient, standings.c.due_at > bindparam("steady"), standings.c.last_probe_at > bindparam("ahead"))


_RESCUE: Final = (
    update(standings)
    .where(or_(_is_lost(STEADY, "steady"), _is_lost(PATIENT, "patient"), _is_of_another_time()))
    .values(due_at=bindparam("now"))
)
#: A lease that ends later than any can is let end now: the next claim counts it as a lost login.
_END_LEASES: Final = (
    update(standings).where(standings.c.lease_until_at > bindparam("latest")).values(lease_until_at=bindparam("now"))
)


async def rescue(attempt: Attempt, now: datetime, *, steady: datetime, patient: datetime, lease: datetime) -> int:
    """Make due what would wait beyond these moments; how many mailboxes that were."""
    ended = await attempt.connection.execute(_END_LEASES, {"now": now, "latest": lease})
    moments = {"now": now, "steady": steady, "patient": patient, "ahead": now + _AHEAD}
    rescued = await attempt.connection.execute(_RESCUE, moments)
    return max(0, ended.rowcount) + max(0, rescued.rowcount)
