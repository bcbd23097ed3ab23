"""What the recorded history shows over a span (ports.findings.Findings).

A disconnection is a transition out of a suspicion into `reconnecting` or `blocked` (`schema.LOST`, with an index of its own, since
they are few among all transitions); it ends with the mailbox's next transition to `connected`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, bindparam, func, literal, select, text, type_coerce

from mailwatch.core.lifecycle import State
from mailwatch.ports.findings import CauseFigure, Day, Figures, MailboxFigure, Outage
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema import LOST, Moment, from_micros, mailboxes, to_micros, transitions

_DAY: Final = timedelta(days=1)
_DAY_MICROS: Final = _DAY // timedelta(microseconds=1)

_LOST: Final = (
    select(transitions.c.id, transitions.c.mailbox_id, transitions.c.version, transitions.c.cause, transitions.c.at)
    .where(text(LOST), transitions.c.at >= bindparam("since", type_=Moment))
    .subquery("lost")
)
_WITH_MAILBOX: Final = _LOST.join(mailboxes, mailboxes.c.id == _LOST.c.mailbox_id)
_NUMBER: Final = func.count().label("number")

_CAUSES: Final = (
    select(_LOST.c.cause, mailboxes.c.provider, _NUMBER, func.count(_LOST.c.mailbox_id.distinct()).label("several"))
    .select_from(_WITH_MAILBOX)
    .group_by(_LOST.c.cause, mailboxes.c.provider)
    .order_by(_NUMBER.desc(), _LOST.c.cause, mailboxes.c.provider)
    .limit(bindparam("most"))
)
# An expression, and no column: for the sake of its order SQLite would walk all transitions by mailbox.
_WHO: Final = func.coalesce(_LOST.c.mailbox_id, "").label("mailbox_id")
_OFTEN: Final = (
    select(_WHO, _NUMBER, func.max(_LOST.c.at).label("last_at"))
    .group_by(_WHO)
    .having(func.count() > 1)
    .order_by(_NUMBER.desc(), _WHO)
    .limit(bindparam("most"))
)
_ENDED_AT: Final = (
    select(transitions.c.at)
    .where(
        transitions.c.mailbox_id == _LOST.c.mailbox_id,
        transitions.c.version > _LOST.c.version,
        transitions.c.to_state == State.CONNECTED.value,
    )
    .order_by(transitions.c.version)
    .limit(1)
    .correlate(_LOST)
    .scalar_subquery()
)
_OUTAGES: Final = select(_LOST.c.id, _LOST.c.mailbox_id, _LOST.c.cause, _LOST.c.at, _ENDED_AT.label("ended_at")).subquery("outages")
_UNTIL_AT: Final = type_coerce(func.coalesce(_OUTAGES.c.ended_at, bindparam("now", type_=Moment)), BigInteger)
_LONGEST: Final = (
    select(_OUTAGES).order_by((_UNTIL_AT - type_coerce(_OUTAGES.c.at, BigInteger)).desc(), _OUTAGES.c.id).limit(bindparam("most"))
)
_LOST_ON: Final = (type_coerce(_OUTAGES.c.at, BigInteger) // literal(_DAY_MICROS)).label("lost_on")
_BACK_ON: Final = (type_coerce(_OUTAGES.c.ended_at, BigInteger) // literal(_DAY_MICROS)).label("back_on")
_BY_DAY: Final = select(_LOST_ON, _BACK_ON, _NUMBER).group_by(_LOST_ON, _BACK_ON)
_NAMES: Final = select(mailboxes.c.id, mailboxes.c.address, mailboxes.c.provider).where(
    mailboxes.c.id.in_(bindparam("ids", expanding=True))
)


class SqlFindings:
    """The figures of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self, since: datetime, now: datetime, limit: int) -> Figures:
        """The figures from *since* to *now*, at most *limit* rows of each kind."""

        async def work(attempt: Attempt) -> Figures:
            connection, asked = attempt.connection, {"since": since, "most": limit}
            causes = (await connection.execute(_CAUSES, asked)).all()
            often = (await connection.execute(_OFTEN, asked)).all()
            longest = (await connection.execute(_LONGEST, {**asked, "now": now})).all()
            names = await _names(attempt, {row.mailbox_id for row in (*often, *longest)})
            return Figures(
                since,
                [CauseFigure(row.cause or "unknown", row.provider, row.number, row.several) for row in causes],
                [MailboxFigure(row.mailbox_id, *names[row.mailbox_id], row.number, row.last_at) for row in often],
                [Outage(row.mailbox_id, names[row.mailbox_id][0], row.cause or "", row.at, row.ended_at) for row in longest],
                await _days(attempt, since, now),
            )

        return await self._database.read(work)


async def _names(attempt: Attempt, ids: set[str]) -> dict[str, tuple[str, str]]:
    """Address and provider of each."""
    rows = (await attempt.connection.execute(_NAMES, {"ids": sorted(ids)})).all() if ids else ()
    return {row.id: (row.address, row.provider) for row in rows}


async def _days(attempt: Attempt, since: datetime, now: datetime) -> Sequence[Day]:
    """Every day (UTC) from the one of *since* to today, the quiet ones too."""
    lost, back = Counter[int](), Counter[int]()
    for row in (await attempt.connection.execute(_BY_DAY, {"since": since})).all():
        lost[row.lost_on] += row.number
        if row.back_on is not None:
            back[row.back_on] += row.number
    first, last = to_micros(since) // _DAY_MICROS, to_micros(now) // _DAY_MICROS
    return [Day(from_micros(day * _DAY_MICROS), lost[day], back[day]) for day in range(first, last + 1)]
