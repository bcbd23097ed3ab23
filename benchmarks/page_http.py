"""What a view of the page costs over HTTP: sign-in, queries, template and transfer, against a whole fleet.

    python benchmarks/page_http.py [--mailboxes 100000] [--rounds 15] [--database FILE]

Prints, for each view, the median and the slowest of wall milliseconds as a client on the same machine sees them, and its size.
The client runs in the same process.  With --database the filled SQLite file is kept, and used again by the next run.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import func, select

from mailwatch.core.secret import Secret
from mailwatch.desk.accounts import Accounts
from mailwatch.desk.acts import Desk
from mailwatch.desk.bulk import Bulk
from mailwatch.desk.sending import SendingGate
from mailwatch.ports import Act
from mailwatch.ports.people import Role
from mailwatch.store import KeyRing, SqlStore, Vault, migrate
from mailwatch.store.address import parse_address
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.findings import SqlFindings
from mailwatch.store.jobs import SqlJobs
from mailwatch.store.pages import SqlPages
from mailwatch.store.people import SqlPeople
from mailwatch.store.schema import mailboxes
from mailwatch.web.app import make_app
from mailwatch.web.server import WebServer, listen
from mailwatch.web.surface import Probing, Surface, WebSettings
from pages import CAMPAIGNS, WallClock, fill

BY = Act("benchmark", "user.add")


class NoLog:
    """Nobody reads it."""

    def info(self, event: str, **fields: Any) -> None:
        """Dropped."""

    warning = error = info


async def surface_of(store: SqlStore, database: Database) -> Surface:
    """The page's surroundings, as the daemon plugs them together."""
    clock = WallClock()
    pages, jobs, people = SqlPages(database), SqlJobs(database, clock), SqlPeople(database, clock)
    desk = Desk(store, clock)

    async def nothing(_: str = "") -> Any:
        return None

    return Surface(
        probing=Probing(nothing, lambda: None, lambda: {"sentence": "a fleet", "states": {}, "self_connectivity": "up"}, nothing),
        store=store,
        pages=pages,
        campaigns=store.campaigns,
        outbox=store.outbox,
        people=people,
        jobs=jobs,
        desk=desk,
        bulk=Bulk(jobs, desk, pages, clock),
        accounts=Accounts(people, clock),
        consents=None,
        gate=SendingGate(store.sending, clock, store.campaign_policy, NoLog()),
        clock=clock,
        log=NoLog(),
        settings=WebSettings(requests_per_minute=1_000_000),
        findings=SqlFindings(database),
    )


async def views_of(database: Database, client: aiohttp.ClientSession) -> dict[str, str]:
    """The views to measure; one is a page deep in the list."""

    async def some(attempt: Attempt) -> list[str]:
        return list((await attempt.connection.execute(select(mailboxes.c.id).limit(100))).scalars())

    ids = await database.read(some)
    deep = "/mailboxes"
    for _ in range(5):
        async with client.get(deep) as answer:
            deep = (await answer.text()).partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    return {
        "the list": "/mailboxes",
        "the list, sixth page": deep,
        "needs action": "/mailboxes?state=blocked",
        "connected at one provider": "/mailboxes?state=connected&provider=microsoft",
        "one cause": "/mailboxes?cause=mfa_required",
        "part of an address": "/mailboxes?q=customer007",
        "one label": "/mailboxes?label=customer%3Dcustomer007",
        "one campaign of a thousand": f"/mailboxes?campaign=campaign-{CAMPAIGNS // 2:04}",
        "a campaign of all": "/mailboxes?campaign=everybody",
        "100 rows anew, for a live page": "/mailboxes/rows?" + "&".join(f"id={one}" for one in ids),
        "one mailbox": f"/mailboxes/{ids[0]}",
        "incidents": "/incidents",
        "campaigns": "/campaigns",
        "findings": "/findings",
        "audit": "/audit",
    }


async def run(file: Path, total: int, rounds: int) -> None:
    url = f"sqlite:///{file}"
    await migrate(url)
    database = Database(parse_address(url))

    async def how_many(attempt: Attempt) -> int:
        return int((await attempt.connection.execute(select(func.count()).select_from(mailboxes))).scalar_one())

    if not await database.read(how_many):
        await fill(database, total)
    # the keys are another database's if it was filled before, and nobody needs them here: the store is not opened
    store = SqlStore(url, Vault(KeyRing.generate()), WallClock(), node="benchmark")
    surface = await surface_of(store, database)
    name = f"reader-{random.getrandbits(48):x}"  # another at each run on the same file
    await surface.accounts.add_user(name, Secret("a long enough password"), Role.ADMIN, BY)
    cookie, _ = await surface.accounts.sign_in(name, Secret("a long enough password"))
    server = WebServer(make_app(surface), listen("127.0.0.1:0"))
    server.start()
    async with aiohttp.ClientSession(server.url, cookies={"mailwatch": cookie}) as client:
        for title, path in (await views_of(database, client)).items():
            walls, size = [], 0
            for _ in range(rounds):
                began = time.perf_counter()
                async with client.get(path) as answer:
                    size = len(await answer.read())
                    assert answer.status == 200, (path, answer.status)
                walls.append((time.perf_counter() - began) * 1000)
            print(f"{title:<34} {statistics.median(walls):8.1f} ms median {max(walls):8.1f} ms slowest {size / 1024:8.0f} KiB")
    await server.stop()
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mailboxes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--database", type=Path)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(wanted.database or Path(folder) / "mailwatch.db", wanted.mailboxes, wanted.rounds))


if __name__ == "__main__":
    main()
