"""Limits: so many requests a minute for each caller, so large a body, so long to send it."""

import asyncio

import pytest

from fakes.web import BY, served
from mailwatch.ports import StoreUnavailableError
from mailwatch.ports.people import Role
from mailwatch.web import auth
from mailwatch.web.surface import WebSettings

TIGHT = WebSettings(requests_per_minute=12, max_body_bytes=1000, body_seconds=0.2)


@pytest.fixture
async def tight(tmp_path, no_task_left_behind):
    async with served(tmp_path / "mailwatch.db", settings=TIGHT) as rig:
        yield rig


async def test_each_caller_has_a_limit_of_its_own_and_is_told_how_long_to_wait(tight):
    for _ in range(3):
        assert (await tight.ask("GET", "/api/v1/me"))[0] == 200
    status, headers, problem = await tight.ask("GET", "/api/v1/me")
    assert (status, problem["code"]) == (429, "too_many")
    assert headers["Retry-After"] == "5"
    assert (await tight.ask("GET", "/api/v1/me", role="read"))[0] == 200
    assert (await tight.ask("GET", "/api/v1/me", role=None))[0] == 401
    tight.clock.advance(5)
    assert (await tight.ask("GET", "/api/v1/me"))[0] == 200


async def test_strangers_are_counted_by_address(tight):
    answers = [(await tight.ask("GET", "/api/v1/me", role=None))[0] for _ in range(5)]
    assert answers == [401, 401, 401, 429, 429]


@pytest.fixture
def looked_up(tight, monkeypatch):
    """Every look-up of a token or session in the database."""
    asked = []

    def counting(whole):
        async def counted(*given):
            asked.append(given)
            return await whole(*given)

        return counted

    for name in ("token", "session"):
        monkeypatch.setattr(tight.store.people, name, counting(getattr(tight.store.people, name)))
    return asked


def made_up(number, kind):
    return {"Authorization": f"Bearer mwt_{number:040}"} if kind == "token" else {"Cookie": f"mailwatch={number:040}"}


@pytest.mark.parametrize("kind", ["token", "cookie"])
async def test_made_up_secrets_cost_the_database_nothing_beyond_the_limit(tight, looked_up, kind):
    answers = [(await tight.ask("GET", "/api/v1/me", role=None, headers=made_up(n, kind)))[::2] for n in range(20)]
    assert [status for status, _ in answers] == [401] * 3 + [429] * 17
    assert answers[-1][1]["code"] == "too_many"
    assert len(looked_up) == 3


@pytest.mark.parametrize("kind", ["token", "cookie"])
async def test_one_made_up_secret_is_looked_up_once_in_a_few_seconds(tight, looked_up, kind):
    for _ in range(3):
        assert (await tight.ask("GET", "/api/v1/me", role=None, headers=made_up(1, kind)))[0] == 401
    assert len(looked_up) == 1
    tight.clock.advance(60)
    assert (await tight.ask("GET", "/api/v1/me", role=None, headers=made_up(1, kind)))[0] == 401
    assert len(looked_up) == 2


async def test_a_flood_of_made_up_secrets_shuts_out_nobody_who_was_known(tight, looked_up):
    assert (await tight.ask("GET", "/api/v1/me"))[0] == 200
    for n in range(10):
        await tight.ask("GET", "/api/v1/me", role=None, headers=made_up(n, "token"))
    tight.clock.advance(6)  # longer than a token is believed without a look
    looked_up.clear()
    for n in range(10, 13):
        await tight.ask("GET", "/api/v1/me", role=None, headers=made_up(n, "token"))
    assert (await tight.ask("GET", "/api/v1/me"))[0] == 200
    assert len(looked_up) == 2  # one of the strangers', and the token's


async def test_a_flood_of_made_up_secrets_does_not_blind_prometheus(tight):
    for n in range(10):
        await tight.ask("GET", "/api/v1/me", role=None, headers=made_up(n, "token"))
    assert (await tight.ask("GET", "/metrics", role="read"))[0] == 200


