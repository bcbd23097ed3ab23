"""A router that forgets connections nobody has spoken on for a while, as NATs do: it passes nothing on any more, and says nothing."""

import asyncio
import threading
from typing import Self


class ForgetfulRouter:
    """Listens on loopback in front of *target*, a port, in a thread of its own; forgets what was silent for *idle_seconds*."""

    def __init__(self, target: int, idle_seconds: float) -> None:
        self._target, self._idle_seconds = target, idle_seconds
        self.port = 0
        self.connections = self.forgotten = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="forgetful router")
        self._loop: asyncio.AbstractEventLoop
        self._ending: asyncio.Event
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ending.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        back, upstream = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            async with asyncio.TaskGroup() as pumps:
                alive = asyncio.Event()
                both = [
                    pumps.create_task(self._pump(reader, upstream, alive)),
                    pumps.create_task(self._pump(back, writer, alive)),
                ]
                while not any(pump.done() for pump in both):
                    alive.clear()
                    try:
                        await asyncio.wait_for(alive.wait(), self._idle_seconds)
                    except TimeoutError:
                        self.forgotten += 1
                        break
                for pump in both:
                    pump.cancel()
            if not any(pump.done() and not pump.cancelled() for pump in both):
                await self._ending.wait()  # both ends believe that the connection stands
        except* OSError:
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
            upstream.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, alive: asyncio.Event) -> None:
        while piece := await reader.read(65536):
            alive.set()
            writer.write(piece)
            await writer.drain()
        alive.set()
