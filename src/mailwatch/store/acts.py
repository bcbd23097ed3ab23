"""What people do to mailboxes: add, change, new secret (`removal` removes); each with its audit row in the same transaction.

An act is written whole or not at all.  It leaves a running probe's lease alone, so that no mailbox is probed twice at once, but
counts `changes` up, so that the probe's late result is dropped.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import AuthKind, Mailbox
from mailwatch.core.standing import Decision, Standing
from mailwatch.ports import Act, MailboxExistsError, MailboxNotFoundError, NewMailbox
from mailwatch.store import events
from mailwatch.store.engine import Attempt
from mailwatch.store.linking import link_newcomers
from mailwatch.store.rows import mailbox_to_row, new_standing_row, standing_from_row, standing_to_row, transition_to_row
from mailwatch.store.schema import audit, grants, mailboxes, secrets, standings, transitions
from mailwatch.store.settling import Move, move_of, quiet_move, settle
from mailwatch.store.vault import Vault

T = TypeVar("T")

_CHUNK: Final = 1000
_NAMED: Final = 20  # addresses named in one error
_TAKEN: Final = select(mailboxes.c.address).where(mailboxes.c.address_key.in_(bindparam("wanted", expanding=True)))
_CURRENT: Final = select(standings).where(standings.c.mailbox_id == bindparam("of")).with_for_update()
_AUTH: Final = select(mailboxes.c.auth).where(mailboxes.c.id == bindparam("of"))
_STORED: Final = select(secrets.c.sealed).where(secrets.c.mailbox_id == bindparam("of"), secrets.c.field == bindparam("field"))
_DONE: Final = select(audit.c.id).where(audit.c.operation == bindparam("operation")).limit(1)
_SET: Final = (
    update(standings)
    .where(standings.c.mailbox_id == bindparam("of"))
    .values(
        changes=standings.c.changes + 1,
        **{name: bindparam(name) for name in ("state", "cause", "version", "generation", "due_at", "since_at", "last_probe_at")},
        **{name: bindparam(name) for name in ("last_success_at", "down_since_at", "rest")},
    )
)


@dataclass(frozen=True, slots=True)
class Doing:
    """One act, now: `operation` is new for each, and tells whether a commit without an answer went through."""

    act: Act
    now: datetime
    operation: str
    policy: CampaignPolicy = field(default_factory=CampaignPolicy)
    moved: list[tuple[str, Decision]] = field(default_factory=list)  #: what it moved, each with its provider, for whoever counts


#: An act that changes a standing.
Apply = Callable[[Attempt, Doing], Awaitable[Decision]]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A mailbox to add, its secret sealed already."""

    mailbox: Mailbox
    sealed: str | None
    kid: str
    due_at: datetime


def secret_field(auth: AuthKind) -> str:
    """The field a mailbox's own secret is stored under."""
    return "refresh_token" if auth is AuthKind.OAUTH else "password"


def sealed_newcomers(wanted: Sequence[NewMailbox], vault: Vault, first_due_at: Callable[[int], datetime]) -> Sequence[Newcomer]:
    """The mailboxes with their secrets sealed; raises MailboxExistsError when an address is there twice."""
    keys = [new.mailbox.address.lower() for new in wanted]
    if len(set(keys)) < len(keys):
        twice = sorted({key for key in keys if keys.count(key) > 1}) if len(keys) <= _CHUNK else ["an address"]
        raise MailboxExistsError(f"given twice: {_some(twice)}")
    return [
        Newcomer(
            new.mailbox,
            None if new.secret is None else vault.seal("secrets", new.mailbox.id, secret_field(new.mailbox.auth), new.secret),
            vault.active,
            first_due_at(index),
        )
        for index, new in enumerate(wanted)
    ]


