"""A process that pauses and resumes a campaign, delivers what follows to a webhook, and is killed by the test that started it.

    python sender_node.py DATABASE KEYRING CA URL SECRET [--drain]

Each act is told on stdout once it is stored.  With --drain nothing more happens, and it ends when all is delivered.
"""

import asyncio
import random
import sys
from pathlib import Path

from mailwatch.cli.opening import WallClock
from mailwatch.core.secret import Secret
from mailwatch.core.webhooks import Endpoint
from mailwatch.delivery.deliverer import Deliverer
from mailwatch.ports import Act
from mailwatch.probe import Dialer, EgressPolicy, Resolver, make_ssl_context
from mailwatch.probe.http import JudgedHttp
from mailwatch.store import KeyRing, SqlStore, Vault
from mailwatch.telemetry import logs
from mailwatch.telemetry.metrics import Metrics

CAMPAIGN = "autumn"


async def pause_and_resume(store, rng):
    """Until killed: an act, stored; then a word of it."""
    acts = (
        ("pause", lambda: store.campaigns.pause(CAMPAIGN, "the test says so", Act("cli:test", "campaign.pause"))),
        ("resume", lambda: store.campaigns.resume(CAMPAIGN, Act("cli:test", "campaign.resume"))),
    )
    while True:
        for name, act in acts:
            view = await act()
            print(f"{name} {view.campaign.version}", flush=True)
            await asyncio.sleep(rng.uniform(0, 0.05))


async def drained(store):
    while await store.outbox.pending():
        await asyncio.sleep(0.1)


async def main(database, keyring, ca_file, url, secret, *flags):
    logs.configure("warning", "json")
    clock, rng = WallClock(), random.Random()
    store = SqlStore(f"sqlite:///{database}", Vault(KeyRing.read(Path(keyring).read_text())), clock, node="sender")
    await store.open()
    policy = EgressPolicy(allow_private_hosts=True, allowed_ports=None)
    http = JudgedHttp(Dialer(Resolver(None), policy, make_ssl_context(ca_file)))
    endpoint = Endpoint("test", url, (Secret(secret),))
    metrics = Metrics((), "test")
    drains = "--drain" in flags
    # what gets no answer in time is tried again minutes later: at the end there is no time for that
    deliverer = Deliverer(
        *(store.outbox, http, {"test": endpoint}, clock, rng, logs.get("test"), metrics),
        timeout_seconds=60.0 if drains else 1.0,
        lease_seconds=80.0 if drains else 8.0,
    )
    running = asyncio.create_task(deliverer.run())
    await (drained(store) if drains else pause_and_resume(store, rng))
    await deliverer.stop(5)
    await running
    await http.close()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
