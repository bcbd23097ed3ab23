"""What a mailbox's move means for its campaigns, settled in the transaction that makes the move, with all events.

Many moves are settled in a few statements, but as if each had come alone, in their order: whether they shared a transaction is not
to be seen afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, select

from mailwatch.core.campaigns import (
    ITSELF,
    CampaignPolicy,
    CampaignState,
    Mode,
    Pause,
    PauseOrigin,
    Turn,
    loses_sending,
    origin_of,
    reason_of,
    turn_of,
)
from mailwatch.core.lifecycle import SENDING_STATES, Trigger
from mailwatch.core.standing import Decision, Standing, Transition
from mailwatch.store import events
from mailwatch.store.brake import Brake
from mailwatch.store.engine import Attempt
from mailwatch.store.events import Note, write_notes
from mailwatch.store.ledger import AT_ONCE, Ledger
from mailwatch.store.pauses import Because, Book
from mailwatch.store.schema_campaigns import campaign_links, campaigns, pauses

_LINKED: Final = (
    select(campaign_links.c.mailbox_id, campaign_links.c.campaign_id)
    .join(campaigns, campaigns.c.id == campaign_links.c.campaign_id)
    .where(campaign_links.c.mailbox_id.in_(bindparam("ids", expanding=True)), campaigns.c.state != CampaignState.FINISHED.value)
    .order_by(campaign_links.c.campaign_id)
)
_PAUSED_FOR: Final = select(pauses.c.mailbox_id, pauses.c.campaign_id).where(
    pauses.c.mailbox_id.in_(bindparam("ids", expanding=True)), pauses.c.lifted_at.is_(None)
)


@dataclass(frozen=True, slots=True)
class Move:
    """What happened to one mailbox."""

    after: Standing
    provider: str
    at: datetime
    transitions: tuple[Transition, ...] = ()
    trigger: Trigger = Trigger.PROBE_FAILED
    actor: str = ITSELF
    told: bool = False  #: without a change of state, something changed that a sender may rely on


def move_of(decision: Decision, provider: str) -> Move:
    """The move of a decision that makes a transition."""
    last = decision.transitions[-1]
    return Move(decision.after, provider, last.at, decision.transitions, last.trigger, last.actor)


def quiet_move(before: Standing, after: Standing, provider: str, now: datetime, policy: CampaignPolicy, actor: str) -> Move | None:
    """The move of a decision without a transition, if senders or campaigns must hear of it."""
    moved = (before.due_at, before.cause, before.hold_until_at) != (after.due_at, after.cause, after.hold_until_at)
    if loses_sending(before, after, policy) or (moved and after.state not in SENDING_STATES):
        return Move(after, provider, now, actor=actor, told=True)
    return None


async def settle(attempt: Attempt, moves: Sequence[Move], policy: CampaignPolicy) -> None:
    """Pause and resume what *moves* ask for, and write the events of it all.  The standings' rows are locked by the caller."""
    if not moves:
        return
    notes = [events.transitioned(step, move.provider) for move in moves for step in move.transitions]
    notes += [events.changed(move.after, move.provider, move.at) for move in moves if move.told]
    turns = [(move, turn) for move in moves if (turn := turn_of(move.after, move.trigger, policy)) is not None]
    if turns:
        notes += await _Settling(attempt, policy).run(turns)
    await write_notes(attempt, notes)


