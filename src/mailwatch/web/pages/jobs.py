"""A bulk action: how far it is, and what became of each mailbox."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from mailwatch.ports import MailboxNotFoundError
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
    return visit.page(
        "job.html",
        here="mailboxes",
        job=found,
        items=[(item, await _address(visit, item.mailbox_id)) for item in shown],
        failed_only=failed_only,
        next_link=f"/jobs/{found.id}?{urlencode(after)}" if after else None,
    )


async def _address(visit: Visit, mailbox_id: str) -> str:
    """The mailbox's address; of one removed, its id is all there is."""
    try:
        return (await visit.surface.store.find(mailbox_id)).mailbox.address
    except MailboxNotFoundError:
        return mailbox_id