async def add(attempt: Attempt, newcomers: Sequence[Newcomer], doing: Doing) -> None:
    """Add all or none; raises MailboxExistsError naming those that are there."""
    connection = attempt.connection
    if attempt.doubtful and await done(attempt, doing):
        return
    taken: list[str] = []
    for some in _chunks([newcomer.mailbox.address.lower() for newcomer in newcomers]):
        taken += (await connection.execute(_TAKEN, {"wanted": some})).scalars()
    if taken:
        raise MailboxExistsError(f"there already: {_some(taken)}")
    for group in _chunks(newcomers):
        try:
            await connection.execute(insert(mailboxes), [mailbox_to_row(newcomer.mailbox) for newcomer in group])
        except IntegrityError:
            # another node was quicker by a moment; the words of the database would show the whole row
            raise MailboxExistsError("one of the addresses was added by somebody else just now; try again") from None
        await _insert_parts(attempt, group, doing)
    wanted = [(name, newcomer.mailbox.id) for newcomer in newcomers for name in dict.fromkeys(newcomer.mailbox.campaigns)]
    notes = [events.added(newcomer.mailbox.id, newcomer.mailbox.provider, doing.now) for newcomer in newcomers]
    await events.write_notes(attempt, notes + await link_newcomers(attempt, wanted, doing.policy, doing.now))


async def _insert_parts(attempt: Attempt, group: Sequence[Newcomer], doing: Doing) -> None:
    connection = attempt.connection
    await connection.execute(insert(standings), [_first_standing(newcomer, doing.now) for newcomer in group])
    sealed = [_secret_row(n.mailbox.id, secret_field(n.mailbox.auth), n.kid, n.sealed, 1, doing.now) for n in group if n.sealed]
    if sealed:
        await connection.execute(insert(secrets), sealed)
    if consents := [_grant_row(n.mailbox.id, 1) for n in group if n.mailbox.auth is AuthKind.OAUTH]:
        await connection.execute(insert(grants), consents)
    await connection.execute(insert(audit), [audit_row(doing, n.mailbox.id, None, State.PENDING) for n in group])


def _first_standing(newcomer: Newcomer, now: datetime) -> dict[str, Any]:
    standing = Standing(newcomer.mailbox.id, State.PENDING, since_at=now, due_at=newcomer.due_at)
    return new_standing_row(newcomer.mailbox, standing)


def _secret_row(mailbox_id: str, field: str, kid: str, sealed: str | None, generation: int, born_at: datetime) -> dict[str, Any]:
    return {"mailbox_id": mailbox_id, "field": field, "kid": kid, "sealed": sealed, "generation": generation, "born_at": born_at}


def _grant_row(mailbox_id: str, generation: int) -> dict[str, Any]:
    return {"mailbox_id": mailbox_id, "generation": generation, "epoch": 1}


async def change(attempt: Attempt, mailbox_id: str, decide: Callable[[Standing], Decision], doing: Doing) -> Decision:
    """Apply *decide* to the standing as it is now; what *decide* raises goes on, and nothing is written."""
    current = await current_of(attempt, mailbox_id)
    return await _apply(attempt, current, standing_from_row(current), decide, doing)


async def set_secret(
    attempt: Attempt,
    mailbox_id: str,
    seal: Callable[[AuthKind], tuple[str, str]],
    decide: Callable[[Standing], Decision],
    doing: Doing,
    *,
    is_stored: Callable[[AuthKind, str], bool] = lambda _auth, _sealed: False,
) -> Decision:
    """Store a new generation of the secret, sealed by *seal* (key id and text), and apply *decide* to its standing.

    *is_stored* tells whether a sealed text holds that very secret: then it is no new one (`_set_again`).
    """
    current = await current_of(attempt, mailbox_id)
    auth = AuthKind((await attempt.connection.execute(_AUTH, {"of": mailbox_id})).scalar_one())
    standing = replace(standing_from_row(current), impairment=None, impaired_since_at=None)
    stored = (await attempt.connection.execute(_STORED, {"of": mailbox_id, "field": secret_field(auth)})).scalar()
    if stored is not None and is_stored(auth, stored):
        return await _set_again(attempt, current, standing, auth, decide, doing)
    fresh = replace(standing, generation=standing.generation + 1, proven=False, rejected_at=(), lost_at=())
    decision = await _apply(attempt, current, fresh, decide, doing)
    # every older field goes: an access token of the former consent must not outlive it
    await attempt.connection.execute(delete(secrets).where(secrets.c.mailbox_id == mailbox_id))
    kid, sealed = seal(auth)
    row = _secret_row(mailbox_id, secret_field(auth), kid, sealed, fresh.generation, doing.now)
    await attempt.connection.execute(insert(secrets), row)
    if auth is AuthKind.OAUTH:
        await _new_grant(attempt, mailbox_id, fresh.generation)
    return decision


