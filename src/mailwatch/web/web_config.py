"""The exporter-toolkit's file while mailwatch runs: looked at for each request and each handshake, as exporters do it.

A file that cannot be honoured any more changes nothing: what was in force stays so, and the log says why.  Whether HTTP speaks
TLS at all is settled at the start.
"""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mailwatch.ports import EventLog
from mailwatch.web.basic_auth import BasicAuth
from mailwatch.web.exporter_config import ExporterConfig, TlsServer, WebConfigError, read

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
