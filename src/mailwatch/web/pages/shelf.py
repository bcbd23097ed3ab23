"""Costly answers, kept for a few seconds: many who follow the same outage live ask the database once.

Each application has a shelf of its own, in its state; what is on it is forgotten by age and by number.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar

from mailwatch.web.pages.visits import Visit

KEPT_SECONDS: Final = 5.0
_MOST: Final = 200
T = TypeVar("T")


class Shelf:
    """Answers by question; the same question asked twice at the same time is answered once."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}

    async def get(self, question: Hashable, now: float, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer, at most `KEPT_SECONDS` old at *now*; a failed one is not kept, and its error goes to all who waited."""
        kept = self._kept.get(question)
        if kept is None or now - kept[0] >= KEPT_SECONDS or _failed(kept[1]):
            self._tidy(now)
            kept = self._kept[question] = (now, asyncio.ensure_future(_run(ask)))
            kept[1].add_done_callback(_heard)
        answer: T = await asyncio.shield(kept[1])  # one who goes away takes the answer from nobody
        return answer

    def _tidy(self, now: float) -> None:
        for question, (at, task) in list(self._kept.items()):
            if task.done() and (now - at >= KEPT_SECONDS or len(self._kept) >= _MOST):
                del self._kept[question]


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def _run(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


def _heard(task: asyncio.Task[Any]) -> None:
    """Whoever waited may be gone: their error is no surprise to asyncio."""
    if not task.cancelled():
        task.exception()


async def shelved(visit: Visit, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
    """The answer to *question* from the application's shelf, else from *ask*."""
    state = visit.request.app.state
    if not hasattr(state, "shelf"):
        state.shelf = Shelf()
    answer: T = await state.shelf.get(question, visit.surface.clock.monotonic(), ask)
    return answer
