"""Idempotency-Key on every POST of the API: a request that is sent again is done once, and gets the first one's answer.

As draft-ietf-httpapi-idempotency-key-header-07 has it: 409 while the first is under way, 422 for another request under the same
key.  Keys are the caller's own, and kept for a day.  An answer that holds a secret (a new token) is not kept.
"""

import hashlib
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailwatch.desk.passwords import hashed
from mailwatch.ports.people import People, Remembered
from mailwatch.web.auth import Caller, caller_of, surface_of
from mailwatch.web.limits import BODY
from mailwatch.web.problems import MEDIA_TYPE, Problem

_LONGEST_KEY: Final = 255
_REFUSED: Final = 400  # from here on
_SERVER_ERROR: Final = 500
#: Nothing was done, and the request may become right or be allowed: its key stays free.
_NOT_KEPT: Final = frozenset({400, 401, 403, 408, 413, 415, 422, 429})
#: Marks, in the scope, an answer that holds a secret.
SECRET_ANSWER: Final = "mailwatch.secret_answer"


def holds_secret(request: Request) -> None:
    """Say that the answer to *request* shows a secret, once and never again."""
    request.scope[SECRET_ANSWER][0] = True


class Once:
    """ASGI middleware around the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer what was answered before."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, SECRET_ANSWER: [False]}
        key = Headers(scope=scope).get("idempotency-key") if scope["method"] == "POST" and "/api/" in scope["path"] else None
        request = Request(scope)
        caller = await caller_of(request) if key is not None else None
        if key is None or caller is None:  # without a caller the route will refuse it
            await self._app(scope, receive, send)
            return
        problem = await self._serve(request, _scoped(caller, key), receive, send)
        if problem is not None:
            await problem.response(scope["path"])(scope, receive, send)

    async def _serve(self, request: Request, key: str | None, receive: Receive, send: Send) -> Problem | None:
        if key is None:
            return Problem("malformed", f"an Idempotency-Key has 1 to {_LONGEST_KEY} characters")
        surface = surface_of(request)
        asked = _request_hash(request)
        before = await surface.people.begin_once(key, asked, surface.clock.now())
        if before is None:
            await self._first(request, surface.people, key, asked, receive, send)
            return None
        if before.request_hash != asked:
            return Problem("key_reused")
        if before.status is None:
            return Problem("in_progress", headers={"retry-after": "1"})
        answer = Response(before.body, before.status, {"idempotent-replayed": "true"}, before.content_type or None)
        await answer(request.scope, receive, send)
        return None

    async def _first(self, request: Request, people: People, key: str, asked: str, receive: Receive, send: Send) -> None:
        """Do it, and remember the answer before the client has it; the key is free again when mailwatch failed."""
        kept = _Kept()
        try:
            await self._app(request.scope, receive, kept)
            answer = kept.remembered(asked)
            if request.scope[SECRET_ANSWER][0] and answer.status is not None and answer.status < _REFUSED:
                body = bytes(Problem("answer_not_kept").response(request.url.path).body)
                answer = Remembered(asked, 409, body, MEDIA_TYPE)
        except BaseException:
            await people.abandon_once(key)
            raise
        if answer.status is None or answer.status >= _SERVER_ERROR or answer.status in _NOT_KEPT:
            await people.abandon_once(key)
        else:
            await people.finish_once(key, answer)
        for message in kept.messages:
            await send(message)


def _scoped(caller: Caller, key: str) -> str | None:
    """The caller's own key as it is kept: hashed, for it may be made of an address, which must not outlive its mailbox.

    With the role: whoever has a smaller one by now, or only the name of a former token, is not shown what it would be refused.
    """
    return hashed(f"{caller.actor}:{caller.role}:{key}") if 0 < len(key) <= _LONGEST_KEY else None


def _request_hash(request: Request) -> str:
    text = f"{request.method}\n{request.url.path}\n{request.url.query}\n".encode()
    return hashlib.sha256(text + request.scope.get(BODY, b"")).hexdigest()


class _Kept:
    """Holds an answer back until it is remembered."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    def remembered(self, asked: str) -> Remembered:
        """The answer as it is kept; without status when there was none."""
        start = next((message for message in self.messages if message["type"] == "http.response.start"), None)
        body = b"".join(message.get("body", b"") for message in self.messages if message["type"] == "http.response.body")
        if start is None:
            return Remembered(asked, None, b"", "")
        content_type = Headers(raw=start["headers"]).get("content-type", "")
        return Remembered(asked, start["status"], body, content_type)
