"""Serves the application with uvicorn inside the daemon's event loop; signals stay the daemon's own."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from mailwatch.ports import MailwatchError
from mailwatch.web.web_config import WebConfigFile

#: Connections that wait to be taken; the kernel's own limit may be lower.
_BACKLOG: Final = 128
#: Connections and requests at once; more are told to come later (503).
_MOST_AT_ONCE: Final = 1000
#: How long a new connection may take to send the head of its first request.
HEAD_SECONDS: Final = 10.0


class AddressInUseError(MailwatchError):
    """Another process listens there; that passes, as when it is the one before this that ends."""

    exit_code = 75  #: EX_TEMPFAIL of sysexits.h: started again


class _QuietServer(uvicorn.Server):
    """uvicorn without signal handlers: SIGTERM, SIGINT and SIGHUP belong to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _PatientProtocol(H11Protocol):
    """HTTP/1.1 that waits for a request's head no longer than HEAD_SECONDS: who opens a connection must say what for.

    The same holds for each further request on the connection, once it has begun: its parent waits for ever then.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent has it
        super().connection_made(transport)
        self._be_patient()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waits():
            self._be_patient()
        else:
            self._lose_patience()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose_patience()
        super().connection_lost(exc)

    def _waits(self) -> bool:
        """Whether no request is being answered."""
        cycle: Any = self.cycle  # None before the first, whatever its parent declares
        return cycle is None or bool(cycle.response_complete)

    def _be_patient(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(HEAD_SECONDS, self._no_request)

    def _lose_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _no_request(self) -> None:
        self._patience = None
        if self._waits() and not self.transport.is_closing():
            self.transport.close()


def listen(address: str) -> socket.socket:
    """A listening socket for `host:port`; raises MailwatchError naming the cure."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not host:
        raise MailwatchError(f"[web] listen = {address!r}: a host and a port are needed, such as 127.0.0.1:9725")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named, for asyncio turns Nagle's algorithm off only then: with it each answer may wait 40 ms for an ACK
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
        kind = AddressInUseError if error.errno == errno.EADDRINUSE else MailwatchError
        raise kind(f"[web] listen = {address!r}: {error.strerror}; {cure}") from error
    return listener


class WebServer:
    """Runs until `stop`.  Speaks TLS where *web_config* has a certificate for it."""

    def __init__(self, app: Starlette, listener: socket.socket, *, web_config: WebConfigFile | None = None) -> None:
        context = None if web_config is None else web_config.context()
        config = uvicorn.Config(
            app,
            http=_PatientProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,  # `security` believes the proxies of the configuration, and no others
            server_header=False,
            limit_concurrency=_MOST_AT_ONCE,
            timeout_graceful_shutdown=3,
            ssl_context_factory=None if context is None else lambda _config, _default: context,
        )
        self._scheme = "http" if context is None else "https"
        self._state: Any = app.state
        self._server = _QuietServer(config)
        self._listener = listener
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port, *_ = self._listener.getsockname()
        return f"{self._scheme}://[{host}]:{port}" if ":" in host else f"{self._scheme}://{host}:{port}"

    def start(self) -> None:
        """Serve in the running loop."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listener]), name="web")

    async def stop(self) -> None:
        """Close gracefully, within a few seconds: event streams end first, since nobody else would end them."""
        if (close_streams := getattr(self._state, "close_streams", None)) is not None:
            close_streams()
        self._server.should_exit = True
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=5)
        self._listener.close()
