"""What a removed mailbox leaves in the database file and its log: nothing.  Which tables are emptied, tests/contract shows."""

import sqlite3

from contract.campaigning import ANN, away, campaign
from contract.fleet import NOON, add, clean, later, moved, oauth_mailbox, password_mailbox
from contract.test_removal import with_everything
from mailwatch.core.secret import Secret
from mailwatch.ports import Act, NewMailbox

REMOVE = Act("user:ann", "mailbox.remove")


def bytes_of(path):
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*") if file.is_file())


def sealed_of(path, mailbox_id):
    connection = sqlite3.connect(path)
    found = [row[0] for row in connection.execute("SELECT sealed FROM secrets WHERE mailbox_id=?", (mailbox_id,))]
    connection.close()
    return found


async def test_no_byte_of_address_user_name_or_secret_is_left_in_file_or_log(store, path):
    await add(store, *(password_mailbox(number) for number in range(100, 300)))
    await with_everything(store)
    lease = await store.grants.begin_refresh("mb_0007", epoch=1, lease_seconds=30)
    await store.grants.finish_refresh(
        "mb_0007", lease, access_token=Secret("access"), expires_at=later(60), refresh_token=Secret("rotated")
    )
    secrets = sealed_of(path, "mb_0007")
    before = bytes_of(path).lower()
    traces = [b"zaphod", b"heartofgold.example", *(text.rpartition(".")[2][:32].lower().encode() for text in secrets)]
    assert len(secrets) == 2
    assert all(trace in before for trace in traces)
    await store.remove("mb_0007", REMOVE)
    after = bytes_of(path).lower()
    assert [trace for trace in traces if trace in after] == []


async def test_nor_after_months_of_moves_that_were_told_and_delivered(store, path):
    wanted = oauth_mailbox(7, address="zaphod.beeblebrox@heartofgold.example", username="zaphod-login")
    await add(store, NewMailbox(wanted.mailbox, Secret("refresh me")))
    await store.campaigns.add(campaign("spring", "mb_0007"), ANN)
    for turn in range(30):
        await away(store, "mb_0007", due_at=NOON)
        (claim,) = await store.claim_due(later(), 1, 600)
        await store.record(claim, moved(claim, due_at=NOON) if turn % 2 else clean(claim, NOON))
        await store.flush()
        await store.outbox.fan_out({"crm": frozenset()}, 100)
        for each in await store.outbox.claim_deliveries(later(), 100, 60, excluding=frozenset()):
            await store.outbox.put_off(each, None, 500, "no")
    await store.remove("mb_0007", REMOVE)
    left = bytes_of(path).lower()
    assert [trace for trace in (b"zaphod", b"heartofgold") if trace in left] == []


async def test_foreign_keys_are_on_for_every_connection(store):
    """What hangs on a mailbox in tables of others goes with it by its foreign key."""

    async def work(attempt):
        return (await attempt.connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one()

    assert await store._database.write(work) == 1
    assert await store._database.read(work) == 1
