"""A bulk action: how far it is, and what became of each mailbox."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from mailwatch.ports.pages import PageFilter
from mailwatch.web.pages.visits import Visit

_ROWS: Final = 100


async def job(visit: Visit) -> Response:
    """`/jobs/{id}`."""
    found = await visit.surface.jobs.job(visit.request.path_params["job_id"])
    if found is None:
        return visit.problem(404, "There is no such job", "It was tidied away, or never was here.")
    query = visit.request.query_params
    failed_only = query.get("failed") == "1"
    items = await visit.surface.jobs.items(found.id, query.get("after") or None, _ROWS + 1, failed_only=failed_only)
    shown = items[:_ROWS]
    after = {"after": shown[-1].mailbox_id, **({"failed": "1"} if failed_only else {})} if len(items) > _ROWS else None
    ids = frozenset(item.mailbox_id for item in shown)
    views = (await visit.surface.pages.page(PageFilter(ids=ids), None, _ROWS)).rows if ids else ()
    addresses = {view.mailbox.id: view.mailbox.address for view in views}
    return visit.page(
        "job.html",
        here="mailboxes",
        job=found,
        items=[(item, addresses.get(item.mailbox_id, item.mailbox_id)) for item in shown],
        failed_only=failed_only,
        next_link=f"/jobs/{found.id}?{urlencode(after)}" if after else None,
    )
