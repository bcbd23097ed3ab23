"""The store on a PostgreSQL that restarts, crashes, freezes, runs out of connections or deadlocks."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from contract.fleet import NOON, SetClock, clean, filled, later, moved
from mailwatch.core import acts
from mailwatch.ports import Act, Recorded, SchemaError, StoreUnavailableError
from mailwatch.store import KeyRing, SqlStore, Vault, migrate

pytestmark = pytest.mark.integration
RING = KeyRing.generate()
DISCONNECT = Act("cli:test", "disconnect")


@asynccontextmanager
async def opened(url, node="node-a", *, daemon=False):
    store = SqlStore(url, Vault(RING), SetClock(), node=node)
    await store.open(daemon=daemon)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def own(start_postgres):
    """A server of the test's own, with a migrated database: (server, url)."""
    server = start_postgres(max_connections="20")
    with server.database() as url:
        asyncio.run(migrate(url))
        yield server, url


@pytest.fixture
async def migrated(postgres_url):
    await migrate(postgres_url)
    return postgres_url


async def test_a_restart_between_two_transactions_is_not_noticed(own):
    server, url = own
    async with opened(url) as store:
        await filled(store, 3)
        claims = await store.claim_due(later(), 3, 60)
        await asyncio.to_thread(server.crash)
        await asyncio.to_thread(server.start)
        for claim in claims:
            assert await store.record(claim, moved(claim)) is Recorded.STORED
        assert len(await store.history()) == 3
        assert await store.check() == []


async def test_while_the_server_is_away_it_is_told_and_results_wait(own):
    server, url = own
    async with opened(url) as store:
        await filled(store, 2)
        healthy, failing = await store.claim_due(later(), 2, 3600)
        await asyncio.to_thread(server.stop)
        await store.record(healthy, clean(healthy))
        for use in (store.record(failing, moved(failing)), store.claim_due(later(), 1, 60), store.counts(), store.flush()):
            with pytest.raises(StoreUnavailableError):
                await use
        assert store.pending == 1
        await asyncio.to_thread(server.start)
        await store.flush()
        assert (await store.find(healthy.mailbox.id)).standing.proven
        assert await store.record(failing, moved(failing)) is Recorded.STORED


async def test_a_server_frozen_for_a_moment_is_waited_for(own):
    server, url = own
    async with opened(url) as store:
        await filled(store, 1)
        (claim,) = await store.claim_due(later(), 1, 60)
        backends = server.sql("select pid from pg_stat_activity where usename = 'mailwatch'").split()
        for pid in backends:
            os.kill(int(pid), signal.SIGSTOP)
        recording = asyncio.create_task(store.record(claim, moved(claim)))
        await asyncio.sleep(0.5)
        assert not recording.done()
        for pid in backends:
            os.kill(int(pid), signal.SIGCONT)
        assert await recording is Recorded.STORED


@pytest.mark.parametrize("during", ["record", "change", "claim"])
async def test_a_commit_without_an_answer_is_resolved_by_reading(migrated, monkeypatch, during):
    from sqlalchemy.ext.asyncio import AsyncTransaction

    commit, lose = AsyncTransaction.commit, []

    async def commit_and_lose_the_answer(self):
        await commit(self)
        if lose:
            lose.pop()
            raise ConnectionResetError

    monkeypatch.setattr(AsyncTransaction, "commit", commit_and_lose_the_answer)
    async with opened(migrated) as store:
        await filled(store, 1)
        if during == "claim":
            lose.append(1)
            (claim,) = await store.claim_due(later(), 1, 60)
            assert claim.standing.lost_at == ()
            assert await store.record(claim, moved(claim)) is Recorded.STORED
        elif during == "record":
            (claim,) = await store.claim_due(later(), 1, 60)
            lose.append(1)
            assert await store.record(claim, moved(claim)) is Recorded.STORED
        else:
            lose.append(1)
            await store.change("mb_0000", lambda standing: acts.disconnect(standing, NOON, "x"), DISCONNECT)
        assert lose == []
        assert [step.version for _, step in await store.history()] == [1]
        assert await store.check() == []


async def test_killed_backends_cost_no_acknowledged_change(postgres, migrated):
    async with opened(migrated) as store:
        await filled(store, 30)
        claims = await store.claim_due(later(), 30, 3600)
        stop = asyncio.Event()

        async def kill():
            while not stop.is_set():
                statement = (
                    f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{migrated.rpartition('/')[2]}'"
                )
                await asyncio.to_thread(postgres.sql, statement)
                await asyncio.sleep(0.02)

        killer = asyncio.create_task(kill())
        acked = 0
        for claim in claims:
            try:
                assert await store.record(claim, moved(claim)) is Recorded.STORED
                acked += 1
            except StoreUnavailableError:
                continue
        stop.set()
        await killer
        assert len(await store.history()) >= acked > 0
        assert await store.check() == []


async def test_a_deadlock_is_run_again(migrated):
    async with opened(migrated) as one, opened(migrated, "node-b") as other:
        await filled(one, 2)
        met = asyncio.Barrier(2)
        runs = []

        def crossing(first, second):
            async def work(attempt):
                runs.append(first)
                statement = text("UPDATE standings SET cause = cause WHERE mailbox_id = :id")
                await attempt.connection.execute(statement, {"id": first})
                if len(runs) <= 2:
                    await met.wait()
                await attempt.connection.execute(statement, {"id": second})

            return work

        await asyncio.gather(
            one._database.write(crossing("mb_0000", "mb_0001")), other._database.write(crossing("mb_0001", "mb_0000"))
        )
        assert len(runs) == 3


async def test_no_connection_left_is_told(own):
    server, url = own
    async with opened(url) as store:
        server.sql("alter role mailwatch connection limit 0")
        await store.close()
        with pytest.raises(StoreUnavailableError, match="too many connections"):
            await store.open()
        server.sql("alter role mailwatch connection limit -1")
        await store.open()


async def test_a_wrong_password_is_told_without_showing_it(own):
    _, url = own
    wrong = SqlStore(url.replace("password%20for", "pass%20for"), Vault(RING), SetClock(), node="a")
    with pytest.raises(StoreUnavailableError, match="password authentication failed") as refused:
        await wrong.open()
    assert "pass for" not in str(refused.value)
    await wrong._database.close()


async def test_a_second_daemon_of_the_same_node_name_is_refused(migrated):
    async with opened(migrated, "node-a", daemon=True):
        with pytest.raises(SchemaError, match="another mailwatch daemon with the node name 'node-a'"):
            async with opened(migrated, "node-a", daemon=True):
                pass
        async with opened(migrated, "node-b", daemon=True):
            pass
    async with opened(migrated, "node-a", daemon=True):
        pass


async def test_a_daemon_leaves_the_leases_of_other_living_nodes_alone(migrated):
    async with opened(migrated, "node-a", daemon=True) as one:
        await filled(one, 2)
        (claim,) = await one.claim_due(NOON, 1, 3600)
        async with opened(migrated, "node-b", daemon=True):
            assert await one.record(claim, moved(claim)) is Recorded.STORED
