"""Events on their way: over TLS to real HTTP servers, whatever these do, and through kill -9 at any moment."""

import asyncio
import itertools
import json
import random
import signal
import sqlite3
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from aiohttp import web

from contract.fleet import filled
from fakes.certificates import Certificates
from fakes.outbox import SECRET
from fakes.ports import FakeLog
from fakes.receiver import Receiver, drip, hang
from mailwatch.cli.opening import WallClock
from mailwatch.core import acts
from mailwatch.core.campaigns import Campaign, CampaignPolicy, CampaignState
from mailwatch.core.secret import Secret
from mailwatch.core.webhooks import Endpoint
from mailwatch.delivery.deliverer import Deliverer
from mailwatch.delivery.lane import CONCURRENT
from mailwatch.desk.sending import FOLLOW_SECONDS, SendingGate
from mailwatch.ports import Act
from mailwatch.probe import Dialer, EgressPolicy, Resolver, make_ssl_context
from mailwatch.probe.http import JudgedHttp
from mailwatch.store import KeyRing, SqlStore, Vault, migrate
from mailwatch.telemetry.metrics import Metrics

NODE = Path(__file__).with_name("sender_node.py")
BY = Act("cli:test", "campaign.pause")
CYCLES = 20
PATIENCE = 10  #: seconds that an answer is waited for: more than a busy machine needs for one


@pytest.fixture
def certificates(tmp_path):
    return Certificates(tmp_path / "certificates")


@pytest.fixture
async def receiver(certificates):
    async with Receiver(SECRET, certificates.server()).running() as running:
        yield running
    assert not running.forged


@pytest.fixture
def keyring(tmp_path):
    path = tmp_path / "ring"
    path.write_text(KeyRing.generate().text())
    return path


@pytest.fixture
async def store(tmp_path, keyring):
    url = f"sqlite:///{tmp_path / 'mailwatch.db'}"
    await migrate(url)
    opened = SqlStore(url, Vault(KeyRing.read(keyring.read_text())), WallClock(), node="test")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def deliver(store, certificates):
    """`await deliver(name=url, …)`: a deliverer that runs to these URLs until the end of the test."""
    ends = []

    async def begin(*, private=True, timeout_seconds=PATIENCE, **urls):
        policy = EgressPolicy(allow_private_hosts=private, allowed_ports=None)
        dialer = Dialer(Resolver(None), policy, make_ssl_context(str(certificates.ca_file)))
        # a place for each lane: receivers at one host must not wait for each other's connections
        places = CONCURRENT * len(urls)
        http = JudgedHttp(dialer, connections=places, connections_per_host=places)
        endpoints = {name: Endpoint(name, url, (Secret(SECRET),)) for name, url in urls.items()}
        made = Deliverer(
            *(store.outbox, http, endpoints, WallClock(), random.Random(1), FakeLog(), Metrics((), "test")),
            timeout_seconds=timeout_seconds,
        )
        ends.append((made, http, asyncio.create_task(made.run())))
        return made

    yield begin
    for made, http, running in ends:
        await made.stop(0)
        await running
        await http.close()


async def a_campaign(store, *mailboxes, name="autumn"):
    now = WallClock().now()
    campaign = Campaign(name, name, CampaignState.ACTIVE, now, now, position="row 7", mailboxes=mailboxes)
    return await store.campaigns.add(campaign, Act("cli:test", "campaign.add"))


async def until(condition, seconds=180):
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


async def log_of(store, endpoint):
    return list(await store.outbox.deliveries(endpoint, None, None, 100))


def delivered(store, endpoint, count):
    async def condition():
        rows = await log_of(store, endpoint)
        return len(rows) >= count and all(row.state == "delivered" for row in rows)

    return condition


def tried(store, endpoint):
    async def condition():
        return any(row.attempts > 0 for row in await log_of(store, endpoint))

    return condition


