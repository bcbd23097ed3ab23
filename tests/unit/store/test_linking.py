"""Links between campaigns and mailboxes, and what is locked for them."""

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from contract.campaigning import ANN, campaign
from contract.fleet import NOON, filled
from mailwatch.core.lifecycle import State
from mailwatch.ports import MailboxNotFoundError
from mailwatch.store import ledger, linking
from mailwatch.store.schema_campaigns import campaign_links, campaigns


async def written(store, work):
    return await store._database.write(work)


async def test_links_there_already_stay_and_are_no_error(store):
    ids = await filled(store, 2)
    await store.campaigns.add(campaign("spring", ids[0]), ANN)
    pairs = [("spring", ids[1]), ("spring", ids[0])]
    await written(store, lambda attempt: linking.insert_links(attempt, pairs))
    assert await written(store, lambda attempt: linking.linked_to(attempt, "spring")) == ids


async def test_standings_are_read_for_all_or_the_first_missing_is_named(store):
    ids = await filled(store, 2)
    found = await written(store, lambda attempt: linking.standings_of(attempt, [*ids, ids[0]]))
    assert {key: standing.state for key, standing in found.items()} == dict.fromkeys(ids, State.PENDING)
    with pytest.raises(MailboxNotFoundError, match="mb_9998"):
        await written(store, lambda attempt: linking.standings_of(attempt, ["mb_9999", "mb_9998", ids[0]]))
    assert await written(store, lambda attempt: linking.standings_of(attempt, ["mb_9999"], missing_ok=True)) == {}


def test_rows_are_locked_in_one_order_and_no_harder_than_needed():
    """FOR NO KEY UPDATE lets others link to the campaign meanwhile; FOR SHARE lets others read the standing."""
    of = postgresql.dialect()
    assert str(ledger._LOCKED.compile(dialect=of)).endswith("ORDER BY campaigns.id FOR NO KEY UPDATE")
    assert str(linking._STANDINGS.compile(dialect=of)).endswith("ORDER BY standings.mailbox_id FOR SHARE")


async def test_inserting_what_is_there_changes_nothing(store):
    await store.campaigns.add(campaign("spring", name="Spring"), ANN)

    async def work(attempt):
        row = linking.campaign_row("spring", "another", "", "", NOON)
        result = await attempt.connection.execute(linking.insert_new(attempt, campaigns), row)
        names = (await attempt.connection.execute(select(campaigns.c.name))).scalars().all()
        links = (await attempt.connection.execute(select(campaign_links))).all()
        return result.rowcount, names, links

    assert await written(store, work) == (0, ["Spring"], [])
