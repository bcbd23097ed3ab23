"""GET /api/v1/events: what happens, as server-sent events; a reader that comes back gets what it missed."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from mailwatch.ports.delivery import Event
from mailwatch.web.auth import TOKEN_SECONDS, Reader, is_still_known, surface_of
from mailwatch.web.feed import Batch, Feed, TooManyReadersError
from mailwatch.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["events"])

_RETRY_MILLISECONDS: Final = 3000
_MOST: Final = 2**53


@router.get(
    "/events",
    operation_id="follow_events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def follow(
    request: Request,
    caller: Reader,
    last_event_id: Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=_MOST)] = None,
    after: Annotated[int | None, Query(ge=0, le=_MOST, description="The same as Last-Event-ID, for a first connection.")] = None,
) -> Response:
    """Mailboxes and campaigns as they change.

    `id` is the cursor, `event` the type, `data` the same object as a webhook's.  The event `reset` says that what came behind the
    cursor is kept no more: read the lists anew.  A comment comes every 15 seconds when nothing happens.
    """
    feed: Feed = request.app.state.feed
    cursor = last_event_id if last_event_id is not None else after
    oldest = await feed.oldest() if cursor is not None else None
    newest = await feed.newest() if cursor is not None else 0
    reset = cursor is not None and ((oldest is not None and cursor < oldest - 1) or cursor > newest)
    source = feed.read(None if reset else cursor, caller.actor)
    try:
        first = await anext(source)  # the place is taken before 200 is said
    except TooManyReadersError:
        raise Problem("too_many_readers", headers={"retry-after": "10"}) from None
    return StreamingResponse(
        _lines(_while_known(request, source), first, reset_to=newest if reset else None),
        media_type="text/event-stream",
        headers={"cache-control": "no-cache", "x-accel-buffering": "no"},
    )


async def _while_known(request: Request, source: AsyncGenerator[Batch | None]) -> AsyncGenerator[Batch | None]:
    """What *source* gives, as long as the caller may have it: a stream may last for weeks, and a token be revoked meanwhile."""
    clock = surface_of(request).clock
    sure_until = clock.monotonic() + TOKEN_SECONDS
    try:
        async for batch in source:
            if clock.monotonic() >= sure_until:
                if not await is_still_known(request):
                    return
                sure_until = clock.monotonic() + TOKEN_SECONDS
            yield batch
    finally:
        await source.aclose()


async def _lines(source: AsyncGenerator[Batch | None], first: Batch | None, *, reset_to: int | None) -> AsyncIterator[bytes]:
    yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
    if reset_to is not None:
        yield f'id: {reset_to}\nevent: reset\ndata: {{"newest": {reset_to}}}\n\n'.encode()
    try:
        if first:
            yield _encoded(first)
        async for batch in source:
            yield b": nothing new\n\n" if batch is None else _encoded(batch)
    finally:
        await source.aclose()


def _encoded(batch: Batch) -> bytes:
    return "".join(map(_message, batch)).encode()


def _message(event: Event) -> str:
    content = json.dumps(
        {"type": event.type, "timestamp": event.at.isoformat().replace("+00:00", "Z"), "data": dict(event.content)},
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return f"id: {event.id}\nevent: {event.type}\ndata: {content}\n\n"