async def test_what_a_disconnect_sets_off_arrives_signed_and_in_full(store, deliver, receiver):
    (mailbox,) = await filled(store, 1)
    await a_campaign(store, mailbox)
    await deliver(sender=receiver.url("/hook"))
    now = WallClock().now()
    await store.change(mailbox, lambda standing: acts.disconnect(standing, now, "cli:test"), Act("cli:test", "mailbox.disconnect"))
    await until(delivered(store, "sender", 4))
    told = [json.loads(body) for _, body in receiver.got["/hook"]]
    assert {event["type"] for event in told} == {"mailbox.added", "mailbox.transitioned", "campaign.changed", "campaign.paused"}
    pause = next(event["data"] for event in told if event["type"] == "campaign.paused")
    assert (pause["campaign"], pause["mailbox"], pause["origin"], pause["position"]) == ("autumn", mailbox, "operator", "row 7")
    assert "user0" not in str(told)


async def test_receivers_that_hang_fail_redirect_or_drip_delay_no_other(store, deliver, receiver):
    await a_campaign(store)
    paths = {"hanging": hang, "failing": 500, "moved": 302, "dripping": drip}
    receiver.script = {f"/{name}": answer for name, answer in paths.items()}
    await deliver(**{name: receiver.url(f"/{name}") for name in (*paths, "well")})
    for _ in range(5):
        await store.campaigns.pause("autumn", "x", BY)
        await store.campaigns.resume("autumn", BY)
    await until(delivered(store, "well", 11))
    for name in paths:
        await until(tried(store, name))
        rows = await log_of(store, name)
        assert {row.state for row in rows} == {"pending"}
    errors = {name: {row.last_error for row in await log_of(store, name) if row.attempts} for name in paths}
    assert errors["hanging"] == errors["dripping"] == {f"no answer within {PATIENCE} s"}
    assert errors["failing"] == {"answered 500"}
    assert all("redirects are not followed" in error for error in errors["moved"])
    assert len(set(receiver.ids("/well"))) == len(receiver.ids("/well")) == 11


async def test_gone_stops_it_until_a_person_enables_it_again_and_then_all_arrives(store, deliver, receiver):
    await a_campaign(store)
    receiver.script["/gone"] = 410
    await deliver(sender=receiver.url("/gone"))

    async def is_disabled():
        return "sender" in await store.outbox.disabled()

    await until(is_disabled)
    seen = len(receiver.ids("/gone"))
    await store.campaigns.pause("autumn", "x", BY)
    await asyncio.sleep(2.5)  # two sweeps and more
    assert len(receiver.ids("/gone")) == seen
    receiver.script.clear()
    await store.outbox.enable("sender", Act("cli:test", "webhook.enable"))
    await until(delivered(store, "sender", 2))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_private_address_is_refused_before_anything_is_sent(store, deliver, receiver, host):
    await a_campaign(store)
    await deliver(private=False, sender=receiver.url("/hook", host))
    await until(tried(store, "sender"))
    row = (await log_of(store, "sender"))[0]
    assert row.last_status is None
    assert "allow" in row.last_error
    assert not receiver.got


async def test_a_stranger_with_a_wrong_certificate_is_told_nothing(store, deliver, certificates):
    await a_campaign(store)
    async with Receiver(SECRET, certificates.server("stranger")).running() as stranger:
        await deliver(sender=stranger.url("/hook"))
        await until(tried(store, "sender"))
        assert (await log_of(store, "sender"))[0].last_error.startswith("TLS: ")
        assert not stranger.got


async def test_a_decision_is_at_the_sending_gate_with_the_next_look(store):
    (mailbox, other) = await filled(store, 2)
    await a_campaign(store, mailbox)
    gate = SendingGate(store.sending, WallClock(), CampaignPolicy(), FakeLog())
    await gate.follow()
    assert gate.answer(mailbox).reason == "pending"
    now = WallClock().now()
    await store.change(mailbox, lambda standing: acts.disconnect(standing, now, "cli:test"), Act("cli:test", "mailbox.disconnect"))
    await gate.follow()
    assert gate.answer("USER0@example.org").reason == "inactive"
    assert gate.answer(other).reason == "pending"
    await store.remove(other, Act("cli:test", "mailbox.remove"))
    await gate.follow()
    assert gate.answer(other).reason == gate.answer("user1@example.org").reason == "unknown_mailbox"
    assert FOLLOW_SECONDS <= 0.5  # a look each quarter of a second: within a second of the decision, whoever made it


