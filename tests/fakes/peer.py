"""A scripted server: a listener on loopback, and what a script does with one connection."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's end of one connection; with *sliced* every byte goes out in a segment of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: "ScriptedServer") -> None:
        self.reader, self.writer, self.server = reader, writer, server

    async def line(self) -> bytes:
        """The next line of the client, without its end; empty at the end of the connection."""
        line = await self.reader.readline()
        self.server.heard.append(line)
        return line.rstrip(b"\r\n")

    async def say(self, text: bytes) -> None:
        if not self.server.sliced:
            self.writer.write(text)
            await self.writer.drain()
            return
        for index in range(len(text)):
            self.writer.write(text[index : index + 1])
            await self.writer.drain()
            await asyncio.sleep(0)

    def reset(self) -> None:
        """RST: the connection is gone in mid-air."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def secure(self, context: ssl.SSLContext) -> None:
        """The server's half of STARTTLS."""
        await self.writer.start_tls(context)


class ScriptedServer:
    """Listens on a free port; each connection runs *script*."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, sliced: bool = False) -> None:
        self._script, self._tls, self.sliced = script, tls, sliced
        self.heard: list[bytes] = []
        self.connections = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._script(Peer(reader, writer, self))
        except (OSError, EOFError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["ScriptedServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            await asyncio.sleep(0)
