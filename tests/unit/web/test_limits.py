"""Limits: so many requests a minute for each caller, so large a body, so long to send it."""

import asyncio

import pytest

from fakes.web import served
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
        return int((await asyncio.wait_for(reader.readline(), 10)).split()[1])
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
