"""A listener on 127.0.0.1 for the browser's way back from the provider (RFC 8252, 7.3), for as long as one sign-in takes.

It answers only requests that carry the answer of a provider; whose answer it is, the state in it tells.  Where the browser runs on
another machine, the address at which it ends can be pasted into the terminal instead.
"""

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

_MAX_LINE: Final = 16_384
_MAX_HEADERS: Final = 100
_HEAD: Final = (
    "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
)
_BACK: Final = (
    "<!doctype html><html lang=en><title>mailwatch</title><p>mailwatch has the provider's answer; the terminal tells what became "
    "of it. You may close this window.</p></html>"
)
_NOTHING: Final = "<!doctype html><html lang=en><title>mailwatch</title><p>There is nothing here.</p></html>"


@dataclass(frozen=True, slots=True)
class Return:
    """What the provider sent the browser back with (RFC 6749, 4.1.2)."""

    state: str
    code: str | None
    error: str | None
    description: str | None


def read_return(target: str) -> Return | None:
    """The provider's answer in a URL or request target; None when there is none in it."""
    try:
        fields = {name: values[0] for name, values in parse_qs(urlsplit(target.strip()).query).items()}
    except ValueError:
        return None
    if "state" not in fields or not ("code" in fields or "error" in fields):
        return None
    return Return(fields["state"], fields.get("code"), fields.get("error"), fields.get("error_description"))


class Loopback:
    """An asynchronous context manager; `url` is the redirect URI, `returns` brings what came back.

    *host* is what the redirect URI calls this machine: Microsoft knows only `localhost`, others `127.0.0.1`.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self._server: asyncio.Server | None = None
        self._pasting = False
        self.returns: asyncio.Queue[Return] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_MAX_LINE)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._pasting:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        if self._server is not None:
            self._server.close()

    @property
    def url(self) -> str:
        """The redirect URI."""
        assert self._server is not None
        return f"http://{self._host}:{self._server.sockets[0].getsockname()[1]}/"

    def read_terminal(self) -> None:
        """Take a pasted address too, line by line, while a terminal is there to paste into."""
        if sys.stdin is not None and sys.stdin.isatty():
            self._pasting = True
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._pasted)

    def _pasted(self) -> None:
        line = os.read(sys.stdin.fileno(), _MAX_LINE).decode("utf-8", "replace")
        if not line:  # end of file: nothing more will come
            self._pasting = False
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            return
        found = read_return(line)
        if found is not None:
            self.returns.put_nowait(found)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.IncompleteReadError):  # ValueError: a line beyond the limit
            request = (await reader.readline()).decode("latin-1").split()
            for _ in range(_MAX_HEADERS):
                if not (await reader.readline()).strip():
                    break
            is_get = len(request) == 3 and request[0] == "GET"  # noqa: PLR2004  # method, target, version
            found = read_return(request[1]) if is_get else None
            page = (_NOTHING if found is None else _BACK).encode()
            status = "404 Not Found" if found is None else "200 OK"
            writer.write(_HEAD.format(status=status, length=len(page)).encode() + page)
            await writer.drain()
            if found is not None:
                self.returns.put_nowait(found)
        writer.close()
