"""The list of mailboxes: counters that filter, the filter in the address bar, a page of rows, and rows alone for live updates."""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import PageFilter
from mailwatch.web.pages.filtering import PAGE_ROWS, Wanted
from mailwatch.web.pages.notices import notices_of
from mailwatch.web.pages.rows import rows_of
from mailwatch.web.pages.visits import Visit
from mailwatch.web.pages.words import STATES

_MAX_FRAGMENT: Final = 200


async def front(visit: Visit) -> Response:
    """`/` is the list."""
    return visit.to("/mailboxes")


async def mailboxes(visit: Visit) -> Response:
    """`/mailboxes`: one page of the list."""
    wanted, pages = Wanted.of(visit.request.query_params), visit.surface.pages
    notices = await notices_of(visit)
    try:
        page, counters, facets = await asyncio.gather(
            pages.page(wanted.which, wanted.cursor, PAGE_ROWS), pages.counters(wanted.which), pages.facets()
        )
    except ValueError:  # a cursor of another version, or one that somebody made up
        return visit.to(wanted.link())
    return visit.page(
        "mailboxes.html",
        here="mailboxes",
        wanted=wanted,
        rows=await rows_of(visit, page.rows, notices),
        next_link=wanted.link(cursor=page.next_cursor) if page.next_cursor else None,
        counters=_counters(wanted, counters),
        matching=sum(number for state, number in counters.items() if not wanted.which.states or state in wanted.which.states),
        facets=facets,
        notices=notices,
    )


async def mailbox_rows(visit: Visit) -> Response:
    """`/mailboxes/rows?id=…`: these rows and the counters as they are now, for a page that is open."""
    wanted = Wanted.of(visit.request.query_params)
    ids = visit.request.query_params.getlist("id")[:_MAX_FRAGMENT]
    pages = visit.surface.pages
    views = (await pages.page(PageFilter(ids=frozenset(ids)), None, _MAX_FRAGMENT)).rows if ids else ()
    counters, notices = await pages.counters(wanted.which), await notices_of(visit)
    rows = await rows_of(visit, views, notices)
    return visit.page("mailbox_rows.html", rows=rows, counters=_counters(wanted, counters), notices=notices)


def _counters(wanted: Wanted, numbers: Mapping[State, int]) -> list[tuple[State | None, int, str, bool]]:
    """(state or None for all, how many, where a click leads, whether it is chosen), those that need action first."""
    chosen = wanted.which.states
    told: list[tuple[State | None, int, str, bool]] = [(None, sum(numbers.values()), wanted.with_states(()), not chosen)]
    for state in STATES:
        there = chosen == {state}
        told.append((state, numbers.get(state, 0), wanted.with_states(() if there else (state,)), there))
    return told