class _Settling:
    """One transaction's worth of moves."""

    def __init__(self, attempt: Attempt, policy: CampaignPolicy) -> None:
        self._attempt = attempt
        self._policy = policy
        self._ledger = Ledger(attempt, policy)
        self._campaigns: dict[str, dict[str, None]] = {}  #: by mailbox, each once, in order

    async def run(self, turns: Sequence[tuple[Move, Turn]]) -> Sequence[Note]:
        await self._find(_LINKED, [move.after.mailbox_id for move, turn in turns if turn is Turn.PAUSE])
        await self._find(_PAUSED_FOR, [move.after.mailbox_id for move, turn in turns if turn is Turn.LIFT])
        if not self._campaigns:
            return ()
        await self._ledger.open({each for some in self._campaigns.values() for each in some}, self._campaigns)
        brake = Brake(self._attempt, self._policy, max(move.at for move, _ in turns))
        for move, turn in turns:
            books = [self._ledger.books[each] for each in self._campaigns.get(move.after.mailbox_id, ())]
            with brake.following(books):
                if turn is Turn.LIFT:
                    _lift(books, move)
                else:
                    await self._pause(books, move, brake)
        return [*await self._ledger.write(), *brake.notes()]

    async def _find(self, statement: Select[Any], mailbox_ids: Sequence[str]) -> None:
        for start in range(0, len(mailbox_ids), AT_ONCE):
            rows = await self._attempt.connection.execute(statement, {"ids": mailbox_ids[start : start + AT_ONCE]})
            for mailbox_id, campaign_id in rows.all():
                self._campaigns.setdefault(mailbox_id, {})[campaign_id] = None

    async def _pause(self, books: Sequence[Book], move: Move, brake: Brake) -> None:
        because = Because(move.after.mailbox_id, origin_of(move.trigger), reason_of(move.after), move.actor, move.at)
        enforced = self._policy.mode is Mode.ENFORCE
        fresh = []
        for book in books:
            if book.is_finished:
                continue
            known = book.of(move.after.mailbox_id)
            if known is None or (enforced and _is_dormant(known) and not _by_hand(move)):
                fresh.append(book)
            else:
                _pause_again(book, known, because, stops=enforced and _by_hand(move))
        held_back = set(await brake.held_back(fresh, because)) if enforced else set()
        for book in fresh:
            _enter(book, because, in_force=enforced and book not in held_back, braked=book in held_back)


def _by_hand(move: Move) -> bool:
    return move.trigger in (Trigger.DISCONNECT, Trigger.HOLD) and move.actor != ITSELF


def _is_dormant(known: Pause) -> bool:
    """Whether it is only noted because nothing was enforced when it was made; what the brake holds back waits for a person."""
    return not known.in_force and not known.braked


def _enter(book: Book, because: Because, *, in_force: bool, braked: bool) -> None:
    """A pause for a mailbox that has none, or none but one that was noted while nothing was enforced."""
    known = book.of(because.mailbox_id) if because.mailbox_id is not None else None
    if known is None:
        book.enter(because, in_force=in_force, braked=braked)
    else:
        since_at = because.at if in_force else known.since_at
        book.amend(replace(known, in_force=in_force, braked=braked, since_at=since_at, reason=because.reason, ready_at=None))
    book.settle(because.at)


def _pause_again(book: Book, known: Pause, because: Because, *, stops: bool) -> None:
    """The mailbox is paused for already: what a person does outranks what mailwatch did, never the other way about.

    *stops*: a person disconnected or held it, which puts in force what was held back.
    """
    amended = replace(known, ready_at=None)  # it is away again before a person resumed
    if because.origin is PauseOrigin.OPERATOR and known.origin is PauseOrigin.AUTOMATIC:
        amended = replace(amended, origin=because.origin, reason=because.reason, actor=because.actor)
    if stops and not known.in_force:  # the brake holds back no person's own act
        amended = replace(amended, in_force=True, braked=False, since_at=because.at, reason=because.reason, actor=because.actor)
    book.amend(amended)
    book.settle(because.at)


def _lift(books: Sequence[Book], move: Move) -> None:
    """The mailbox is verified: what mailwatch paused goes on, what a person's act paused waits for a person."""
    for book in books:
        pause = book.of(move.after.mailbox_id)
        if pause is None:
            continue
        if pause.origin is PauseOrigin.OPERATOR and pause.in_force:
            book.amend(replace(pause, ready_at=pause.ready_at or move.at))
        else:
            book.lift(pause, move.at, ITSELF)
        book.settle(move.at)
