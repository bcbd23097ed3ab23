"""A reverse proxy that speaks TLS, as stands in front of daemons: a real one, in a thread of its own."""

import asyncio
import ssl
import threading
from pathlib import Path
from typing import Self

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web
from yarl import URL

from servers.authority import Authority
from servers.process import free_port

#: RFC 9110, 7.6.1: what concerns one connection and not the message.
_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}


#: For what is in the middle of a handshake, or of an end, when the proxy ends.
_LAST_SECONDS = 0.25


class TlsProxy:
    """Listens on loopback and passes everything on to *target* (`http://host:port`); a context manager.

    *target* may be given later.  It tells the client's address, scheme and host by X-Forwarded-*, after what the client may have written there itself.  *prefix*
    is the path it serves *target* under, and which it takes away if it *strips*.  It connects from *source*, one of loopback's addresses.
    """

    def __init__(
        self,
        root: Path,
        authority: Authority,
        target: str = "",
        *,
        prefix: str = "",
        strips: bool = True,
        source: str = "127.0.0.1",
    ) -> None:
        root.mkdir(exist_ok=True)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(*authority.issue().write(root, "proxy"))
        self.target, self._source = target, source
        self._taken = prefix if strips else ""
        self.port = free_port()
        self.url = f"https://localhost:{self.port}{prefix}"
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="tls proxy")
        self._loop: asyncio.AbstractEventLoop
        self._ending: asyncio.Event
        self._client: ClientSession

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        connector = TCPConnector(local_addr=(self._source, 0), force_close=True)
        async with ClientSession(connector=connector, auto_decompress=False, timeout=ClientTimeout(total=None)) as self._client:
            await web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self._context).start()
            self._ready.set()
            await self._ending.wait()
            left = (
                [] if runner.server is None else [one.transport for one in runner.server.connections if one.transport is not None]
            )
            await runner.cleanup()
            for transport in left:
                transport.abort()  # closed, it would yet wait for the client's own farewell
            await asyncio.sleep(_LAST_SECONDS)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP]
        headers = [(name, value) for name, value in headers if name.lower() not in ("x-forwarded-proto", "x-forwarded-host")]
        headers += [
            ("X-Forwarded-For", request.remote or ""),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", request.headers.get("host", "")),
        ]
        url = URL(self.target + request.raw_path.removeprefix(self._taken), encoded=True)
        body = await request.read()
        asked = self._client.request(request.method, url, headers=headers, data=body or None, allow_redirects=False)
        async with asked as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    response.headers.add(name, value)
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response
