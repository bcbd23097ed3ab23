"""The feed: one poll for all readers, what was missed first, and nobody is waited for."""

import asyncio

import pytest

from builders import NOW
from fakes.ports import FakeLog
from mailwatch.ports import SchemaError, StoreUnavailableError
from mailwatch.ports.delivery import Event
from mailwatch.web import feed as module
from mailwatch.web.feed import Feed, TooManyReadersError


class Outbox:
    """Events in memory; counts how often it is asked."""

    def __init__(self):
        self.rows, self.polls, self.away = [], 0, False

    def tell(self, count=1):
        for _ in range(count):
            number = self.rows[-1].id + 1 if self.rows else 1
            self.rows.append(Event(number, NOW, "mailbox.transitioned", "mb_1", None, {"n": number}))

    async def events(self, after, limit):
        self.polls += 1
        if self.away:
            raise StoreUnavailableError("away")
        return [event for event in self.rows if event.id > after][:limit]

    async def newest(self):
        return self.rows[-1].id if self.rows else 0


@pytest.fixture
def outbox(monkeypatch):
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    return Outbox()


@pytest.fixture
def log():
    return FakeLog()


@pytest.fixture
def feed(outbox, log):
    return Feed(outbox, log)


async def numbers(source, count):
    """The ids of the next *count* events."""
    found = []
    while len(found) < count:
        found += [event.id for event in await asyncio.wait_for(anext(source), 60) or ()]
    return found


async def test_a_reader_gets_what_it_missed_and_then_what_happens_without_a_gap(feed, outbox, no_task_left_behind):
    outbox.tell(1200)
    source = feed.read(3)
    assert await anext(source) == ()
    outbox.tell(5)
    assert await numbers(source, 1202) == list(range(4, 1206))
    outbox.tell(2)
    assert await numbers(source, 2) == [1206, 1207]
    await source.aclose()


async def test_without_a_cursor_it_begins_now(feed, outbox, no_task_left_behind):
    outbox.tell(3)
    source = feed.read(None)
    await anext(source)
    outbox.tell()
    assert await numbers(source, 1) == [4]
    await source.aclose()


async def test_any_number_of_readers_cost_one_poll(feed, outbox, no_task_left_behind):
    sources = [feed.read(None) for _ in range(20)]
    for source in sources:
        await anext(source)
    outbox.tell()
    before = outbox.polls
    assert [await numbers(source, 1) for source in sources] == [[1]] * 20
    assert outbox.polls - before < 20
    assert feed.readers == 20
    for source in sources:
        await source.aclose()
    assert feed.readers == 0


async def test_the_poll_ends_with_the_last_reader_and_begins_with_the_next(feed, outbox, no_task_left_behind):
    for expected in (1, 2):
        source = feed.read(None)
        await anext(source)
        outbox.tell()
        assert await numbers(source, 1) == [expected]
        await source.aclose()
        outbox_polls = outbox.polls
        await asyncio.sleep(0.05)
        assert outbox.polls == outbox_polls


async def test_a_reader_that_does_not_keep_up_is_cut(feed, outbox, monkeypatch, no_task_left_behind):
    monkeypatch.setattr(module, "_MOST_WAITING", 2)
    slow = feed.read(None)
    await anext(slow)
    other = feed.read(None)
    await anext(other)
    for expected in range(1, 6):
        outbox.tell()
        assert await numbers(other, 1) == [expected]
    assert [batch async for batch in slow] == []
    await other.aclose()


async def test_there_is_room_for_so_many(feed, monkeypatch, no_task_left_behind):
    monkeypatch.setattr(module, "MOST_READERS", 1)
    first = feed.read(None)
    await anext(first)
    with pytest.raises(TooManyReadersError):
        await anext(feed.read(None))
    await first.aclose()


async def test_one_caller_leaves_room_for_the_others(feed, monkeypatch, no_task_left_behind):
    monkeypatch.setattr(module, "MOST_OF_ONE", 2)
    sources = [feed.read(None, caller) for caller in ("token:greedy", "token:greedy", "user:ada")]
    for source in sources:
        await anext(source)
    with pytest.raises(TooManyReadersError):
        await anext(feed.read(None, "token:greedy"))
    await sources.pop().aclose()
    for source in sources:
        await source.aclose()


async def test_a_quiet_time_is_told_as_one(feed, monkeypatch, no_task_left_behind):
    monkeypatch.setattr(module, "PING_SECONDS", 0.01)
    source = feed.read(None)
    await anext(source)
    assert await anext(source) is None
    await source.aclose()


async def test_a_database_that_is_away_is_told_once_and_waited_for(feed, outbox, log, no_task_left_behind):
    source = feed.read(None)
    await anext(source)
    outbox.away = True
    while outbox.polls < 5:
        await asyncio.sleep(0.01)
    outbox.away = False
    outbox.tell()
    assert await numbers(source, 1) == [1]
    assert len(log.named("feed.waiting")) == 1
    await source.aclose()


async def test_at_the_end_every_stream_ends(feed, no_task_left_behind):
    source = feed.read(None)
    await anext(source)
    waiting = asyncio.ensure_future(anext(source, "ended"))
    await asyncio.sleep(0)
    feed.close()
    assert await asyncio.wait_for(waiting, 60) in (None, "ended")
    assert [batch async for batch in source] == []


@pytest.mark.parametrize("error", [SchemaError("damaged"), ValueError("a fault of ours")])
async def test_a_poll_that_fails_is_told_once_and_goes_on(feed, outbox, log, monkeypatch, error, no_task_left_behind):
    source = feed.read(None)
    await anext(source)
    whole, failures = outbox.events, iter([error, error])

    async def failing(after, limit):
        if (fault := next(failures, None)) is not None:
            raise fault
        return await whole(after, limit)

    monkeypatch.setattr(outbox, "events", failing)
    outbox.tell()
    assert await numbers(source, 1) == [1]
    assert len(log.named("feed.waiting") + log.named("feed.crashed")) == 1
    await source.aclose()
