"""What `/metrics/mailboxes` answers."""

import pytest

from contract.fleet import moved
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.daemon.mailbox_series import KEPT_SECONDS, MailboxSeries
from mailwatch.daemon.parts import SeriesOptions
from mailwatch.ports.pages import PageFilter


@pytest.fixture
async def store(stage):
    """Four mailboxes that are blocked, and two that are pending."""
    await stage.fill(4)
    daemon = stage.daemon()
    opened, clock = daemon.parts.store, daemon.parts.clock
    await opened.open()
    for claim in await opened.claim_due(clock.now(), 10, 60):
        decision = moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, at=clock.now(), cause=Cause.INVALID_CREDENTIALS)
        await opened.record(claim, decision)
    yield opened
    await opened.close()


def ids(body):
    return {line.split('mailbox="')[1].split('"')[0] for line in body.decode().splitlines() if 'mailbox="' in line}


async def test_those_that_do_not_work_are_shown_by_opaque_ids(stage, store):
    series = MailboxSeries(store.pages, stage.daemon().parts.clock, SeriesOptions())
    body, kind = await series.render(PageFilter())
    assert ids(body) == {f"mb_000{number}" for number in range(4)}
    assert b"example.org" not in body
    assert kind.startswith("text/plain")


async def test_addresses_are_named_where_that_is_wanted(stage, store):
    series = MailboxSeries(store.pages, stage.daemon().parts.clock, SeriesOptions(addresses=True))
    assert b"user0@example.org" in (await series.render(PageFilter()))[0]


async def test_what_is_left_out_is_counted(stage, store):
    series = MailboxSeries(store.pages, stage.daemon().parts.clock, SeriesOptions(most=3))
    body, _ = await series.render(PageFilter())
    assert len(ids(body)) == 3
    assert b"mailwatch_mailboxes_truncated 1" in body


async def test_an_answer_is_kept_for_a_while_for_all_who_scrape_the_same(stage, store):
    class Moving:
        seconds = 0.0

        def monotonic(self):
            return self.seconds

    clock = Moving()
    series = MailboxSeries(store.pages, clock, SeriesOptions())
    first, _ = await series.render(PageFilter())
    assert (await series.render(PageFilter()))[0] is first
    clock.seconds = KEPT_SECONDS
    assert (await series.render(PageFilter()))[0] is not first
