"""A TCP proxy that makes a good connection bad: late, slow, in slivers, cut after so many bytes, or dead."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass
class Faults:
    """What happens to each direction of each connection."""

    latency_seconds: float = 0.0  #: before each piece is passed on
    slice_bytes: int = 65536  #: the largest piece
    bytes_per_second: float = 0.0  #: 0 for no limit
    reset_after_bytes: int | None = None  #: of the server's, then RST
    end_after_bytes: int | None = None  #: of the server's, then FIN
    mute_after_bytes: int | None = None  #: of the server's, then silence


class FaultProxy:
    """Listens on loopback in front of (*host*, *port*); *faults* may be changed while it runs."""

    def __init__(self, port: int, faults: Faults | None = None, host: str = "127.0.0.1") -> None:
        self._target, self.faults, self.port = (host, port), faults or Faults(), 0
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["FaultProxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        upstream: asyncio.StreamWriter | None = None
        try:
            back, upstream = await asyncio.open_connection(*self._target)
            await asyncio.gather(self._pump(reader, upstream, counted=False), self._pump(back, writer, counted=True))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
            if upstream is not None:
                upstream.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool) -> None:
        passed = 0
        while piece := await reader.read(self.faults.slice_bytes):
            await asyncio.sleep(self.faults.latency_seconds)
            if self.faults.bytes_per_second:
                await asyncio.sleep(len(piece) / self.faults.bytes_per_second)
            writer.write(piece)
            await writer.drain()
            passed += len(piece)
            if counted:
                await self._maybe_break(writer, passed)
        writer.close()

    async def _maybe_break(self, writer: asyncio.StreamWriter, passed: int) -> None:
        faults = self.faults
        if faults.mute_after_bytes is not None and passed >= faults.mute_after_bytes:
            await asyncio.sleep(3600)
        if faults.reset_after_bytes is not None and passed >= faults.reset_after_bytes:
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            raise ConnectionResetError
        if faults.end_after_bytes is not None and passed >= faults.end_after_bytes:
            writer.close()
            raise ConnectionAbortedError
