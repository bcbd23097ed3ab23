"""From an endpoint to a connection: addresses in turn, only judged ones, our own faults told from the peer's."""

import asyncio
import errno
import os
import resource
import shutil
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from fakes.dialogues import imap
from fakes.name_server import NameServer
from fakes.peer import ScriptedServer
from fakes.probing import LOOPS, WallClock, dialer, look, mailbox, run_on
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import Outcome, Phase
from mailwatch.core.impairments import IMPAIRMENTS
from mailwatch.core.mailbox import Endpoint
from mailwatch.probe.failures import ImpairedError, TargetDeniedError
from mailwatch.probe.resolve import Resolver
from mailwatch.probe.trace import Trace


async def open_and_close(dial: Any, url: str) -> tuple[str, int]:
    transport, _ = await dial.open(Endpoint.parse(url), asyncio.Protocol, Trace(WallClock().monotonic))
    peer = transport.get_extra_info("peername")
    transport.abort()
    await asyncio.sleep(0)
    return peer[:2]


def resolving(*addresses: str) -> Resolver:
    """A resolver that knows one answer for every name."""

    class Fixed(Resolver):
        async def addresses(self, host: str) -> tuple[str, ...]:
            return addresses

    return Fixed([])


@pytest.mark.parametrize("loop", LOOPS)
def test_a_dead_address_does_not_keep_us_from_a_live_one(loop: str) -> None:
    async def test() -> None:
        async with ScriptedServer(imap()).running() as server:
            # the first refuses at once; the second swallows everything (a listener whose backlog is full)
            with socket.socket() as full:
                full.bind(("127.0.0.2", server.port))
                full.listen(0)
                held = [socket.socket() for _ in range(3)]
                for one in held:
                    one.setblocking(False)
                    one.connect_ex(("127.0.0.2", server.port))
                dial = dialer(resolver=resolving("127.0.0.3", "127.0.0.2", "127.0.0.1"))
                channel = await look(mailbox(imap=f"imap://mail.example:{server.port}"), dial)
                for one in held:
                    one.close()
            assert channel.outcome is Outcome.HEALTHY, channel

    run_on(loop, test)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_broken_ipv6_route_does_not_make_a_mailbox_fail(loop: str) -> None:
    async def test() -> None:
        async with ScriptedServer(imap()).running() as server:
            dial = dialer(resolver=resolving("2001:db8::dead", "127.0.0.1"))
            channel = await look(mailbox(imap=f"imap://mail.example:{server.port}"), dial)
            assert channel.outcome is Outcome.HEALTHY, channel

    run_on(loop, test)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("127.0.0.1", "127.0.0.2")])
def test_a_refused_connection_is_told_as_such(addresses: tuple[str, ...], loop: str, free_port: Any) -> None:
    url = f"imap://mail.example:{free_port()}"
    channel = run_on(loop, lambda: look(mailbox(imap=url), dialer(resolver=resolving(*addresses))))
    assert channel.evidence is not None
    assert channel.evidence.errno == errno.ECONNREFUSED
    assert channel.phase is Phase.CONNECT
    assert diagnose(channel.evidence).cause is Cause.CONNECTION_REFUSED


@pytest.mark.parametrize("loop", LOOPS)
def test_a_swallowed_connection_ends_with_the_time(loop: str) -> None:
    async def test() -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            held = [socket.socket() for _ in range(3)]
            for one in held:
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            channel = await look(mailbox(imap=f"imap://127.0.0.1:{port}"), dialer(), timeout_seconds=0.4)
            for one in held:
                one.close()
        assert channel.evidence is not None
        assert channel.phase is Phase.CONNECT
        assert diagnose(channel.evidence).cause is Cause.CONNECTION_TIMEOUT

    run_on(loop, test)


async def test_only_addresses_that_the_policy_allows_are_connected_to() -> None:
    async with ScriptedServer(imap()).running() as server:
        dial = dialer(resolver=resolving("127.0.0.2", "127.0.0.1"), allow_private_hosts=False, allowed_networks=["127.0.0.1/32"])
        assert await open_and_close(dial, f"imap://mail.example:{server.port}") == ("127.0.0.1", server.port)
        denied = dialer(resolver=resolving("127.0.0.1", "::1"), allow_private_hosts=False)
        with pytest.raises(TargetDeniedError):
            await open_and_close(denied, f"imap://mail.example:{server.port}")
        assert server.connections == 1


