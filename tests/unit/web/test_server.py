"""Where the daemon listens, and how it stops."""

import asyncio
import socket

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mailwatch.ports import MailwatchError
from mailwatch.web.server import WebServer, listen


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0", "127.8.8.8:0"])
def test_it_listens_on_loopback(address):
    with listen(address) as listener:
        assert listener.getsockname()[1] > 0


@pytest.mark.parametrize("address", [":9725", "9725", ""])
def test_an_address_without_a_host_is_refused_with_the_cure(address):
    with pytest.raises(MailwatchError, match=r"such as 127\.0\.0\.1:9725"):
        listen(address)


def test_it_listens_beyond_loopback_when_it_is_told_to():
    with listen("0.0.0.0:0") as listener:
        assert listener.getsockname()[0] == "0.0.0.0"


def test_an_address_of_another_machine_is_refused_with_the_cure():
    with pytest.raises(MailwatchError, match="choose an address of this machine"):
        listen("192.0.2.1:9725")


@pytest.mark.parametrize("address", ["127.0.0.1:http", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1"])
def test_a_port_that_is_none_is_refused_with_the_cure(address):
    with pytest.raises(MailwatchError, match="the port must be a number"):
        listen(address)


def test_a_taken_port_is_told_by_its_address():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MailwatchError, match=rf"127\.0\.0\.1:{port}.*is another mailwatch running"):
            listen(f"127.0.0.1:{port}")


async def test_it_serves_where_it_says_and_its_port_is_free_after_stop(no_task_left_behind):
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))])
    server = WebServer(app, listen("127.0.0.1:0"))
    server.start()
    async with aiohttp.ClientSession() as session, session.get(server.url) as answer:
        assert await answer.text() == "here"
    port = int(server.url.rpartition(":")[2])
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


async def test_a_connection_that_asks_for_nothing_is_closed(no_task_left_behind, monkeypatch):
    monkeypatch.setattr("mailwatch.web.server.HEAD_SECONDS", 0.05)
    server = WebServer(Starlette(), listen("127.0.0.1:0"))
    server.start()
    reader, writer = await asyncio.open_connection(*server._listener.getsockname())
    writer.write(b"GET / HTT")
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()
    await server.stop()


async def test_a_second_request_that_is_never_finished_is_not_waited_for_either(no_task_left_behind, monkeypatch):
    monkeypatch.setattr("mailwatch.web.server.HEAD_SECONDS", 1.0)
    server = WebServer(Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))]), listen("127.0.0.1:0"))
    server._server.config.timeout_keep_alive = 3600  # its parent's own for an idle connection: not what ends this one
    server.start()
    reader, writer = await asyncio.open_connection(*server._listener.getsockname())
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"here"), 60)
    writer.write(b"GET / HTT")
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()
    await server.stop()


async def test_a_request_that_takes_longer_than_its_head_may_is_answered(no_task_left_behind, monkeypatch):
    monkeypatch.setattr("mailwatch.web.server.HEAD_SECONDS", 1.0)

    async def slow(_):
        await asyncio.sleep(1.5)
        return PlainTextResponse("here")

    server = WebServer(Starlette(routes=[Route("/", slow)]), listen("127.0.0.1:0"))
    server.start()
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.get(server.url) as answer:
                assert await answer.text() == "here"
    await server.stop()


def test_an_ipv6_address_is_written_with_brackets():
    with listen("[::1]:0") as listener:
        assert WebServer(Starlette(), listener).url.startswith("http://[::1]:")


async def test_a_client_that_never_finishes_does_not_hold_up_the_stop(no_task_left_behind):
    entered = asyncio.Event()

    async def forever(_):
        entered.set()
        await asyncio.Event().wait()

    server = WebServer(Starlette(routes=[Route("/", forever)]), listen("127.0.0.1:0"))
    server.start()
    host, port = server._listener.getsockname()
    _, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(entered.wait(), 60)
    await asyncio.wait_for(server.stop(), 30)
    writer.close()


async def test_stopping_what_never_started_closes_the_socket():
    server = WebServer(Starlette(), listen("127.0.0.1:0"))
    await server.stop()
    assert server._listener.fileno() == -1


async def test_answers_are_sent_without_waiting_for_the_client(no_task_left_behind):
    """asyncio turns Nagle's algorithm off for sockets that name their protocol: connections inherit it from the listener."""
    with listen("127.0.0.1:0") as listener, socket.create_connection(listener.getsockname()):
        taken, _ = listener.accept()
        assert taken.proto == socket.IPPROTO_TCP
        taken.close()