async def _set_again(
    attempt: Attempt, current: Row[Any], standing: Standing, auth: AuthKind, decide: Callable[[Standing], Decision], doing: Doing
) -> Decision:
    """The stored secret was given once more: it is no new generation, and what was refused of it stays counted.

    A password that was refused is not tried by this: that would be two more refused logins each time, and some servers lock an
    account after a handful; a person has Reconnect.  A consent brings a new access token: that may be shown once.
    """
    refused = standing.state is State.BLOCKED and bool(standing.rejected_at or standing.lost_at)

    def again(known: Standing) -> Decision:
        decision = decide(known)  # also where its outcome is not wanted: it may refuse the act
        if not refused:
            return decision
        return (
            Decision(known, known) if auth is AuthKind.PASSWORD else replace(decision, after=replace(decision.after, forced=True))
        )

    decision = await _apply(attempt, current, standing, again, doing)
    if auth is AuthKind.OAUTH:
        of = standing.mailbox_id
        await attempt.connection.execute(delete(secrets).where(secrets.c.mailbox_id == of, secrets.c.field != secret_field(auth)))
        born = update(secrets).where(secrets.c.mailbox_id == of).values(born_at=doing.now)
        await attempt.connection.execute(born)
        await _new_grant(attempt, of, standing.generation)
    return decision


async def _new_grant(attempt: Attempt, mailbox_id: str, generation: int) -> None:
    row = (await attempt.connection.execute(select(grants.c.epoch).where(grants.c.mailbox_id == mailbox_id))).first()
    if row is None:
        await attempt.connection.execute(insert(grants), _grant_row(mailbox_id, generation))
        return
    values = {"generation": generation, "epoch": row.epoch + 1, "expires_at": None, "consent_ends_at": None}
    values |= {"lease": None, "lease_until_at": None}
    await attempt.connection.execute(update(grants).where(grants.c.mailbox_id == mailbox_id).values(values))


async def done_already(attempt: Attempt, doing: Doing) -> bool:
    """Whether this act went through in an earlier run whose commit got no answer."""
    return attempt.doubtful and await done(attempt, doing)


async def done(attempt: Attempt, doing: Doing) -> bool:
    """Whether the audit log has this act."""
    return (await attempt.connection.execute(_DONE, {"operation": doing.operation})).first() is not None


async def current_of(attempt: Attempt, mailbox_id: str) -> Row[Any]:
    """The row of its standing, locked; raises MailboxNotFoundError."""
    row = (await attempt.connection.execute(_CURRENT, {"of": mailbox_id})).first()
    if row is None:
        raise MailboxNotFoundError(f"no mailbox {mailbox_id}; `mailwatch mailbox list` shows those there are")
    return row


async def _apply(
    attempt: Attempt, current: Row[Any], standing: Standing, decide: Callable[[Standing], Decision], doing: Doing
) -> Decision:
    decision = decide(standing)
    connection = attempt.connection
    await connection.execute(_SET, {"of": standing.mailbox_id, **standing_to_row(decision.after)})
    if decision.transitions:
        rows = [transition_to_row(transition, doing.operation) for transition in decision.transitions]
        await connection.execute(insert(transitions), rows)
        doing.moved.append((current.provider, decision))
    row = audit_row(doing, standing.mailbox_id, State(current.state), decision.after.state)
    await connection.execute(insert(audit), row)
    if (move := _move(decision, standing, current.provider, doing)) is not None:
        await settle(attempt, [move], doing.policy)
    return decision


def _move(decision: Decision, before: Standing, provider: str, doing: Doing) -> Move | None:
    if decision.transitions:
        return move_of(decision, provider)
    return quiet_move(before, decision.after, provider, doing.now, doing.policy, doing.act.actor)


def audit_row(doing: Doing, mailbox_id: str, before: State | None, after: State | None) -> dict[str, Any]:
    """The row of `audit` for an act on a mailbox."""
    return {
        "at": doing.now,
        "actor": doing.act.actor,
        "action": doing.act.action,
        "origin": doing.act.origin,
        "mailbox_id": mailbox_id,
        "subject": doing.act.subject,
        "state_before": before.value if before else None,
        "state_after": after.value if after else None,
        "operation": doing.operation,
    }


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _some(addresses: Sequence[str]) -> str:
    more = len(addresses) - _NAMED
    return ", ".join(addresses[:_NAMED]) + (f" and {more} more" if more > 0 else "")
