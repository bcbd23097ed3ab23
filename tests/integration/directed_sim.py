"""The simulated providers, directed while they run: each line of standard input is a list of steps, carried out from then on."""

import asyncio
import sys

from mailwatch.sim.__main__ import main
from mailwatch.sim.script import Script
from mailwatch.sim.world import World

_play = World.play


async def _directed(world, script):
    """Carry out the script that it was started with, and beside it what it is told."""
    told = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    async with asyncio.TaskGroup() as playing:
        playing.create_task(_play(world, script))
        while line := await told.readline():
            playing.create_task(_play(world, Script.from_json(line.decode())))


if __name__ == "__main__":
    World.play = _directed
    sys.exit(main())
