"""Which keys each running daemon holds: told by the daemons, asked by `key rotate` before it seals with a new one.

A node that lacks the key a secret is sealed with cannot open it, and would look at none of its mailboxes any more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, delete, insert, or_, select

from mailwatch.ports import Clock
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema import node_keys
from mailwatch.store.vault import Vault

#: A node that changed nothing tells so again after this …
_TOLD_SECONDS: Final = 30.0
#: … and one that has told nothing for so long does not run any more.
LIVE_SECONDS: Final = 90.0
_LIVE: Final = select(node_keys).where(node_keys.c.seen_at > bindparam("since")).order_by(node_keys.c.node)
_FORGET: Final = delete(node_keys).where(or_(node_keys.c.node == bindparam("of"), node_keys.c.seen_at < bindparam("before")))
_KEEP: Final = timedelta(days=1)


class SqlNodeKeys:
    """The keys of this node's ring and of the others'."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._told: tuple[str, ...] | None = None
        self._told_at = -_TOLD_SECONDS

    async def tell(self, node: str) -> None:
        """Take up the ring of a rotation, and record the keys held; cheap when nothing changed.  Raises StoreUnavailableError."""
        self._vault.follow()
        held, asked_at = self._vault.usable_ids, self._clock.monotonic()
        if held == self._told and asked_at - self._told_at < _TOLD_SECONDS:
            return
        now = self._clock.now()

        async def work(attempt: Attempt) -> None:
            await attempt.connection.execute(_FORGET, {"of": node, "before": now - _KEEP})
            await attempt.connection.execute(insert(node_keys), {"node": node, "kids": " ".join(held), "seen_at": now})

        await self._database.write(work)
        self._told, self._told_at = held, asked_at

    async def leave(self, node: str) -> None:
        """The node ends: nobody waits for it.  Raises StoreUnavailableError."""

        async def work(attempt: Attempt) -> None:
            await attempt.connection.execute(delete(node_keys).where(node_keys.c.node == node))

        await self._database.write(work)

    async def lacking(self, kid: str, now: datetime) -> Sequence[str]:
        """The running nodes that do not hold key *kid*."""

        async def work(attempt: Attempt) -> Sequence[str]:
            rows = (await attempt.connection.execute(_LIVE, {"since": now - timedelta(seconds=LIVE_SECONDS)})).all()
            return [row.node for row in rows if kid not in row.kids.split()]

        return await self._database.read(work)
