"""Sockets that close nobody else's descriptor.

An event loop that is given a socket owns its descriptor from then on.  uvloop 0.23 closes it without telling the socket when the
first write of a TLS handshake fails, because the peer has already reset the connection: the socket still knows the number, the
system gives that number to the next connection, and the socket closes that one when it is thrown away.  The stranger's transport
then stays registered for a number that goes on to be used by others ("File descriptor … is used by transport …"), bytes may reach
the wrong peer, and libuv may abort the process.  (Of the same kind, and mended in 0.23: uvloop's issues 645 and 738.)
"""

import os
import socket
from typing import Any


class OwnSocket(socket.socket):
    """A socket that lets its descriptor go, instead of closing it, once the number stands for something else."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As `socket.socket`; raises OSError."""
        super().__init__(*arguments, **named)
        self._made = _identity(self.fileno())

    def close(self) -> None:
        """As `socket.socket.close`, unless somebody else has closed the descriptor."""
        self._let_go_of_strangers()
        super().close()

    def __del__(self) -> None:
        self._let_go_of_strangers()
        super().__del__()  # type: ignore[misc]  # closes and warns as every socket does; typeshed does not know of it

    def _let_go_of_strangers(self) -> None:
        number = self.fileno()
        if number >= 0 and _identity(number) != self._made:
            self.detach()


def _identity(number: int) -> tuple[int, int] | None:
    """What is behind a descriptor: each socket has an inode of its own.  None when it is closed."""
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino
