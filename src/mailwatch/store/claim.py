"""Claiming due mailboxes under a lease, and counting the logins of leases that were lost.

The claim is durable before any secret is sent, so it is the write-ahead record of the login: a lease that ends without a result may
have been a refused login, and is counted as one before the mailbox can be claimed again.  A crash loop cannot multiply logins.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, insert, not_, or_, select, text, update

from mailwatch.core.lifecycle import LOGIN_STATES
from mailwatch.core.standing import Standing
from mailwatch.ports import Claim
from mailwatch.store.engine import Attempt
from mailwatch.store.rows import mailbox_from_row, rest_of, standing_from_row
from mailwatch.store.schema import mailboxes, refusals, secrets, standings
from mailwatch.store.vault import SealedCredential, Vault

CLAIM_LOCK: Final = 0x6D77_0002
#: At most so many in one claim: SQLite binds 32,766 values to a statement.
MAX_CLAIM: Final = 5000
#: Lost leases kept on a standing; the budget asks for two.
_LOST_KEPT: Final = 8

_FREE: Final = {"lease": None, "lease_node": None, "lease_until_at": None}
_IS_DUE: Final = and_(
    standings.c.due_at <= bindparam("now"),
    or_(standings.c.lease_until_at.is_(None), standings.c.lease_until_at <= bindparam("now")),
)
_DUE: Final = (
    select(standings)
    .where(_IS_DUE, standings.c.gate.not_in(bindparam("excluding", expanding=True)))
    .order_by(standings.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CANDIDATES: Final = (
    select(standings.c.mailbox_id, standings.c.gate)
    .where(
        _IS_DUE,
        standings.c.gate.not_in(bindparam("excluding", expanding=True)),
        standings.c.mailbox_id.not_in(bindparam("chosen", expanding=True)),
    )
    .order_by(standings.c.due_at)
    .limit(bindparam("most"))
)
_CHOSEN: Final = (
    select(standings)
    .where(standings.c.mailbox_id.in_(bindparam("chosen", expanding=True)), _IS_DUE)
    .order_by(standings.c.due_at)
    .with_for_update(skip_locked=True)
)
#: How often a claim looks behind the crowds at gates that are full, before it is content with what it has.
_LOOKS: Final = 8
_ABANDONED: Final = (
    select(standings)
    .where(standings.c.lease.is_not(None), not_(standings.c.lease.startswith(bindparam("boot"))))
    .order_by(standings.c.mailbox_id)
    .limit(1000)
    .with_for_update(skip_locked=True)
)
_STATIC: Final = (
    select(mailboxes, secrets.c.sealed, secrets.c.generation, secrets.c.born_at)
    .outerjoin(secrets, and_(secrets.c.mailbox_id == mailboxes.c.id, secrets.c.field == "password"))
    .where(mailboxes.c.id.in_(bindparam("ids", expanding=True)))
)
_BIRTHS: Final = select(secrets.c.mailbox_id, secrets.c.born_at).where(
    secrets.c.mailbox_id.in_(bindparam("ids", expanding=True)), secrets.c.field == "refresh_token"
)
_HOSTS: Final = select(mailboxes.c.id, mailboxes.c.host).where(mailboxes.c.id.in_(bindparam("ids", expanding=True)))
_LEASE: Final = (
    update(standings)
    .where(standings.c.mailbox_id.in_(bindparam("ids", expanding=True)))
    .values(lease=bindparam("token"), lease_node=bindparam("node"), lease_until_at=bindparam("until_at"))
)
_SET_REST: Final = update(standings).where(standings.c.mailbox_id == bindparam("of")).values(rest=bindparam("rest"))
_SET_FREE: Final = update(standings).where(standings.c.mailbox_id == bindparam("of")).values(rest=bindparam("rest"), **_FREE)
_RELEASE_TOKEN: Final = update(standings).where(standings.c.lease == bindparam("token")).values(**_FREE)


@dataclass(frozen=True, slots=True)
class Lease:
    """What a claim writes on each row; `token` is new for every claim and begins with the boot id of this process."""

    token: str
    node: str
    until_at: datetime


def handed_out(token: str, changes: int) -> str:
    """The lease as a claim carries it: with the count of people's acts, so that an act during the probe is noticed."""
    return f"{token}/{changes}"


def taken_apart(lease: str) -> tuple[str, int]:
    """Token and count of acts of a lease that was handed out."""
    token, _, changes = lease.rpartition("/")
    return token, int(changes)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a claim is after: *room* is how many of a gate it may take at the most."""

    now: datetime
    limit: int
    excluding: Collection[str] = ()
    room: Callable[[str], int] | None = None


async def claim_due(attempt: Attempt, vault: Vault, begin: Callable[[], Lease], wish: Wish) -> Sequence[Claim]:
    """Lease due mailboxes as *wish* has it, oldest first.

    *begin* makes the lease when it is this claim's turn: what it had to wait for other nodes must not be taken off its time.
    """
    connection = attempt.connection
    if connection.dialect.name == "postgresql":
        # one claim at a time over all nodes: what this one leaves behind (leases, lost logins) the next one sees
        await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": CLAIM_LOCK})
    lease = begin()
    if attempt.doubtful:
        # the first run may have been committed, but nobody was handed its claims
        await connection.execute(_RELEASE_TOKEN, {"token": lease.token})
    found = await _found(attempt, wish)
    if not found:
        return ()
    beliefs = {row.mailbox_id: standing_from_row(row) for row in found}
    beliefs |= await _count_lost(attempt, [row for row in found if row.lease is not None], wish.now, free=False)
    ids = list(beliefs)
    await connection.execute(_LEASE, {"ids": ids, "token": lease.token, "node": lease.node, "until_at": lease.until_at})
    static = {row.id: row for row in (await connection.execute(_STATIC, {"ids": ids})).all()}
    births = await _births(attempt, [row.id for row in static.values() if row.auth == "oauth"])
    return [
        _claim(static[row.mailbox_id], beliefs[row.mailbox_id], vault, lease, row.changes, births.get(row.mailbox_id), wish.now)
        for row in found
    ]


async def _found(attempt: Attempt, wish: Wish) -> Sequence[Row[Any]]:
    most = min(wish.limit, MAX_CLAIM)
    values: dict[str, Any] = {"now": wish.now, "excluding": sorted(wish.excluding), "most": most}
    if wish.room is None:
        return (await attempt.connection.execute(_DUE, values)).all()
    chosen = await _chosen(attempt, wish, wish.room, most)
    if not chosen:
        return ()
    return (await attempt.connection.execute(_CHOSEN, {"now": wish.now, "chosen": chosen})).all()


async def _chosen(attempt: Attempt, wish: Wish, room: Callable[[str], int], most: int) -> list[str]:
    """Candidates, passing over those for whom their gate has no room; a gate once full is left out of the next look."""
    left: dict[str, int] = {}
    full = set(wish.excluding)
    chosen: list[str] = []
    for _ in range(_LOOKS):
        asked = 2 * (most - len(chosen))
        values = {"now": wish.now, "excluding": sorted(full), "chosen": chosen, "most": asked}
        rows = (await attempt.connection.execute(_CANDIDATES, values)).all()
        for mailbox_id, gate in rows:
            if len(chosen) == most:
                break
            if left.setdefault(gate, room(gate)) > 0:
                left[gate] -= 1
                chosen.append(mailbox_id)
        full |= {gate for gate, free in left.items() if free <= 0}
        if len(rows) < asked or len(chosen) == most:
            break
    return chosen


async def _births(attempt: Attempt, ids: Sequence[str]) -> dict[str, datetime]:
    if not ids:
        return {}
    return {row.mailbox_id: row.born_at for row in (await attempt.connection.execute(_BIRTHS, {"ids": ids})).all()}


def _claim(
    row: Row[Any], standing: Standing, vault: Vault, lease: Lease, changes: int, consent_at: datetime | None, now: datetime
) -> Claim:
    # an OAuth mailbox logs in by its grant, which is read (and refreshed) through ports.Grants
    credential = None if row.sealed is None else SealedCredential(row.id, row.generation, row.sealed, vault)
    born_at = consent_at or row.born_at
    return Claim(
        mailbox=mailbox_from_row(row),
        standing=standing,
        credential=credential,
        lease=handed_out(lease.token, changes),
        lease_until_at=lease.until_at,
        credential_age_seconds=None if born_at is None else max(0, int((now - born_at).total_seconds())),
    )


async def _count_lost(attempt: Attempt, rows: Sequence[Row[Any]], now: datetime, *, free: bool) -> dict[str, Standing]:
    """Count the login that each lost lease may have been, on its mailbox and its host; the standings as they are then."""
    counted: dict[str, Standing] = {}
    if not rows:
        return counted
    connection = attempt.connection
    hosts = {row.id: row.host for row in (await connection.execute(_HOSTS, {"ids": [row.mailbox_id for row in rows]})).all()}
    entries = []
    for row in rows:
        standing = standing_from_row(row)
        if standing.state in LOGIN_STATES:  # elsewhere no secret is sent
            at = min(row.lease_until_at, now)
            standing = replace(standing, lost_at=(*standing.lost_at, at)[-_LOST_KEPT:], forced=False)
            entries.append(
                {
                    "host": hosts[row.mailbox_id],
                    "mailbox_id": row.mailbox_id,
                    "generation": row.generation,
                    "at": at,
                    "kind": "lost",
                    "operation": row.lease,
                }
            )
        counted[row.mailbox_id] = standing
    statement = _SET_FREE if free else _SET_REST
    await connection.execute(statement, [{"of": key, "rest": rest_of(standing)} for key, standing in counted.items()])
    if entries:
        await connection.execute(insert(refusals), entries)
    return counted


async def reclaim(attempt: Attempt, *, node: str | None, boot: str, now: datetime) -> int:
    """Take back up to 1,000 leases of this node's earlier life (*node* None: of any node), counted as lost; how many."""
    statement = _ABANDONED if node is None else _ABANDONED.where(standings.c.lease_node == node)
    rows = (await attempt.connection.execute(statement, {"boot": boot})).all()
    await _count_lost(attempt, rows, now, free=True)
    return len(rows)


async def release_token(attempt: Attempt, token: str) -> None:
    """Give back all leases of a claim that nobody was handed."""
    await attempt.connection.execute(_RELEASE_TOKEN, {"token": token})
