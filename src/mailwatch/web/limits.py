"""Limits of what one caller may cost: requests a minute, the size of a body, and how long it takes to arrive.

Rates are kept as GCRA (a virtual-scheduling leaky bucket): one number for each caller, no window that resets for all at once.
"""

import asyncio
import re
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailwatch.desk.attempts import Rate
from mailwatch.ports import Clock
from mailwatch.web.auth import burst_of, caller_of, origin_of, path_of, purse_of, too_many
from mailwatch.web.problems import Problem
from mailwatch.web.security import ALWAYS_OPEN

BODY: Final = "mailwatch.body"
#: The gate's own path, and none that merely ends like it: what is not counted must be answered from memory.
_GATE: Final = re.compile(r"/api/v1/mailboxes/[^/]+/sending")


class Throttle:
    """ASGI middleware: so many requests a minute for each caller, by address where nobody is signed in.

    The sending gate answers from memory and is asked before every message: a signed-in caller's questions to it do not count.
    """

    def __init__(self, app: ASGIApp, *, requests_per_minute: int, clock: Clock) -> None:
        self._app = app
        self._rate = Rate(requests_per_minute, burst=burst_of(requests_per_minute), clock=clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it with the time to wait."""
        if scope["type"] == "http" and scope["path"] not in ALWAYS_OPEN:
            try:
                await self._count(Request(scope))
            except Problem as problem:
                await problem.response(scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _count(self, request: Request) -> None:
        """Raises Problem when it is one too many."""
        caller = await caller_of(request)
        if caller is not None and _asks_the_gate(request.scope):
            return
        who = caller.actor if caller is not None else f"address:{origin_of(request)}"
        wait = self._rate.take(purse_of(request.scope, who))
        if wait > 0:
            raise too_many(wait)


def _asks_the_gate(scope: Scope) -> bool:
    return scope["method"] == "GET" and _GATE.fullmatch(path_of(scope)) is not None


class BodyLimit:
    """ASGI middleware: reads the whole body before anything is done with it, within its limits of size and time.

    What follows finds it as `scope[BODY]`.  A body for the API is JSON, or there is none.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int, seconds: float) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._read(headers, receive)
        except TimeoutError:
            await _refuse(Problem("too_slow"), scope, receive, send)
        except Problem as problem:
            await _refuse(problem, scope, receive, send)
        else:
            if body and "/api/" in scope["path"] and _media_type(headers) != "application/json":
                await _refuse(Problem("media_type"), scope, receive, send)
            elif body is not None:
                await self._app({**scope, BODY: body}, _Replay(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """The body; None when the client went away meanwhile."""
        declared = headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > self._most_bytes:
            raise self._too_large()
        if declared == "0" and "transfer-encoding" not in headers:
            return b""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self._most_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return bytes(body)

    def _too_large(self) -> Problem:
        return Problem("too_large", f"a body may have {self._most_bytes} bytes")


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer and close: the rest of the body is not waited for."""
    problem.headers = {**(problem.headers or {}), "connection": "close"}
    await problem.response(scope["path"])(scope, receive, send)


class _Replay:
    """Gives the body that was read, then what the server has to say (that the client is gone)."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()
