"""The second opinion on our own uplink: one answer is enough, silence is none, and it ends in time."""

import asyncio
import contextlib
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from fakes.name_server import NameServer
from mailwatch.core.egress import Matter, Opinion
from mailwatch.probe import Resolver, make_ssl_context
from mailwatch.probe.canary import NetworkCanary


@contextlib.asynccontextmanager
async def listening():
    """A port that accepts."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield "127.0.0.1", server.sockets[0].getsockname()[1]


@contextlib.contextmanager
def silent():
    """A port that takes no more connections and refuses none: its queue is full."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()


def canary_of(places, resolver, **options):
    return NetworkCanary(places, resolver, make_ssl_context(), **options)


@pytest.fixture
def resolver():
    return Resolver([])


async def test_one_place_that_answers_is_enough(resolver, free_port, no_task_left_behind):
    async with listening() as open_place:
        canary = canary_of([("127.0.0.1", free_port()), ("no.such.host.invalid", 443), open_place], resolver)
        assert await canary.answers()


async def test_places_that_refuse_or_cannot_be_found_do_not_answer(resolver, free_port, no_task_left_behind):
    assert not await canary_of([("127.0.0.1", free_port()), ("no.such.host.invalid", 443)], resolver).answers()


async def test_silence_is_no_answer_and_is_not_waited_for(resolver, no_task_left_behind):
    with silent() as place:
        canary = canary_of([place], resolver, timeout_seconds=0.2)
        async with asyncio.timeout(60):
            assert not await canary.answers()


async def test_a_quick_answer_does_not_wait_for_a_slow_one(resolver, no_task_left_behind):
    async with listening() as open_place:
        with silent() as place:
            canary = canary_of([place, open_place], resolver, timeout_seconds=3600.0)
            async with asyncio.timeout(60):
                assert await canary.answers()


async def test_being_cancelled_leaves_nothing_behind(resolver, no_task_left_behind):
    with silent() as place:
        asking = asyncio.create_task(canary_of([place], resolver, timeout_seconds=3600.0).answers())
        await asyncio.sleep(0.02)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_a_family_that_has_no_route_does_not_make_a_place_silent(no_task_left_behind):
    async with (
        listening() as (_, port),
        NameServer({("place.example", "AAAA"): ["100::1"], ("place.example", "A"): ["127.0.0.1"]}).running() as names,
    ):
        assert await canary_of([("place.example", port)], Resolver([names.address]), timeout_seconds=30.0).answers()


# --- name servers ---


async def test_name_servers_are_asked_anew_whatever_is_kept(no_task_left_behind):
    async with NameServer({("place.example", "A"): ["127.0.0.1"]}).running() as names:
        resolver = Resolver([names.address], timeout_seconds=30.0)
        canary = canary_of([("place.example", 443), ("127.0.0.1", 443)], resolver)
        assert await canary.examine(Matter.NAMES) is Opinion.SOUND
        names.failing.add("*")
        assert await resolver.addresses("place.example") == ("127.0.0.1",), "it is kept"
        assert await canary.examine(Matter.NAMES) is Opinion.RESOLVER


async def test_one_name_that_is_found_shows_that_name_servers_work(no_task_left_behind):
    async with NameServer({("place.example", "A"): ["127.0.0.1"]}).running() as names:
        names.mute.add("mute.example")
        canary = canary_of([("place.example", 1), ("mute.example", 1)], Resolver([names.address]), close_look_seconds=0.5)
        assert await canary.examine(Matter.NAMES) is Opinion.SOUND


async def test_places_without_names_say_nothing_of_name_servers(resolver):
    assert await canary_of([("127.0.0.1", 443), ("localhost", 443)], resolver).examine(Matter.NAMES) is Opinion.UNKNOWN


async def test_canaries_have_nothing_to_say_of_other_matters(resolver):
    assert await canary_of([("127.0.0.1", 443)], resolver).examine(Matter.TIME) is Opinion.UNKNOWN


# --- clock and CA store ---