async def test_good_secrets_are_not_charged_to_their_address(tight):
    """However many programs come from behind one proxy, and however new they are here."""
    for number in range(8):
        _, text = await tight.surface.accounts.create_token(f"program-{number}", Role.READ, None, BY)
        assert (await tight.ask("GET", "/api/v1/me", role=None, headers={"Authorization": f"Bearer {text}"}))[0] == 200


async def test_a_database_that_is_away_charges_nobody(tight, monkeypatch):
    async def away(*_):
        raise StoreUnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(tight.store.people, "token", away)
        for n in range(10):
            assert (await tight.ask("GET", "/api/v1/me", role=None, headers=made_up(n, "token")))[0] == 503
    assert (await tight.ask("GET", "/api/v1/me"))[0] == 200


async def test_what_is_remembered_of_strangers_has_an_end(tight, monkeypatch):
    monkeypatch.setattr(auth, "_MOST_TOKENS", 5)
    for n in range(12):
        await tight.ask("GET", "/api/v1/me", role=None, headers=made_up(n, "token"))
        tight.clock.advance(5)
    assert len(tight.app.state.strangers._unknown) <= 5


async def test_health_and_the_gate_are_not_counted(tight):
    await tight.fill(1)
    await tight.gate_follows()
    for _ in range(20):
        assert (await tight.ask("GET", "/-/ready", role=None))[0] == 200
        assert (await tight.ask("GET", "/api/v1/mailboxes/mb_0000/sending", role="read"))[0] == 200


async def test_a_flood_from_prometheus_own_address_does_not_blind_it(tight):
    assert [(await tight.ask("GET", "/api/v1/me", role=None))[0] for _ in range(5)][-1] == 429
    asked = [(await tight.ask("GET", "/metrics", role=None))[0] for _ in range(5)]
    assert asked[0] == 200
    assert asked[-1] == 429


async def test_a_stranger_at_the_gate_is_counted(tight):
    answers = [(await tight.ask("GET", "/api/v1/mailboxes/mb_0000/sending", role=None))[0] for _ in range(4)]
    assert answers == [401, 401, 401, 429]


@pytest.mark.parametrize("path", ["/campaigns/x/sending", "/campaigns/api/v1/mailboxes/x/sending"])
async def test_what_merely_ends_like_the_gate_is_counted(tight, path):
    answers = [(await tight.ask("GET", path, role="read"))[0] for _ in range(4)]
    assert answers[-1] == 429


async def send(rig, head, body=b""):
    """The status of the answer to raw bytes."""
    host, port = rig.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    token = rig.tokens["admin"]
    writer.write(
        f"POST /api/v1/mailboxes HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{head}\r\n\r\n".encode() + body
    )
    try:
        return int((await asyncio.wait_for(reader.readline(), 60)).split()[1])
    finally:
        writer.close()


async def test_a_large_body_is_refused_before_it_is_read(tight):
    assert await send(tight, "Content-Type: application/json\r\nContent-Length: 1001") == 413


async def test_a_body_that_does_not_tell_its_size_is_cut_off(tight):
    chunk = b"200\r\n" + b" " * 0x200 + b"\r\n"
    assert await send(tight, "Content-Type: application/json\r\nTransfer-Encoding: chunked", chunk * 3) == 413


async def test_a_body_that_drips_is_not_waited_for(tight):
    assert await send(tight, "Content-Type: application/json\r\nContent-Length: 900", b'{"address') == 408


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_kind_is_415(rig, kind):
    async with rig.client.post(
        "/api/v1/tokens", data=b'{"name": "x", "role": "read"}', headers={**rig.bearer(), "Content-Type": kind}
    ) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (415, "media_type")


async def test_a_client_that_goes_away_in_the_middle_does_no_harm(rig):
    host, port = rig.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /api/v1/tokens HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nab")
    await writer.drain()
    writer.close()
    assert (await rig.ask("GET", "/api/v1/me"))[0] == 200
