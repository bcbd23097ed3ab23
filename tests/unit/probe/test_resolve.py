"""Names to addresses: literals, the hosts file, a real (fake) name server, and everything that can go wrong with one."""

import asyncio
from pathlib import Path

import pytest

from fakes.name_server import NameServer
from fakes.probing import LOOPS, run_on
from mailwatch.probe.failures import ImpairedError, ResolveError
from mailwatch.probe.resolve import Resolver

RECORDS = {
    ("mail.example", "A"): ["192.0.2.1", "192.0.2.2"],
    ("mail.example", "AAAA"): ["2001:db8::1"],
    ("four.example", "A"): ["192.0.2.4"],
    ("empty.example", "TXT"): ['"no address"'],
    ("example", "MX"): ["20 second.example.", "10 first.example."],
    ("_imaps._tcp.example", "SRV"): ["0 1 993 mail.example."],
    ("_imap._tcp.example", "SRV"): ["0 0 0 ."],
}


@pytest.mark.parametrize("loop", LOOPS)
def test_both_families_are_asked_and_interleaved_and_the_answer_is_kept(loop: str) -> None:
    async def test() -> None:
        async with NameServer(RECORDS).running() as server:
            resolver = Resolver([server.address])
            found = await resolver.addresses("Mail.Example.")
            assert found[0] == "2001:db8::1"
            assert sorted(found[1:]) == ["192.0.2.1", "192.0.2.2"]
            assert await resolver.addresses("mail.example") == found
            assert sorted(server.asked) == [("mail.example", "A"), ("mail.example", "AAAA")]

    run_on(loop, test)


async def test_many_who_ask_for_one_name_at_once_cause_one_question() -> None:
    async with NameServer(RECORDS).running() as server:
        resolver = Resolver([server.address])
        answers = await asyncio.gather(*(resolver.addresses("four.example") for _ in range(30)))
        assert set(answers) == {("192.0.2.4",)}
        assert len(server.asked) == 2


async def test_literals_and_localhost_need_no_name_server() -> None:
    resolver = Resolver([])
    assert await resolver.addresses("192.0.2.7") == ("192.0.2.7",)
    assert await resolver.addresses("2001:db8::7") == ("2001:db8::7",)
    assert "127.0.0.1" in await resolver.addresses("localhost")
    assert "127.0.0.1" in await Resolver([], hosts_file=None).addresses("mail.localhost")


async def test_the_hosts_file_is_honoured_and_read_again_when_it_changes(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.9 mail.intern alias # a comment\n2001:db8::9 mail.intern\nnonsense here\n")
    now = [0.0]
    resolver = Resolver([], hosts_file=hosts, monotonic=lambda: now[0])
    assert await resolver.addresses("MAIL.intern") == ("2001:db8::9", "192.0.2.9")
    hosts.write_text("192.0.2.10 mail.intern\n")
    now[0] += 60
    assert await resolver.addresses("mail.intern") == ("192.0.2.10",)


@pytest.mark.parametrize(
    ("host", "kind", "words"),
    [
        ("nowhere.example", "dns.resolver.NXDOMAIN", "NXDOMAIN"),
        ("empty.example", "dns.resolver.NoAnswer", "no address"),
        ("broken.example", "dns.resolver.NoNameservers", "SERVFAIL"),
        ("mute.example", "dns.resolver.LifetimeTimeout", "time-out"),
        ("a..b", "dns.name.EmptyLabel", "cannot be looked up"),
        ("x" * 70 + ".example", "dns.name.LabelTooLong", "cannot be looked up"),
    ],
)
async def test_each_failure_is_told_by_its_class_and_words(host: str, kind: str, words: str) -> None:
    async with NameServer(RECORDS).running() as server:
        server.mute.add("mute.example")
        server.failing.add("broken.example")
        with pytest.raises(ResolveError, match=words) as caught:
            await Resolver([server.address], timeout_seconds=0.3 if host.startswith("mute") else 30.0).addresses(host)
        assert caught.value.kind == kind


async def test_a_failure_is_kept_for_a_moment_only() -> None:
    now = [0.0]
    async with NameServer(RECORDS).running() as server:
        resolver = Resolver([server.address], negative_ttl_seconds=5, monotonic=lambda: now[0])
        for _ in range(3):
            with pytest.raises(ResolveError):
                await resolver.addresses("new.example")
        assert len(server.asked) == 2
        server.records["new.example", "A"] = ["192.0.2.5"]
        now[0] += 6
        assert await resolver.addresses("new.example") == ("192.0.2.5",)


async def test_an_answer_lives_for_its_ttl_within_bounds() -> None:
    now = [0.0]
    async with NameServer(RECORDS, ttl=60).running() as server:
        resolver = Resolver([server.address], monotonic=lambda: now[0])
        await resolver.addresses("four.example")
        now[0] += 59
        await resolver.addresses("four.example")
        assert len(server.asked) == 2
        now[0] += 2
        await resolver.addresses("four.example")
        assert len(server.asked) == 4


async def test_a_family_that_is_not_answered_does_not_hold_up_the_other() -> None:
    async with NameServer(RECORDS).running() as server:
        server.mute.add("four.example AAAA")
        # whoever waited for it would wait for an hour
        async with asyncio.timeout(120):
            assert await Resolver([server.address], timeout_seconds=3600).addresses("four.example") == ("192.0.2.4",)


async def test_a_dead_name_server_holds_up_neither_literals_nor_kept_names_nor_threads() -> None:
    async with NameServer(RECORDS).running() as server:
        resolver = Resolver([server.address], timeout_seconds=3.0)
        await resolver.addresses("mail.example")
        server.mute.add("*")
        waiting = [asyncio.ensure_future(resolver.addresses(f"h{number}.example")) for number in range(50)]
        await asyncio.sleep(0)
        assert await resolver.addresses("mail.example")
        assert await resolver.addresses("192.0.2.1")
        assert await asyncio.to_thread(lambda: "a thread is free") == "a thread is free"
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(result, ResolveError) for result in results)


