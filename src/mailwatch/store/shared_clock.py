"""How far a node's clock is from the one that all nodes share: the database server's."""

from sqlalchemy import text

from mailwatch.ports import Clock
from mailwatch.store.engine import Attempt, Database


async def skew_seconds(database: Database, clock: Clock) -> float:
    """How far *clock* is ahead of the database's (negative: behind), as far as it is beyond doubt; raises StoreUnavailableError.

    An answer that was long under way says less: half of its time is doubt.  A SQLite file serves one node, whose clock it shares.
    """
    if database.is_sqlite:
        return 0.0

    async def work(attempt: Attempt) -> float:
        asked_at, began = clock.now(), clock.monotonic()
        theirs = (await attempt.connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        doubt = (clock.monotonic() - began) / 2
        ahead: float = (asked_at - theirs).total_seconds() + doubt
        return max(0.0, ahead - doubt) if ahead > 0 else min(0.0, ahead + doubt)

    return await database.read(work)
