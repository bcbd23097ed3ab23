"""Group commit: what waiting for it, and giving up waiting, means."""

import asyncio

import pytest

from mailwatch.store.group import GroupCommit

pytestmark = pytest.mark.usefixtures("no_task_left_behind")


async def test_who_waits_for_the_end_may_give_up_and_the_writing_goes_on():
    go = asyncio.Event()

    async def write(group):
        await go.wait()
        return ["stored"] * len(group)

    group = GroupCommit(write)
    result = asyncio.ensure_future(group.put("claim", "decision"))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(group.close())
    await asyncio.sleep(0)
    closing.cancel()
    done, _ = await asyncio.wait({closing}, timeout=60)
    assert done
    assert closing.cancelled()
    go.set()
    assert await result == "stored"
    await group.close()
