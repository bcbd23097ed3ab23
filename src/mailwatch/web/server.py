"""Serves the application with uvicorn inside the daemon's event loop; signals stay the daemon's own."""

import asyncio
import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from mailwatch.ports import MailwatchError

#: Connections that wait to be taken; the kernel's own limit may be lower.
_BACKLOG = 128


class _QuietServer(uvicorn.Server):
    """uvicorn without signal handlers: SIGTERM, SIGINT and SIGHUP belong to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(address: str) -> socket.socket:
    """A listening socket for `host:port`; raises MailwatchError naming the cure.

    Only loopback addresses: there is no authentication yet, and reachability would be authority.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not _is_loopback(host):
        raise MailwatchError(
            f"[web] listen = {address!r}: only loopback addresses are allowed; put an authenticating proxy in front"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, int(port)))
        listener.listen(_BACKLOG)  # now: before that, another process could bind the same port
    except (ValueError, OverflowError) as error:
        listener.close()
        raise MailwatchError(f"[web] listen = {address!r}: the port must be a number up to 65535, such as 9725") from error
    except OSError as error:
        listener.close()
        cure = {
            errno.EADDRINUSE: "is another mailwatch running?",
            errno.EACCES: "only root may take a port below 1024; choose another, such as 9725",
        }.get(error.errno or 0, "choose an address of this machine, such as 127.0.0.1:9725")
        raise MailwatchError(f"[web] listen = {address!r}: {error.strerror}; {cure}") from error
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class WebServer:
    """Runs until `stop`."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=3, server_header=False
        )
        self._server = _QuietServer(config)
        self._listener = listener
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port, *_ = self._listener.getsockname()
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Serve in the running loop."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listener]), name="web")

    async def stop(self) -> None:
        """Close gracefully, within a few seconds."""
        self._server.should_exit = True
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=5)
        self._listener.close()
