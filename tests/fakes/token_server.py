"""A token endpoint over real sockets: answers in turn from a script, remembers what it was asked."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

from fakes.peer import Peer, ScriptedServer


def answer(status: int, body: bytes | dict[str, Any], **headers: str) -> bytes:
    """An HTTP/1.1 response."""
    raw = json.dumps(body).encode() if isinstance(body, dict) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(raw)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


class TokenServer:
    """Answers each POST with the next of *answers* (the last one for ever); an answer may be an act of `fakes.dialogues`."""

    def __init__(self, *answers: Any, delay_seconds: float = 0.0, tls: ssl.SSLContext | None = None) -> None:
        self.answers, self.forms, self._delay = list(answers), [], delay_seconds
        self.forms: list[dict[str, str]]
        self._server = ScriptedServer(self._serve, tls=tls)
        self._scheme = "http" if tls is None else "https"

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.port}/token"

    async def _serve(self, peer: Peer) -> None:
        length = 0
        while line := await peer.line():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        form = parse_qs((await peer.reader.readexactly(length)).decode())
        self.forms.append({name: values[0] for name, values in form.items()})
        await asyncio.sleep(self._delay)
        reply = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(reply):
            await reply(peer)
        else:
            await peer.say(reply)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["TokenServer"]:
        async with self._server.running():
            yield self
