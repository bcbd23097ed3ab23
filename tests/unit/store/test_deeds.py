"""An act on campaigns is one transaction: when its commit got no answer, it is looked for before it is done again."""

import pytest
from sqlalchemy import func, select

from contract.campaigning import ANN, away, campaign, events_of
from contract.fleet import filled
from mailwatch.store.deeds import CampaignDeeds
from mailwatch.store.engine import Attempt
from mailwatch.store.schema import audit


async def test_an_act_whose_commit_got_no_answer_is_done_once(store, monkeypatch):
    write = store._database.write

    async def twice(work):
        """The first run is committed, but nobody hears of it."""
        await write(work)
        return await write(lambda attempt: work(Attempt(attempt.connection, doubtful=True)))

    await store.campaigns.add(campaign(), ANN)
    monkeypatch.setattr(store._database, "write", twice)
    view = await store.campaigns.pause("spring", "holidays", ANN)
    assert len(view.pauses) == 1
    assert (await store.campaigns.amend("spring", ANN, name="Spring!")).version == 3
    assert (await store.campaigns.add(campaign("summer"), ANN)).version == 1
    assert await store.campaigns.release_brake(ANN) == 0
    monkeypatch.undo()
    assert [event.type for event in await events_of(store, "campaign.")] == [
        "campaign.changed",
        "campaign.paused",
        "campaign.changed",
        "campaign.changed",
    ]

    async def rows(attempt):
        return (await attempt.connection.execute(select(func.count()).select_from(audit))).scalar_one()

    assert await store._database.read(rows) == 5


async def test_an_act_that_fails_leaves_neither_row_nor_event(store, monkeypatch):
    (one,) = await filled(store, 1)
    await away(store, one)
    await store.campaigns.add(campaign(), ANN)
    before = await store.outbox.newest()

    async def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("mailwatch.store.deeds.write_audit", broken)
    with pytest.raises(ZeroDivisionError):
        await store.campaigns.link("spring", [one], ANN)
    monkeypatch.undo()
    view = await store.campaigns.find("spring")
    assert (view.campaign.mailboxes, view.pauses) == ((), ())
    assert await store.outbox.newest() == before


def test_acts_and_what_is_read_are_one_registry(store):
    assert isinstance(store.campaigns, CampaignDeeds)
