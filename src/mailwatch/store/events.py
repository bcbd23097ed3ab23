"""Events: what happened, written in the transaction that made it happen (the table is the transactional outbox).

Their contents name mailboxes by id only, never by address; only what a person typed may, and `removal` looks into that.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import insert, text

from mailwatch.core.cause_texts import told_in
from mailwatch.core.lifecycle import State
from mailwatch.core.standing import Standing, Transition
from mailwatch.core.webhooks import EventType
from mailwatch.ports.delivery import Event
from mailwatch.store.engine import Attempt
from mailwatch.store.schema_campaigns import events

EVENTS_LOCK: Final = 0x6D77_0003
#: A transaction that stands still (its node was stopped) must not keep all others from telling what happened.
_LOCKED_MILLISECONDS: Final = "20000"
_LOCK: Final = text("SELECT set_config('idle_in_transaction_session_timeout', :patience, true), pg_advisory_xact_lock(:number)")
_INSERT: Final = insert(events)
_AT_ONCE: Final = 5000

_dump: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


@dataclass(frozen=True, slots=True)
class Note:
    """An event to write."""

    type: EventType
    at: datetime
    content: Mapping[str, Any]
    mailbox_id: str | None = None
    campaign_id: str | None = None


def stamp(when: datetime | None) -> str | None:
    """A moment inside a content (RFC 3339)."""
    return None if when is None else when.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def write_notes(attempt: Attempt, notes: Sequence[Note]) -> None:
    """Write events, as the last thing a transaction does.

    Their row numbers are cursors: on PostgreSQL one writer at a time, from here to its commit, keeps a lower number from becoming
    visible after a higher one, which a reader would then miss.  Only what makes events waits for it, never a healthy probe.
    """
    if not notes:
        return
    if attempt.connection.dialect.name == "postgresql":
        await attempt.connection.execute(_LOCK, {"number": EVENTS_LOCK, "patience": _LOCKED_MILLISECONDS})
    for start in range(0, len(notes), _AT_ONCE):
        await attempt.connection.execute(_INSERT, [_row(note) for note in notes[start : start + _AT_ONCE]])


def _row(note: Note) -> dict[str, Any]:
    return {
        "at": note.at,
        "type": note.type.value,
        "mailbox_id": note.mailbox_id,
        "campaign_id": note.campaign_id,
        "content": _dump(note.content),
        "fanned": False,
    }


def event_from_row(row: Any) -> Event:
    """The event of a row of `events`, its key named `event_id` or `id`."""
    number = row.event_id if "event_id" in row._fields else row.id
    return Event(number, row.at, row.type, row.mailbox_id, row.campaign_id, json.loads(row.content))


def added(mailbox_id: str, provider: str, at: datetime) -> Note:
    """A mailbox was added."""
    content = {"mailbox": mailbox_id, "provider": provider, "state": State.PENDING.value, "at": stamp(at)}
    return Note(EventType.MAILBOX_ADDED, at, content, mailbox_id)


def removed(mailbox_id: str, at: datetime) -> Note:
    """A mailbox was removed, with all that was known of it."""
    return Note(EventType.MAILBOX_REMOVED, at, {"mailbox": mailbox_id, "at": stamp(at)}, mailbox_id)


def transitioned(step: Transition, provider: str) -> Note:
    """A mailbox changed its state."""
    content = {
        "mailbox": step.mailbox_id,
        "provider": provider,
        "from": step.from_state.value,
        "to": step.to_state.value,
        "trigger": step.trigger.value,
        "cause": step.cause.value if step.cause else None,
        "version": step.version,
        "at": stamp(step.at),
    }
    if step.cause is not None:
        content["sentence"] = told_in(step.cause, step.to_state)
    return Note(EventType.MAILBOX_TRANSITIONED, step.at, content, step.mailbox_id)


def changed(standing: Standing, provider: str, at: datetime) -> Note:
    """What a sender may rely on changed without a change of state."""
    content = {
        "mailbox": standing.mailbox_id,
        "provider": provider,
        "state": standing.state.value,
        "cause": standing.cause.value if standing.cause else None,
        "until": stamp(standing.hold_until_at if standing.state is State.HELD else standing.due_at),
        "version": standing.version,
        "at": stamp(at),
    }
    return Note(EventType.MAILBOX_CHANGED, at, content, standing.mailbox_id)
