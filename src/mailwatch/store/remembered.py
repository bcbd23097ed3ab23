"""Answers remembered under idempotency keys, so that a request sent twice is done once.

Beside each answer stands of which mailboxes it tells, so that a removal finds it without reading them all.
"""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from mailwatch.ports import Clock
from mailwatch.ports.people import Remembered
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema_people import remembered, remembered_names

#: How long an answer is remembered.
REMEMBERED: Final = timedelta(days=1)
#: A request without an answer for so long died with its process: its key may be used again.
ABANDONED: Final = timedelta(minutes=15)

_KEY: Final = remembered.c.key == bindparam("of")
_BY_KEY: Final = select(remembered).where(_KEY).with_for_update()
_UNANSWERED: Final = {"status": None, "body": None, "content_type": None}
_INSERTS: Final = {
    "sqlite": sqlite_insert(remembered).on_conflict_do_nothing(),
    "postgresql": postgresql_insert(remembered).on_conflict_do_nothing(),
}
_NAMES: Final = delete(remembered_names).where(remembered_names.c.key == bindparam("of"))
_TELLING: Final = select(remembered_names.c.key).where(remembered_names.c.name.in_(bindparam("names", expanding=True)))
_ID: Final = re.compile(r"mb_[A-Za-z0-9_-]{1,60}")
#: What may be an address (as core.mailbox has it), with what words around it may have left at its ends.
_ADDRESS: Final = re.compile(r"[^\s@\x00-\x1f\x7f<>\"(),:;\[\]\\]{1,64}@[^\s@\x00-\x1f\x7f<>\"(),:;\\]{1,255}")
_AROUND: Final = "'`.!?{}[]=/"
#: What a replay is answered once the mailbox it spoke of is removed: who asks again must not make it anew.
_GONE: Final = Remembered(
    "", 410, b'{"type":"/problems/gone","title":"Gone","status":410,"code":"gone"}', "application/problem+json"
)


class SqlRemembered:
    """The remembered answers of one database."""

    _database: Database
    _clock: Clock

    async def begin_once(self, key: str, request_hash: str, now: datetime) -> Remembered | None:
        """Note a request under its idempotency key (scoped by the caller's name); None: it is the first, go ahead.

        Else what is remembered: the caller compares the hashes, and answers 409 when `status` is None (in progress).
        """
        first = {"key": key, "request_hash": request_hash, "at": now, **_UNANSWERED}

        async def work(attempt: Attempt) -> Remembered | None:
            connection = attempt.connection
            while not (await connection.execute(_INSERTS[connection.dialect.name], first)).rowcount:
                row = (await connection.execute(_BY_KEY, {"of": key})).first()
                if row is None:
                    continue  # given up between the two statements: the key is free
                if not _over(row, now):
                    # the commit whose answer was lost had gone through: what is under way is this very request
                    ours = attempt.doubtful and (row.status, row.request_hash, row.at) == (None, request_hash, now)
                    return None if ours else Remembered(row.request_hash, row.status, row.body or b"", row.content_type or "")
                await connection.execute(_NAMES, {"of": key})
                await connection.execute(update(remembered).where(remembered.c.key == key).values(first))
                break
            return None

        return await self._database.write(work)

    async def finish_once(self, key: str, answer: Remembered) -> None:
        """Remember the answer for a day."""
        values = {"status": answer.status, "body": answer.body, "content_type": answer.content_type}
        names = [{"key": key, "name": name} for name in sorted(names_in(answer.body))]

        async def work(attempt: Attempt) -> None:
            connection = attempt.connection
            found = await connection.execute(update(remembered).where(remembered.c.key == key).values(values))
            await connection.execute(_NAMES, {"of": key})
            if names and found.rowcount:
                await connection.execute(insert(remembered_names), names)

        await self._database.write(work)

    async def abandon_once(self, key: str) -> None:
        """The first request failed inside mailwatch: the key may be used again."""

        async def work(attempt: Attempt) -> None:
            await attempt.connection.execute(delete(remembered).where(remembered.c.key == key, remembered.c.status.is_(None)))

        await self._database.write(work)


def _over(row: Row[Any], now: datetime) -> bool:
    at: datetime = row.at
    return now - at >= (ABANDONED if row.status is None else REMEMBERED)


def names_in(body: bytes) -> frozenset[str]:
    """The mailboxes that an answer may tell of: ids, and hashes of whatever may be an address."""
    text = body.decode(errors="replace")
    spelt = {each for found in _ADDRESS.findall(text) for each in (found, found.strip(_AROUND), found.rpartition("=")[2])}
    return frozenset(_ID.findall(text)) | {_hash(each) for each in spelt}


def _hash(address: str) -> str:
    return hashlib.sha256(address.lower().encode(errors="replace")).hexdigest()


async def forget_answers(attempt: Attempt, mailbox_id: str, address: str) -> None:
    """Leave nothing of the remembered answers that tell of a removed mailbox but that they were."""
    names = (mailbox_id, _hash(address))
    keys = (await attempt.connection.execute(_TELLING, {"names": names})).scalars().all()
    blank = {"status": _GONE.status, "body": _GONE.body, "content_type": _GONE.content_type}
    for key in sorted(set(keys)):
        await attempt.connection.execute(update(remembered).where(remembered.c.key == key).values(blank))
        await attempt.connection.execute(_NAMES, {"of": key})