@contextlib.asynccontextmanager
async def website(context, *, ahead=timedelta(0), date=True):
    """An HTTPS server whose clock is *ahead* of ours."""

    async def answer(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            told = f"Date: {format_datetime(datetime.now(UTC) + ahead, usegmt=True)}\r\n" if date else ""
            writer.write(f"HTTP/1.1 200 OK\r\nServer: x\r\n{told}\r\n".encode())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield "localhost", server.sockets[0].getsockname()[1]


AGREES, A_DAY = timedelta(0), timedelta(days=1)


@pytest.mark.parametrize(
    ("sites", "opinion"),
    [
        ([("good", AGREES)], Opinion.SOUND),
        ([("good", timedelta(seconds=200))], Opinion.SOUND),
        ([("good", A_DAY)], Opinion.CLOCK),  # it passes still, others do no more
        ([("good", -A_DAY)], Opinion.CLOCK),
        ([("expired", A_DAY)], Opinion.CLOCK),
        ([("not_yet_valid", A_DAY)], Opinion.CLOCK),
        ([("good", A_DAY), ("expired", A_DAY)], Opinion.CLOCK),
        ([("good", A_DAY), ("good", AGREES)], Opinion.SOUND),  # one of them has a wrong clock: not ours
        ([("expired", AGREES), ("good", AGREES)], Opinion.SOUND),
        ([("expired", AGREES)], Opinion.UNKNOWN),  # its own fault
        ([("stranger", AGREES)], Opinion.AUTHORITIES),
        ([("stranger", A_DAY)], Opinion.CLOCK),
        ([("stranger", AGREES), ("good", AGREES)], Opinion.SOUND),
        ([("expired", None)], Opinion.CLOCK),  # that tells no time
        ([("expired", None), ("good", None)], Opinion.UNKNOWN),
        ([("good", None)], Opinion.SOUND),
    ],
)
async def test_certificates_and_the_time_that_places_tell_show_what_is_broken(certificates, sites, opinion, no_task_left_behind):
    async with contextlib.AsyncExitStack() as stack:
        places = [
            await stack.enter_async_context(website(certificates.server(fault), ahead=ahead or AGREES, date=ahead is not None))
            for fault, ahead in sites
        ]
        context = make_ssl_context(certificates.ca_file)
        canary = NetworkCanary(places, Resolver([]), context, http_ports=[port for _, port in places])
        assert await canary.examine(Matter.TRUST) is opinion


@pytest.mark.parametrize(("fault", "opinion"), [("good", Opinion.SOUND), ("expired", Opinion.CLOCK)])
async def test_a_place_that_is_no_website_is_asked_for_its_certificate_alone(certificates, fault, opinion, no_task_left_behind):
    async with website(certificates.server(fault), ahead=A_DAY) as place:
        canary = NetworkCanary([place], Resolver([]), make_ssl_context(certificates.ca_file), http_ports=())
        assert await canary.examine(Matter.TRUST) is opinion


async def test_places_without_encryption_say_nothing_of_certificates(resolver, free_port, no_task_left_behind):
    async with listening() as plain:
        with silent() as mute:
            places = [plain, mute, ("127.0.0.1", free_port()), ("no.such.host.invalid", 443)]
            async with asyncio.timeout(60):
                assert await canary_of(places, resolver, close_look_seconds=0.5).examine(Matter.TRUST) is Opinion.UNKNOWN


@pytest.mark.parametrize("words", [b"Date: tomorrow", b"Date:", b"Date: Sun, 01 Mar 2026 12:00:00", b"\xff\xfe: \x00"])
async def test_a_date_that_cannot_be_read_or_has_no_zone_breaks_nothing(certificates, words, no_task_left_behind):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + words + b"\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=certificates.server()) as server:
        place = ("localhost", server.sockets[0].getsockname()[1])
        now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        canary = NetworkCanary(
            [place], Resolver([]), make_ssl_context(certificates.ca_file), http_ports=[place[1]], now=lambda: now
        )
        assert await canary.examine(Matter.TRUST) is Opinion.SOUND
