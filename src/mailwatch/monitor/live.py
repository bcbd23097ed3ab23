"""Transitions as they happen, to any number of readers; a slow reader loses its oldest, a probe never waits for one."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from mailwatch.core.mailbox import Mailbox
from mailwatch.core.standing import Transition

#: What a reader may lag behind before it loses the oldest.
BACKLOG = 1000


class Live:
    """An in-process stream; implements `ports.LiveStream`."""

    def __init__(self) -> None:
        self._readers: list[tuple[deque[tuple[Mailbox, Transition]], asyncio.Event]] = []

    def publish(self, mailbox: Mailbox, transition: Transition) -> None:
        """Tell every reader."""
        for backlog, news in self._readers:
            backlog.append((mailbox, transition))
            news.set()

    async def subscribe(self) -> AsyncIterator[tuple[Mailbox, Transition]]:
        """The transitions from now on."""
        reader = (deque[tuple[Mailbox, Transition]](maxlen=BACKLOG), asyncio.Event())
        self._readers.append(reader)
        backlog, news = reader
        try:
            while True:
                while backlog:
                    yield backlog.popleft()
                news.clear()
                await news.wait()
        finally:
            self._readers = [known for known in self._readers if known is not reader]