async def test_nobody_waiting_means_nobody_asking(no_task_left_behind: None) -> None:
    async with NameServer(RECORDS).running() as server:
        server.mute.add("*")
        asking = asyncio.ensure_future(Resolver([server.address]).addresses("mail.example"))
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.wait([asking])
        await asyncio.sleep(0.01)


async def test_mail_servers_and_services_are_told_best_first() -> None:
    async with NameServer(RECORDS).running() as server:
        resolver = Resolver([server.address], timeout_seconds=30)
        assert await resolver.mail_servers("example") == ("first.example", "second.example")
        assert await resolver.mail_servers("nowhere.example") == ()
        assert await resolver.services("_imaps._tcp.example") == (("mail.example", 993),)
        assert await resolver.services("_imap._tcp.example") == ()
        assert await resolver.services("_submission._tcp.example") == ()


async def test_name_servers_are_written_with_or_without_a_port() -> None:
    from mailwatch.probe.resolve import _nameserver

    assert _nameserver("192.0.2.1") == ("192.0.2.1", 53)
    assert _nameserver("192.0.2.1:5353") == ("192.0.2.1", 5353)
    assert _nameserver("[2001:db8::1]:5353") == ("2001:db8::1", 5353)
    assert _nameserver("2001:db8::1") == ("2001:db8::1", 53)


async def test_no_name_server_at_all_is_our_own_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    import dns.resolver

    def unreadable(*_: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", unreadable)
    with pytest.raises(ImpairedError, match="no_resolver_configuration"):
        await Resolver().addresses("mail.example")


async def test_it_is_known_whether_name_servers_answered_or_an_address_was_kept() -> None:
    moment = 0.0
    async with NameServer(RECORDS).running() as server:
        resolver = Resolver([server.address], monotonic=lambda: moment)
        assert not resolver.answered("four.example", 0.0)
        await resolver.addresses("four.example")
        assert resolver.answered("Four.Example.", 0.0)
        moment = 5.0
        await resolver.addresses("four.example")
        assert not resolver.answered("four.example", 5.0)
        assert await resolver.asked_anew("four.example")
        assert resolver.answered("four.example", 5.0)
        server.failing.add("four.example")
        assert await resolver.asked_anew("four.example") is False
        assert await resolver.addresses("four.example") == ("192.0.2.4",), "it is good for a while still"
        assert await resolver.asked_anew("gone.example") is False
        assert not resolver.answered("gone.example", 0.0)
        assert await resolver.asked_anew("192.0.2.4") is None
