"""What `/metrics/mailboxes` answers: series for each mailbox asked for, read by pages, written in a thread, kept for a while."""

import asyncio
from dataclasses import replace
from typing import Final

from mailwatch.core.lifecycle import State
from mailwatch.daemon.parts import SeriesOptions
from mailwatch.ports import Clock, MailboxView
from mailwatch.ports.pages import PageFilter, Pages
from mailwatch.telemetry.mailbox_text import CONTENT_TYPE, UNHEALTHY, MailboxRow, Wanted, mailbox_text

#: Several Prometheus servers scrape the same: they share an answer.
KEPT_SECONDS: Final = 10.0
_MOST_KEPT: Final = 16
_AT_ONCE: Final = 500


class MailboxSeries:
    """Renders and remembers; a filter without states means those that do not work.

    One answer is made at a time, so that scrapes take little from the probes.
    """

    def __init__(self, pages: Pages, clock: Clock, options: SeriesOptions) -> None:
        self._pages, self._clock, self._options = pages, clock, options
        self._kept: dict[PageFilter, tuple[float, bytes]] = {}
        self._making = asyncio.Lock()

    async def render(self, which: PageFilter) -> tuple[bytes, str]:
        """The exposition of the mailboxes that *which* names, and its content type; raises StoreUnavailableError."""
        which = replace(which, states=which.states or UNHEALTHY)
        async with self._making:
            now = self._clock.monotonic()
            self._kept = {key: kept for key, kept in self._kept.items() if now - kept[0] < KEPT_SECONDS}
            if which not in self._kept:
                body = await self._made(which)
                if len(self._kept) < _MOST_KEPT:
                    self._kept[which] = (now, body)
                return body, CONTENT_TYPE
            return self._kept[which][1], CONTENT_TYPE

    async def _made(self, which: PageFilter) -> bytes:
        rows: list[MailboxRow] = []
        cursor: str | None = None
        while (room := self._options.most - len(rows)) > 0:
            page = await self._pages.page(which, cursor, min(_AT_ONCE, room))
            rows += [self._row(view) for view in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
        left_out = 0 if cursor is None else max(0, await self._pages.count(which) - len(rows))
        return await asyncio.to_thread(mailbox_text, rows, Wanted(states=frozenset(State)), left_out=left_out)

    def _row(self, view: MailboxView) -> MailboxRow:
        mailbox, standing = view.mailbox, view.standing
        return MailboxRow(
            mailbox.id,
            mailbox.provider,
            standing.state,
            standing.since_at,
            standing.cause,
            standing.last_success_at,
            address=mailbox.address if self._options.addresses else "",
        )
