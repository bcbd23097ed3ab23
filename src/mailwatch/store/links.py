"""One-time links at rest: each is used by the first who comes, and by nobody after."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select, update

from mailwatch.ports import Act, Clock
from mailwatch.ports.people import LinkKind, OneTimeLink
from mailwatch.store.audit import new_operation, write_audit
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema import meta
from mailwatch.store.schema_people import links

_BY_HASH: Final = select(links).where(links.c.hashed == bindparam("of"))
_OPEN: Final = _BY_HASH.where(links.c.used_at.is_(None), links.c.expires_at > bindparam("now"))
_USE: Final = (
    update(links)
    .where(links.c.hashed == bindparam("of"), links.c.used_at.is_(None), links.c.expires_at > bindparam("now"))
    .values(used_at=bindparam("now"))
)
# a row that is always there: whoever locks it makes set-up links alone
_TURN: Final = select(meta).where(meta.c.name == "instance").with_for_update()


class SqlLinks:
    """The one-time links of one database."""

    _database: Database
    _clock: Clock

    async def add_link(self, hashed: str, link: OneTimeLink, act: Act | None) -> None:
        """Keep a one-time link under the hash of its secret; a new SETUP link ends the older ones."""
        operation, now = new_operation(), self._clock.now()
        row = {"hashed": hashed, "kind": link.kind.value, "subject": link.subject, "expires_at": link.expires_at}

        async def work(attempt: Attempt) -> None:
            connection = attempt.connection
            if attempt.doubtful and (await connection.execute(_BY_HASH, {"of": hashed})).first() is not None:
                return
            if link.kind is LinkKind.SETUP:
                await connection.execute(_TURN)
                await connection.execute(delete(links).where(links.c.kind == LinkKind.SETUP.value))
            await connection.execute(insert(links), row)
            if act is not None:
                of_mailbox = link.subject if link.kind is LinkKind.RECONNECT else None
                await write_audit(attempt, act, now, mailbox_id=of_mailbox, subject=link.subject or None, operation=operation)

        await self._database.write(work)

    async def link(self, hashed: str, now: datetime) -> OneTimeLink | None:
        """Look at a link without using it up."""

        async def work(attempt: Attempt) -> OneTimeLink | None:
            row = (await attempt.connection.execute(_OPEN, {"of": hashed, "now": now})).first()
            return None if row is None else _link(row)

        return await self._database.read(work)

    async def use_link(self, hashed: str, now: datetime) -> OneTimeLink | None:
        """Use the link up; None when it was used or has ended.  Of two at once only one gets it."""

        async def work(attempt: Attempt) -> OneTimeLink | None:
            won = (await attempt.connection.execute(_USE, {"of": hashed, "now": now})).rowcount
            row = (await attempt.connection.execute(_BY_HASH, {"of": hashed})).first()
            # the commit whose answer was lost had gone through: this microsecond is ours
            ours = won or (attempt.doubtful and row is not None and row.used_at == now)
            return _link(row) if row is not None and ours else None

        return await self._database.write(work)


def _link(row: Row[Any]) -> OneTimeLink:
    return OneTimeLink(LinkKind(row.kind), row.subject, row.expires_at)
