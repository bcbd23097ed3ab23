"""The exporter-toolkit's file while mailwatch runs: looked at for each request and each handshake, as exporters do it.

A file that cannot be honoured any more changes nothing: what was in force stays so, and the log says why.  Whether HTTP speaks
TLS at all is settled at the start.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailwatch.ports import EventLog
from mailwatch.web.basic_auth import BasicAuth
from mailwatch.web.exporter_config import ExporterConfig, TlsServer, WebConfigError, read

#: Paths that exporters have, too.
_OF_EXPORTERS: Final = ("/metrics", "/-/", "/livez", "/readyz")
_OURS: Final = frozenset({"content-security-policy", "x-content-type-options", "x-frame-options"})

Mark = tuple[tuple[int, int, int] | None, ...]


class WebConfigFile:
    """The file at *path*.  Reading it now raises WebConfigError; reading it anew later raises nothing."""

    def __init__(self, path: Path, log: EventLog) -> None:
        self.path = path
        self._log = log
        self._mark: Mark = ()
        self._judging = asyncio.Lock()
        self._config, self._auth, self._context = self._read()
        self._mark = self._marks()
        self.has_tls = self._config.tls is not None

    @property
    def names_users(self) -> bool:
        """Whether metrics are for the file's users alone, and for whom mailwatch itself knows."""
        self._refresh()
        return self._auth is not None

    @property
    def headers(self) -> Mapping[str, str]:
        """What it adds to answers; names in lower case."""
        self._refresh()
        return self._config.headers

    async def admits(self, header: str | None) -> bool:
        """Whether an Authorization *header* is of one of its users."""
        auth = self._auth
        if auth is None:
            return False
        known = auth.remembered(header)
        if known is not None:
            return known
        async with self._judging:  # a hash costs a tenth of a second of a processor: one at a time, whoever asks
            return await asyncio.to_thread(auth.allows, header)

    def context(self) -> ssl.SSLContext | None:
        """What to give a TLS server: each handshake is made by the file as it is then."""
        return _Fresh.of(self) if self.has_tls else None

    def current_context(self) -> ssl.SSLContext:
        """What the next handshake is made with."""
        self._refresh()
        assert self._context is not None
        return self._context

    def _refresh(self) -> None:
        mark = self._marks()
        if mark == self._mark:
            return
        self._mark = mark  # told once, not for each request
        try:
            config, auth, context = self._read()
        except WebConfigError as error:
            self._log.error("web_config.not_reloaded", error=str(error))
            return
        if (config.tls is not None) != self.has_tls:
            self._log.error("web_config.not_reloaded", error=f"{self.path}: tls_server_config came or went; that needs a restart")
            return
        self._config, self._auth, self._context = config, auth, context
        self._mark = self._marks()  # other certificates may be named now
        self._log.info("web_config.reloaded", path=str(self.path))

    def _read(self) -> tuple[ExporterConfig, BasicAuth | None, ssl.SSLContext | None]:
        config = read(self.path)
        return config, BasicAuth(config.users) if config.users else None, None if config.tls is None else config.tls.context()

    def _marks(self) -> Mark:
        return tuple(_mark(path) for path in (self.path, *_files(self._config.tls)))


class FileHeaders:
    """ASGI middleware: the file's headers on each answer that has none of that name of its own.

    What guards the pages (`_OURS`) the file decides for metrics and health alone: it is written for exporters, and a policy that
    suits them would take the pages' scripts from them, or their guard.
    """

    def __init__(self, app: ASGIApp, *, file: WebConfigFile) -> None:
        self._app = app
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ours = frozenset() if scope["path"].startswith(_OF_EXPORTERS) else _OURS
        added = [(name, value) for name, value in self._file.headers.items() if name not in ours]

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in added:
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sent)


class _Fresh(ssl.SSLContext):
    """A context that lets the file's own of the moment make each connection: asyncio and uvloop ask for no more than this."""

    _file: WebConfigFile

    @classmethod
    def of(cls, file: WebConfigFile) -> "_Fresh":
        """One that follows *file*."""
        context = cls(ssl.PROTOCOL_TLS_SERVER)
        context._file = file
        return context

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """As ssl.SSLContext.wrap_bio."""
        return self._file.current_context().wrap_bio(*arguments, **options)


def _files(tls: TlsServer | None) -> Sequence[Path]:
    if tls is None:
        return ()
    return (tls.cert_file, tls.key_file, *((tls.client_ca_file,) if tls.client_ca_file else ()))


def _mark(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file's content; a link is followed, as secrets are often mounted by one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
