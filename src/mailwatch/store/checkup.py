"""`db check`: is the file sound, the history whole, every mailbox due, every secret readable."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, bindparam, func, or_, select, text

from mailwatch.core.lifecycle import State
from mailwatch.ports import SecretUnreadableError
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema import mailboxes, secrets, standings, transitions
from mailwatch.store.vault import Vault

#: A lease lasts minutes; one that ended so long ago and is still there was left by a daemon that never came back.
FORGOTTEN: Final = timedelta(hours=1)
_NAMED: Final = 20
_SECRETS_AT_ONCE: Final = 1000

_PREVIOUS_VERSION = func.lag(transitions.c.version).over(partition_by=transitions.c.mailbox_id, order_by=transitions.c.version)
_PREVIOUS_STATE = func.lag(transitions.c.to_state).over(partition_by=transitions.c.mailbox_id, order_by=transitions.c.version)
_STEPS = select(
    transitions.c.mailbox_id,
    transitions.c.version,
    transitions.c.from_state,
    _PREVIOUS_VERSION.label("previous_version"),
    _PREVIOUS_STATE.label("previous_state"),
).subquery()
_BROKEN: Final = select(_STEPS).where(
    _STEPS.c.previous_version.is_not(None),
    or_(_STEPS.c.version != _STEPS.c.previous_version + 1, _STEPS.c.from_state != _STEPS.c.previous_state),
)
_LATEST = (
    select(transitions.c.mailbox_id, func.max(transitions.c.version).label("version")).group_by(transitions.c.mailbox_id).subquery()
)
_ENDS: Final = (
    select(
        standings.c.mailbox_id, standings.c.version, standings.c.state, _LATEST.c.version.label("latest"), transitions.c.to_state
    )
    .join_from(standings, _LATEST, _LATEST.c.mailbox_id == standings.c.mailbox_id)
    .join(transitions, and_(transitions.c.mailbox_id == _LATEST.c.mailbox_id, transitions.c.version == _LATEST.c.version))
    .where(or_(standings.c.version != _LATEST.c.version, standings.c.state != transitions.c.to_state))
)
_NEVER_DUE: Final = select(standings.c.mailbox_id, standings.c.state).where(
    standings.c.due_at.is_(None), standings.c.state.not_in([State.INACTIVE, State.HELD])
)
_LEFT: Final = select(standings.c.mailbox_id, standings.c.lease_until_at).where(
    standings.c.lease.is_not(None), standings.c.lease_until_at < bindparam("before")
)
_HALF: Final = select(mailboxes.c.id).where(mailboxes.c.id.not_in(select(standings.c.mailbox_id)))
_SEALED: Final = (
    select(secrets.c.mailbox_id, secrets.c.field, secrets.c.sealed)
    .where(
        or_(
            secrets.c.mailbox_id > bindparam("after_id"),
            and_(secrets.c.mailbox_id == bindparam("after_id"), secrets.c.field > bindparam("after_field")),
        )
    )
    .order_by(secrets.c.mailbox_id, secrets.c.field)
    .limit(_SECRETS_AT_ONCE)
)


async def findings(database: Database, vault: Vault, now: datetime) -> Sequence[str]:
    """What is wrong, a sentence each; empty when all is well.  Secrets are looked at only when the vault has keys."""
    found = [*_file_mode(database), *await database.read(_integrity)]
    if found:
        return found  # on a damaged file the rest would only repeat it

    async def work(attempt: Attempt) -> list[str]:
        return [*await _chain(attempt), *await _due(attempt, now)]

    found += await database.read(work)
    if vault.key_ids:
        found += await _unreadable(database, vault)
    return found


def _file_mode(database: Database) -> list[str]:
    path = database.address.path
    if path is None or not path.stat().st_mode & 0o077:
        return []
    return [f"{path} can be read by others than its owner; chmod 600 {path}"]


async def _integrity(attempt: Attempt) -> list[str]:
    if attempt.connection.dialect.name != "sqlite":
        return []  # PostgreSQL checks its pages itself (data_checksums)
    rows = (await attempt.connection.execute(text(f"PRAGMA integrity_check({_NAMED})"))).scalars().all()
    found = [f"the file is damaged: {row}; restore a backup" for row in rows if row != "ok"]
    strays = (await attempt.connection.execute(text("PRAGMA foreign_key_check"))).all()
    return found + [f"row {row[1]} of {row[0]} belongs to no mailbox" for row in strays[:_NAMED]]


async def _chain(attempt: Attempt) -> list[str]:
    broken = (await attempt.connection.execute(_BROKEN.limit(_NAMED))).all()
    found = [
        f"{row.mailbox_id}: transition {row.version} (from {row.from_state}) does not follow "
        f"transition {row.previous_version} (to {row.previous_state})"
        for row in broken
    ]
    ends = (await attempt.connection.execute(_ENDS.limit(_NAMED))).all()
    found += [
        f"{row.mailbox_id}: is {row.state} at version {row.version}, but its history ends {row.to_state} at version {row.latest}"
        for row in ends
    ]
    half = (await attempt.connection.execute(_HALF.limit(_NAMED))).scalars().all()
    return found + [f"{mailbox_id}: has no standing; remove and add it again" for mailbox_id in half]


async def _due(attempt: Attempt, now: datetime) -> list[str]:
    never = (await attempt.connection.execute(_NEVER_DUE.limit(_NAMED))).all()
    found = [f"{row.mailbox_id}: is {row.state} and never due again; `mailwatch mailbox reconnect` makes it so" for row in never]
    left = (await attempt.connection.execute(_LEFT.limit(_NAMED), {"before": now - FORGOTTEN})).all()
    return found + [
        f"{row.mailbox_id}: a probe's lease ended at {row.lease_until_at:%Y-%m-%d %H:%M} UTC, and nothing has looked since; "
        "is the daemon running?"
        for row in left
    ]


async def _unreadable(database: Database, vault: Vault) -> list[str]:
    found = list[str]()
    place: dict[str, str] | None = {"after_id": "", "after_field": ""}
    while place is not None and len(found) < _NAMED:
        values = place

        async def work(attempt: Attempt, values: dict[str, str] = values) -> tuple[list[str], dict[str, str] | None]:
            return await _unreadable_some(attempt, vault, values)

        some, place = await database.read(work)
        found += some
    return found[:_NAMED]


async def _unreadable_some(attempt: Attempt, vault: Vault, place: dict[str, str]) -> tuple[list[str], dict[str, str] | None]:
    rows = (await attempt.connection.execute(_SEALED, place)).all()
    found = list[str]()
    for row in rows:
        try:
            vault.open("secrets", row.mailbox_id, row.field, row.sealed)
        except SecretUnreadableError as error:
            found.append(str(error))
    return found, {"after_id": rows[-1].mailbox_id, "after_field": rows[-1].field} if rows else None
