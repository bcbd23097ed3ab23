"""Carrying out the decision on a probe: compare-and-set on the lease, the version, the credential and people's acts.

A result that comes late is dropped, but a refused login in it is not: it stays on the host's budget, and on the mailbox's while it
was made with the present secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, delete, insert, select, update

from mailwatch.core.campaigns import CampaignPolicy, loses_sending
from mailwatch.core.evidence import Outcome, Report
from mailwatch.core.standing import Decision
from mailwatch.ports import Claim, Recorded
from mailwatch.ports.pages import Conversation, Sample
from mailwatch.store.claim import taken_apart
from mailwatch.store.engine import Attempt
from mailwatch.store.rows import rest_of, standing_from_row, standing_to_row, transition_to_row
from mailwatch.store.samples import sample_due, write_conversations, write_samples
from mailwatch.store.schema import refusals, standings, transitions
from mailwatch.store.settling import Move, move_of, settle

_FREE: Final = {"lease": None, "lease_node": None, "lease_until_at": None}
_OURS: Final = and_(
    standings.c.mailbox_id == bindparam("of"),
    standings.c.lease == bindparam("of_lease"),
    standings.c.changes == bindparam("of_changes"),
)
_SET: Final = (
    update(standings)
    .where(_OURS, standings.c.version == bindparam("of_version"), standings.c.generation == bindparam("of_generation"))
    .values(
        **{
            name: bindparam(name)
            for name in (
                "state",
                "cause",
                "version",
                "generation",
                "due_at",
                "since_at",
                "last_probe_at",
                "last_success_at",
                "down_since_at",
                "rest",
            )
        },
        **_FREE,
    )
)
_POSTPONE: Final = update(standings).where(_OURS).values(due_at=bindparam("due_at"), **_FREE)
_RELEASE: Final = (
    update(standings)
    .where(standings.c.mailbox_id.in_(bindparam("ids", expanding=True)), standings.c.lease.in_(bindparam("tokens", expanding=True)))
    .values(**_FREE)
)
_CURRENT: Final = select(standings).where(standings.c.mailbox_id == bindparam("of")).with_for_update()
_CURRENT_MANY: Final = (
    select(standings)
    .where(standings.c.mailbox_id.in_(bindparam("ids", expanding=True)))
    .order_by(standings.c.mailbox_id)  # one order for all writers
    .with_for_update()
)
_KEEP_REFUSALS: Final = update(standings).where(standings.c.mailbox_id == bindparam("of")).values(rest=bindparam("rest"))
_WRITTEN_TRANSITION: Final = select(transitions.c.id).where(
    transitions.c.mailbox_id == bindparam("of"), transitions.c.operation == bindparam("operation")
)
_WRITTEN_REFUSAL: Final = select(refusals.c.id).where(
    refusals.c.mailbox_id == bindparam("of"), refusals.c.operation == bindparam("operation"), refusals.c.kind == "refused"
)
_FOUND_LOST: Final = delete(refusals).where(
    refusals.c.mailbox_id == bindparam("of"), refusals.c.operation == bindparam("operation"), refusals.c.kind == "lost"
)


@dataclass(frozen=True, slots=True)
class Result:
    """A result that may wait for company: the row to set, and what must still hold for it."""

    mailbox_id: str
    token: str
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Postponement:
    """A lease to give back without a result."""

    mailbox_id: str
    token: str
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Details:
    """What the page shows of a probe, beside its result: it guards nothing and holds no lease."""

    mailbox_id: str
    sample: Sample | None
    conversation: Conversation | None
    token: str = ""


Waiting = Result | Postponement | Details


def result_of(claim: Claim, decision: Decision) -> Result:
    """The row of a decision that is not urgent."""
    token, row = _guarded(claim, decision)
    return Result(claim.mailbox.id, token, row)


def details_of(claim: Claim, report: Report) -> Details | None:
    """What is worth keeping of *report*: nothing, of most probes."""
    at = report.finished_at
    failed = [channel for channel in report.channels if channel.outcome is Outcome.FAILED and channel.conversation]
    conversation = Conversation(at, {channel.protocol: channel.conversation for channel in failed}) if failed else None
    timings = {channel.protocol: channel.timings_seconds for channel in report.channels if channel.timings_seconds}
    whole = report.impairment is None  # else `last_probe_at` stays, and every such look would be the first of its hour
    due = timings and whole and sample_due(claim.standing.last_probe_at, at, claim.mailbox.id)
    sample = Sample(at, timings) if due else None
    return Details(claim.mailbox.id, sample, conversation) if sample or conversation else None


def postponement_of(claim: Claim, due_at: datetime) -> Postponement:
    """The row that gives *claim* back until *due_at*."""
    token, changes = taken_apart(claim.lease)
    row = {"of": claim.mailbox.id, "of_lease": token, "of_changes": changes, "due_at": due_at}
    return Postponement(claim.mailbox.id, token, row)


def _guarded(claim: Claim, decision: Decision) -> tuple[str, dict[str, Any]]:
    token, changes = taken_apart(claim.lease)
    row = standing_to_row(decision.after)
    row["of"] = claim.mailbox.id
    row["of_lease"] = token
    row["of_changes"] = changes
    row["of_version"] = claim.standing.version
    row["of_generation"] = claim.standing.generation
    return token, row


async def write_batch(attempt: Attempt, batch: Sequence[Waiting]) -> None:
    """Write what was waiting, in one transaction; rows whose guard no longer holds change nothing but give their lease back."""
    connection = attempt.connection
    results = [item.row for item in batch if isinstance(item, Result)]
    # one order for all writers: two batches that meet cannot deadlock
    results.sort(key=lambda row: row["of"])
    postponed = sorted((item.row for item in batch if isinstance(item, Postponement)), key=lambda row: row["of"])
    if results:
        await connection.execute(_SET, results)
    if postponed:
        await connection.execute(_POSTPONE, postponed)
    leased = [item for item in batch if not isinstance(item, Details)]
    if leased:
        tokens = sorted({item.token for item in leased})
        await connection.execute(_RELEASE, {"ids": sorted({item.mailbox_id for item in leased}), "tokens": tokens})
    details = [item for item in batch if isinstance(item, Details)]
    await write_samples(attempt, {item.mailbox_id: item.sample for item in details if item.sample is not None})
    await write_conversations(attempt, {item.mailbox_id: item.conversation for item in details if item.conversation is not None})


async def record_group(attempt: Attempt, group: Sequence[tuple[Claim, Decision]], policy: CampaignPolicy) -> list[Recorded]:
    """Carry out urgent decisions in one transaction and few statements, and settle what they mean for campaigns."""
    moves: list[Move] = []
    if len(group) == 1 or attempt.doubtful:
        results = [await _record_one(attempt, claim, decision, policy, moves) for claim, decision in group]
    else:
        results = await _record_many(attempt, group, policy, moves)
    await settle(attempt, moves, policy)
    return results


async def record_now(attempt: Attempt, claim: Claim, decision: Decision, policy: CampaignPolicy) -> Recorded:
    """Carry out one decision that makes a transition or holds a refused login."""
    return (await record_group(attempt, [(claim, decision)], policy))[0]


async def _record_many(
    attempt: Attempt, group: Sequence[tuple[Claim, Decision]], policy: CampaignPolicy, moves: list[Move]
) -> list[Recorded]:
    ids = sorted({claim.mailbox.id for claim, _ in group})
    rows = {row.mailbox_id: row for row in (await attempt.connection.execute(_CURRENT_MANY, {"ids": ids})).all()}
    holding = {claim.mailbox.id: (claim, decision) for claim, decision in group if _still_holds(rows.get(claim.mailbox.id), claim)}
    await _write_plain(attempt, list(holding.values()))
    moves += (move for claim, decision in holding.values() if (move := _move(claim, decision, policy)) is not None)
    # A lease is shared by all mailboxes of its claim: only together with the mailbox does it name a result.
    written = {(claim.mailbox.id, claim.lease) for claim, _ in holding.values()}
    results = []
    for claim, decision in group:
        key = (claim.mailbox.id, claim.lease)
        results.append(Recorded.STORED if key in written else await _record_one(attempt, claim, decision, policy, moves))
        written.discard(key)  # the same result told twice is a late one the second time
    return results


def _move(claim: Claim, decision: Decision, policy: CampaignPolicy) -> Move | None:
    if decision.transitions:
        return move_of(decision, claim.mailbox.provider)
    if loses_sending(decision.before, decision.after, policy):
        at = decision.after.last_probe_at or decision.after.since_at
        return Move(decision.after, claim.mailbox.provider, at, told=True)
    return None


def _still_holds(row: Row[Any] | None, claim: Claim) -> bool:
    """Whether nothing came between the claim and its result; the row is locked, so it stays so."""
    if row is None:
        return False
    standing = claim.standing
    return (row.lease, row.changes, row.version, row.generation) == (
        *taken_apart(claim.lease),
        standing.version,
        standing.generation,
    )


async def _write_plain(attempt: Attempt, group: Sequence[tuple[Claim, Decision]]) -> None:
    sets, steps, refused = [], [], []
    for claim, decision in group:
        token, row = _guarded(claim, decision)
        sets.append(row)
        steps += [transition_to_row(each, token) for each in decision.transitions]
        refused += _refusal_rows(claim, decision, token, claim.mailbox.id)
    connection = attempt.connection
    if sets:
        await connection.execute(_SET, sorted(sets, key=lambda row: str(row["of"])))
    if refused:
        found = {(row["mailbox_id"], row["operation"]) for row in refused}
        await connection.execute(_FOUND_LOST, [{"of": of, "operation": operation} for of, operation in sorted(found)])
        await connection.execute(insert(refusals), refused)
    if steps:
        await connection.execute(insert(transitions), steps)


async def _record_one(attempt: Attempt, claim: Claim, decision: Decision, policy: CampaignPolicy, moves: list[Move]) -> Recorded:
    connection = attempt.connection
    token, row = _guarded(claim, decision)
    if attempt.doubtful and await _written(attempt, claim.mailbox.id, token):
        return Recorded.STORED  # settled then, too
    current = (await connection.execute(_CURRENT, {"of": claim.mailbox.id})).first()
    if current is None:
        return await _after_removal(attempt, claim, decision, token)
    await _write_refusals(attempt, claim, decision, token)
    changed = await connection.execute(_SET, row)
    if changed.rowcount == 0:
        await _fenced(attempt, current, decision, token)
        return Recorded.FENCED
    if decision.transitions:
        await connection.execute(insert(transitions), [transition_to_row(each, token) for each in decision.transitions])
    if (move := _move(claim, decision, policy)) is not None:
        moves.append(move)
    return Recorded.STORED


async def _written(attempt: Attempt, mailbox_id: str, token: str) -> bool:
    """Whether the run whose commit got no answer went through after all."""
    key = {"of": mailbox_id, "operation": token}
    for statement in (_WRITTEN_TRANSITION, _WRITTEN_REFUSAL):
        if (await attempt.connection.execute(statement, key)).first() is not None:
            return True
    return False


async def _write_refusals(attempt: Attempt, claim: Claim, decision: Decision, token: str) -> None:
    if not decision.refusals:
        return
    # a lease counted as lost meanwhile turns out to have been this refusal: counted once
    await attempt.connection.execute(_FOUND_LOST, {"of": claim.mailbox.id, "operation": token})
    await attempt.connection.execute(insert(refusals), _refusal_rows(claim, decision, token, claim.mailbox.id))


def _refusal_rows(claim: Claim, decision: Decision, token: str, mailbox_id: str | None) -> list[dict[str, Any]]:
    return [
        {
            "host": refusal.host,
            "mailbox_id": mailbox_id,
            "generation": claim.standing.generation,
            "at": refusal.at,
            "kind": "refused",
            "operation": token,
        }
        for refusal in decision.refusals
    ]


async def _after_removal(attempt: Attempt, claim: Claim, decision: Decision, token: str) -> Recorded:
    # the mailbox is gone, but its host did refuse a login of ours
    if decision.refusals and not attempt.doubtful:
        await attempt.connection.execute(insert(refusals), _refusal_rows(claim, decision, token, None))
    return Recorded.FENCED


async def _fenced(attempt: Attempt, current: Row[Any], decision: Decision, token: str) -> None:
    if current.lease != token:
        return  # whoever took the lease over has counted it as a lost login
    standing = standing_from_row(current)
    if decision.refusals and standing.generation == decision.before.generation:
        refused = sorted({*standing.rejected_at, *decision.after.rejected_at})
        lost = sorted({*standing.lost_at, *decision.after.lost_at})
        proven = standing.proven and not set(decision.after.rejected_at) - set(decision.before.rejected_at)
        kept = replace(standing, rejected_at=tuple(refused), lost_at=tuple(lost), proven=proven)
        await attempt.connection.execute(_KEEP_REFUSALS, {"of": standing.mailbox_id, "rest": rest_of(kept)})
    await attempt.connection.execute(_RELEASE, {"ids": [standing.mailbox_id], "tokens": [token]})
