"""The stream of events: what happens, in order, and from where a reader left off."""

import asyncio
import json

import pytest

from fakes.web import BY, PASSWORD
from mailwatch.desk.passwords import hashed
from mailwatch.ports import StoreUnavailableError
from mailwatch.ports.people import Role
from mailwatch.web import feed


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(feed, "POLL_SECONDS", 0.02)


class Stream:
    """Reads messages of one stream."""

    def __init__(self, answer):
        self.answer = answer

    async def message(self):
        """The next message that holds something."""
        fields = {}
        while True:
            line = (await asyncio.wait_for(self.answer.content.readline(), 60)).decode().rstrip("\n")
            if line and not line.startswith(":"):
                name, _, text = line.partition(": ")
                fields[name] = text
            elif not line and "data" in fields:
                return fields
            elif not line:
                fields = {}


def follow(rig, path="/api/v1/events", **headers):
    return rig.client.get(path, headers={**rig.bearer("read"), **headers})


async def test_what_happens_is_told_in_order(rig):
    await rig.fill(1)
    async with follow(rig) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
        assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-cache", "no")
        stream = Stream(answer)
        await rig.surface.desk.disconnect("mb_0000", BY)
        await rig.surface.desk.reconnect("mb_0000", BY)
        told = [await stream.message() for _ in range(2)]
        assert {each["event"] for each in told} == {"mailbox.transitioned"}
        contents = [json.loads(each["data"]) for each in told]
        assert [each["data"]["to"] for each in contents] == ["inactive", "reconnecting"]
        assert "user0@example.org" not in str(contents)
        assert int(told[0]["id"]) < int(told[1]["id"])


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_reader_that_comes_back_gets_what_it_missed(rig, how):
    await rig.fill(2)
    newest = await rig.store.outbox.newest()
    await rig.surface.desk.disconnect("mb_0000", BY)
    await rig.surface.desk.disconnect("mb_0001", BY)
    asked = follow(rig, **{"Last-Event-ID": str(newest)}) if how == "header" else follow(rig, f"/api/v1/events?after={newest}")
    async with asked as answer:
        stream = Stream(answer)
        told = [json.loads((await stream.message())["data"])["data"]["mailbox"] for _ in range(2)]
        assert told == ["mb_0000", "mb_0001"]


@pytest.mark.parametrize("cursor", ["1", "999999"])
async def test_a_cursor_whose_place_is_kept_no_more_is_told_to_begin_anew(rig, cursor):
    await rig.fill(4)
    rig.clock.advance(10)
    await rig.surface.desk.disconnect("mb_0000", BY)
    while await rig.store.outbox.fan_out({}, 500):
        pass
    await rig.store.outbox.prune_events(rig.clock.now())
    newest = await rig.store.outbox.newest()
    async with follow(rig, **{"Last-Event-ID": cursor}) as answer:
        first = await Stream(answer).message()
        assert (first["event"], json.loads(first["data"]), first["id"]) == ("reset", {"newest": newest}, str(newest))


async def test_the_newest_cursor_is_no_reset(rig):
    await rig.fill(1)
    newest = await rig.store.outbox.newest()
    async with follow(rig, **{"Last-Event-ID": str(newest)}) as answer:
        await rig.surface.desk.disconnect("mb_0000", BY)
        assert (await Stream(answer).message())["event"] == "mailbox.transitioned"


async def test_a_quiet_stream_shows_that_it_lives(rig, monkeypatch):
    monkeypatch.setattr(feed, "PING_SECONDS", 0.02)
    async with follow(rig) as answer:
        while (line := await asyncio.wait_for(answer.content.readline(), 60)) != b": nothing new\n":
            assert not line.startswith(b"data")


async def test_a_full_house_is_told(rig, monkeypatch):
    monkeypatch.setattr(feed, "MOST_READERS", 0)
    status, headers, problem = await rig.ask("GET", "/api/v1/events")
    assert (status, problem["code"], headers["Retry-After"]) == (503, "too_many_readers", "10")


async def test_readers_that_left_are_forgotten(rig):
    for _ in range(3):
        async with follow(rig) as answer:
            assert answer.status == 200
    async with asyncio.timeout(60):
        while rig.app.state.feed.readers:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("cursor", ["-1", "x", "1.5"])
async def test_a_cursor_that_is_none_is_refused(rig, cursor):
    assert (await rig.ask("GET", "/api/v1/events", headers={"Last-Event-ID": cursor}))[0] == 422


@pytest.mark.parametrize("how", ["revoked", "signed out", "smaller role"])
async def test_a_stream_ends_with_the_right_to_read_it(rig, monkeypatch, how):
    monkeypatch.setattr(feed, "PING_SECONDS", 0.02)
    accounts = rig.surface.accounts
    await accounts.add_user("ada", PASSWORD, Role.ADMIN, BY)
    await accounts.add_user("bob", PASSWORD, Role.ADMIN, BY)
    cookie, _ = await accounts.sign_in("bob", PASSWORD)
    sent = rig.bearer("read") if how == "revoked" else {"Cookie": f"mailwatch={cookie}"}
    async with rig.client.get("/api/v1/events", headers=sent) as answer:
        rig.clock.advance(60)
        await asyncio.wait_for(answer.content.readuntil(b"nothing new\n"), 60)  # who is known yet reads on
        match how:
            case "revoked":
                await accounts.revoke_token("read", BY)
            case "signed out":
                await accounts.sign_out(hashed(cookie))
            case _:
                await accounts.set_role("bob", Role.READ, BY)
        rig.clock.advance(60)
        await rig.fill(1)
        assert b"mailbox" not in await asyncio.wait_for(answer.content.read(), 60)


async def test_a_stream_lasts_while_the_database_is_away(rig, monkeypatch):
    monkeypatch.setattr(feed, "PING_SECONDS", 0.02)

    async def away(*_, **__):
        raise StoreUnavailableError("away")

    async with follow(rig) as answer:
        monkeypatch.setattr(rig.surface.accounts, "token_of", away)
        for _ in range(3):
            rig.clock.advance(60)
            await asyncio.wait_for(answer.content.readuntil(b"nothing new\n"), 60)
