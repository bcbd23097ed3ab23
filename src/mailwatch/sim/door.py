"""A listening port that can be shut and opened again without losing its number.

A second socket, bound to the port but never listening, keeps the port ours while the door is shut: the kernel then answers a
connection with a reset (connection refused), and gives the port to nobody else.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final

_BACKLOG: Final = 4096
Welcome = Callable[[socket.socket], Coroutine[Any, Any, None]]


def _bound(host: str, port: int) -> socket.socket:
    plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    plain.settimeout(0)
    try:
        plain.bind((host, port))
    except OSError:
        plain.close()
        raise
    return plain


class Door:
    """Accepts connections at *host*:*port* (0 = a free one) and gives each to *welcome* in a task of its own."""

    def __init__(self, host: str, port: int, welcome: Welcome) -> None:
        self._claim = _bound(host, port)
        self._welcome = welcome
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._guests: set[asyncio.Task[None]] = set()
        self.host = host
        self.port: int = self._claim.getsockname()[1]

    @property
    def is_open(self) -> bool:
        """Whether connections are accepted."""
        return self._listener is not None

    def open(self) -> None:
        """Begin to accept connections."""
        if self._listener is None:
            self._listener = _bound(self.host, self.port)
            self._listener.listen(_BACKLOG)
            self._accepting = asyncio.get_running_loop().create_task(self._accept(self._listener))

    async def shut(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        accepting, self._accepting = self._accepting, None
        listener, self._listener = self._listener, None
        if accepting is not None:
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
        if listener is not None:
            listener.close()

    async def close(self) -> None:
        """Shut for good, and end every session."""
        await self.shut()
        for guest in self._guests:
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)
        self._claim.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                plain, _ = await loop.sock_accept(listener)
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ECONNABORTED):
                    raise
                await asyncio.sleep(0.1)  # out of descriptors: a busy server would make the client wait, too
                continue
            with contextlib.suppress(OSError):
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            guest = loop.create_task(self._welcome(plain))
            self._guests.add(guest)
            guest.add_done_callback(self._guests.discard)
