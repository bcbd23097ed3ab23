"""The places of mailboxes in the order of a page: what needs a person first, and within a state the newest first.

They are walked state by state along an index, so that nothing is sorted that is not shown.  A filter by address, label or campaign
that names few mailboxes is turned round: those few are found first, and sorted.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from sqlalchemy import CTE, FromClause, Select, Subquery, case, func, literal, select, true, tuple_

from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import ORDER, PageFilter
from mailwatch.store.engine import Attempt
from mailwatch.store.page_filter import candidates, named, of_standing, storable
from mailwatch.store.schema import Moment, from_micros, standings, to_micros

#: A filter by address, label or campaign that names no more than so many is answered by sorting these.  Of more, in a fleet of a
#: hundred thousand, a walk soon meets enough.
FEW: Final = 20_000

_dump: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_PLACES: Final = select(standings.c.state, standings.c.since_at, standings.c.mailbox_id)
_HEIGHT: Final = case({state.value: -rank for rank, state in enumerate(ORDER)}, value=standings.c.state)
_NEWEST_FIRST: Final = (standings.c.since_at.desc(), standings.c.mailbox_id.desc())


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mailbox stands in the order of a page: behind it the next page begins."""

    rank: int  #: of its state, in ORDER
    since_at: datetime
    mailbox_id: str

    @property
    def text(self) -> str:
        """As a cursor, opaque to everybody else."""
        plain = _dump([self.rank, to_micros(self.since_at), self.mailbox_id])
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, cursor: str) -> Self:
        """The place a cursor names; raises ValueError for a text that is none."""
        try:
            plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            rank, micros, mailbox_id = json.loads(plain)
            typed = (type(rank), type(micros), type(mailbox_id)) == (int, int, str)
            if typed and 0 <= rank < len(ORDER) and storable(mailbox_id):
                return cls(rank, from_micros(micros), mailbox_id)
        except (ValueError, TypeError, OverflowError, RecursionError):
            pass
        raise ValueError("this is no cursor of a page of mailboxes; begin with the first page")

    @property
    def order(self) -> tuple[int, datetime, str]:
        """What a page is sorted by, the highest first."""
        return -self.rank, self.since_at, self.mailbox_id


async def few_of(attempt: Attempt, which: PageFilter) -> Subquery | None:
    """The ids of what the filter names by campaign, address and labels, when these are few."""
    wanted = candidates(which)
    if wanted is None:
        return None
    some = wanted.limit(FEW + 1).subquery()
    number = (await attempt.connection.execute(select(func.count()).select_from(some))).scalar_one()
    return some if number <= FEW else None


def of_few(statement: Select[Any], few: FromClause, which: PageFilter, *, states: bool = True) -> Select[Any]:
    """*statement* over those of *few* whose standing the filter names; without its states when *states* is False."""
    of = statement.join_from(few, standings, standings.c.mailbox_id == few.c.id)
    return of.where(*of_standing(which, states=states))


async def places(attempt: Attempt, which: PageFilter, after: Place | None, most: int) -> Sequence[Place]:
    """Up to *most* places behind *after* of what the filter names."""
    wanted = candidates(which)
    if wanted is not None:
        found = await _sorted(attempt, wanted.limit(FEW + 1).cte("some"), which, after, most)
        if found is not None:
            return found
    return await _walked(attempt, which, after, most)


async def _walked(attempt: Attempt, which: PageFilter, after: Place | None, most: int) -> Sequence[Place]:
    """State by state along the index, as far as needed."""
    found = list[Place]()
    for rank, state in enumerate(ORDER):
        if (which.states and state not in which.states) or (after is not None and rank < after.rank):
            continue
        statement = named(_PLACES, which, states=False).where(standings.c.state == state.value)
        if after is not None and rank == after.rank:
            place = tuple_(literal(after.since_at, Moment), literal(after.mailbox_id))
            statement = statement.where(tuple_(standings.c.since_at, standings.c.mailbox_id) < place)
        rows = await attempt.connection.execute(statement.order_by(*_NEWEST_FIRST).limit(most - len(found)))
        found += [Place(rank, row.since_at, row.mailbox_id) for row in rows.all()]
        if len(found) == most:
            break
    return found


async def _sorted(attempt: Attempt, some: CTE, which: PageFilter, after: Place | None, most: int) -> Sequence[Place] | None:
    """What the filter names among *some*, sorted; None when these are not few."""
    number = select(func.count()).select_from(some).scalar_subquery()
    first = of_few(_PLACES, some, which).where(number <= FEW)
    if after is not None:
        height, since_at, mailbox_id = after.order
        place = tuple_(literal(height), literal(since_at, Moment), literal(mailbox_id))
        first = first.where(tuple_(_HEIGHT, standings.c.since_at, standings.c.mailbox_id) < place)
    shown = first.order_by(_HEIGHT.desc(), *_NEWEST_FIRST).limit(most).subquery()
    # one look through the mailboxes tells both: how many they are, and which of them are shown
    counted = select(number.label("number")).subquery()
    rows = (await attempt.connection.execute(select(counted, shown).select_from(counted.outerjoin(shown, true())))).all()
    if rows[0].number > FEW:
        return None
    found = [Place(ORDER.index(State(row.state)), row.since_at, row.mailbox_id) for row in rows if row.state is not None]
    return sorted(found, key=lambda place: place.order, reverse=True)
