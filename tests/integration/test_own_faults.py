"""Faults of our own, met by the real prober and the real canaries at real servers: clock, CA store, name servers - nobody is blamed."""

import contextlib
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from fakes.certificates import Certificates
from fakes.dialogues import imap
from fakes.name_server import NameServer
from fakes.peer import ScriptedServer
from fakes.probing import WallClock, assignment, dialer, mailbox, prober
from mailwatch.core.decide import decide
from mailwatch.core.egress import Fault
from mailwatch.core.lifecycle import State
from mailwatch.core.policy import Policy
from mailwatch.core.standing import Standing
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.probe import Resolver, make_ssl_context
from mailwatch.probe.canary import NetworkCanary

PROVIDERS = ("google", "microsoft", "yahoo", "zoho")
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def website(ahead=timedelta(0)):
    """The script of a website whose clock is *ahead* of ours."""

    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        told = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
        peer.writer.write(f"HTTP/1.1 200 OK\r\nDate: {told}\r\n\r\n".encode())
        await peer.writer.drain()

    return script


class World:
    """Mail servers of four providers, and a website that is our canary."""

    def __init__(self, certificates, stack):
        self.context = make_ssl_context(certificates.ca_file)
        self.certificates, self.stack = certificates, stack
        self.resolver = Resolver([])
        self.hosts = dict.fromkeys(PROVIDERS, "localhost")

    async def serve(self, script, tls):
        server = ScriptedServer(script, tls=self.certificates.server(tls))
        return await self.stack.enter_async_context(server.running())

    async def look(self, *, mail, site, ahead=timedelta(0), canary_host="localhost", looks=3):
        """Look at each provider's mailbox a few times: the states they come to, and what is known of our own side."""
        place = await self.serve(website(ahead), site)
        canary = NetworkCanary([(canary_host, place.port)], self.resolver, self.context, http_ports=[place.port])
        connectivity = Connectivity(WallClock(), canary)
        dial = dialer(context=self.context, resolver=self.resolver)
        states = Counter()
        for provider in PROVIDERS:
            server = await self.serve(imap(), mail)
            box = mailbox(imap=f"imaps://{self.hosts[provider]}:{server.port}", provider=provider)
            standing = Standing(box.id, State.CONNECTED, BEFORE, BEFORE, generation=1, proven=True, last_success_at=BEFORE)
            for _ in range(looks):
                report = await prober(dial).probe(assignment(box))
                egress = await connectivity.judge(box, replace(report, generation=1))
                standing = decide(box, standing, report, Policy(), datetime.now(UTC), random.Random(1), egress=egress).after
            states[standing.state] += 1
        return states, connectivity.fault


@pytest.fixture
async def world(certificates):
    async with contextlib.AsyncExitStack() as stack:
        yield World(certificates, stack)


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("seen", "ahead", "fault"),
    [("expired", -DAY, Fault.CLOCK), ("not_yet_valid", DAY, Fault.CLOCK), ("stranger", timedelta(0), Fault.AUTHORITIES)],
)
async def test_with_a_wrong_clock_or_a_broken_ca_store_nobody_is_blamed(world, seen, ahead, fault):
    assert await world.look(mail=seen, site=seen, ahead=ahead) == ({State.CONNECTED: 4}, fault)


async def test_a_clock_that_lets_the_canarys_certificate_pass_but_not_the_servers_is_seen_by_the_time_it_tells(world):
    assert await world.look(mail="expired", site="good", ahead=-DAY) == ({State.CONNECTED: 4}, Fault.CLOCK)


async def test_with_clock_and_authorities_in_order_bad_certificates_are_their_owners(world):
    assert await world.look(mail="expired", site="good") == ({State.BLOCKED: 4}, None)
    assert await world.look(mail="good", site="good") == ({State.CONNECTED: 4}, None)


async def test_with_dead_name_servers_nobody_is_blamed_though_the_canarys_address_was_kept(world):
    records = {(f"imap.{name}.example", "A"): ["127.0.0.1"] for name in PROVIDERS} | {("site.example", "A"): ["127.0.0.1"]}
    names = await world.stack.enter_async_context(NameServer(records).running())
    world.resolver = Resolver([names.address], timeout_seconds=30.0)
    world.hosts = {name: f"imap.{name}.example" for name in PROVIDERS}
    await world.resolver.addresses("site.example")
    names.failing.add("*")
    assert await world.look(mail="good", site="good", canary_host="site.example") == ({State.CONNECTED: 4}, Fault.RESOLVER)


async def test_a_name_that_is_gone_is_its_owners_while_name_servers_work(world):
    names = await world.stack.enter_async_context(NameServer({("site.example", "A"): ["127.0.0.1"]}).running())
    world.resolver = Resolver([names.address])
    world.hosts = {name: f"imap.{name}.example" for name in PROVIDERS}
    states, fault = await world.look(mail="good", site="good", canary_host="site.example")
    assert (states, fault) == ({State.RECONNECTING: 4}, None)
