"""Events: what is in them, and that they never name an address."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.standing import Standing, Transition
from mailwatch.store import events

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
STEP = Transition(
    "mb_1", 7, NOON, State.SUSPECT, State.BLOCKED, Trigger.PERSON_NEEDED, Cause.INVALID_CREDENTIALS, actor="mailwatch"
)


def test_a_transition_is_told_with_its_cause_in_words():
    note = events.transitioned(STEP, "google")
    assert (note.type, note.at, note.mailbox_id, note.campaign_id) == ("mailbox.transitioned", NOON, "mb_1", None)
    assert dict(note.content) | {"sentence": ""} == {
        "mailbox": "mb_1",
        "provider": "google",
        "from": "suspect",
        "to": "blocked",
        "trigger": "person_needed",
        "cause": "invalid_credentials",
        "version": 7,
        "at": "2026-11-22T12:00:00Z",
        "sentence": "",
    }
    assert note.content["sentence"]


def test_a_change_without_a_transition_tells_until_when():
    until = NOON + timedelta(hours=1)
    held = Standing("mb_1", State.HELD, NOON, None, cause=Cause.WARMUP_PAUSE, hold_until_at=until)
    assert events.changed(held, "other", NOON).content["until"] == "2026-11-22T13:00:00Z"
    waiting = Standing("mb_1", State.RECONNECTING, NOON, until)
    assert events.changed(waiting, "other", NOON).content["until"] == "2026-11-22T13:00:00Z"


def test_moments_are_told_in_utc():
    east = NOON.astimezone(timezone(timedelta(hours=5)))
    assert events.stamp(east) == "2026-11-22T12:00:00Z"
    assert events.stamp(None) is None


def test_a_row_is_read_as_the_event_it_is():
    row = {"at": NOON, "type": "mailbox.added", "mailbox_id": "mb_1", "campaign_id": None, "content": '{"mailbox":"mb_1"}'}
    alone = events.event_from_row(SimpleNamespace(_fields=("id",), id=4, **row))
    joined = events.event_from_row(SimpleNamespace(_fields=("id", "event_id"), id=9, event_id=4, **row))
    assert alone == joined
    assert (alone.id, alone.content) == (4, {"mailbox": "mb_1"})


async def test_no_notes_are_no_statement(store):
    await store._database.write(lambda attempt: events.write_notes(attempt, []))
    assert await store.outbox.newest() == 0
