"""How long the text of /metrics/mailboxes takes to format for 100,000 mailboxes, and how long the event loop waits meanwhile."""

import asyncio
import random
import time
from datetime import UTC, datetime

from mailwatch.core.causes import WIRE_CAUSES
from mailwatch.core.lifecycle import State
from mailwatch.telemetry.mailbox_text import MailboxRow, Wanted, mailbox_text

MAILBOXES = 100_000


def rows() -> list[MailboxRow]:
    rng = random.Random(1)
    now, causes = datetime.now(UTC), sorted(WIRE_CAUSES)
    return [
        MailboxRow(f"mb_{rng.getrandbits(64):016x}", "google", rng.choice(list(State)), now, rng.choice(causes), now)
        for _ in range(MAILBOXES)
    ]


async def main() -> None:
    made = rows()
    everything = Wanted(frozenset(State))
    for what, wanted in (("all", everything), ("unhealthy", Wanted())):
        task = asyncio.create_task(asyncio.to_thread(mailbox_text, made, wanted))
        began = last = time.perf_counter()
        longest = 0.0
        while not task.done():
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        seconds = time.perf_counter() - began
        size = len(task.result()) / 1e6
        print(f"{what:>9} of {MAILBOXES:,}: {seconds:.2f} s, {size:.1f} MB; the loop waited {longest * 1000:.0f} ms at most")


asyncio.run(main())