async def test_the_gate_knows_of_a_campaign_that_another_process_pauses(store):
    (mailbox,) = await filled(store, 1)
    now = WallClock().now()
    await a_campaign(store, mailbox)
    with sqlite3.connect(store._address.path) as connection:
        connection.execute("UPDATE standings SET state = 'connected', since_at = ?", (int(now.timestamp() * 1e6),))
    connection.close()
    gate = SendingGate(store.sending, WallClock(), CampaignPolicy(), FakeLog())
    running = asyncio.create_task(gate.run())

    async def loaded():
        return gate.answer(mailbox, "autumn").allowed

    async def paused():
        return gate.answer(mailbox, "autumn").reason == "campaign_paused"

    await until(loaded)
    await store.campaigns.pause("autumn", "by hand", BY)
    await until(paused)
    assert gate.answer(mailbox).allowed
    await store.campaigns.resume("autumn", BY)
    await until(loaded)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class Killed:
    """A `sender_node` process, and what it said."""

    def __init__(self, *arguments):
        self._arguments = [sys.executable, str(NODE), *map(str, arguments)]
        self.said = []

    async def run(self, seconds=None):
        """Run it to its end, or kill it *seconds* after its first word; its exit code."""
        process = await asyncio.create_subprocess_exec(*self._arguments, stdout=asyncio.subprocess.PIPE)
        try:
            if seconds is not None:
                self.said.append((await process.stdout.readline()).decode())
                await asyncio.sleep(seconds)
                process.send_signal(signal.SIGKILL)
            output = (await process.stdout.read()).decode()
            self.said += output[: output.rfind("\n") + 1].splitlines()  # without a word the kill cut off
            return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest.mark.slow
async def test_killed_twenty_times_between_pause_and_webhook_it_loses_neither(tmp_path, store, keyring, certificates, receiver):
    await a_campaign(store)
    rng = random.Random(4)

    async def moody(_request):
        await asyncio.sleep(rng.uniform(0, 0.05))  # so that kills hit tries under way
        return web.Response(status=rng.choice([200, 200, 200, 500]))

    receiver.script["/hook"] = moody
    database = tmp_path / "mailwatch.db"
    arguments = (database, keyring, certificates.ca_file, receiver.url("/hook"), SECRET)
    acknowledged = set()
    for _ in range(CYCLES):
        node = Killed(*arguments)
        assert await node.run(rng.uniform(0.1, 1.0)) == -signal.SIGKILL
        acknowledged |= {int(line.split()[1]) for line in node.said}
    receiver.script.clear()
    # what a 500 put off by minutes is made due, as if they had passed
    with sqlite3.connect(database, timeout=60) as connection:
        connection.execute("UPDATE deliveries SET due_at = 0 WHERE state = 'pending'")
    connection.close()
    async with asyncio.timeout(300):
        assert await Killed(*arguments, "--drain").run() == 0

    events = await store.outbox.events(0, 100_000)
    assert len(acknowledged) > CYCLES, "hardly anything happened: the test shows nothing"
    turns = [event.type for event in events if event.type in ("campaign.paused", "campaign.resumed")]
    assert all(one != other for one, other in itertools.pairwise(turns))
    assert len(turns) >= max(acknowledged) - 1, "each turn is a version of the campaign; an acknowledged one has no event"
    bodies = defaultdict(set)
    for number, body in receiver.got["/hook"]:
        bodies[number].add(body)
    assert set(bodies) == {event.webhook_id for event in events}
    assert all(len(some) == 1 for some in bodies.values()), "one id, two contents"
    assert {row.state for row in await log_of(store, "test")} == {"delivered"}
    assert await store.outbox.pending() == 0