async def test_an_answer_that_turns_to_loopback_is_denied_at_the_next_connection() -> None:
    async with (
        ScriptedServer(imap()).running() as server,
        NameServer({("mail.example", "A"): ["127.0.0.1"]}, ttl=0).running() as names,
    ):
        names.records["mail.example", "A"] = ["127.0.0.1"]
        resolver = Resolver([names.address], min_ttl_seconds=0)
        dial = dialer(resolver=resolver, allow_private_hosts=False, allowed_networks=["127.0.0.1/32"])
        url = f"imap://mail.example:{server.port}"
        assert (await open_and_close(dial, url))[0] == "127.0.0.1"
        names.records["mail.example", "A"] = ["127.0.0.9"]
        channel = await look(mailbox(imap=url), dial)
        assert (channel.outcome, channel.impairment, channel.evidence) == (Outcome.IMPAIRED, "target_denied", None)


@pytest.mark.parametrize("url", ["imap://mail.example:1", "imaps://mail.example:993"])
async def test_an_address_or_a_port_that_our_own_policy_denies_is_our_configurations_fault_and_no_mailboxs(url) -> None:
    denied = dialer(resolver=resolving("169.254.169.254"), allow_private_hosts=True)
    channel = await look(mailbox(imap=url), denied)
    assert (channel.outcome, channel.impairment, channel.evidence) == (Outcome.IMPAIRED, "target_denied", None)
    words = IMPAIRMENTS["target_denied"]
    assert "`[network] allow_private_hosts`" in words.sentence
    assert any("`[network] allowed_networks`" in step for step in words.remedy)


async def test_a_name_that_does_not_resolve_is_told_in_its_phase() -> None:
    async with NameServer().running() as names:
        channel = await look(mailbox(imap="imap://nowhere.example"), dialer(resolver=Resolver([names.address])))
        assert channel.evidence is not None
        assert channel.phase is Phase.RESOLVE
        assert diagnose(channel.evidence).cause is Cause.DNS_FAILURE


async def test_no_descriptor_left_is_our_own_fault() -> None:
    async with ScriptedServer(imap()).running() as server:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
        taken = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 2, hard))
        try:
            while True:
                try:
                    taken.append(socket.socket())
                except OSError:
                    break
            channel = await look(mailbox(imap=f"imap://127.0.0.1:{server.port}"), dialer())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for one in taken:
                one.close()
        assert (channel.outcome, channel.impairment) == (Outcome.IMPAIRED, "out_of_descriptors")


async def test_a_source_address_that_is_not_ours_is_our_own_fault() -> None:
    dial = dialer()
    dial._source = "192.0.2.77"
    with pytest.raises(ImpairedError, match="source_address_unusable"):
        await open_and_close(dial, "imap://127.0.0.1:143")


ROUTES = textwrap.dedent("""
    import asyncio, subprocess, sys
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    kind = sys.argv[1]
    if kind != "none":
        subprocess.run(["ip", "route", "add", kind, "198.51.100.0/24"], check=True)
    from fakes.probing import dialer, look, mailbox
    channel = asyncio.run(look(mailbox(imap="imap://198.51.100.1"), dialer()))
    print(channel.outcome, channel.impairment, channel.evidence and channel.evidence.errno)
""")


@pytest.mark.skipif(
    shutil.which("unshare") is None or shutil.which("ip") is None or os.geteuid() != 0,
    reason="the program unshare or ip is absent, or no root",
)
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("prohibit", "impaired local_policy None"),
        ("blackhole", "impaired local_policy None"),
        ("none", "impaired network_unreachable None"),
        ("unreachable", f"failed None {errno.EHOSTUNREACH}"),
    ],
)
def test_routes_of_our_own_are_told_from_the_network(kind: str, expected: str) -> None:
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("the program unshare may not make a network namespace here")
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", ROUTES, kind],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": "tests"},
    )
    assert done.stdout.strip() == expected, done.stderr


async def test_a_report_tells_whether_its_server_is_nearby_and_was_looked_up_for_it(no_task_left_behind: None) -> None:
    records = {("mail.example", "A"): ["127.0.0.1"]}
    async with ScriptedServer(imap()).running() as server, NameServer(records).running() as names:
        dial = dialer(resolver=Resolver([names.address]))
        box = mailbox(imap=f"imap://mail.example:{server.port}")
        first, second = await look(box, dial), await look(box, dial)
        assert (first.nearby, first.looked_up) == (True, True)
        assert (second.nearby, second.looked_up) == (True, False)
        literal = await look(mailbox(imap=f"imap://127.0.0.1:{server.port}"), dial)
        assert (literal.nearby, literal.looked_up) == (True, False)
        nowhere = await look(mailbox(imap="imap://gone.example"), dial)
        assert (nowhere.nearby, nowhere.looked_up) == (None, None)


async def test_a_server_that_cannot_be_connected_to_is_known_by_its_address(free_port: Any, no_task_left_behind: None) -> None:
    refused = await look(mailbox(imap=f"imap://127.0.0.1:{free_port()}"), dialer())
    assert (refused.outcome, refused.nearby) == (Outcome.FAILED, True)
