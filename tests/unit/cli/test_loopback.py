"""The browser's way back to a terminal."""

import asyncio
import os
import pty
import sys
import urllib.error
import urllib.request

import pytest

from mailwatch.cli.loopback import Loopback, Return, read_return


def get(url, data=None):
    try:
        with urllib.request.urlopen(url, data, timeout=60) as response:
            return response.status, dict(response.headers), response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read().decode()


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("/?state=s&code=c", Return("s", "c", None, None)),
        ("http://127.0.0.1:1/?code=c&state=s&scope=a+b\n", Return("s", "c", None, None)),
        ("/?state=s&error=access_denied&error_description=no+way", Return("s", None, "access_denied", "no way")),
        ("/?state=s", None),
        ("/?code=c", None),
        ("/favicon.ico", None),
        ("", None),
        ("http://[", None),
    ],
)
def test_only_a_providers_answer_is_one(target, found):
    assert read_return(target) == found


async def test_the_browser_brings_the_answer_and_is_told_that_it_may_go():
    async with Loopback() as back:
        assert back.url.startswith("http://127.0.0.1:")
        status, headers, page = await asyncio.to_thread(get, f"{back.url}?state=s&code=c4n4ry")
        assert (status, headers["Cache-Control"], headers["Referrer-Policy"]) == (200, "no-store", "no-referrer")
        assert "close this window" in page
        assert "c4n4ry" not in page
        assert back.returns.get_nowait() == Return("s", "c4n4ry", None, None)


async def test_what_else_a_browser_asks_for_ends_nothing():
    async with Loopback() as back:
        assert (await asyncio.to_thread(get, f"{back.url}favicon.ico"))[0] == 404
        assert (await asyncio.to_thread(get, f"{back.url}?state=s&code=c", b"posted=1"))[0] == 404
        reader, writer = await asyncio.open_connection("127.0.0.1", int(back.url.split(":")[2].strip("/")))
        writer.write(b"GET /" + b"x" * 40_000)
        writer.write_eof()
        assert not await reader.read()
        writer.close()
        assert back.returns.empty()


async def test_microsoft_is_sent_back_to_localhost():
    async with Loopback("localhost") as back:
        assert back.url.startswith("http://localhost:")


async def test_the_last_address_of_a_browser_elsewhere_can_be_pasted(monkeypatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        async with Loopback() as back:
            back.read_terminal()
            os.write(ours, b"what now?\n")
            os.write(ours, b"http://127.0.0.1:9/?state=s&code=c\n")
            async with asyncio.timeout(60):
                assert (await back.returns.get()).code == "c"
    os.close(ours)


async def test_without_a_terminal_nothing_is_read(monkeypatch):
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        async with Loopback() as back:
            back.read_terminal()
            await asyncio.sleep(0)
            assert back.returns.empty()
